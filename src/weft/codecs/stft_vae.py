"""weft's codec: a variational autoencoder on the short-time spectrum, stereo 44.1 kHz to 64 numbers 43
times a second.

It reads levels (log-magnitudes, mel bands, the difference between the ears) and writes levels and phases,
which one inverse Fourier transform turns into sound (Vocos: Siuzdak 2023, arXiv:2306.00814; ConvNeXt: Liu
et al. 2022, arXiv:2201.03545). A linear path from the band levels to the latent and back carries the
outline of a sound; the network adds the rest. Everything is local in time (`StftVae.context`), so any
length can be decoded in blocks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from weft import weights

KERNEL = 7


@dataclass(frozen=True, kw_only=True)
class StftVaeConfig:
    """Sizes of the codec. `hop * frames` samples make one latent frame."""

    rate: int = 44100
    fft: int = 1024
    hop: int = 256
    frames: int = 4  # spectral frames in a latent frame
    latent: int = 64
    bands: int = 64  # mel bands of the linear path
    low: int = 96  # lowest bins whose waveform (not only level) the encoder sees
    encoder_fine: tuple[int, int] = (192, 1)  # width and blocks at the spectral rate
    encoder_deep: tuple[int, int] = (320, 2)  # at the latent rate
    decoder_deep: tuple[int, int] = (384, 3)
    decoder_fine: tuple[int, int] = (256, 4)
    strokes: int = 4  # steps in a spectral hop of the gain that sharpens attacks
    servo_db: float = 12.0  # how far a frame's gain may go to meet the loudness in the latent
    floor_db: float = -100.0  # of a bin, full-scale sine = 0 dB; below it is silence


class ConvNeXt(nn.Module):
    """Depthwise convolution over time, then a gated-by-scale two-layer network on each frame. `[B, T, D]`
    to same."""

    def __init__(self, width: int, expansion: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(width, width, KERNEL, padding=KERNEL // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.rise = nn.Linear(width, width * expansion)
        self.fall = nn.Linear(width * expansion, width)
        self.scale = nn.Parameter(torch.full((width,), 0.2))

    def forward(self, x: Tensor) -> Tensor:
        mixed = self.mix(x.transpose(1, 2)).transpose(1, 2)
        return x + self.scale * self.fall(F.gelu(self.rise(self.norm(mixed))))


def blocks(size: tuple[int, int], expansion: int) -> nn.Sequential:
    return nn.Sequential(*(ConvNeXt(size[0], expansion) for _ in range(size[1])))


@cache
def mel_matrix(rate: int, fft: int, bands: int) -> Tensor:
    """Return triangular mel filters `[bands, fft // 2 + 1]` (Slaney's scale, peak 1), as librosa's with
    norm=None."""
    corners = mel_corners(bands, rate)
    bins = torch.arange(fft // 2 + 1, dtype=torch.float64) * rate / fft
    rising = (bins - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]
    falling = (corners[2:, None] - bins) / (corners[2:] - corners[1:-1])[:, None]
    return torch.minimum(rising, falling).clamp_min(0).float()


@cache
def mel_spread(rate: int, fft: int, bands: int) -> Tensor:
    """Return `[bands, fft // 2 + 1]`: values at the bands' centres, interpolated linearly to the bins."""
    centres = mel_corners(bands, rate)[1:-1]
    bins = torch.arange(fft // 2 + 1, dtype=torch.float64) * rate / fft
    place = torch.searchsorted(centres, bins).clamp(1, bands - 1)
    part = ((bins - centres[place - 1]) / (centres[place] - centres[place - 1])).clamp(0, 1)
    spread = torch.zeros(bands, fft // 2 + 1, dtype=torch.float64)
    every = torch.arange(fft // 2 + 1)
    spread[place - 1, every] = 1 - part
    spread[place, every] += part
    return spread.float()


def mel_corners(bands: int, rate: int) -> Tensor:
    """Corner frequencies `[bands + 2]` in Hz: linear below 1 kHz, logarithmic above (Slaney 1998)."""
    step = math.log(6.4) / 27
    top = 15 + math.log(rate / 2 / 1000) / step
    mel = torch.linspace(0, top, bands + 2, dtype=torch.float64)
    return torch.where(mel < 15, mel * 200 / 3, 1000 * torch.exp(step * (mel - 15)))


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """What the decoder predicts, all `[B, bins, frames]` in float32: log-levels (nats) and unit phasors."""

    level: Tensor  # [B, 2, bins, frames] log(magnitude + floor), full-scale sine = 0
    phase: Tensor  # complex: left
    between: Tensor  # complex: right relative to left
    loudness: Tensor  # [B, 2, frames] log-RMS (nats) of about two hops around each frame
    stroke: Tensor  # [B, 2, frames * strokes] log-gain (nats) within frames


class StftVae(nn.Module):
    """Stereo sound `[B, 2, N]` to latent `[B, ceil(N / 1024), 64]` and back.

    Latent frame i covers samples [1024 i, 1024 (i + 1)). Latents are normalised to about unit variance a
    channel.
    """

    latent_mean: Tensor
    latent_std: Tensor
    window: Tensor
    mel: Tensor
    spread: Tensor

    def __init__(self, config: StftVaeConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or StftVaeConfig()
        bins, patch = c.fft // 2 + 1, 2 * (c.bands + 1) * c.frames
        (fine, _), (deep, _) = c.encoder_fine, c.encoder_deep
        self.read = nn.Linear(4 * bins + 4 * c.low + 2 * c.bands + 2, fine)
        self.encoder_fine = blocks(c.encoder_fine, 2)
        self.fold = nn.Linear(fine * c.frames, deep)
        self.encoder_deep = blocks(c.encoder_deep, 3)
        self.encoder_norm = nn.LayerNorm(deep)
        self.to_latent = nn.Linear(deep, 2 * c.latent)
        self.outline_in = nn.Linear(patch, c.latent)
        (deep, _), (fine, _) = c.decoder_deep, c.decoder_fine
        self.outline_out = nn.Linear(c.latent, patch)
        self.from_latent = nn.Linear(c.latent, deep)
        self.decoder_deep = blocks(c.decoder_deep, 3)
        self.unfold = nn.Linear(deep, fine * c.frames)
        self.decoder_fine = blocks(c.decoder_fine, 2)
        self.decoder_norm = nn.LayerNorm(fine)
        self.write = nn.Linear(fine, 5 * bins + c.bands + 2)
        self.stroke = nn.Linear(fine, 2 * c.strokes)
        nn.init.zeros_(self.stroke.weight)
        nn.init.zeros_(self.stroke.bias)
        nn.init.trunc_normal_(self.write.weight, std=0.01)
        nn.init.zeros_(self.write.bias)
        nn.init.trunc_normal_(self.to_latent.weight, std=0.01)
        for name in ("latent_mean", "latent_std"):
            self.register_buffer(
                name, torch.zeros(c.latent) if name.endswith("mean") else torch.ones(c.latent)
            )
        self.register_buffer("window", torch.hann_window(c.fft), persistent=False)
        self.register_buffer("mel", mel_matrix(c.rate, c.fft, c.bands), persistent=False)
        self.register_buffer("spread", mel_spread(c.rate, c.fft, c.bands), persistent=False)

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self.config.rate

    @property
    def hop(self) -> int:
        """Samples in a latent frame."""
        return self.config.hop * self.config.frames

    @property
    def latent_rate(self) -> float:
        """Latent frames a second."""
        return self.config.rate / self.hop

    @property
    def context(self) -> int:
        """Latent frames on either side that a decoded frame depends on."""
        c, reach = self.config, KERNEL // 2
        spectral = reach * c.decoder_fine[1] + math.ceil(c.fft / 2 / c.hop) + 2  # the last for the loudness
        return reach * c.decoder_deep[1] + math.ceil(spectral / c.frames)

    # Spectrum

    def stft(self, audio: Tensor) -> Tensor:
        """`[B, 2, N]` to complex `[B, 2, bins, T * frames]`: frame j is centred on sample (j + 1/2) hop;
        sine = 1."""
        c = self.config
        steps = -(-audio.shape[-1] // self.hop)
        edge = (c.fft - c.hop) // 2
        padded = F.pad(audio, (edge, edge + steps * self.hop - audio.shape[-1]))
        spectrum = torch.stft(
            padded.flatten(0, 1), c.fft, c.hop, window=self.window, center=False, return_complex=True
        )
        return spectrum.unflatten(0, audio.shape[:2]) * (4 / c.fft)

    def istft(self, spectrum: Tensor, samples: int) -> Tensor:
        """The inverse of `stft`: complex `[B, 2, bins, F]` to `[B, 2, samples]`, by weighted overlap-add."""
        c = self.config
        batch, count = spectrum.shape[:2], spectrum.shape[-1]
        size = (count - 1) * c.hop + c.fft
        pieces = torch.fft.irfft(spectrum.flatten(0, 1), n=c.fft, dim=1) * (
            self.window[:, None] * (c.fft / 4)
        )

        def overlap(x: Tensor) -> Tensor:
            return F.fold(x, (1, size), (1, c.fft), stride=(1, c.hop)).flatten(1)

        weight = overlap(self.window.square()[None, :, None].expand(1, -1, count))
        edge = (c.fft - c.hop) // 2
        whole = (overlap(pieces) / weight.clamp_min(1e-3))[:, edge : edge + samples]
        return whole.unflatten(0, batch)

    @property
    def floor(self) -> float:
        """The magnitude that counts as silence."""
        return float(10 ** (self.config.floor_db / 20))

    # Encoder

    def features(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the encoder reads: a row a spectral frame `[B, F, *]`, and band levels `[B, T, *]`."""
        c = self.config
        spectrum = self.stft(audio)
        magnitude = spectrum.abs()
        level = torch.log(magnitude + self.floor) * 0.25 + 1.6  # -100 dB..0 dB to -1.3..1.6
        wave = spectrum[:, :, : c.low] * (magnitude[:, :, : c.low] + 1e-5).pow(-0.6)
        cross = spectrum[:, 1] * spectrum[:, 0].conj()
        cross = cross / (cross.abs() + self.floor * self.floor)
        bands = self.band_levels(magnitude) * 0.25 + 1.4
        bands = torch.cat([bands, self.loudness(audio)[:, :, None] * 0.25 + 1.4], 2)
        middle, side = bands.mean(1), (bands[:, 0] - bands[:, 1]) * 0.5
        rows = [level.flatten(1, 2), torch.view_as_real(wave).permute(0, 4, 1, 2, 3).flatten(1, 3)]
        rows += [cross.real, cross.imag, middle, side]
        outline = torch.cat([middle, side], 1).unflatten(2, (-1, c.frames)).permute(0, 2, 1, 3).flatten(2)
        return torch.cat(rows, 1).transpose(1, 2), outline

    def loudness(self, audio: Tensor) -> Tensor:
        """`[B, 2, N]` to log-RMS (nats) `[B, 2, T * frames]` around each spectral frame, floor -100 dBFS."""
        steps = -(-audio.shape[-1] // self.hop)
        power = F.pad(audio.square(), (0, steps * self.hop - audio.shape[-1]))
        power = F.avg_pool1d(power, self.config.hop)
        power = F.pad(power, (1, 1), mode="replicate")
        power = 0.25 * power[..., :-2] + 0.5 * power[..., 1:-1] + 0.25 * power[..., 2:]
        return 0.5 * torch.log(power + 1e-10)

    def band_levels(self, magnitude: Tensor) -> Tensor:
        """Log-levels (nats) of the mel bands `[..., bands, F]` of magnitudes `[..., bins, F]`."""
        return 0.5 * torch.log(self.mel @ magnitude.square() + self.floor**2 * 10)

    def posterior(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """`[B, 2, N]` in -1..1 to the latent's mean and log-variance, each `[B, T, latent]`, normalised."""
        rows, outline = self.features(audio)
        x = self.encoder_fine(self.read(rows))
        x = self.encoder_deep(self.fold(x.unflatten(1, (-1, self.config.frames)).flatten(2)))
        mean, variance = self.to_latent(self.encoder_norm(x)).chunk(2, -1)
        mean = (mean + self.outline_in(outline)).float()
        mean = (mean - self.latent_mean) / self.latent_std
        return mean, variance.float().clamp(-12, 4) - 2 * torch.log(self.latent_std)

    def encode(self, audio: Tensor) -> Tensor:
        """`[B, 2, N]` in -1..1 to the latent's mean `[B, ceil(N / hop), latent]`."""
        return self.posterior(audio)[0]

    # Decoder

    def spectrum(self, latent: Tensor) -> Spectrum:
        """Latent `[B, T, latent]` to levels and phases of `T * frames` spectral frames."""
        c = self.config
        bins = c.fft // 2 + 1
        z = latent * self.latent_std + self.latent_mean
        x = self.unfold(self.decoder_deep(self.from_latent(z)))
        x = self.decoder_fine(x.unflatten(2, (c.frames, -1)).flatten(1, 2))
        x = self.decoder_norm(x)
        out = _single(self.write(x)).transpose(1, 2)
        stroke = 3.5 * torch.tanh(_single(self.stroke(x)).unflatten(2, (2, c.strokes)))
        outline = _single(self.outline_out(z)).unflatten(2, (2, c.bands + 1, c.frames))
        outline = outline.permute(0, 2, 3, 1, 4).flatten(3)
        common, apart = outline[:, 0] * 4 - 8, outline[:, 1] * 4
        level, real, imag, cosine, sine, lean, loud = out.split([bins] * 5 + [c.bands, 2], 1)
        with torch.autocast(latent.device.type, enabled=False):
            middle = self.spread.T @ common[:, :-1] + level * 4
            side = self.spread.T @ (apart[:, :-1] + lean * 4)
        level = self._pair(middle, side)
        return Spectrum(
            level=level,
            phase=_phasor(real, imag),
            between=_phasor(cosine + 0.5, sine),
            loudness=self._expected(level) + loud + self._pair(outline[:, 0, -1], outline[:, 1, -1]),
            stroke=stroke.permute(0, 2, 1, 3).flatten(2),
        )

    @staticmethod
    def _pair(middle: Tensor, side: Tensor) -> Tensor:
        return torch.stack([middle + side, middle - side], 1)

    def amplitude(self, level: Tensor) -> Tensor:
        """Magnitudes of log-levels; at the floor they are zero, so that silence is silent."""
        return (torch.exp(level.clamp(max=2.0)) - self.floor).clamp_min(0)

    def _expected(self, level: Tensor) -> Tensor:
        """Log-RMS (nats) of frames with these levels, had their phases agreed (Parseval, Hann window)."""
        return 0.5 * torch.log(self.amplitude(level).square().sum(2) / 3 + 1e-10)

    def synthesise(self, spectrum: Spectrum, samples: int) -> Tensor:
        """Levels and phases to sound `[B, 2, samples]`. What is at the floor is silent.

        A frame is longer than an attack, so a gain finer than the frames first sharpens what they smeared.
        Predicted phases of noise do not fit each other, so frames cancel and the loudness strays; the sound is
        therefore held, frame by frame, to the loudness that the latent asks for, by at most `servo_db`. There is no
        direct current.
        """
        phases = torch.stack([spectrum.phase, spectrum.phase * spectrum.between], 1)
        level = self.amplitude(spectrum.level)
        # No mel band reaches down to 0 Hz, so no loss held that bin: up to half of a take's power lay there, unheard.
        level = torch.cat([torch.zeros_like(level[:, :, :1]), level[:, :, 1:]], 2)
        whole = self.istft(level * phases, level.shape[-1] * self.config.hop)
        whole = whole * torch.exp(self._held(spectrum.stroke, self.config.hop // self.config.strokes))
        most = self.config.servo_db * math.log(10) / 20
        gain = (spectrum.loudness - self.loudness(whole)).clamp(-most, most)
        return (whole * torch.exp(self._held(gain, self.config.hop)))[..., :samples]

    @staticmethod
    def _held(gain: Tensor, step: int) -> Tensor:
        return F.interpolate(gain, scale_factor=float(step), mode="linear")

    def decode(self, latent: Tensor, samples: int | None = None) -> Tensor:
        """Latent `[B, T, latent]` to sound `[B, 2, samples]`; `samples` at most, and by default, T * hop."""
        return self.synthesise(
            self.spectrum(latent), latent.shape[1] * self.hop if samples is None else samples
        )

    def decode_blocks(
        self, latent: Tensor, samples: int | None = None, *, block: int = 256
    ) -> Iterator[Tensor]:
        """Yield the sound of `decode` in pieces of at most `block` latent frames, with memory constant in
        length."""
        total = latent.shape[1] * self.hop if samples is None else samples
        for start in range(0, latent.shape[1], block):
            before = min(start, self.context)
            end = min(latent.shape[1], start + block)
            piece = self.decode(latent[:, start - before : end + self.context])
            stop = min(end * self.hop, total)
            if stop > start * self.hop:
                yield piece[..., before * self.hop : before * self.hop + stop - start * self.hop]

    # Files

    def save(self, path: Path, **notes: Any) -> None:
        """Write the weights in half precision with the configuration and `notes` as metadata."""
        tensors = {key: value.half() for key, value in self.state_dict().items()}
        weights.save(path, tensors, {"config": asdict(self.config), **notes})

    @classmethod
    def load(cls, name: str | Path = "weft-codec") -> StftVae:
        """Return the embedded codec, or one from a file, ready to use. Raises WeightsError."""
        tensors, metadata = weights.load(name)
        settings: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in metadata["config"].items()
        }
        codec = cls(StftVaeConfig(**settings))
        weights.check_keys(set(tensors), set(codec.state_dict()), str(name))
        codec.load_state_dict(tensors)
        return codec.eval().requires_grad_(False)


def _single(x: Tensor) -> Tensor:
    """Float32, or finer where x is."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _phasor(real: Tensor, imag: Tensor) -> Tensor:
    """Scale (real, imag) to length one; differentiable at zero."""
    length = torch.rsqrt(real.square() + imag.square() + 1e-8)
    return torch.complex(real * length, imag * length)
