"""The metrics of whole sets: distances of embeddings, and divergences of classes."""

from __future__ import annotations

from functools import partial

from weft.evaluation import comparisons_sets as compare
from weft.evaluation.metric import Metric

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
)
