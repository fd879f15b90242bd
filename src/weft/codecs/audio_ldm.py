"""AudioLDM's codec, decoding only: latents to a log-mel spectrogram and on to mono sound at 16 kHz.

Liu et al. 2023. The autoencoder is diffusers' AutoencoderKL on a picture of 64 mel bands (natural logarithms of
magnitudes, hop 160), the vocoder transformers' SpeechT5HifiGan. A latent frame is 4 mel frames, 40 ms, and holds 8
channels of 16 bands: here one row of 128, so that time is axis 1 as in every codec.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from weft.codecs.mel_front import MelFront
from weft.errors import MissingExtra

BANDS = 16  # of a latent frame
MEL_HOP = 160
FRONT = MelFront(rate=16000, fft=1024, hop=MEL_HOP, bands=64, log="natural")
"""What the decoder's mel spectrograms are, their frames as the vocoder places them."""


@dataclass(frozen=True, kw_only=True)
class AudioLdmCodecConfig:
    """Sizes; those of audioldm-m-full. `scaling` divides a latent before it is decoded."""

    latent: int = 8
    widths: tuple[int, ...] = (128, 256, 512)
    layers: int = 2
    scaling: float = 0.9138255715370178
    vocoder_width: int = 1024
    norm_groups: int = 32


TINY_AUDIO_LDM_CODEC = AudioLdmCodecConfig(
    widths=(8, 16, 16), layers=1, scaling=0.9, vocoder_width=32, norm_groups=4
)


class AudioLdmCodec(nn.Module):
    """Latents `[B, T, 128]` to sound `[B, 1, N]`, differentiable, through log-mel `[B, 4 T, 64]`."""

    rate = 16000
    hop = 4 * MEL_HOP
    latent_rate = rate / hop

    def __init__(self, vae: nn.Module, vocoder: nn.Module) -> None:
        """vae: an AutoencoderKL. vocoder: a SpeechT5HifiGan."""
        super().__init__()
        self.vae, self.vocoder = vae, vocoder
        self.scaling = float(vae.config.scaling_factor)  # type: ignore[arg-type,union-attr]

    @classmethod
    def build(cls, config: AudioLdmCodecConfig) -> AudioLdmCodec:
        """One of these sizes with random weights. Raises MissingExtra where diffusers or transformers is not there."""
        kl, gan, gan_config = classes()
        depth = len(config.widths)
        vae = kl(
            in_channels=1,
            out_channels=1,
            latent_channels=config.latent,
            block_out_channels=config.widths,
            down_block_types=("DownEncoderBlock2D",) * depth,
            up_block_types=("UpDecoderBlock2D",) * depth,
            layers_per_block=config.layers,
            scaling_factor=config.scaling,
            norm_num_groups=config.norm_groups,
        )
        settings = {
            "model_in_dim": 64,
            "sampling_rate": cls.rate,
            "upsample_initial_channel": config.vocoder_width,
            "upsample_rates": [5, 4, 2, 2, 2],
            "upsample_kernel_sizes": [16, 16, 8, 4, 4],
            "normalize_before": False,
        }
        return cls(vae, gan(gan_config(**settings)))

    def latent_frames(self, samples: int) -> int:
        """Latent frames that hold `samples`: samples / 640, rounded up."""
        return -(-samples // self.hop)

    def decode_mel(self, latent: Tensor) -> Tensor:
        """Log-mel `[B, 4 T, 64]`, natural logarithms of magnitudes, of latents `[B, T, 128]`."""
        return self.vae.decode(as_picture(latent) / self.scaling).sample[:, 0]  # type: ignore[operator]

    def decode(self, latent: Tensor, samples: int | None = None) -> Tensor:
        """Sound `[B, 1, samples]` of latents `[B, T, 128]`; `samples` None is 640 T."""
        wave = self.vocoder(self.decode_mel(latent))
        return wave[:, None, : latent.shape[1] * self.hop if samples is None else samples]


def as_picture(latent: Tensor) -> Tensor:
    """`[B, T, 128]` as the networks want it, `[B, 8, T, 16]`."""
    return latent.unflatten(2, (-1, BANDS)).transpose(1, 2)


def as_rows(picture: Tensor) -> Tensor:
    """The inverse of `as_picture`."""
    return picture.transpose(1, 2).flatten(2)


def classes() -> tuple[Any, Any, Any]:
    """AutoencoderKL, SpeechT5HifiGan and its configuration. Raises MissingExtra."""
    try:
        from diffusers import AutoencoderKL
        from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig
    except ModuleNotFoundError as error:
        raise MissingExtra(f"AudioLDM (no module {error.name})", "systems") from error
    return AutoencoderKL, SpeechT5HifiGan, SpeechT5HifiGanConfig


def frozen(net: torch.nn.Module) -> Any:
    """The network, for inference."""
    return net.eval().requires_grad_(False)
