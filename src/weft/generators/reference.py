"""A reference sound as a few tokens: how its loudest event begins, sounds on and dies away, without its timing."""

from __future__ import annotations

import torch
from torch import Tensor

SPANS = ((-1, 2), (2, 6), (6, 18), (18, 50))
"""Latent frames around the loudest one (23 ms each) that each token is the mean of."""
TOKENS = len(SPANS)


def reference_tokens(latent: Tensor, level: Tensor) -> Tensor:
    """Latent [T, D] of a sound and its level per frame [T] (any monotone unit) -> tokens [4, D].

    A span that lies behind the end of the sound takes the last frame.
    """
    peak, last = int(level[: len(latent)].argmax()), len(latent) - 1
    rows = []
    for first, end in SPANS:
        start = min(max(peak + first, 0), last)
        rows.append(latent[start : min(max(peak + end, start + 1), last + 1)].mean(0))
    return torch.stack(rows)
