"""Tileable fields [N, N] that textures are made of: noise, cells, and the axes they are drawn along."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

N = 128
Field = NDArray[Any]  # float32


def axes() -> tuple[Field, Field]:
    """x and y of every texel, 0..1, [N, N] each."""
    y, x = np.mgrid[:N, :N].astype(np.float32) / N
    return x, y


def fractal(
    rng: np.random.Generator, slope: float, *, sx: float = 1.0, sy: float = 1.0, low: float = 1
) -> Field:
    """Tileable 1/f^slope noise, mean 0 and deviation 1, [N, N]; sx, sy > 1 stretch it along x, y."""
    white = np.fft.rfft2(rng.standard_normal((N, N)).astype(np.float32))
    fy = np.fft.fftfreq(N)[:, None] * N * sy
    fx = np.fft.rfftfreq(N)[None] * N * sx
    f = np.sqrt(fx * fx + fy * fy)
    gain = np.where(f < low, 0.0, np.maximum(f, 1.0) ** -slope)
    field = np.fft.irfft2(white * gain, (N, N)).astype(np.float32)
    return field / (field.std() + 1e-9)


def cells(rng: np.random.Generator, count: int) -> tuple[Field, Field, NDArray[np.int64]]:
    """Tileable Voronoi cells: distance to the nearest point, gap to the second nearest, index of the cell."""
    from scipy.spatial import cKDTree

    points = rng.random((count, 2)) * N
    shifts = np.array([(i, j) for i in (-N, 0, N) for j in (-N, 0, N)])
    tree = cKDTree((points[None] + shifts[:, None]).reshape(-1, 2))
    grid = np.stack(np.meshgrid(np.arange(N), np.arange(N), indexing="ij"), -1).reshape(-1, 2)
    distance, index = tree.query(grid, k=2)
    d = distance.reshape(N, N, 2).astype(np.float32)
    scale = N / np.sqrt(count)
    return d[..., 0] / scale, (d[..., 1] - d[..., 0]) / scale, (index[:, 0] % count).reshape(N, N)


def unit(field: Field) -> Field:
    """A field squeezed smoothly into 0..1."""
    return 0.5 + 0.5 * np.tanh(field * 0.8)


def coarse(field: Field, count: int) -> Field:
    """Every so manyth value of a field, [count, count]."""
    step = N // count
    return field[::step, ::step][:count, :count]
