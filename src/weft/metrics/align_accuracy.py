"""Align-Acc: the share of clips whose sound a classifier calls aligned with its picture (Diff-Foley; Luo et al. 2023).

Conventions: for each pair of sound and picture the classifier gives a probability in 0..1 that they are aligned and not
shifted or of other clips; a pair counts as aligned above one half.

The classifier is the one Diff-Foley guides its own sampling by, on the features that condition it, so the score
favours what was made that way; and its latents are drawn at random, so fix their seed or take the mode. Read it between
two more runs of the same classifier: on true sounds (`truth`), and on true sounds of other clips (`shuffled`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics.result import UNSAID, Result, Source, mean_of


@dataclass(frozen=True, kw_only=True)
class AlignAccuracy(Result):
    """`value`, and the baselines `truth` ("reference") and `shuffled`, are shares in 0..1 over `n` clips each; `placed`
    is where the value lies between shuffled (0) and truth (1), NaN when the classifier does not tell these two
    apart."""

    placed: float

    @property
    def truth(self) -> float:
        """The share of true sounds."""
        return self.baselines["reference"]

    @property
    def shuffled(self) -> float:
        """The share of true sounds of other clips."""
        return self.baselines["shuffled"]


def evaluate(
    estimate: ArrayLike, truth: ArrayLike, shuffled: ArrayLike, *, source: Source = UNSAID
) -> AlignAccuracy:
    """Score probabilities `[n]` of generated sounds beside those of true and of shuffled true sounds, `[n]` each.

    Raises ValueError without clips, for lists that do not pair, or for numbers outside 0..1 (logits?).
    """
    given = [
        validate(values, name)
        for values, name in ((estimate, "estimate"), (truth, "truth"), (shuffled, "shuffled"))
    ]
    sizes = [len(values) for values in given]
    if len(set(sizes)) > 1 or not sizes[0]:
        raise ValueError(
            f"{sizes[0]} estimates, {sizes[1]} true and {sizes[2]} shuffled pairs: give one each"
        )
    made, true, other = ((values > 0.5).astype(np.float64) for values in given)
    found = mean_of(made, baselines={"reference": true, "shuffled": other}, source=source)
    apart = float(true.mean() - other.mean())
    placed = (found.value - float(other.mean())) / apart if apart > 0 else float("nan")
    return AlignAccuracy(**vars(replace(found, parts={"placed": placed})), placed=placed)


def validate(values: ArrayLike, name: str = "the") -> NDArray[np.float64]:
    """Return probabilities as float64 `[n]`. Raises ValueError for other shapes, NaN, infinity, or what lies outside
    0..1."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} probabilities have shape {array.shape}, but must be one for each clip")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} probabilities hold NaN or infinity")
    if array.size and not (array.min() >= 0 and array.max() <= 1):
        raise ValueError(
            f"{name} reaches {array.min():g} to {array.max():g}: did you pass logits instead of probabilities?"
        )
    return array
