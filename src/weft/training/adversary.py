"""The codec's last lesson: a critic that tells made sounds from true ones, for attacks and for the grain of noise.

The critic looks at short-time spectra of three sizes (as UnivNet's and Vocos' multi-resolution discriminators do:
Jang et al. 2021, arXiv:2106.07889) with the hinge loss; the decoder is also asked to stir its layers as the true
sound does. Critic and decoder share one optimiser and one backward pass: each sees the other's weights as constants.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from weft.codecs.stft_vae import StftVae
from weft.training.codec import CodecLossConfig, heard_losses, spectral_losses

FRAMES = 20  # latent frames that the critic hears of each crop


class SpectralCritic(nn.Module):
    """Judges each stretch of `[B, 2, N]` on its spectrum of one size; returns its layers, the verdict last."""

    window: Tensor

    def __init__(self, fft: int, hop: int, width: int = 16) -> None:
        super().__init__()
        self.fft, self.hop = fft, hop
        shapes = [(4, width, 7, 4), (width, 2 * width, 5, 4), (2 * width, 2 * width, 5, 2)]
        self.layers = nn.ModuleList(
            nn.Conv2d(a, b, (size, 3), stride=(stride, 1), padding=(size // 2, 1))
            for a, b, size, stride in shapes
        )
        self.verdict = nn.Conv2d(2 * width, 1, 3, padding=1)
        self.register_buffer("window", torch.hann_window(fft), persistent=False)

    def forward(self, audio: Tensor) -> list[Tensor]:
        spectrum = torch.stft(
            audio.flatten(0, 1), self.fft, self.hop, window=self.window, center=False, return_complex=True
        )
        parts = torch.view_as_real(spectrum) * (4 / self.fft)
        parts = parts * (parts.square().sum(-1, keepdim=True) + 1e-9).pow(-0.35)  # magnitude to the power 0.3
        x = parts.unflatten(0, audio.shape[:2]).permute(0, 1, 4, 2, 3).flatten(1, 2)  # [B, 4, bins, frames]
        seen = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.1)
            seen.append(x)
        return [*seen, self.verdict(x)]


class Critic(nn.Module):
    """Spectral critics of three sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes = nn.ModuleList(SpectralCritic(fft, fft // 4) for fft in (256, 512, 2048))

    def forward(self, audio: Tensor) -> list[list[Tensor]]:
        return [size(audio) for size in self.sizes]


class DecoderLesson(nn.Module):
    """A codec whose encoder is frozen, so that latents keep their meaning, and the critic of its decoder."""

    def __init__(self, codec: StftVae) -> None:
        super().__init__()
        self.codec, self.critic = codec, Critic()
        for name in (
            "read",
            "encoder_fine",
            "fold",
            "encoder_deep",
            "encoder_norm",
            "to_latent",
            "outline_in",
        ):
            getattr(codec, name).requires_grad_(False)


def decoder_step(
    lesson: DecoderLesson,
    config: CodecLossConfig,
    batch: dict[str, Any],
    generator: torch.Generator,
    *,
    adversarial: float = 0.03,
    matching: float = 0.1,
    stray: float = 0.1,
) -> dict[str, Tensor]:
    """One step's losses for decoder and critic. Latents are shaken by up to `stray`, as a generator's will be."""
    audio, codec = batch["audio"], lesson.codec
    with torch.no_grad():
        mean, _ = codec.posterior(audio)
    size = (mean.shape[0], 1, 1)
    shake = stray * torch.rand(size, generator=generator, device=mean.device).square()
    noise = torch.randn(mean.shape, generator=generator, device=mean.device)
    made = codec.spectrum(mean + shake * noise)
    sound = codec.synthesise(made, audio.shape[-1])
    with torch.autocast(audio.device.type, enabled=False):
        losses = spectral_losses(codec, made, audio, steps=True) | heard_losses(sound, audio)
        weights = {name: getattr(config, name) for name in losses}
    first = 10 * codec.hop  # away from the crop's ends
    true, fake = (x[..., first : first + FRAMES * codec.hop] for x in (audio, sound))
    frozen = {name: value.detach() for name, value in lesson.critic.named_parameters()}
    judged_true, judged_fake = lesson.critic(true), lesson.critic(fake.detach())
    seen = functional_call(lesson.critic, frozen, (fake,))
    losses["critic"] = torch.stack(
        [
            F.relu(1 - a[-1].float()).mean() + F.relu(1 + b[-1].float()).mean()
            for a, b in zip(judged_true, judged_fake, strict=True)
        ]
    ).mean()
    losses["adversarial"] = torch.stack([-a[-1].float().mean() for a in seen]).mean()
    losses["matching"] = torch.stack(
        [
            (x.float() - y.detach().float()).abs().mean() / (y.detach().float().abs().mean() + 1e-3)
            for a, b in zip(seen, judged_true, strict=True)
            for x, y in zip(a[:-1], b[:-1], strict=True)
        ]
    ).mean()
    weights |= {"critic": 1.0, "adversarial": adversarial, "matching": matching}
    loss = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
    return {"loss": loss} | {name: value.detach() for name, value in losses.items()}
