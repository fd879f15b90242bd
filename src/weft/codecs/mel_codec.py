"""MMAudio's codecs: mono sound to latents and back, through a mel autoencoder and a vocoder, at 16 or 44.1 kHz.

Cheng et al. 2025. A latent frame is two mel frames: 512 samples at 16 kHz (31.25 a second), 1,024 at 44.1 kHz (43.07).
Latents are the autoencoder's own; whoever generates them undoes its own normalisation first. The weights are a user's
own copies: the autoencoders are CC-BY-NC 4.0, the vocoders MIT.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from weft.codecs import mel_vae, weight_norm
from weft.codecs.big_vgan import BIG_VGAN_16K, BIG_VGAN_V2_44K, TINY_BIG_VGAN, BigVgan, BigVganConfig
from weft.codecs.mel_front import MEL_FRONT_16K, MEL_FRONT_44K, MelFront, log_mel
from weft.codecs.mel_vae import MEL_VAE_16K, MEL_VAE_44K, TINY_MEL_VAE, MelVae, MelVaeConfig, Posterior
from weft.errors import WeightsError
from weft.weights import published
from weft.weights.published import Published

Variant = Literal["16k", "44k"]

_RELEASE = "https://github.com/hkchengrex/MMAudio/releases/download/v0.1"
BLOCK = 256  # mel frames that the vocoder computes at once
LEAN_BLOCK = 48  # where it keeps all it computes for a gradient: some 3 GB of the 44.1 kHz network


@dataclass(frozen=True, kw_only=True)
class MelCodecConfig:
    """The three parts; their bands and hops agree."""

    front: MelFront
    vae: MelVaeConfig
    vocoder: BigVganConfig


@dataclass(frozen=True, kw_only=True)
class MelCodecFiles:
    """The two published files of a codec."""

    vae: Published
    vocoder: Published


CONFIGS: dict[Variant, MelCodecConfig] = {
    "16k": MelCodecConfig(front=MEL_FRONT_16K, vae=MEL_VAE_16K, vocoder=BIG_VGAN_16K),
    "44k": MelCodecConfig(front=MEL_FRONT_44K, vae=MEL_VAE_44K, vocoder=BIG_VGAN_V2_44K),
}
TINY_MEL_CODEC = MelCodecConfig(front=MEL_FRONT_16K, vae=TINY_MEL_VAE, vocoder=TINY_BIG_VGAN)
FILES: dict[Variant, MelCodecFiles] = {
    "16k": MelCodecFiles(
        vae=Published(
            file="v1-16.pth",
            url=f"{_RELEASE}/v1-16.pth",
            licence="CC-BY-NC 4.0",
            md5="69f56803f59a549a1a507c93859fd4d7",
        ),
        vocoder=Published(
            file="best_netG.pt",
            url=f"{_RELEASE}/best_netG.pt",
            licence="MIT",
            md5="eeaf372a38a9c31c362120aba2dde292",
        ),
    ),
    "44k": MelCodecFiles(
        vae=Published(
            file="v1-44.pth",
            url=f"{_RELEASE}/v1-44.pth",
            licence="CC-BY-NC 4.0",
            md5="fab020275fa44c6589820ce025191600",
        ),
        vocoder=Published(
            file="bigvgan_generator.pt",
            url="https://huggingface.co/nvidia/bigvgan_v2_44khz_128band_512x",
            licence="MIT",
            sha256="d9fe7ec6bd0b44ed9d66973d5012d8181c1570b01e5c72df51973e241dccd357",
        ),
    ),
}


class MelCodec(nn.Module):
    """Mono sound `[B, 1, N]` to latents `[B, ceil(N / hop), latent]` and back, both ways differentiable.

    Latent frame i covers samples [hop i, hop (i + 1)). Sound that ends within a frame is followed by silence up to the
    frame's end; `decode` gives whole frames, or exactly the `samples` that are asked for, so that a clip of 8 s at
    44.1 kHz (345 frames, 353,280 samples) comes back as 352,800.
    """

    def __init__(self, config: MelCodecConfig, *, encoder: bool = True) -> None:
        super().__init__()
        self.config = config
        self.vae = MelVae(config.vae, encoder=encoder)
        self.vocoder = BigVgan(config.vocoder)

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self.config.front.rate

    @property
    def hop(self) -> int:
        """Samples in a latent frame."""
        return 2 * self.config.front.hop

    @property
    def latent_rate(self) -> float:
        """Latent frames a second."""
        return self.rate / self.hop

    def latent_frames(self, samples: int) -> int:
        """Return how many latent frames hold `samples`: samples / hop, rounded up."""
        return -(-samples // self.hop)

    def posterior(self, audio: Tensor) -> Posterior:
        """Turn sound `[B, 1, N]` into the distribution of its latent, `[B, latent, T]`.

        Raises ValueError unless it is mono.
        """
        if audio.ndim != 3 or audio.shape[1] != 1 or not audio.shape[2]:
            raise ValueError(
                f"audio must be mono, [B, 1, N], not {list(audio.shape)}: mix its channels first"
            )
        short = self.latent_frames(audio.shape[2]) * self.hop - audio.shape[2]
        return self.vae.encode(log_mel(F.pad(audio[:, 0], (0, short)), self.config.front))

    def encode(self, audio: Tensor) -> Tensor:
        """Turn sound `[B, 1, N]`, -1..1, into the mean of its latent `[B, ceil(N / hop), latent]`."""
        return self.posterior(audio).mean.transpose(1, 2)

    def decode(self, latent: Tensor, samples: int | None = None, *, block: int = BLOCK) -> Tensor:
        """Turn latents `[B, T, latent]` into sound `[B, 1, samples]` in -1..1; `samples` None is T * hop.

        The vocoder computes `block` mel frames at once: the same sound for any, but memory does not grow with it.
        Raises ValueError for more samples than the latent holds, or fewer than 1.
        """
        return torch.cat(list(self.decode_blocks(latent, samples, block=block)), -1)

    def decode_blocks(
        self, latent: Tensor, samples: int | None = None, *, block: int = BLOCK
    ) -> Iterator[Tensor]:
        """Yield the sound of `decode` in pieces `[B, 1, at most block * hop / 2]`."""
        frames = latent.shape[1]
        total = frames * self.hop if samples is None else samples
        if not 0 < total <= frames * self.hop:
            raise ValueError(
                f"{total} samples cannot come of {frames} latent frames: choose 1 to {frames * self.hop}"
            )
        mel = self.vae.decode(latent.transpose(1, 2))
        for piece in self.vocoder.blocks(mel, block):
            yield piece[..., :total]
            total -= piece.shape[-1]
            if total <= 0:
                return

    def decode_mel(self, latent: Tensor) -> Tensor:
        """Turn latents `[B, T, latent]` into log-mel `[B, 2 T, bands]`, in the unit of the codec's front."""
        return self.vae.decode(latent.transpose(1, 2)).transpose(1, 2)

    def decode_lean(self, latent: Tensor) -> Tensor:
        """As `decode` of whole frames, for gradients: of the vocoder a piece at a time is in memory, made twice."""
        mel = self.vae.decode(latent.transpose(1, 2))
        return torch.cat(list(self.vocoder.blocks(mel, LEAN_BLOCK, recompute=torch.is_grad_enabled())), -1)

    @classmethod
    def load(cls, variant: Variant = "44k", *, encoder: bool = True) -> MelCodec:
        """Return a published codec from the user's copies, ready to use on the CPU.

        Without its `encoder` it only decodes, in 0.3 (16k) or 0.5 GB less memory. Raises ValueError for another
        variant, WeightsError when a file is missing, another, or does not fit.
        """
        if variant not in CONFIGS:
            raise ValueError(f"no mel codec {variant!r}: choose {' or '.join(CONFIGS)}")
        return cls.from_files(CONFIGS[variant], FILES[variant], encoder=encoder)

    @classmethod
    def from_files(cls, config: MelCodecConfig, files: MelCodecFiles, *, encoder: bool = True) -> MelCodec:
        """Return a codec of `config` filled from the user's copies of `files`. Raises WeightsError."""
        with torch.device("meta"):
            codec = cls(config, encoder=encoder)
        tensors: dict[str, Any] = published.load(files.vae)
        if not encoder:
            tensors = {key: value for key, value in tensors.items() if not key.startswith("encoder.")}
        published.fit(codec.vae, mel_vae.folded(tensors), files.vae)
        tensors = published.part(published.load(files.vocoder), "generator", files.vocoder)
        try:
            tensors = weight_norm.folded(tensors)
        except ValueError as error:
            raise WeightsError(
                f"{files.vocoder.file} does not fit: {error}; get it again from {files.vocoder.url}"
            ) from error
        published.fit(codec.vocoder, tensors, files.vocoder)
        return codec.eval().requires_grad_(False)
