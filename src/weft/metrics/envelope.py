"""Loudness over time: does the sound swell and fall when it should.

The value is Pearson's r of two envelopes, -1 to 1; level and lag, which r is blind to, stand beside it.

Conventions: audio `[C, N]` in full-scale units; envelopes are RMS over channels and window, one value per hop of 512
samples (86.1 Hz at 44.1 kHz), value i centred at `i * hop / rate` seconds, zero-padded at both ends.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics import checks
from weft.metrics.result import Result, Source, mean_of

HOP = 512
WINDOW = 1024


def evaluate(estimates: Sequence[ArrayLike], references: Sequence[ArrayLike], rate: int = 44100) -> Result:
    """Return the mean r of the envelopes of clips `[C, N]` and their true sounds, beside silence and the next clip's
    true sound (NaN with one clip; the shorter of the two is filled with silence).

    `parts`: "level error, dB" and "lag, s", means over the clips that have them. Raises ValueError as `validate`.
    """
    sounds = validate(estimates, references)
    made, true = ([rms(pair[side]) for pair in sounds] for side in (0, 1))
    others = [_as_long(other, len(t)) for other, t in zip(true[1:] + true[:1], true, strict=True)]
    clips = list(zip(made, true, strict=True))
    lags = [lag(m, t, step_s=HOP / rate) for m, t in clips if np.ptp(m) and np.ptp(t) and len(t) >= 8]
    return mean_of(
        [correlation(m, t) for m, t in clips],
        baselines={
            "silence": [correlation(np.zeros_like(t), t) for t in true],
            "shuffled": [correlation(o, t) for o, t in zip(others, true, strict=True)]
            if len(true) > 1
            else float("nan"),
        },
        parts={
            "level error, dB": float(np.mean([apart_db(m, t) for m, t in clips])),
            "lag, s": float(np.mean(lags)) if lags else float("nan"),
        },
        source=Source(rate=f"{rate} Hz"),
    )


def validate(
    estimates: Sequence[ArrayLike], references: Sequence[ArrayLike]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return pairs of sounds float64 `[C, N]`. Raises ValueError without clips, with sounds that do not pair, or that
    differ in shape or hold NaN."""
    return checks.pairs(estimates, references)


def rms(audio: ArrayLike, *, hop: int = HOP, window: int = WINDOW) -> NDArray[np.float64]:
    """Return the RMS envelope `[F]`, F = N // hop + 1, of `audio` `[C, N]` (the mean power over channels)."""
    power = np.square(checks.wave(audio)).mean(0)
    n = power.size
    summed = np.concatenate([[0.0], np.cumsum(power)])
    centre = np.arange(n // hop + 1) * hop
    low, high = np.clip(centre - window // 2, 0, n), np.clip(centre + window // 2, 0, n)
    return np.sqrt(np.maximum(summed[high] - summed[low], 0.0) / window)


def correlation(a: ArrayLike, b: ArrayLike) -> float:
    """Return Pearson's r of two envelopes `[F]`; 0 when exactly one is constant, 1 when both are and agree.

    Raises ValueError when the lengths differ.
    """
    x, y = np.asarray(a, float), np.asarray(b, float)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"envelopes have shapes {x.shape} and {y.shape}: resample one to the other")
    x, y = x - x.mean(), y - y.mean()
    scale = np.sqrt((x @ x) * (y @ y))
    if scale < 1e-15:
        return 1.0 if x @ x < 1e-15 and y @ y < 1e-15 and np.allclose(a, b, atol=1e-6) else 0.0
    return float(np.clip(x @ y / scale, -1, 1))


def agreement(estimate: ArrayLike, reference: ArrayLike) -> float:
    """Return r between the RMS envelopes of two sounds `[C, N]` of one length (table row "envelope r")."""
    a, b = checks.pair(estimate, reference)
    return correlation(rms(a), rms(b))


def level_error(estimate: ArrayLike, reference: ArrayLike, *, floor_db: float = -60.0) -> float:
    """Return the mean absolute difference (dB) of the two envelopes, each floored at `floor_db` full scale."""
    a, b = checks.pair(estimate, reference)
    return apart_db(rms(a), rms(b), floor_db=floor_db)


def apart_db(estimate: ArrayLike, reference: ArrayLike, *, floor_db: float = -60.0) -> float:
    """Return the mean absolute difference (dB) of two envelopes `[F]`, each floored at `floor_db` full scale."""
    x, y = np.asarray(estimate), np.asarray(reference)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"envelopes have shapes {x.shape} and {y.shape}: resample one to the other")
    low = 10 ** (floor_db / 20)
    return float(np.abs(20 * np.log10(np.maximum(x, low) / np.maximum(y, low))).mean(dtype=np.float64))


def lag(estimate: ArrayLike, reference: ArrayLike, *, step_s: float, most_s: float = 0.25) -> float:
    """Return by how many seconds the envelope `estimate` trails `reference` (negative: leads).

    The shift within ±`most_s` with the largest correlation of the overlapping parts; 0 wins ties.
    """
    x, y = np.asarray(estimate, float), np.asarray(reference, float)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"envelopes have shapes {x.shape} and {y.shape}: resample one to the other")
    most = min(round(most_s / step_s), x.size - 2)
    best, found = -np.inf, 0
    for shift in sorted(range(-most, most + 1), key=abs):
        left = x[shift:] if shift >= 0 else x[:shift]
        right = y[: x.size - shift] if shift >= 0 else y[-shift:]
        r = correlation(left, right)
        if r > best + 1e-12:
            best, found = r, shift
    return found * step_s


def _as_long(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    return np.pad(values[:length], (0, max(0, length - len(values))))
