"""HTSAT, the Swin transformer over a folded log-mel picture that both CLAPs listen with.

Chen et al. 2022 (HTS-AT); Liu et al. 2021 (Swin). 64 mel bands of up to 1024 frames are stretched to 1024, cut into
four pieces of time and stacked into a square of 256 x 256; patches of 4 x 4 pass four stages of windowed attention.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weft.encoders.logmel_layer import LogMelFilters, PowerSpectrum
from weft.encoders.swin import PatchMerging, SwinBlock

_MELS, _SIDE, _PATCH = 64, 256, 4
_FOLDS = _SIDE // _MELS


@dataclass(frozen=True, kw_only=True)
class HtsatConfig:
    """`rate`, `n_fft`, `hop`, `fmin`, `fmax` of the front end (samples, Hz); `width` of the first stage, doubled
    by each of the next; blocks (`depths`) and attention `heads` of the stages."""

    rate: int
    n_fft: int = 1024
    hop: int
    fmin: float = 50.0
    fmax: float = 14000.0
    width: int = 96
    depths: tuple[int, ...] = (2, 2, 6, 2)
    heads: tuple[int, ...] = (4, 8, 16, 32)
    classes: int = 527

    @property
    def d(self) -> int:
        """Width of the embedding."""
        return self.width * 2 ** (len(self.depths) - 1)


class PatchEmbed(nn.Module):
    """Pictures `[B, 1, 256, 256]` to tokens `[B, 64 * 64, C]`, row by row."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(1, width, _PATCH, _PATCH)
        self.norm = nn.LayerNorm(width)

    def forward(self, picture: Tensor) -> Tensor:
        return self.norm(self.proj(picture).flatten(2).transpose(1, 2))


class Stage(nn.Module):
    """Blocks at one size, every second one on shifted windows, then half the size and twice the width."""

    def __init__(self, width: int, side: int, depth: int, heads: int, *, last: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(SwinBlock(width, side, heads, shifted=i % 2 == 1) for i in range(depth))
        self.downsample = None if last else PatchMerging(width, side)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x if self.downsample is None else self.downsample(x)


class Htsat(nn.Module):
    """Waves `[B, N]`, at most 1024 frames, to embeddings `[B, D]`. Keys as in both CLAPs' files; the heads for
    AudioSet's classes (`tscam_conv`, `head`) are there for the keys alone."""

    def __init__(self, config: HtsatConfig) -> None:
        super().__init__()
        c = config
        self.config = c
        self.spectrogram_extractor = PowerSpectrum(c.n_fft, c.hop)
        self.logmel_extractor = LogMelFilters(
            rate=c.rate, n_fft=c.n_fft, n_mels=_MELS, fmin=c.fmin, fmax=c.fmax
        )
        self.bn0 = nn.BatchNorm2d(_MELS)
        self.patch_embed = PatchEmbed(c.width)
        last = len(c.depths) - 1
        self.layers = nn.ModuleList(
            Stage(c.width * 2**i, _SIDE // _PATCH // 2**i, depth, heads, last=i == last)
            for i, (depth, heads) in enumerate(zip(c.depths, c.heads, strict=True))
        )
        self.norm = nn.LayerNorm(c.d)
        self.tscam_conv = nn.Conv2d(c.d, c.classes, (_SIDE // _PATCH // 2**last // _FOLDS, 3), padding=(0, 1))
        self.head = nn.Linear(c.classes, c.classes)

    def forward(self, wave: Tensor) -> Tensor:
        mel = self.logmel_extractor(self.spectrogram_extractor(wave))[:, None]
        x = self.patch_embed(folded(self.bn0(mel.transpose(1, 3)).transpose(1, 3)))
        for layer in self.layers:
            x = layer(x)
        return self.norm(x).mean(1)


def folded(mel: Tensor) -> Tensor:
    """Return the square picture `[B, 1, 256, 256]` of `mel` `[B, 1, T, 64]`: four quarters of time, one on another.

    Fewer than 1024 frames are stretched to as many (bicubic, ends on ends). Raises ValueError for more.
    """
    frames = _SIDE * _FOLDS
    if mel.shape[2] > frames:
        raise ValueError(
            f"{mel.shape[2]} frames are more than the {frames} that HTSAT sees: cut the sound first"
        )
    if mel.shape[2] < frames:
        mel = F.interpolate(mel, (frames, _MELS), mode="bicubic", align_corners=True)
    return torch.cat(mel.transpose(2, 3).chunk(_FOLDS, 3), 2)
