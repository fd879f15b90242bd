"""Post-hoc averages of weights: two are tracked while training, any other is made of their snapshots afterwards.

Karras et al. 2024, "Analyzing and Improving the Training Dynamics of Diffusion Models" (EDM2), section 3 and algorithms
1 to 3. A power-function average after n steps weighs the weights of step k by (k / n)^gamma, so that it is as wide as a
fixed share of the run: `width` is that share's standard deviation (sigma_rel; MMAudio's 0.05). Snapshots of two widths
span what other widths, at the same or an earlier step, would have been; the best combination is a least-squares fit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from weft import weights
from weft.errors import UserError

WIDEST = 0.2886
"""Just under sqrt(1 / 12), the deviation of a plain mean, where the exponent reaches 0."""


def exponent(width: float) -> float:
    """The exponent gamma of a width 0 < sigma_rel < 0.2886 (algorithm 2: the real positive root of a cubic).

    Raises ValueError for other widths.
    """
    if not 0 < width < WIDEST:
        raise ValueError(
            f"an average's width is {width}, but must lie between 0 and {WIDEST}; MMAudio's is 0.05"
        )
    inverse = width**-2
    roots = np.roots([1, 7, 16 - inverse, 12 - inverse])
    return float(roots.real.max())


def width_of(gamma: float) -> float:
    """The width sigma_rel of an exponent gamma >= 0, the inverse of `exponent` (equation 6 of its appendix)."""
    return math.sqrt((gamma + 1) / ((gamma + 2) ** 2 * (gamma + 3)))


def kept(step: int, gamma: float, every: int = 1) -> float:
    """Share of the average that stays at step 1, 2, ...: (1 - every / step)^(gamma + 1), 0 at the first (equation 3).

    Applied at every multiple of `every`.
    """
    return (1 - every / step) ** (gamma + 1) if step > every else 0.0


def inner(step: NDArray[Any], gamma: NDArray[Any], step2: NDArray[Any], gamma2: NDArray[Any]) -> NDArray[Any]:
    """Inner products of the profiles (gamma + 1) k^gamma / step^(gamma + 1) over 0 < k < step, of all pairs `[n, m]`.

    The integral runs to the earlier of the two steps (algorithm 3).
    """
    a, b = step.astype(float)[:, None], step2.astype(float)[None]
    p, q = gamma.astype(float)[:, None], gamma2.astype(float)[None]
    ratio = a / b
    power = np.where(a < b, q, -p)
    return (p + 1) * (q + 1) * ratio**power / ((p + q + 1) * np.maximum(a, b))


def combination(
    steps: Sequence[int], gammas: Sequence[float], step: int, gamma: float
) -> NDArray[np.float64]:
    """Weights `[n]` of n snapshots (their steps and exponents) that come nearest to the average `gamma` at `step`."""
    own, other = np.array(steps, float), np.array(gammas, float)
    wanted = np.array([step], float), np.array([gamma], float)
    gram, goal = inner(own, other, own, other), inner(own, other, *wanted)[:, 0]
    return np.linalg.lstsq(gram, goal, rcond=1e-14)[0]


@dataclass(kw_only=True)
class Averages:
    """The running averages of a module, one for each of `widths`; `update` after every step of the optimiser."""

    widths: tuple[float, ...]
    every: int = 1
    tensors: list[dict[str, Tensor]] = field(default_factory=list)

    @classmethod
    def of(cls, module: nn.Module, widths: tuple[float, ...], every: int = 1) -> Averages:
        """Averages that begin as the module is. Raises ValueError for a width out of range, or `every` below 1."""
        for width in widths:
            exponent(width)
        if every < 1:
            raise ValueError(f"averages every {every} steps; give 1 or more")
        state = {key: value.detach().clone() for key, value in module.state_dict().items()}
        copies = [{key: value.clone() for key, value in state.items()} for _ in widths]
        return cls(widths=widths, every=every, tensors=copies)

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Take in the module after `step` (1, 2, ...) steps."""
        if step % self.every:
            return
        state = module.state_dict()
        for width, average in zip(self.widths, self.tensors, strict=True):
            share = 1 - kept(step, exponent(width), self.every)
            for key, value in state.items():
                if value.is_floating_point():
                    average[key].lerp_(value, share)
                else:
                    average[key].copy_(value)

    def load(self, tensors: Sequence[Mapping[str, Tensor]]) -> None:
        """Take up the averages of an earlier part of the run."""
        for own, given in zip(self.tensors, tensors, strict=True):
            for key, value in given.items():
                own[key].copy_(value)

    def write(self, folder: Path, step: int, dtype: torch.dtype = torch.float16) -> None:
        """Write a snapshot of each into `folder`, real tensors as `dtype`. One that is there is written again."""
        folder.mkdir(parents=True, exist_ok=True)
        for width, average in zip(self.widths, self.tensors, strict=True):
            tensors = {k: v.to(dtype) if v.is_floating_point() else v for k, v in average.items()}
            path = folder / f"average-{width:g}-{step:09d}.safetensors"
            weights.save(path, tensors, {"width": width, "step": step})


def synthesised(folder: Path, width: float, step: int | None = None) -> dict[str, Tensor]:
    """The average of `width` at `step` (None: the last there is) out of the snapshots in `folder`, float32.

    Tensors that are no real numbers are the last snapshot's. Raises UserError when there is no snapshot, or none so
    late; ValueError for a width out of range.
    """
    gamma = exponent(width)
    found = sorted((_named(path), path) for path in folder.glob("average-*-*.safetensors"))
    if not found:
        raise UserError(f"no average-*.safetensors in {folder}: train with averages and snapshots first")
    steps, widths = [at for (_, at), _ in found], [w for (w, _), _ in found]
    wanted = max(steps) if step is None else step
    if not 0 < wanted <= max(steps):
        raise UserError(f"no average at step {wanted} from snapshots up to {max(steps)} in {folder}")
    shares = combination(steps, [exponent(w) for w in widths], wanted, gamma)
    out: dict[str, Tensor] = {}
    for share, (_, path) in sorted(zip(shares, found, strict=True), key=lambda pair: pair[1][0][1]):
        for key, value in weights.load(path)[0].items():
            if not value.is_floating_point():
                out[key] = value
            elif key in out:
                out[key].add_(value, alpha=float(share))
            else:
                out[key] = value * float(share)
    return out


def _named(path: Path) -> tuple[float, int]:
    """Width and step by a snapshot's name."""
    _, width, step = path.stem.rsplit("-", 2)
    return float(width), int(step)
