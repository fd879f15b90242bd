"""The metrics of meaning: cosines of sound, picture and text."""

from __future__ import annotations

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


MEANING: tuple[Metric, ...] = tuple(_meaning())
