"""The metrics of meaning: cosines of sound, picture and text."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from weft.evaluation import comparisons_meaning as compare
from weft.evaluation.metric import ALL, OTHERS, Metric


def _meaning() -> list[Metric]:
    titles = {
        "cosine-aa": ("audio@", "cosine to the reference sound (clap_aa)"),
        "cosine-ta": ("text@", "cosine of sound and text (clap_ta)"),
        "cosine-va": ("video@", "cosine of sound and picture (IB-score)"),
    }
    out = [
        Metric(
            name=name,
            title=title,
            unit="",
            better="higher",
            made=("audio@",),
            true=(of,),
            clip=partial(compare.cosine, of=of),
            baselines=OTHERS if of == "audio@" else ALL,
        )
        for name, (of, title) in titles.items()
    ]
    in_step = Metric(
        name="in-step",
        title="cosine of sound and picture, window by window",
        unit="",
        better="higher",
        made=("audio@",),
        true=("video@",),
        clip=compare.in_step,
        in_step=True,
    )
    return [*out, in_step]


def _volume() -> list[Metric]:
    """MDG's numbers. δ of text and picture is no sound's doing: it says how much of the sum is given."""
    sums: dict[str, tuple[str, Callable[..., float]]] = {
        "volume": ("V: how large a body sound, picture and text span (MDG eq. 7)", compare.volume),
        "delta-ta": ("δ of text and sound, 1 - cosine", partial(compare.delta, between="text_audio")),
        "delta-va": ("δ of picture and sound, 1 - cosine", partial(compare.delta, between="video_audio")),
        "delta-sum": ("δ of the three pairs, summed (MDG eq. 11)", partial(compare.delta, between="total")),
    }
    out = [
        Metric(
            name=name,
            title=title,
            unit="",
            better="lower",
            made=("audio@",),
            true=("video@", "text@"),
            clip=clip,
        )
        for name, (title, clip) in sums.items()
    ]
    given = Metric(
        name="delta-tv",
        title="δ of text and picture, 1 - cosine; no sound takes part",
        unit="",
        better="lower",
        made=(),
        true=("video@", "text@"),
        clip=compare.delta_given,
        baselines=(),
    )
    return [out[0], given, *out[1:]]


MEANING: tuple[Metric, ...] = (*_meaning(), *_volume())
