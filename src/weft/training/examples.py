"""What the spotter is trained on: clips of the world and scribbles, measured once and kept on disk.

An example is the motion of 4 s, as the spotter reads it, with all that is true of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.spotting import motion
from weft.spotting.network import PICTURE_RATE

READINGS = int(4 * motion.RATE)  # of a 4-s example
EVENTS = 48
MERGED_S = 0.03  # contacts this near are one onset


@dataclass(frozen=True, kw_only=True)
class Examples:
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

    def save(self, folder: Path) -> None:
        aside = folder.with_name(f".{folder.name}")
        aside.mkdir(parents=True, exist_ok=True)
        for f in fields(self):
            np.save(aside / f"{f.name}.npy", getattr(self, f.name))
        aside.replace(folder)

    @classmethod
    def load(cls, folder: Path) -> Examples:
        """Read by memory map what `save` wrote."""
        return cls(**{f.name: np.load(folder / f"{f.name}.npy", mmap_mode="r") for f in fields(cls)})

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


def from_world(part: Path) -> Examples:
    """Measure one part of the world cache (`frames.npy`, `audio.npy`, `labels.json`)."""
    labels = json.loads((part / "labels.json").read_text())
    frames = np.load(part / "frames.npy", mmap_mode="r")
    audio = np.load(part / "audio.npy", mmap_mode="r")
    rows = []
    for i, label in enumerate(labels):
        first, count, fps = label["first"], label["frames"], label["fps"]
        clip = frames[first : first + count]
        seen = motion.join(motion.measure(((k / fps, clip[k]) for k in range(count)), READINGS / motion.RATE))
        at = np.minimum(np.round(np.arange(8) / PICTURE_RATE * fps).astype(int), count - 1)
        own = np.clip(
            np.round(np.arange(READINGS) / motion.RATE * fps).astype(int), 0, len(label["boxes"]) - 1
        )
        box = np.array([b if b is not None else [np.nan] * 4 for b in label["boxes"]], np.float32)[own]
        rows.append(
            Examples(
                **_measured(seen),
                events=_events(label["events"]),
                box=np.clip(box, 0, 1),
                depth=np.array(label["depth"], np.float32)[own],
                level=level_db(audio[i].astype(np.float32) / 32767),
                material=np.array(MATERIALS.index(label["material"])),
                pictures=clip[at],
            )
        )
    return _stack(rows)


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
                events=_events(events),
                box=np.full((READINGS, 4), np.nan, np.float32) if drawn.box is None else drawn.box,
                depth=np.full(READINGS, np.nan, np.float32),
                level=np.full(READINGS, np.nan, np.float32),
                material=np.array(-1),
                pictures=np.zeros((0, 96, 128, 3), np.uint8),
            )
        )
    return _stack(rows)


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


def _events(given: list[dict]) -> np.ndarray:
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


def _stack(rows: list[Examples]) -> Examples:
    return Examples(**{f.name: np.stack([getattr(r, f.name) for r in rows]) for f in fields(Examples)})
