"""Reading a prompt: which words name the thing that is struck, what it is made of, and what is done to it.

Three small networks over the static vectors of `weft.encoders.text`. A bidirectional GRU marks the struck thing ("a
metal spoon taps *a wooden table*") and names the action; it was trained with the nouns exchanged at random, so it goes
by grammar. What a marked phrase is made of is read from its vectors alone, so words never seen in training are
placed by what they are near to.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from weft.cues.vocabulary import ACTIONS, MATERIALS


@dataclass(frozen=True, kw_only=True)
class ReaderConfig:
    """dim: width of the text vectors. grammar, hidden: widths inside. length: pieces read of a prompt."""

    dim: int = 128
    grammar: int = 64
    hidden: int = 192
    length: int = 48


class PromptReader(nn.Module):
    """Marks, materials and actions from token vectors. The last class of each is "it does not say"."""

    def __init__(self, config: ReaderConfig) -> None:
        super().__init__()
        self.config = config
        self.narrow = nn.Linear(config.dim, config.grammar)
        self.grammar = nn.GRU(config.grammar, config.grammar, batch_first=True, bidirectional=True)
        self.mark = nn.Linear(2 * config.grammar, 1)
        self.attend = nn.Linear(2 * config.grammar, 1)
        self.action = nn.Linear(2 * config.grammar, len(ACTIONS) + 1)
        self.plain = nn.Linear(2 * config.dim, len(MATERIALS) + 1)
        self.deep = nn.Sequential(
            nn.Linear(2 * config.dim, config.hidden),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(config.hidden, len(MATERIALS) + 1),
        )

    def read(self, vectors: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (mark logits `[B, L]`, action logits `[B, 6]`) of unit vectors `[B, L, D]` under `mask` `[B, L]`."""
        lengths = mask.sum(1).clamp_min(1).cpu()
        narrow = torch.tanh(self.narrow(vectors)) * mask[..., None]
        packed = nn.utils.rnn.pack_padded_sequence(narrow, lengths, batch_first=True, enforce_sorted=False)
        states, _ = nn.utils.rnn.pad_packed_sequence(
            self.grammar(packed)[0], batch_first=True, total_length=vectors.shape[1]
        )
        weight = self.attend(states).squeeze(-1).masked_fill(~mask, -1e4).softmax(1)
        pooled = (states * weight[..., None]).sum(1)
        return self.mark(states).squeeze(-1), self.action(pooled)

    def material(self, phrase: torch.Tensor) -> torch.Tensor:
        """Return material logits `[B, 18]` of phrase features `[B, 2 D]` (see `phrase_features`)."""
        return self.plain(phrase) + self.deep(phrase)


def phrase_features(vectors: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return `[2 D]`: the weighted mean direction of a phrase's unit vectors `[n, D]`, then its last word's vector."""
    mean = (vectors * weight[:, None]).sum(0)
    return torch.cat([mean / mean.norm().clamp_min(1e-6), vectors[-1]])


def spans(marked: torch.Tensor) -> list[tuple[int, int]]:
    """Return the [start, end) runs of True in `marked` `[L]`."""
    out: list[tuple[int, int]] = []
    start: int | None = None
    for i, on in enumerate([*marked.tolist(), False]):
        if on and start is None:
            start = i
        elif not on and start is not None:
            out.append((start, i))
            start = None
    return out
