"""The blocks of Inception-v3 (Szegedy et al. 2016), with torchvision's keys.

A block is a set of branches side by side; each branch is a row of convolutions, and their outputs are stacked.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Size = int | tuple[int, int]


class Conv(nn.Module):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(self, channels: int, out: int, size: Size, stride: int = 1, padding: Size = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, size, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(out, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


def _across(channels: int, out: int, length: int) -> Conv:
    return Conv(channels, out, (1, length), padding=(0, length // 2))


def _down(channels: int, out: int, length: int) -> Conv:
    return Conv(channels, out, (length, 1), padding=(length // 2, 0))


class Block(nn.Module):
    """Rows of its convolutions, by name, run side by side."""

    def run(self, x: Tensor, names: Iterable[str]) -> Tensor:
        for name in names:
            x = self.get_submodule(name)(x)
        return x

    def pooled(self, x: Tensor) -> Tensor:
        return self.run(F.avg_pool2d(x, 3, 1, 1), ["branch_pool"])


class BlockA(Block):
    """`[B, C, H, W]` to `[B, 224 + pool, H, W]`: Mixed_5b to 5d."""

    def __init__(self, channels: int, pool: int) -> None:
        super().__init__()
        self.branch1x1 = Conv(channels, 64, 1)
        self.branch5x5_1, self.branch5x5_2 = Conv(channels, 48, 1), Conv(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = Conv(channels, 64, 1)
        self.branch3x3dbl_2, self.branch3x3dbl_3 = Conv(64, 96, 3, padding=1), Conv(96, 96, 3, padding=1)
        self.branch_pool = Conv(channels, pool, 1)

    def forward(self, x: Tensor) -> Tensor:
        five = self.run(x, ["branch5x5_1", "branch5x5_2"])
        three = self.run(x, [f"branch3x3dbl_{i}" for i in (1, 2, 3)])
        return torch.cat([self.branch1x1(x), five, three, self.pooled(x)], 1)


class BlockB(Block):
    """`[B, 288, H, W]` to `[B, 768, H / 2, W / 2]`: Mixed_6a."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch3x3 = Conv(channels, 384, 3, 2)
        self.branch3x3dbl_1 = Conv(channels, 64, 1)
        self.branch3x3dbl_2, self.branch3x3dbl_3 = Conv(64, 96, 3, padding=1), Conv(96, 96, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        twice = self.run(x, [f"branch3x3dbl_{i}" for i in (1, 2, 3)])
        return torch.cat([self.branch3x3(x), twice, F.max_pool2d(x, 3, 2)], 1)


class BlockC(Block):
    """`[B, 768, H, W]` to the same, by rows and columns of 7; `inner` channels between: Mixed_6b to 6e."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.branch1x1 = Conv(channels, 192, 1)
        self.branch7x7_1 = Conv(channels, inner, 1)
        self.branch7x7_2, self.branch7x7_3 = _across(inner, inner, 7), _down(inner, 192, 7)
        self.branch7x7dbl_1 = Conv(channels, inner, 1)
        self.branch7x7dbl_2, self.branch7x7dbl_3 = _down(inner, inner, 7), _across(inner, inner, 7)
        self.branch7x7dbl_4, self.branch7x7dbl_5 = _down(inner, inner, 7), _across(inner, 192, 7)
        self.branch_pool = Conv(channels, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        once = self.run(x, [f"branch7x7_{i}" for i in (1, 2, 3)])
        twice = self.run(x, [f"branch7x7dbl_{i}" for i in (1, 2, 3, 4, 5)])
        return torch.cat([self.branch1x1(x), once, twice, self.pooled(x)], 1)


class BlockD(Block):
    """`[B, 768, H, W]` to `[B, 1280, H / 2, W / 2]`: Mixed_7a."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch3x3_1, self.branch3x3_2 = Conv(channels, 192, 1), Conv(192, 320, 3, 2)
        self.branch7x7x3_1 = Conv(channels, 192, 1)
        self.branch7x7x3_2, self.branch7x7x3_3 = _across(192, 192, 7), _down(192, 192, 7)
        self.branch7x7x3_4 = Conv(192, 192, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        three = self.run(x, ["branch3x3_1", "branch3x3_2"])
        seven = self.run(x, [f"branch7x7x3_{i}" for i in (1, 2, 3, 4)])
        return torch.cat([three, seven, F.max_pool2d(x, 3, 2)], 1)


class BlockE(Block):
    """`[B, C, H, W]` to `[B, 2048, H, W]`, its 3 x 3 split into a row and a column: Mixed_7b and 7c."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch1x1 = Conv(channels, 320, 1)
        self.branch3x3_1 = Conv(channels, 384, 1)
        self.branch3x3_2a, self.branch3x3_2b = _across(384, 384, 3), _down(384, 384, 3)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = Conv(channels, 448, 1), Conv(448, 384, 3, padding=1)
        self.branch3x3dbl_3a, self.branch3x3dbl_3b = _across(384, 384, 3), _down(384, 384, 3)
        self.branch_pool = Conv(channels, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        once = self.branch3x3_1(x)
        twice = self.run(x, ["branch3x3dbl_1", "branch3x3dbl_2"])
        split = [self.branch3x3_2a(once), self.branch3x3_2b(once)]
        split += [self.branch3x3dbl_3a(twice), self.branch3x3dbl_3b(twice)]
        return torch.cat([self.branch1x1(x), *split, self.pooled(x)], 1)


class Auxiliary(nn.Module):
    """A head of the training loss: there for the keys alone."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.conv0, self.conv1 = Conv(channels, 128, 1), Conv(128, 768, 5)
        self.fc = nn.Linear(768, classes)
