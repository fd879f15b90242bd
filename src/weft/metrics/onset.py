"""Onsets: finding them in a sound, and scoring times against times.

Conventions: times are seconds. A found onset matches a true one within `tolerance_s` (inclusive), one to one, as
many pairs as possible (mir_eval.onset's rule). With nothing to find and nothing found every score is 1; with only
one of the two empty, 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics import checks
from weft.metrics.result import Result, mean_of


@dataclass(frozen=True, kw_only=True)
class DetectorConfig:
    """How onsets are read off a sound; one setting for every clip.

    Log-mel flux (`n_mels` bands, dB above a fixed `floor_db`, mean over bands of the rise across `lag` frames),
    then peaks: the maximum within `apart_s` on both sides and at least `threshold_db` above the mean of the
    surrounding `mean_s` on each side.
    """

    n_fft: int = 1024
    hop: int = 256
    n_mels: int = 64
    lag: int = 2
    floor_db: float = -60.0
    threshold_db: float = 3.0
    apart_s: float = 0.1
    mean_s: float = 0.3


@dataclass(frozen=True, kw_only=True)
class OnsetScores:
    """Shares in [0, 1], and the counts behind them."""

    precision: float
    recall: float
    f1: float
    matched: int
    found: int
    true: int


def evaluate(
    found: Sequence[ArrayLike],
    true: Sequence[ArrayLike],
    *,
    durations_s: Sequence[float],
    tolerance_s: float = 0.05,
    seed: int = 0,
    draws: int = 10,
) -> Result:
    """Return the mean F1 over clips of onsets `found` `[k]` and `true` `[m]` each, s; precision and recall in `parts`.

    Baselines: `random`, as many onsets at random in the clip, and `shuffled`, the next clip's true onsets (NaN with one
    clip). Raises ValueError as `validate`.
    """
    a, b = validate(found, true, durations_s)
    each = [scores(f, t, tolerance_s) for f, t in zip(a, b, strict=True)]
    rng = np.random.default_rng(seed)
    lucky = [
        chance(f.size, t, s, tolerance_s, rng=rng, draws=draws)
        for f, t, s in zip(a, b, durations_s, strict=True)
    ]
    others = [scores(f, t, tolerance_s).f1 for f, t in zip([*b[1:], *b[:1]], b, strict=True)]
    return mean_of(
        [s.f1 for s in each],
        baselines={"random": lucky, "shuffled": others if len(b) > 1 else float("nan")},
        parts={
            "precision": float(np.mean([s.precision for s in each])),
            "recall": float(np.mean([s.recall for s in each])),
        },
    )


def validate(
    found: Sequence[ArrayLike], true: Sequence[ArrayLike], durations_s: Sequence[float]
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Return each clip's onsets sorted, float64 `[k]` and `[m]`. Raises ValueError without clips, for lists that do not
    pair, times that are not seconds from 0 on, and onsets past the end of their clip."""
    if not len(found) == len(true) == len(durations_s) or not len(found):
        raise ValueError(
            f"{len(found)} found, {len(true)} true and {len(durations_s)} durations: give one each, and some"
        )
    sides: tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]] = ([], [])
    for index, lasts in enumerate(durations_s):
        for side, (name, times) in enumerate((("found", found[index]), ("true", true[index]))):
            late = checks.times(times, f"clip {index}: {name} onsets")
            if late.size and late[-1] > lasts:
                raise ValueError(
                    f"clip {index}: {name} onsets reach {late[-1]:g} s of {lasts:g} s: of another clip?"
                )
            sides[side].append(late)
    return sides


