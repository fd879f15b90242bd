"""The metrics of space: level differences, pan, and where the picture shows what is heard."""

from __future__ import annotations

from functools import partial
from typing import Literal

from weft.evaluation import comparisons_space as compare
from weft.evaluation.metric import Metric, compared

_CUES: tuple[tuple[Literal["level", "time"], str], ...] = (
    ("level", "by their levels over a stage of ±45°"),
    ("time", "by their delays at microphones 17 cm apart"),
)
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
        told=compare.pan_told,
        stereo=True,
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
        told=compare.spatial_align_told,
        stereo=True,
        baselines=("reference",),
    ),
    *(
        Metric(
            name=f"azimuth-{by}",
            title=f"azimuth error of the onsets heard, {words}; a lens of 60°",
            unit="°",
            better="lower",
            made=("places",),
            true=("tracks",),
            clip=partial(compare.placed_angles, by=by),
            pool=compare.azimuth_error,
            least=0.0,
            told=compare.azimuth_told,
            baselines=("shuffled", "reference"),
            stereo=True,
        )
        for by, words in _CUES
    ),
    Metric(
        name="s-kl",
        title="S_KL of saliency maps, generated from target (Con360-AV)",
        unit="nats",
        better="lower",
        made=(),
        true=("maps",),
        clip=compare.saliency,
        chance=compare.saliency_beside,
        baselines=(),
    ),
    Metric(
        name="s-kl-heard",
        title="S_KL of where it is heard from where the boxes are (ours)",
        unit="nats",
        better="lower",
        made=("pan",),
        true=("tracks",),
        clip=compare.heard_saliency,
        chance=compare.heard_saliency_beside,
        baselines=("shuffled", "reference"),
        stereo=True,
    ),
)
