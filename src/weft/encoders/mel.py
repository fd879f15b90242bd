"""Mel spectrograms as torch code, each in the form that some published network was trained on.

Triangles come in two forms. `filters`: straight in Hz, librosa's and torchaudio's (one formula, both scales, both
norms). `filters_in_mel`: straight in mel, the HTK form of Kaldi, TensorFlow and VGGish. Filters are computed in float64
and returned as float32.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

Scale = Literal["slaney", "htk"]
Norm = Literal["slaney"] | None
Pad = Literal["constant", "reflect"]

_LINEAR_HZ, _LINEAR_TOP = (
    200 / 3,
    1000.0,
)  # Slaney's scale: linear below 1 kHz, 27 steps for a factor of 6.4 above
_LOG_STEP = np.log(6.4) / 27


def hz_to_mel(hz: np.ndarray | float, scale: Scale) -> np.ndarray:
    """Return the mel of frequencies in Hz: "htk" 2595 lg(1 + f/700), "slaney" that of the Auditory Toolbox."""
    f = np.asarray(hz, dtype=np.float64)
    if scale == "htk":
        return 2595 * np.log10(1 + f / 700)
    above = _LINEAR_TOP / _LINEAR_HZ + np.log(np.maximum(f, _LINEAR_TOP) / _LINEAR_TOP) / _LOG_STEP
    return np.where(f < _LINEAR_TOP, f / _LINEAR_HZ, above)


def mel_to_hz(mel: np.ndarray, scale: Scale) -> np.ndarray:
    """Return the frequencies in Hz of mels: the inverse of `hz_to_mel`."""
    if scale == "htk":
        return 700 * (10 ** (mel / 2595) - 1)
    above = _LINEAR_TOP * np.exp(_LOG_STEP * (mel - _LINEAR_TOP / _LINEAR_HZ))
    return np.where(mel < _LINEAR_TOP / _LINEAR_HZ, mel * _LINEAR_HZ, above)


@lru_cache(maxsize=32)
def filters(
    *,
    rate: int,
    n_fft: int,
    n_mels: int,
    fmin: float,
    fmax: float,
    scale: Scale = "slaney",
    norm: Norm = "slaney",
) -> Tensor:
    """Return triangles straight in Hz, `[n_mels, n_fft // 2 + 1]`; shared, so do not write into it.

    The defaults are `librosa.filters.mel`'s; `scale="htk", norm=None` are torchaudio's MelScale's. norm "slaney"
    gives each triangle the same area. Raises ValueError unless 0 <= fmin < fmax <= rate / 2.
    """
    _check_band(fmin, fmax, rate)
    edges = mel_to_hz(np.linspace(hz_to_mel(fmin, scale), hz_to_mel(fmax, scale), n_mels + 2), scale)
    hz = np.linspace(0, rate / 2, n_fft // 2 + 1)
    rise = (hz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - hz) / np.diff(edges)[1:, None]
    weights = np.maximum(0, np.minimum(rise, fall))
    if norm == "slaney":
        weights *= (2 / (edges[2:] - edges[:-2]))[:, None]
    return torch.from_numpy(weights.astype(np.float32))


@lru_cache(maxsize=32)
def filters_in_mel(*, rate: int, n_fft: int, n_mels: int, fmin: float, fmax: float) -> Tensor:
    """Return triangles straight in mel = 1127 ln(1 + f/700), peak 1, `[n_mels, n_fft // 2 + 1]`; shared, so do not
    write into it. The bin at 0 Hz has no weight. Raises ValueError unless 0 <= fmin < fmax <= rate / 2."""
    _check_band(fmin, fmax, rate)

    def mel(hz: np.ndarray | float) -> np.ndarray:
        return np.asarray(1127 * np.log1p(np.asarray(hz) / 700))

    edges = np.linspace(mel(fmin), mel(fmax), n_mels + 2)[:, None]
    at = mel(np.linspace(0, rate / 2, n_fft // 2 + 1))
    rise, fall = (
        (at - edges[:-2]) / np.diff(edges[:-1], axis=0),
        (edges[2:] - at) / np.diff(edges[1:], axis=0),
    )
    weights = np.maximum(0, np.minimum(rise, fall))
    weights[:, 0] = 0
    return torch.from_numpy(weights.astype(np.float32))


def spectrogram(
    wave: Tensor, *, n_fft: int, hop: int, win: int | None = None, power: float = 2.0, pad: Pad = "reflect"
) -> Tensor:
    """Return |STFT|^power `[..., n_fft // 2 + 1, 1 + N // hop]` of `wave` `[..., N]`: periodic Hann, frames centred.

    `win` samples of the `n_fft` are looked at (all, where it is None); the ends are mirrored ("reflect", torchaudio's
    default) or silent ("constant", librosa's). Raises ValueError for a sound too short to be mirrored.
    """
    n = wave.shape[-1]
    if pad == "reflect" and n <= n_fft // 2:
        raise ValueError(f"{n} samples are too few to mirror {n_fft // 2} at either end")
    window = torch.hann_window(win or n_fft, dtype=wave.dtype, device=wave.device)
    flat = F.pad(wave.reshape(-1, 1, n), (n_fft // 2, n_fft // 2), mode=pad)[:, 0]
    spec = torch.stft(flat, n_fft, hop, win or n_fft, window, center=False, return_complex=True)
    return spec.abs().pow(power).reshape(*wave.shape[:-1], *spec.shape[-2:])


def mel_spectrogram(
    wave: Tensor,
    *,
    rate: int,
    n_fft: int,
    hop: int,
    n_mels: int,
    fmin: float = 0.0,
    fmax: float | None = None,
    win: int | None = None,
    power: float = 2.0,
    scale: Scale = "slaney",
    norm: Norm = "slaney",
    pad: Pad = "constant",
) -> Tensor:
    """Return the mel spectrogram `[..., n_mels, T]` of `wave` `[..., N]`; `fmax` None is half the rate.

    The defaults are `librosa.feature.melspectrogram`'s; with `scale="htk", norm=None, pad="reflect"` it is
    torchaudio's MelSpectrogram as it stands.
    """
    weights = filters(
        rate=rate,
        n_fft=n_fft,
        n_mels=n_mels,
        fmin=fmin,
        fmax=rate / 2 if fmax is None else fmax,
        scale=scale,
        norm=norm,
    )
    return weights.to(wave) @ spectrogram(wave, n_fft=n_fft, hop=hop, win=win, power=power, pad=pad)


def _check_band(fmin: float, fmax: float, rate: int) -> None:
    if not 0 <= fmin < fmax <= rate / 2:
        raise ValueError(f"band {fmin:g} to {fmax:g} Hz must lie within 0 to {rate / 2:g} Hz, half the rate")
