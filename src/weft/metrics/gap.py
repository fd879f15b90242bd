"""The modality gap: how far apart two modalities lie as wholes, whatever their clips mean (Liang et al. 2022).

Conventions: embeddings `[n, D]` of one space, scaled to length 1. Only rows are compared, so n may differ.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from weft.metrics.meaning import unit


def modality_gap(one: ArrayLike, other: ArrayLike) -> float:
    """Return the distance of the two modalities' centres, 0 (none) to 2.

    Raises ValueError for NaN, rows of zeros, or different D.
    """
    x, y = unit(one, "embeddings of one modality"), unit(other, "embeddings of the other")
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"embeddings are {x.shape[1]} and {y.shape[1]} long: use one space")
    return float(np.linalg.norm(x.mean(0) - y.mean(0)))
