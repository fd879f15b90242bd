"""The language models that the CLAPs read with, by the transformers library, and their tokens.

Only the architecture comes from the library; weights and vocabularies are the user's copies, nothing is downloaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from weft.errors import MissingExtra, WeightsError
from weft.weights import published
from weft.weights.published import Published

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LONGEST = 77  # tokens
TEXT_WIDTH = 768  # of RoBERTa-base and of GPT-2


def language_model(kind: Literal["roberta", "gpt2"], settings: dict[str, Any]) -> nn.Module:
    """Return a RoBERTa or GPT-2 of the transformers library with its `settings`, without weights.

    Raises MissingExtra when transformers is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise MissingExtra("embedding text with CLAP", "eval") from error
    if kind == "roberta":
        return transformers.RobertaModel(transformers.RobertaConfig(hidden_size=TEXT_WIDTH, **settings))
    return transformers.GPT2Model(transformers.GPT2Config(n_embd=TEXT_WIDTH, **settings))


class Tokens:
    """Texts to (numbers int64 `[B, L]`, mask int64 `[B, L]`), L at most 77; `after` is said after every text."""

    def __init__(self, tokenizer: Tokenizer, *, pad: str, after: str = "") -> None:
        self.tokenizer, self.after = tokenizer, after
        number = tokenizer.token_to_id(pad)
        if number is None:
            raise ValueError(f"the vocabulary lacks {pad}")
        tokenizer.enable_padding(pad_id=number, pad_token=pad)
        tokenizer.enable_truncation(LONGEST)

    @classmethod
    def load(cls, given: Published, *, pad: str, after: str = "") -> Tokens:
        """Return the tokens of the user's copy of a tokenizer.json. Raises WeightsError when it is missing or damaged,
        MissingExtra when tokenizers is not installed."""
        path = published.path_of(given)
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise MissingExtra("embedding text with CLAP", "eval") from error
        try:
            return cls(Tokenizer.from_file(str(path)), pad=pad, after=after)
        except Exception as error:  # tokenizers raises Exception itself
            what = (str(error).splitlines() or [""])[0]
            raise WeightsError(f"{path} cannot be read ({what}): get it again from {given.url}") from error

    def __call__(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        found = self.tokenizer.encode_batch([text + self.after for text in texts])
        return torch.tensor([f.ids for f in found]), torch.tensor([f.attention_mask for f in found])
