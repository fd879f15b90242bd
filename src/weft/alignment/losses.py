"""Contrastive losses of k modalities: GRAM's, by volume, and its peers, pairwise and by area, in one form.

A batch holds B clips, each as one embedding a modality. The anchor (the text, in GRAM) is told from the other clips'
anchors by its others (eq. 8 of MDG, "others to anchor"), and the others from other clips' others by the anchor (eq. 9):

    L = ½ Σ over both  of  -log softmax(-M / τ) of the clip itself

where M is the volume, the area, or 1 - cosine of a pair (CLIP, ImageBind), which is then one such L a pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weft.alignment.area import area_table
from weft.alignment.volume import volume_table, wide

Form = Literal["volume", "area", "pairwise"]
_COLDEST = 1e-3


@dataclass(frozen=True, kw_only=True)
class AlignmentConfig:
    """What is compared, and how; the defaults are GRAM's, but for `detached`.

    form: the measure M. temperature: τ at the start, learnt on if `learnt`. smoothing: of the labels. detached: the
    reference's gathering, which cuts the gradient, so that eq. 9 teaches the anchor alone and eq. 8 the others alone.
    cosine: adds this much mean (1 - cos) of anchor and others to a volume, which is blind to signs without it.
    every_pair: pairwise among the others, too, not of the anchor with each of them alone.
    """

    form: Form = "volume"
    temperature: float = 0.07
    learnt: bool = True
    smoothing: float = 0.1
    detached: bool = False
    cosine: float = 0.0
    every_pair: bool = False

    def __post_init__(self) -> None:
        if self.form not in ("volume", "area", "pairwise"):
            raise ValueError(f"form is {self.form!r}, but must be volume, area or pairwise")
        if self.temperature < _COLDEST:
            raise ValueError(f"temperature is {self.temperature}, but must be {_COLDEST} or more")
        if not 0 <= self.smoothing < 1:
            raise ValueError(f"smoothing is {self.smoothing}, but must be 0 or more, and below 1")
        if self.cosine < 0:
            raise ValueError(f"cosine weighs {self.cosine}, but must be 0 (off, as published) or more")


class AlignmentLoss(nn.Module):
    """The loss, and its one learnt number: `contra_temp`, τ itself as in GRAM's files, not let below 1e-3."""

    def __init__(self, config: AlignmentConfig) -> None:
        super().__init__()
        self.config = config
        self.contra_temp = nn.Parameter(torch.tensor(config.temperature), requires_grad=config.learnt)

    def temperature(self) -> Tensor:
        return self.contra_temp.clamp_min(_COLDEST)

    def forward(self, anchor: Tensor, *others: Tensor, kind: Tensor | None = None) -> dict[str, Tensor]:
        """Return "loss", "anchor to others" (eq. 9), "others to anchor" (eq. 8), nats, and "temperature".

        anchor, others: `[B, D]` each, at least one other. kind: `[B]`; other clips of a clip's own kind, which may be
        as right as itself, are not told from it. Raises ValueError for other shapes.
        """
        if any(x.shape != anchor.shape for x in others):
            shapes = [tuple(x.shape) for x in (anchor, *others)]
            raise ValueError(f"embeddings have shapes {shapes}, but must all be [B, D]")
        c = self.config
        bodies = [(anchor, others)]
        if c.form == "pairwise":
            chosen = combinations((anchor, *others), 2) if c.every_pair else ((anchor, o) for o in others)
            bodies = [(one, (other,)) for one, other in chosen]
        outward, inward = (
            torch.stack(x).mean() for x in zip(*(self._ways(*b, kind) for b in bodies), strict=True)
        )
        return {
            "loss": 0.5 * (outward + inward),
            "anchor to others": outward.detach(),
            "others to anchor": inward.detach(),
            "temperature": self.temperature().detach(),
        }

    def _ways(self, anchor: Tensor, others: tuple[Tensor, ...], kind: Tensor | None) -> tuple[Tensor, Tensor]:
        c = self.config
        if c.detached:
            outward = measure(c, anchor, *(o.detach() for o in others))
            inward = measure(c, anchor.detach(), *others)
        else:
            outward = inward = measure(c, anchor, *others)
        kept = (
            None
            if kind is None
            else (kind[:, None] != kind[None]) | torch.eye(len(kind), dtype=torch.bool, device=kind.device)
        )
        tau = self.temperature()
        return (
            own_cross_entropy(-outward.float() / tau, smoothing=c.smoothing, kept=kept),
            own_cross_entropy(-inward.T.float() / tau, smoothing=c.smoothing, kept=kept),
        )


def measure(config: AlignmentConfig, anchor: Tensor, *others: Tensor) -> Tensor:
    """Return M `[B1, B2]`, float64, of each anchor `[B1, D]` with each row of the others `[B2, D]`: small is alike.

    Of the pairwise form it is the mean of (1 - cos) of the anchor with each other.
    """
    if config.form == "area":
        return area_table(anchor, *others)
    if config.form == "volume" and not config.cosine:
        return volume_table(anchor, *others)
    first, *rest = (F.normalize(wide(x), dim=-1) for x in (anchor, *others))
    apart = 1 - torch.stack([first @ other.T for other in rest]).mean(0)
    return apart if config.form == "pairwise" else volume_table(anchor, *others) + config.cosine * apart


def own_cross_entropy(logits: Tensor, *, smoothing: float = 0.0, kept: Tensor | None = None) -> Tensor:
    """Return the mean cross-entropy, nats, of row i of `logits` `[B, B]` with class i.

    kept: bool `[B, B]`, True on the diagonal; only those classes count, and share the smoothed part of the labels.
    """
    if kept is None:
        kept = torch.ones_like(logits, dtype=torch.bool)
    share = logits.masked_fill(~kept, -torch.inf).log_softmax(1).masked_fill(~kept, 0)
    even = share.sum(1) / kept.sum(1)
    return -((1 - smoothing) * share.diagonal() + smoothing * even).mean()
