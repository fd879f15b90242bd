"""What the codec learns from: a pool of rendered sounds, and losses on levels, phases and the sound itself.

Levels are compared in nepers (natural logarithm of amplitude; 1 Np = 8.7 dB) on single bins and on mel
bands, the bands after resynthesis too, because that is what is heard and judged; phases by their cosine and
by their steps along time and frequency (Ai & Ling 2023, arXiv:2305.07952), which carry pitch and attack.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from weft.codecs.stft_vae import Spectrum, StftVae, mel_matrix


class Pool:
    """Rendered training sounds: files `*.npy` of int16 `[clips, 2, N]` in one folder, read where they lie."""

    def __init__(self, folder: Path) -> None:
        self.parts = [np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))]
        if not self.parts:
            raise FileNotFoundError(f"no rendered sounds (*.npy) in {folder}: render the pool first")

    def crop(self, samples: int, rng: np.random.Generator) -> np.ndarray:
        """Return a random stretch `[2, samples]`, float32; seldom a silent one."""
        for _ in range(8):
            part = self.parts[int(rng.integers(len(self.parts)))]
            clip = part[int(rng.integers(len(part)))]
            start = int(rng.integers(0, clip.shape[1] - samples))
            sound = clip[:, start : start + samples].astype(np.float32) / 32767
            if np.abs(sound).max() > 0.003 or rng.random() < 0.1:
                break
        return sound

    def batch(self, step: int, *, size: int, samples: int, seed: int) -> Tensor:
        """Return the varied crops `[size, 2, samples]` of a step: swapped ears, gains, reversals,
        mixtures."""
        rng = np.random.default_rng([seed, step])
        out = []
        for _ in range(size):
            sound = self.crop(samples, rng)
            if rng.random() < 0.15:
                sound = sound + self.crop(samples, rng) * np.float32(10 ** (-rng.uniform(0, 30) / 20))
            if rng.random() < 0.5:
                sound = sound[::-1]
            if rng.random() < 0.1:
                sound = sound[:, ::-1]
            gain = 10 ** ((rng.uniform(-20, 12) if rng.random() < 0.7 else 0.0) / 20)
            gain = min(gain, 0.99 / max(float(np.abs(sound).max()), 1e-4)) * rng.choice([-1, 1])
            out.append(torch.from_numpy(np.ascontiguousarray(sound * np.float32(gain))))
        return torch.stack(out)


@dataclass(frozen=True, kw_only=True)
class CodecLossConfig:
    """Weights of the codec's losses."""

    level: float = 0.5
    bands: float = 1.0
    phase: float = 0.15
    steps: float = 0.15  # of phase, along time and frequency
    heard: float = 1.5  # mel bands of the resynthesised sound, as evaluated
    attack: float = 0.7  # mel bands of short windows
    loud: float = 0.5  # loudness that the latent asks for
    envelope: float = 1.0  # loudness that came out
    lean: float = 1.0  # level difference between the ears
    kl: float = 1e-3
    every: int = 2  # the losses on the resynthesised sound come every so many steps


def mel_levels(audio: Tensor, fft: int, hop: int, bands: int, rate: int = 44100) -> Tensor:
    """Mel band levels in nepers `[B * C, bands, F]` of `[B, C, N]`, floor -90 dBFS (full-scale sine = 0)."""
    window = torch.hann_window(fft, device=audio.device)
    spectrum = torch.stft(audio.flatten(0, 1), fft, hop, window=window, return_complex=True)
    power = torch.view_as_real(spectrum).square().sum(-1) * (4 / (0.375 * fft * fft))
    return 0.5 * torch.log(mel_matrix(rate, fft, bands).to(audio.device) @ power + 1e-9)


