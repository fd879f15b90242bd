"""MMAudio's mel autoencoder: mel spectrograms to 20 or 40 numbers 31 or 43 times a second, and back.

Cheng et al. 2025 (MMAudio, section 3.1 and supplement C): the one-dimensional autoencoder of Make-An-Audio 2 (Huang et
al. 2023) with the magnitude-preserving layers of EDM2. Convolutions look along time only; mel bands are channels. Files
hold raw weights, which `folded` turns once into those that the convolutions use; keys and shapes are the published
ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from weft.codecs.magnitude import mix, silu, unit, unit_weight

_RESIDUAL = 0.3  # share of a branch in what it is added to
_LIMIT = 256.0  # activations beyond are cut, so that half precision holds them
_LOG_VARIANCE = (-30.0, 20.0)


@dataclass(frozen=True, kw_only=True)
class MelVaeConfig:
    """Sizes of the network; level i is `width * widths[i]` wide, and time is halved once, after level 0."""

    bands: int
    latent: int
    width: int
    widths: tuple[int, ...] = (1, 2, 4)
    blocks: int = 2  # of a level in the encoder; the decoder has one more


MEL_VAE_16K = MelVaeConfig(bands=80, latent=20, width=384)
MEL_VAE_44K = MelVaeConfig(bands=128, latent=40, width=512)
TINY_MEL_VAE = MelVaeConfig(bands=80, latent=20, width=16)


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """The normal distribution of a latent: `mean` and `log_variance`, each `[B, D, T]`."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Draw a latent `[B, D, T]`, with the noise of `generator` (on the CPU, so any device draws the same)."""
        noise = torch.randn(self.mean.shape, generator=generator, dtype=torch.float32)
        return self.mean + torch.exp(0.5 * self.log_variance) * noise.to(self.mean)


class MelVae(nn.Module):
    """Log-mel spectrograms `[B, bands, 2 T]` to latents `[B, latent, T]` and back, both in the units of the files.

    Without its `encoder`, it only decodes.
    """

    data_mean: Tensor
    data_std: Tensor

    def __init__(self, config: MelVaeConfig, *, encoder: bool = True) -> None:
        super().__init__()
        self.config = config
        self.encoder = _Encoder(config) if encoder else None
        self.decoder = _Decoder(config)
        self.register_buffer("data_mean", torch.zeros(1, config.bands, 1))
        self.register_buffer("data_std", torch.ones(1, config.bands, 1))

    def encode(self, mel: Tensor) -> Posterior:
        """Turn log-mel `[B, bands, M]`, M even, into the posterior of the latent `[B, latent, M / 2]`.

        Raises ValueError for an odd M, another number of bands, or a network without its encoder.
        """
        if self.encoder is None:
            raise ValueError("this autoencoder was built without its encoder")
        if mel.ndim != 3 or mel.shape[1] != self.config.bands or mel.shape[2] % 2 or not mel.shape[2]:
            raise ValueError(f"mel must be [B, {self.config.bands}, an even number], not {list(mel.shape)}")
        mean, log_variance = self.encoder((mel - self.data_mean) / self.data_std).chunk(2, 1)
        return Posterior(mean=mean, log_variance=log_variance.clamp(*_LOG_VARIANCE))

    def decode(self, latent: Tensor) -> Tensor:
        """Turn latents `[B, latent, T]` into log-mel `[B, bands, 2 T]`. Raises ValueError for another shape."""
        if latent.ndim != 3 or latent.shape[1] != self.config.latent or not latent.shape[2]:
            raise ValueError(f"latent must be [B, {self.config.latent}, T], not {list(latent.shape)}")
        return self.decoder(latent) * self.data_std + self.data_mean


def folded(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a published file's tensors with every convolution's raw weight made the one that it computes with."""
    return {
        key: unit_weight(value.float()) if key.endswith(".weight") else value
        for key, value in tensors.items()
    }


def _conv(inputs: int, outputs: int, kernel: int = 3) -> nn.Conv1d:
    return nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2, bias=False)


class _Block(nn.Module):
    """Two convolutions beside a shortcut, on vectors brought to unit size first. `[B, C, T]` to `[B, C', T]`."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = _conv(inputs, outputs), _conv(outputs, outputs)
        self.nin_shortcut = _conv(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        x = unit(x)
        branch = self.conv2(silu(self.conv1(silu(x))))
        if self.nin_shortcut is not None:
            x = self.nin_shortcut(x)
        return mix(x, branch, _RESIDUAL)


class _Attention(nn.Module):
    """One head over all times; queries, keys and values of unit size. Their channels are interleaved in the file."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv, self.proj_out = _conv(width, 3 * width, 1), _conv(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = unit(self.qkv(x).unflatten(1, (-1, 3))).permute(2, 0, 3, 1).unsqueeze(2)
        branch = F.scaled_dot_product_attention(q, k, v)[:, 0].transpose(1, 2)
        return mix(x, self.proj_out(branch), _RESIDUAL)


class _Halve(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = _conv(width, width, 1), _conv(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(F.avg_pool1d(self.conv1(x), 2))


class _Double(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = _conv(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.repeat_interleave(2, -1))


class _Middle(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.block_1, self.block_2 = _Block(width, width), _Block(width, width)
        self.attn_1 = _Attention(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.block_2(self.attn_1(self.block_1(x))).clamp(-_LIMIT, _LIMIT)


class _Level(nn.Module):
    """The blocks of one level, then a change of rate where it has one."""

    def __init__(self, inputs: int, outputs: int, blocks: int) -> None:
        super().__init__()
        sizes = [inputs] + [outputs] * blocks
        self.block = nn.ModuleList(_Block(a, b) for a, b in pairwise(sizes))
        self.downsample: nn.Module | None = None
        self.upsample: nn.Module | None = None

    def forward(self, x: Tensor) -> Tensor:
        for block in self.block:
            x = block(x).clamp(-_LIMIT, _LIMIT)
        for change in (self.downsample, self.upsample):
            x = x if change is None else change(x)
        return x


class _Encoder(nn.Module):
    def __init__(self, config: MelVaeConfig) -> None:
        super().__init__()
        widths = [config.width * m for m in (1, *config.widths)]
        self.conv_in = _conv(config.bands, config.width)
        self.down = nn.ModuleList(_Level(a, b, config.blocks) for a, b in pairwise(widths))
        cast(_Level, self.down[0]).downsample = _Halve(widths[1])
        self.mid = _Middle(widths[-1])
        self.conv_out = _conv(widths[-1], 2 * config.latent)
        self.learnable_gain = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_in(x)
        for level in self.down:
            x = level(x)
        return self.conv_out(silu(self.mid(x))) * (1 + self.learnable_gain)


class _Decoder(nn.Module):
    def __init__(self, config: MelVaeConfig) -> None:
        super().__init__()
        widths = [config.width * m for m in (*config.widths, config.widths[-1])]
        self.conv_in = _conv(config.latent, widths[-1])
        self.mid = _Middle(widths[-1])
        self.up = nn.ModuleList(_Level(b, a, config.blocks + 1) for a, b in pairwise(widths))
        cast(_Level, self.up[1]).upsample = _Double(widths[1])
        self.conv_out = _conv(config.width, config.bands)
        self.learnable_gain = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        x = self.mid(self.conv_in(x))
        for level in reversed(self.up):
            x = level(x)
        return self.conv_out(silu(x)) * (1 + self.learnable_gain)
