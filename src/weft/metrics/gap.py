"""The modality gap: how far apart two modalities lie as wholes, whatever their clips mean (Liang et al. 2022).

Conventions: embeddings `[n, D]` of one space, a row a clip, scaled to length 1. Only rows are compared, so n may
differ. The gap is a distance, 0 (none) to 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics import sets
from weft.metrics.interval import HALVES
from weft.metrics.meaning import unit
from weft.metrics.result import UNSAID, Result, Source, whole_of

Matrix = NDArray[np.float64]


def evaluate(
    one: ArrayLike, other: ArrayLike, *, seed: int = 0, halves: int = HALVES, source: Source = UNSAID
) -> Result:
    """Return the gap of two modalities, with its interval and its floor: the mean gap of random halves of `one`.

    Raises ValueError as `validate` does, and under two rows.
    """
    x, y = validate(one, other)
    both = sets.cut(x, y)

    def pooled(units: Sequence[sets.Unit]) -> float:
        return sets.joined(units, modality_gap)

    floors = [modality_gap(*sides) for sides in sets.halves_of(both.reference, 3, seed)]
    found = whole_of(
        both.units(),
        pooled,
        of="clips",
        halves=halves,
        seed=seed,
        least=0.0,
        most=2.0,
        rows=both.rows,
        d=both.d,
        source=source,
    )
    return replace(found, floor=float(np.mean(floors)) if floors else float("nan"))


def validate(one: ArrayLike, other: ArrayLike) -> tuple[Matrix, Matrix]:
    """Return both as unit rows float64 `[n, D]`. Raises ValueError for other shapes, NaN, rows of zeros, or different
    D."""
    x, y = unit(one, "embeddings of one modality"), unit(other, "embeddings of the other")
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"embeddings have shapes {x.shape} and {y.shape}, rows {x.shape[1]} and {y.shape[1]} long: use one space"
        )
    return x, y


def modality_gap(one: ArrayLike, other: ArrayLike) -> float:
    """Return the distance of the two modalities' centres, 0 (none) to 2.

    Raises ValueError for NaN, rows of zeros, or different D.
    """
    x, y = validate(one, other)
    return float(np.linalg.norm(x.mean(0) - y.mean(0)))
