"""BigVGAN: mel spectrograms to a waveform, by transposed convolutions and anti-aliased periodic activations.

Lee et al. 2023 (arXiv:2206.04658), and its second version of 2024. Keys and shapes are those of the published files
after weight norm is folded (`weft.codecs.weight_norm`). Everything is local in time (`BigVgan.context`), so any length
is computed in blocks, exactly and with memory that does not grow.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from weft.codecs.anti_alias import TAPS, AntiAliased, Snake

_EDGE = 7  # kernel of the first and last convolution


@dataclass(frozen=True, kw_only=True)
class BigVganConfig:
    """Sizes of the network. `rates`: upsampling of each stage, by transposed convolutions of `kernels`; the width
    starts at `width` and halves with each. `block_kernels`: of the three blocks that every stage averages, each with
    `dilations`. `tanh`: how samples are held to -1..1; else they are cut. `final_bias`: of the last convolution.
    """

    bands: int
    rates: tuple[int, ...]
    kernels: tuple[int, ...]
    width: int = 1536
    block_kernels: tuple[int, ...] = (3, 7, 11)
    dilations: tuple[int, ...] = (1, 3, 5)
    activation: Snake = "snakebeta"
    tanh: bool = True
    final_bias: bool = True


BIG_VGAN_16K = BigVganConfig(bands=80, rates=(4, 4, 2, 2, 2, 2), kernels=(8, 8, 4, 4, 4, 4))
BIG_VGAN_V2_44K = BigVganConfig(
    bands=128, rates=(8, 4, 2, 2, 2, 2), kernels=(16, 8, 4, 4, 4, 4), tanh=False, final_bias=False
)
TINY_BIG_VGAN = BigVganConfig(
    bands=80, rates=(8, 8, 4), kernels=(16, 16, 8), width=32, block_kernels=(3, 5), dilations=(1, 3)
)


class BigVgan(nn.Module):
    """Log-mel spectrograms `[B, bands, M]` to waveforms `[B, 1, M * hop]` in -1..1."""

    def __init__(self, config: BigVganConfig) -> None:
        super().__init__()
        self.config = c = config
        widths = [c.width >> i for i in range(len(c.rates) + 1)]
        self.conv_pre = nn.Conv1d(c.bands, widths[0], _EDGE, padding=_EDGE // 2)
        self.ups = nn.ModuleList(
            nn.ModuleList([nn.ConvTranspose1d(a, b, kernel, rate, padding=(kernel - rate) // 2)])
            for a, b, kernel, rate in zip(widths, widths[1:], c.kernels, c.rates, strict=False)
        )
        self.resblocks = nn.ModuleList(
            _Block(width, kernel, c.dilations, c.activation)
            for width in widths[1:]
            for kernel in c.block_kernels
        )
        self.activation_post = AntiAliased(widths[-1], c.activation)
        self.conv_post = nn.Conv1d(widths[-1], 1, _EDGE, padding=_EDGE // 2, bias=c.final_bias)

    @property
    def hop(self) -> int:
        """Samples in a mel frame."""
        return math.prod(self.config.rates)

    @property
    def context(self) -> int:
        """Mel frames on either side that a sample depends on: 23 of the 44.1 kHz network, 41 of the 16 kHz one."""
        c = self.config
        kernel, wave = max(c.block_kernels) // 2, TAPS // 2
        reach, per_frame = float(_EDGE // 2), 1
        for rate, up in zip(c.rates, c.kernels, strict=True):
            reach += up / rate / 2 / per_frame
            per_frame *= rate
            reach += sum(kernel * d + kernel + 2 * wave for d in c.dilations) / per_frame
        return math.ceil(reach + (wave + _EDGE // 2) / per_frame)

    def lowered(self, dtype: torch.dtype) -> BigVgan:
        """Put the convolutions into `dtype` for inference. Returns self.

        Activations and the last convolution stay in float32: their sines and the samples themselves would be heard.
        """
        for part in self.modules():
            if isinstance(part, nn.Conv1d | nn.ConvTranspose1d) and part is not self.conv_post:
                part.to(dtype)
        return self

    def forward(self, mel: Tensor) -> Tensor:
        """The whole at once. Raises ValueError for another number of bands."""
        if mel.ndim != 3 or mel.shape[1] != self.config.bands or not mel.shape[2]:
            raise ValueError(f"mel must be [B, {self.config.bands}, M], not {list(mel.shape)}")
        x, kinds = self.conv_pre(mel.to(self.conv_pre.weight.dtype)), len(self.config.block_kernels)
        for stage, up in enumerate(self.ups):
            assert isinstance(up, nn.ModuleList)
            x = up[0](x)
            blocks = self.resblocks[stage * kinds : (stage + 1) * kinds]
            total = blocks[0](x)
            for block in blocks[1:]:
                total = total + block(x)
            x = total / kinds
        x = self.conv_post(self.activation_post(x.to(self.conv_post.weight.dtype)))
        return torch.tanh(x) if self.config.tanh else x.clamp(-1, 1)

    def blocks(self, mel: Tensor, size: int, *, recompute: bool = False) -> Iterator[Tensor]:
        """Yield the waveform of `forward` in pieces of at most `size` mel frames, `[B, 1, size * hop]` each.

        recompute: keep nothing of a piece for its gradient but what goes in; a second pass forward makes it again.
        """
        if size < 1:
            raise ValueError(f"a block must have 1 mel frame or more, not {size}")
        count = mel.shape[-1]
        for start in range(0, count, size):
            before, end = min(start, self.context), min(start + size, count)
            given = mel[..., start - before : end + self.context]
            piece = checkpoint(self, given, use_reentrant=False) if recompute else self(given)
            yield piece[..., before * self.hop : (before + end - start) * self.hop]


class _Block(nn.Module):
    """Dilated and plain convolutions in turn, an activation before each; every pair is added to what it was given."""

    def __init__(self, width: int, kernel: int, dilations: tuple[int, ...], kind: Snake) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(
            nn.Conv1d(width, width, kernel, dilation=d, padding=d * (kernel // 2)) for d in dilations
        )
        self.convs2 = nn.ModuleList(nn.Conv1d(width, width, kernel, padding=kernel // 2) for _ in dilations)
        self.activations = nn.ModuleList(AntiAliased(width, kind) for _ in range(2 * len(dilations)))

    def forward(self, x: Tensor) -> Tensor:
        for i, (wide, plain) in enumerate(zip(self.convs1, self.convs2, strict=True)):
            branch = wide(self.activations[2 * i](x))
            x = x + plain(self.activations[2 * i + 1](branch))
        return x
