"""Does a query find its clip: recall at a rank, of any table of likenesses.

Conventions: `likeness` `[Q, K]`, larger is more alike (a distance or volume goes in negated); `right` bool `[Q, K]`
says which keys answer a query, one at least. Ties count against the query: a table of one value finds nothing. Recall
is a share in 0..1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics.result import UNSAID, Result, Source, mean_of


def evaluate(likeness: ArrayLike, right: ArrayLike, *, rank: int = 1, source: Source = UNSAID) -> Result:
    """Return R@rank, a share in 0..1 of the queries, beside that of a random order of the keys (`random`). Raises
    ValueError as `hits`."""
    found = hits(likeness, right, rank)
    return mean_of(
        found.astype(np.float64), of="queries", baselines={"random": chance(right, rank)}, source=source
    )


def validate(likeness: ArrayLike, right: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return both tables `[Q, K]`. Raises ValueError for shapes that differ, NaN, or a query without a right key."""
    table, answers = np.asarray(likeness, dtype=np.float64), np.asarray(right, dtype=bool)
    if table.ndim != 2 or table.shape != answers.shape or 0 in table.shape:
        raise ValueError(f"likeness {table.shape} and right {answers.shape} must both be [queries, keys]")
    if np.isnan(table).any():
        raise ValueError("likeness holds NaN")
    if not answers.any(1).all():
        raise ValueError(f"query {int(answers.any(1).argmin())} has no right key")
    return table, answers


def hits(likeness: ArrayLike, right: ArrayLike, rank: int) -> NDArray[np.bool_]:
    """Return bool `[Q]`: is a right key among the `rank` most alike? Its mean is R@rank.

    Raises ValueError as `validate`, or for a rank below 1.
    """
    table, answers = validate(likeness, right)
    if rank < 1:
        raise ValueError(f"rank is {rank}, but must be 1 or more")
    best = np.where(answers, table, -np.inf).max(1, keepdims=True)
    ahead = ((table >= best) & ~answers).sum(1)
    return np.asarray(ahead < rank)


def chance(right: ArrayLike, rank: int) -> float:
    """Return R@rank of a random order of the keys. Raises ValueError as `hits`, shapes apart."""
    answers = np.asarray(right, dtype=bool)
    if rank < 1:
        raise ValueError(f"rank is {rank}, but must be 1 or more")
    n, wrong = answers.shape[1], answers.shape[1] - answers.sum(1).astype(np.float64)
    none = np.ones(len(answers))
    for taken in range(min(rank, n)):
        none *= np.maximum(wrong - taken, 0) / (n - taken)
    return float((1 - none).mean())
