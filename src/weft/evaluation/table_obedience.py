"""The metrics of obedience: for each dial of the cue sheet, what was asked beside what was got."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from weft.evaluation import comparisons_obedience as compare
from weft.evaluation.comparisons import Pairs
from weft.evaluation.comparisons_obedience import Judged
from weft.evaluation.metric import Metric


def _dial(
    name: str,
    title: str,
    made: str,
    true: str,
    clip: Callable[..., Pairs],
    judge: Judged,
    *,
    least: float = -1.0,
    stereo: bool = False,
    materials: bool = False,
) -> Metric:
    return Metric(
        name=name,
        title=f"{title}: asked and got",
        unit="",
        better="higher",
        made=(made,),
        true=(true,),
        clip=clip,
        pool=partial(compare.score, judge=judge),
        told=judge,
        least=least,
        most=1.0,
        stereo=stereo,
        materials=materials,
    )


OBEDIENCE: tuple[Metric, ...] = (
    _dial(
        "obey-onsets",
        "onsets, F1 within 50 ms",
        "onsets",
        "cues",
        compare.asked_onsets,
        compare.onsets,
        least=0.0,
    ),
    _dial(
        "obey-envelope", "envelope, r", "levels", "asked envelope", compare.asked_envelope, compare.envelope
    ),
    _dial(
        "obey-pan", "pan of the blows, r", "levels", "asked pan", compare.asked_pan, compare.pan, stereo=True
    ),
    _dial(
        "obey-depth",
        "depth of the blows, rank r with loudness",
        "levels",
        "asked depth",
        compare.asked_depth,
        compare.depth,
        stereo=True,
    ),
    Metric(
        name="obey-reference",
        title="reference sound, cosine with the recording: asked and got",
        unit="",
        better="higher",
        made=("audio@",),
        true=("like audio@",),
        clip=compare.asked_likeness,
        pool=partial(compare.score, judge=compare.likeness),
        told=compare.likeness,
        size=compare.one_row_each,
        least=-1.0,
        most=1.0,
    ),
    Metric(
        name="obey-negative",
        title="negative prompt, share of takes less like its words than without it: asked and got",
        unit="",
        better="higher",
        made=("audio@",),
        true=("negative text@", "without audio@", "negative"),
        clip=compare.asked_negative,
        pool=partial(compare.score, judge=compare.negative),
        told=compare.negative,
        size=compare.one_row_each,
        least=0.0,
        most=1.0,
    ),
    _dial(
        "obey-spared",
        "material in the negative prompt, share that a listener does not name so",
        "logits@",
        "asked away",
        partial(compare.asked_word, of="asked away"),
        compare.spared,
        least=0.0,
        materials=True,
    ),
    *(
        _dial(
            f"obey-{dial}",
            f"{title}, share that a listener names so",
            "logits@",
            f"asked {dial}",
            partial(compare.asked_word, of=f"asked {dial}"),
            compare.words,
            least=0.0,
            materials=True,
        )
        for dial, title in (("material", "material of the onsets"), ("prompt", "material in the prompt"))
    ),
)
