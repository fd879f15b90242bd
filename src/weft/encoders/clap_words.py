"""The words of AudioLDM: transformers' CLAP text tower with its projection, to unit vectors.

Wu et al. 2023 (arXiv:2211.06687), in the layout of the cvssp/audioldm repositories.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from weft.errors import MissingExtra


@dataclass(frozen=True, kw_only=True)
class ClapWordsConfig:
    """Sizes of a tower; those of the published ones."""

    width: int = 768
    layers: int = 12
    heads: int = 12
    inner: int = 3072
    vocabulary: int = 50265
    positions: int = 514
    joint: int = 512


TINY_CLAP_WORDS = ClapWordsConfig(
    width=16, layers=2, heads=2, inner=24, vocabulary=300, positions=100, joint=32
)


class ClapWords:
    """Prompts to vectors. `tokenizer` is called as transformers' are."""

    def __init__(self, net: Any, tokenizer: Any) -> None:
        self.net, self.tokenizer = net.eval(), tokenizer

    @staticmethod
    def build(config: ClapWordsConfig) -> Any:
        """A tower of these sizes with random weights. Raises MissingExtra where transformers is not there."""
        tower, settings = classes()
        return tower(
            settings(
                hidden_size=config.width,
                num_hidden_layers=config.layers,
                num_attention_heads=config.heads,
                intermediate_size=config.inner,
                vocab_size=config.vocabulary,
                max_position_embeddings=config.positions,
                projection_dim=config.joint,
                type_vocab_size=1,
                pad_token_id=1,
            )
        )

    @torch.no_grad()
    def embed_text(self, texts: list[str]) -> Tensor:
        """Unit vectors `[B, 512]`; what lies beyond the tokenizer's length is not read. "" has one too."""
        length = min(int(self.tokenizer.model_max_length), 512)
        told = self.tokenizer(
            texts, padding="max_length", max_length=length, truncation=True, return_tensors="pt"
        )
        out = self.net(told.input_ids, attention_mask=told.attention_mask)
        return F.normalize(out.text_embeds, dim=-1)


def classes() -> tuple[Any, Any]:
    """ClapTextModelWithProjection and its configuration. Raises MissingExtra."""
    try:
        from transformers import ClapTextConfig, ClapTextModelWithProjection
    except ModuleNotFoundError as error:
        raise MissingExtra(f"AudioLDM (no module {error.name})", "systems") from error
    return ClapTextModelWithProjection, ClapTextConfig
