"""Guidance terms that combine predictions. One convention: `uncond + scale * (cond - uncond)`, so scale 1
is off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

Predict = Callable[[Tensor, Tensor], Tensor]
"""Called as `predict(z, t)`: mixture [B, ...] and time [B] to the network's prediction, z's shape."""


class Combination(Protocol):
    """A guidance term: it says which predictions it needs, by name, and makes one of them."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The predictions it may ask for."""
        ...

    def at(self, t: float) -> Combination:
        """The term as it stands at time t, 0 noise to 1 data; it may need fewer predictions."""
        ...

    def __call__(self, predictions: Mapping[str, Tensor]) -> Tensor: ...


@dataclass(frozen=True, kw_only=True)
class ClassifierFree:
    """Classifier-free guidance (Ho & Salimans 2022, eq. 6). A negative prompt takes the place of
    `uncond`'s text.

    scale: 1 is off. since: it is off before this time, 0 noise to 1 data (Kynkäänniemi et al. 2024: in the noise
    it drives samples out of what was learnt). rescale: how far the spread of each item's prediction is brought back to
    that of `cond`, 0 not at all, 1 wholly (Lin et al. 2023, eqs. 14-16). Raises ValueError outside 0..1.
    """

    scale: float = 1.0
    since: float = 0.0
    rescale: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.since <= 1:
            raise ValueError(f"guidance since {self.since}; give a time from 0 (noise) to 1 (data)")
        if not 0 <= self.rescale <= 1:
            raise ValueError(f"guidance rescaled by {self.rescale}; give 0 (not) to 1 (wholly)")

    @property
    def needs(self) -> tuple[str, ...]:
        return ("cond",) if self.scale == 1 else ("cond", "uncond")

    def at(self, t: float) -> ClassifierFree:
        return ClassifierFree() if t < self.since else ClassifierFree(scale=self.scale, rescale=self.rescale)

    def __call__(self, predictions: Mapping[str, Tensor]) -> Tensor:
        if self.scale == 1:
            return predictions["cond"]
        led = predictions["uncond"] + self.scale * (predictions["cond"] - predictions["uncond"])
        if not self.rescale:
            return led
        return led * (1 - self.rescale + self.rescale * _spread(predictions["cond"]) / _spread(led))


def _spread(prediction: Tensor) -> Tensor:
    """The standard deviation of each item `[B, ...]`, shaped to multiply it; never 0."""
    spread = prediction.flatten(1).std(1).clamp_min(1e-8)
    return spread.reshape(-1, *[1] * (prediction.dim() - 1))


def alike(t: Tensor) -> bool:
    """Whether times [B] are one time, as a sampler expands it over its batch: without a stride."""
    return t.numel() == 1 or not any(t.stride())


def standing(term: Combination, t: Tensor) -> Combination:
    """The term at times [B]. Raises ValueError where it is another for some of them."""
    moments = t.flatten()[:1] if alike(t) else t.flatten()
    first, *others = {term.at(moment) for moment in moments.tolist()}
    if others:
        raise ValueError("guidance is one for all items of a batch, and at these times it is not")
    return first


def guided(term: Combination, predict: Mapping[str, Predict]) -> Predict:
    """One prediction function out of several. Raises KeyError when `predict` lacks one that `term` needs."""
    missing = [name for name in term.needs if name not in predict]
    if missing:
        raise KeyError(f"{type(term).__name__} needs {', '.join(missing)}; given {', '.join(predict)}")

    def combined(z: Tensor, t: Tensor) -> Tensor:
        now = standing(term, t)
        return now({name: predict[name](z, t) for name in now.needs})

    return combined
