"""Examples of the spotter varied for every step: mirrored, shifted, slowed, quickened, smoothed, blurred, overlaid,
with noise and lost cells.

Either view of the motion, the cells of flow or the grey pictures, is now and then missing altogether, so that neither
is leant on alone.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from weft.cues.vocabulary import ACTIONS
from weft.spotting import motion
from weft.training.examples import EVENTS, READINGS, Examples

WINDOW = 80  # readings of a training step; what is left of an example is room for tempo
HITS = tuple(ACTIONS.index(a) for a in ("hit", "scratch"))
PASSED_OVER = 0.4
NO_PICTURES, NO_CELLS, BLURRED, OVERLAID = 0.06, 0.03, 0.1, 0.07


def batch(
    world: list[Examples],
    drawn: list[Examples],
    rng: np.random.Generator,
    *,
    worlds: int,
    drawings: int,
    plain: float = 0.0,
) -> dict[str, Tensor]:
    """Return one varied batch: `worlds` of the world's examples first, then `drawings` of the scribbles. A share
    `plain` of them is mirrored, shifted and of another tempo, but otherwise as measured."""
    picked = [_world(world, rng) for _ in range(worlds)] + [_any(drawn, rng) for _ in range(drawings)]
    made = [_vary(source, i, drawn, rng, rng.random() < plain) for source, i in picked]
    return {key: torch.from_numpy(np.stack([m[key] for m in made])) for key in made[0]}


def _any(parts: list[Examples], rng: np.random.Generator) -> tuple[Examples, int]:
    part = parts[int(rng.integers(len(parts)))]
    return part, int(rng.integers(len(part)))


def _world(parts: list[Examples], rng: np.random.Generator) -> tuple[Examples, int]:
    """Clips that begin with a hit or a scratch are three in five and the easiest to read: some are passed over."""
    while True:
        part, i = _any(parts, rng)
        if int(part.events[i, 0, 2]) not in HITS or rng.random() >= PASSED_OVER:
            return part, i


def _vary(
    source: Examples, i: int, drawn: list[Examples], rng: np.random.Generator, plain: bool
) -> dict[str, np.ndarray]:
    cells, overall = source.cells[i].astype(np.float32), source.overall[i, :, :5].copy()
    events, box = source.events[i].copy(), source.box[i].copy()
    level, depth = source.level[i], source.depth[i]
    grey, change, clock = source.grey[i], source.change[i], source.clock[i]
    if not plain and rng.random() < OVERLAID:
        other, j = _any(drawn, rng)
        cells, overall, events = _overlay(cells, overall, events, other, j)
        there = np.abs(other.change[j].astype(np.int16)) > np.abs(change.astype(np.int16)) + 6
        grey, change = np.where(there, other.grey[j], grey), np.where(there, other.change[j], change)
        box, level = np.full_like(box, np.nan), np.full_like(level, np.nan)
    tempo = float(np.clip(np.exp(0.18 * rng.standard_normal()), 0.7, 1.24))
    start = rng.uniform(0, READINGS - 1 - (WINDOW - 1) * tempo)
    at = start + np.arange(WINDOW) * tempo
    looked = np.clip(at + motion.MIDDLE * (tempo - 1), 0, READINGS - 1)  # a reading looks at its middle
    nearest = np.round(looked).astype(int)
    cells, overall = (_between(x, looked) for x in (cells, overall))
    box, level, depth = (_between(x, at) for x in (box, level, depth))
    grey, change = grey[nearest], change[nearest]
    middle = (clock[nearest, 0] + (nearest - at) / motion.RATE) / tempo
    clock = np.stack([middle, clock[nearest, 1] / tempo], 1).astype(np.float32)
    cells[:, :4] *= tempo
    overall[:, :4] *= tempo
    t = (events[:, 0] - start / motion.RATE) / tempo
    gone = (events[:, 0] < 0) | (t < -0.1) | (t > WINDOW / motion.RATE + 0.1)
    events[:, 0], events[:, 3] = t, events[:, 3] / tempo
    events[gone] = -1
    events[gone, 0] = -9
    real = source.pictures.shape[1] > 0
    flips = rng.random() < 0.5, rng.random() < (0.0 if real else 0.25)
    shift = int(rng.integers(-2, 3)), int(rng.integers(-3, 4))
    cells, overall, box = _place(cells, overall, box, flips, shift)
    grey, change = (_moved(x, flips, shift) for x in (grey, change))
    if not plain:
        cells, overall = _spoil(cells, overall, rng)
        grey, change = _worn(grey, change, rng)
    missing = 1.0 if plain else rng.random()
    if missing < NO_PICTURES:
        grey, change = np.full_like(grey, 128), np.zeros_like(change)
    elif missing < NO_PICTURES + NO_CELLS:
        cells, overall = np.zeros_like(cells), np.zeros_like(overall)
    return {
        "cells": cells,
        "overall": overall,
        "grey": grey,
        "change": change,
        "clock": clock,
        "events": events,
        "box": box,
        "level": level,
        "depth": depth,
        "material": np.array(source.material[i], dtype=np.int64),
    }


def _between(x: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Rows of x `[T, ...]` at fractional places `[N]`."""
    left = np.minimum(at.astype(int), len(x) - 2)
    w = (at - left).astype(np.float32).reshape(-1, *([1] * (x.ndim - 1)))
    return np.asarray(x[left] * (1 - w) + x[left + 1] * w)


