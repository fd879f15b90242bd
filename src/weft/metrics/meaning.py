"""Does it mean the same: cosines of embeddings, of sound and sound, sound and text, sound and picture.

Conventions: embeddings `[n, D]` of one space, a row a clip, rows paired; any length, only the direction counts. Where
an embedder gives one vector a window, `pooled` makes one of them. A score is the mean cosine, -1 to 1, not times 100
and not cut off at 0. Four things are called "CLAP score" in the field, so the names here say what is compared:

- `clap_aa`, generated with true sound (FoleyGRAM, FOL-AI, Video-Foley);
- `clap_ta`, generated sound with its text (Stable Audio, av-benchmark);
- `ib`, ImageBind of the picture with that of the generated sound (av-benchmark's IB-score, at times printed × 100).

Methods that guide or train by the same encoder score high on it by construction. Embedders have offsets of their own
(sounds of unrelated clips are at 0.3 to 0.6 in some), so every score comes with `shuffled`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics.result import UNSAID, Result, Source, mean_of

Matrix = NDArray[np.float64]
SCORES = {
    "clap_aa": ("generated sound", "true sound"),
    "clap_ta": ("generated sound", "text"),
    "ib": ("generated sound", "picture"),
}


@dataclass(frozen=True, kw_only=True)
class Meaning(Result):
    """`value` the mean of `clips` `[n]`, cosines in -1..1; `shuffled` (a baseline) the mean over all pairings of
    different clips, NaN with one clip; `first` the share of clips whose own partner is nearer than every other
    clip's."""

    clips: Matrix
    first: float

    @property
    def shuffled(self) -> float:
        """The mean cosine of different clips."""
        return self.baselines["shuffled"]


def unit(embeddings: ArrayLike, name: str = "embeddings") -> Matrix:
    """Return `embeddings` `[n, D]` as float64 rows of length 1. Raises ValueError for other shapes, no rows, NaN, or
    a row of zeros, which has no direction."""
    rows = np.asarray(embeddings, dtype=np.float64)
    if rows.ndim != 2 or 0 in rows.shape:
        raise ValueError(f"{name} have shape {np.shape(embeddings)}, but must be [clips, dimensions]")
    if not np.isfinite(rows).all():
        raise ValueError(f"{name} hold NaN or infinity")
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    if (length == 0).any():
        raise ValueError(f"{name} row {int(length[:, 0].argmin())} is all zeros: it has no direction")
    return np.asarray(rows / length)


def pooled(windows: Sequence[ArrayLike], name: str = "embeddings") -> Matrix:
    """Return one unit row a clip `[n, D]` from each clip's windows `[T, D]`: the mean of the windows' directions."""
    if not len(windows):
        raise ValueError(f"no {name}: give the windows of at least one clip")
    return unit(np.stack([unit(w, name).mean(0) for w in windows]), name)


def validate(estimate: ArrayLike, partner: ArrayLike) -> tuple[Matrix, Matrix]:
    """Return both as unit rows float64 `[n, D]`. Raises ValueError as `unit`, for rows that do not pair, or of two
    embedders."""
    x, y = unit(estimate, "estimated embeddings"), unit(partner, "partner embeddings")
    if x.shape != y.shape:
        raise ValueError(f"embeddings have shapes {x.shape} and {y.shape}: pair the clips, use one space")
    return x, y


def evaluate(estimate: ArrayLike, partner: ArrayLike, *, source: Source = UNSAID) -> Meaning:
    """Return the cosine score of `estimate` `[n, D]` with `partner` `[n, D]`, and what chance pairs score.

    Raises ValueError as `validate`.
    """
    x, y = validate(estimate, partner)
    every = np.clip(x @ y.T, -1.0, 1.0)
    own = np.diagonal(every).copy()
    n = len(own)
    others = np.where(np.eye(n, dtype=bool), -np.inf, every)
    shuffled = float((every.sum() - own.sum()) / (n * (n - 1))) if n > 1 else float("nan")
    first = float((own > others.max(1)).mean()) if n > 1 else float("nan")
    found = mean_of(
        own, baselines={"shuffled": shuffled}, parts={"first": first}, d=x.shape[1], source=source
    )
    return Meaning(**vars(found), clips=own, first=first)
