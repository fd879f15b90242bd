"""What weft's encoders are trained on: clips of the world as log-mel frames, pictures and labels, on disk.

Every scene is heard twice: as it is, and as the same contacts on another material. Scenes may be drawn with or without
their pictures, and of many more a few pictures are drawn alone: what shows a material needs no sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.encoders.eye import CHANNELS, FPS, GRID, SIZE, cells, looked
from weft.encoders.log_mel import log_mel
from weft.training.arrays import Arrays
from weft.world import MIX, Scene, render_clip, revoice, sample_scene, split_seed
from weft.world.clip import region_boxes, render_frames

DURATION = 4.0
SIZES = int(DURATION * FPS)
LOOKS = len(looked(SIZES))
STILLS = 2  # pictures of a scene that is seen and not heard
EVENTS = 48


@dataclass(frozen=True, kw_only=True)
class Pairs(Arrays):
    """N scenes of 4 s. mel float16 `[N, 2, 400, 64]` (dB; as it is, on another material); material int8 `[N, 2]`;
    action int8 `[N]`; count int16 `[N]`, contacts; onsets float32 `[N, 48]`, s, those the picture shows when it has
    one, else all, -1 where there is none; index int64 `[N]` in the split; cells float16 `[N, 50, 9, 9, 12]` of the
    pictures (see `weft.encoders.eye`); looks uint8 `[N, 9, 72, 96, 3]`, those looked at whole; box float32
    `[N, 9, 4]`, where the sounding thing is in them (x1, y1, x2, y2 as shares), NaN where it is not. The last three
    have no pictures where none were drawn."""

    mel: np.ndarray
    material: np.ndarray
    action: np.ndarray
    count: np.ndarray
    onsets: np.ndarray
    index: np.ndarray
    cells: np.ndarray
    looks: np.ndarray
    box: np.ndarray

    def __len__(self) -> int:
        return len(self.mel)


@dataclass(frozen=True, kw_only=True)
class Stills(Arrays):
    """N scenes of which two pictures are seen. looks uint8 `[N, 2, 72, 96, 3]`, box float32 `[N, 2, 4]`, material
    int8 `[N]` and index int64 `[N]` as in `Pairs`."""

    looks: np.ndarray
    box: np.ndarray
    material: np.ndarray
    index: np.ndarray

    def __len__(self) -> int:
        return len(self.looks)


def sounds(split: str, indices: Iterable[int]) -> Pairs:
    """Hear clips of a split of the world without drawing their pictures."""
    return Pairs.stacked([_row(_scene(split, i), i, None) for i in indices])


def drawn_pairs(split: str, indices: Iterable[int]) -> Pairs:
    """Hear and draw clips of a split of the world."""
    rows = []
    for i in indices:
        scene = _scene(split, i)
        which, back = np.unique(nearest(scene.frame_count, scene.fps), return_inverse=True)
        pictures = render_frames(scene, SIZE, which)[back]
        rows.append(_row(scene, i, pictures))
    return Pairs.stacked(rows)


def stills(split: str, indices: Iterable[int]) -> Stills:
    """Draw two pictures each of clips of a split of the world: of moments that sound and are seen, where there are."""
    rows = []
    for i in indices:
        scene = _scene(split, i)
        rng = np.random.default_rng([scene.seed, 58])
        seen = [e.t for e, v in zip(scene.events, scene.visible, strict=True) if v]
        near = rng.permutation(seen)[:STILLS] + rng.uniform(-0.1, 0.1, min(len(seen), STILLS))
        times = np.sort(np.concatenate([near, rng.uniform(0, DURATION, STILLS - len(near))]))
        which = np.clip(np.round(times * scene.fps), 0, scene.frame_count - 1).astype(int)
        rows.append(
            Stills(
                looks=render_frames(scene, SIZE, which),
                box=region_boxes(scene)[0][which].astype(np.float32),
                material=np.array(MATERIALS.index(scene.material), np.int8),
                index=np.array(i),
            )
        )
    return Stills.stacked(rows)


def parts(data: Path, kind: str) -> Iterator[Pairs]:
    """The parts "films" or "sounds" under `data`, in order."""
    return (Pairs.load(p) for p in sorted(data.glob(f"{kind}-*")))


def still_parts(data: Path) -> Iterator[Stills]:
    """The parts "stills" under `data`, in order."""
    return (Stills.load(p) for p in sorted(data.glob("stills-*")))


def nearest(count: int, fps: float) -> NDArray[np.int64]:
    """Which of `count` frames at `fps` are nearest to the encoder's times, `[50]`."""
    return np.clip(np.round(np.arange(SIZES) / FPS * fps).astype(np.int64), 0, count - 1)


def at_pictures(frames: np.ndarray, fps: float) -> NDArray[np.uint8]:
    """The frames nearest to the encoder's times, `[50, 72, 96, 3]`, brought to size with antialiasing."""
    picked = torch.from_numpy(np.moveaxis(frames[nearest(len(frames), fps)], -1, 1).copy())
    if frames.shape[1:3] != (SIZE[1], SIZE[0]):
        picked = F.interpolate(picked.float(), (SIZE[1], SIZE[0]), mode="bilinear", antialias=True)
    return np.ascontiguousarray(picked.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy())


def _scene(split: str, index: int) -> Scene:
    return sample_scene(MIX[index % len(MIX)], split_seed(split, index), duration=DURATION)


def _row(scene: Scene, index: int, pictures: np.ndarray | None) -> Pairs:
    audio = render_clip(scene, picture=False).audio
    rng = np.random.default_rng([scene.seed, 57])
    other = str(rng.choice([m for m in MATERIALS if m != scene.material]))
    twin = render_clip(revoice(scene, other), picture=False).audio
    assert audio is not None
    assert twin is not None
    heard = torch.from_numpy(np.stack([audio.mean(0), twin.mean(0)]))
    times = [e.t for e, v in zip(scene.events, scene.visible, strict=True) if v or pictures is None][:EVENTS]
    return Pairs(
        mel=log_mel(heard).half().numpy(),
        material=np.array([MATERIALS.index(scene.material), MATERIALS.index(other)], np.int8),
        action=np.array(ACTIONS.index(scene.action), np.int8),
        count=np.array(max(1, len(scene.events)), np.int16),
        onsets=np.array(times + [-1.0] * (EVENTS - len(times)), np.float32),
        index=np.array(index),
        **_seen(scene, pictures),
    )


def _seen(scene: Scene, pictures: np.ndarray | None) -> dict[str, np.ndarray]:
    """The fields of `Pairs` that come from its pictures `[50, 72, 96, 3]`."""
    if pictures is None:
        return {
            "cells": np.zeros((0, CHANNELS, *GRID), np.float16),
            "looks": np.zeros((0, SIZE[1], SIZE[0], 3), np.uint8),
            "box": np.zeros((0, 4), np.float32),
        }
    at = looked(SIZES)
    boxes = region_boxes(scene)[0][nearest(scene.frame_count, scene.fps)[at]]
    return {
        "cells": cells(pictures).astype(np.float16),
        "looks": pictures[at],
        "box": boxes.astype(np.float32),
    }
