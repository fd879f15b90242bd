"""What a sound is by itself: loudness, peaks, clipping, silence, width, noisiness. No reference is needed.

Conventions: audio `[C, N]` in full-scale units, levels in dB of it. Silence is judged in windows of 50 ms without
overlap, by the mean power over channels. Loudness and true peak are those of ITU-R BS.1770-4. `evaluate` describes one
sound, `evaluate_set` the sounds of a set, each number with its interval over clips.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.media.loudness import true_peak_db
from weft.metrics import checks
from weft.metrics.result import Result, Source, mean_of

WINDOW_S = 0.05
SILENCE_DB = -60.0
CLIPPED = 0.999
RUN = 3
_LOUDNESS_S = 0.4  # the gating block of BS.1770: shorter sounds have no loudness
_FFT = 2048
_BAND = (50.0, 16000.0)


@dataclass(frozen=True, kw_only=True)
class Sound:
    """`lufs` integrated loudness, -inf for silence and NaN under 0.4 s; `true_peak_db` dBTP; `clipped` the share of
    samples in runs of 3 and more at full scale; `silent` the share of windows under -60 dB; `tail_s` the silence at
    the end, s; `width` 0 mono, 0.5 unrelated channels, 1 opposite, NaN for one channel or silence; `flatness` 0 a
    tone, 1 white noise, NaN for silence."""

    lufs: float
    true_peak_db: float
    clipped: float
    silent: float
    tail_s: float
    width: float
    flatness: float


def evaluate(audio: ArrayLike, rate: int = 44100) -> Sound:
    """Describe `audio` `[C, N]`. Raises ValueError as `validate`."""
    wave = validate(audio, rate)
    size = max(1, round(WINDOW_S * rate))
    quiet = _quiet(wave, size)
    last = np.flatnonzero(~quiet)
    heard = min((int(last[-1]) + 1) * size, wave.shape[1]) if last.size else 0
    return Sound(
        lufs=loudness(wave, rate),
        true_peak_db=true_peak_db(wave),
        clipped=clipped(wave),
        silent=float(quiet.mean()),
        tail_s=(wave.shape[1] - heard) / rate,
        width=width(wave),
        flatness=flatness(wave, rate),
    )


def evaluate_set(
    sounds: Sequence[ArrayLike], rate: int = 44100, *, references: Sequence[ArrayLike] = ()
) -> dict[str, Result]:
    """Return the mean of each number of `Sound` over n sounds `[C, N]`, by its name; what the references score, where
    given, is the baseline `reference`. Sounds without a number (silence, one channel) are left out of its mean.

    Raises ValueError without sounds, and as `evaluate` does.
    """
    if not len(sounds):
        raise ValueError("no sounds to describe: give at least one")
    made = [vars(evaluate(wave, rate)) for wave in sounds]
    true = [vars(evaluate(wave, rate)) for wave in references]
    out = {}
    for name in made[0]:
        rest = np.array([t[name] for t in true])
        known = rest[np.isfinite(rest)]
        out[name] = mean_of(
            [m[name] for m in made],
            baselines={"reference": float(known.mean()) if known.size else float("nan")} if true else {},
            source=Source(rate=f"{rate} Hz"),
        )
    return out


def validate(audio: ArrayLike, rate: int = 44100) -> NDArray[np.float64]:
    """Return `audio` as float64 `[C, N]`. Raises ValueError for other shapes, NaN, or a rate that is not positive."""
    if not rate > 0:
        raise ValueError(f"rate {rate} must be above 0 Hz")
    return checks.wave(audio)


def loudness(audio: ArrayLike, rate: int = 44100) -> float:
    """Return the integrated loudness in LUFS of `audio` `[C, N]`; -inf for silence, NaN for less than 0.4 s."""
    import pyloudnorm

    wave = checks.wave(audio)
    if wave.shape[1] < _LOUDNESS_S * rate:
        return float("nan")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the logarithm of silence
        return float(pyloudnorm.Meter(rate).integrated_loudness(wave.T))


def clipped(audio: ArrayLike) -> float:
    """Return the share of samples that stand in runs of at least 3 at full scale (0.999 and above)."""
    wave = checks.wave(audio)
    full = np.pad(np.abs(wave) >= CLIPPED, ((0, 0), (1, 1))).astype(np.int8)
    count = 0
    for channel in full:
        edges = np.diff(channel)
        runs = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
        count += int(runs[runs >= RUN].sum())
    return count / wave.size


def width(audio: ArrayLike) -> float:
    """Return side over mid plus side power of stereo `[2, N]`; NaN for one channel or silence."""
    wave = checks.wave(audio)
    if wave.shape[0] != 2:
        return float("nan")
    mid, side = (float(np.square(wave[0] + sign * wave[1]).sum()) for sign in (1, -1))
    return side / (mid + side) if mid + side > 0 else float("nan")


def flatness(audio: ArrayLike, rate: int = 44100) -> float:
    """Return the spectral flatness, the geometric over the arithmetic mean of power from 50 Hz to 16 kHz (or to half
    the rate), of the mean spectrum of the windows of 2048 samples that are not silent; NaN when all are."""
    wave = checks.wave(audio)
    frames = np.pad(wave, ((0, 0), (0, -wave.shape[1] % _FFT))).reshape(len(wave), -1, _FFT)
    frames = frames[:, np.square(frames).mean((0, 2)) > 10 ** (SILENCE_DB / 10)]
    if not frames.size:
        return float("nan")
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(_FFT), axis=2))).mean((0, 1))
    hertz = np.fft.rfftfreq(_FFT, 1 / rate)
    band = power[(hertz >= _BAND[0]) & (hertz <= _BAND[1])] + 1e-20
    return float(np.exp(np.log(band).mean()) / band.mean())


def _quiet(wave: NDArray[np.float64], size: int) -> NDArray[np.bool_]:
    starts = np.arange(0, wave.shape[1], size)
    power = np.add.reduceat(np.square(wave).mean(0), starts) / np.diff(np.append(starts, wave.shape[1]))
    return np.asarray(power <= 10 ** (SILENCE_DB / 10))
