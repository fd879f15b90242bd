"""Align-Acc: the share of clips whose sound a classifier calls aligned with its picture (Diff-Foley; Luo et al. 2023).

Conventions: for each pair of sound and picture the classifier gives a probability in 0..1 that they are aligned and not
shifted or of other clips; a pair counts as aligned above one half.

The classifier is the one Diff-Foley guides its own sampling by, on the features that condition it, so the score
favours what was made that way; and its latents are drawn at random, so fix their seed or take the mode. Read it between
two more runs of the same classifier: on true sounds (`truth`), and on true sounds of other clips (`shuffled`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, kw_only=True)
class AlignAccuracy:
    """`value`, `truth` and `shuffled` are shares in 0..1 over `n` clips each; `placed` is where the value lies between
    shuffled (0) and truth (1), NaN when the classifier does not tell these two apart."""

    value: float
    truth: float
    shuffled: float
    placed: float
    n: int


def evaluate(estimate: ArrayLike, truth: ArrayLike, shuffled: ArrayLike) -> AlignAccuracy:
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
    made, true, other = (float((values > 0.5).mean()) for values in given)
    apart = true - other
    return AlignAccuracy(
        value=made,
        truth=true,
        shuffled=other,
        placed=(made - other) / apart if apart > 0 else float("nan"),
        n=sizes[0],
    )


def validate(values: ArrayLike, name: str = "the") -> NDArray[np.float64]:
    """Return probabilities as float64 `[n]`. Raises ValueError for NaN, infinity, or what lies outside 0..1."""
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} probabilities hold NaN or infinity")
    if array.size and not (array.min() >= 0 and array.max() <= 1):
        raise ValueError(
            f"{name} reaches {array.min():g} to {array.max():g}: did you pass logits instead of probabilities?"
        )
    return array
