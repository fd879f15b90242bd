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
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from weft.metrics import onset
from weft.metrics.result import Result

TOLERANCES_S = (0.025, 0.05, 0.1)
QUOTED_S = 0.05
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
class AtTolerance(Result):
    """Scores in 0..1 within `tolerance_s`: `value` (or `f1`) is the mean F1, beside that of as many onsets at random
    (the baseline `random`, or `chance`)."""

    tolerance_s: float
    precision: float
    recall: float
    ap: float

    @property
    def f1(self) -> float:
        """The mean F1."""
        return self.value

    @property
    def chance(self) -> float:
        """The mean F1 of as many onsets at random."""
        return self.baselines["random"]


@dataclass(frozen=True, kw_only=True)
class Panel(Result):
    """`at` one entry a tolerance, `count` the share of clips with the right number of onsets, `count_error` the mean
    difference of the numbers (without sign), `n` clips, `true` and `found` onsets in all. The panel's own value,
    interval and baselines are those of F1 within the tolerance nearest to 50 ms."""

    at: tuple[AtTolerance, ...]
    count: float
    count_error: float
    true: int
    found: int


def evaluate(clips: Sequence[Clip], *, tolerances_s: Sequence[float] = TOLERANCES_S, seed: int = 0) -> Panel:
    """Score clips. Raises ValueError as `validate`, and without tolerances."""
    validate(clips)
    if not len(tolerances_s):
        raise ValueError("no tolerance to score within: give at least one, s")
    counts = np.array([(np.size(c.found), np.size(c.true)) for c in clips])
    apart = np.abs(counts[:, 0] - counts[:, 1])
    at = tuple(_at(clips, tolerance, seed) for tolerance in tolerances_s)
    quoted = min(at, key=lambda a: abs(a.tolerance_s - QUOTED_S))
    return Panel(
        **quoted.fields(),
        at=at,
        count=float((apart == 0).mean()),
        count_error=float(apart.mean()),
        true=int(counts[:, 1].sum()),
        found=int(counts[:, 0].sum()),
    )


def validate(clips: Sequence[Clip]) -> None:
    """Raise ValueError without clips, for onsets past the end of their clip, confidences that do not fit them, and as
    `weft.metrics.onset.validate`."""
    if not len(clips):
        raise ValueError("no clips to score: give at least one")
    onset.validate(*_columns(clips))
    for index, clip in enumerate(clips):
        if np.shape(clip.found) != np.shape(clip.confidence):
            raise ValueError(
                f"clip {index}: {np.size(clip.found)} onsets but {np.size(clip.confidence)} confidences"
            )


def _columns(clips: Sequence[Clip]) -> tuple[list[ArrayLike], list[ArrayLike], list[float]]:
    return [c.found for c in clips], [c.true for c in clips], [c.duration_s for c in clips]


def _at(clips: Sequence[Clip], tolerance_s: float, seed: int) -> AtTolerance:
    found, true, durations = _columns(clips)
    scored = onset.evaluate(
        found, true, durations_s=durations, tolerance_s=tolerance_s, seed=seed, draws=DRAWS
    )
    ap = onset.average_precision([(c.found, c.confidence, c.true) for c in clips], tolerance_s)
    return AtTolerance(
        **vars(replace(scored, parts=scored.parts | {"ap": ap})),
        tolerance_s=tolerance_s,
        precision=scored.parts["precision"],
        recall=scored.parts["recall"],
        ap=ap,
    )
