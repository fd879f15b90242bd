"""How far two spectra are apart, in dB.

Conventions: audio `[C, N]`; Hann window 2048, hop 512, centred, reflected at the ends; 64 mel bands
(`librosa.filters.mel(norm=None)`, Slaney's scale); 0 dB is a full-scale sine (its power summed over bins), the
floor -90 dB. An error is a mean absolute difference in dB.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics import checks
from weft.metrics.result import Result, Source, mean_of

FLOOR_DB = -90.0
ACTIVE_DB = -60.0


def evaluate(estimates: Sequence[ArrayLike], references: Sequence[ArrayLike], rate: int = 44100) -> Result:
    """Return the mean `mel_error` of clips `[C, N]` and their true sounds, beside silence and the next clip's true
    sound (NaN with one clip; cut or filled with silence). `parts`: "where it sounds", the mean `mel_error_active`.
    Raises ValueError as `validate`."""
    sounds = validate(estimates, references)
    made, true = ([mel_db(pair[side], rate) for pair in sounds] for side in (0, 1))
    others = [
        _as_long(o, t.shape) if len(o) == len(t) else np.full_like(t, np.nan)
        for o, t in zip(true[1:] + true[:1], true, strict=True)
    ]
    active = [_apart(m, t, t > ACTIVE_DB) for m, t in zip(made, true, strict=True) if (t > ACTIVE_DB).any()]
    return mean_of(
        [_apart(m, t) for m, t in zip(made, true, strict=True)],
        baselines={
            "silence": [_apart(np.full_like(t, FLOOR_DB), t) for t in true],
            "shuffled": [_apart(o, t) for o, t in zip(others, true, strict=True)]
            if len(true) > 1
            else float("nan"),
        },
        parts={"where it sounds": float(np.mean(active)) if active else float("nan")},
        source=Source(rate=f"{rate} Hz"),
    )


def validate(
    estimates: Sequence[ArrayLike], references: Sequence[ArrayLike]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return pairs of sounds float64 `[C, N]`. Raises ValueError without clips, with sounds that do not pair, or that
    differ in shape or hold NaN."""
    return checks.pairs(estimates, references)


@lru_cache(maxsize=8)
def _bank(rate: int, n_fft: int, n_mels: int) -> NDArray[np.float32]:
    from weft.media.compiled import librosa

    return librosa().filters.mel(sr=rate, n_fft=n_fft, n_mels=n_mels, norm=None).astype(np.float32)


def mel_power(
    audio: ArrayLike, rate: int = 44100, *, n_fft: int = 2048, hop: int = 512, n_mels: int = 64
) -> NDArray[np.float64]:
    """Return mel power `[C, n_mels, F]`, F = N // hop + 1; a full-scale sine sums to about 1 over bands."""
    from scipy.fft import rfft

    wave = checks.wave(audio).astype(np.float32)
    half = n_fft // 2
    padded = np.pad(wave, ((0, 0), (half, half)), mode="reflect" if wave.shape[1] > half else "constant")
    window = np.hanning(n_fft + 1)[:-1].astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft, axis=1)[:, ::hop]
    scale = 1.0 / (np.square(window).sum() * n_fft / 4)
    bank = _bank(rate, n_fft, n_mels)
    out = np.empty((wave.shape[0], n_mels, frames.shape[1]))
    for start in range(0, frames.shape[1], 512):
        spectrum = rfft(frames[:, start : start + 512] * window, axis=-1)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        out[..., start : start + 512] = np.swapaxes(power @ bank.T, 1, 2) * scale
    return out


def mel_db(audio: ArrayLike, rate: int = 44100, *, floor_db: float = FLOOR_DB) -> NDArray[np.float64]:
    """Return the log-mel spectrogram `[C, 64, F]` in dB, no lower than `floor_db`."""
    return 10 * np.log10(np.maximum(mel_power(audio, rate), 10 ** (floor_db / 10)))


def mel_error(estimate: ArrayLike, reference: ArrayLike, rate: int = 44100) -> float:
    """Return the mean absolute difference (dB) of the log-mel spectrograms, silent frames included.

    The table's "mel error". Raises ValueError when the sounds differ in shape.
    """
    a, b = checks.pair(estimate, reference)
    return _apart(mel_db(a, rate), mel_db(b, rate))


def mel_error_active(estimate: ArrayLike, reference: ArrayLike, rate: int = 44100) -> float:
    """Return the same over bins where the reference exceeds -60 dB; NaN when none does.

    Stricter than `mel_error`: silence, which anyone gets right, does not dilute it.
    """
    a, b = checks.pair(estimate, reference)
    true = mel_db(b, rate)
    where = true > ACTIVE_DB
    return _apart(mel_db(a, rate), true, where) if where.any() else float("nan")


def _apart(a: NDArray[np.float64], b: NDArray[np.float64], where: NDArray[np.bool_] | None = None) -> float:
    far = np.abs(a - b)
    return float((far if where is None else far[where]).mean())


def _as_long(db: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    short = max(0, shape[-1] - db.shape[-1])
    return np.pad(db[..., : shape[-1]], ((0, 0), (0, 0), (0, short)), constant_values=FLOOR_DB)
