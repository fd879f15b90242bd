"""Clips of the world that were drawn once into a folder, to be looked at and listened to again and again.

`recipes/build_world_cache.py` writes it, and says what is in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from weft.training.examples import READINGS, event_table, level_db


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One clip: its frames uint8 `[T, H, W, 3]` and its sound int16 `[2, N]` (44.1 kHz), on disk until they are read,
    and its label."""

    frames: np.ndarray
    audio: np.ndarray
    label: dict[str, Any]

    def pictures(self) -> Iterator[tuple[float, np.ndarray]]:
        """(seconds, frame uint8 `[H, W, 3]`), in order."""
        return ((k / self.label["fps"], np.array(frame)) for k, frame in enumerate(self.frames))

    def events(self) -> np.ndarray:
        """What the picture shows of what sounds, as `examples.event_table` `[n, 4]`."""
        table = event_table(self.label["events"])
        return table[table[:, 0] >= 0]

    def onsets(self) -> np.ndarray:
        """Their times `[n]`, s, sorted."""
        return np.sort(self.events()[:, 0]).astype(np.float64)

    def at_readings(self, name: str, rate: float) -> np.ndarray:
        """The label "boxes" `[T, 4]` or "depth" `[T]` at each reading; NaN where it is unknown."""
        given = self.label[name]
        blank = [np.nan] * 4 if name == "boxes" else np.nan
        own = np.clip(np.round(np.arange(READINGS) / rate * self.label["fps"]).astype(int), 0, len(given) - 1)
        return np.array([blank if v is None else v for v in given], np.float32)[own]

    def rms(self) -> np.ndarray:
        """RMS re full scale `[120]` around each reading."""
        return np.power(10.0, level_db(self.audio.astype(np.float32) / 32767) / 20)


def drawn(cache: Path, split: str) -> list[Drawn]:
    """The clips of a split ("train", "val" or "test") in `cache`, in order."""
    clips = []
    for part in sorted(cache.glob(f"{split}-*")):
        frames, audio = (np.load(part / f"{name}.npy", mmap_mode="r") for name in ("frames", "audio"))
        for i, label in enumerate(json.loads((part / "labels.json").read_text())):
            first = label["first"]
            clips.append(Drawn(frames=frames[first : first + label["frames"]], audio=audio[i], label=label))
    return clips
