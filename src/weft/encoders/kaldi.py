"""Kaldi's log mel filter bank, the front end of AST, BEATs and ImageBind (there through torchaudio's port of it).

Frames begin at sample 0 and lie whole inside the sound (Kaldi's snip_edges); no dither, so nothing is random.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from weft.encoders.mel import filters_in_mel

Window = Literal["povey", "hanning"]


def fbank(
    wave: Tensor,
    *,
    rate: int,
    n_mels: int,
    window: Window = "povey",
    frame_s: float = 0.025,
    hop_s: float = 0.01,
    fmin: float = 20.0,
    fmax: float | None = None,
    preemphasis: float = 0.97,
) -> Tensor:
    """Return log mel energies `[..., T, n_mels]` of `wave` `[..., N]`, T = 1 + (N - frame) // hop.

    Each frame loses its mean, is pre-emphasised x[n] - 0.97 x[n-1], windowed (symmetric Hann, or that to the
    power .85, "povey") and padded to a power of two; energies below float32's epsilon
    are raised to it. The wave's scale is kept: where a network was trained on 16-bit numbers, multiply by 2^15 first.
    Raises ValueError when the sound is shorter than a frame.
    """
    n, hop = round(rate * frame_s), round(rate * hop_s)
    if wave.shape[-1] < n:
        raise ValueError(f"{wave.shape[-1]} samples are fewer than a frame's {n}")
    frames = wave.unfold(-1, n, hop)
    frames = frames - frames.mean(-1, keepdim=True)
    before = F.pad(
        frames[..., :-1], (1, 0)
    )  # what stands before the first sample is lost: the window begins at 0
    shape = torch.hann_window(n, periodic=False, dtype=wave.dtype, device=wave.device)
    shape = shape**0.85 if window == "povey" else shape
    n_fft = 1 << (n - 1).bit_length()
    power = torch.fft.rfft(F.pad((frames - preemphasis * before) * shape, (0, n_fft - n))).abs().square()
    weights = filters_in_mel(
        rate=rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=rate / 2 if fmax is None else fmax
    )
    return (power @ weights.to(wave).T).clamp_min(torch.finfo(torch.float32).eps).log()
