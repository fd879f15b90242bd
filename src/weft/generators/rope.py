"""Rotary positions (Su et al. 2021) that put streams of different rates on one time axis."""

from __future__ import annotations

import torch
from torch import Tensor


def rotations(length: int, dim: int, *, scale: float = 1.0, theta: float = 1e4) -> Tensor:
    """Angles' cosine and sine [2, length, dim / 2], fp32, for positions 0, scale, 2 scale, ...

    `scale` is how many latent frames one position lasts: 1 for the latent, latent_len / clip_len for pictures
    (MMAudio's aligned RoPE).
    """
    frequency = theta ** -(torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    angle = torch.arange(length, dtype=torch.float32)[:, None] * (frequency * scale)
    return torch.stack([angle.cos(), angle.sin()])


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Turn adjacent pairs of x [B, H, L, dim] by `rotation` [2, L, dim / 2], in fp32; x's type comes back."""
    cos, sin = rotation
    even, odd = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2).to(x.dtype)
