"""GRAM in miniature: weft's own encoder networks, learnt by `weft.alignment.losses` alone, by volume or pairwise.

Clips only, no labels on the side, so that two runs differ in what the loss measures and in nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from weft.alignment.losses import AlignmentConfig, AlignmentLoss
from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.encoders.audio_net import AudioNet, AudioNetConfig
from weft.encoders.steps import summary
from weft.encoders.text import TextEncoder
from weft.encoders.text_net import TextNet, TextNetConfig
from weft.encoders.video_net import VideoNet, VideoNetConfig
from weft.training.encoder_changes import altered, changed
from weft.training.triples import Triples
from weft.world.captions import captions


@dataclass(frozen=True, kw_only=True)
class MiniatureConfig:
    """Three networks with one D; clips: in a batch; loss: see there."""

    audio: AudioNetConfig = field(default_factory=AudioNetConfig)
    video: VideoNetConfig = field(default_factory=VideoNetConfig)
    text: TextNetConfig = field(default_factory=TextNetConfig)
    loss: AlignmentConfig = field(default_factory=AlignmentConfig)
    clips: int = 64

    def __post_init__(self) -> None:
        if not self.audio.d == self.video.d == self.text.d:
            raise ValueError(
                f"D is {self.audio.d}, {self.video.d} and {self.text.d}, but must be one space's"
            )


class Miniature(nn.Module):
    """Sound, pictures and words to one unit vector a clip each."""

    def __init__(self, config: MiniatureConfig) -> None:
        super().__init__()
        self.config = config
        self.audio, self.video = AudioNet(config.audio), VideoNet(config.video)
        self.text = TextNet(config.text)
        self.loss = AlignmentLoss(config.loss)

    def hear(self, mel: Tensor) -> Tensor:
        """Turn dB `[B, F, 64]` into unit vectors `[B, D]`."""
        return summary(self.audio.embeddings(self.audio.steps(mel), 1).float())

    def see(self, cells: Tensor) -> Tensor:
        """Turn cells `[B, S, 9, 9, 12]` into unit vectors `[B, D]`."""
        return summary(self.video.embeddings(self.video.steps(cells), 1).float())

    def read(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Turn word vectors `[B, L, dim]` under `mask` `[B, L]` into unit vectors `[B, D]`."""
        return self.text(tokens, mask).float()

    def losses(self, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of a batch as `batch_of` makes it, for `weft.training.loop`. The text is the anchor."""
        said = self.read(batch["tokens"], batch["mask"])
        seen, heard = self.see(batch["cells"]), self.hear(altered(batch["mel"], generator))
        return self.loss(said, seen, heard, kind=batch["kind"])


def batch_of(
    clips: Triples, text: TextEncoder, config: MiniatureConfig, rng: np.random.Generator
) -> dict[str, Tensor]:
    """Draw a batch of B = `config.clips`: mel `[B, 400, 64]`, cells `[B, 50, 9, 9, 12]` as another camera would have
    them, tokens `[B, L, dim]` and mask of a caption each, kind `[B]`."""
    picks = rng.choice(len(clips), config.clips, replace=False)
    words = [
        captions(MATERIALS[m], ACTIONS[a], int(n), rng, number=2)[int(rng.random() < 0.85)]
        for m, a, n in zip(clips.material[picks], clips.action[picks], clips.count[picks], strict=True)
    ]
    tokens, mask = text.tokens(words, config.text.length)
    return {
        "mel": torch.from_numpy(clips.mel[picks]).float(),
        "cells": torch.from_numpy(np.stack([changed(clips.cells[i], rng) for i in picks])),
        "tokens": tokens,
        "mask": mask,
        "kind": torch.from_numpy(clips.kinds()[picks]),
    }
