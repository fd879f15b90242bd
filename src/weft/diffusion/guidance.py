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
    def needs(self) -> tuple[str, ...]: ...

    def __call__(self, predictions: Mapping[str, Tensor]) -> Tensor: ...


@dataclass(frozen=True, kw_only=True)
class ClassifierFree:
    """Classifier-free guidance (Ho & Salimans 2022, eq. 6). A negative prompt takes the place of
    `uncond`'s text.
    """

    scale: float = 1.0

    @property
    def needs(self) -> tuple[str, ...]:
        return ("cond",) if self.scale == 1 else ("cond", "uncond")

    def __call__(self, predictions: Mapping[str, Tensor]) -> Tensor:
        if self.scale == 1:
            return predictions["cond"]
        return predictions["uncond"] + self.scale * (predictions["cond"] - predictions["uncond"])


def guided(term: Combination, predict: Mapping[str, Predict]) -> Predict:
    """One prediction function out of several. Raises KeyError when `predict` lacks one that `term` needs."""
    missing = [name for name in term.needs if name not in predict]
    if missing:
        raise KeyError(f"{type(term).__name__} needs {', '.join(missing)}; given {', '.join(predict)}")

    def combined(z: Tensor, t: Tensor) -> Tensor:
        return term({name: predict[name](z, t) for name in term.needs})

    return combined
