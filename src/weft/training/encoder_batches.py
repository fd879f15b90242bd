"""The batches weft's encoders are trained on: films, sounds and stills, drawn from what is on disk."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.encoders.audio_net import STEP_FRAMES
from weft.encoders.eye import LOOK_EVERY
from weft.encoders.look_net import STRIDE
from weft.encoders.steps import STEP_HZ
from weft.encoders.text import TextEncoder
from weft.training.encoder_changes import changed, lit
from weft.training.encoders import LessonConfig
from weft.training.pairs import Pairs, Stills
from weft.world.captions import captions


class Shelf:
    """All parts in memory or mapped: scene `i` of those of one kind."""

    def __init__(self, given: list[Pairs] | list[Stills]) -> None:
        self.parts = given
        self.where = [(p, i) for p in range(len(given)) for i in range(len(given[p]))]

    def __len__(self) -> int:
        return len(self.where)

    def rows(self, picks: np.ndarray, name: str) -> list[np.ndarray]:
        """Field `name` of the scenes `picks`."""
        return [getattr(self.parts[p], name)[i] for p, i in (self.where[k] for k in picks)]


def batch_of(
    films: Shelf,
    sounds: Shelf,
    stills: Shelf,
    text: TextEncoder,
    config: LessonConfig,
    length: int,
    rng: np.random.Generator,
) -> dict[str, Tensor]:
    """Draw a batch: B = 2 `films` + `sounds` sounds, the films' own first, then their twins on another material.

    mel `[B, 400, 64]`, material and action `[B]`, tokens `[B, L, D]` and mask of a caption each, moments `[B, 50]`
    (share of a contact in each step; of a film only what it shows) and audible `[B]`, 1 where that is all; spoilt
    `[films]`: whose twin is to be made of their own sound; cells `[films, S, 9, 9, 12]` and looks
    `[films, S / look, 3, 72, 96]` from step `start` `[films]`; and of stills what `stills_of` gives.
    """
    n = config.films
    a = rng.choice(len(films), n, replace=False)
    b = rng.choice(len(sounds), config.sounds, replace=False)
    which = rng.integers(0, 2, config.sounds)
    spoils = rng.random(n) < config.spoilt
    both = films.rows(a, "mel")
    mel = [m[0] for m in both] + [m[1] for m in both]
    mel += [m[w] for m, w in zip(sounds.rows(b, "mel"), which, strict=True)]
    pair = films.rows(a, "material")
    material = [int(m[0]) for m in pair] + [int(m[0 if s else 1]) for m, s in zip(pair, spoils, strict=True)]
    material += [int(m[w]) for m, w in zip(sounds.rows(b, "material"), which, strict=True)]
    action, count, onsets = (2 * films.rows(a, k) + sounds.rows(b, k) for k in ("action", "count", "onsets"))
    words = [
        captions(MATERIALS[m], ACTIONS[int(x)], int(c), rng, number=2)[int(rng.random() < 0.85)]
        for m, x, c in zip(material, action, count, strict=True)
    ]
    tokens, mask = text.tokens(words, length)
    total = mel[0].shape[0] // STEP_FRAMES
    start = LOOK_EVERY * rng.integers(0, (total - config.steps) // LOOK_EVERY + 1, n)
    mirrored = rng.random(n) < 0.5
    cells = [
        changed(p[s : s + config.steps], rng, mirrored=bool(m))
        for p, s, m in zip(films.rows(a, "cells"), start, mirrored, strict=True)
    ]
    blocks = range(0, config.steps, config.look)
    ahead = rng.integers(0, config.look // LOOK_EVERY, n)
    looks = [
        lit(np.stack([p[min((s + k) // LOOK_EVERY + o, len(p) - 1)] for k in blocks]), rng, mirrored=bool(m))
        for p, s, o, m in zip(films.rows(a, "looks"), start, ahead, mirrored, strict=True)
    ]
    return {
        "mel": torch.from_numpy(np.stack(mel)).float(),
        "material": torch.tensor(material),
        "action": torch.tensor([int(x) for x in action]),
        "tokens": tokens,
        "mask": mask,
        "moments": torch.from_numpy(np.stack([moments(o, total) for o in onsets])),
        "audible": torch.tensor([0.0] * 2 * n + [1.0] * config.sounds),
        "spoilt": torch.from_numpy(spoils),
        "cells": torch.from_numpy(np.stack(cells)),
        "looks": torch.from_numpy(np.stack(looks)),
        "start": torch.from_numpy(start),
    } | stills_of(stills, config, rng)


def stills_of(stills: Shelf, config: LessonConfig, rng: np.random.Generator) -> dict[str, Tensor]:
    """Draw single pictures: stills `[N, 3, H, W]`, parts of pictures, all of one size, that keep the middle of the
    sounding thing; shown `[N]`, the material; inside `[N, H / 4, W / 4]`, each cell's share of the thing's box, of sum
    1, or 0 everywhere where there is none."""
    picks = rng.choice(len(stills), config.stills, replace=False)
    pairs = list(zip(stills.rows(picks, "looks"), stills.rows(picks, "box"), strict=True))
    whole = np.array(pairs[0][0].shape[1:3], np.int64)
    size = (whole * rng.uniform(config.crop, 1)).astype(np.int64) // STRIDE * STRIDE
    scale, rows, shares = np.tile(whole[::-1], 2), [], []
    for looks, boxes in pairs:
        k = rng.integers(len(looks))
        picture, box = looks[k], np.array(boxes[k])
        corner = rng.integers(0, whole - size + 1)
        if known := bool(np.isfinite(box).all()):
            middle = ((box[:2] + box[2:]) / 2)[::-1] * whole
            low, high = (np.clip(middle - over, 0, whole - size) for over in (size, 0))
            corner = np.round(rng.uniform(low, high)).astype(np.int64)
        mirrored = bool(rng.random() < 0.5)
        part = picture[corner[0] : corner[0] + size[0], corner[1] : corner[1] + size[1]]
        rows.append(lit(part[None], rng, mirrored=mirrored)[0])
        inside = np.zeros((size[0] // STRIDE, size[1] // STRIDE), np.float32)
        if known:
            inside = within((box * scale - np.tile(corner[::-1], 2)) / STRIDE, inside.shape)
        shares.append(inside[:, ::-1] if mirrored else inside)
    return {
        "stills": torch.from_numpy(np.stack(rows)),
        "shown": torch.tensor([int(m) for m in stills.rows(picks, "material")]),
        "inside": torch.from_numpy(np.stack(shares)),
    }


def within(box: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """How much of a box (x1, y1, x2, y2, in cells) lies in each cell, float32 of `shape` (rows, columns), of sum 1; or
    0 everywhere where none of it does."""
    over = [
        np.clip(np.minimum(high, np.arange(n) + 1) - np.maximum(low, np.arange(n)), 0, 1)
        for low, high, n in ((box[1], box[3], shape[0]), (box[0], box[2], shape[1]))
    ]
    share = np.outer(*over)
    return np.asarray(share / max(share.sum(), 1e-9), np.float32)


def moments(onsets: np.ndarray, steps: int) -> np.ndarray:
    """Shares float32 `[steps]`: an onset (s) counts 1 where it is central in a step, less towards the next one."""
    out = np.zeros(steps, np.float32)
    at = onsets[onsets >= 0] * STEP_HZ - 0.5
    for shift in (0, 1):
        step = np.floor(at).astype(int) + shift
        inside = (step >= 0) & (step < steps)
        np.maximum.at(out, step[inside], (1 - np.abs(at - step))[inside].astype(np.float32))
    return out
