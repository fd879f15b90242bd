"""Time in weft's encoders: steps of 80 ms, windows of 12 steps every 6, for sound and pictures alike."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STEP_HZ = 12.5
HOP = 6  # steps from window to window: 0.48 s


class Around(nn.Module):
    """A residual layer over five neighbouring steps, `[B, C, S]` to the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width)
        self.conv = nn.Conv1d(width, width, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(F.gelu(self.norm(x)))


class WindowHead(nn.Module):
    """One unit vector a window: what was there, and at which of its steps."""

    def __init__(self, width: int, d: int, window: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width)
        self.conv = nn.Conv1d(width, d, window)

    def forward(self, x: Tensor, hop: int) -> Tensor:
        """Turn steps `[B, C, S]` into `[B, T, d]` of norm 1, T = (S - window) // hop + 1."""
        made = F.conv1d(F.gelu(self.norm(x)), self.conv.weight, self.conv.bias, stride=hop)
        return F.normalize(made.mT, dim=-1)


def summary(embeddings: Tensor) -> Tensor:
    """One unit vector `[B, d]` a clip from its windows `[B, T, d]`: their mean direction."""
    return F.normalize(embeddings.mean(1), dim=-1)


def pooled(steps: Tensor) -> Tensor:
    """Mean and maximum over time, `[B, 2 C]` of `[B, C, S]`."""
    return torch.cat([steps.mean(-1), steps.amax(-1)], 1)
