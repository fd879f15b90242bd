"""What is done to the encoders' examples: other microphones and rooms, other cameras and lights, and spoilt sounds."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from weft.encoders.eye import CHANNELS
from weft.encoders.log_mel import BANDS, FLOOR_DB, HIGHEST_HZ, LOWEST_HZ, add_powers, triangles


def altered(mel: Tensor, generator: torch.Generator) -> Tensor:
    """Sounds `[B, F, 64]`, dB, as other microphones and rooms would give them: level, tilt, a bed of noise."""
    b = len(mel)
    device = mel.device

    def even(low: float, high: float) -> Tensor:
        drawn = torch.rand(b, 1, 1, generator=generator, device=device)
        return low + (high - low) * drawn

    band = torch.linspace(-1, 1, BANDS, device=device)
    width = 10 * torch.log10(triangles().sum(0).to(device))
    loudest = mel.amax((1, 2), keepdim=True)
    bed = loudest - even(20, 45) + (width - width.max()) + even(-6, 3) * band
    some = even(0, 1)[:, 0, 0] < 0.35
    uneven = 3 * torch.randn((int(some.sum()), *mel.shape[1:]), generator=generator, device=device)
    noisy = mel.clone()
    noisy[some] = add_powers(mel[some], bed[some] + uneven)
    return (noisy + even(-10, 6) + even(-4, 4) * band).clamp_min(FLOOR_DB)


def spoilt(mel: Tensor, generator: torch.Generator) -> Tensor:
    """Sounds `[B, F, 64]`, dB, spoilt: white noise at -5 to 25 dB under their mean power, or a low-pass of 36 dB an
    octave from 1 to 8 kHz."""
    b, device = len(mel), mel.device
    drawn = torch.rand(3, b, 1, 1, generator=generator, device=device)
    width = triangles().sum(0).to(device)
    power = torch.pow(10, mel / 10).sum(2, keepdim=True).mean(1, keepdim=True)
    white = 10 * torch.log10(power * width / width.sum()) + 5 - 30 * drawn[0]
    uneven = 3 * torch.randn(mel.shape, generator=generator, device=device)
    edges = 2595 * np.log10(1 + np.array([LOWEST_HZ, HIGHEST_HZ]) / 700)
    at = torch.linspace(float(edges[0]), float(edges[1]), BANDS + 2, device=device)[1:-1]
    hertz = 700 * (torch.pow(10, at / 2595) - 1)
    octaves = (torch.log2(hertz / 1000) - 3 * drawn[1]).clamp_min(0)
    made = torch.where(drawn[2] < 0.5, add_powers(mel, white + uneven), mel - 36 * octaves)
    return made.clamp_min(FLOOR_DB)


def changed(cells: np.ndarray, rng: np.random.Generator, *, mirrored: bool | None = None) -> np.ndarray:
    """The cells `[S, 9, 9, 12]` of a film, float32, as another camera would have them: mirrored (None: half the time),
    other light, contrast and colours."""
    if mirrored is None:
        mirrored = bool(rng.random() < 0.5)
    out = cells[..., ::-1] if mirrored else cells
    contrast = rng.uniform(0.7, 1.3)
    gain = np.full(CHANNELS, contrast)
    gain[:3] *= rng.uniform(0.9, 1.1, 3)
    light = np.zeros(CHANNELS)
    light[:3] = rng.uniform(-0.1, 0.1) + 0.5 * (1 - gain[:3])
    made = out * gain[:, None, None].astype(np.float32) + light[:, None, None].astype(np.float32)
    made[:, :3] = np.clip(made[:, :3], 0, 1)
    return made.astype(np.float32)


def lit(pictures: np.ndarray, rng: np.random.Generator, *, mirrored: bool) -> np.ndarray:
    """Pictures uint8 `[N, H, W, 3]` in another light, contrast and white, float32 `[N, 3, H, W]` in 0..1."""
    out = pictures[:, :, ::-1] if mirrored else pictures
    gain = rng.uniform(0.8, 1.25) * rng.uniform(0.94, 1.06, 3)
    light = rng.uniform(-0.1, 0.1) + 0.5 * (1 - gain)
    made = np.clip(out.astype(np.float32) * (gain / 255).astype(np.float32) + light.astype(np.float32), 0, 1)
    return np.ascontiguousarray(np.moveaxis(made, -1, 1))
