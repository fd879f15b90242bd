"""What MMAudio's codecs hear: log-mel magnitudes, as BigVGAN was trained on them.

Slaney's mel scale and areas from 0 Hz to half the rate; Hann windows as long as the transform; frame k is centred on
sample (k + 1/2) hop, the ends of the sound mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from weft.codecs.stft_vae import mel_corners, mel_matrix

_POWER_FLOOR, _FLOOR = 1e-9, 1e-5


@dataclass(frozen=True, kw_only=True)
class MelFront:
    """`rate` in Hz; `fft` and `hop` in samples; `bands`; `log`: of the magnitudes, natural or to the base 10."""

    rate: int
    fft: int
    hop: int
    bands: int
    log: Literal["natural", "decimal"]


MEL_FRONT_16K = MelFront(rate=16000, fft=1024, hop=256, bands=80, log="decimal")
MEL_FRONT_44K = MelFront(rate=44100, fft=2048, hop=512, bands=128, log="natural")


@cache
def triangles(front: MelFront) -> Tensor:
    """Return filters `[bands, fft // 2 + 1]` of equal area (`librosa.filters.mel`'s); shared, do not write into it."""
    with torch.inference_mode(False):  # what is kept must serve gradients later, whoever asks first
        corners = mel_corners(front.bands, front.rate)
        area = (2 / (corners[2:] - corners[:-2]))[:, None]
        return (mel_matrix(front.rate, front.fft, front.bands) * area).float()


def log_mel(wave: Tensor, front: MelFront) -> Tensor:
    """Turn mono sound `[B, N]`, cut to -1..1, into log-mel magnitudes `[B, bands, N // hop]`, at least log 1e-5.

    Raises ValueError for another shape, or fewer samples than must be mirrored at an end.
    """
    edge = (front.fft - front.hop) // 2
    if wave.ndim != 2 or wave.shape[1] <= edge:
        raise ValueError(f"wave must be [sounds, more than {edge} samples], not {list(wave.shape)}")
    padded = F.pad(wave.clamp(-1, 1)[:, None], (edge, edge), mode="reflect")[:, 0]
    window = torch.hann_window(front.fft, dtype=wave.dtype, device=wave.device)
    spectrum = torch.stft(padded, front.fft, front.hop, window=window, center=False, return_complex=True)
    magnitude = torch.sqrt(torch.view_as_real(spectrum).square().sum(-1) + _POWER_FLOOR)
    mel = (triangles(front).to(wave) @ magnitude).clamp_min(_FLOOR)
    return mel.log() if front.log == "natural" else mel.log10()
