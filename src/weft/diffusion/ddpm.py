"""Denoising diffusion with a table of noise levels, for networks that predict the noise or v, on the house's time.

Ho et al. 2020 (eq. 4): z = √ᾱ x0 + √(1 - ᾱ) ε, ᾱ the running product of 1 - β. Salimans & Ho 2022: v = √ᾱ ε -
√(1 - ᾱ) x0. The one sampler's step on it is DDIM's with η = 0 (Song et al. 2021, eq. 12).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Prediction = Literal["eps", "v"]


@dataclass(frozen=True, kw_only=True)
class NoiseSchedule:
    """The βs of training. `scaled`: evenly spaced in their square roots, else in themselves."""

    levels: int = 1000
    first: float = 0.0015
    last: float = 0.0195
    scaled: bool = True


AUDIO_LDM = NoiseSchedule()
"""AudioLDM's (Liu et al. 2023), as its published scheduler has it."""


class Ddpm:
    """A `Process` whose times are levels of a table: level k of K has t = (K - 1 - k) / K, so that t = 0 is the
    noisiest and t = 1, one beyond level 0, is data. A time between two levels is taken at the nearest.

    predicts: what the network gives. offset: added to the sampler's levels, which are a whole number K // n apart.
    to_data: whether the sampler's last step ends in data (ᾱ = 1); else at level 0, as AudioLDM's does.
    """

    def __init__(
        self,
        schedule: NoiseSchedule = AUDIO_LDM,
        *,
        predicts: Prediction = "eps",
        offset: int = 1,
        to_data: bool = False,
    ) -> None:
        if predicts not in ("eps", "v"):
            raise ValueError(f"a network that predicts {predicts!r} is unknown: choose eps or v")
        if not 0 < schedule.first <= schedule.last < 1 or schedule.levels < 1:
            raise ValueError(f"{schedule} is no schedule: 1 level or more, betas rising within 0..1")
        self.schedule, self.predicts, self.offset, self.to_data = schedule, predicts, offset, to_data
        power = 2 if schedule.scaled else 1
        ends = (schedule.first ** (1 / power), schedule.last ** (1 / power))
        betas = torch.linspace(*ends, schedule.levels, dtype=torch.float64) ** power
        self._kept = torch.cat([torch.ones(1, dtype=torch.float64), (1 - betas).cumprod(0)])

    def level(self, t: Tensor) -> Tensor:
        """The table's level `[B]` int64 at times `[B]`, K - 1 .. 0: what the network is told; -1 is data."""
        k = self.schedule.levels
        return (k - 1 - t.double() * k).round().long().clamp(-1, k - 1)

    def alpha_bar(self, t: Tensor) -> Tensor:
        """ᾱ `[B]` float64 at times `[B]`: the share of the data's power in the mixture."""
        return self._kept.to(t.device)[self.level(t) + 1]

    def noise(self, x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        signal, noise = self._parts(x0, t)
        return signal * x0 + noise * eps

    def target(self, x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        signal, noise = self._parts(x0, t)
        return eps if self.predicts == "eps" else signal * eps - noise * x0

    def x0(self, z: Tensor, t: Tensor, out: Tensor) -> Tensor:
        signal, noise = self._parts(z, t)
        return (z - noise * out) / signal if self.predicts == "eps" else signal * z - noise * out

    def eps(self, z: Tensor, t: Tensor, out: Tensor) -> Tensor:
        signal, noise = self._parts(z, t)
        return out if self.predicts == "eps" else noise * z + signal * out

    def timesteps(self, n: int) -> Tensor:
        """n + 1 times: n levels K // n apart, down to `offset`, then the end. Raises ValueError beyond 1..K steps."""
        k = self.schedule.levels
        if not 1 <= n <= k:
            raise ValueError(f"{n} sampler steps; this schedule has 1 to {k}")
        levels = torch.arange(n - 1, -1, -1) * (k // n) + self.offset
        levels = torch.cat([levels.clamp(max=k - 1), torch.tensor([-1 if self.to_data else 0])])
        return (k - 1 - levels).float() / k

    def _parts(self, like: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """√ᾱ and √(1 - ᾱ), each `[B, 1, ...]` in the type of `like`."""
        kept = self.alpha_bar(t).reshape(-1, *[1] * (like.dim() - 1))
        return kept.sqrt().to(like), (1 - kept).sqrt().to(like)
