"""Which token of a slower stream is in force in each latent frame, and rows handed to the frames that take them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Pace:
    """`tokens` of a stream last as long as `frames` of the latent, however long the clip is."""

    tokens: int
    frames: int


def tokens_of_frames(tokens: int, frames: int, pace: Pace | None = None) -> Tensor:
    """[frames] int64: the token in force in the middle of each latent frame.

    Without `pace` the tokens are stretched over the whole latent (nearest-exact interpolation). With it, frame i takes
    the token it takes in a latent of `pace.frames`, and a frame beyond the last token keeps the last. Raises
    ValueError for fewer than one token or frame.
    """
    if tokens < 1 or frames < 1:
        raise ValueError(f"{tokens} tokens for {frames} latent frames; give 1 or more of each")
    if pace is None:
        return _stretched(tokens, frames)
    frame = torch.arange(frames)
    once = _stretched(pace.tokens, pace.frames)
    return (once[frame % pace.frames] + pace.tokens * (frame // pace.frames)).clamp(max=tokens - 1)


def three_segments(tokens: int, segment: int) -> Tensor:
    """[tokens] int64: the token of three segments that each of `tokens` equal ones is like, after a convolution.

    A null repeats from segment to segment but where a convolution sees an end of it (and it must see no further than
    a segment). So its first segment, one of the middle and its last stand for any number of them.
    """
    index, last = torch.arange(tokens), tokens - segment
    if tokens <= 3 * segment:
        return index
    middle = torch.where(index < segment, index, segment + index % segment)
    return torch.where(index < last, middle, index - last + 2 * segment)


def spread(rows: Tensor, place: Tensor | None) -> Tensor:
    """Rows [R, D] over the frames that take them, [B, T, D]; without `place` [B, T] they are returned as they are."""
    return rows if place is None else F.embedding(place, rows)


def _stretched(tokens: int, frames: int) -> Tensor:
    # Interpolated indices, not a formula: where two tokens are equally near, torch's rounding decides, as in training.
    index = torch.arange(tokens, dtype=torch.float32)
    return F.interpolate(index[None, None], size=frames, mode="nearest-exact")[0, 0].long()
