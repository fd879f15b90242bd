"""Comparisons of what a cue sheet asks of a take with what is heard in it; see `comparisons.py`.

A digest is (asked, got) of one clip; `weft.metrics.obedience` makes the set's numbers of them. What is heard at the
sheet's moments is read off the RMS of each millisecond, which is all that level and pan need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from weft.evaluation.comparisons import Measured, Pairs
from weft.evaluation.features import LEVELS_HZ

Judged = Callable[[Sequence[Any]], Any]
"""What of `weft.metrics.obedience` judges a dial: digests to an Obedience, without its interval."""


def asked_onsets(made: Measured, true: Measured) -> Pairs:
    """Times asked and times heard, s."""
    return true["cues"]["times"], made["onsets"]["times"]


def asked_envelope(made: Measured, true: Measured) -> Pairs:
    """The RMS curve asked and got, each 10 ms, over what both the sheet and the sound last."""
    asked, got = true["asked envelope"]["rms"], made["levels"]["rms"]
    n = min(len(asked), len(got))
    return asked[:n], got[:n].astype(np.float64)


def asked_pan(made: Measured, true: Measured) -> Pairs:
    """The pan asked and got of the onsets that can be placed by ear."""
    from weft.metrics import space

    wanted, wave = true["asked pan"], made["levels"]["amplitude"]
    clear = space.stands_out(wave, wanted["times"], LEVELS_HZ)
    return wanted["pan"][clear], space.blow_pan(wave, wanted["times"][clear], LEVELS_HZ)


def asked_depth(made: Measured, true: Measured) -> Pairs:
    """The depth asked of the onsets that can be placed by ear, and their level less their strength, dB."""
    from weft.metrics import space

    wanted, wave = true["asked depth"], made["levels"]["amplitude"]
    clear = space.stands_out(wave, wanted["times"], LEVELS_HZ)
    first = np.round(wanted["times"][clear] * LEVELS_HZ).astype(int)
    length = round(space.BLOW_S * LEVELS_HZ)
    power = np.array([np.square(wave[:, s : s + length], dtype=np.float64).mean() for s in first])
    return wanted["depth"][clear], 10 * np.log10(np.maximum(power, 1e-12)) - 20 * np.log10(
        wanted["strength"][clear]
    )


def asked_word(made: Measured, true: Measured, *, of: str) -> Pairs:
    """The material asked and the one that the listener names, by their places in MATERIALS."""
    return true[of]["material"], made["logits@"]["rows"].argmax(1)


def asked_negative(made: Measured, true: Measured) -> tuple[Any, Any, Any]:
    """The directions `[D]` of the negative prompt's words, of the take without it and of the take with it."""
    from weft.metrics import meaning

    rows = (true["negative text@"]["rows"], true["without audio@"]["rows"], made["audio@"]["rows"])
    words, without, with_it = (meaning.pooled([r])[0] for r in rows)
    return words, without, with_it


def negative(clips: Sequence[tuple[Any, Any, Any]]) -> Any:
    from weft.metrics import obedience

    words, without, with_it = (np.stack(column) for column in zip(*clips, strict=True))
    likeness = [takes @ words.T for takes in (without, with_it)]
    own = np.eye(len(clips), dtype=bool)
    other = np.abs(words[:, None] - words[None]).max(2) > 1e-6  # two clips may be told the same
    return obedience.negative(
        *(cosines[own] for cosines in likeness),
        elsewhere=tuple(cosines[other] for cosines in likeness),
        halves=0,
    )


def asked_likeness(made: Measured, true: Measured) -> Pairs:
    """The directions `[D]` of the recording that the take was to sound like, and of the take."""
    from weft.metrics import meaning

    like, take = (meaning.pooled([r["rows"]])[0] for r in (true["like audio@"], made["audio@"]))
    return like, take


def likeness(clips: Sequence[Pairs]) -> Any:
    from weft.metrics import obedience

    like, takes = (np.stack(column) for column in zip(*clips, strict=True))
    return obedience.likeness(takes @ like.T, np.abs(like[:, None] - like[None]).max(2) > 1e-6, halves=0)


def one_row_each(digest: tuple[Any, ...]) -> tuple[int, int, int]:
    """A clip is one direction asked and one got."""
    return 1, 1, len(digest[0])


def spared(clips: Sequence[Pairs]) -> Any:
    from weft.metrics import obedience

    return obedience.spared([str(int(a)) for a, _ in clips], [str(int(g[0])) for _, g in clips], halves=0)


def onsets(clips: Sequence[Pairs]) -> Any:
    from weft.metrics import obedience

    return obedience.onsets([a for a, _ in clips], [g for _, g in clips], halves=0)


def envelope(clips: Sequence[Pairs]) -> Any:
    from weft.metrics import obedience

    return obedience.envelope([a for a, _ in clips], [g for _, g in clips], halves=0)


def pan(clips: Sequence[Pairs]) -> Any:
    from weft.metrics import obedience

    return obedience.pan(*_moments(clips), halves=0)


def depth(clips: Sequence[Pairs]) -> Any:
    from weft.metrics import obedience

    return obedience.depth(*_moments(clips), halves=0)


def words(clips: Sequence[Pairs]) -> Any:
    from weft.metrics import obedience

    return obedience.words([str(int(a)) for a, _ in clips], [str(int(g[0])) for _, g in clips], halves=0)


def score(clips: Sequence[Any], *, judge: Judged) -> float:
    """How well the dial is obeyed, 1 at best."""
    return float(judge(clips).value)


def _moments(clips: Sequence[Pairs]) -> Pairs:
    asked, got = (np.concatenate([c[side] for c in clips]) for side in (0, 1))
    if asked.size < 2:
        raise ValueError(f"{asked.size} moments can be heard: a correlation needs two")
    return asked, got