def flux(
    audio: ArrayLike, rate: int = 44100, config: DetectorConfig | None = None
) -> tuple[NDArray[np.float64], float]:
    """Return (onset strength `[F]` in dB per frame lag, seconds per frame) of `audio` `[C, N]`, channels power-summed.

    Frame i is centred at `i * hop / rate`. librosa.onset.onset_strength on a fixed dB scale: nothing is normalised by
    the clip, so one threshold serves all.
    """
    from weft.media.compiled import librosa
    from weft.metrics.spectrum import mel_power

    c = config or DetectorConfig()
    wave = checks.wave(audio)
    lead = c.n_fft // c.hop  # frames of silence before the clip, so that a sound at its very start is a rise
    padded = np.pad(wave, ((0, 0), (lead * c.hop, 0)))
    power = mel_power(padded, rate, n_fft=c.n_fft, hop=c.hop, n_mels=c.n_mels).sum(0)
    level = 10 * np.log10(np.maximum(power, 10 ** (c.floor_db / 10)))
    # onset_strength puts `lag` zeros in front: value i is the rise from frame i - lag to frame i.
    strength = librosa().onset.onset_strength(S=level, sr=rate, hop_length=c.hop, lag=c.lag, center=False)
    strength = np.asarray(strength, dtype=np.float64)[lead:]
    # Windows that reach past the end see a mirrored sound, whose kink is no onset.
    strength[np.arange(strength.size) * c.hop + c.n_fft // 2 > wave.shape[1]] = 0.0
    return strength, c.hop / rate


def detect(
    audio: ArrayLike, rate: int = 44100, config: DetectorConfig | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (times `[n]` s, confidence `[n]` dB above the surroundings) of the onsets in `audio` `[C, N]`."""
    c = config or DetectorConfig()
    strength, step = flux(audio, rate, c)
    return pick(strength, step, threshold=c.threshold_db, apart_s=c.apart_s, mean_s=c.mean_s)


def pick(
    strength: ArrayLike, step_s: float, *, threshold: float, apart_s: float = 0.05, mean_s: float = 0.3
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (times, confidence) of the peaks of a curve sampled every `step_s` from time 0.

    A peak is the largest value within `apart_s` on both sides and exceeds the mean within `mean_s` by `threshold`;
    that excess is its confidence. Of a plateau the first sample counts.
    """
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    curve = np.asarray(strength, dtype=np.float64)
    if curve.ndim != 1 or not np.isfinite(curve).all():
        raise ValueError(f"strength must be finite and one-dimensional, got shape {curve.shape}")
    if curve.size == 0:
        return np.zeros(0), np.zeros(0)
    near = max(round(apart_s / step_s), 1)
    wide = max(round(mean_s / step_s), 1)
    top = curve >= maximum_filter1d(curve, 2 * near + 1, mode="constant", cval=-np.inf)
    excess = curve - uniform_filter1d(curve, 2 * wide + 1, mode="nearest")
    kept: list[int] = []
    for i in np.flatnonzero(top & (excess >= threshold) & (excess > 0)):
        if not kept or i - kept[-1] > near:
            kept.append(int(i))
    return np.asarray(kept, dtype=np.float64) * step_s, excess[kept] if kept else np.zeros(0)


def match(found: ArrayLike, true: ArrayLike, tolerance_s: float = 0.05) -> int:
    """Return how many pairs a largest one-to-one matching within `tolerance_s` has.

    With one tolerance for all, pairing both sorted lists from the left is optimal.
    """
    a, b = checks.times(found, "found onsets"), checks.times(true, "true onsets")
    if not tolerance_s > 0:
        raise ValueError(f"tolerance {tolerance_s} s must be above 0")
    i = j = pairs = 0
    while i < len(a) and j < len(b):
        # Rounded far below a sample, so that 0.05 apart is within 0.05 whatever the floats say.
        apart = round(a[i] - b[j], 10)
        if abs(apart) <= tolerance_s:
            pairs, i, j = pairs + 1, i + 1, j + 1
        elif apart < 0:
            i += 1
        else:
            j += 1
    return pairs


def scores(found: ArrayLike, true: ArrayLike, tolerance_s: float = 0.05) -> OnsetScores:
    """Return precision, recall and F1 of `found` against `true` (both `[n]` seconds)."""
    return _scores(match(found, true, tolerance_s), np.size(found), np.size(true))


def _scores(matched: int, found: int, true: int) -> OnsetScores:
    if found == true == 0:
        return OnsetScores(precision=1.0, recall=1.0, f1=1.0, matched=0, found=0, true=0)
    return OnsetScores(
        precision=matched / found if found else 0.0,
        recall=matched / true if true else 0.0,
        f1=2 * matched / (found + true),
        matched=matched,
        found=found,
        true=true,
    )


def chance(
    count: int,
    true: ArrayLike,
    duration_s: float,
    tolerance_s: float = 0.05,
    *,
    rng: np.random.Generator,
    draws: int = 200,
) -> float:
    """Return the mean F1 of `count` onsets placed uniformly at random in [0, duration_s], over `draws` draws.

    The baseline to print beside an F1: give it the number of onsets the detector found.
    """
    truth = checks.times(true, "true onsets")
    if not duration_s > 0:
        raise ValueError(f"duration {duration_s} s must be above 0")
    if count == 0 or truth.size == 0:
        return scores(np.zeros(count), truth, tolerance_s).f1
    draw = rng.uniform(0, duration_s, (draws, count))
    return float(np.mean([scores(times, truth, tolerance_s).f1 for times in draw]))


def average_precision(
    clips: list[tuple[ArrayLike, ArrayLike, ArrayLike]], tolerance_s: float = 0.05
) -> float:
    """Return the average precision of detections pooled over clips.

    clips: (found times `[n]`, confidence `[n]`, true times `[m]`) each. Detections are taken by falling confidence;
    each claims the nearest true onset of its own clip within the tolerance that nobody has claimed, else it is
    false. AP = the sum over true positives of the precision at that rank, over the number of true onsets (the area
    under the precision-recall steps, not interpolated). 1 with nothing to find and nothing found.

    Raises ValueError when a clip's confidences do not fit its times.
    """
    claimed = []
    for index, (found, confidence, true) in enumerate(clips):
        try:
            claimed.append(claims(found, confidence, true, tolerance_s))
        except ValueError as error:
            raise ValueError(f"clip {index}: {error}") from error
    return pooled_precision(claimed)


@dataclass(frozen=True, kw_only=True)
class Claims:
    """One clip's detections by falling `confidence` `[n]`: which are `right` `[n]`; `true` counts its onsets."""

    confidence: NDArray[np.float64]
    right: NDArray[np.bool_]
    true: int


def claims(found: ArrayLike, confidence: ArrayLike, true: ArrayLike, tolerance_s: float = 0.05) -> Claims:
    """Let each detection of a clip, by falling confidence, claim the nearest true onset within reach that is free.

    Raises ValueError when the confidences do not fit the times or one is NaN.
    """
    at, sure = np.asarray(found, float).reshape(-1), np.asarray(confidence, float).reshape(-1)
    if at.shape != sure.shape:
        raise ValueError(f"{at.size} onsets but {sure.size} confidences")
    checks.times(at, "found onsets")
    if np.isnan(sure).any():
        raise ValueError("a confidence is NaN")
    free = checks.times(true, "true onsets").copy()
    order = np.lexsort((at, -sure))
    right = np.zeros(at.size, bool)
    for rank, t in enumerate(at[order]):
        apart = np.abs(free - t)
        if apart.size and round(float(apart.min()), 10) <= tolerance_s:
            free = np.delete(free, apart.argmin())
            right[rank] = True
    return Claims(confidence=sure[order], right=right, true=int(np.size(true)))


def pooled_precision(clips: Sequence[Claims]) -> float:
    """Return the average precision over the detections of all `clips`; of equal confidences the earlier clip leads."""
    total = sum(c.true for c in clips)
    found = sum(c.right.size for c in clips)
    if total == 0:
        return 1.0 if not found else 0.0
    if not found:
        return 0.0
    order = np.argsort(-np.concatenate([c.confidence for c in clips]), kind="stable")
    right = np.concatenate([c.right for c in clips])[order]
    return float((np.cumsum(right) / np.arange(1, found + 1))[right].sum() / total)
