"""What moves, how fast, and where it stops: motion cells for the network, and the classical detector.

The camera's own motion (a similarity: shift, zoom, turn) is fitted robustly and taken away. The rest is kept per
cell of a coarse grid, at a fixed rate, whatever frame rate the file has: flow is measured between pictures
that differ, as a speed, and then read at the fixed times. Repeated pictures (15 fps stored as 30) therefore
neither halve the speed nor make it stutter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F

from weft.spotting.flow import lucas_kanade

SIZE = (128, 96)  # width, height of the pictures motion is measured in; any aspect ratio is squashed into it
CELL = 8  # pixels
GRID = (SIZE[1] // CELL, SIZE[0] // CELL)  # rows, columns
RATE = 25.0  # readings per second
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
    """

    cells: np.ndarray
    overall: np.ndarray
    cut: np.ndarray

    def __len__(self) -> int:
        return len(self.cells)


def measure(frames: Iterable[tuple[float, np.ndarray]], duration: float) -> Iterator[Motion]:
    """Read pictures (seconds, uint8 `[96, 128, 3]` or grey `[96, 128]`) in order; yield blocks of readings.

    Joined, the blocks hold `max(1, ceil(duration * RATE))` readings; reading k is at k / RATE. Memory does not
    grow with the clip. A clip of one picture reads as still.
    """
    count = max(1, int(np.ceil(duration * RATE - 1e-6)))
    given = 0
    times: list[float] = []
    rows: list[np.ndarray] = []
    for mid, cells, overall in _between(frames):
        times.extend(mid)
        rows.extend(np.concatenate([cells.reshape(len(mid), -1), overall], 1))
        ready = min(count, int(np.floor(times[-1] * RATE)) + 1)
        if ready > given:
            yield _read(times, rows, np.arange(given, ready))
            given = ready
            while len(times) > 2 and times[1] <= (given - 1) / RATE:
                del times[0], rows[0]
    if not times:
        times, rows = [0.0], [np.zeros(len(CHANNELS) * GRID[0] * GRID[1] + 6, np.float32)]
    if given < count:
        yield _read(times, rows, np.arange(given, count))


def join(blocks: Iterable[Motion]) -> Motion:
    """Join consecutive blocks into one."""
    parts = list(blocks)
    return Motion(
        cells=np.concatenate([p.cells for p in parts]),
        overall=np.concatenate([p.overall for p in parts]),
        cut=np.concatenate([p.cut for p in parts]),
    )


def _read(times: list[float], rows: list[np.ndarray], k: np.ndarray) -> Motion:
    """Interpolate the rows at their times to readings k; ends held."""
    t, axis, table = k / RATE, np.asarray(times), np.stack(rows)
    right = (
        np.clip(np.searchsorted(axis, t), 1, max(len(axis) - 1, 1))
        if len(axis) > 1
        else np.zeros(len(k), int)
    )
    left = np.maximum(right - 1, 0)
    span = np.maximum(axis[right] - axis[left], 1e-6)
    w = np.clip((t - axis[left]) / span, 0, 1)[:, None].astype(np.float32)
    out = table[left] * (1 - w) + table[right] * w
    n = len(CHANNELS) * GRID[0] * GRID[1]
    return Motion(
        cells=out[:, :n].reshape(-1, len(CHANNELS), *GRID), overall=out[:, n : n + 5], cut=out[:, n + 5] > 0.5
    )


def _between(
    frames: Iterable[tuple[float, np.ndarray]],
) -> Iterator[tuple[list[float], np.ndarray, np.ndarray]]:
    """Yield (middle times, cells `[n, 7, 12, 16]`, overall `[n, 6]`) of successive differing pictures."""
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
def _pairs(at: list[float], grey: list[np.ndarray]) -> tuple[list[float], np.ndarray, np.ndarray]:
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
    middle = [(a + b) / 2 for a, b in pairwise(at)]
    return middle, cells.numpy(), overall.numpy()


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
