"""weft's video encoder: the cells of small pictures, 12.5 a second, and looks at some of them to one vector a window.

Each picture is read with how its cells changed since the one before and change until the next, by two convolutions; the
mean says what the scene is, the maximum what the smallest moving thing does. Every so often a whole picture is looked
at, for what things are made of (`look_net.py`). Time is then read as in the audio encoder, so that the two can agree on
what happens and at which step.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weft.encoders.eye import CHANGES, CHANNELS, LOOK_EVERY
from weft.encoders.look_net import LookNet, LookNetConfig
from weft.encoders.steps import Around, WindowHead

_LARGEST = CHANGES + 1  # the channel of a cell's largest change


@dataclass(frozen=True, kw_only=True)
class VideoNetConfig:
    """channels: of the convolutions. look: of the looks' network, None to look at no whole picture. width: of a step.
    depth: residual layers in time. d: of an embedding. window: steps a window."""

    channels: tuple[int, int] = (48, 64)
    look: tuple[int, int, int, int] | None = None
    width: int = 128
    depth: int = 3
    d: int = 128
    window: int = 12


class VideoNet(nn.Module):
    """Cells and looks to embeddings."""

    def __init__(self, config: VideoNetConfig) -> None:
        super().__init__()
        self.config = config
        sides = (2 * CHANNELS - CHANGES, *config.channels)
        self.even = nn.BatchNorm2d(sides[0])
        self.fold = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=s, padding=1, bias=False)
            for (a, b), s in zip(pairwise(sides), (1, 2), strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(c) for c in config.channels)
        self.join = nn.Conv1d(2 * sides[-1], config.width, 1)
        if config.look is not None:
            self.look = LookNet(LookNetConfig(channels=config.look))
            self.shown = nn.Linear(self.look.config.d, config.width)
        self.around = nn.Sequential(*(Around(config.width) for _ in range(config.depth)))
        self.head = WindowHead(config.width, config.d, config.window)

    def steps(self, cells: Tensor, looks: Tensor | None = None, every: int = LOOK_EVERY) -> Tensor:
        """Turn cells `[B, S, 9, rows, columns]` (see `weft.encoders.eye`) and looks `[B, L, 3, H, W]`, 0..1, one for
        `every` steps and unused without a network for them, into features `[B, width, S]`. Raises ValueError for other
        shapes."""
        if cells.ndim != 5 or cells.shape[2] != CHANNELS:
            raise ValueError(
                f"cells have shape {tuple(cells.shape)}, but must be [clips, S, {CHANNELS}, rows, columns]"
            )
        b, s = cells.shape[:2]
        clear = cells.sign() * cells.abs().sqrt()  # small changes and faint textures count, too
        after = torch.cat([clear[:, 1:, CHANGES:], torch.zeros_like(clear[:, :1, CHANGES:])], 1)
        x = self.even(torch.cat([clear, after], 2).flatten(0, 1))
        for fold, norm in zip(self.fold, self.norms, strict=True):
            x = F.relu(norm(fold(x)))
        read = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        joined = self.join(read.view(b, s, -1).mT)
        if self.config.look is None:
            return self.around(joined)
        blocks = clear[:, :, _LARGEST].split(every, 1)
        if looks is None or looks.shape[:2] != (b, len(blocks)):
            given = "are not given" if looks is None else f"have shape {tuple(looks.shape)}"
            raise ValueError(f"looks {given}, but {s} steps need {len(blocks)}, one for {every} steps each")
        moved = torch.stack([block.amax(1) for block in blocks], 1)
        look = self.shown(self.look(looks.flatten(0, 1), moved.flatten(0, 1))[0]).view(b, len(blocks), -1)
        return self.around(joined + look.mT.repeat_interleave(every, 2)[:, :, :s])

    def embeddings(self, steps: Tensor, hop: int) -> Tensor:
        """Turn features `[B, width, S]` into unit vectors `[B, T, d]`, a window every `hop` steps."""
        return self.head(steps, hop)
