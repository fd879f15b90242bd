"""Comparisons of whole sets: distances of embeddings, divergences of classes; see `comparisons.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from weft.evaluation.comparisons import Measured, Pairs

Joint = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]


def embeddings(made: Measured, true: Measured) -> Pairs:
    """The rows of both sounds."""
    return made["audio@"]["rows"], true["audio@"]["rows"]


def frechet(clips: Sequence[Pairs]) -> float:
    """The Fréchet distance of all rows, below zero only by rounding."""
    from weft.metrics import frechet as measured

    made, true = _stacked(clips)
    return measured.distance(true, made)


def frechet_inf(clips: Sequence[Pairs]) -> float:
    """The Fréchet distance extrapolated to predicted rows without end (FAD-inf)."""
    return float(frechet_inf_told(clips).value)


def frechet_inf_told(clips: Sequence[Pairs]) -> Any:
    """The same with the line it was read off: its slope over 1 / rows, how well it fits, and the fewest rows drawn."""
    from weft.metrics import frechet as measured

    made, true = _stacked(clips)
    return measured.unbiased(true, made)


def kernel(clips: Sequence[Pairs]) -> float:
    """The unbiased squared kernel discrepancy of all rows."""
    from weft.metrics import kernel as measured

    made, true = _stacked(clips)
    return measured.discrepancy(true, made)


def kl(made: Measured, true: Measured, *, compat: bool) -> float:
    """KL of the classes of the reference from those of the made sound, nats."""
    from weft.metrics import divergence

    return float(divergence.kl(true["logits@"]["rows"], made["logits@"]["rows"], compat=compat)[0])


def classes(made: Measured, true: Measured, *, of: str) -> NDArray[Any]:
    """The made sound's logits, those that `of` names."""
    return made[of]["rows"]


def inception(clips: Sequence[NDArray[Any]], *, splits: int) -> float:
    """The inception score of the made sounds; the references are not asked."""
    return float(inception_told(clips, splits=splits).value)


def inception_told(clips: Sequence[NDArray[Any]], *, splits: int) -> Any:
    """The same with how many clips there are in how many parts, and how far the parts' scores spread."""
    from weft.metrics import divergence

    return divergence.inception_score(np.concatenate(clips), splits=splits, halves=0)


def joint(made: Measured, true: Measured, *, sound: str) -> Joint:
    """FAVD's features of a clip: sound and picture of the made side, then of the true one, a row each 0.96 s, cut to
    the shorter of the two. A made sound is heard with the reference's picture, unless it brings its own."""
    sides = []
    for side in (made, true):
        heard, seen = side[sound]["rows"], side.get("video@", true["video@"])["rows"]
        length = min(len(heard), len(seen))
        if not length:
            raise ValueError("sound and picture have no window of 0.96 s in common")
        sides += [heard[:length], seen[:length]]
    return sides[0], sides[1], sides[2], sides[3]


def favd(clips: Sequence[Joint]) -> float:
    """The Fréchet distance of the joint rows, below zero only by rounding."""
    from weft.metrics import favd as joined
    from weft.metrics import frechet as measured

    heard, seen, true_heard, true_seen = zip(*clips, strict=True)
    return measured.distance(joined.joint(true_seen, true_heard)[0], joined.joint(seen, heard)[0])


def favd_told(clips: Sequence[Joint], *, version: Literal["toolkit", "float"]) -> Any:
    """The same with either block alone, and with every dimension scaled by the reference's spread. Raises ValueError
    for features that are not of the version."""
    from weft.metrics import favd as measured

    heard, seen, true_heard, true_seen = zip(*clips, strict=True)
    return measured.evaluate(true_seen, true_heard, seen, heard, version=version, splits=0, halves=0)


def joint_size(clip: Joint) -> tuple[int, int, int]:
    """Rows of the reference and of the made side, and the dimensions of both blocks together."""
    heard, seen, true_heard, _ = clip
    return len(true_heard), len(heard), heard.shape[1] + seen.shape[1]


def _stacked(clips: Sequence[Pairs]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    made, true = (np.concatenate([c[side] for c in clips]).astype(np.float64) for side in (0, 1))
    return made, true
