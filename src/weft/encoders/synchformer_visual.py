"""The visual branch of Synchformer: a MotionFormer with attention divided over time and space, then pooled per step.

Iashin et al. 2024 (Synchformer); Patrick et al. 2021 (MotionFormer, the divided variant 224 / 16x4). Segments of 16
frames at 25 fps (0.64 s) start every 8 frames; each gives 8 vectors, one a pair of frames. MMAudio is conditioned on
them. Tensors carry the names of the published file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from weft.encoders.pictures import centre_crop, channels_first, normalised, shorter_side

FPS = 25.0
_EPS = 1e-6
_HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True, kw_only=True)
class VisualConfig:
    """The published size. width: of every token. size, patch: pixels. frames: of a segment; every `stride` frames
    another starts. tubelet: frames of one token."""

    width: int = 768
    depth: int = 12
    heads: int = 12
    size: int = 224
    patch: int = 16
    frames: int = 16
    stride: int = 8
    tubelet: int = 2


TINY_VISUAL = VisualConfig(width=48, depth=2, heads=4)


class SynchformerVisual(nn.Module):
    """Segments of pictures to `steps` vectors each."""

    def __init__(self, config: VisualConfig) -> None:
        super().__init__()
        self.config = config
        width, patch = config.width, config.patch
        self.steps = config.frames // config.tubelet
        patches = (config.size // patch) ** 2
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + patches, width))
        self.temp_embed = nn.Parameter(torch.zeros(1, self.steps, width))
        # The published file still holds MotionFormer's patches of single pictures; nothing reads them.
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, patch, patch)})
        tubelet = (config.tubelet, patch, patch)
        self.patch_embed_3d = nn.ModuleDict({"proj": nn.Conv3d(3, width, tubelet, tubelet)})
        self.blocks = nn.ModuleList([_Block(width, config.heads) for _ in range(config.depth)])
        self.norm = nn.LayerNorm(width, eps=_EPS)
        self.spatial_attn_agg = Pool(width, config.heads)

    def forward(self, segments: Tensor) -> Tensor:
        """Turn segments `[B, S, frames, 3, size, size]`, -1..1, into vectors `[B, S, frames / tubelet, width]`."""
        batch = segments.shape[:2]
        x = self.patch_embed_3d["proj"](segments.flatten(0, 1).transpose(1, 2)).flatten(2).transpose(1, 2)
        first, places = self.pos_embed[:, :1], self.pos_embed[:, 1:]
        x = x + (places[:, None] + self.temp_embed[:, :, None]).flatten(1, 2)
        x = torch.cat([(self.cls_token + first).expand(len(x), -1, -1), x], 1)
        for block in self.blocks:
            x = block(x, self.steps)
        x = self.norm(x[:, 1:]).unflatten(1, (self.steps, -1))
        return self.spatial_attn_agg(x.flatten(0, 1)).unflatten(0, (*batch, self.steps))

    def segments(self, frames: np.ndarray) -> Tensor:
        """Turn frames uint8 `[T, H, W, 3]` at 25 fps into segments uint8 `[S, 16, 3, 224, 224]`.

        Shorter side to 224 (bicubic), the middle square; S = (T - 16) // 8 + 1, frames left over are not seen. They
        overlap and share their memory; `encode` puts 0..255 on -1..1. Raises ValueError when there are fewer than 16
        frames (0.64 s).
        """
        config = self.config
        if len(frames) < config.frames:
            raise ValueError(
                f"Synchformer needs at least {config.frames} frames at 25 fps, not {len(frames)}"
            )
        square = centre_crop(shorter_side(channels_first(frames), config.size), config.size)
        return square.unfold(0, config.frames, config.stride).movedim(-1, 1)

    @torch.inference_mode()
    def encode(self, frames: np.ndarray, at_once: int = 4) -> Tensor:
        """Turn frames uint8 `[T, H, W, 3]` at 25 fps into vectors `[S, 8, width]` on the CPU, `at_once` segments a
        pass."""
        like = self.cls_token
        parts = [
            self(normalised(part, _HALF, _HALF)[None].to(like))[0].float().cpu()
            for part in self.segments(frames).split(at_once)
        ]
        return torch.cat(parts)


class Pool(nn.TransformerEncoderLayer):
    """One transformer layer over a learnt token and the given ones; returns what the learnt token becomes."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(
            width, heads, 4 * width, 0.0, "gelu", layer_norm_eps=_EPS, batch_first=True, norm_first=True
        )
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))

    def forward(self, src: Tensor) -> Tensor:  # type: ignore[override]
        """Turn tokens `[B, L, D]` into one `[B, D]` each."""
        return super().forward(torch.cat([self.cls_token.expand(len(src), -1, -1), src], 1))[:, 0]


class _Block(nn.Module):
    """Attention over time, then over space, then a perceptron, each added to what it was given."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width, eps=_EPS) for _ in range(3))
        self.attn, self.timeattn = _DividedAttention(width, heads), _DividedAttention(width, heads)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})

    def forward(self, x: Tensor, steps: int) -> Tensor:
        x = x + self.timeattn(self.norm3(x), steps, over_time=True)
        x = x + self.attn(self.norm1(x), steps, over_time=False)
        return x + self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.norm2(x))))


class _DividedAttention(nn.Module):
    """The first token attends to all; every other to the first and to its own place in time, or its own step."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, steps: int, *, over_time: bool) -> Tensor:
        """x: `[B, 1 + steps * places, D]`, places fastest."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        first = _attended(q[:, :, :1], k, v)
        grouped = [t[:, :, 1:].unflatten(2, (steps, -1)) for t in (q, k, v)]
        if over_time:
            grouped = [t.transpose(2, 3) for t in grouped]
        groups = grouped[0].shape[2]
        key, value = (
            torch.cat([t[:, :, None, :1].expand(-1, -1, groups, -1, -1), g], 3)
            for t, g in zip((k, v), grouped[1:], strict=True)
        )
        rest = _attended(grouped[0], key, value)
        if over_time:
            rest = rest.transpose(2, 3)
        return self.proj(torch.cat([first, rest.flatten(2, 3)], 2).transpose(1, 2).flatten(2))


def _attended(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Softmax attention over the last two dimensions. torch's own turns grouped bfloat16 into float32 first."""
    if q.dtype == torch.float32 or q.device.type != "cpu":
        return F.scaled_dot_product_attention(q, k, v)
    return ((q * q.shape[-1] ** -0.5) @ k.mT).softmax(-1) @ v
