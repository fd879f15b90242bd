"""What a latent is made from: as it is given, and as the network keeps it through all steps of a sampler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from weft.generators.placement import Pace, spread


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What the latent is made from. None is "not given": the learned null of that condition takes its place.

    clip: picture tokens [B, Lc, clip_dim]. sync: frame-aligned [B, Ls, sync_dim]. text: [B, text_length,
    text_dim]. reference: tokens of a sound to resemble [B, Lr, reference_dim].
    *_given: [B] bool, False where an item of the batch has none. *_tokens: how many tokens the null has when
    nothing is given (MMAudio repeats its nulls to 64 and 192 for 8 s).
    *_pace: how many tokens go with how many latent frames; None spreads the tokens evenly over the latent.
    """

    clip: Tensor | None = None
    sync: Tensor | None = None
    text: Tensor | None = None
    reference: Tensor | None = None
    clip_given: Tensor | None = None
    sync_given: Tensor | None = None
    text_given: Tensor | None = None
    reference_given: Tensor | None = None
    clip_tokens: int = 1
    sync_tokens: int = 8
    reference_tokens: int = 1
    clip_pace: Pace | None = None
    sync_pace: Pace | None = None


@dataclass(frozen=True, kw_only=True)
class FrameAligned:
    """A projected condition that every latent frame has one row of: [B, T, D], or each distinct row once.

    Pictures come at 24 tokens a second and latents at 31 or 43, so neighbours share rows; what depends on the row
    alone is computed once a row and spread over the frames.
    """

    rows: Tensor
    """[B, T, D]; or, with `place`, the rows of all items together [R, D]."""
    place: Tensor | None = None
    """[B, T]: the row that a frame takes."""
    item: Tensor | None = None
    """[R]: the item of the batch that a row belongs to."""

    def plus(self, whole: Tensor) -> Tensor:
        """The rows, each with its item's `whole` [B, D] added."""
        return self.rows + (whole[:, None] if self.item is None else whole[self.item])

    def dense(self) -> FrameAligned:
        """The same with a row for each frame."""
        return FrameAligned(rows=spread(self.rows, self.place))


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Conditions after the part of the network that does not see the noisy latent: once per take, not per
    step.
    """

    clip: Tensor  # [B, Lc, D]
    text: Tensor  # [B, Lt (+ Lr), D]
    frames: FrameAligned
    whole: Tensor  # [B, D]
    latent_rotation: Tensor  # [2, T, d / 2] float32
    clip_rotation: Tensor  # [2, Lc, d / 2] float32


def fit_together(several: Sequence[Prepared]) -> bool:
    """Whether `joined` can put them into one batch: as many tokens in each stream, lying at the same times."""
    first = several[0]
    return all(
        one.clip.shape[1:] == first.clip.shape[1:]
        and one.text.shape[1:] == first.text.shape[1:]
        and torch.equal(one.clip_rotation, first.clip_rotation)
        for one in several
    )


def joined(several: Sequence[Prepared]) -> Prepared:
    """One batch of all items, in order. Raises ValueError when the numbers of their tokens differ."""
    if not fit_together(several):
        counts = [(one.clip.shape[1], one.text.shape[1]) for one in several]
        raise ValueError(f"picture and text tokens {counts} differ; give the nulls as many as the conditions")
    frames = [one.frames for one in several]
    if len({one.place is None for one in frames}) > 1:
        frames = [one.dense() for one in frames]
    if frames[0].place is None:
        aligned = FrameAligned(rows=torch.cat([one.rows for one in frames]))
    else:
        places, items, row, item = [], [], 0, 0
        for one in frames:
            assert one.place is not None and one.item is not None
            places.append(one.place + row)
            items.append(one.item + item)
            row, item = row + len(one.rows), item + len(one.place)
        aligned = FrameAligned(
            rows=torch.cat([one.rows for one in frames]), place=torch.cat(places), item=torch.cat(items)
        )
    return Prepared(
        clip=torch.cat([one.clip for one in several]),
        text=torch.cat([one.text for one in several]),
        frames=aligned,
        whole=torch.cat([one.whole for one in several]),
        latent_rotation=several[0].latent_rotation,
        clip_rotation=several[0].clip_rotation,
    )
