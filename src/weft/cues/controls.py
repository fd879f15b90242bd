"""The cue sheet as a learned performer reads it: one row of numbers per latent frame.

Every dial has a channel that says whether it is given, so that "not given" (zeros, flag 0) differs from
"given
and zero". Sub-frame time is kept: a frame of 23 ms knows where inside it an onset falls.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from weft.cues.sheet import CueSheet, Onset
from weft.cues.vocabulary import ACTIONS, MATERIALS

Array = NDArray[np.float32]
Hints = Callable[[str | None], tuple[Array, Array]]
"""Words to (materials [17], actions [5]), each a row of probabilities, or zeros for "no idea"."""

AGES_S = (0.03, 0.12, 0.5)
FLOOR_DB = -80.0
_WIDTHS = (
    ("onset", 1),  # how many onsets fall into the frame
    ("offset", 1),  # where in the frame the strongest falls, -0.5 .. 0.5
    ("strength", 1),  # its strength, 0 .. 1
    ("loudness", 1),  # the same on a scale of decibels, 1 at full strength, 0 at -40 dB
    ("age", len(AGES_S)),  # strength of the last onset, fading with these time constants
    ("active", 1),  # strength of a sustained event while its hand moves
    ("when_known", 1),
    ("envelope", 2),  # level of the frame's two halves, 0 at -80 dB, 1 at full scale
    ("envelope_known", 1),  # 1 exact, 0.5 coarse (a hint of the loudness), 0 not given
    ("pan", 2),  # -1 left .. 1 right: now, and at the last onset
    ("pan_known", 1),
    ("depth", 2),  # 0 near .. 1 far: now, and at the last onset
    ("depth_known", 1),
    ("material", len(MATERIALS)),  # of the last onset, held until the next; zeros: not given
    ("action", len(ACTIONS)),
)
CHANNELS: dict[str, slice] = {}
_at = 0
for _name, _width in _WIDTHS:
    CHANNELS[_name] = slice(_at, _at + _width)
    _at += _width
WIDTH = _at


def control_frames(
    sheet: CueSheet,
    n_frames: int,
    rate: float,
    *,
    start: int = 0,
    hints: Hints | None = None,
    envelope_known: float = 1.0,
) -> Array:
    """The sheet at frames start .. start + n_frames of `rate` Hz -> float32 [n_frames, WIDTH].

    Frame i covers seconds [i, i + 1) / rate. An onset's own material and action outrank the words in force
    there; `hints` turns words into them (the library's is `weft.encoders.words`), None leaves words aside.
    `envelope_known` below 1 says the envelope is a hint only. The rows are a function of the absolute frame,
    whatever window they are asked for in.
    """
    frames = np.zeros((n_frames, WIDTH), np.float32)
    edges = (start + np.arange(n_frames + 1)) / rate
    onsets = sheet.when.onsets
    if onsets is not None:
        frames[:, CHANNELS["when_known"]] = 1
        _put_onsets(frames, onsets, edges, rate)
    if sheet.when.envelope is not None:
        frames[:, CHANNELS["envelope"]] = level(_halves(sheet.when.envelope.at, edges))
        frames[:, CHANNELS["envelope_known"]] = envelope_known
    _put_place(frames, sheet, edges)
    _put_what(frames, sheet, edges, hints)
    return frames


def level(rms: NDArray[np.float64]) -> NDArray[np.float64]:
    """RMS of any shape, full-scale units, to 0 (at or below -80 dB) .. 1 (0 dB)."""
    return np.clip(1 - 20 * np.log10(np.maximum(rms, 1e-6)) / FLOOR_DB, 0, 1.2)


def last_onset(onsets: tuple[Onset, ...], times: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index of the last onset at or before each time, -1 before the first."""
    return np.searchsorted([o.t for o in onsets], times, side="right") - 1


def _put_onsets(frames: Array, onsets: tuple[Onset, ...], edges: NDArray[np.float64], rate: float) -> None:
    onset, offset, strength = (frames[:, CHANNELS[k].start] for k in ("onset", "offset", "strength"))
    active = frames[:, CHANNELS["active"].start]
    first = round(edges[0] * rate)
    for cue in onsets:
        at = int(np.floor(cue.t * rate)) - first
        if 0 <= at < len(frames):
            onset[at] += 1
            if cue.strength > strength[at]:
                strength[at] = cue.strength
                offset[at] = cue.t * rate - first - at - 0.5
        if cue.duration > 0:
            covered = np.clip(np.minimum(edges[1:], cue.end) - np.maximum(edges[:-1], cue.t), 0, None) * rate
            active[:] = np.maximum(active, covered * cue.strength)
    heard = strength > 0
    frames[heard, CHANNELS["loudness"].start] = _loudness(strength[heard])
    if onsets:
        ends = edges[1:]
        last = last_onset(onsets, ends - 1e-9)
        since = ends - np.array([o.t for o in onsets])[last]
        loud = np.where(last >= 0, np.array([o.strength for o in onsets])[last], 0.0)
        fade = np.exp(-np.maximum(since, 0)[:, None] / np.array(AGES_S))
        frames[:, CHANNELS["age"]] = loud[:, None] * fade


def _loudness(strength: Array) -> Array:
    return np.clip(1 + 20 * np.log10(np.maximum(strength, 1e-3)) / 40, 0, 1)


def _halves(
    at: Callable[[NDArray[np.float64]], NDArray[np.float64]], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """RMS of the two halves of each frame [n, 2], of four readings each."""
    points = edges[:-1, None] + np.diff(edges)[:, None] * (np.arange(8) + 0.5) / 8
    return np.sqrt(np.mean(np.square(at(points)).reshape(len(points), 2, 4), axis=-1))


def _put_place(frames: Array, sheet: CueSheet, edges: NDArray[np.float64]) -> None:
    tracks = sheet.where.tracks
    if not tracks:
        return
    middle = (edges[:-1] + edges[1:]) / 2
    struck = middle.copy()
    if onsets := sheet.when.onsets:
        times = np.array([o.t for o in onsets])
        struck = times[np.maximum(last_onset(onsets, edges[1:] - 1e-9), 0)]
    frames[:, CHANNELS["pan"]] = np.stack([sheet.pan_at(middle), sheet.pan_at(struck)], axis=1)
    frames[:, CHANNELS["pan_known"]] = 1
    if any(track.depth is not None for track in tracks):
        frames[:, CHANNELS["depth"]] = np.stack([sheet.depth_at(middle), sheet.depth_at(struck)], axis=1)
        frames[:, CHANNELS["depth_known"]] = 1


def _put_what(frames: Array, sheet: CueSheet, edges: NDArray[np.float64], hints: Hints | None) -> None:
    """Material and action: those of the onset that sounds, held until the next; else those the words tell."""
    known: dict[str | None, tuple[Array, Array]] = {}

    def told(prompt: str | None) -> tuple[Array, Array]:
        if hints is None:
            return np.zeros(len(MATERIALS), np.float32), np.zeros(len(ACTIONS), np.float32)
        if prompt not in known:
            known[prompt] = hints(prompt)
        return known[prompt]

    onsets = sheet.when.onsets or ()
    if not onsets:
        rows = [told(sheet.what.prompt_at(float(t))) for t in edges[:-1]]
        frames[:, CHANNELS["material"]] = np.array([r[0] for r in rows]).reshape(len(frames), -1)
        frames[:, CHANNELS["action"]] = np.array([r[1] for r in rows]).reshape(len(frames), -1)
        return
    materials, actions = [], []
    for onset in onsets:
        material, action = told(sheet.what.prompt_at(onset.t))
        if onset.material is not None:
            material = np.eye(len(MATERIALS), dtype=np.float32)[MATERIALS.index(onset.material)]
        if onset.action is not None:
            action = np.eye(len(ACTIONS), dtype=np.float32)[ACTIONS.index(onset.action)]
        materials.append(material)
        actions.append(action)
    which = np.maximum(last_onset(onsets, edges[1:] - 1e-9), 0)
    frames[:, CHANNELS["material"]] = np.array(materials)[which]
    frames[:, CHANNELS["action"]] = np.array(actions)[which]
