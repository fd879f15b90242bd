"""Diff-Foley's alignment classifier: does this spectrogram belong to these pictures, and at this moment?

Luo et al. 2023: the descending half of a latent diffusion U-Net over the spectrogram's latent, which looks at the
pictures' vectors by cross-attention; asked at noise level 0. Tensors carry the names of the published file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class AlignmentConfig:
    """The published size. width: of the first convolution, times `mults` at each scale; from the second on there is
    attention by `heads`. latent: channels in. context: of a picture's vector, of which at most `longest` are placed."""

    width: int = 128
    mults: tuple[int, ...] = (1, 2, 2)
    heads: int = 8
    latent: int = 4
    context: int = 512
    longest: int = 40
    groups: int = 32


class AlignmentNet(nn.Module):
    """Latents `[B, latent, H, W]` and vectors `[B, T, context]` to probabilities `[B]` that they are aligned."""

    def __init__(self, config: AlignmentConfig) -> None:
        super().__init__()
        self.config = config
        self.cond_model = nn.ModuleDict(
            {
                "embedder": nn.Sequential(nn.Linear(config.context, config.context)),
                "pos_emb": nn.Embedding(config.longest, config.context),
            }
        )
        self.model = _HalfUNet(config)

    def forward(self, latent: Tensor, seen: Tensor) -> Tensor:
        places = self.cond_model["pos_emb"].weight[: seen.shape[1]]  # type: ignore[index]
        return self.model(latent, self.cond_model["embedder"](seen) + places)


class _HalfUNet(nn.Module):
    def __init__(self, config: AlignmentConfig) -> None:
        super().__init__()
        self.width = config.width
        moment = 4 * config.width
        self.time_embed = nn.Sequential(nn.Linear(config.width, moment), nn.SiLU(), nn.Linear(moment, moment))
        self.input_blocks = nn.ModuleList(
            [nn.ModuleList([nn.Conv2d(config.latent, config.width, 3, padding=1)])]
        )
        inside = config.width
        for k, mult in enumerate(config.mults):
            parts: list[nn.Module] = [_Residual(inside, mult * config.width, moment, config.groups)]
            inside = mult * config.width
            if k:
                parts.append(_Look(inside, config))
            self.input_blocks.append(nn.ModuleList(parts))
            if k < len(config.mults) - 1:
                self.input_blocks.append(nn.ModuleList([_Halve(inside)]))
        self.middle_block = nn.ModuleList(
            [
                _Residual(inside, inside, moment, config.groups),
                _Look(inside, config),
                _Residual(inside, inside, moment, config.groups),
            ]
        )
        self.out = nn.Sequential(
            nn.GroupNorm(config.groups, inside), nn.SiLU(), nn.Conv2d(inside, inside // 2, 3, padding=1)
        )
        self.classifier = nn.Linear(inside // 2, 1)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        half = self.width // 2
        clean = torch.cat([torch.ones(1, half), torch.zeros(1, half)], 1).to(
            x
        )  # cosines and sines of moment 0
        moment = self.time_embed(clean)
        for block in (*self.input_blocks, self.middle_block):
            for part in block:  # type: ignore[union-attr]
                if isinstance(part, _Residual):
                    x = part(x, moment)
                else:
                    x = part(x, seen) if isinstance(part, _Look) else part(x)
        return self.classifier(self.out(x).mean((-2, -1))).sigmoid()[:, 0]


class _Residual(nn.Module):
    def __init__(self, inside: int, out: int, moment: int, groups: int) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(
            nn.GroupNorm(groups, inside), nn.SiLU(), nn.Conv2d(inside, out, 3, padding=1)
        )
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(moment, out))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(groups, out), nn.SiLU(), nn.Identity(), nn.Conv2d(out, out, 3, padding=1)
        )
        self.skip_connection = nn.Identity() if inside == out else nn.Conv2d(inside, out, 1)

    def forward(self, x: Tensor, moment: Tensor) -> Tensor:
        y = self.in_layers(x) + self.emb_layers(moment)[:, :, None, None]
        return self.skip_connection(x) + self.out_layers(y)


class _Halve(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.op = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.op(x)


class _Look(nn.Module):
    """Attention to itself, then to the pictures, then a gated layer."""

    def __init__(self, width: int, config: AlignmentConfig) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(config.groups, width, eps=1e-6)
        self.proj_in, self.proj_out = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 1)
        block = nn.ModuleDict(
            {
                "attn1": _Attention(width, width, config.heads),
                "attn2": _Attention(width, config.context, config.heads),
                "ff": nn.ModuleDict(
                    {"net": nn.ModuleList([_Gate(width), nn.Identity(), nn.Linear(4 * width, width)])}
                ),
                **{f"norm{k}": nn.LayerNorm(width) for k in (1, 2, 3)},
            }
        )
        self.transformer_blocks = nn.ModuleList([block])

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        y = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)
        block = self.transformer_blocks[0]
        given = block["norm1"](y)  # type: ignore[index]
        y = y + block["attn1"](given, given)  # type: ignore[index]
        y = y + block["attn2"](block["norm2"](y), seen)  # type: ignore[index]
        given = block["norm3"](y)  # type: ignore[index]
        for layer in block["ff"]["net"]:  # type: ignore[index]
            given = layer(given)
        return x + self.proj_out((y + given).transpose(1, 2).reshape(x.shape))


class _Gate(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 8 * width)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, -1)
        return value * F.gelu(gate)


class _Attention(nn.Module):
    def __init__(self, width: int, context: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k, self.to_v = (nn.Linear(context, width, bias=False) for _ in range(2))
        self.to_out = nn.Sequential(nn.Linear(width, width))

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.to_q(x), self.to_k(seen), self.to_v(seen))
        )
        scale = 1 / math.sqrt(q.shape[-1])
        return self.to_out(F.scaled_dot_product_attention(q, k, v, scale=scale).transpose(1, 2).flatten(2))
