"""Comparisons of what is meant: cosines of embeddings; see `comparisons.py`."""

from __future__ import annotations

from weft.evaluation.comparisons import Measured


def cosine(made: Measured, true: Measured, *, of: str) -> float:
    """The cosine of the made sound's mean direction with that of `of`: the reference's "audio@", "video@" or
    "text@"."""
    from weft.metrics import meaning

    one, other = (meaning.pooled([side["rows"]]) for side in (made["audio@"], true[of]))
    return float((one * other).sum())


def in_step(made: Measured, true: Measured) -> float:
    """The mean cosine of sound and picture, window by window."""
    from weft.metrics import meaning

    sound, picture = made["audio@"]["rows"], true["video@"]["rows"]
    n = min(len(sound), len(picture))
    return float((meaning.unit(sound[:n]) * meaning.unit(picture[:n])).sum(1).mean())
