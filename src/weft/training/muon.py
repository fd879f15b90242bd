"""Muon for the matrices and kernels inside a network, AdamW for the rest, behind one optimiser's face.

Source: Jordan 2024 (Muon); Liu et al. 2025, "Muon is Scalable for LLM Training", for the step that is as long as
AdamW's, so that one learning rate and weight decay do for both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

NARROWEST = 32
"""Rows and columns from which a parameter counts as a matrix: depthwise kernels and heads have too few to turn."""


class Muon:
    """Steps `torch.optim.Muon` and `torch.optim.AdamW` together, with one learning rate.

    A kernel `[out, in, ...]` is seen as the matrix `[out, in * ...]`. Of `torch.optim.Optimizer` it has what a training
    loop uses: `param_groups`, `step`, `zero_grad`, `state_dict`, `load_state_dict`.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, betas: tuple[float, float], weight_decay: float
    ) -> None:
        given = list(parameters)
        self.kernels = [p for p in given if _is_matrix(p)]
        # Views of the same memory: what is done to them is done to the kernels.
        self.matrices = [nn.Parameter(p.detach().view(len(p), -1)) for p in self.kernels]
        rest = [p for p in given if not _is_matrix(p)]
        self.parts: dict[str, torch.optim.Optimizer] = {}
        if self.matrices:
            self.parts["muon"] = torch.optim.Muon(
                self.matrices, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"
            )
        if rest:
            self.parts["adamw"] = torch.optim.AdamW(rest, lr=lr, betas=betas, weight_decay=weight_decay)
        self.rest = rest

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        return [group for part in self.parts.values() for group in part.param_groups]

    def step(self) -> None:
        for matrix, kernel in zip(self.matrices, self.kernels, strict=True):
            matrix.grad = None if kernel.grad is None else kernel.grad.flatten(1)
        for part in self.parts.values():
            part.step()

    def zero_grad(self, set_to_none: bool = True) -> None:
        for p in (*self.kernels, *self.rest):
            if set_to_none:
                p.grad = None
            elif p.grad is not None:
                p.grad.zero_()

    def state_dict(self) -> dict[str, Any]:
        return {name: part.state_dict() for name, part in self.parts.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, part in self.parts.items():
            part.load_state_dict(state[name])


def _is_matrix(p: Tensor) -> bool:
    return p.ndim >= 2 and min(p.shape[0], p[0].numel()) >= NARROWEST
