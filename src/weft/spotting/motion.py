"""What moves, how fast, and where it stops: motion cells for the network, and the classical detector.

The camera's own motion (a similarity: shift, zoom, turn) is fitted robustly and taken away. The rest is kept per
cell of a coarse grid, at a fixed rate, whatever frame rate the file has: flow is measured between pictures
that differ, as a speed, and then read at the fixed times. Repeated pictures (15 fps stored as 30) therefore
neither halve the speed nor make it stutter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F

from weft.spotting.flow import lucas_kanade, warp

SIZE = (128, 96)  # width, height of the pictures motion is measured in; any aspect ratio is squashed into it
CELL = 8  # pixels
GRID = (SIZE[1] // CELL, SIZE[0] // CELL)  # rows, columns
RATE = 30.0  # readings per second
MIDDLE = 0.5  # of a reading's time, in readings, is where it looks
TIE = 0.45  # of the way to the next pair: of two about as near the later, however times were rounded
CHANNELS = ("flow x", "flow y", "fastest x", "fastest y", "change", "signed change", "texture")
FASTEST = 0.02  # the share of the picture that is taken as "what moves"
SAME = 0.35  # mean grey levels of difference below which a picture repeats the one before
LONGEST_REPEAT_S = 0.15  # a longer still stretch is stillness, not repeated pictures
_BATCH = 24
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Motion:
    """Readings at `RATE` from time 0. Speeds are picture widths per second, camera removed.

    cells: float32 `[T, 7, 12, 16]`, the channels of `CHANNELS`; overall: float32 `[T, 5]`, speed of the fastest
    2 % of pixels, mean speed, camera x, camera y (widths/s), change of the whole picture; cut: bool `[T]`.
    grey: uint8 `[T, 96, 128]`, the picture nearest in time; change: int8 `[T, 96, 128]`, how the next picture
    differs from it once the camera's motion is taken away, grey levels; clock: float32 `[T, 2]`, the middle of the
    two pictures' times minus the reading's, and how far apart they are, s.
    """

    cells: np.ndarray
    overall: np.ndarray
    cut: np.ndarray
    grey: np.ndarray
    change: np.ndarray
    clock: np.ndarray

    def __len__(self) -> int:
        return len(self.cells)

    def __getitem__(self, which: slice) -> Motion:
        return Motion(**{f.name: getattr(self, f.name)[which] for f in fields(Motion)})


def luma(frames: np.ndarray) -> np.ndarray:
    """Grey uint8 `[...]` of colours uint8 `[..., 3]` (Rec. 601)."""
    return np.round(frames.astype(np.float32) @ _LUMA).astype(np.uint8)


def measure(frames: Iterable[tuple[float, np.ndarray]], duration: float) -> Iterator[Motion]:
    """Read pictures (seconds, uint8 `[96, 128, 3]` or grey `[96, 128]`) in order; yield blocks of readings.

    Joined, the blocks hold `max(1, ceil(duration * RATE))` readings; reading k is of the time from k / RATE to
    (k + 1) / RATE, so that at 30 pictures a second or fewer each pair of pictures is some reading's own, but where
    the pictures slip against the readings (29.97 per second: once in 33 s). Memory does not grow with the clip. A
    clip of one picture reads as still.
    """
    count = max(1, int(np.ceil(duration * RATE - 1e-6)))
    given = 0
    pairs: list[_Pair] = []
    for found in _between(frames):
        pairs.extend(found)
        ready = min(count, int(np.floor(pairs[-1].middle * RATE + MIDDLE)))
        if ready > given:
            yield _read(pairs, np.arange(given, ready))
            given = ready
            while len(pairs) > 2 and pairs[1].middle <= (given - 1 + MIDDLE) / RATE:
                del pairs[0]
    if given < count:
        yield _read(pairs or [_STILL], np.arange(given, count))


def join(blocks: Iterable[Motion]) -> Motion:
    """Join consecutive blocks into one."""
    parts = list(blocks)
    return Motion(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Motion)})


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pair:
    """Two successive differing pictures: the middle of their times, how far apart, and what was measured; `row` holds
    the cells and the six overall numbers, flat."""

    middle: float
    apart: float
    row: np.ndarray
    grey: np.ndarray
    change: np.ndarray


_CELLS = len(CHANNELS) * GRID[0] * GRID[1]
_STILL = _Pair(
    middle=0.0,
    apart=1 / RATE,
    row=np.zeros(_CELLS + 6, np.float32),
    grey=np.zeros(SIZE[::-1], np.uint8),
    change=np.zeros(SIZE[::-1], np.int8),
)


def _read(pairs: list[_Pair], k: np.ndarray) -> Motion:
    """Readings k: rows interpolated at their middles, ends held; pictures of the nearest pair."""
    t, axis, table = (
        (k + MIDDLE) / RATE,
        np.array([p.middle for p in pairs]),
        np.stack([p.row for p in pairs]),
    )
    right = np.clip(np.searchsorted(axis, t), min(1, len(axis) - 1), len(axis) - 1)
    left = np.maximum(right - 1, 0)
    span = np.maximum(axis[right] - axis[left], 1e-6)
    w = np.clip((t - axis[left]) / span, 0, 1)[:, None].astype(np.float32)
    out = table[left] * (1 - w) + table[right] * w
    nearest = np.where(w[:, 0] < TIE, left, right)
    near = [pairs[i] for i in nearest]
    return Motion(
        cells=out[:, :_CELLS].reshape(-1, len(CHANNELS), *GRID),
        overall=out[:, _CELLS : _CELLS + 5],
        cut=out[:, _CELLS + 5] > 0.5,
        grey=np.stack([p.grey for p in near]),
        change=np.stack([p.change for p in near]),
        clock=np.stack([axis[nearest] - k / RATE, [p.apart for p in near]], 1).astype(np.float32),
    )


def _between(frames: Iterable[tuple[float, np.ndarray]]) -> Iterator[list[_Pair]]:
    """Measure successive differing pictures, some at a time."""
    grey: list[np.ndarray] = []
    at: list[float] = []
    for t, frame in frames:
        luma = frame.astype(np.float32) @ _LUMA if frame.ndim == 3 else frame.astype(np.float32)
        repeated = at and np.abs(luma - grey[-1]).mean() < SAME and t - at[-1] < LONGEST_REPEAT_S
        if repeated:
            continue
        at.append(t)
        grey.append(luma)
        if len(at) > _BATCH:
            yield _pairs(at, grey)
            at, grey = at[-1:], grey[-1:]
    if len(at) > 1:
        yield _pairs(at, grey)


@torch.inference_mode()
def _pairs(at: list[float], grey: list[np.ndarray]) -> list[_Pair]:
    pictures = torch.from_numpy(np.stack(grey))
    seconds = torch.tensor(np.diff(at), dtype=torch.float32).clamp_min(1e-3)
    flow = lucas_kanade(pictures[:-1], pictures[1:])
    change = pictures[1:] - pictures[:-1]
    camera_field, camera = _camera(flow)
    scale = (1.0 / (SIZE[0] * seconds))[:, None, None, None]
    rest = (flow - camera_field) * scale
    speed = rest.square().sum(1).sqrt()
    still = 1.0 / SIZE[0] / seconds[:, None, None] * 0.1
    speed = (speed - still).clamp_min(0)
    fastest = _fastest(rest, speed)
    gx = F.pad((pictures[:-1, :, 1:] - pictures[:-1, :, :-1]).abs(), (0, 1))
    gy = F.pad((pictures[:-1, 1:] - pictures[:-1, :-1]).abs(), (0, 0, 0, 1))
    pooled = F.avg_pool2d(
        torch.cat([rest, change.abs()[:, None], change[:, None], (gx + gy)[:, None]], 1), CELL
    )
    cells = torch.cat([pooled[:, :2], fastest, pooled[:, 2:4] / 32.0, pooled[:, 4:] / 16.0], 1)
    flat = speed.flatten(1)
    top = flat.topk(int(flat.shape[1] * FASTEST), 1).values.mean(1)
    whole = change.abs().mean((1, 2))
    cut = whole > 45.0
    shift = camera / (SIZE[0] * seconds[:, None])
    overall = torch.stack([top, flat.mean(1), shift[:, 0], shift[:, 1], whole / 32.0, cut.float()], 1)
    keep = (~cut).float()
    cells = cells * keep[:, None, None, None]
    overall = torch.cat([overall[:, :5] * keep[:, None], overall[:, 5:]], 1)
    differs = (warp(pictures[1:, None], camera_field)[:, 0] - pictures[:-1]) * keep[:, None, None]
    rows = torch.cat([cells.flatten(1), overall], 1).numpy()
    stills = pictures.clamp(0, 255).byte().numpy()
    differences = differs.round().clamp(-127, 127).to(torch.int8).numpy()
    return [
        _Pair(middle=(a + b) / 2, apart=b - a, row=rows[i], grey=stills[i], change=differences[i])
        for i, (a, b) in enumerate(pairwise(at))
    ]


def _fastest(rest: torch.Tensor, speed: torch.Tensor) -> torch.Tensor:
    """The velocity `[B, 2, 12, 16]` of the fastest pixel of each cell."""
    value, index = F.max_pool2d(speed[:, None], CELL, return_indices=True)
    picked = rest.flatten(2).gather(2, index.flatten(2).expand(-1, 2, -1)).unflatten(2, value.shape[-2:])
    return picked * (value > 0)


def _camera(flow: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Fit a similarity to the flow `[B, 2, H, W]` by reweighted least squares from the median.

    Returns the camera's flow `[B, 2, H, W]` and its shift at the centre `[B, 2]`, pixels.
    """
    height, width = flow.shape[-2:]
    coarse = flow[:, :, CELL // 2 :: CELL, CELL // 2 :: CELL].flatten(2)
    ys, xs = torch.meshgrid(
        torch.arange(CELL // 2, height, CELL).float(),
        torch.arange(CELL // 2, width, CELL).float(),
        indexing="ij",
    )
    x, y = xs.flatten() - width / 2, ys.flatten() - height / 2
    shift = coarse.median(2).values
    zoom, turn = torch.zeros(len(flow), 1), torch.zeros(len(flow), 1)
    for _ in range(3):
        u = coarse[:, 0] - shift[:, :1] - zoom * x + turn * y
        v = coarse[:, 1] - shift[:, 1:] - zoom * y - turn * x
        weight = 1.0 / (1.0 + (u * u + v * v) / 0.25)
        total = weight.sum(1, keepdim=True) + 1e-6
        spread = (weight * (x * x + y * y)).sum(1, keepdim=True) + 1e3
        shift = (
            shift
            + torch.cat([(weight * u).sum(1, keepdim=True), (weight * v).sum(1, keepdim=True)], 1) / total
        )
        zoom = zoom + (weight * (u * x + v * y)).sum(1, keepdim=True) / spread
        turn = turn + (weight * (v * x - u * y)).sum(1, keepdim=True) / spread
    gy, gx = torch.meshgrid(
        torch.arange(height).float() - height / 2, torch.arange(width).float() - width / 2, indexing="ij"
    )
    zoom, turn = zoom[:, :, None], turn[:, :, None]
    field = torch.stack(
        [shift[:, :1, None] + zoom * gx - turn * gy, shift[:, 1:, None] + zoom * gy + turn * gx], 1
    )
    return field, shift
