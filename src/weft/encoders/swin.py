"""Swin transformer blocks: attention inside 8 x 8 windows, shifted by half a window in every second block.

Liu et al. 2021; keys, masks and tables lie as in Microsoft's files, from which HTSAT's descend.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

WINDOW = 8
_APART = -100.0  # added to the logits between patches that a shift brought into one window


class Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class WindowAttention(nn.Module):
    """Attention within windows `[n, L, C]`, L = side * side, with a learned bias by relative position."""

    relative_position_index: Tensor

    def __init__(self, width: int, side: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * side - 1) ** 2, heads))
        self.register_buffer("relative_position_index", relative_positions(side))
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """`mask` `[W, L, L]` is added to the logits of each run of W windows."""
        n, length, width = x.shape
        q, k, v = self.qkv(x).view(n, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        bias = self.relative_position_bias_table[self.relative_position_index].permute(2, 0, 1)[None]
        if mask is not None:
            bias = (bias + mask[:, None]).repeat(n // len(mask), 1, 1, 1)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return self.proj(mixed.transpose(1, 2).reshape(n, length, width))


class SwinBlock(nn.Module):
    """Tokens `[B, side * side, C]` to the same; where the picture is no larger than a window there is no shift."""

    attn_mask: Tensor | None

    def __init__(self, width: int, side: int, heads: int, *, shifted: bool) -> None:
        super().__init__()
        self.side, self.window = side, min(side, WINDOW)
        self.shift = WINDOW // 2 if shifted and side > WINDOW else 0
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = WindowAttention(width, self.window, heads)
        self.mlp = Mlp(width)
        self.register_buffer("attn_mask", shift_mask(side, self.window, self.shift) if self.shift else None)

    def forward(self, x: Tensor) -> Tensor:
        side, back = self.side, (self.shift, self.shift)
        picture = self.norm1(x).unflatten(1, (side, side)).roll((-self.shift, -self.shift), (1, 2))
        mixed = self.attn(into_windows(picture, self.window), self.attn_mask)
        x = x + from_windows(mixed, self.window, side).roll(back, (1, 2)).flatten(1, 2)
        return x + self.mlp(self.norm2(x))


class PatchMerging(nn.Module):
    """Tokens `[B, side * side, C]` to `[B, (side / 2)^2, 2 C]`: squares of four become one."""

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)
        self.norm = nn.LayerNorm(4 * width)

    def forward(self, x: Tensor) -> Tensor:
        x = x.unflatten(1, (self.side, self.side))
        four = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.reduction(self.norm(torch.cat(four, -1).flatten(1, 2)))


def into_windows(picture: Tensor, window: int) -> Tensor:
    """Return windows `[B * W, window^2, C]` of pictures `[B, side, side, C]`, row by row."""
    parts = picture.unflatten(2, (-1, window)).unflatten(1, (-1, window))
    return parts.transpose(2, 3).flatten(0, 2).flatten(1, 2)


def from_windows(windows: Tensor, window: int, side: int) -> Tensor:
    """Return the pictures `[B, side, side, C]` whose `into_windows` are `windows`."""
    across = side // window
    parts = windows.unflatten(1, (window, window)).unflatten(0, (-1, across, across))
    return parts.transpose(2, 3).flatten(3, 4).flatten(1, 2)


def relative_positions(side: int) -> Tensor:
    """Return the row of the bias table for each pair of places in a window, int64 `[side^2, side^2]`."""
    at = np.indices((side, side)).reshape(2, -1)
    rows, columns = at[:, :, None] - at[:, None] + side - 1
    return torch.from_numpy(rows * (2 * side - 1) + columns)


def shift_mask(side: int, window: int, shift: int) -> Tensor:
    """Return what keeps apart, in each shifted window, patches that were not neighbours: 0 or -100, `[W, L, L]`."""
    band = np.repeat([0, 1, 2], [side - window, window - shift, shift])
    region = into_windows(torch.from_numpy(3 * band[:, None] + band)[None, :, :, None], window)[..., 0]
    return (region[:, None] != region[..., None]).float() * _APART
