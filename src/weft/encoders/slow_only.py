"""SlowOnly: a ResNet-50 over pictures in time that never skips a picture; the video half of Diff-Foley's CAVP.

Feichtenhofer et al. 2019 (SlowFast's slow path alone). The first two stages look at single pictures, the last two at
three in a row. Tensors carry mmaction's names, as in the published file.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class SlowOnlyConfig:
    """The published size. width: of the first convolution. blocks: of each stage; in_time: which look at neighbours."""

    width: int = 64
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    in_time: tuple[bool, ...] = (False, False, True, True)

    @property
    def d(self) -> int:
        """Of each picture's vector."""
        return self.width * 2 ** (len(self.blocks) - 1) * 4


class SlowOnly(nn.Module):
    """Pictures `[B, 3, T, H, W]` in 0..1 to vectors `[B, T, d]`."""

    def __init__(self, config: SlowOnlyConfig) -> None:
        super().__init__()
        self.config = config
        self.conv1 = _Conv(3, config.width, (1, 7, 7), stride=2)
        inside = config.width
        for k, (count, in_time) in enumerate(zip(config.blocks, config.in_time, strict=True)):
            narrow = config.width * 2**k
            blocks = []
            for b in range(count):
                blocks.append(
                    _Bottleneck(inside, narrow, 2 if k and not b else 1, in_time=in_time, first=not b)
                )
                inside = 4 * narrow
            self.add_module(f"layer{k + 1}", nn.Sequential(*blocks))

    def forward(self, pictures: Tensor) -> Tensor:
        x = F.max_pool3d(self.conv1(pictures).relu(), (1, 3, 3), (1, 2, 2), (0, 1, 1))
        for k in range(len(self.config.blocks)):
            x = self.get_submodule(f"layer{k + 1}")(x)
        return x.mean((-2, -1)).transpose(1, 2)


class _Conv(nn.Module):
    def __init__(self, inside: int, out: int, kernel: tuple[int, int, int], stride: int = 1) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
        self.conv = nn.Conv3d(inside, out, kernel, (1, stride, stride), padding, bias=False)
        self.bn = nn.BatchNorm3d(out)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x))


class _Bottleneck(nn.Module):
    def __init__(self, inside: int, narrow: int, stride: int, *, in_time: bool, first: bool) -> None:
        super().__init__()
        self.conv1 = _Conv(inside, narrow, (3 if in_time else 1, 1, 1))
        self.conv2 = _Conv(narrow, narrow, (1, 3, 3), stride)
        self.conv3 = _Conv(narrow, 4 * narrow, (1, 1, 1))
        self.downsample = _Conv(inside, 4 * narrow, (1, 1, 1), stride) if first else None

    def forward(self, x: Tensor) -> Tensor:
        beside = x if self.downsample is None else self.downsample(x)
        return (self.conv3(self.conv2(self.conv1(x).relu()).relu()) + beside).relu()
