"""What a prompt says about the closed words: scores over the 17 materials and the five actions.

"A spoon taps a wine glass" is glass, a hit. A prompt that names no material scores them all alike.
"""

from __future__ import annotations

from functools import lru_cache

import torch

from weft import weights
from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.encoders.reader import PromptReader, ReaderConfig, phrase_features, spans
from weft.encoders.text import TextEncoder
from weft.errors import WeightsError

_PREFIX = "reader."
_SURE, _MAYBE = 0.5, 0.15


class Words:
    """A text encoder and the reader trained on it, from one weights file."""

    def __init__(self, encoder: TextEncoder, reader: PromptReader) -> None:
        self.encoder, self.reader = encoder, reader.eval()

    @classmethod
    def load(cls, name: str = "weft-text") -> Words:
        """Return both from the weights `name`. Raises WeightsError when the file has no reader in it."""
        tensors, metadata = weights.load(name)
        reader = PromptReader(ReaderConfig(**metadata.get("reader", {})))
        found = {k.removeprefix(_PREFIX): v for k, v in tensors.items() if k.startswith(_PREFIX)}
        if not found:
            raise WeightsError(f"{name} has no prompt reader in it: train one with recipes/train_words.py")
        weights.check_keys(set(found), set(reader.state_dict()), name)
        reader.load_state_dict(found)
        return cls(TextEncoder(tensors, metadata), reader)

    @torch.inference_mode()
    def things(self, prompt: str) -> list[tuple[str, torch.Tensor]]:
        """Return the struck things `prompt` names: (words, probabilities `[18]`, the last "it does not say")."""
        numbers, vectors = self._pieces(prompt)
        if not numbers:
            return []
        marks = self.reader.read(vectors[None], torch.ones(1, len(numbers), dtype=torch.bool))[0][0].sigmoid()
        found = spans(marks > _SURE) or spans(marks >= max(_MAYBE, float(marks.max())))
        out = []
        for start, end in found:
            weight = self.encoder.weight(numbers[start:end])
            logits = self.reader.material(phrase_features(vectors[start:end], weight)[None])[0]
            words = " ".join(self.encoder.tokenizer.vocabulary[n] for n in numbers[start:end]).replace(
                " ##", ""
            )
            out.append((words, logits.softmax(0)))
        return out

    def materials(self, prompt: str) -> torch.Tensor:
        """Return probabilities `[17]`: the mean over the things struck, uniform where the prompt does not say."""
        even = torch.full((len(MATERIALS),), 1 / len(MATERIALS))
        found = [p[:-1] + p[-1] * even for _, p in self.things(prompt)]
        return torch.stack(found).mean(0) if found else even

    @torch.inference_mode()
    def actions(self, prompt: str) -> torch.Tensor:
        """Return probabilities `[5]`, uniform where the prompt does not say."""
        even = torch.full((len(ACTIONS),), 1 / len(ACTIONS))
        numbers, vectors = self._pieces(prompt)
        if not numbers:
            return even
        logits = self.reader.read(vectors[None], torch.ones(1, len(numbers), dtype=torch.bool))[1][0]
        p = logits.softmax(0)
        return p[:-1] + p[-1] * even

    def _pieces(self, prompt: str) -> tuple[list[int], torch.Tensor]:
        tokenizer = self.encoder.tokenizer
        numbers = [n for n in tokenizer.numbers(prompt) if n != tokenizer.unknown][
            : self.reader.config.length
        ]
        return numbers, self.encoder.vectors(numbers)


@lru_cache(maxsize=1)
def _words() -> Words:
    return Words.load()


def material_scores(prompt: str, negative: str | None = None) -> dict[str, float]:
    """Return a probability for each of the 17 materials; they sum to 1.

    prompt: any text; one that says nothing about a material scores all 1/17. "hits wood, then scratches gravel" gives
    both. negative: text whose materials are not wanted; what it names is scaled down towards 0.
    """
    found = _words().materials(prompt)
    if negative:
        even = 1 / len(MATERIALS)
        unwanted = ((_words().materials(negative) - even) / (1 - even)).clamp_min(0)
        found = found * (1 - unwanted / unwanted.max().clamp_min(0.5)).clamp_min(1e-3)
        found = found / found.sum()
    return dict(zip(MATERIALS, found.tolist(), strict=True))


def action_scores(prompt: str) -> dict[str, float]:
    """Return a probability for each of the five actions; they sum to 1, and are alike when the prompt names none."""
    return dict(zip(ACTIONS, _words().actions(prompt).tolist(), strict=True))
