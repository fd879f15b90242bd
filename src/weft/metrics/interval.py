"""How sure a number is: bootstrap intervals of means, half-sampling of what a whole set gives.

Conventions: clips along the first axis; seeded; intervals are central and 95% unless said. A mean over clips has a
bootstrap interval. A number of the whole set has not: drawing clips with replacement repeats rows, which narrows the
spread that distances measure. It has the interval of half-sampling instead (a jackknife that leaves out half, Shao & Wu
1989): value ± 1.96 times the standard deviation over random halves of the clips.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

HALVES = 24
BIG = 30_000  # rows in a set of embeddings above which fewer halves are drawn
FEW = 10
Clip = TypeVar("Clip")


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A statistic and its central 95% bootstrap interval over `n` clips."""

    value: float
    low: float
    high: float
    n: int

    def to_json(self) -> dict[str, float | int]:
        """Return {"value", "low", "high", "n"}, rounded to 4 decimals, for a results file."""
        return {
            "value": round(self.value, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
            "n": self.n,
        }


def bootstrap(
    values: ArrayLike,
    statistic: Callable[[NDArray[np.float64]], float] | None = None,
    *,
    draws: int = 2000,
    seed: int = 0,
    share: float = 0.95,
) -> Interval:
    """Return the statistic (default: the mean) of `values` `[n]` or `[n, ...]` with its percentile interval.

    Clips are drawn with replacement along the first axis. NaN rows (a clip where the metric is undefined) are left
    out. Raises ValueError when none is left.
    """
    array = np.asarray(values, dtype=np.float64)
    array = array[~np.isnan(array.reshape(len(array), -1)).any(1)] if array.size else array
    if len(array) == 0:
        raise ValueError("no values to bootstrap: every clip's metric is NaN, or there is no clip")
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, len(array), (draws, len(array)))
    if statistic is None:
        value, drawn = float(array.mean()), array[picks].mean(1)
    else:
        value, drawn = float(statistic(array)), np.array([statistic(array[p]) for p in picks])
    low, high = np.quantile(drawn, [(1 - share) / 2, (1 + share) / 2])
    return Interval(value=value, low=float(low), high=float(high), n=len(array))


def halves_for(rows: int) -> int:
    """Return how many halves to draw of a set of so many rows."""
    return HALVES if rows <= BIG else FEW


def half_spread(
    clips: Sequence[Clip], pool: Callable[[Sequence[Clip]], float], *, halves: int = HALVES, seed: int = 0
) -> float:
    """Return the standard deviation of `pool` over random halves of the clips; NaN with fewer than 4 clips.

    A half of which `pool` raises ValueError, or gives NaN or infinity, is left out; NaN when fewer than two are left.
    """
    n = len(clips)
    if n < 4:
        return math.nan
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(halves):
        some = [clips[k] for k in np.sort(rng.permutation(n)[: n // 2])]
        with suppress(ValueError):
            found.append(float(pool(some)))
    known = [v for v in found if math.isfinite(v)]
    return float(np.std(known, ddof=1)) if len(known) > 1 else math.nan
