"""Comparisons of what is meant: cosines of embeddings; see `comparisons.py`."""

from __future__ import annotations

from typing import Any

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


def volume(made: Measured, true: Measured) -> float:
    """V of the picture, the made sound and the text (MDG eq. 7), each by the mean direction of its windows."""
    from weft.metrics import volume as measured

    return float(measured.volume(*_three(made, true))[0])


def delta(made: Measured, true: Measured, *, between: str) -> float:
    """1 - cosine between "text_video", "text_audio" or "video_audio"; their sum as "total" (MDG eq. 11)."""
    from weft.metrics import volume as measured

    return float(getattr(measured.evaluate(*_three(made, true)), between))


def delta_given(made: Measured, true: Measured) -> float:
    """1 - cosine between text and picture: no sound takes part."""
    from weft.metrics import meaning

    one, other = (meaning.pooled([true[of]["rows"]]) for of in ("text@", "video@"))
    return 1 - float((one * other).sum())


def _three(made: Measured, true: Measured) -> tuple[Any, Any, Any]:
    """One row each of the picture, the made sound and the text, float64."""
    from weft.metrics import meaning

    video, audio, text = (
        meaning.pooled([rows["rows"]]) for rows in (true["video@"], made["audio@"], true["text@"])
    )
    return video, audio, text
