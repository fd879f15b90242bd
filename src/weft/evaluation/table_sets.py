"""The metrics of whole sets: distances of embeddings, and divergences of classes."""

from __future__ import annotations

from functools import partial
from typing import Literal

from weft.evaluation import comparisons_sets as compare
from weft.evaluation.metric import Metric

_FAVD: tuple[tuple[Literal["toolkit", "float"], str, str], ...] = (
    ("float", "audio@", "of sound and picture side by side, as the networks give them"),
    ("toolkit", "eight-bit@", "the sound whitened and in 8 bits, as avgen-eval-toolkit has it"),
)
DISTANCES: tuple[Metric, ...] = (
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
        name="frechet-inf",
        title="Fréchet distance extrapolated to endless predicted sets (FAD-inf)",
        unit="",
        better="lower",
        made=("audio@",),
        true=("audio@",),
        clip=compare.embeddings,
        pool=compare.frechet_inf,
        told=compare.frechet_inf_told,
        baselines=("silence",),
        floor=True,
        halves=8,
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
    *(
        Metric(
            name=f"favd-{version}",
            title=f"FAVD, {words}",
            unit="",
            better="lower",
            made=(sound,),
            true=(sound, "video@"),
            clip=partial(compare.joint, sound=sound),
            pool=compare.favd,
            told=partial(compare.favd_told, version=version),
            size=compare.joint_size,
            least=0.0,
            baselines=("silence", "shuffled"),
            floor=True,
            rows_per_d=2.0,
            in_step=True,
        )
        for version, sound, words in _FAVD
    ),
)
CLASSES: tuple[Metric, ...] = (
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
    *(
        Metric(
            name=name,
            title=title,
            unit="",
            better="higher",
            made=(logits,),
            true=(),
            clip=partial(compare.classes, of=logits),
            pool=partial(compare.inception, splits=splits),
            told=partial(compare.inception_told, splits=splits),
            baselines=("reference",),
        )
        for name, title, logits, splits in (
            ("isc", "inception score, one split", "logits@", 1),
            ("isc-10", "inception score, ten splits of the clips shuffled by seed 2020", "logits@", 10),
            ("isc-10-bare", "inception score of logits without their bias, ten splits", "bare-logits@", 10),
        )
    ),
)
