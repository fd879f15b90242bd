"""One scribble from one seed: what moves, who looks on, and what the picture has been through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weft.spotting.motion import RATE
from weft.training.scribbles.drifting import camera_path, drifter
from weft.training.scribbles.impacts import draw_impacts
from weft.training.scribbles.picture import box_of, render
from weft.training.scribbles.shapes import Shape
from weft.training.scribbles.wear import repeat, spoil

STEP_HZ = 200.0


@dataclass(frozen=True, kw_only=True)
class Scribble:
    """frames: grey uint8 `[T, 96, 128]` at times `[T]` s; onsets `[n]` s with strengths `[n]`; box `[120, 4]` of the
    one sounding shape at `motion.RATE` per second, or None."""

    frames: np.ndarray
    times: np.ndarray
    onsets: np.ndarray
    strengths: np.ndarray
    box: np.ndarray | None


def draw(seed: int, *, seconds: float = 4.0) -> Scribble:
    """Draw one clip. The same seed gives the same clip."""
    rng = np.random.default_rng((seed, 0x5C21BB1E))
    clock = np.arange(-0.2, seconds + 0.2, 1 / STEP_HZ)
    shapes: list[Shape] = []
    onsets: list[tuple[float, float]] = []
    sounding = int(rng.choice([0, 1, 1, 1, 2]))
    for _ in range(sounding):
        made, heard = draw_impacts(rng, clock, seconds)
        shapes += made
        onsets += heard
    for _ in range(int(rng.integers(0, 3))):
        shapes.append(drifter(rng, clock))
    camera = camera_path(rng, clock, [t for t, _ in onsets] if rng.random() < 0.25 else [])
    fps = float(rng.choice([12, 15, 15, 20, 24, 25, 25, 30, 30, 30]))
    times = np.arange(0, seconds, 1 / fps)
    flash = np.zeros(len(clock))
    if rng.random() < 0.12:
        for t, s in onsets:
            flash += 60 * s * np.where(clock >= t, np.exp(-(clock - t) / 0.03), 0)
    frames = render(rng, shapes, camera, flash, clock, times)
    frames = spoil(rng, frames)
    if rng.random() < 0.2:  # pictures repeated, as converters do
        frames = repeat(rng, frames)
    onsets.sort()
    box = None
    if sounding == 1:
        box = box_of(shapes[0], camera, clock, np.arange(int(seconds * RATE)) / RATE)
    inside = np.array([o for o in onsets if 0 <= o[0] < seconds]).reshape(-1, 2)
    return Scribble(frames=frames, times=times, onsets=inside[:, 0], strengths=inside[:, 1], box=box)
