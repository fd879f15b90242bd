"""What guidance lowers: how far a sound's embedding is from fixed ones of text and picture, by volume or by cosines.

Seeing & Hearing (Xing et al. 2024): (1 - cos(text, sound)) + (1 - cos(picture, sound)). MDG (Grassucci et al. 2025,
eq. 7): V = √det K, here in its projection form. The sound's embedding is any differentiable function of the data
estimate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint as recomputed

from weft.alignment.volume import Span
from weft.diffusion.steering import Score

Loss = Literal["volume", "pairwise"]
Embed = Callable[[Tensor], Tensor]
"""Data estimates [B, ...] to one vector a sound [B, D], with gradients; lengths do not count."""


@dataclass(frozen=True, kw_only=True)
class Crop:
    """A stretch of `frames` out of the data's time axis `axis`, its place drawn by (seed, step) alone: cheaper, and
    each step hears another part. Shorter data is taken whole."""

    frames: int
    axis: int = 1
    seed: int = 0

    def __call__(self, x0: Tensor, step: int) -> Tensor:
        start, end = self.place(x0.shape[self.axis], step)
        return x0.narrow(self.axis, start, end - start)

    def place(self, count: int, step: int) -> tuple[int, int]:
        """Where the stretch of `count` frames begins and ends."""
        room = count - self.frames
        if room <= 0:
            return 0, count
        start = int(np.random.default_rng([self.seed, step]).integers(room + 1))
        return start, start + self.frames


class Together:
    """An `Objective`: fixed text and picture vectors, a sound that is to mean the same.

    embed: data to sound vector. text, picture: [D] or [B, D], computed once. loss: what is lowered. cosine: weight of
    a cosine term beside the volume, which alone is blind to signs (0, as published). checkpoint: recompute `embed` for
    the gradient and keep nothing of it in memory.

    Readings: volume, and δ = 1 - cos of text_audio, video_audio and text_video, as in MDG's eqs. 7 and 11.
    """

    def __init__(
        self,
        embed: Embed,
        text: Tensor,
        picture: Tensor,
        *,
        loss: Loss = "volume",
        cosine: float = 0.0,
        crop: Crop | None = None,
        checkpoint: bool = False,
    ) -> None:
        """Raises ValueError for another loss, vectors of two spaces, or vectors without a direction."""
        if loss not in ("volume", "pairwise"):
            raise ValueError(f"no guidance by {loss!r}: choose volume or pairwise")
        for name, vector in (("text", text), ("picture", picture)):
            if not bool(torch.isfinite(vector).all()) or not bool(vector.norm(dim=-1).gt(0).all()):
                raise ValueError(
                    f"the {name}'s embedding has no direction: it holds zeros alone, NaN or infinity"
                )
        self.embed, self.loss, self.cosine = embed, loss, cosine
        self.crop, self.checkpoint = crop, checkpoint
        self.span = Span.of(text, picture)
        self.text_video = 1 - (self.span.fixed[..., 0, :] * self.span.fixed[..., 1, :]).sum(-1)

    def __call__(self, x0: Tensor, step: int) -> Score:
        """Score `x0` [B, ...] at a step; a step below 0 scores the whole, not a crop. Readings are float64 [B]."""
        heard = x0 if self.crop is None or step < 0 else self.crop(x0, step)
        vector = (
            recomputed(self.embed, heard, use_reentrant=False) if self._saving(heard) else self.embed(heard)
        )
        volume, cosines = self.span.volume(vector), self.span.cosines(vector)
        if self.loss == "pairwise":
            loss = (1 - cosines).sum(-1)
        else:
            loss = self.span.loss(vector, cosine=self.cosine) if self.cosine else volume
        apart = 1 - cosines.detach()
        readings = {
            "volume": volume.detach(),
            "text_audio": apart[..., 0],
            "video_audio": apart[..., 1],
            "text_video": self.text_video.expand_as(apart[..., 0]),
        }
        return Score(loss=loss, readings=readings)

    def _saving(self, heard: Tensor) -> bool:
        return self.checkpoint and torch.is_grad_enabled() and heard.requires_grad
