"""The log-mel front end as layers, because PANNs' and both CLAPs' files carry its matrices among their weights.

The Fourier transform is a convolution with windowed cosines and sines, as in those files, so what a file says is what
is computed; the values they begin with are those of librosa's power spectrogram in decibels.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weft.encoders.mel import filters


class PowerSpectrum(nn.Module):
    """Waves `[B, N]` to power `[B, T, n_fft // 2 + 1]`, T = 1 + N // hop: periodic Hann, frames centred, ends
    mirrored. Keys: `stft.conv_real.weight`, `stft.conv_imag.weight`."""

    def __init__(self, n_fft: int, hop: int) -> None:
        super().__init__()
        self.n_fft = n_fft
        bins = n_fft // 2 + 1
        real, imag = (nn.Conv1d(1, bins, n_fft, hop, bias=False) for _ in range(2))
        window = np.hanning(n_fft + 1)[:-1]
        phase = np.outer(np.arange(bins), np.arange(n_fft)) % n_fft * (2 * np.pi / n_fft)
        with torch.no_grad():
            real.weight.copy_(torch.from_numpy(np.cos(phase) * window)[:, None])
            imag.weight.copy_(torch.from_numpy(-np.sin(phase) * window)[:, None])
        self.stft = nn.ModuleDict({"conv_real": real, "conv_imag": imag})
        self.requires_grad_(False)

    def forward(self, wave: Tensor) -> Tensor:
        padded = F.pad(wave[:, None], (self.n_fft // 2, self.n_fft // 2), mode="reflect")
        real, imag = (conv(padded) for conv in self.stft.values())
        return (real.square() + imag.square()).transpose(1, 2)


class LogMelFilters(nn.Module):
    """Power `[B, T, F]` to mel decibels `[B, T, M]`, nothing below -100 dB. Key: `melW` `[F, M]`."""

    def __init__(self, *, rate: int, n_fft: int, n_mels: int, fmin: float, fmax: float) -> None:
        super().__init__()
        weights = filters(rate=rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax)
        self.melW = nn.Parameter(weights.T.contiguous(), requires_grad=False)

    def forward(self, power: Tensor) -> Tensor:
        return 10 * (power @ self.melW).clamp_min(1e-10).log10()
