"""How sure a mean is: bootstrap intervals over clips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


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
