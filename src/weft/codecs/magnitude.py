"""Layers that keep the size of what flows through them, re-derived from the EDM2 paper.

Karras et al. 2024, "Analyzing and improving the training dynamics of diffusion models" (arXiv:2312.02696), sections 2.3
and B: with unit-variance inputs each of these gives unit-variance outputs, so no layer needs a norm with weights.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

EPS = 1e-4
_SILU_RMS = 0.596  # root mean square of silu(x) for x ~ N(0, 1) (eq. 81)


def unit(x: Tensor) -> Tensor:
    """Divide every vector along dimension 1 by its root mean square (pixel norm): `[B, C, ...]` to same."""
    return x / (EPS + x.square().mean(1, keepdim=True).sqrt())


def silu(x: Tensor) -> Tensor:
    """SiLU, scaled so that a normal input comes out with unit root mean square (eq. 81)."""
    return F.silu(x) / _SILU_RMS


def mix(a: Tensor, b: Tensor, share: float) -> Tensor:
    """(1 - share) a + share b, scaled so that independent unit inputs come out unit (eq. 88); share in 0..1."""
    return torch.lerp(a, b, share) / math.hypot(1 - share, share)


def unit_weight(weight: Tensor) -> Tensor:
    """What a convolution computes with from the `weight` `[out, in, ...]` that a training file holds (eq. 66).

    Each output row is brought to root mean square 1, then divided by the square root of its inputs.
    """
    inputs = weight[0].numel()
    length = torch.linalg.vector_norm(weight, dim=tuple(range(1, weight.ndim)), keepdim=True)
    return weight / (EPS + length / math.sqrt(inputs)) / math.sqrt(inputs)
