"""BEATs: sound as filter banks to one vector for each of its 16 x 16 patches.

Chen et al. 2023 (arXiv:2212.09058), in the layout of its published files: a post-norm transformer whose residuals are
scaled up (DeepNorm), with a convolution for places and a gated bias of relative places that all layers share.

The reference scales gradients by 0.6 (`layer_wise_gradient_decay_ratio`) at every layer, in evaluation, too: what
reaches the sound is 0.6^12 = .002 of the gradient. Here nothing is scaled, so that guidance gets all of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PATCH = 16


@dataclass(frozen=True, kw_only=True)
class BeatsConfig:
    """The published size (iteration 3+). patches: width of a patch before it is projected to `width`. places, groups:
    the convolution's kernel and groups. buckets, far: of the bias, and the distance at which its buckets end."""

    patches: int = 512
    width: int = 768
    depth: int = 12
    heads: int = 12
    inner: int = 3072
    places: int = 128
    groups: int = 16
    buckets: int = 320
    far: int = 800


class Places(nn.Module):
    """What a token's neighbours tell of its place: a convolution of odd reach, its kernel in length and direction."""

    def __init__(self, config: BeatsConfig) -> None:
        super().__init__()
        c = config
        self.groups, self.reach = c.groups, c.places
        self.weight_g = nn.Parameter(torch.ones(1, 1, c.places))
        self.weight_v = nn.Parameter(torch.zeros(c.width, c.width // c.groups, c.places))
        self.bias = nn.Parameter(torch.zeros(c.width))

    def forward(self, x: Tensor) -> Tensor:
        """Turn tokens `[B, L, W]` into what is added to them."""
        v = self.weight_v
        kernel = v * (self.weight_g / v.norm(dim=(0, 1), keepdim=True))
        made = F.conv1d(x.mT, kernel, self.bias, padding=self.reach // 2, groups=self.groups)
        return F.gelu(made[..., : x.shape[1]]).mT


class Attention(nn.Module):
    """Attention with a bias of relative places, which each query opens or closes by two gates."""

    def __init__(self, config: BeatsConfig) -> None:
        super().__init__()
        c = config
        self.heads, self.buckets, self.far = c.heads, c.buckets, c.far
        self.grep_a = nn.Parameter(torch.ones(1, c.heads, 1, 1))
        self.relative_attention_bias = nn.Embedding(c.buckets, c.heads)
        self.q_proj, self.k_proj = nn.Linear(c.width, c.width), nn.Linear(c.width, c.width)
        self.v_proj, self.out_proj = nn.Linear(c.width, c.width), nn.Linear(c.width, c.width)
        self.grep_linear = nn.Linear(c.width // c.heads, 8)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (
            made(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for made in (self.q_proj, self.k_proj, self.v_proj)
        )
        gates = self.grep_linear(q).unflatten(-1, (2, 4)).sum(-1).sigmoid()
        open_by = gates[..., :1] * (gates[..., 1:] * self.grep_a - 1) + 2
        bias = open_by * self.relative(x.shape[1])
        return self.out_proj(F.scaled_dot_product_attention(q, k, v, bias).transpose(1, 2).flatten(2))

    def relative(self, length: int) -> Tensor:
        """The bias `[H, L, L]` of each key as seen from each query, before the gates."""
        at = torch.arange(length, device=self.grep_a.device)
        buckets = bucket_of(at[None] - at[:, None], self.buckets, self.far)
        return self.relative_attention_bias(buckets).permute(2, 0, 1)


class Layer(nn.Module):
    def __init__(self, config: BeatsConfig) -> None:
        super().__init__()
        c = config
        self.residual = (2 * c.depth) ** 0.25
        self.self_attn, self.self_attn_layer_norm = Attention(c), nn.LayerNorm(c.width)
        self.fc1, self.fc2 = nn.Linear(c.width, c.inner), nn.Linear(c.inner, c.width)
        self.final_layer_norm = nn.LayerNorm(c.width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.self_attn_layer_norm(self.residual * x + self.self_attn(x))
        return self.final_layer_norm(self.residual * x + self.fc2(F.gelu(self.fc1(x))))


class Encoder(nn.Module):
    def __init__(self, config: BeatsConfig) -> None:
        super().__init__()
        self.pos_conv = nn.ModuleList([Places(config)])
        self.layer_norm = nn.LayerNorm(config.width)
        layers = [Layer(config) for _ in range(config.depth)]
        for layer in layers:
            layer.self_attn.relative_attention_bias = layers[0].self_attn.relative_attention_bias
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer_norm(x + self.pos_conv[0](x))
        for layer in self.layers:
            x = layer(x)
        return x


class BeatsNet(nn.Module):
    """Normalised filter banks `[B, T, M]` to tokens `[B, T // 16 · M // 16, W]`, in rows of one time. Keys as in BEATs'
    files, where the shared bias is held once a layer."""

    def __init__(self, config: BeatsConfig) -> None:
        super().__init__()
        c = self.config = config
        self.patch_embedding = nn.Conv2d(1, c.patches, PATCH, PATCH, bias=False)
        self.layer_norm = nn.LayerNorm(c.patches)
        self.post_extract_proj = nn.Linear(c.patches, c.width)
        self.encoder = Encoder(c)

    def forward(self, banks: Tensor) -> Tensor:
        """Raises ValueError for banks smaller than a patch."""
        if banks.ndim != 3 or min(banks.shape[1:]) < PATCH:
            raise ValueError(
                f"banks have shape {tuple(banks.shape)}, but must be [B, 16 or more, 16 or more]"
            )
        patches = self.patch_embedding(banks[:, None]).flatten(2).mT
        return self.encoder(self.post_extract_proj(self.layer_norm(patches)))


def bucket_of(offset: Tensor, buckets: int, far: int) -> Tensor:
    """Return the bucket, 0 to `buckets` - 1, of each offset (key less query): half of them for keys behind the query;
    of these half again one an offset, the rest wider and wider up to `far`, as in T5."""
    half, exact = buckets // 2, buckets // 4
    distance = offset.abs()
    wide = (distance.clamp_min(1).float() / exact).log() / math.log(far / exact) * (half - exact)
    large = (exact + wide.long()).clamp_max(half - 1)
    return (offset > 0) * half + torch.where(distance < exact, distance, large)
