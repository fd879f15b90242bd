"""The MM-DiT's blocks: one stream, and three streams that attend to each other."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weft.generators.layers import GatedMLP, Modulation, modulate, projection
from weft.generators.rope import rotate


class Attention(nn.Module):
    """Projections of self-attention with RMS-normalised queries and keys; no output projection (the block
    has it).
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.q_norm = nn.RMSNorm(dim // heads)
        self.k_norm = nn.RMSNorm(dim // heads)

    def forward(self, x: Tensor, rotation: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """[B, L, D] -> queries, keys, values [B, H, L, d]. In `qkv`'s output q, k, v vary fastest
        (official layout).
        """
        batch, length, _ = x.shape
        qkv = self.qkv(x).reshape(batch, length, self.heads, -1, 3).permute(4, 0, 2, 1, 3)
        q, k, v = self.q_norm(qkv[0]), self.k_norm(qkv[1]), qkv[2].contiguous()
        if rotation is not None:
            q, k = rotate(q, rotation), rotate(k, rotation)
        return q.to(v.dtype), k.to(v.dtype), v


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Softmax attention, heads joined: [B, H, L, d] x 3 -> [B, L, H d]. No mask: padding takes part, as
    trained.
    """
    out = F.scaled_dot_product_attention(q, k, v)
    return out.transpose(1, 2).flatten(2)


class StreamBlock(nn.Module):
    """One stream's share of a block (MMAudio's MMDitSingle). `condition` is [B, 1, D] for all tokens or [B, L, D] for
    each; or it is distinct rows [R, D], and `place` [B, L] says which row a token takes.

    With `pre_only` it contributes keys and values to its last joint attention and is not itself continued.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        hidden: int,
        *,
        kernel: int,
        ffn_kernel: int,
        rank: int,
        pre_only: bool = False,
    ) -> None:
        super().__init__()
        self.pre_only = pre_only
        self.norm1 = nn.LayerNorm(dim, elementwise_affine=False)
        self.attn = Attention(dim, heads)
        self.adaLN_modulation = Modulation(dim, 2 if pre_only else 6, rank)
        if not pre_only:
            self.norm2 = nn.LayerNorm(dim, elementwise_affine=False)
            self.linear1 = projection(dim, dim, kernel)
            self.ffn = GatedMLP(dim, hidden, ffn_kernel)

    def before(
        self, x: Tensor, condition: Tensor, rotation: Tensor | None, place: Tensor | None = None
    ) -> tuple[tuple[Tensor, Tensor, Tensor], tuple[Tensor, ...]]:
        """Queries, keys and values, and the modulation that `after` needs."""
        chunks = 2 if self.pre_only else 6
        shift, scale, *rest = self.adaLN_modulation(condition, place).chunk(chunks, dim=-1)
        return self.attn(modulate(self.norm1(x), shift, scale), rotation), tuple(rest)

    def after(self, x: Tensor, attended: Tensor, rest: tuple[Tensor, ...]) -> Tensor:
        if self.pre_only:
            return x
        gate_attention, shift, scale, gate = rest
        x = x + self.linear1(attended) * gate_attention
        return x + self.ffn(modulate(self.norm2(x), shift, scale)) * gate

    def forward(
        self, x: Tensor, condition: Tensor, rotation: Tensor | None, place: Tensor | None = None
    ) -> Tensor:
        qkv, rest = self.before(x, condition, rotation, place)
        return self.after(x, attend(*qkv), rest)


class JointBlock(nn.Module):
    """Latent, picture and text streams with their own weights and one attention over all their tokens."""

    def __init__(
        self,
        dim: int,
        heads: int,
        hidden: int,
        *,
        kernel: int,
        ffn_kernel: int,
        clip_kernel: int,
        rank: int,
        pre_only: bool,
    ) -> None:
        super().__init__()
        self.latent_block = StreamBlock(dim, heads, hidden, kernel=kernel, ffn_kernel=ffn_kernel, rank=rank)
        self.clip_block = StreamBlock(
            dim, heads, hidden, kernel=clip_kernel, ffn_kernel=clip_kernel, rank=rank, pre_only=pre_only
        )
        self.text_block = StreamBlock(
            dim, heads, hidden, kernel=1, ffn_kernel=1, rank=rank, pre_only=pre_only
        )

    def forward(
        self,
        latent: Tensor,
        clip: Tensor,
        text: Tensor,
        condition: Tensor,
        frames: Tensor,
        latent_rotation: Tensor,
        clip_rotation: Tensor,
        place: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Streams [B, L, D]; `condition` [B, 1, D] modulates picture and text, `frames` the latent: [B, T, D], or
        rows [R, D] with `place` [B, T].
        """
        blocks = (self.latent_block, self.clip_block, self.text_block)
        streams = (latent, clip, text)
        prepared = (
            self.latent_block.before(latent, frames, latent_rotation, place),
            self.clip_block.before(clip, condition, clip_rotation),
            self.text_block.before(text, condition, None),
        )
        q, k, v = (torch.cat(parts, dim=2) for parts in zip(*(qkv for qkv, _ in prepared), strict=True))
        attended = attend(q, k, v).split([x.shape[1] for x in streams], dim=1)
        latent, clip, text = (
            block.after(x, a, rest)
            for block, x, a, (_, rest) in zip(blocks, streams, attended, prepared, strict=True)
        )
        return latent, clip, text


class FinalLayer(nn.Module):
    """Modulated norm and the convolution to the latent's channels, started at zero."""

    def __init__(self, dim: int, channels: int, rank: int) -> None:
        super().__init__()
        self.adaLN_modulation = Modulation(dim, 2, rank)
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)
        self.conv = projection(dim, channels, 7)
        for parameter in self.conv.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, condition: Tensor, place: Tensor | None = None) -> Tensor:
        shift, scale = self.adaLN_modulation(condition, place).chunk(2, dim=-1)
        return self.conv(modulate(self.norm(x), shift, scale))
