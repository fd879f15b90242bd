"""Mel front ends of published sound encoders: Kaldi's log filter banks, and the mel spectrogram of torchaudio.

Both are written from their definitions over `torch.fft`; neither needs torchaudio. Sound is float, about -1..1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

_PREEMPHASIS = 0.97
_SMALLEST = torch.finfo(torch.float32).eps


def kaldi_fbank(wave: Tensor, rate: int = 16000, bands: int = 128) -> Tensor:
    """Return the log filter-bank energies `[T, bands]` of mono sound `[N]` at `rate` Hz, as Kaldi computes them.

    Windows of 25 ms every 10 ms, whole ones only: each loses its mean, is pre-emphasised (0.97) and weighted by a
    symmetric Hann window; power spectrum at the next power of two; triangles even in mel from 20 Hz to half the rate;
    natural logarithm, floored at the smallest float32 step. No dither, no energy column. Raises ValueError when the
    sound is shorter than one window.
    """
    length, hop = rate * 25 // 1000, rate // 100
    if wave.dim() != 1 or len(wave) < length:
        raise ValueError(
            f"a filter bank needs mono sound [N] of at least {length} samples, not {list(wave.shape)}"
        )
    frames = wave.float().unfold(0, length, hop)
    frames = frames - frames.mean(1, keepdim=True)
    before = torch.cat([frames[:, :1], frames[:, :-1]], 1)
    frames = (frames - _PREEMPHASIS * before) * torch.hann_window(length, periodic=False)
    size = 2 ** math.ceil(math.log2(length))
    power = torch.fft.rfft(frames, size).abs().square()
    return (power @ _kaldi_triangles(rate, size, bands)).clamp_min(_SMALLEST).log()


def _kaldi_triangles(rate: int, size: int, bands: int) -> Tensor:
    """Return `[size / 2 + 1, bands]`: triangles with straight sides in mel; the bin at half the rate has none."""
    mel = 1127 * torch.log1p(torch.arange(size // 2 + 1, dtype=torch.float64) * rate / size / 700)
    low, high = (1127 * math.log1p(f / 700) for f in (20, rate / 2))
    edges = torch.linspace(low, high, bands + 2, dtype=torch.float64)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rise, fall = (mel[:, None] - left) / (centre - left), (right - mel[:, None]) / (right - centre)
    triangles = torch.minimum(rise, fall).clamp_min(0)
    triangles[-1] = 0
    return triangles.float()


def mel_power(wave: Tensor, rate: int = 16000, *, size: int, length: int, hop: int, bands: int) -> Tensor:
    """Return the mel power spectrogram `[..., bands, 1 + N // hop]` of `[..., N]`.

    Periodic Hann window of `length` samples in an FFT of `size`, centred, the ends reflected; triangles straight in
    hertz, even on the HTK mel scale from 0 to half the rate, not normalised: the defaults of torchaudio's
    MelSpectrogram.
    """
    flat = wave.reshape(-1, wave.shape[-1])
    spectrum = torch.stft(
        flat,
        size,
        hop,
        length,
        torch.hann_window(length),
        center=True,
        pad_mode="reflect",
        return_complex=True,
    )
    mel = htk_triangles(rate, size, bands).T @ spectrum.abs().square()
    return mel.reshape(*wave.shape[:-1], *mel.shape[-2:])


def htk_triangles(rate: int, size: int, bands: int) -> Tensor:
    """Return `[size / 2 + 1, bands]`: triangles straight in hertz, their corners even on the HTK mel scale."""
    hertz = torch.linspace(0, rate / 2, size // 2 + 1, dtype=torch.float64)
    mel = torch.linspace(0, 2595 * math.log10(1 + rate / 2 / 700), bands + 2, dtype=torch.float64)
    edges = 700 * (10 ** (mel / 2595) - 1)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rise, fall = (hertz[:, None] - left) / (centre - left), (right - hertz[:, None]) / (right - centre)
    return torch.minimum(rise, fall).clamp_min(0).float()
