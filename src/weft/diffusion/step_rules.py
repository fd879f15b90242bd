"""How far to move along a gradient: three rules, each for a batch of independent items.

A rule is called as `rule(u, value)` with a variable u [B, ...] and `value`, the loss [B] of each item at any u; it
gives back the moved u. An item whose loss or gradient is not finite stays where it is. Nothing is changed in place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Value = Callable[[Tensor], Tensor]
"""Called as `value(u)`: variable [B, ...] to the loss [B] of each item."""


class StepRule(Protocol):
    def __call__(self, u: Tensor, value: Value) -> Tensor: ...


@dataclass(frozen=True, kw_only=True)
class FreshAdam:
    """`times` steps of an Adam (Kingma & Ba 2015) that knows nothing before the first: Seeing & Hearing's and MDG's.

    Its first step is `rate` times the sign of the gradient, whatever the loss is scaled by, except where a gradient
    comes down to `eps`.
    """

    rate: float = 0.1
    times: int = 1
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8

    def __call__(self, u: Tensor, value: Value) -> Tensor:
        mean, power = torch.zeros_like(u), torch.zeros_like(u)
        for k in range(1, self.times + 1):
            _, slope = slope_of(u, value)
            mean = self.betas[0] * mean + (1 - self.betas[0]) * slope
            power = self.betas[1] * power + (1 - self.betas[1]) * slope.square()
            spread = (power / (1 - self.betas[1] ** k)).sqrt()
            u = u - self.rate * (mean / (1 - self.betas[0] ** k)) / (spread + self.eps)
        return u


@dataclass(frozen=True, kw_only=True)
class NormalisedGradient:
    """`times` steps down the gradient, each of root mean square `rate` over an item's elements."""

    rate: float = 0.1
    times: int = 1

    def __call__(self, u: Tensor, value: Value) -> Tensor:
        for _ in range(self.times):
            u = u - self.rate * unit_rms(slope_of(u, value)[1])
        return u


@dataclass(frozen=True, kw_only=True)
class LineSearch:
    """As `NormalisedGradient`, but a step that would not lower an item's loss is halved, at most `halvings` times, and
    then not made: no item's loss rises."""

    rate: float = 0.1
    times: int = 1
    halvings: int = 3

    def __call__(self, u: Tensor, value: Value) -> Tensor:
        for _ in range(self.times):
            loss, slope = slope_of(u, value)
            way = unit_rms(slope)
            length = torch.full_like(loss, self.rate, dtype=u.dtype)
            open_ = torch.ones_like(loss, dtype=torch.bool)
            for _ in range(self.halvings + 1):
                trial = u - _like(length, u) * way
                open_ = open_ & ~(value(trial).detach() < loss)  # NaN is not lower
                if not bool(open_.any()):
                    break
                length = torch.where(open_, length / 2, length)
            u = u - _like(torch.where(open_, torch.zeros_like(length), length), u) * way
        return u


def slope_of(u: Tensor, value: Value) -> tuple[Tensor, Tensor]:
    """The loss [B] and its gradient, u's shape; zeros for an item whose loss or gradient is not finite."""
    with torch.enable_grad():
        leaf = u.detach().requires_grad_()
        loss = value(leaf)
        (slope,) = torch.autograd.grad(loss.sum(), leaf)
    fine = torch.isfinite(loss) & torch.isfinite(slope).flatten(1).all(1)
    return loss.detach(), torch.where(_like(fine, slope), slope, torch.zeros_like(slope))


def unit_rms(slope: Tensor) -> Tensor:
    """A gradient [B, ...] scaled to root mean square 1 an item; zeros stay zeros."""
    # Divided by the largest element first: the squares of a gradient of 1e-25 are zero in float32.
    top = _like(slope.flatten(1).abs().amax(1), slope)
    even = slope / torch.where(top > 0, top, torch.ones_like(top))
    rms = _like(even.flatten(1).square().mean(1).sqrt(), slope)
    return even / torch.where(rms > 0, rms, torch.ones_like(rms))


def _like(values: Tensor, u: Tensor) -> Tensor:
    """[B] -> [B, 1, ...] to broadcast against u."""
    return values.reshape(-1, *[1] * (u.dim() - 1))
