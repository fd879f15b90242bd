"""How data and noise are mixed, and what a network predicts about the mixture.

One time direction everywhere: t = 0 is noise, t = 1 is data.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Process(Protocol):
    """A path from noise to data. `t` is [B] in 0..1, tensors are [B, ...]; `out` is what the network
    predicted.
    """

    def noise(self, x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """The mixture z of data `x0` and noise `eps` at time t."""
        ...

    def target(self, x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """What the network should predict at z = noise(x0, eps, t)."""
        ...

    def x0(self, z: Tensor, t: Tensor, out: Tensor) -> Tensor:
        """The data that `out` implies."""
        ...

    def eps(self, z: Tensor, t: Tensor, out: Tensor) -> Tensor:
        """The noise that `out` implies."""
        ...

    def timesteps(self, n: int) -> Tensor:
        """n + 1 times from noise to data for n sampler steps."""
        ...


class RectifiedFlow:
    """Straight paths z = (1 - t) eps + t x0 whose velocity x0 - eps the network predicts (Liu et al. 2022,
    eq. 1).
    """

    def noise(self, x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        return eps + _like(t, x0) * (x0 - eps)

    def target(self, x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        return x0 - eps

    def x0(self, z: Tensor, t: Tensor, out: Tensor) -> Tensor:
        return z + (1 - _like(t, z)) * out

    def eps(self, z: Tensor, t: Tensor, out: Tensor) -> Tensor:
        return z - _like(t, z) * out

    def timesteps(self, n: int) -> Tensor:
        return torch.linspace(0, 1, n + 1)


def _like(t: Tensor, x: Tensor) -> Tensor:
    """[B] -> [B, 1, ...] to broadcast against x."""
    return t.reshape(-1, *[1] * (x.dim() - 1))
