"""Dense optical flow between small grey pictures: pyramidal Lucas-Kanade in a few tensor operations.

Source: Lucas and Kanade 1981; the pyramid after Bouguet 2001. Everything is batched over frame pairs.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

SMALLEST = 15  # the pyramid stops when the shorter side would fall below this
NOISE = 2.0  # variance of a grey level (0..255) that counts as noise in the normal equations


def lucas_kanade(
    before: torch.Tensor, after: torch.Tensor, *, levels: int = 4, window: int = 7
) -> torch.Tensor:
    """Return the flow `[B, 2, H, W]` (x right, y down, in pixels) that carries `before` onto `after`.

    Both are float grey pictures `[B, H, W]` in 0..255. One refinement per level, two at the coarsest.
    """
    first, second = [before[:, None]], [after[:, None]]
    while len(first) < levels and min(first[-1].shape[-2:]) // 2 >= SMALLEST:
        first.append(F.avg_pool2d(first[-1], 2, ceil_mode=True))
        second.append(F.avg_pool2d(second[-1], 2, ceil_mode=True))
    flow = torch.zeros(before.shape[0], 2, *first[-1].shape[-2:])
    for level in range(len(first) - 1, -1, -1):
        if level < len(first) - 1:
            flow = F.interpolate(flow, size=first[level].shape[-2:], mode="bilinear", align_corners=False) * 2
        for _ in range(2 if level == len(first) - 1 else 1):
            flow = flow + _step(first[level], warp(second[level], flow), window)
    return flow


def _step(fixed: torch.Tensor, moved: torch.Tensor, window: int) -> torch.Tensor:
    """One Lucas-Kanade increment `[B, 2, H, W]` between two nearly aligned pictures `[B, 1, H, W]`."""
    mean = (fixed + moved) / 2
    padded = F.pad(mean, (1, 1, 1, 1), mode="replicate")
    gx = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    gy = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    gt = moved - fixed
    sums = torch.cat([gx * gx, gy * gy, gx * gy, gx * gt, gy * gt], 1)
    sums = _blur(sums, window)
    xx, yy, xy, xt, yt = sums.unbind(1)
    xx, yy = xx + NOISE, yy + NOISE
    scale = -1.0 / (xx * yy - xy * xy)
    step = torch.stack([(yy * xt - xy * yt) * scale, (xx * yt - xy * xt) * scale], 1)
    return step.clamp(-3.0, 3.0)


def _blur(x: torch.Tensor, window: int) -> torch.Tensor:
    """Sum over a square window by shifted additions (eight times faster here than pooling)."""
    pad, (height, width) = window // 2, x.shape[-2:]
    padded = F.pad(x, (pad, pad))
    rows = padded[..., :width].clone()
    for shift in range(1, window):
        rows += padded[..., shift : shift + width]
    padded = F.pad(rows, (0, 0, pad, pad))
    total = padded[..., :height, :].clone()
    for shift in range(1, window):
        total += padded[..., shift : shift + height, :]
    return total / window**2


def warp(picture: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Sample `picture` `[B, 1, H, W]` at each pixel plus `flow` `[B, 2, H, W]`."""
    height, width = picture.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height).float(), torch.arange(width).float(), indexing="ij")
    grid = torch.stack(
        [(x + flow[:, 0] + 0.5) * (2 / width) - 1, (y + flow[:, 1] + 0.5) * (2 / height) - 1], -1
    )
    return F.grid_sample(picture, grid, mode="bilinear", padding_mode="border", align_corners=False)
