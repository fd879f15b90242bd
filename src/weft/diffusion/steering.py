"""Gradient guidance: between two steps of the sampler the mixture is pushed so that the data it implies scores better.

Seeing & Hearing (Xing et al. 2024) and MDG (Grassucci et al. 2025, Algorithm 1) are settings of it. The score is any
differentiable function of the data estimate; by default the network's prediction is a constant and no gradient runs
through the network. It works on every process, and on what any combination term made of the predictions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import torch
from torch import Tensor

from weft.diffusion.guidance import Predict
from weft.diffusion.process import Process
from weft.diffusion.step_rules import LineSearch, StepRule


@dataclass(frozen=True, kw_only=True)
class Window:
    """Which of the sampler's n steps are guided: those whose number i, from 0, has start·n <= i < stop·n, every
    `every`-th of them from the first. `beyond`: only i > int(start·n), as the references count."""

    start: float = 0.2
    stop: float = 0.85
    every: int = 1
    beyond: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop <= 1:
            raise ValueError(f"guidance from {self.start} to {self.stop}: give 0 <= start < stop <= 1")
        if self.every < 1:
            raise ValueError(f"guidance every {self.every} steps; give 1 or more")

    def steps(self, n: int) -> range:
        """The numbers of the guided steps."""
        first = int(self.start * n) + 1 if self.beyond else math.ceil(self.start * n - 1e-9)
        return range(first, math.ceil(self.stop * n - 1e-9), self.every)


@dataclass(frozen=True, kw_only=True)
class Score:
    """What an objective says of a batch: `loss` [B], to be lowered, and named `readings` [B] to be recorded."""

    loss: Tensor
    readings: Mapping[str, Tensor]


class Objective(Protocol):
    """A differentiable judgement of data estimates, each item by itself."""

    def __call__(self, x0: Tensor, step: int) -> Score:
        """Score data estimates `x0` [B, ...] at sampler step `step`, which may name random choices."""
        ...


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Where the sampler stands when it asks for a push: step `step` of `steps`, from mixture `before` at time `now` [B]
    to mixture `z` at time `then` [B], by the prediction `out` of `predict`."""

    step: int
    steps: int
    process: Process
    before: Tensor
    now: Tensor
    then: Tensor
    out: Tensor
    z: Tensor
    predict: Predict


Steer = Callable[[Moment], Tensor]
"""What a sampler takes: it gives back the mixture at `then`."""


@dataclass(frozen=True, kw_only=True)
class Guided:
    """The record of one guided step: its number, its time after the step, the objective's readings [B] of the data
    estimate before the push, and the root mean square [B] of what the push changed in the mixture."""

    step: int
    then: float
    readings: Mapping[str, tuple[float, ...]]
    moved: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Steering:
    """Gradient guidance as a `Steer`. Its pushes compose with classifier-free guidance, which made the prediction.

    on: what the rule moves: the "mixture", as published, or the "data" estimate, where a step means the same at every
    time; for Adam's signs the two differ by √ᾱ in length.
    level: the time at which the noise is taken out of the new mixture: its own ("exact") or that of the mixture it came
    from, as in the reference's code ("reference": it overrates the data, by a fifth at its first guided step).
    through: differentiate through the network too, at one more pass forward and one back (Chung et al. 2023). The
    estimate is then of the mixture before the step, and the push is added after it.
    """

    objective: Objective
    rule: StepRule = field(default_factory=LineSearch)
    window: Window = Window()
    on: Literal["mixture", "data"] = "data"
    level: Literal["exact", "reference"] = "exact"
    through: bool = False
    on_guided: Callable[[Guided], None] | None = None

    def __post_init__(self) -> None:
        if self.on == "data" and (self.through or self.level == "reference"):
            raise ValueError(
                'guidance through the network, or at the reference\'s level, moves the "mixture"'
            )

    def __call__(self, at: Moment) -> Tensor:
        """The mixture at `at.then`, pushed where the step is a guided one. Raises ValueError where the mixture the
        reference's level belongs to is noise alone."""
        if at.step not in self.window.steps(at.steps):
            return at.z
        eps = at.process.eps(at.before, at.now, at.out)
        time = at.now if self.level == "reference" else at.then
        seen: list[Score] = []

        def value(x0: Tensor) -> Tensor:
            score = self.objective(x0, at.step)
            if not seen:
                seen.append(score)
            return score.loss

        if self.through:

            def of_before(before: Tensor) -> Tensor:
                return value(at.process.x0(before, at.now, at.predict(before, at.now).to(before.dtype)))

            z = at.z + (self.rule(at.before, of_before) - at.before)
        elif self.on == "data":
            x0 = data_of(at.process, at.z, time, eps)
            z = at.process.noise(self.rule(x0, value), eps, at.then)
        else:
            z = self.rule(at.z, lambda z: value(data_of(at.process, z, time, eps)))
        if self.on_guided is not None:
            self.on_guided(_record(at, z, seen[0]))
        return z


def data_of(process: Process, z: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    """The data in a mixture z at times t [B] whose noise is `eps`. Raises ValueError where there is none in it."""
    signal = process.noise(z.new_ones(len(z)), z.new_zeros(len(z)), t)
    if bool((signal <= 0).any()):
        raise ValueError("the mixture holds no data at t = 0: begin to guide a step later")
    lean = process.noise(torch.zeros_like(z), eps, t)
    return (z - lean) / signal.reshape(-1, *[1] * (z.dim() - 1))


def _record(at: Moment, z: Tensor, score: Score) -> Guided:
    moved = (z - at.z).flatten(1).square().mean(1).sqrt()
    readings = {k: tuple(v.detach().double().tolist()) for k, v in score.readings.items()}
    return Guided(step=at.step, then=float(at.then[0]), readings=readings, moved=tuple(moved.tolist()))
