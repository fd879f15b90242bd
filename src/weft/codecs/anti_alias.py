"""Snake activations whose new overtones do not fold back: computed at twice the rate, between two low-pass filters.

BigVGAN (Lee et al. 2023, arXiv:2206.04658, section 3.2), after StyleGAN3. The filter is a sinc of 12 taps under
Kaiser's window, cut at a quarter of the doubled rate. The doubled signal is never interleaved: its even and its odd
samples are two signals of the given rate, each a sum of six shifted inputs.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

Snake = Literal["snake", "snakebeta"]

TAPS = 12
CACHED = 1 << 16  # samples whose whole activation, some five copies of them, stays in a core's cache
_CUTOFF, _HALF_WIDTH = 0.25, 0.3  # of the doubled rate
_REACH = 3  # input samples on either side that the doubled signal depends on, and so again on the way back


def kaiser_sinc(taps: int = TAPS, cutoff: float = _CUTOFF, half_width: float = _HALF_WIDTH) -> Tensor:
    """Return a low-pass filter `[taps]` with sum 1; `cutoff` and half the width of its slope in cycles a sample.

    An ideal low-pass under Kaiser's window: his estimate of the attenuation that these taps reach at this slope
    (Oppenheim & Schafer, section 7.6) gives the window's shape.
    """
    attenuation_db = 2.285 * (taps // 2 - 1) * math.pi * 4 * half_width + 7.95
    if attenuation_db > 50:
        shape = 0.1102 * (attenuation_db - 8.7)
    elif attenuation_db >= 21:
        shape = 0.5842 * (attenuation_db - 21) ** 0.4 + 0.07886 * (attenuation_db - 21)
    else:
        shape = 0.0
    at = np.arange(taps) - (taps - 1) / 2
    ideal = 2 * cutoff * np.sinc(2 * cutoff * at) * np.kaiser(taps, shape)
    return torch.from_numpy((ideal / ideal.sum()).astype(np.float32))


class AntiAliased(nn.Module):
    """A snake activation `[B, C, N]` to same, each channel with its own alpha (and beta), both as logarithms."""

    def __init__(self, channels: int, kind: Snake) -> None:
        super().__init__()
        self.act = _Snake(channels, kind)
        self.upsample = _Filter()
        self.downsample = nn.ModuleDict({"lowpass": _Filter()})

    def forward(self, x: Tensor) -> Tensor:
        """The ends are continued by their own value, before doubling and before halving. Half precision is computed in
        float32 and given back as it came."""
        rate, depth = self.act.coefficients()
        if x.requires_grad or rate.requires_grad or x.device.type != "cpu":
            return self._of(x, rate, depth)
        # So few channels at once that all of it stays in the processor's cache.
        some = max(1, CACHED // x.shape[-1])
        out = torch.empty_like(x)
        for c in range(0, x.shape[1], some):
            out[:, c : c + some] = self._of(x[:, c : c + some], rate[c : c + some], depth[c : c + some])
        return out

    def _of(self, x: Tensor, rate: Tensor, depth: Tensor) -> Tensor:
        low: nn.Module = self.downsample["lowpass"]
        assert isinstance(low, _Filter)
        even, odd = _double(x.to(torch.promote_types(x.dtype, torch.float32)), self.upsample.filter)
        return _halve(snake(even, rate, depth), snake(odd, rate, depth), low.filter).to(x.dtype)


class _Filter(nn.Module):
    """The published files hold every filter; what they hold is what is used."""

    filter: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("filter", kaiser_sinc()[None, None])


class _Snake(nn.Module):
    """x + sin(a x)^2 / b (Ziyin et al. 2020); snake: b = a, snakebeta: b of its own."""

    def __init__(self, channels: int, kind: Snake) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.zeros(channels)) if kind == "snakebeta" else None

    def coefficients(self) -> tuple[Tensor, Tensor]:
        """a and 1 / b of each channel, `[C, 1]`."""
        rate = self.alpha.exp()[:, None]
        return rate, 1 / ((rate if self.beta is None else self.beta.exp()[:, None]) + 1e-9)


def snake(x: Tensor, rate: Tensor, depth: Tensor) -> Tensor:
    """x + sin(rate x)^2 depth of `[B, C, N]`, `rate` and `depth` `[C, 1]`."""
    wave = x * rate
    if wave.requires_grad:
        return x + wave.sin().square() * depth
    # In place: on a CPU, a fresh page of memory costs more than the sine.
    return wave.sin_().square_().mul_(depth).add_(x)


def _weighted(x: Tensor, start: int, count: int, taps: Tensor) -> Tensor:
    """Sum of `taps[i] * x[..., start + i : start + i + count]`."""
    total = x[..., start : start + count] * taps[0]
    for i in range(1, len(taps)):
        total.addcmul_(x[..., start + i : start + i + count], taps[i])
    return total


def _double(x: Tensor, taps: Tensor) -> tuple[Tensor, Tensor]:
    """`[B, C, N]` to the even and the odd samples of the signal at twice the rate, each `[B, C, N]`."""
    count = x.shape[-1]
    padded = F.pad(x, (_REACH, _REACH), mode="replicate")
    back = 2 * taps.flatten().flip(0)
    return _weighted(padded, 0, count, back[0::2]), _weighted(padded, 1, count, back[1::2])


def _halve(even: Tensor, odd: Tensor, taps: Tensor) -> Tensor:
    """The even and odd samples of a signal, each `[B, C, N]`, filtered and brought to half the rate, `[B, C, N]`."""
    count = even.shape[-1]
    first, last = even[..., :1], odd[..., -1:]
    less, more = (-1, -1, _REACH - 1), (-1, -1, _REACH)
    even = torch.cat([first.expand(less), even, last.expand(more)], -1)
    odd = torch.cat([first.expand(more), odd, last.expand(less)], -1)
    flat = taps.flatten()
    return _weighted(even, 0, count, flat[1::2]).add_(_weighted(odd, 0, count, flat[0::2]))
