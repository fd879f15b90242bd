"""DeSync: how far apart a synchronisation network believes sound and picture to be (MMAudio; Cheng et al. 2025).

Conventions: Synchformer (Iashin et al. 2024) reads a clip in segments of 0.64 s every 0.32 s and gives 21 logits for
offsets from -2 to 2 s in steps of 0.2 s. The clip is asked twice, by its first 14 segments and by its last 14 (4.8 s
each), and DeSync is the mean of |offset| over both answers and all clips, in seconds, each answer being the likeliest
offset. A clip under 4.8 s has no 14 segments: it has no DeSync, and is refused here.

The steps are 0.2 s, so a score says nothing about smaller errors; loops and ambience get arbitrary answers. An answer
drawn at random scores `CHANCE`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics.result import UNSAID, Result, Source, mean_of

GRID_S = np.linspace(-2.0, 2.0, 21)
SEGMENT_S, STEP_S, SEGMENTS = 0.64, 0.32, 14
SHORTEST_S = SEGMENT_S + (SEGMENTS - 1) * STEP_S
CHANCE = float(np.abs(GRID_S).mean())
Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class DeSync(Result):
    """`value` s, the mean over `n` clips and both answers of each; `clips` `[n]` s, each clip's own; `bias` s, the mean
    of the signed answers (which sign is late sound is the network's convention); `in_sync` the share of answers that
    are 0."""

    clips: Array
    bias: float
    in_sync: float


def windows(segments: int) -> tuple[slice, slice]:
    """Return which of a clip's segments the two questions are about.

    Raises ValueError with fewer than 14, which a shorter slice would pass over in silence.
    """
    if segments < SEGMENTS:
        raise ValueError(
            f"{segments} segments are under {SEGMENTS}: DeSync needs {SHORTEST_S:g} s; leave shorter clips out"
        )
    return slice(0, SEGMENTS), slice(segments - SEGMENTS, segments)


def segments(duration_s: float) -> int:
    """Return how many whole segments a clip of `duration_s` has. Raises ValueError below 4.8 s."""
    count = int((duration_s - SEGMENT_S) / STEP_S + 1e-6) + 1 if duration_s >= SEGMENT_S - 1e-9 else 0
    windows(count)
    return count


def offset(logits: ArrayLike) -> Array:
    """Return the likeliest offset `[...]` in seconds from logits `[..., 21]`; of equals the first."""
    scores = np.asarray(logits, dtype=np.float64)
    if scores.ndim == 0 or scores.shape[-1] != len(GRID_S):
        raise ValueError(
            f"offset logits have shape {scores.shape}, but the last axis must hold {len(GRID_S)}"
        )
    if not np.isfinite(scores).all():
        raise ValueError("offset logits hold NaN or infinity")
    return GRID_S[scores.argmax(-1)]


def validate(first: ArrayLike, last: ArrayLike) -> tuple[Array, Array]:
    """Return the logits of both ends as float64 `[n, 21]`. Raises ValueError without clips, when the two do not pair,
    for other shapes, NaN or infinity."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(last, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 2 or len(a) == 0:
        raise ValueError(
            f"logits have shapes {a.shape} and {b.shape}: give [clips, {len(GRID_S)}] of both ends"
        )
    offset(a), offset(b)
    return a, b


def evaluate(first: ArrayLike, last: ArrayLike, *, source: Source = UNSAID) -> DeSync:
    """Score n clips from the logits `[n, 21]` of their first and of their last 14 segments, beside a random answer.

    Raises ValueError as `validate`.
    """
    answers = np.stack([offset(logits) for logits in validate(first, last)], axis=1)
    clips = np.abs(answers).mean(1)
    bias, in_sync = float(answers.mean()), float((np.abs(answers) < STEP_S / 10).mean())
    found = mean_of(
        clips, baselines={"random": CHANCE}, parts={"bias": bias, "in sync": in_sync}, source=source
    )
    return DeSync(**vars(found), clips=clips, bias=bias, in_sync=in_sync)
