"""What GRAM's miniature is trained and judged on: clips of the world as sound, pictures and words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.encoders.eye import cells
from weft.encoders.log_mel import log_mel
from weft.training.arrays import Arrays
from weft.training.cache import Drawn
from weft.training.pairs import Pairs, at_pictures


@dataclass(frozen=True, kw_only=True)
class Triples(Arrays):
    """N clips of 4 s: mel float16 `[N, 400, 64]`, dB; cells float16 `[N, 50, 9, 9, 12]` (see `weft.encoders.eye`);
    material, action int8 and count (contacts) int16 `[N]`, of which captions are drawn; index int64 `[N]` in the
    split."""

    mel: np.ndarray
    cells: np.ndarray
    material: np.ndarray
    action: np.ndarray
    count: np.ndarray
    index: np.ndarray

    def __len__(self) -> int:
        return len(self.mel)

    def kinds(self) -> np.ndarray:
        """Material and action as one number `[N]`: what clips share that one caption fits."""
        return self.material.astype(np.int64) * len(ACTIONS) + self.action


def of_pairs(pairs: Pairs) -> Triples:
    """The clips of `weft.training.pairs` as they are, without their twins on another material."""
    return Triples(
        mel=np.asarray(pairs.mel[:, 0]),
        cells=np.asarray(pairs.cells),
        material=np.asarray(pairs.material[:, 0]),
        action=np.asarray(pairs.action),
        count=np.asarray(pairs.count),
        index=np.asarray(pairs.index),
    )


def of_drawn(clips: Iterable[Drawn]) -> Triples:
    """Clips that `recipes/build_world_cache.py` drew, as `recipes/train_encoders.py` would see them."""
    rows = []
    for clip in clips:
        label = clip.label
        wave = torch.from_numpy(clip.audio.astype(np.float32) / 32767).mean(0)
        rows.append(
            Triples(
                mel=log_mel(wave[None])[0].half().numpy(),
                cells=cells(at_pictures(clip.frames, label["fps"])).astype(np.float16),
                material=np.array(MATERIALS.index(label["material"]), np.int8),
                action=np.array(ACTIONS.index(label["action"]), np.int8),
                count=np.array(max(1, len(label["events"])), np.int16),
                index=np.array(label["index"]),
            )
        )
    return Triples.stacked(rows)
