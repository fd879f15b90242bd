"""What a picture shows: textures and colours near the sounding thing, for the material."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LOOKS = 3 * (4 * 63 + 6 + 27)
_YUV = ((0.299, 0.587, 0.114), (-0.169, -0.331, 0.5), (0.5, -0.419, -0.081))


class Look(nn.Module):
    """Pictures `[N, 3, 96, 128]` and where the sounding thing is `[N, 12, 16]` to what they show `[N, D]`.

    A material shows in its texture and its colours: the energies of the 63 frequencies of 8 x 8 blocks at two
    scales (how much, and how evenly), and colours by mean, spread and a soft 27-bin histogram; near the thing,
    around it, and everywhere. Only what these mean is learnt, so a few hundred clips suffice.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(LOOKS))
        self.register_buffer("spread", torch.ones(LOOKS))
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(LOOKS, width)

    def forward(self, pictures: Tensor, heat: Tensor) -> Tensor:
        return self.learn(looks(pictures, heat))

    def learn(self, described: Tensor) -> Tensor:
        """`[N, D]` from `looks` `[N, 855]`."""
        return F.silu(self.out(self.drop(((described - self.mean) / self.spread).clamp(-4, 4))))


def looks(pictures: Tensor, heat: Tensor) -> Tensor:
    """Describe pictures `[N, 3, 96, 128]` in 0..1 and heat `[N, 12, 16]` by texture and colour: `[N, 855]`."""
    near = heat[:, None] / heat.amax((1, 2))[:, None, None, None].clamp_min(1e-6)
    around = F.avg_pool2d(near, 5, 1, 2)
    weights = torch.cat([near, around, torch.ones_like(near)], 1) + 1e-4
    luma = (pictures * pictures.new_tensor([0.299, 0.587, 0.114])[None, :, None, None]).sum(1, keepdim=True)
    blocks = _frequencies().to(pictures)
    found = []
    for scale in (1, 2):
        grey = luma if scale == 1 else F.avg_pool2d(luma, 2)
        energy = F.conv2d(grey, blocks, stride=4, padding=2).square()
        found += [(_within(energy, weights) + 1e-5).log(), _within((energy + 1e-5).log(), weights)]
    colour = F.avg_pool2d(pictures, 2)
    yuv = torch.einsum("ij,njhw->nihw", colour.new_tensor(_YUV), colour)
    mean = _within(yuv, weights)
    found += [mean * 4, (_within(yuv.square(), weights) - mean.square()).clamp_min(1e-6).sqrt() * 8]
    parts = (
        1 - (colour[:, :, None] - colour.new_tensor([0.1, 0.45, 0.8])[None, None, :, None, None]).abs() / 0.35
    ).clamp(0)
    r, g, b = parts.unbind(1)
    bins = (r[:, :, None, None] * g[:, None, :, None] * b[:, None, None, :]).flatten(1, 3)
    found.append((_within(bins, weights) + 1e-3).log())
    return torch.cat([f.flatten(1) for f in found], 1)


def _within(values: Tensor, weights: Tensor) -> Tensor:
    """Weighted means `[N, 3, C]` of values `[N, C, h, w]` by weights `[N, 3, 12, 16]`."""
    w = F.interpolate(weights, size=values.shape[-2:], mode="bilinear")
    w = w / w.sum((2, 3), keepdim=True)
    return torch.einsum("nkhw,nchw->nkc", w, values)


def _frequencies() -> Tensor:
    """The 63 alternating cosines of an 8 x 8 block, orthonormal: `[63, 1, 8, 8]`."""
    n = torch.arange(8.0)
    base = torch.cos(torch.pi / 8 * (n[None] + 0.5) * n[:, None]) * (2 / 8) ** 0.5
    base[0] /= 2**0.5
    return torch.einsum("ai,bj->abij", base, base).flatten(0, 1)[1:, None]
