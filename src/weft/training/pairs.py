"""What weft's encoders are trained on: clips of the world as log-mel frames, cells of pictures and labels, on disk.

Every scene is heard twice: as it is, and as the same contacts on another material. Scenes may be drawn with or without
their picture.
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
from weft.encoders.eye import CHANNELS, FPS, GRID, SIZE, cells
from weft.encoders.log_mel import log_mel
from weft.training.arrays import Arrays
from weft.training.cache import Drawn
from weft.world import MIX, Scene, render_clip, revoice, sample_scene, split_seed

DURATION = 4.0
PICTURES = int(DURATION * FPS)
EVENTS = 48


@dataclass(frozen=True, kw_only=True)
class Pairs(Arrays):
    """N scenes of 4 s. mel float16 `[N, 2, 400, 64]` (dB; as it is, on another material); material int8 `[N, 2]`;
    action int8 `[N]`; count int16 `[N]`, contacts; onsets float32 `[N, 48]`, s, those the picture shows when it has
    one, else all, -1 where there is none; index int64 `[N]` in the split; cells float16 `[N, 50, 9, 9, 12]` of the
    pictures (see `weft.encoders.eye`), or `[N, 0, 9, 9, 12]` when there are none."""

    mel: np.ndarray
    material: np.ndarray
    action: np.ndarray
    count: np.ndarray
    onsets: np.ndarray
    index: np.ndarray
    cells: np.ndarray

    def __len__(self) -> int:
        return len(self.mel)


def sounds(split: str, indices: Iterable[int]) -> Pairs:
    """Hear clips of a split of the world without drawing their pictures."""
    return Pairs.stacked([_row(_scene(split, i), i, None, None) for i in indices])


def drawn_pairs(split: str, indices: Iterable[int]) -> Pairs:
    """Hear and draw clips of a split of the world."""
    rows = []
    for i in indices:
        scene = _scene(split, i)
        clip = render_clip(scene, size=SIZE)
        assert clip.frames is not None
        rows.append(_row(scene, i, clip.audio, at_pictures(clip.frames, clip.fps)))
    return Pairs.stacked(rows)


def cached_pairs(clips: Iterable[Drawn]) -> Pairs:
    """The same from clips that `recipes/build_world_cache.py` drew."""
    rows = []
    for clip in clips:
        label = clip.label
        scene = sample_scene(label["domain"], label["seed"], duration=DURATION)
        audio = clip.audio.astype(np.float32) / 32767
        rows.append(_row(scene, label["index"], audio, at_pictures(clip.frames, label["fps"])))
    return Pairs.stacked(rows)


def parts(data: Path, kind: str) -> Iterator[Pairs]:
    """The parts named `kind-*` under `data`, in order."""
    return (Pairs.load(p) for p in sorted(data.glob(f"{kind}-*")))


def at_pictures(frames: np.ndarray, fps: float) -> NDArray[np.uint8]:
    """The frames nearest to the encoder's times, `[50, 72, 96, 3]`, shrunk with antialiasing."""
    own = np.clip(np.round(np.arange(PICTURES) / FPS * fps).astype(int), 0, len(frames) - 1)
    picked = torch.from_numpy(np.moveaxis(frames[own], -1, 1).copy())
    if frames.shape[1:3] != (SIZE[1], SIZE[0]):
        picked = F.interpolate(picked.float(), (SIZE[1], SIZE[0]), mode="bilinear", antialias=True)
    return np.ascontiguousarray(picked.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy())


def _scene(split: str, index: int) -> Scene:
    return sample_scene(MIX[index % len(MIX)], split_seed(split, index), duration=DURATION)


def _row(scene: Scene, index: int, audio: np.ndarray | None, pictures: np.ndarray | None) -> Pairs:
    if audio is None:
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
        cells=np.zeros((0, CHANNELS, *GRID), np.float16)
        if pictures is None
        else cells(pictures).astype(np.float16),
    )
