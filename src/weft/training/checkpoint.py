"""What a training run keeps: its checkpoint, whole or not at all, and the averages of its weights."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from weft.training.averages import Averages
from weft.training.muon import Muon

CHECKPOINT = "checkpoint.pt"


class Averaging(Protocol):
    """What a loop's settings say of averages; see `weft.training.loop.LoopConfig`."""

    @property
    def ema(self) -> float | None: ...

    @property
    def averages(self) -> tuple[float, ...]: ...

    @property
    def average_every(self) -> int: ...


def ema_weights(folder: Path) -> dict[str, Tensor]:
    """Return the moving average of the weights from the checkpoint in `folder`, on the CPU."""
    return dict(torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)["ema"])


@dataclass(kw_only=True)
class Kept:
    """The averages that go with a run, in the process that writes its files."""

    ema: dict[str, Tensor] | None
    averages: Averages | None

    @classmethod
    def of(cls, module: nn.Module, config: Averaging, *, first: bool) -> Kept:
        state = module.state_dict().items()
        ema = {k: v.detach().clone() for k, v in state} if config.ema is not None and first else None
        posthoc = Averages.of(module, config.averages, config.average_every) if config.averages else None
        return cls(ema=ema, averages=posthoc if first else None)

    def update(self, module: nn.Module, at: int, config: Averaging) -> None:
        """Take in the module after step `at` (0, 1, ...)."""
        if self.ema is not None and config.ema is not None:
            _average(self.ema, module, min(config.ema, (1 + at) / (10 + at)))
        if self.averages is not None:
            self.averages.update(module, at + 1)


@torch.no_grad()
def _average(ema: dict[str, Tensor], module: nn.Module, decay: float) -> None:
    """Move `ema` towards the module's state: by `1 - decay` for real tensors, wholly for counters."""
    for key, value in module.state_dict().items():
        if value.is_floating_point():
            ema[key].lerp_(value, 1 - decay)
        else:
            ema[key].copy_(value)


def save(
    path: Path,
    module: nn.Module,
    optimiser: torch.optim.Optimizer | Muon,
    kept: Kept,
    generator: torch.Generator,
    counters: tuple[int, float, int],
) -> None:
    state = {
        "model": module.state_dict(),
        "optimiser": optimiser.state_dict(),
        "ema": kept.ema or {},
        "averages": [] if kept.averages is None else kept.averages.tensors,
        "generator": generator.get_state(),
        "counters": counters,
        "torch_rng": torch.get_rng_state(),  # dropout inside modules draws from it
        "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    aside = path.with_suffix(".part")
    with aside.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def restore(
    path: Path,
    module: nn.Module,
    optimiser: torch.optim.Optimizer | Muon,
    kept: Kept,
    generator: torch.Generator,
) -> tuple[int, float, int]:
    state = torch.load(path, map_location="cpu", weights_only=True)
    module.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    if kept.ema is not None:
        for key, value in state["ema"].items():
            kept.ema[key].copy_(value)
    if kept.averages is not None:
        kept.averages.load(state["averages"])
    generator.set_state(state["generator"])
    torch.set_rng_state(state["torch_rng"])
    if torch.cuda.is_available() and state["cuda_rng"]:
        torch.cuda.set_rng_state_all(state["cuda_rng"])
    step, minutes, skipped = state["counters"]
    return int(step), float(minutes), int(skipped)
