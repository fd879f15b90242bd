"""The network of I3D: Inception-v1 with its filters grown into time, under the names of the PyTorch port.

Carreira and Zisserman 2017; the port is hassony2/kinetics_i3d_pytorch, as the avgen toolkit carries it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Triple = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class I3DConfig:
    """The published size. channels: 3 for pictures, 2 for flow. shrink divides every width.

    eps: of the batch norms. The avgen toolkit has 1e-5, the weights were trained with 1e-3 (TensorFlow's).
    """

    channels: int = 3
    classes: int = 400
    shrink: int = 1
    eps: float = 1e-5

    @property
    def width(self) -> int:
        """Of the pooled vector."""
        return 1024 // self.shrink


# (name, widths of: branch 0; branch 1 narrow, wide; branch 2 narrow, wide; branch 3)
_MIXED = {
    "mixed_3b": (64, 96, 128, 16, 32, 32),
    "mixed_3c": (128, 128, 192, 32, 96, 64),
    "mixed_4b": (192, 96, 208, 16, 48, 64),
    "mixed_4c": (160, 112, 224, 24, 64, 64),
    "mixed_4d": (128, 128, 256, 24, 64, 64),
    "mixed_4e": (112, 144, 288, 32, 64, 64),
    "mixed_4f": (256, 160, 320, 32, 128, 128),
    "mixed_5b": (256, 160, 320, 32, 128, 128),
    "mixed_5c": (384, 192, 384, 48, 128, 128),
}
_POOL_BEFORE: dict[str, tuple[Triple, Triple]] = {
    "conv3d_2b_1x1": ((1, 3, 3), (1, 2, 2)),
    "mixed_3b": ((1, 3, 3), (1, 2, 2)),
    "mixed_4b": ((3, 3, 3), (2, 2, 2)),
    "mixed_5b": ((2, 2, 2), (2, 2, 2)),
}


class I3DNet(nn.Module):
    """Stacks of pictures or flow to pooled vectors and logits. The parts run in the order in which they stand."""

    def __init__(self, config: I3DConfig) -> None:
        super().__init__()
        self.config = config
        first, second = 64 // config.shrink, 192 // config.shrink
        self.conv3d_1a_7x7 = _Unit(config.channels, first, 7, config.eps, stride=2)
        self.conv3d_2b_1x1 = _Unit(first, first, 1, config.eps)
        self.conv3d_2c_3x3 = _Unit(first, second, 3, config.eps)
        width = second
        for name, widths in _MIXED.items():
            block = _Mixed(width, tuple(w // config.shrink for w in widths), config.eps)
            self.add_module(name, block)
            width = block.width
        self.conv3d_0c_1x1 = nn.ModuleDict({"conv3d": nn.Conv3d(width, config.classes, 1)})

    def forward(self, x: Tensor) -> Tensor:
        """Turn stacks `[B, channels, T, 224, 224]`, -1..1, T >= 9, into vectors `[B, width, T']`: one every 8 frames,
        each the mean of two of the last layer's."""
        for name, part in self.named_children():
            if name in _POOL_BEFORE:
                x = _max_pool(x, *_POOL_BEFORE[name])
            if name != "conv3d_0c_1x1":
                x = part(x)
        return F.avg_pool3d(x, (2, 7, 7), 1).flatten(2)

    def features(self, x: Tensor) -> Tensor:
        """Turn stacks `[B, channels, T, 224, 224]` into vectors `[B, width]`, the mean over time."""
        return self(x).mean(2)

    def logits(self, x: Tensor) -> Tensor:
        """Turn stacks `[B, channels, T, 224, 224]` into logits `[B, classes]`, the mean over time."""
        return self.conv3d_0c_1x1["conv3d"](self(x)[..., None, None]).mean((2, 3, 4))


class _Unit(nn.Module):
    """Convolution padded as TensorFlow's "SAME" does, batch norm, rectifier."""

    def __init__(self, given: int, width: int, kernel: int, eps: float, stride: int = 1) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(given, width, kernel, stride, bias=False)
        self.batch3d = nn.BatchNorm3d(width, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        padded = _same(x, self.conv3d.kernel_size, self.conv3d.stride)  # type: ignore[arg-type]
        return F.relu(self.batch3d(self.conv3d(padded)))


class _Mixed(nn.Module):
    """Four branches side by side: a point, a point and a cube, the same again narrower, a pool and a point."""

    def __init__(self, given: int, widths: tuple[int, ...], eps: float) -> None:
        super().__init__()
        a, b_narrow, b, c_narrow, c, d = widths
        self.branch_0 = _Unit(given, a, 1, eps)
        self.branch_1 = nn.Sequential(_Unit(given, b_narrow, 1, eps), _Unit(b_narrow, b, 3, eps))
        self.branch_2 = nn.Sequential(_Unit(given, c_narrow, 1, eps), _Unit(c_narrow, c, 3, eps))
        self.branch_3 = nn.ModuleDict({"1": _Unit(given, d, 1, eps)})
        self.width = a + b + c + d

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.branch_3["1"](_max_pool(x, (3, 3, 3), (1, 1, 1)))
        return torch.cat([self.branch_0(x), self.branch_1(x), self.branch_2(x), pooled], 1)


def _same(x: Tensor, kernel: Triple, stride: Triple) -> Tensor:
    """Pad `[B, C, T, H, W]` with zeros, kernel - stride in all, the odd one at the end."""
    pads: list[int] = []
    for size, step in zip(reversed(kernel), reversed(stride), strict=True):
        total = max(size - step, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


def _max_pool(x: Tensor, kernel: Triple, stride: Triple) -> Tensor:
    return F.max_pool3d(_same(x, kernel, stride), kernel, stride, ceil_mode=True)
