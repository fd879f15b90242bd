"""The ear of weft's audio encoder: mono sound to log-mel power, 100 frames a second.

Conventions: 44.1 kHz; Hann windows of 1,024 samples, hop 441; frame k is centred at (k + 1/2) * 10 ms, so N samples
give floor(N / 441) frames. 64 triangles with peak 1, evenly spaced in HTK mel (2595 log10(1 + f / 700)) over 60 Hz to
20 kHz. Values are dB, floored at -100; a sine of full scale that falls on a triangle's peak reads about +1.8.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from weft.codecs.mel_layout import MelLayout

RATE = 44100
WINDOW, HOP, BANDS = 1024, 441, 64
LOWEST_HZ, HIGHEST_HZ = 60.0, 20000.0
FLOOR_DB = -100.0


@lru_cache(maxsize=1)
def triangles() -> Tensor:
    """The filter bank float32 `[513, 64]`."""
    mel = 2595 * np.log10(1 + np.array([LOWEST_HZ, HIGHEST_HZ]) / 700)
    edges = 700 * (10 ** (np.linspace(mel[0], mel[1], BANDS + 2) / 2595) - 1)
    hertz = np.arange(WINDOW // 2 + 1)[:, None] * RATE / WINDOW
    up = (hertz - edges[:-2]) / np.diff(edges)[:-1]
    down = (edges[2:] - hertz) / np.diff(edges)[1:]
    # Kept for all callers: made in inference mode by the first, it would stop the gradients of the next.
    with torch.inference_mode(False):
        return torch.from_numpy(np.maximum(0, np.minimum(up, down)).astype(np.float32))


def log_mel(wave: Tensor) -> Tensor:
    """Turn mono sound float `[B, N]` at 44.1 kHz, full scale 1, into dB `[B, N // 441, 64]`.

    Raises ValueError for other shapes, fewer than 441 samples, NaN or infinity.
    """
    if wave.ndim != 2 or wave.shape[1] < HOP:
        raise ValueError(
            f"wave has shape {tuple(wave.shape)}, but must be [sounds, samples], 441 samples or more"
        )
    if not bool(torch.isfinite(wave).all()):
        raise ValueError("wave holds NaN or infinity")
    frames = wave.shape[1] // HOP
    left = (WINDOW - HOP) // 2
    padded = F.pad(wave.to(torch.promote_types(wave.dtype, torch.float32)), (left, WINDOW))
    window = torch.hann_window(WINDOW, device=wave.device, dtype=padded.dtype)
    spectrum = torch.stft(padded, WINDOW, HOP, window=window, center=False, return_complex=True)
    power = spectrum[..., :frames].abs().square() * (2 / window.sum()).square()
    return (10 * torch.log10(power.mT @ triangles().to(power) + 1e-10)).clamp_min(FLOOR_DB)


@lru_cache(maxsize=1)
def layout() -> MelLayout:
    """What `log_mel` gives, for `weft.codecs.mel_bridge`: a shorter way to it from a mel spectrogram."""
    return MelLayout(
        rate=RATE,
        fft=WINDOW,
        hop=HOP,
        first=HOP / 2,
        window=torch.hann_window(WINDOW, dtype=torch.float64),
        filters=triangles().T,
        power=2,
        unit="decibel",
        floor=FLOOR_DB,
        gain=4 / WINDOW,
        offset=1e-10,
    )


def add_powers(one: Tensor, other: Tensor) -> Tensor:
    """The dB of two sounds heard together, as if they shared no phase."""
    return 10 * torch.log10(torch.pow(10, one / 10) + torch.pow(10, other / 10))
