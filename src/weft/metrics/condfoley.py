"""Onset accuracy and AP as CondFoleyGen (Du et al. 2023) and SyncFusion's Tables 2-3 print them, faults included.

For comparing with published numbers and for nothing else: use `weft.metrics.onset`. The forms differ in that here

- an onset may be 100 ms off, although 50 ms is the window usually quoted (that one suppresses and gathers confidence);
- AP is over the onsets looked at: matching stops when the predictions run out, so that one right onset of five scores
  1.0, and all onsets 90 ms late score 1.0;
- suppression drops every other neighbour only, as it removes from the list it walks through.

Conventions: mono wave `[N]` at 22.05 kHz, onsets as sample positions from librosa's `onset_detect(delta=0.3)`. Where
the original stops with an error (an onset in the first 50 ms, a wave of silence) the window is cut at the start and
confidences are 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics.result import Result, Source, mean_of

RATE = 22050
NEAR = int(0.05 * RATE)
TOLERANCE_S = 0.1
Samples = NDArray[np.int64]
Wave = NDArray[np.float64]
Scored = TypeVar("Scored")


@dataclass(frozen=True, kw_only=True)
class CondFoley:
    """`accuracy` the share of true onsets that are matched, `ap` the average precision; 0 where either list is
    empty, as SyncFusion has it (CondFoleyGen gives silence 1.0)."""

    accuracy: float
    ap: float


def onsets(wave: ArrayLike) -> NDArray[np.int64]:
    """Return the onsets `[n]` of a mono wave `[N]` at 22.05 kHz, in samples."""
    from weft.media.compiled import librosa

    return np.asarray(
        librosa().onset.onset_detect(y=np.asarray(wave, float), sr=RATE, units="samples", delta=0.3)
    )


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One clip: onsets `true` `[n]` and `found` `[m]`, in samples, and the estimated mono `wave` `[N]` at 22.05 kHz."""

    true: ArrayLike
    found: ArrayLike
    wave: ArrayLike


def scored(
    clips: Sequence[Clip], judge: Callable[[ArrayLike, ArrayLike, ArrayLike], Scored]
) -> tuple[list[Scored], list[Scored]]:
    """Return what `judge` says of each clip, and of each with the next clip's sound; of one clip no such.
    Raises ValueError without clips."""
    if not len(clips):
        raise ValueError("no clips to score: give at least one")
    others = zip(clips, [*clips[1:], *clips[:1]], strict=True) if len(clips) > 1 else ()
    return [judge(c.true, c.found, c.wave) for c in clips], [
        judge(c.true, other.found, other.wave) for c, other in others
    ]


def evaluate_set(clips: Sequence[Clip]) -> Result:
    """Return the mean accuracy over clips, the mean AP in `parts`, beside what the next clip's sound scores
    (`shuffled`, NaN with one clip) and silence. Raises ValueError without clips, and as `evaluate` does."""
    found, shuffled = scored(clips, evaluate)
    return mean_of(
        [f.accuracy for f in found],
        baselines={"silence": 0.0, "shuffled": [f.accuracy for f in shuffled] or float("nan")},
        parts={"AP": float(np.mean([f.ap for f in found]))},
        source=Source(rate=f"{RATE} Hz mono"),
    )


def validate(true: ArrayLike, found: ArrayLike, wave: ArrayLike) -> tuple[Samples, Samples, Wave]:
    """Return the onsets `[n]`, `[m]` as whole samples and the wave as float64 `[N]`. Raises ValueError when a found
    onset lies outside the wave, when one is NaN, or the wave is not one finite channel."""
    level = np.asarray(wave, dtype=np.float64)
    if level.ndim != 1 or not level.size:
        raise ValueError(f"wave has shape {np.shape(wave)}, but must be one channel of samples at 22.05 kHz")
    if not np.isfinite(level).all():
        raise ValueError(f"wave of shape {level.shape} holds NaN or infinity")
    for name, onsets in (("true", true), ("found", found)):
        if np.ndim(onsets) != 1 or not np.isfinite(np.asarray(onsets, dtype=np.float64)).all():
            raise ValueError(
                f"{name} onsets have shape {np.shape(onsets)} or hold NaN: give a list of samples"
            )
    wanted, given = (np.asarray(v, dtype=np.int64) for v in (true, found))
    if given.size and not 0 <= given.min() <= given.max() < level.size:
        raise ValueError(f"onsets reach from {given.min()} to {given.max()}: are they samples at 22.05 kHz?")
    return wanted, given, level


def evaluate(true: ArrayLike, found: ArrayLike, wave: ArrayLike) -> CondFoley:
    """Score onsets `found` `[m]` of the estimated mono `wave` `[N]` against `true` `[n]`, both in samples.

    Raises ValueError when an onset lies outside the wave or the wave is not one channel.
    """
    from sklearn.metrics import average_precision_score

    wanted, given, signed = validate(true, found, wave)
    level = np.abs(signed)
    spread = level.max() - level.min()
    level = (level - level.min()) / spread if spread > 0 else np.zeros_like(level)
    left = suppressed(given, np.array([loudest(level, o) for o in given.tolist()]))
    if not wanted.size or not left:
        return CondFoley(accuracy=0.0, ap=0.0)
    labels: list[int] = []
    scores: list[float] = []
    hits = 0
    for onset in wanted.tolist():
        near = [o for o in left if abs(o - onset) < TOLERANCE_S * RATE]
        labels.append(1)
        if not near:
            scores.append(0.0)
            continue
        taken = near[int(np.argsort([level[o] for o in near])[-1])]
        scores.append(loudest(level, taken))
        left.remove(taken)
        hits += 1
        if not left:
            break
    labels += [0] * len(left)
    scores += [loudest(level, o) for o in left]
    return CondFoley(accuracy=hits / wanted.size, ap=float(average_precision_score(labels, scores)))


def loudest(level: NDArray[np.float64], at: int) -> float:
    """The highest of `level` `[N]` near sample `at`."""
    return float(level[max(0, at - NEAR) : at + NEAR].max())


def suppressed(onsets: NDArray[np.int64], confidence: NDArray[np.float64]) -> list[int]:
    """The onsets that louder neighbours leave, rising; of a row of neighbours every other one is passed by."""
    remaining = onsets.tolist()
    kept = []
    for current in onsets[np.argsort(confidence)[::-1]].tolist():
        if current not in remaining:
            continue
        kept.append(current)
        remaining.remove(current)
        place = 0
        while place < len(remaining):
            if abs(current - remaining[place]) < 0.05 * RATE:
                del remaining[place]  # the next one slips into this place and is not looked at
            place += 1
    return sorted(kept)
