"""From the mel spectrogram that a codec decodes to the one that an ear hears, without a vocoder and with gradients.

Both are linear in a sound's power as far as it is noise: a band takes of each frequency what its filter and its window
let through. So a fixed map of bands, non-negative least squares from one bank's responses to the other's, gives the
powers of one from those of the other; logarithms and the step from magnitudes to powers are undone and done around it.
In time frames pass by linear interpolation; then, where the codec's window is the longer, a few of Richardson's and
Lucy's steps (1972, 1974) take back what it smears: powers stay powers, and their sum stays. Nothing is fitted to any
sound.

What is lost: what is much shorter than the codec's window stays smeared; of a band of magnitudes that holds one line
and not noise too little power is read (7 dB of a tone at 3 kHz); what the vocoder itself would add or leave out is not
heard.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls
from torch import Tensor, nn

from weft.codecs.mel_layout import PER_NEPER, MelLayout

SPACING_HZ = 10.0
"""Frequencies at which responses are compared."""
_MOST = 15.0  # natural logarithm of the loudest magnitude that is passed on: squares stay finite in float32
_SILENT = 1e-18  # power below what any ear reads: silence is left as it is
_RAYLEIGH = 4 / math.pi
"""Mean power over squared mean magnitude of noise in a bin: a Rayleigh distribution's."""

SHARPENING = 4
"""Steps against the smear: on real clips the first brought two thirds of what eight bring, four nearly all."""


class MelBridge(nn.Module):
    """Log-mel `[B, M, bands]` of layout `source` to `[B, F, bands']` of layout `target`, for sounds of M frames."""

    areas: Tensor
    bands: Tensor

    def __init__(self, source: MelLayout, target: MelLayout) -> None:
        """Raises ValueError for a target of magnitudes, or a source and a target that share no frequency."""
        super().__init__()
        if target.power != 2:
            raise ValueError("a bridge leads to a spectrogram of powers, not of magnitudes")
        self.source, self.target = source, target
        self.register_buffer("bands", torch.from_numpy(band_map(source, target)), persistent=False)
        areas = source.filters.double().sum(1) * source.gain
        self.register_buffer("areas", areas.log(), persistent=False)
        apart = length(source) ** 2 - length(target) ** 2
        self.smear = math.sqrt(apart) if apart > 0 else 0.0

    def forward(self, mel: Tensor) -> Tensor:
        """Differentiable; of floats of any size. Raises ValueError for another shape, or a sound too short for a
        frame."""
        source, target = self.source, self.target
        if mel.ndim != 3 or mel.shape[2] != source.bands or not mel.shape[1]:
            raise ValueError(f"mel must be [sounds, frames, {source.bands}], not {list(mel.shape)}")
        level = mel / PER_NEPER[source.unit]
        if source.power == 1:
            power = (2 * (level - self.areas.to(mel)).clamp_max(_MOST)).exp() * _RAYLEIGH
        else:
            power = level.clamp_max(2 * _MOST).exp()
        heard = self._in_time(power @ self.bands.to(mel).T) + target.offset
        least = math.exp(target.floor / PER_NEPER[target.unit])
        return heard.clamp_min(least).log() * PER_NEPER[target.unit]

    def _in_time(self, power: Tensor) -> Tensor:
        """Frames of the source's times `[B, M, F]` at the target's."""
        source, target = self.source, self.target
        count = power.shape[1]
        seconds = ((count - 1) * source.hop + 2 * source.first) / source.rate
        frames = target.frames(seconds * target.rate)
        if frames < 1:
            raise ValueError(f"{seconds:.3f} s of sound are too short for a frame")
        times = (target.first + np.arange(frames) * target.hop) / target.rate
        at = np.clip((times * source.rate - source.first) / source.hop, 0, count - 1)
        before = np.minimum(np.floor(at + 1e-6), max(0, count - 2)).astype(np.int64)
        share = torch.from_numpy(at - before).to(power)[:, None]
        left = torch.from_numpy(before).to(power.device)
        found = torch.lerp(power[:, left], power[:, (left + 1).clamp_max(count - 1)], share)
        if self.smear == 0:
            return found
        here = (source.first + np.arange(count) * source.hop) / source.rate
        return sharpened(
            found, power, torch.from_numpy(_normal((here[:, None] - times) / self.smear)).to(power)
        )


def sharpened(found: Tensor, smeared: Tensor, kernel: Tensor) -> Tensor:
    """Powers `[B, F, K]` that the kernel `[M, F]`, its rows of sum 1, turns into about `smeared` `[B, M, K]`, from a
    first guess `found`: a few of Richardson's and Lucy's steps, each a ratio of powers spread back."""
    share = kernel.sum(0)[:, None]
    for _ in range(SHARPENING):
        found = found * (kernel.T @ ((smeared + _SILENT) / (kernel @ found + _SILENT)) / share)
    return found


def length(layout: MelLayout) -> float:
    """Deviation in seconds of where in a frame its power comes from: of the window's square."""
    weight = layout.window.double().numpy() ** 2
    at = np.arange(len(weight)) / layout.rate
    middle = (weight * at).sum() / weight.sum()
    return math.sqrt((weight * (at - middle) ** 2).sum() / weight.sum())


def _normal(away: NDArray[np.float64]) -> NDArray[np.float64]:
    """A normal curve over the columns of each row, of sum 1."""
    nearest = np.abs(away).min(1, keepdims=True)
    weight = np.exp(-0.5 * (away**2 - nearest**2))
    return weight / weight.sum(1, keepdims=True)


def band_map(source: MelLayout, target: MelLayout) -> np.ndarray:
    """The map [bands', bands] >= 0 from powers in the source's bands to those in the target's: least squares between
    responses over the frequencies that the source knows, each row scaled so that white noise comes out right."""
    hertz = np.arange(0.0, source.rate / 2, SPACING_HZ, dtype=np.float64)
    given, wanted = source.response(hertz), target.response(hertz)
    # The same least squares in as many equations as there are bands, not frequencies.
    turn, small = np.linalg.qr(given.T / given.max())
    found = np.zeros((len(wanted), len(given)))
    for row, response in zip(found, wanted, strict=True):
        if response.max() > 0:
            row[:], _ = nnls(small, turn.T @ (response / response.max()))
            total = (row @ given).sum()
            row *= response.sum() / total if total > 0 else 0.0
    if not found.any():
        raise ValueError("these spectrograms share no frequency")
    return found
