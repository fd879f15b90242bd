"""The detector that needs no learning: what moves fastest, and when it is stopped.

A thing that strikes is fast and then, within a frame or two, is not. The speed of the fastest 2 % of the picture is
followed, and the peaks of its deceleration are the onsets. It says when and where, never what.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, uniform_filter1d

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.spotting.motion import GRID, MIDDLE, RATE, Motion
from weft.spotting.readings import Readings

THRESHOLD = 0.5  # evidence is 0.5 where the deceleration is the clip's own RMS deceleration around there
SMOOTHING_S = 0.032
AROUND_S = 10.0
APART_S = 0.06  # it cannot tell what follows sooner
DECAY_S = 0.15
LEVEL = 5.0  # per second of braking
HELD_S = 0.08


def deceleration(motion: Motion) -> np.ndarray:
    """How hard the fastest motion is braked `[T]`, in units of its RMS over the 10 s around; 0 where nothing stops."""
    speed = gaussian_filter1d(motion.overall[:, 0].astype(np.float64), SMOOTHING_S * RATE, mode="nearest")
    if len(speed) < 2:
        return np.zeros(len(speed))
    braking = np.maximum(-np.gradient(speed) * RATE, 0.0)
    usual = np.sqrt(uniform_filter1d(braking**2, int(AROUND_S * RATE), mode="reflect"))
    return braking / (usual + 0.5)


def read(motion: Motion) -> Readings:
    """Read a whole clip. Depth is unknown (NaN), material and action are unknown (zeros)."""
    count = len(motion)
    onset, strength, level = _heard(motion)
    return Readings(
        onset=onset,
        offset=_middles(count),
        strength=strength,
        level=level,
        sustained=np.zeros(count, np.float32),
        box=_box(motion),
        depth=np.full(count, np.nan, np.float32),
        material=np.zeros((count, len(MATERIALS)), np.float32),
        action=np.zeros((count, len(ACTIONS)), np.float32),
    )


def _heard(motion: Motion) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Onset evidence (where it brakes hardest, elsewhere 0), strength and level `[T]`: each braking rings on for a
    while, the longer it brakes the louder."""
    braking = deceleration(motion)
    onset = braking / (1.0 + braking)
    pulse = np.exp(-np.arange(int(1.5 * RATE)) / (DECAY_S * RATE))
    peaks = np.where(onset > THRESHOLD, np.minimum(braking / 4, 1.0), 0.0)
    hardest = braking >= maximum_filter1d(braking, 2 * round(APART_S * RATE) + 1)
    level = np.minimum(LEVEL / RATE * np.convolve(peaks, pulse)[: len(motion)], 1.0)
    return (
        np.where(hardest, onset, 0.0).astype(np.float32),
        np.clip(braking / 4, 0.05, 1.0).astype(np.float32),
        _at_start(level).astype(np.float32),
    )


def timed(readings: Readings, motion: Motion) -> Readings:
    """`readings` with their onsets and levels read from `motion` instead; where and what are kept."""
    count = len(motion)
    onset, strength, level = _heard(motion)
    return replace(readings, onset=onset, strength=strength, level=level, offset=_middles(count))


def _at_start(x: np.ndarray) -> np.ndarray:
    """What readings `[T, ...]` saw at their middles, as of their starts."""
    return np.asarray(MIDDLE * np.concatenate([x[:1], x[:-1]]) + (1 - MIDDLE) * x)


def _middles(count: int) -> np.ndarray:
    """How far after its start each reading looks `[T]`, s."""
    return np.full(count, MIDDLE / RATE, np.float32)


def _box(motion: Motion) -> np.ndarray:
    """A box around the fastest cells `[T, 4]`: mean and spread of position weighted by squared speed, held in
    stillness."""
    rows, columns = GRID
    heat = np.square(motion.cells[:, 2:4]).sum(1) + 1e-4
    heat = gaussian_filter1d(heat.astype(np.float64), HELD_S * RATE, axis=0)
    heat = (heat / heat.sum((1, 2), keepdims=True)).astype(np.float64)
    y = (np.arange(rows)[:, None] + 0.5) / rows
    x = (np.arange(columns)[None] + 0.5) / columns
    mx, my = (heat * x).sum((1, 2)), (heat * y).sum((1, 2))
    sx = np.sqrt((heat * x**2).sum((1, 2)) - mx**2)
    sy = np.sqrt((heat * y**2).sum((1, 2)) - my**2)
    box = np.stack([mx - sx, my - sy, mx + sx, my + sy], 1)
    return np.clip(_at_start(box), 0.0, 1.0).astype(np.float32)
