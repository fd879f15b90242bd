"""The encoder of Stable Diffusion's image autoencoder, by which Diff-Foley looks at a spectrogram.

Rombach et al. 2022 (kl-f8). Tensors carry the names of the published files.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class LatentEyeConfig:
    """The published size. width: of the first convolution, times `mults` at each scale; `blocks` a scale; `latent`
    channels; `groups` of every normalisation."""

    width: int = 128
    mults: tuple[int, ...] = (1, 2, 4, 4)
    blocks: int = 2
    latent: int = 4
    groups: int = 32


class LatentEye(nn.Module):
    """Pictures `[B, 3, H, W]` to the mean of their latents `[B, latent, H / 8, W / 8]`, for four scales."""

    def __init__(self, config: LatentEyeConfig) -> None:
        super().__init__()
        self.encoder = _Encoder(config)
        self.quant_conv = nn.Conv2d(2 * config.latent, 2 * config.latent, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.quant_conv(self.encoder(pictures)).chunk(2, 1)[0]


class _Encoder(nn.Module):
    def __init__(self, config: LatentEyeConfig) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, config.width, 3, padding=1)
        self.down = nn.ModuleList()
        inside = config.width
        for k, mult in enumerate(config.mults):
            last = k == len(config.mults) - 1
            self.down.append(_Scale(inside, mult * config.width, config, halve=not last))
            inside = mult * config.width
        self.mid = nn.ModuleDict(
            {
                "block_1": _Block(inside, inside, config.groups),
                "attn_1": _Attention(inside, config.groups),
                "block_2": _Block(inside, inside, config.groups),
            }
        )
        self.norm_out = _norm(inside, config.groups)
        self.conv_out = nn.Conv2d(inside, 2 * config.latent, 3, padding=1)

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.conv_in(pictures)
        for part in (*self.down, *self.mid.values()):
            x = part(x)
        return self.conv_out(F.silu(self.norm_out(x)))


class _Scale(nn.Module):
    def __init__(self, inside: int, width: int, config: LatentEyeConfig, *, halve: bool) -> None:
        super().__init__()
        self.block = nn.ModuleList(
            [_Block(width if k else inside, width, config.groups) for k in range(config.blocks)]
        )
        self.halve = halve
        if halve:
            self.downsample = nn.ModuleDict({"conv": nn.Conv2d(width, width, 3, stride=2)})

    def forward(self, x: Tensor) -> Tensor:
        for block in self.block:
            x = block(x)
        return self.downsample["conv"](F.pad(x, (0, 1, 0, 1))) if self.halve else x


class _Block(nn.Module):
    def __init__(self, inside: int, out: int, groups: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = _norm(inside, groups), _norm(out, groups)
        self.conv1 = nn.Conv2d(inside, out, 3, padding=1)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        if inside != out:
            self.nin_shortcut = nn.Conv2d(inside, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
        return y + (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x)


class _Attention(nn.Module):
    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        self.norm = _norm(width, groups)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(width, width, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(x)
        q, k, v = (part(y).flatten(2).transpose(1, 2) for part in (self.q, self.k, self.v))
        seen = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
        return x + self.proj_out(seen)


def _norm(width: int, groups: int) -> nn.GroupNorm:
    return nn.GroupNorm(groups, width, eps=1e-6)
