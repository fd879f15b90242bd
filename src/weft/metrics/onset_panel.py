"""The onsets of a set of clips in one panel: F1, precision, recall and AP at 25, 50 and 100 ms, and their count.

Conventions: times in seconds; each clip gives the onsets found, a confidence for each, those that are true, and its
duration. Precision, recall and F1 are means over clips (so a clip weighs the same however busy it is), each by
`weft.metrics.onset`'s one-to-one matching, which is mir_eval's. AP pools the detections of all clips by confidence;
each true onset is claimed once, and those that nobody claims cost recall.

`count` is the share of clips with exactly as many onsets found as there are, SyncFusion's "#Onset acc.". It says
nothing about time: as many onsets at wrong moments score 1. Beside F1 stands `chance`, as many onsets at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from weft.metrics import checks, onset

TOLERANCES_S = (0.025, 0.05, 0.1)
DRAWS = 10  # of every clip; a set has many


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One clip: onsets `found` `[k]` with `confidence` `[k]` (any scale; more is surer) and those `true` `[m]`, in
    seconds of `duration_s`."""

    found: ArrayLike
    confidence: ArrayLike
    true: ArrayLike
    duration_s: float


@dataclass(frozen=True, kw_only=True)
class AtTolerance:
    """Scores in 0..1 within `tolerance_s`, and the mean F1 of as many onsets at random."""

    tolerance_s: float
    precision: float
    recall: float
    f1: float
    ap: float
    chance: float


@dataclass(frozen=True, kw_only=True)
class Panel:
    """`at` one entry a tolerance, `count` the share of clips with the right number of onsets, `count_error` the mean
    difference of the numbers (without sign), `n` clips, `true` and `found` onsets in all."""

    at: tuple[AtTolerance, ...]
    count: float
    count_error: float
    n: int
    true: int
    found: int


def evaluate(clips: Sequence[Clip], *, tolerances_s: Sequence[float] = TOLERANCES_S, seed: int = 0) -> Panel:
    """Score clips. Raises ValueError without clips, for onsets past the end of their clip, and as `weft.metrics.onset`
    does."""
    if not len(clips):
        raise ValueError("no clips to score: give at least one")
    for index, clip in enumerate(clips):
        for name, times in (("found", clip.found), ("true", clip.true)):
            late = checks.times(times, f"clip {index}: {name} onsets")
            if late.size and late[-1] > clip.duration_s:
                raise ValueError(
                    f"clip {index}: {name} onsets reach {late[-1]:g} s of {clip.duration_s:g} s: of another clip?"
                )
    counts = np.array([(np.size(c.found), np.size(c.true)) for c in clips])
    apart = np.abs(counts[:, 0] - counts[:, 1])
    return Panel(
        at=tuple(_at(clips, tolerance, seed) for tolerance in tolerances_s),
        count=float((apart == 0).mean()),
        count_error=float(apart.mean()),
        n=len(clips),
        true=int(counts[:, 1].sum()),
        found=int(counts[:, 0].sum()),
    )


def _at(clips: Sequence[Clip], tolerance_s: float, seed: int) -> AtTolerance:
    rng = np.random.default_rng(seed)
    found = [onset.scores(c.found, c.true, tolerance_s) for c in clips]
    lucky = [
        onset.chance(np.size(c.found), c.true, c.duration_s, tolerance_s, rng=rng, draws=DRAWS) for c in clips
    ]
    return AtTolerance(
        tolerance_s=tolerance_s,
        precision=float(np.mean([f.precision for f in found])),
        recall=float(np.mean([f.recall for f in found])),
        f1=float(np.mean([f.f1 for f in found])),
        ap=onset.average_precision([(c.found, c.confidence, c.true) for c in clips], tolerance_s),
        chance=float(np.mean(lucky)),
    )
