"""AudioLDM in miniature: its sizes, and what autoencoder, vocoder and denoiser learn from sounds of the world.

The classes are the published system's; only the sizes are ours, and the words: in place of CLAP's tower stands a text
encoder that learnt, as CLAP's did, to agree with sounds (weft's own). The vocoder learns by spectra alone, without a
critic: what is asked of it here is what ears of log-mel hear.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from weft.codecs.audio_ldm import FRONT, AudioLdmCodec, AudioLdmCodecConfig, as_rows
from weft.codecs.mel_front import log_mel
from weft.diffusion.ddpm import Ddpm
from weft.generators.audio_ldm import AudioLdmConfig, AudioLdmNet
from weft.training.codec import mel_levels

MINI_CODEC = AudioLdmCodecConfig(widths=(16, 32, 32), layers=1, scaling=1.0, vocoder_width=96, norm_groups=4)
"""`scaling` is measured after training (`spread`)."""
MINI_NET = AudioLdmConfig(widths=(32, 64, 96), layers=1, heads=4, words=128, norm_groups=8)
SPECTRA = ((256, 64, 24), (512, 128, 40), (1024, 256, 64), (2048, 512, 80))
"""Transform, hop and bands by which the vocoder is judged beside its own mel."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """Sizes of batches, and weights of losses. `vae`, `vocoder`: sounds and samples of a batch; `unet`: latents and
    their frames. kl: of the mean divergence per latent element, against mean nepers. unsaid: share of words hidden.
    template: share of words that are a clip's first caption, beside its turn among all."""

    vae: tuple[int, int] = (6, 10240)
    vocoder: tuple[int, int] = (6, 8000)
    unet: tuple[int, int] = (8, 40)
    kl: float = 1e-3
    unsaid: float = 0.1
    template: float = 0.3


def crops(wave: np.ndarray, size: int, samples: int, rng: np.random.Generator) -> Tensor:
    """Stretches `[size, samples]` float of sounds int16 `[N, M]`, seldom silent ones, 12 dB softer to 12 louder, turned
    over at random."""
    out = []
    for which in rng.integers(len(wave), size=size):
        for _ in range(8):
            start = int(rng.integers(0, wave.shape[1] - samples + 1))
            sound = wave[which, start : start + samples].astype(np.float32) / 32767
            if np.abs(sound).max() > 0.003 or rng.random() < 0.1:
                break
        gain = min(10 ** (rng.uniform(-12, 12) / 20), 0.99 / max(float(np.abs(sound).max()), 1e-4))
        out.append(torch.from_numpy(sound * np.float32(gain * rng.choice([-1, 1]))))
    return torch.stack(out)


def picture_of(wave: Tensor) -> Tensor:
    """The autoencoder's picture `[B, 1, N // 160, 64]` of sounds `[B, N]`."""
    return log_mel(wave, FRONT).mT[:, None]


def vae_losses(vae: nn.Module, wave: Tensor, generator: torch.Generator, kl: float) -> dict[str, Tensor]:
    """Mean nepers by which a noisy latent's picture misses the sound's, and the latents' divergence from a normal."""
    with torch.autocast(wave.device.type, enabled=False):
        mel = picture_of(wave)
    told = vae.encode(mel).latent_dist  # type: ignore[operator]
    noise = torch.randn(told.mean.shape, generator=generator, device=mel.device)
    made = vae.decode(told.mean + told.std * noise).sample  # type: ignore[operator]
    missed = (made - mel).abs().mean()
    apart = 0.5 * (told.mean.square() + told.var - 1 - told.logvar).mean()
    return {"loss": missed + kl * apart, "missed": missed.detach(), "kl": apart.detach()}


def vocoder_losses(vocoder: nn.Module, wave: Tensor) -> dict[str, Tensor]:
    """Mean nepers by which the sound made of a sound's mel misses it, in that mel and in bands of other windows."""
    with torch.no_grad():
        mel = log_mel(wave, FRONT).mT
    made = vocoder(mel)
    own = (log_mel(made, FRONT).mT - mel).abs().mean()
    bands = torch.stack(
        [
            (mel_levels(made[:, None], *s, FRONT.rate) - mel_levels(wave[:, None], *s, FRONT.rate))
            .abs()
            .mean()
            for s in SPECTRA
        ]
    ).mean()
    return {"loss": own + bands, "own mel": own.detach(), "bands": bands.detach()}


def unet_losses(
    net: AudioLdmNet, latent: Tensor, words: Tensor, process: Ddpm, generator: torch.Generator
) -> dict[str, Tensor]:
    """Mean squared error of the noise at levels drawn evenly from the schedule; latents `[B, T, 128]`, words
    `[B, D]`."""
    k = process.schedule.levels
    level = torch.randint(k, (len(latent),), generator=generator, device=latent.device)
    t = (k - 1 - level).double() / k
    eps = torch.randn(latent.shape, generator=generator, device=latent.device)
    made = net(process.noise(latent, eps, t), level, words)
    return {"loss": (made.float() - process.target(latent, eps, t)).square().mean()}


@torch.no_grad()
def latents_of(codec: AudioLdmCodec, wave: Tensor) -> Tensor:
    """Latents `[B, T, 128]` of sounds `[B, N]`, the means of what the autoencoder says, not scaled."""
    return as_rows(codec.vae.encode(picture_of(wave)).latent_dist.mean)  # type: ignore[operator]


def spread(latent: np.ndarray) -> float:
    """What brings latents to unit deviation: the autoencoder's `scaling`."""
    return float(1 / latent.astype(np.float64).std())


@torch.no_grad()
def begin(vocoder: nn.Module) -> None:
    """Weights that keep the scale of what they are given: transformers' begin at a hundredth, and stay silent long."""
    for layer in vocoder.modules():
        if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
            given = (
                layer.in_channels
                * layer.kernel_size[0]
                / (layer.stride[0] if isinstance(layer, nn.ConvTranspose1d) else 1)
            )
            layer.weight.normal_(0, float(given) ** -0.5)
            if layer.bias is not None:
                layer.bias.zero_()
