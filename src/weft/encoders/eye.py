"""The eye of weft's video encoder: what each cell of a small picture looks like, and how it changed.

Conventions: pictures 96 x 72, 12.5 a second, one of every six looked at whole (`looked`); cells of 8 x 8 pixels, 12
across and 9 down. Nine numbers a cell, as shares of full scale: mean red, green, blue; spread of the luma (Rec. 601);
mean absolute step of the luma to the right and downwards; of the luma's change since the picture before the mean
absolute value, the largest, and the mean. The first picture has not changed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FPS = 12.5
SIZE = (96, 72)  # width, height
CELL = 8
GRID = (SIZE[1] // CELL, SIZE[0] // CELL)  # rows, columns
CHANNELS = 9
CHANGES = 6  # the first channel that tells of change
LOOK_EVERY = 6  # pictures from look to look: 0.48 s
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def cells(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn frames uint8 `[T, 72, 96, 3]` into cells float32 `[T, 9, 9, 12]` (what, row, column). Raises ValueError for
    other shapes and types."""
    if (
        frames.dtype != np.uint8
        or frames.ndim != 4
        or frames.shape[1:] != (SIZE[1], SIZE[0], 3)
        or not len(frames)
    ):
        raise ValueError(
            f"frames are {frames.dtype} {frames.shape}, but must be uint8 [T, {SIZE[1]}, {SIZE[0]}, 3], {FPS} a second"
        )
    shares = frames.astype(np.float32) / 255
    luma = shares @ _LUMA
    right = np.abs(np.diff(luma, axis=2, append=luma[:, :, -1:]))
    down = np.abs(np.diff(luma, axis=1, append=luma[:, -1:]))
    change = np.diff(luma, axis=0, prepend=luma[:1])
    moved = np.abs(change)
    mean = _blocks(luma).mean((2, 4))
    spread = np.sqrt(np.maximum(_blocks(luma * luma).mean((2, 4)) - mean * mean, 0))
    parts = [_blocks(shares[..., k]).mean((2, 4)) for k in range(3)]
    parts += [spread, _blocks(right).mean((2, 4)), _blocks(down).mean((2, 4))]
    parts += [_blocks(moved).mean((2, 4)), _blocks(moved).max((2, 4)), _blocks(change).mean((2, 4))]
    return np.stack(parts, 1)


def looked(count: int) -> NDArray[np.int64]:
    """Which of `count` pictures (1 and more) are looked at whole: the fourth of every six, or the last there is."""
    firsts = np.arange(0, count, LOOK_EVERY)
    return np.minimum(firsts + LOOK_EVERY // 2, count - 1)


def _blocks(maps: np.ndarray) -> np.ndarray:
    """`[T, H, W]` as `[T, rows, 8, columns, 8]`."""
    return maps.reshape(len(maps), GRID[0], CELL, GRID[1], CELL)
