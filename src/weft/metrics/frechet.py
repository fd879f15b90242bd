"""How far apart two sets of embeddings are as Gaussians: the Fréchet distance, and how much of it is noise.

Conventions: embeddings `[N, D]`, a row per frame or per clip as the embedder says; all arithmetic in float64;
covariances divide by N - 1. The distance is

    d² = |μ₁ - μ₂|² + Tr C₁ + Tr C₂ - 2 Tr (C₁ C₂)^½

(Dowson & Landau 1982; Heusel et al. 2017, FID; Kilgour et al. 2019, FAD). With centred sets A, B scaled so that
C₁ = AᵀA and C₂ = BᵀB, the last trace is the nuclear norm of A Bᵀ: no matrix square root is taken, so nothing turns
complex or fails on a singular covariance, and few clips of many dimensions cost little.

Read a value beside its `floor`, what two random halves of the reference score: with fewer clips than about twice the
dimensions most of a Fréchet distance is the bias of small sets. A set may be given as a list of its clips' rows: floor
and interval are then drawn over clips, whose rows belong together (`weft.metrics.sets`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics.interval import HALVES
from weft.metrics.result import UNSAID, Result, Source, few_rows, whole_of
from weft.metrics.sets import Set, Unit, cut, halves_of, joined, validate

__all__ = [
    "Frechet",
    "Unbiased",
    "distance",
    "distance_of_moments",
    "evaluate",
    "unbiased",
    "validate",
]

Matrix = NDArray[np.float64]
SMALL = 64  # dimensions below which the slower, plainer route is as quick
WORST = 1e-10  # smallest over largest variance that squaring leaves exact enough
STILL = 1e-28  # of the squared mean and the largest variance: what rounding makes of a constant


@dataclass(frozen=True, kw_only=True)
class Frechet(Result):
    """A Fréchet distance d². `raw` may be below zero by rounding, `value` is not; `rows` counts those of reference and
    estimate, `d` the dimensions, `rank` how many of them the smaller set can span at most; `floor` is the mean
    distance between random halves of the reference, `halves` clips (or rows) each."""

    raw: float
    rows: tuple[int, int]
    d: int
    floor: float
    rank: int
    halves: int

    @property
    def mostly_bias(self) -> bool:
        """Whether a set has fewer than 2 D rows: then most of the distance is the bias of small sets."""
        return min(self.rows) < 2 * self.d


@dataclass(frozen=True, kw_only=True)
class Unbiased(Result):
    """The distance extrapolated to sets without end: `value` is the intercept over 1 / n, with the line's `slope` and
    `r2`; `sizes` `[k]` were drawn, `distances` `[k]` are their means."""

    slope: float
    r2: float
    sizes: NDArray[np.int64]
    distances: Matrix


def distance(reference: ArrayLike, estimate: ArrayLike) -> float:
    """Return d² between two sets `[N, D]` and `[M, D]`, unclamped: rounding may take equal sets below zero."""
    x, y = validate(reference, "reference embeddings"), validate(estimate, "estimated embeddings")
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"embeddings have {x.shape[1]} and {y.shape[1]} dimensions: are they of one embedder?"
        )
    return _between(_summed(x), _summed(y))


def distance_of_moments(
    mean: ArrayLike, covariance: ArrayLike, other_mean: ArrayLike, other_covariance: ArrayLike
) -> float:
    """Return d² from means `[D]` and covariances `[D, D]`, where the embeddings are not at hand; unclamped.

    Two symmetric eigenvalue problems: C₁ = F Fᵀ, then the eigenvalues of Fᵀ C₂ F. Less exact than `distance` where
    the covariances are singular: about √ε times the scale for each missing dimension.
    """
    m, n = (np.asarray(v, dtype=np.float64) for v in (mean, other_mean))
    c, s = (_symmetric(v, len(m)) for v in (covariance, other_covariance))
    if m.shape != n.shape or m.ndim != 1:
        raise ValueError(f"means have shapes {m.shape} and {n.shape}: are they of one embedder?")
    values, vectors = np.linalg.eigh(c)
    factor = vectors * np.sqrt(np.maximum(values, 0.0))
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(factor.T @ s @ factor), 0.0)).sum()
    return float((m - n) @ (m - n) + np.trace(c) + np.trace(s) - 2 * cross)


def evaluate(
    reference: Set,
    estimate: Set,
    *,
    seed: int = 0,
    splits: int = 3,
    halves: int = HALVES,
    source: Source = UNSAID,
) -> Frechet:
    """Return the distance of `estimate` from `reference`, rows `[N, D]` or lists of clips' rows `[T, D]`, with its
    noise floor and its interval.

    The floor is the mean over `splits` seeded random splits of the reference in two, NaN with fewer than 4 clips;
    `halves`: of how many halves the interval is drawn, 0 for none. Raises ValueError as `validate` does, and for
    different dimensions.
    """
    both = cut(reference, estimate)

    def pooled(units: Sequence[Unit]) -> float:
        return joined(units, distance)

    found = whole_of(
        both.units(),
        pooled,
        of=both.of,
        halves=halves,
        seed=seed,
        least=0.0,
        rows=both.rows,
        d=both.d,
        source=source,
    )
    floors = [distance(*sides) for sides in halves_of(both.reference, splits, seed)]
    return Frechet(
        **vars(found)
        | {
            "raw": found.value if found.raw is None else found.raw,
            "floor": float(np.mean(floors)) if floors else float("nan"),
            "flags": (*few_rows(both.rows, both.d), *found.flags),
        },
        rank=min(*(n - 1 for n in both.rows), both.d),
        halves=len(both.reference) // 2,
    )


def unbiased(
    reference: Set,
    estimate: Set,
    *,
    seed: int = 0,
    sizes: int = 10,
    repeats: int = 3,
    halves: int = 0,
    source: Source = UNSAID,
) -> Unbiased:
    """Return the distance that `estimate` `[M, D]` would have with rows without end (after Chong & Forsyth 2020,
    FID∞; Gui et al. 2024, FAD∞).

    Subsets of `sizes` sizes are drawn without replacement, `repeats` each, and a line over 1 / n is fitted. Drawn with
    replacement, as is common, the same fit returns to the biased distance of the whole set. The reference is used
    whole: its own bias stays. `halves`: of how many halves of both sets the interval is drawn; none unless asked, as
    each is as long as the value. Raises ValueError when the estimate has fewer than 3 D rows or 12, too few for a line.
    """
    both = cut(reference, estimate)
    x, y = (np.concatenate(side) for side in (both.reference, both.estimate))
    n, d = y.shape
    if n < max(3 * d, 12):
        raise ValueError(f"{n} rows of {d} dimensions: extrapolating needs at least {max(3 * d, 12)}")
    rng = np.random.default_rng(seed)
    counts = np.unique(np.round(1 / np.linspace(1 / n, 3 / n, sizes)).astype(np.int64))
    whole = _summed(x)
    means = np.array(
        [
            np.mean([_between(whole, _summed(y[rng.permutation(n)[:c]])) for _ in range(repeats)])
            for c in counts
        ]
    )
    slope, intercept = np.polyfit(1 / counts, means, 1)
    left = means - (intercept + slope / counts)
    spread = np.square(means - means.mean()).sum()
    r2 = 1 - float(np.square(left).sum() / spread) if spread > 0 else 1.0

    def pooled(units: Sequence[Unit]) -> float:
        return joined(units, lambda a, b: unbiased(a, b, seed=seed, sizes=sizes, repeats=repeats).value)

    found = whole_of(
        both.units(),
        pooled,
        value=float(intercept),
        of=both.of,
        halves=halves,
        seed=seed,
        parts={"slope": float(slope), "r2": r2, "fewest rows": float(counts.min())},
        rows=both.rows,
        d=d,
        source=source,
    )
    return Unbiased(**vars(found), slope=float(slope), r2=r2, sizes=counts, distances=means)


@dataclass(frozen=True, kw_only=True)
class _Summed:
    """A set by its `mean` `[D]` and a `factor` `[K, D]`, K at most N or D, whose FᵀF is the covariance; `sound` when no
    row of it is so small beside others that squaring would lose it."""

    mean: Matrix
    factor: Matrix
    sound: bool


def _between(one: _Summed, other: _Summed) -> float:
    """d² of two sets."""
    apart = one.mean - other.mean
    product = one.factor @ other.factor.T
    cross = _nuclear(product, one.sound and other.sound)
    return float(apart @ apart + np.square(one.factor).sum() + np.square(other.factor).sum() - 2 * cross)


def _nuclear(product: Matrix, sound: bool) -> float:
    """The sum of the singular values of `[K, L]`."""
    if sound:
        # Three times as fast, and good to 1e-11 of the largest while none is lost in the squares' rounding.
        wide = product if product.shape[0] <= product.shape[1] else product.T
        squares = np.linalg.eigvalsh(wide @ wide.T)
        if squares[0] > WORST * squares[-1]:
            return float(np.sqrt(squares).sum())
    return float(np.linalg.svd(product, compute_uv=False).sum())


def _summed(rows: Matrix) -> _Summed:
    mean = rows.mean(0)
    centred = (rows - mean) / np.sqrt(len(rows) - 1)
    if len(rows) <= rows.shape[1]:
        return _Summed(mean=mean, factor=centred, sound=False)
    if rows.shape[1] > SMALL:
        covariance = centred.T @ centred
        variance = np.diagonal(covariance)
        # A unit that never fires, as many do behind a ReLU, is no dimension.
        moves = variance > STILL * (variance.max() + np.square(mean))
        try:
            root = np.linalg.cholesky(covariance[np.ix_(moves, moves)]).T
        except np.linalg.LinAlgError:
            pass  # singular: the slower factoring does not square what is small
        else:
            pivots = np.square(np.diagonal(root))
            if pivots.size and pivots.min() > WORST * pivots.max():
                factor = np.zeros((len(root), rows.shape[1]))
                factor[:, moves] = root
                return _Summed(mean=mean, factor=factor, sound=True)
    return _Summed(mean=mean, factor=np.asarray(np.linalg.qr(centred, mode="r")), sound=False)


def _symmetric(covariance: ArrayLike, d: int) -> Matrix:
    c = np.asarray(covariance, dtype=np.float64)
    if c.shape != (d, d):
        raise ValueError(f"covariance has shape {c.shape}, but the mean has {d} dimensions")
    if not np.allclose(c, c.T, rtol=1e-6, atol=1e-9 * max(1.0, float(np.abs(c).max()))):
        raise ValueError("covariance is not symmetric: did you pass the embeddings themselves?")
    return np.asarray((c + c.T) / 2)
