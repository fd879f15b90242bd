"""Where the sound sits between the two loudspeakers.

Conventions: stereo audio `[2, N]`, left first. Frames of 1024 samples (23 ms) without overlap. The level difference
(ILD) is right over left in dB, positive to the right, as is pan: -1 left, 0 centre, 1 right. A frame is active when its
level (mean power of both channels) exceeds -50 dB full scale. The value of `evaluate` is Pearson's r of pans heard and
true, -1 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics import checks
from weft.metrics.envelope import correlation
from weft.metrics.interval import HALVES
from weft.metrics.result import Result, whole_of

FRAME = 1024
ACTIVE_DB = -50.0
BLOW_S = 0.05
# A silent channel beside a sounding one counts as 50 dB apart, not infinity.
_EPSILON = 1e-9


def evaluate(heard: Sequence[ArrayLike], true: Sequence[ArrayLike], *, halves: int = HALVES) -> Result:
    """Return r of the pans heard with the true ones, of clips `[n]` each, all clips pooled: a still source has no
    correlation of its own. NaN with fewer than two pans. The baseline `swapped` is r with left and right exchanged;
    sound from the middle scores 0. Raises ValueError without clips, and for pans outside -1..1 or that do not pair.
    """
    if len(heard) != len(true) or not len(true):
        raise ValueError(f"{len(heard)} clips heard do not pair with {len(true)} true ones")
    clips = []
    for index, (a, b) in enumerate(zip(heard, true, strict=True)):
        x, y = (np.asarray(v, dtype=np.float64) for v in (a, b))
        if x.shape != y.shape or x.ndim != 1:
            raise ValueError(
                f"clip {index}: pans have shapes {x.shape} and {y.shape}, but must pair, [n] each"
            )
        for pans in (x, y):
            if pans.size and not np.abs(pans).max() <= 1 + 1e-6:
                raise ValueError(f"clip {index}: pans of shape {pans.shape} reach outside -1..1, or hold NaN")
        clips.append((x, y))
    apart = pan_correlation([(-x, y) for x, y in clips])
    return whole_of(
        clips,
        lambda some: pan_correlation(list(some)),
        halves=halves,
        least=-1.0,
        most=1.0,
        baselines={"mono": 0.0, "swapped": apart},
        parts={"pans": float(sum(len(x) for x, _ in clips))},
    )


def validate(audio: ArrayLike) -> NDArray[np.float64]:
    """Return stereo as float64 `[2, N]`. Raises ValueError for other shapes, one channel, or NaN."""
    wave = checks.wave(audio)
    if wave.shape[0] != 2:
        raise ValueError(
            f"audio has {wave.shape[0]} channel(s), shape {wave.shape}, but a level difference needs two"
        )
    return wave


def frame_power(audio: ArrayLike) -> NDArray[np.float64]:
    """Return the mean power `[2, F]` of each channel and frame; frame i covers [1024 i, 1024 (i + 1)) samples.

    The last, partial frame counts over the samples it has. Raises ValueError unless `audio` is `[2, N]`.
    """
    wave = validate(audio)
    starts = np.arange(0, wave.shape[1], FRAME)
    length = np.diff(np.append(starts, wave.shape[1]))
    return np.add.reduceat(np.square(wave), starts, axis=1) / length


def active(power: NDArray[np.float64], threshold_db: float = ACTIVE_DB) -> NDArray[np.bool_]:
    """Return which frames `[F]` of `power` `[2, F]` are louder than `threshold_db` full scale."""
    return power.mean(0) > 10 ** (threshold_db / 10)


def ild(audio: ArrayLike) -> NDArray[np.float64]:
    """Return the level difference `[F]` in dB, right over left; within ±50 dB for sounds at full scale."""
    left, right = frame_power(audio)
    loud = _EPSILON + 1e-5 * np.maximum(left, right)
    return 10 * np.log10((right + loud) / (left + loud))


def ild_error(estimate: ArrayLike, reference: ArrayLike) -> float:
    """Return the mean absolute ILD difference in dB over the reference's active frames; NaN when there are none."""
    a, b = checks.pair(estimate, reference)
    where = active(frame_power(b))
    return float(np.abs(ild(a) - ild(b))[where].mean()) if where.any() else float("nan")


def pan(audio: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return (pan `[F]` in [-1, 1], active `[F]`) read off the channel levels by the constant-power law.

    A source at pan p plays with amplitudes cos and sin of (p + 1) π / 4, so p = 4 / π · atan2(right, left) - 1.
    """
    power = frame_power(audio)
    amplitude = np.sqrt(power)
    return 4 / np.pi * np.arctan2(amplitude[1], amplitude[0] + 1e-12) - 1, active(power)


def blow_pan(audio: ArrayLike, times: ArrayLike, rate: int = 44100) -> NDArray[np.float64]:
    """Return the pan `[n]` in [-1, 1] of the 50 ms after each of `times` `[n]` (s): what has just been struck is
    loudest then, before the room and what still rings elsewhere take over. Silence reads as the centre."""
    power = _after(audio, times, rate, 0.0, BLOW_S)
    amplitude = np.sqrt(power)
    return np.where(power.any(0), 4 / np.pi * np.arctan2(amplitude[1], amplitude[0] + 1e-12) - 1, 0.0)


def stands_out(audio: ArrayLike, times: ArrayLike, rate: int = 44100) -> NDArray[np.bool_]:
    """Return which of the blows at `times` `[n]` can be placed by ear: louder than -50 dB full scale in the 50 ms
    after them, and by 6 dB than the 20 ms before."""
    after = _after(audio, times, rate, 0.0, BLOW_S).mean(0)
    before = _after(audio, times, rate, -0.025, -0.005).mean(0)
    return (after > 10 ** (ACTIVE_DB / 10)) & (after > 4 * before)


def _after(
    audio: ArrayLike, times: ArrayLike, rate: int, start_s: float, end_s: float
) -> NDArray[np.float64]:
    """Mean power `[2, n]` of each channel from `start_s` to `end_s` after each time; 0 outside the sound."""
    wave, at = validate(audio), checks.times(times, "times")
    total = np.concatenate([np.zeros((2, 1)), np.cumsum(np.square(wave), axis=1)], axis=1)
    low, high = (np.clip(np.round((at + s) * rate).astype(int), 0, wave.shape[1]) for s in (start_s, end_s))
    return (total[:, high] - total[:, low]) / np.maximum(high - low, 1)


def pan_correlation(pairs: list[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> float:
    """Return Pearson's r over the blows of all clips pooled (table row "pan r"); `pairs`: (heard, true pan).

    Pooled because a still source has no correlation of its own. NaN with fewer than two blows.
    """
    heard = np.concatenate([p[0] for p in pairs]) if pairs else np.zeros(0)
    wanted = np.concatenate([p[1] for p in pairs]) if pairs else np.zeros(0)
    return correlation(heard, wanted) if heard.size > 1 else float("nan")
