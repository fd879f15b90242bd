"""How far apart two sets of embeddings are by a kernel: the choice where there are few clips.

Conventions: embeddings `[N, D]` float64, a row per clip or frame. The squared maximum mean discrepancy (Gretton et al.
2012, eq. 3) is unbiased, so unlike a Fréchet distance it does not grow as sets shrink, and two draws of one source
score 0 on average, below it half of the time. Kernels: `polynomial`, (x·y / D + 1)³ (Bińkowski et al. 2018, KID), and
`gaussian`, exp(-|x - y|² / 2σ²), σ the median distance within the reference unless given (as the kernel audio
distance, Chung et al. 2025, takes it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics import sets
from weft.metrics.interval import HALVES
from weft.metrics.result import UNSAID, Result, Source, whole_of

Kernel = Literal["polynomial", "gaussian"]
Matrix = NDArray[np.float64]
MEDIAN_ROWS = 1000
ROWS = 1024  # of a kernel matrix at a time


def evaluate(
    reference: sets.Set,
    estimate: sets.Set,
    *,
    kernel: Kernel = "polynomial",
    sigma: float | None = None,
    seed: int = 0,
    splits: int = 3,
    halves: int = HALVES,
    source: Source = UNSAID,
) -> Result:
    """Return the discrepancy of two sets, rows `[N, D]` or lists of clips' rows `[T, D]`, with its floor and interval.

    The floor is the mean size of the discrepancy between random halves of the reference. Raises ValueError as
    `discrepancy` does.
    """
    both = sets.cut(reference, estimate)
    if kernel == "gaussian" and sigma is None:
        sigma = _median_distance(np.concatenate(both.reference))  # one kernel for all halves

    def apart(x: Matrix, y: Matrix) -> float:
        return discrepancy(x, y, kernel=kernel, sigma=sigma)

    def pooled(units: Sequence[sets.Unit]) -> float:
        return sets.joined(units, apart)

    floors = [abs(apart(*sides)) for sides in sets.halves_of(both.reference, splits, seed)]
    found = whole_of(
        both.units(), pooled, of=both.of, halves=halves, seed=seed, rows=both.rows, d=both.d, source=source
    )
    return replace(found, floor=float(np.mean(floors)) if floors else float("nan"))


def validate(reference: ArrayLike, estimate: ArrayLike) -> tuple[Matrix, Matrix]:
    """Return both sets as float64 `[N, D]` and `[M, D]`. Raises ValueError for other shapes, under two rows, NaN or
    infinity, or different dimensions."""
    x = sets.validate(reference, "reference embeddings")
    y = sets.validate(estimate, "estimated embeddings")
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"embeddings have {x.shape[1]} and {y.shape[1]} dimensions: are they of one embedder?"
        )
    return x, y


def discrepancy(
    reference: ArrayLike,
    estimate: ArrayLike,
    *,
    kernel: Kernel = "polynomial",
    sigma: float | None = None,
) -> float:
    """Return the unbiased squared discrepancy of `[N, D]` and `[M, D]`.

    Raises ValueError for sets of one row or of different dimensions, and for a reference whose rows are all alike,
    which has no median distance.
    """
    x, y = validate(reference, estimate)
    if kernel == "gaussian":
        sigma = _median_distance(x) if sigma is None else sigma
        if not sigma > 0:
            raise ValueError(f"sigma is {sigma:g}: the reference's rows are all alike, or it was given so")
    n, m = len(x), len(y)
    own, other = _total(x, x, kernel, sigma), _total(y, y, kernel, sigma)
    within = (own - _diagonal(x, kernel)) / (n * (n - 1)) + (other - _diagonal(y, kernel)) / (m * (m - 1))
    return float(within - 2 * _total(x, y, kernel, sigma) / (n * m))


def _total(x: Matrix, y: Matrix, kernel: Kernel, sigma: float | None) -> float:
    """The kernel summed over all pairs, some rows at a time."""
    return sum(float(_kernel(x[k : k + ROWS], y, kernel, sigma).sum()) for k in range(0, len(x), ROWS))


def _diagonal(x: Matrix, kernel: Kernel) -> float:
    """The kernel summed over each row with itself."""
    if kernel == "polynomial":
        return float(((np.square(x).sum(1) / x.shape[1] + 1) ** 3).sum())
    return float(len(x))


def _kernel(x: Matrix, y: Matrix, kernel: Kernel, sigma: float | None) -> Matrix:
    if kernel == "polynomial":
        near = x @ y.T / x.shape[1] + 1
        return np.asarray(near * near * near)  # a power of 3 takes ten times as long
    assert sigma is not None
    return np.asarray(np.exp(-_squared_distances(x, y) / (2 * sigma**2)))


def _squared_distances(x: Matrix, y: Matrix) -> Matrix:
    apart = np.square(x).sum(1)[:, None] + np.square(y).sum(1)[None] - 2 * x @ y.T
    return np.asarray(np.maximum(apart, 0.0))


def _median_distance(x: Matrix) -> float:
    rows = x[:: -(-len(x) // MEDIAN_ROWS)]
    first, second = np.triu_indices(len(rows), 1)
    return float(np.sqrt(np.median(_squared_distances(rows, rows)[first, second])))
