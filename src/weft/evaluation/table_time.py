"""The metrics of time: onsets, E-L1, envelopes, sound and motion."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from weft.evaluation import comparisons as compare
from weft.evaluation.metric import ALL, OTHERS, Metric, compared


def _onsets() -> list[Metric]:
    out = []
    for ms in (25, 50, 100):
        for field, short in (("f1", "f1"), ("precision", "p"), ("recall", "r")):
            clip = partial(compare.onset_score, field=field, tolerance_s=ms / 1000)
            title = f"onset {'F1' if field == 'f1' else field} within {ms} ms"
            row = compared(f"onset-{short}@{ms}", title, "", "higher", "onsets", clip, ALL)
            if field == "f1":
                lucky = partial(compare.onset_chance, tolerance_s=ms / 1000)
                row = replace(row, true=("onsets", "facts"), chance=lucky)
            out.append(row)
        out.append(
            Metric(
                name=f"onset-ap@{ms}",
                title=f"onset average precision within {ms} ms",
                unit="",
                better="higher",
                made=("onsets",),
                true=("onsets",),
                clip=partial(compare.onset_claims, tolerance_s=ms / 1000),
                pool=compare.onset_ap,
                least=0.0,
                most=1.0,
            )
        )
    count = "share of clips with the right number of onsets"
    out.append(compared("onset-count", count, "", "higher", "onsets", compare.onset_count, ALL))
    return out


def _e_l1() -> list[Metric]:
    titles = {
        "fol-ai": ("E-L1, FOL-AI's and FoleyGRAM's", 44100),
        "video-foley": ("E-L1, Video-Foley's", 16000),
        "t-foley": ("E-L1, T-Foley's", 22050),
    }
    return [
        Metric(
            name=f"e-l1-{preset}",
            title=title,
            unit="",
            better="lower",
            made=(f"e-l1 {preset}",),
            true=(f"e-l1 {preset}",),
            clip=partial(compare.e_l1, feature=f"e-l1 {preset}"),
            baselines=OTHERS,
            rate=rate,
        )
        for preset, (title, rate) in titles.items()
    ]


TIME: tuple[Metric, ...] = (
    *_onsets(),
    *_e_l1(),
    compared("envelope-r", "correlation of the envelopes", "", "higher", "envelope", compare.envelope_r),
    compared("lag", "how far the envelope trails", "ms", "nearer", "envelope", compare.envelope_lag_ms, ()),
    compared("level", "envelope error", "dB", "lower", "envelope", compare.level_error_db),
    Metric(
        name="av-align",
        title="AV-Align: onsets and peaks of motion, 25 pictures a second",
        unit="",
        better="higher",
        made=("onsets",),
        true=("flow peaks",),
        clip=compare.av_align,
        chance=compare.av_align_chance,
    ),
    *(
        Metric(
            name=f"av-align-{form}",
            title=f"AV-Align by {whose} of librosa's onsets, faults included",
            unit="",
            better="higher",
            made=("librosa onsets",),
            true=("flow peaks",),
            clip=partial(compare.av_align_published, form=form),
            chance=partial(compare.av_align_published_chance, form=form),
            rate=22050,
        )
        for form, whose in (
            ("tempotokens", "TempoTokens since February 2025"),
            ("savgbench", "SAVGBench, and TempoTokens before,"),
            ("svg-baseline", "SVG_baseline"),
        )
    ),
    Metric(
        name="desync",
        title="DeSync: offset that Synchformer sees, first and last 4.8 s",
        unit="s",
        better="lower",
        made=("audio@",),
        true=("video@",),
        clip=compare.desync,
        chance=compare.desync_chance,
        judged=True,
    ),
    Metric(
        name="align-acc",
        title="Align-Acc: share that Diff-Foley's classifier calls aligned",
        unit="",
        better="higher",
        made=("audio@",),
        true=("video@",),
        clip=compare.align_acc,
        judged=True,
    ),
    Metric(
        name="condfoley-acc",
        title="CondFoleyGen's onset accuracy, faults included",
        unit="",
        better="higher",
        made=("condfoley",),
        true=("condfoley",),
        clip=partial(compare.condfoley, field="accuracy"),
        rate=22050,
    ),
    Metric(
        name="condfoley-ap",
        title="CondFoleyGen's onset AP, faults included",
        unit="",
        better="higher",
        made=("condfoley",),
        true=("condfoley",),
        clip=partial(compare.condfoley, field="ap"),
        rate=22050,
    ),
    *(
        Metric(
            name=f"mmaudio-{short}",
            title=f"MMAudio's onset {said} of the first 8 s, faults included",
            unit="",
            better="higher",
            made=("mmaudio onsets",),
            true=("mmaudio onsets",),
            clip=partial(compare.mmaudio_onsets, field=field),
            rate=22050,
        )
        for short, field, said in (("acc", "accuracy", "accuracy"), ("ap", "ap", "AP"), ("f1", "f1", "F1"))
    ),
)
