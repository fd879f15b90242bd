"""What a picture shows, for weft's video encoder: a small network that reads textures and colours where it matters.

Four convolutions keep a cell every 4 pixels; each cell is weighted by how likely the sounding thing is there, from what
it looks like and from whether it moves, and the weighted mean stands beside the mean of the whole picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDE = 4  # pixels from cell to cell


@dataclass(frozen=True, kw_only=True)
class LookNetConfig:
    """channels: of the four convolutions, the first two of which halve the picture."""

    channels: tuple[int, int, int, int] = (16, 32, 64, 64)

    @property
    def d(self) -> int:
        """Numbers a look has."""
        return 2 * self.channels[-1]


class LookNet(nn.Module):
    """Pictures to looks."""

    def __init__(self, config: LookNetConfig) -> None:
        super().__init__()
        self.config = config
        sides = (3, *config.channels)
        self.fold = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=s, padding=1, bias=False)
            for (a, b), s in zip(pairwise(sides), (2, 2, 1, 1), strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(c) for c in config.channels)
        self.where = nn.Conv2d(config.channels[-1], 1, 3, padding=1)
        self.moves = nn.Parameter(torch.tensor(2.0))

    def forward(self, pictures: Tensor, moved: Tensor | None) -> tuple[Tensor, Tensor]:
        """Turn pictures `[N, 3, H, W]` in 0..1 into looks `[N, D]` and log-weights of the cells `[N, H / 4, W / 4]`.

        moved `[N, rows, columns]`: how much each part of the picture moves, 0 and up; None where nothing is known.
        """
        x = (pictures - 0.5) * 2
        for fold, norm in zip(self.fold, self.norms, strict=True):
            x = F.relu(norm(fold(x)))
        where = self.where(x)
        if moved is not None:
            where = where + self.moves * F.interpolate(moved[:, None], x.shape[2:]).to(where)
        log_weight = where.float().flatten(1).log_softmax(1)
        cells = x.flatten(2).float()
        near = (cells * log_weight.exp()[:, None]).sum(2)
        return torch.cat([near, cells.mean(2)], 1), log_weight.unflatten(1, x.shape[2:])
