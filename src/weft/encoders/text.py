"""Text as vectors: a static embedding distilled from all-MiniLM-L6-v2 (recipes/distill_text.py).

Each vocabulary entry has one fixed vector; there is no network to run, so a prompt costs microseconds and half the
dictionary fits in a few megabytes. Order and grammar are not in it: `weft.encoders.reader` adds those.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from weft import weights
from weft.encoders.wordpiece import WordPiece
from weft.errors import WeightsError

_KEYS = ("table", "scale", "weight", "vocabulary")


class TextEncoder:
    """Prompts to embeddings `[B, D]` or token vectors `[B, L, D]`. Immutable once loaded."""

    def __init__(self, tensors: dict[str, torch.Tensor], metadata: dict[str, Any]) -> None:
        """tensors: table int8 `[V, D]`, scale and weight `[V]`, vocabulary uint8 (entries joined by newlines)."""
        missing = [key for key in _KEYS if key not in tensors]
        if missing:
            raise WeightsError(
                f"text weights lack {', '.join(missing)}: distil them with recipes/distill_text.py"
            )
        self._table, self._scale, self._weight = (tensors[key] for key in _KEYS[:3])
        self._names = tensors["vocabulary"]
        self.metadata = metadata

    @classmethod
    def load(cls, name: str | Path = "weft-text") -> TextEncoder:
        """Return the encoder in the weights `name` (see `weft.weights`). Raises WeightsError when it is not there."""
        return cls(*weights.load(name))

    @property
    def dim(self) -> int:
        """D, the width of every vector."""
        return self._table.shape[1]

    @cached_property
    def tokenizer(self) -> WordPiece:
        """The vocabulary's tokenizer."""
        return WordPiece(bytes(self._names.tolist()).decode().split("\n"))

    def vectors(self, numbers: list[int]) -> torch.Tensor:
        """Return the unit vectors `[n, D]` of vocabulary entries; zeros for the unknown piece."""
        rows = self._table[numbers].float() * self._scale[numbers].float()[:, None]
        return rows / rows.norm(dim=-1, keepdim=True).clamp_min(1e-6)

    def weight(self, numbers: list[int]) -> torch.Tensor:
        """Return the weights `[n]` of entries in a mean: small for frequent ones (SIF)."""
        return self._weight[numbers].float()

    def embed(self, texts: list[str]) -> torch.Tensor:
        """Return one unit vector per text `[B, D]`: the mean of its pieces, frequent ones weighted down (SIF).

        A text without a known piece (empty, another script) gets zeros.
        """
        out = torch.zeros(len(texts), self.dim)
        for row, text in zip(out, texts, strict=True):
            numbers = self.tokenizer.numbers(text)
            if numbers:
                row += (self.vectors(numbers) * self.weight(numbers)[:, None]).sum(0)
                row /= row.norm().clamp_min(1e-6)
        return out

    def tokens(self, texts: list[str], length: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (vectors `[B, length, D]` of root mean square 1, mask `[B, length]`, True where there is a piece).

        A longer text loses its tail, a shorter one is followed by zeros. Unknown pieces are left out.
        """
        out = torch.zeros(len(texts), length, self.dim)
        mask = torch.zeros(len(texts), length, dtype=torch.bool)
        unknown = self.tokenizer.unknown
        for i, text in enumerate(texts):
            numbers = [n for n in self.tokenizer.numbers(text) if n != unknown][:length]
            if numbers:
                out[i, : len(numbers)] = self.vectors(numbers) * self.dim**0.5
                mask[i, : len(numbers)] = True
        return out, mask
