"""Comparisons of whole sets: distances of embeddings, divergences of classes; see `comparisons.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weft.evaluation.comparisons import Measured, Pairs


def embeddings(made: Measured, true: Measured) -> Pairs:
    """The rows of both sounds."""
    return made["audio@"]["rows"], true["audio@"]["rows"]


def frechet(clips: Sequence[Pairs]) -> float:
    """The Fréchet distance of all rows, below zero only by rounding."""
    from weft.metrics import frechet as measured

    made, true = _stacked(clips)
    return measured.distance(true, made)


def kernel(clips: Sequence[Pairs]) -> float:
    """The unbiased squared kernel discrepancy of all rows."""
    from weft.metrics import kernel as measured

    made, true = _stacked(clips)
    return measured.discrepancy(true, made)


def kl(made: Measured, true: Measured, *, compat: bool) -> float:
    """KL of the classes of the reference from those of the made sound, nats."""
    from weft.metrics import divergence

    return float(divergence.kl(true["logits@"]["rows"], made["logits@"]["rows"], compat=compat)[0])


def classes(made: Measured, true: Measured) -> NDArray[Any]:
    """The made sound's logits."""
    return made["logits@"]["rows"]


def inception(clips: Sequence[NDArray[Any]], *, splits: int) -> float:
    """The inception score of the made sounds; the references are not asked."""
    from weft.metrics import divergence

    return divergence.inception_score(np.concatenate(clips), splits=splits).value


def _stacked(clips: Sequence[Pairs]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    made, true = (np.concatenate([c[side] for c in clips]).astype(np.float64) for side in (0, 1))
    return made, true
