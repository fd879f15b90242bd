"""Two sets of embeddings, cut into what an interval is drawn over.

Conventions: a set is rows `[N, D]`, each a clip of its own, or a list of clips, rows `[T, D]` each; everything float64.
Halves are drawn of units: the k-th clip of the reference with the k-th of the estimate, so that what belongs together
stays together; of sets of different sizes the larger one's clips are dealt out to the units in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Matrix = NDArray[np.float64]
Set = ArrayLike | Sequence[ArrayLike]
Unit = tuple[Matrix, Matrix]


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Two sets: the clips `[T, D]` of `reference` and `estimate`; `of` is "clips" or, where rows were given, "rows"."""

    reference: tuple[Matrix, ...]
    estimate: tuple[Matrix, ...]
    of: str

    @property
    def rows(self) -> tuple[int, int]:
        """The rows of reference and estimate."""
        return sum(map(len, self.reference)), sum(map(len, self.estimate))

    @property
    def d(self) -> int:
        """The dimensions."""
        return int(self.reference[0].shape[1])

    def units(self) -> list[Unit]:
        """As many pairs of rows as the smaller set has clips."""
        count = min(len(self.reference), len(self.estimate))
        return [
            (np.concatenate(self.reference[k::count]), np.concatenate(self.estimate[k::count]))
            for k in range(count)
        ]


def cut(reference: Set, estimate: Set) -> Cut:
    """Return both sets cut into clips. Raises ValueError as `validate` does, and for different dimensions."""
    x, y = _clips(reference, "reference embeddings"), _clips(estimate, "estimated embeddings")
    if x[0].shape[1] != y[0].shape[1]:
        raise ValueError(
            f"embeddings have {x[0].shape[1]} and {y[0].shape[1]} dimensions: are they of one embedder?"
        )
    rows = _is_rows(reference) or _is_rows(estimate)
    return Cut(reference=x, estimate=y, of="rows" if rows else "clips")


def joined(units: Sequence[Unit], distance: Callable[[Matrix, Matrix], float]) -> float:
    """Return the distance of all rows of some units, reference first."""
    return distance(*(np.concatenate(side) for side in zip(*units, strict=True)))


def halves_of(clips: Sequence[Matrix], splits: int, seed: int) -> list[tuple[Matrix, Matrix]]:
    """Return `splits` seeded random splits of a set in two halves of as many clips; none with fewer than 4 clips."""
    rng = np.random.default_rng(seed)
    half = len(clips) // 2
    out = []
    for _ in range(splits if half >= 2 else 0):
        order = rng.permutation(len(clips))
        first, second = order[:half], order[half : 2 * half]
        out.append((np.concatenate([clips[k] for k in first]), np.concatenate([clips[k] for k in second])))
    return out


def validate(embeddings: ArrayLike, name: str = "embeddings") -> Matrix:
    """Return `embeddings` as float64 `[N, D]`. Raises ValueError for other shapes, under two rows, NaN or infinity."""
    rows = np.asarray(embeddings, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise ValueError(f"{name} have shape {np.shape(embeddings)}, but must be [rows, dimensions]")
    if len(rows) < 2:
        raise ValueError(f"{name} are {len(rows)} row(s): a spread needs at least two")
    if not np.isfinite(rows).all():
        broken = int((~np.isfinite(rows)).any(1).sum())
        raise ValueError(f"{name} hold NaN or infinity in {broken} of {len(rows)} rows")
    return rows


def _is_rows(embeddings: Set) -> bool:
    return not isinstance(embeddings, (list, tuple)) or not embeddings or np.ndim(embeddings[0]) != 2


def _clips(embeddings: Set, name: str) -> tuple[Matrix, ...]:
    if _is_rows(embeddings):
        rows = validate(embeddings, name)  # type: ignore[arg-type]
        return tuple(rows[k : k + 1] for k in range(len(rows)))
    clips = [np.asarray(clip, dtype=np.float64) for clip in embeddings]  # type: ignore[union-attr]
    shapes = {clip.shape[1:] for clip in clips}
    if len(shapes) != 1 or any(clip.ndim != 2 for clip in clips):
        raise ValueError(
            f"{name} have clips of shapes {[c.shape for c in clips]}, but each must be [rows, D]"
        )
    validate(np.concatenate(clips), name)
    return tuple(clip for clip in clips if len(clip))
