"""Onset accuracy, AP and F1 as MMAudio (Cheng et al. 2025) prints them for Greatest Hits, faults included.

For comparing with published numbers and for nothing else: use `weft.metrics.onset`. It grew out of CondFoleyGen's
(`condfoley.py`) and differs from it in that

- the threshold of the peaks, 0.3, is the tolerance too: an onset may be 300 ms off;
- the wave itself is scaled to 0..1 and not its size, so silence has a confidence of about a half;
- of several onsets within reach the loudest is to be taken, but its level is looked up in the list of all onsets by
  its place among those still free;
- F1 is over the onsets looked at as well: one right onset of nine has F1 = AP = 1;
- silence has an AP of 1 where something was to be heard.

Conventions: mono wave `[N]` at 22.05 kHz, the first 8 s of a clip; onsets as sample positions. Where the original stops
with an error (an onset in the first 50 ms, nothing to find and nothing found) the window is cut at the start and all
three are 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics import condfoley
from weft.metrics.condfoley import RATE, Clip, loudest, suppressed
from weft.metrics.result import Result, Source, mean_of

SECONDS = 8
TOLERANCE_S = 0.3
Samples = NDArray[np.int64]
Wave = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class MMAudioOnsets:
    """`accuracy` is the share of true onsets that are matched; `ap` and `f1` are over those looked at."""

    accuracy: float
    ap: float
    f1: float


def evaluate_set(clips: Sequence[Clip]) -> Result:
    """Return the mean accuracy over clips, the mean AP and F1 in `parts`, beside what the next clip's sound scores
    (`shuffled`, NaN with one clip). Raises ValueError without clips, and as `evaluate` does."""
    found, shuffled = condfoley.scored(clips, evaluate)
    return mean_of(
        [f.accuracy for f in found],
        baselines={"shuffled": [f.accuracy for f in shuffled] or float("nan")},
        parts={name: float(np.mean([getattr(f, name.lower()) for f in found])) for name in ("AP", "F1")},
        source=Source(rate=f"{RATE} Hz mono"),
    )


def validate(true: ArrayLike, found: ArrayLike, wave: ArrayLike) -> tuple[Wave, Samples, Wave]:
    """Return the true onsets `[n]` in samples (theirs need not be whole), the found ones `[m]`, and the wave `[N]`.
    Raises ValueError as `weft.metrics.condfoley.validate`."""
    _, given, level = condfoley.validate(true, found, wave)
    return np.asarray(true, dtype=np.float64), given, level


def evaluate(true: ArrayLike, found: ArrayLike, wave: ArrayLike) -> MMAudioOnsets:
    """Score onsets `found` `[m]` of the estimated mono `wave` `[N]` against `true` `[n]`, both in samples.

    Raises ValueError when a found onset lies outside the wave or the wave is not one channel.
    """
    from sklearn.metrics import average_precision_score

    wanted, given, level = validate(true, found, wave)
    level = (level - level.min()) / (level.max() - level.min() + 1e-6)
    every = suppressed(given, np.array([loudest(level, o) for o in given.tolist()]))
    if not wanted.size:
        return MMAudioOnsets(accuracy=0.0, ap=0.0, f1=0.0)
    left, hits = list(every), 0
    labels: list[int] = []
    scores: list[float] = []
    for onset in wanted.tolist():
        labels.append(1)
        near = [k for k, o in enumerate(left) if abs(o - onset) < TOLERANCE_S * RATE]
        if not near:
            scores.append(0.0)
            continue
        # `every`, not `left`: the place is that among the free, the level that of all.
        taken = left.pop(near[int(np.argsort([level[every[k]] for k in near])[-1])])
        scores.append(loudest(level, taken))
        hits += 1
        if not left:
            break
    labels += [0] * len(left)
    scores += [loudest(level, o) for o in left]
    ap = float(average_precision_score(labels, scores))
    return MMAudioOnsets(accuracy=hits / wanted.size, ap=ap, f1=_f1(np.array(labels), np.array(scores)))


def _f1(labels: NDArray[np.int64], scores: NDArray[np.float64]) -> float:
    said = scores > 0
    return float(2 * (said & (labels == 1)).sum() / (said.sum() + labels.sum()))