def _moved(x: np.ndarray, flips: tuple[bool, bool], shift: tuple[int, int]) -> np.ndarray:
    """Mirror and shift pictures `[T, 96, 128]` as `_place` does cells; what comes in is grey or still."""
    x = x[:, :: -1 if flips[1] else 1, :: -1 if flips[0] else 1]
    if shift == (0, 0):
        return np.ascontiguousarray(x)
    out = np.full_like(x, 128 if x.dtype == np.uint8 else 0)
    to_y, from_y = _overlap(x.shape[1], shift[0] * motion.CELL)
    to_x, from_x = _overlap(x.shape[2], shift[1] * motion.CELL)
    out[:, to_y, to_x] = x[:, from_y, from_x]
    return out


_GRAIN = np.random.default_rng(5).standard_normal(2**21, dtype=np.float32)


def _worn(grey: np.ndarray, change: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Noise of a small sensor, a soft lens, a picture lost here and there."""
    if rng.random() < BLURRED:
        grey, change = (_soft(x) for x in (grey, change))
    grain = float(rng.choice([0.0, 0.0, 1.5, 4.0]))
    if grain:
        first = int(rng.integers(_GRAIN.size))
        noise = np.resize(np.roll(_GRAIN, -first), change[0].size + 997)
        offsets = rng.integers(0, 997, len(change))
        added = np.stack([noise[o : o + change[0].size] for o in offsets]).reshape(change.shape)
        change = np.clip(change + grain * added, -127, 127).astype(np.int8)
    if rng.random() < 0.2:
        lost = rng.random(len(change)) < 0.06
        change[lost] = 0
    return grey, change


def _soft(x: np.ndarray) -> np.ndarray:
    blurred = F.avg_pool2d(torch.from_numpy(x).float()[:, None], 3, 1, 1)[:, 0]
    return np.asarray(blurred.round().numpy().astype(x.dtype))


def _overlay(
    cells: np.ndarray, overall: np.ndarray, events: np.ndarray, drawn: Examples, j: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Put the motion of a scribble over a clip: per cell, the faster of the two is seen."""
    other, beside = drawn.cells[j].astype(np.float32), drawn.overall[j, :, :5]
    faster = np.square(other[:, 2:4]).sum(1, keepdims=True) > np.square(cells[:, 2:4]).sum(1, keepdims=True)
    both = np.concatenate([events[events[:, 0] >= 0], drawn.events[j][drawn.events[j][:, 0] >= 0]])
    table = np.full_like(events, -1)
    both = both[np.argsort(both[:, 0])][:EVENTS]
    table[: len(both)] = both
    mixed = overall.copy()
    mixed[:, 0] = np.maximum(overall[:, 0], beside[:, 0])
    mixed[:, 1] = overall[:, 1] + beside[:, 1]
    return np.where(faster, other, cells), mixed, table


def _place(
    cells: np.ndarray, overall: np.ndarray, box: np.ndarray, flips: tuple[bool, bool], shift: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mirror and shift by whole cells; what comes in is empty."""
    if flips[0]:
        cells, box = cells[..., ::-1].copy(), box[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [1, 0, 1, 0]
        cells[:, [0, 2]] *= -1
        overall[:, 2] *= -1
    if flips[1]:
        cells, box = cells[..., ::-1, :].copy(), box[:, [0, 3, 2, 1]] * [1, -1, 1, -1] + [0, 1, 0, 1]
        cells[:, [1, 3]] *= -1
        overall[:, 3] *= -1
    rows, columns = motion.GRID
    moved = np.zeros_like(cells)
    to_y, from_y = _overlap(rows, shift[0])
    to_x, from_x = _overlap(columns, shift[1])
    moved[..., to_y, to_x] = cells[..., from_y, from_x]
    offset = [shift[1] / columns, shift[0] / rows] * 2
    return moved, overall, np.clip(box + offset, 0, 1).astype(np.float32)


def _overlap(size: int, shift: int) -> tuple[slice, slice]:
    return slice(max(0, shift), min(size, size + shift)), slice(max(0, -shift), min(size, size - shift))


def _spoil(cells: np.ndarray, overall: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    usual = float(np.sqrt(np.square(overall[:, 0]).mean())) + 0.02
    if rng.random() < 0.3:  # slower shutters and lower frame rates smear motion over readings
        cells, overall = _smear(cells), _smear(overall)
    noise = usual * float(rng.choice([0.0, 0.03, 0.1]))
    cells[:, :4] += (
        noise * rng.standard_normal(cells[:, :4].shape, dtype=np.float32) * [[[0.3]], [[0.3]], [[1]], [[1]]]
    )
    if rng.random() < 0.3:
        cells *= rng.random((1, 1, *motion.GRID)) > 0.08
    if rng.random() < 0.3:
        cells *= rng.random((len(cells), 1, *motion.GRID)) > 0.05
    cells[:, :4] *= np.float32(np.exp(0.4 * rng.standard_normal()))
    cells[:, 4:6] *= np.float32(np.exp(0.5 * rng.standard_normal()))
    cells[:, 6] *= np.float32(np.exp(0.5 * rng.standard_normal()))
    overall[:, :4] *= np.float32(np.exp(0.4 * rng.standard_normal()))
    overall[:, 4] *= np.float32(np.exp(0.5 * rng.standard_normal()))
    return cells.astype(np.float32), overall.astype(np.float32)


def _smear(x: np.ndarray) -> np.ndarray:
    padded = np.concatenate([x[:1], x, x[-1:]])
    return 0.5 * x + 0.25 * (padded[:-2] + padded[2:])
