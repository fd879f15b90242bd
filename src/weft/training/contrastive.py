"""Learning one space from pairs: InfoNCE (van den Oord et al. 2018) where some pairs are no negatives of each other."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def info_nce(similarity: Tensor, own: Tensor, negative: Tensor, scale: Tensor) -> Tensor:
    """Return the mean cross-entropy, nats, of finding each query's own key among its negatives.

    similarity: cosines `[Q, K]`. own: index of each query's key `[Q]`. negative: bool `[Q, K]`; a key that is neither
    own nor a negative is left out. scale: 1 / temperature. 0 when there is no query.
    """
    if not len(similarity):
        return similarity.sum()
    kept = negative.clone()
    kept[torch.arange(len(own)), own] = True
    return F.cross_entropy((similarity.float() * scale).masked_fill(~kept, -1e4), own)


def symmetric(one: Tensor, other: Tensor, kind: Tensor, scale: Tensor) -> Tensor:
    """Return InfoNCE both ways between unit vectors `[N, D]` whose rows belong together; rows of one `kind` `[N]` are
    no negatives of each other."""
    similarity = one @ other.T
    negative = kind[:, None] != kind[None]
    own = torch.arange(len(kind), device=one.device)
    return 0.5 * (info_nce(similarity, own, negative, scale) + info_nce(similarity.T, own, negative.T, scale))


def synchrony(
    video: Tensor, audio: Tensor, twin: Tensor, kind: Tensor, active: Tensor, scale: Tensor, near: int = 1
) -> Tensor:
    """Return InfoNCE both ways between windows of pictures and of sound, `[B, T, D]` unit vectors each.

    A window's own sound is told from the sounds of other clips, from its own clip's sound elsewhere in time, more than
    `near` windows away, and, from the picture, from `twin` `[B, T, D]`: the same contacts on another material. Other
    clips of one `kind` `[B]` are no negatives. Only `active` windows `[B, T]` ask.
    """
    b, t, _ = video.shape
    clip = torch.arange(b, device=video.device).repeat_interleave(t)
    at = torch.arange(t, device=video.device).repeat(b)
    same_clip = clip[:, None] == clip[None]
    apart = (at[:, None] - at[None]).abs() > near
    other_kind = (kind[:, None] != kind[None]).repeat_interleave(t, 0).repeat_interleave(t, 1)
    negative = torch.where(same_clip, apart, other_kind)
    ask = active.flatten().nonzero()[:, 0]
    v, a, w = (x.flatten(0, 1).float() for x in (video, audio, twin))
    from_video = torch.cat([v[ask] @ a.T, v[ask] @ w.T], 1)
    also = torch.cat([negative[ask], same_clip[ask] & ~apart[ask]], 1)
    return 0.5 * (info_nce(from_video, ask, also, scale) + info_nce(a[ask] @ v.T, ask, negative[ask], scale))
