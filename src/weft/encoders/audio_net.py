"""weft's audio encoder: log-mel frames to one vector a window, and to the material and action that are heard.

A stack of convolutions halves time three times (10 ms to 80 ms) and folds the bands; residual convolutions look half a
second around; a head as long as the window (12 steps, 0.96 s) reads what happens and where in the window it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.encoders.steps import Around, WindowHead, pooled

STEP_FRAMES = 8  # log-mel frames a step


@dataclass(frozen=True, kw_only=True)
class AudioNetConfig:
    """bands: of the log-mel frames. channels: of the four convolutions. width: of a step. depth: residual layers. d:
    of an embedding. window: steps a window."""

    bands: int = 64
    channels: tuple[int, int, int, int] = (16, 32, 64, 96)
    width: int = 128
    depth: int = 2
    d: int = 128
    window: int = 12


class AudioNet(nn.Module):
    """Log-mel to embeddings and logits."""

    def __init__(self, config: AudioNetConfig) -> None:
        super().__init__()
        self.config = config
        sides = (1, *config.channels)
        strides = ((2, 2), (2, 2), (2, 2), (1, 2))  # time, bands
        self.fold = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=s, padding=1, bias=False)
            for (a, b), s in zip(pairwise(sides), strides, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(c) for c in config.channels)
        self.join = nn.Conv1d(config.channels[-1] * (config.bands // 16), config.width, 1)
        self.around = nn.Sequential(*(Around(config.width) for _ in range(config.depth)))
        self.head = WindowHead(config.width, config.d, config.window)
        self.material = nn.Linear(2 * config.width, len(MATERIALS))
        self.action = nn.Linear(2 * config.width, len(ACTIONS))

    def steps(self, mel: Tensor) -> Tensor:
        """Turn dB `[B, F, bands]` into features `[B, width, F // 8]`. Raises ValueError for under 8 frames."""
        if mel.ndim != 3 or mel.shape[2] != self.config.bands or mel.shape[1] < STEP_FRAMES:
            raise ValueError(
                f"log-mel has shape {tuple(mel.shape)}, but must be [sounds, 8 or more frames, {self.config.bands}]"
            )
        mel = mel[:, : mel.shape[1] // STEP_FRAMES * STEP_FRAMES]
        x = ((mel + 60) / 20)[:, None]
        for fold, norm in zip(self.fold, self.norms, strict=True):
            x = F.relu(norm(fold(x)))
        return self.around(self.join(x.transpose(2, 3).flatten(1, 2)))

    def embeddings(self, steps: Tensor, hop: int) -> Tensor:
        """Turn features `[B, width, S]` into unit vectors `[B, T, d]`, a window every `hop` steps."""
        return self.head(steps, hop)

    def classes(self, steps: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of material `[B, 17]` and action `[B, 5]` of the whole of `[B, width, S]`."""
        whole = pooled(steps)
        return self.material(whole), self.action(whole)
