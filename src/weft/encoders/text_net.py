"""weft's text encoder: a prompt's static word vectors, read in order, to one vector in the space of sound and picture.

A bidirectional GRU over `weft.encoders.text`, since "a metal spoon taps a wooden table" is not "a wooden spoon taps a
metal table"; attention picks the words that say what is heard.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class TextNetConfig:
    """dim: of the word vectors. width: of the GRU, each way. d: of an embedding. length: pieces read of a prompt."""

    dim: int = 128
    width: int = 96
    d: int = 128
    length: int = 32


class TextNet(nn.Module):
    """Word vectors to embeddings."""

    def __init__(self, config: TextNetConfig) -> None:
        super().__init__()
        self.config = config
        self.read = nn.GRU(config.dim, config.width, batch_first=True, bidirectional=True)
        self.attend = nn.Linear(2 * config.width, 1)
        self.plain = nn.Linear(config.dim, 2 * config.width)
        self.out = nn.Sequential(nn.GELU(), nn.Dropout(0.1), nn.Linear(2 * config.width, config.d))

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Turn tokens `[B, L, dim]` under `mask` `[B, L]` (True where there is a piece) into unit vectors `[B, d]`.

        Prompts without a known piece all get one vector.
        """
        lengths = mask.sum(1).clamp_min(1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(tokens, lengths, batch_first=True, enforce_sorted=False)
        states, _ = nn.utils.rnn.pad_packed_sequence(
            self.read(packed)[0], batch_first=True, total_length=tokens.shape[1]
        )
        states = states + self.plain(tokens)
        weight = self.attend(states).squeeze(-1).masked_fill(~mask, -1e4).softmax(1)
        said = (states * weight[..., None]).sum(1)
        return F.normalize(self.out(said), dim=-1)
