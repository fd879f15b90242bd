"""Data-anchor matching: does this text belong to that clip? GRAM's second loss, over pairs that are hard to tell apart.

A matcher (in GRAM, BERT reading the text with an eye on the tokens of sound and picture) answers for B right pairs and
2 B wrong ones, drawn the likelier the smaller their volume.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

_SOME = 1e-4  # every wrong pair may be drawn


def hard_negatives(logits: Tensor, generator: torch.Generator, kind: Tensor | None = None) -> Tensor:
    """Return for each row of `logits` `[B, B]` (-M / τ, as in `weft.alignment.losses`) another column `[B]`, drawn by
    softmax(row) + 1e-4.

    kind: `[B]`; no column of the row's own kind is drawn. Raises ValueError when a row has none left.
    """
    own = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    barred = own if kind is None else kind[:, None] == kind[None]
    if bool(barred.all(1).any()):
        raise ValueError(
            f"a batch of {len(logits)} has no wrong pair for some clip: draw more clips or kinds"
        )
    odds = (logits.detach().float().softmax(1) + _SOME).masked_fill(barred, 0)
    return torch.multinomial(odds, 1, generator=generator)[:, 0]


def matching_loss(
    matcher: Callable[[Tensor, Tensor], Tensor],
    text: Tensor,
    condition: Tensor,
    logits: Tensor,
    generator: torch.Generator,
    kind: Tensor | None = None,
) -> Tensor:
    """Return the mean two-way cross-entropy, nats, of `matcher(text, condition)`, logits `[3 B, 2]` of (wrong, right).

    text, condition: `[B, ...]`, whatever the matcher reads; rows belong together. It sees, in this order, the right
    pairs, each text with a wrong condition, each condition with a wrong text. logits: `[B, B]`, texts in rows. GRAM
    weighs this loss .1. Raises ValueError as `hard_negatives`.
    """
    b = len(text)
    wrong_condition = condition[hard_negatives(logits, generator, kind)]
    wrong_text = text[hard_negatives(logits.T, generator, kind)]
    said = matcher(torch.cat([text, text, wrong_text]), torch.cat([condition, wrong_condition, condition]))
    right = torch.arange(3 * b, device=said.device) < b
    return F.cross_entropy(said.float(), right.long())
