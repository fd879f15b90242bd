"""What scribbles look like: shapes of random texture, and what lies behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F


@dataclass(kw_only=True)
class Shape:
    """Poses on the fine clock `[n]`: centre x, y (widths from the middle), angle, and a fixed half size."""

    x: np.ndarray
    y: np.ndarray
    angle: np.ndarray
    half: tuple[float, float]
    sprite: torch.Tensor  # [2, 48, 48] grey and alpha


def sprite(rng: np.random.Generator) -> torch.Tensor:
    """A texture cut out as a block, a disc or a ragged patch: grey 0..255 and alpha, `[2, 48, 48]`."""
    side = 48
    grey = _shades(rng, _noise(rng, side, side, ((24, 8), (16, 4), (8,), (32,))[int(rng.integers(4))]))
    axis = torch.linspace(-1, 1, side)
    y, x = axis[:, None], axis[None]
    kind = rng.integers(3)
    if kind == 0:
        inside = (x.abs() < 0.94) & (y.abs() < 0.94)
    elif kind == 1:
        inside = x * x + y * y < 0.9
    else:
        inside = x * x + y * y < 0.55 + 0.2 * _noise(rng, side, side, (16,))
    return torch.stack([grey, inside.float()])


def background(rng: np.random.Generator) -> torch.Tensor:
    """A random texture with blocks in it, grey 0..255 `[1, 240, 320]`."""
    octaves = ((64, 16, 4), (96, 24), (32, 8, 3), (128, 6))[int(rng.integers(4))]
    picture = _shades(rng, _noise(rng, 240, 320, octaves))
    for _ in range(int(rng.integers(0, 7))):
        x, y, w, h = rng.integers(0, 280), rng.integers(0, 200), rng.integers(10, 120), rng.integers(10, 90)
        picture[y : y + h, x : x + w] += float(rng.uniform(-70, 70))
    return picture.clamp(0, 255)[None]


def _noise(rng: np.random.Generator, height: int, width: int, octaves: tuple[int, ...]) -> torch.Tensor:
    total = torch.zeros(1, 1, height, width)
    for cell in octaves:
        grid = torch.from_numpy(
            rng.standard_normal((1, 1, height // cell + 2, width // cell + 2)).astype(np.float32)
        )
        total += F.interpolate(grid, size=(height, width), mode="bilinear") * rng.uniform(0.3, 1.0)
    return total[0, 0]


def _shades(rng: np.random.Generator, pattern: torch.Tensor) -> torch.Tensor:
    """A pattern `[H, W]` between two random greys, 0..255."""
    a, b = rng.uniform(0, 255, 2)
    return a + (b - a) * rng.uniform(0.15, 1.0) * torch.sigmoid(pattern * rng.uniform(0.5, 4.0))
