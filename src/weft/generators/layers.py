"""The small parts of the MM-DiT: gated MLPs (over time or not), time embedding, modulation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weft.generators.placement import spread


class Conv1d(nn.Conv1d):
    """A convolution over time of channel-last sequences [B, L, D], length kept."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, *, bias: bool = True) -> None:
        super().__init__(channels_in, channels_out, kernel, padding=kernel // 2, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


def projection(channels_in: int, channels_out: int, kernel: int, *, bias: bool = True) -> nn.Module:
    """Linear for kernel 1, else a convolution over time: both [B, L, in] -> [B, L, out]."""
    if kernel == 1:
        linear = nn.Linear(channels_in, channels_out, bias=bias)
        nn.init.xavier_uniform_(linear.weight)
        return linear
    return Conv1d(channels_in, channels_out, kernel, bias=bias)


def gated_width(dim: int, ratio: float, multiple: int) -> int:
    """Hidden width of a gated MLP: 2/3 of ratio x dim, rounded up to `multiple` (LLaMA's rule)."""
    return -(-int(2 * ratio * dim / 3) // multiple) * multiple


class GatedMLP(nn.Module):
    """w2(silu(w1 x) * w3 x) without bias; with kernel > 1 all three look along time (MMAudio's ConvMLP)."""

    def __init__(self, dim: int, hidden: int, kernel: int = 1) -> None:
        super().__init__()
        self.w1 = projection(dim, hidden, kernel, bias=False)
        self.w2 = projection(hidden, dim, kernel, bias=False)
        self.w3 = projection(dim, hidden, kernel, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.w2(F.silu(self.w1(x)) * self.w3(x))


class TimeEmbedding(nn.Module):
    """t [B] in 0..1 -> [B, D]: cosines and sines at `dim` / 2 frequencies, then an MLP.

    `fastest` is the highest frequency in radians per unit of t: 1 in MMAudio v1, 1e4 in v2. The frequencies are no
    buffer: `.to(bfloat16)` would round them, and v2's angles with them.
    """

    def __init__(self, dim: int, hidden: int, fastest: float) -> None:
        super().__init__()
        self.dim, self.fastest = dim, fastest
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.SiLU(), nn.Linear(hidden, hidden))

    def forward(self, t: Tensor) -> Tensor:
        angle = t.float()[:, None] * frequencies(self.dim, self.fastest, t.device)
        waves = torch.cat([angle.cos(), angle.sin()], dim=-1)
        return self.mlp(waves.to(next(self.mlp.parameters()).dtype))


def frequencies(dim: int, fastest: float, device: torch.device | None = None) -> Tensor:
    """`dim` / 2 frequencies from `fastest` down to nearly 1e-4 of it, float32, rounded as in training."""
    return fastest * (1 / 1e4 ** (torch.arange(0, dim, 2, dtype=torch.float32, device=device) / dim))


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """x (1 + scale) + shift, all [B, L or 1, D]."""
    return x * (1 + scale) + shift


class Modulation(nn.Sequential):
    """SiLU and a linear map D -> chunks x D, started at zero; through `rank` channels where that is above 0."""

    def __init__(self, dim: int, chunks: int, rank: int) -> None:
        last = nn.Linear(rank or dim, chunks * dim)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        super().__init__(nn.SiLU(), *([nn.Linear(dim, rank)] if rank else []), last)

    def forward(self, condition: Tensor, place: Tensor | None = None) -> Tensor:
        """[B, 1 or T, D] -> [B, 1 or T, chunks D]; distinct rows [R, D] are spread by `place` [B, T]."""
        return spread(super().forward(condition), place)
