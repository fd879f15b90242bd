"""The metrics of the sound itself: spectrum, loudness, peaks, silence, width."""

from __future__ import annotations

from functools import partial

from weft.evaluation import comparisons_sound as compare
from weft.evaluation.metric import Metric, compared


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


SPECTRUM: tuple[Metric, ...] = (
    compared("mel", "log-mel error", "dB", "lower", "mel", compare.mel_error_db),
    compared(
        "mel-active", "log-mel error where it sounds", "dB", "lower", "mel", compare.mel_error_active_db
    ),
)
ITSELF: tuple[Metric, ...] = tuple(_itself())
