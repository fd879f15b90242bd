"""What the spotter is trained on: clips of the world and scribbles, measured once and kept on disk.

An example is the motion of 4 s, as the spotter reads it, with all that is true of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.spotting import closer, motion
from weft.spotting.network import PICTURE_RATE
from weft.training.arrays import Arrays

if TYPE_CHECKING:
    from weft.world import WorldClip

READINGS = int(4 * motion.RATE)  # of a 4-s example
EVENTS = 48
MERGED_S = 0.03  # contacts this near are one onset


@dataclass(frozen=True, kw_only=True)
class Examples(Arrays):
    """N examples of 4 s. cells float16 `[N, 120, 7, 12, 16]`, overall float32 `[N, 120, 6]` (the sixth: cut), grey,
    change and clock as in `motion.Motion`; events `[N, 48, 4]`: time, strength, action, duration, time -1 where there
    is none; box `[N, 120, 4]`, depth and
    level (dB re full scale) `[N, 120]`, NaN where unknown; material `[N]`, -1 unknown; pictures uint8
    `[N, 8, 96, 128, 3]` at `PICTURE_RATE`, or N = 0 when the examples have none."""

    cells: np.ndarray
    overall: np.ndarray
    grey: np.ndarray
    change: np.ndarray
    clock: np.ndarray
    events: np.ndarray
    box: np.ndarray
    depth: np.ndarray
    level: np.ndarray
    material: np.ndarray
    pictures: np.ndarray

    def __len__(self) -> int:
        return len(self.cells)

    def motion(self, i: int) -> motion.Motion:
        """Example i as the reader takes it."""
        return motion.Motion(
            cells=self.cells[i].astype(np.float32),
            overall=np.asarray(self.overall[i, :, :5]),
            cut=self.overall[i, :, 5] > 0.5,
            grey=np.array(self.grey[i]),
            change=np.array(self.change[i]),
            clock=np.array(self.clock[i]),
        )

    def onsets(self, i: int) -> np.ndarray:
        """The times of its events `[n]`, sorted."""
        t = self.events[i][:, 0]
        return np.sort(t[t >= 0])


def parts(data: Path, kind: str) -> list[Examples]:
    """The parts "train", "val", "test" or "drawn" measured so far under `data`."""
    return [Examples.load(p) for p in sorted(data.glob(f"{kind}-*"))]


def from_world(split: str, indices: range, rng: np.random.Generator, *, views: int) -> Examples:
    """Draw clips of a split of the world and measure them, each as a whole and then through `views` closer views that
    `closer.choose` might take: around what makes the sounds, give or take.

    What sounds outside of a view is no event of it, and then its level is unknown.
    """
    from weft.world import MIX, render_clip, sample_scene, split_seed

    rows = []
    for i in indices:
        scene = sample_scene(MIX[i % len(MIX)], split_seed(split, i), duration=READINGS / motion.RATE)
        clip = render_clip(scene, size=closer.SIZE)
        rows.append(_of_clip(clip, closer.WHOLE))
        rows += [_of_clip(clip, _near(clip, rng)) for _ in range(views)]
    return Examples.stacked(rows)


def _of_clip(clip: WorldClip, view: closer.View) -> Examples:
    """A clip of the world as seen through a view."""
    assert clip.frames is not None
    assert clip.audio is not None
    count = len(clip.frames)
    grey = closer.through(motion.luma(clip.frames), view)
    frames = ((k / clip.fps, grey[k]) for k in range(count))
    seen = motion.join(motion.measure(frames, READINGS / motion.RATE))
    own = np.clip(np.round(np.arange(READINGS) / motion.RATE * clip.fps).astype(int), 0, count - 1)
    x, y = view.left, view.top
    box = (clip.boxes[own] - [x, y, x, y]) / view.side
    centre = (box[:, :2] + box[:, 2:]) / 2
    inside = ((centre > 0) & (centre < 1)).all(1)  # false where there is no box
    events = [asdict(e) | {"visible": bool(v)} for e, v in zip(clip.events, clip.visible, strict=True)]
    if view != closer.WHOLE:
        heard = [e for e in events if e["visible"]]
        kept = [e for e in heard if inside[min(round(e["t"] * motion.RATE), READINGS - 1)]]
        whole = len(kept) == len(heard)
        events = kept
    else:
        whole = True
    level = level_db(clip.audio)
    pictures = clip.frames[
        np.minimum(np.round(np.arange(8) / PICTURE_RATE * clip.fps).astype(int), count - 1)
    ]
    return Examples(
        **_measured(seen),
        events=event_table(events),
        box=np.where(inside[:, None], np.clip(box, 0, 1), np.nan).astype(np.float32),
        depth=clip.depth[own].astype(np.float32),
        level=level if whole else np.full_like(level, np.nan),
        material=np.array(MATERIALS.index(clip.material)),
        pictures=np.stack(
            [np.round(closer.through(np.moveaxis(p, -1, 0), view)).astype(np.uint8) for p in pictures]
        ).transpose(0, 2, 3, 1),
    )


def _near(clip: WorldClip, rng: np.random.Generator) -> closer.View:
    """A view around the boxes of what is heard, sometimes more and sometimes less right."""
    at = [round(e.t * clip.fps) for e, v in zip(clip.events, clip.visible, strict=True) if v]
    box = clip.boxes[np.clip(at, 0, len(clip.boxes) - 1)] if at else clip.boxes
    box = box[np.isfinite(box).all(1)]
    if not len(box):
        box = np.array([[0.3, 0.3, 0.7, 0.7]])
    low, high = box[:, :2].min(0), box[:, 2:].max(0)
    off = 0.25 * rng.standard_normal(2) * (high - low).max()
    return closer.around(low + off, high + off, closer.ROOM * float(np.exp(0.25 * rng.standard_normal())))


def from_scribbles(seeds: range) -> Examples:
    """Draw and measure scribbles. They tell onsets and boxes only, and have no pictures worth looking at."""
    from weft.training import scribbles

    rows = []
    for seed in seeds:
        drawn = scribbles.draw(seed)
        seen = motion.join(
            motion.measure(zip(drawn.times, drawn.frames, strict=True), READINGS / motion.RATE)
        )
        events = [{"t": t, "strength": s} for t, s in zip(drawn.onsets, drawn.strengths, strict=True)]
        rows.append(
            Examples(
                **_measured(seen),
                events=event_table(events),
                box=np.full((READINGS, 4), np.nan, np.float32) if drawn.box is None else drawn.box,
                depth=np.full(READINGS, np.nan, np.float32),
                level=np.full(READINGS, np.nan, np.float32),
                material=np.array(-1),
                pictures=np.zeros((0, 96, 128, 3), np.uint8),
            )
        )
    return Examples.stacked(rows)


def _measured(seen: motion.Motion) -> dict[str, np.ndarray]:
    """The fields of an example that come from its motion."""
    return {
        "cells": seen.cells.astype(np.float16),
        "overall": np.concatenate([seen.overall, seen.cut[:, None]], 1).astype(np.float32),
        "grey": seen.grey,
        "change": seen.change,
        "clock": seen.clock,
    }


def level_db(audio: np.ndarray, rate: int = 44100) -> np.ndarray:
    """RMS in dB re full scale `[120]` of `audio` `[2, N]` in windows of 60 ms around each reading."""
    total = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64).mean(0))])
    centre = np.arange(READINGS) / motion.RATE * rate
    low = np.clip(centre - 0.03 * rate, 0, len(total) - 1).astype(int)
    high = np.clip(centre + 0.03 * rate, 0, len(total) - 1).astype(int)
    power = (total[high] - total[low]) / np.maximum(high - low, 1)
    return (10 * np.log10(power + 1e-8)).astype(np.float32)


def event_table(given: list[dict]) -> np.ndarray:
    """Rows of time, strength, action, duration `[48, 4]` of the events that the picture shows, those within `MERGED_S`
    as one; -1 where there is none."""
    table = np.full((EVENTS, 4), -1, np.float32)
    heard: list[dict] = []
    for e in sorted((e for e in given if e.get("visible", True)), key=lambda e: e["t"]):
        if heard and e["t"] - heard[-1]["t"] < MERGED_S:
            heard[-1] = heard[-1] | {"strength": max(e["strength"], heard[-1]["strength"])}
        else:
            heard.append(e)
    for row, e in zip(table, heard, strict=False):
        row[:] = (
            e["t"],
            e["strength"],
            ACTIONS.index(e["action"]) if "action" in e else -1,
            e.get("duration", 0.0),
        )
    return table
