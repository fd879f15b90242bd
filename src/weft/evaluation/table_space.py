"""The metrics of space: level differences, pan, and where the picture shows what is heard."""

from __future__ import annotations

from weft.evaluation import comparisons_space as compare
from weft.evaluation.metric import Metric, compared

SPACE: tuple[Metric, ...] = (
    compared("ild", "error of the level difference", "dB", "lower", "pan", compare.ild_error_db),
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
)
