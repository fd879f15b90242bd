"""The one table of metrics: plain data, what each needs, and the comparison that makes its number.

Adding a metric is one entry. `made` and `true` name the features (`features.py`) it reads off the predicted sound and
off the reference; a name that ends in "@" is an embedder's output (`embedders.py`), and the metric then gives one row
for each embedder that has it. On the reference side there are also "tracks" (of a cue sheet), "flow peaks" (of a
picture), "video@" and "text@"; where a clip has a cue sheet, its onsets stand in for those of the reference sound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from weft.cues.words import closest
from weft.errors import UserError
from weft.evaluation import comparisons as compare
from weft.evaluation.comparisons import Measured
from weft.evaluation.embedders import EmbedderSpec

Better = Literal["higher", "lower", "nearer"]
Baseline = Literal["silence", "shuffled", "reference"]
ALL: tuple[Baseline, ...] = ("silence", "shuffled", "reference")
OTHERS: tuple[Baseline, ...] = (
    "silence",
    "shuffled",
)  # where the reference against itself is 0, or 1, by definition


@dataclass(frozen=True, kw_only=True)
class Metric:
    """`clip` compares two sounds. Without `pool` it gives a number and the row is their mean; with it, a digest, and
    `pool` makes the set's number of all of them.

    `better`: "nearer" means nearer to what the reference itself scores. `baselines`: what is put in the predicted
    sound's place, silence, another clip's reference, or the clip's own. `beside` (of digests) and
    `chance` (of each clip, averaged) give further baselines by name.
    `least`, `most`: its range. `rate`: that at which it reads the sound, when it is not the protocol's.
    `floor`: also score random halves of the reference against each other. `rows_per_d`: the value is flagged when it
    rests on fewer rows than this many times the dimensions. `in_step`: only for embedders whose windows of sound and
    picture are the same.
    """

    name: str
    title: str
    unit: str
    better: Better
    made: tuple[str, ...]
    true: tuple[str, ...]
    clip: Callable[[Measured, Measured], Any]
    pool: Callable[[Sequence[Any]], float] | None = None
    beside: Callable[[Sequence[Any]], dict[str, float]] | None = None
    chance: Callable[[Measured, Measured], dict[str, float]] | None = None
    baselines: tuple[Baseline, ...] = ALL
    least: float = -math.inf
    most: float = math.inf
    rate: int | None = None
    floor: bool = False
    rows_per_d: float = 0.0
    in_step: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """A metric, with the embedder that completes it if it needs one; `name` is unique in a result."""

    metric: Metric
    embedder: EmbedderSpec | None = None

    @property
    def name(self) -> str:
        return f"{self.metric.name}/{self.embedder.name}" if self.embedder else self.metric.name

    def features(self, side: Literal["made", "true"]) -> dict[str, str]:
        """What the metric calls a feature -> its full name."""
        asked = self.metric.made if side == "made" else self.metric.true
        own = self.embedder.name if self.embedder else ""
        return {name: name + own if name.endswith("@") else name for name in asked}


def _onsets() -> list[Metric]:
    out = []
    for ms in (25, 50, 100):
        for field, short in (("f1", "f1"), ("precision", "p"), ("recall", "r")):
            clip = partial(compare.onset_score, field=field, tolerance_s=ms / 1000)
            out.append(
                _one(
                    f"onset-{short}@{ms}", f"onset {field} within {ms} ms", "", "higher", "onsets", clip, ALL
                )
            )
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
    out.append(_one("onset-count", count, "", "higher", "onsets", compare.onset_count, ALL))
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


def _itself() -> list[Metric]:
    fields: tuple[tuple[str, str, str, str], ...] = (
        ("lufs", "lufs", "integrated loudness", "LUFS"),
        ("true-peak", "true_peak_db", "true peak", "dBTP"),
        ("clipped", "clipped", "share of samples clipped", ""),
        ("silent", "silent", "share of 50 ms windows silent", ""),
        ("tail", "tail_s", "silence at the end", "s"),
        ("width", "width", "stereo width", ""),
        ("flatness", "flatness", "spectral flatness", ""),
    )
    return [
        Metric(
            name=name,
            title=title,
            unit=unit,
            better="lower" if name == "clipped" else "nearer",
            made=("sound",),
            true=(),
            clip=partial(compare.of_itself, field=field),
            baselines=("reference",),
        )
        for name, field, title, unit in fields
    ]


def _one(
    name: str,
    title: str,
    unit: str,
    better: Better,
    feature: str,
    clip: Callable[[Measured, Measured], float],
    baselines: tuple[Baseline, ...] = OTHERS,
) -> Metric:
    return Metric(
        name=name,
        title=title,
        unit=unit,
        better=better,
        made=(feature,),
        true=(feature,),
        clip=clip,
        baselines=baselines,
    )


METRICS = {
    m.name: m
    for m in (
        *_onsets(),
        *_e_l1(),
        _one("envelope-r", "correlation of the envelopes", "", "higher", "envelope", compare.envelope_r),
        _one("lag", "how far the envelope trails", "ms", "nearer", "envelope", compare.envelope_lag_ms, ()),
        _one("level", "envelope error", "dB", "lower", "envelope", compare.level_error_db),
        _one("mel", "log-mel error", "dB", "lower", "mel", compare.mel_error_db),
        _one(
            "mel-active", "log-mel error where it sounds", "dB", "lower", "mel", compare.mel_error_active_db
        ),
        _one("ild", "error of the level difference", "dB", "lower", "pan", compare.ild_error_db),
        Metric(
            name="pan-r",
            title="correlation of the pan, clips pooled",
            unit="",
            better="higher",
            made=("pan",),
            true=("pan",),
            clip=compare.pans,
            pool=compare.pan_r,
            least=-1.0,
            most=1.0,
            beside=compare.pan_r_swapped,
        ),
        Metric(
            name="spatial-align",
            title="Spatial AV-Align: onsets heard where the boxes are",
            unit="",
            better="higher",
            made=("onsets", "pan"),
            true=("tracks",),
            clip=compare.placed,
            pool=compare.spatial_align,
            least=0.0,
            most=1.0,
            beside=compare.spatial_align_beside,
            baselines=("reference",),
        ),
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
        Metric(
            name="frechet",
            title="Fréchet distance",
            unit="",
            better="lower",
            made=("audio@",),
            true=("audio@",),
            clip=compare.embeddings,
            pool=compare.frechet,
            least=0.0,
            baselines=("silence",),
            floor=True,
            rows_per_d=2.0,
        ),
        Metric(
            name="kernel",
            title="kernel discrepancy (MMD², unbiased)",
            unit="",
            better="lower",
            made=("audio@",),
            true=("audio@",),
            clip=compare.embeddings,
            pool=compare.kernel,
            baselines=("silence",),
            floor=True,
        ),
        *_meaning(),
        Metric(
            name="kl",
            title="KL of the classes",
            unit="nats",
            better="lower",
            made=("logits@",),
            true=("logits@",),
            clip=partial(compare.kl, compat=False),
        ),
        Metric(
            name="kl-compat",
            title="KL of the classes with 1e-6 inside the logarithm",
            unit="nats",
            better="lower",
            made=("logits@",),
            true=("logits@",),
            clip=partial(compare.kl, compat=True),
        ),
        Metric(
            name="isc",
            title="inception score, one split",
            unit="",
            better="higher",
            made=("logits@",),
            true=(),
            clip=compare.classes,
            pool=partial(compare.inception, splits=1),
            baselines=("reference",),
        ),
        *_itself(),
    )
}


def metric(name: str) -> Metric:
    """Return the entry called `name`; raises UserError naming the closest known metric."""
    if name not in METRICS:
        near = closest(name, METRICS)
        hint = f"did you mean {near}?" if near else f"known: {', '.join(METRICS)}"
        raise UserError(f"unknown metric {name!r}; {hint}")
    return METRICS[name]


def rows(metrics: Sequence[Metric], embedders: Sequence[EmbedderSpec]) -> list[Row]:
    """Every metric, those that need an embedder once for each embedder that gives all it asks for."""
    out = []
    for m in metrics:
        asked = {name for name in (*m.made, *m.true) if name.endswith("@")}
        if not asked:
            out.append(Row(metric=m))
        fit = [e for e in embedders if asked and asked <= set(e.gives) and (e.in_step or not m.in_step)]
        out += [Row(metric=m, embedder=e) for e in fit]
    return out