def loudness(audio: Tensor, hop: int = 512) -> Tensor:
    """Level in nepers of consecutive windows: `[B, C, N]` to `[B, C, N // hop]`, floor -90 dBFS."""
    whole = audio[..., : audio.shape[-1] // hop * hop].unflatten(-1, (-1, hop))
    return 0.5 * torch.log(whole.square().mean(-1) + 1e-9)


def spectral_losses(codec: StftVae, made: Spectrum, audio: Tensor, *, steps: bool) -> dict[str, Tensor]:
    """Compare predicted levels and phases with those of `audio` `[B, 2, N]`; `steps` adds the phase steps."""
    with torch.no_grad():
        target = codec.stft(audio)
        magnitude = target.abs()
        level = torch.log(magnitude + codec.floor)
        bands = codec.band_levels(magnitude)
        unit = target / (magnitude + 1e-9)
        weight = (magnitude + codec.floor).sqrt()
        bins = torch.arange(weight.shape[2], device=weight.device)[:, None]
        weight = weight * (1 + 16 / (1 + (bins / 4) ** 2))  # below 200 Hz wrong phases cancel whole frames
        weight = weight / weight.mean((1, 2, 3), keepdim=True)
        both = weight.amin(1)
    phase = torch.stack([made.phase, made.phase * made.between], 1)
    out = {
        "level": (made.level - level).abs().mean(),
        "loud": (made.loudness - codec.loudness(audio)).abs().mean(),
        "bands": (codec.band_levels(codec.amplitude(made.level)) - bands).abs().mean(),
        "phase": (weight * (1 - _agree(phase, unit))).mean()
        + (both * (1 - _agree(made.between, unit[:, 1] * unit[:, 0].conj()))).mean(),
    }
    if steps:
        terms = []
        for axis in (2, 3):
            mine, true = _turn(phase, axis), _turn(unit, axis)
            terms.append((weight.narrow(axis, 1, mine.shape[axis]) * (1 - _agree(mine, true))).mean())
        out["steps"] = terms[0] + terms[1]
    return out


def _agree(a: Tensor, b: Tensor) -> Tensor:
    return a.real * b.real + a.imag * b.imag


def _turn(unit: Tensor, axis: int) -> Tensor:
    count = unit.shape[axis] - 1
    return unit.narrow(axis, 1, count) * unit.narrow(axis, 0, count).conj()


def heard_losses(made: Tensor, audio: Tensor) -> dict[str, Tensor]:
    """Compare two sounds `[B, 2, N]` as they are heard: mel bands of long and short windows, loudness,
    balance."""
    loud, true = loudness(made), loudness(audio)
    active = (true.amax(1) > -5.76).float()  # -50 dBFS
    lean = ((loud[:, 0] - loud[:, 1]) - (true[:, 0] - true[:, 1])).abs()
    return {
        "heard": (mel_levels(made, 2048, 512, 64) - mel_levels(audio, 2048, 512, 64)).abs().mean(),
        "attack": (mel_levels(made, 256, 64, 24) - mel_levels(audio, 256, 64, 24)).abs().mean(),
        "envelope": (loud - true).abs().mean(),
        "lean": (lean * active).sum() / active.sum().clamp_min(1),
    }


def codec_step(
    codec: StftVae, config: CodecLossConfig, batch: dict[str, Any], generator: torch.Generator
) -> dict[str, Tensor]:
    """One step's losses for `weft.training.loop.train`; the batch holds `audio` `[B, 2, N]` and `step`."""
    audio = batch["audio"]
    mean, variance = codec.posterior(audio)
    noise = torch.randn(mean.shape, generator=generator, device=mean.device)
    made = codec.spectrum(mean + noise * torch.exp(0.5 * variance))
    heard = batch["step"] % config.every == 0
    with torch.autocast(audio.device.type, enabled=False):
        losses = spectral_losses(codec, made, audio, steps=not heard)
        losses["kl"] = 0.5 * (mean.square() + variance.exp() - 1 - variance).mean()
        if heard:
            losses |= heard_losses(codec.synthesise(made, audio.shape[-1]), audio)
    weights = {name: getattr(config, name) for name in losses}
    loss = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
    return {"loss": loss} | {name: value.detach() for name, value in losses.items()}


def heard_step(
    codec: StftVae, config: CodecLossConfig, batch: dict[str, Any], generator: torch.Generator
) -> dict[str, Tensor]:
    """A step on the resynthesised sound alone: cheap, for the parts of the decoder that come after its levels."""
    audio = batch["audio"]
    made = codec.spectrum(codec.encode(audio))
    with torch.autocast(audio.device.type, enabled=False):
        losses = heard_losses(codec.synthesise(made, audio.shape[-1]), audio)
    loss = torch.stack([getattr(config, name) * value for name, value in losses.items()]).sum()
    return {"loss": loss} | {name: value.detach() for name, value in losses.items()}


@torch.no_grad()
def measure(audio: Tensor, made: Tensor) -> dict[str, float]:
    """Errors of one sound `[2, N]` against the true one.

    mel_db: mean over 64 bands and all frames, silent ones too, of the difference in dB (floor -90 dBFS).
    envelope_r: correlation of the RMS of 512-sample windows. lean_db: error of the level difference between
    the ears in windows louder than -50 dBFS (NaN when there are none).
    """
    audio, made = audio[None], made[None]
    decibel = 8.685889638
    mel = (mel_levels(audio, 2048, 512, 64) - mel_levels(made, 2048, 512, 64)).abs().mean() * decibel
    a, b = loudness(audio)[0], loudness(made)[0]
    rms = [0.5 * (2 * x.double()).exp().sum(0).sqrt() for x in (a, b)]
    r = F.cosine_similarity(rms[0] - rms[0].mean(), rms[1] - rms[1].mean(), dim=0)
    active = (2 * a).exp().mean(0) > 1e-5
    lean = ((a[0] - a[1]) - (b[0] - b[1])).abs()[active].mean() * decibel
    return {"mel_db": float(mel), "envelope_r": float(r), "lean_db": float(lean)}
