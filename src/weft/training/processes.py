"""One process or many: what a training loop must know of the others beside it.

Several processes are those that `accelerate launch` (or torchrun) started, one a GPU; accelerate then places and wraps
the network, so that gradients are their mean. Alone, nothing is wrapped and accelerate is not needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from weft.errors import MissingExtra


@dataclass(frozen=True, kw_only=True, eq=False)
class Processes:
    """This process is number `rank` of `count`. Alone as it is by default."""

    rank: int = 0
    count: int = 1
    device: str | None = None  # None: the loop's own choice
    accelerator: Any = None

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def wrapped(self, module: nn.Module) -> Callable[..., Any]:
        """The module as it is to be called: its gradients become the mean over all processes."""
        return module if self.accelerator is None else self.accelerator.prepare_model(module)

    def summed(self, values: Tensor) -> Tensor:
        """The sum of `values` over all processes, the same in each."""
        return values if self.accelerator is None else self.accelerator.reduce(values, "sum")

    def wait(self) -> None:
        """Return once every process has come this far."""
        if self.accelerator is not None:
            self.accelerator.wait_for_everyone()


ALONE = Processes()


def started() -> Processes:
    """The processes that a launcher says there are (WORLD_SIZE), or this one alone.

    Raises MissingExtra when there are several and accelerate is not installed.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return ALONE
    try:
        from accelerate import Accelerator
    except ModuleNotFoundError as error:
        raise MissingExtra("training in several processes", "train") from error
    accelerator = Accelerator(cpu=not torch.cuda.is_available())
    return Processes(
        rank=accelerator.process_index,
        count=accelerator.num_processes,
        device=str(accelerator.device),
        accelerator=accelerator,
    )
