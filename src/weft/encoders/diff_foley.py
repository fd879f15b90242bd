"""Diff-Foley's judge of alignment: sound and pictures of 8.2 s to a probability that they belong together.

Luo et al. 2023. Three networks of two files: CAVP's SlowOnly turns each of 32 pictures (4 a second, squashed to 224)
into a vector; Stable Diffusion's encoder turns the log-mel spectrogram (16 kHz, 128 bands, 512 columns) into a latent;
the classifier looks at both. The published script draws the latent at random; here it is the mean. A shorter clip is
repeated, as in the published loader. No official file was ever loaded here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from weft.encoders import windows
from weft.encoders.alignment_net import AlignmentConfig, AlignmentNet
from weft.encoders.latent_eye import LatentEye, LatentEyeConfig
from weft.encoders.loading import filled
from weft.encoders.mel import mel_spectrogram
from weft.encoders.pictures import channels_first
from weft.encoders.slow_only import SlowOnly, SlowOnlyConfig
from weft.weights import published
from weft.weights.published import Published

_WHERE = "https://huggingface.co/SimianLuo/Diff-Foley"
CLASSIFIER = Published(
    file="eval_classifier.ckpt",
    url=_WHERE,
    licence="MIT",
    sha256="fac47f90edf494572c2127a4afba7d85ae3a1d4ff269d90e3eaed9e47e623223",
)
CAVP = Published(
    file="cavp_epoch66.ckpt",
    url=_WHERE,
    licence="MIT",
    sha256="3472c2217a9481f530a96e32611c9e4611766f10b7f0d185a1ce35be7b7f9c80",
)
RATE, COLUMNS, PICTURES, BANDS = 16000, 512, 32, 128
_LATENT_SCALE = 0.18215
_AT_ONCE = 40  # pictures that see each other's neighbours, as in the published extraction


class Cavp(nn.Module):
    """The video half of CAVP. Keys as in the published file."""

    def __init__(self, config: SlowOnlyConfig, d: int) -> None:
        super().__init__()
        self.video_encoder = SlowOnly(config)
        self.video_project_head = nn.Linear(config.d, d)

    def forward(self, pictures: Tensor) -> Tensor:
        """Turn pictures `[B, 3, T, H, W]` in 0..1 into unit vectors `[B, T, d]`."""
        return F.normalize(self.video_project_head(self.video_encoder(pictures)), dim=-1)


class Aligner(AlignmentNet):
    """The classifier with its eye for spectrograms. Keys as in the published file."""

    def __init__(self, eye: LatentEyeConfig, config: AlignmentConfig) -> None:
        super().__init__(config)
        self.first_stage_model = LatentEye(eye)

    def latent(self, mel: Tensor) -> Tensor:
        """Turn spectrograms `[B, 128, T]` in 0..1 into latents `[B, 4, 16, T / 8]`."""
        return _LATENT_SCALE * self.first_stage_model(mel[:, None].expand(-1, 3, -1, -1))


class DiffFoleyJudge:
    """Rows of either side, and the classifier's word on both. `embed` and `embed_video` are of the first 8.2 s."""

    name = "diff-foley"
    windows = "the first 8.192 s: 512 columns of 16 ms as a latent, 32 pictures; a shorter clip is repeated"
    rate, fps, size = RATE, 4.0, (224, 224)

    def __init__(self, aligner: Aligner, cavp: Cavp, *, sha256: str) -> None:
        self.aligner, self.cavp, self.sha256 = aligner.eval(), cavp.eval(), sha256
        self.d = cavp.video_project_head.out_features

    @classmethod
    def load(
        cls,
        *,
        eye: LatentEyeConfig | None = None,
        alignment: AlignmentConfig | None = None,
        slow_only: SlowOnlyConfig | None = None,
    ) -> DiffFoleyJudge:
        """Return the judge with the user's copies of `CLASSIFIER` and `CAVP`; sizes other than the published ones fit
        files of that size. Raises WeightsError when one is not there or does not fit."""
        config = alignment or AlignmentConfig()
        held = published.part(published.load(CLASSIFIER), "state_dict", CLASSIFIER)
        wanted = ("model.", "cond_model.", "first_stage_model.encoder.", "first_stage_model.quant_conv.")
        aligner = filled(
            lambda: Aligner(eye or LatentEyeConfig(), config),
            {k: v for k, v in held.items() if k.startswith(wanted)},
            CLASSIFIER,
        )
        seen = published.part(published.load(CAVP), "state_dict", CAVP)
        seen = {k.removeprefix("module."): v for k, v in seen.items()}
        cavp = filled(
            lambda: Cavp(slow_only or SlowOnlyConfig(), config.context),
            {k: v for k, v in seen.items() if k.startswith(("video_encoder.", "video_project_head."))},
            CAVP,
        )
        return cls(aligner, cavp, sha256=sha256())

    @torch.inference_mode()
    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Turn mono sound `[B, N]` at `rate` Hz into latents `[B, 64, 4 * 16]`, a row each 0.128 s."""
        mel = log_mel(windows.at_rate(wave, rate, RATE))
        mel = mel.repeat(1, 1, -(-COLUMNS // mel.shape[-1]))[..., :COLUMNS]
        return self.aligner.latent(mel).permute(0, 3, 1, 2).flatten(2)

    @torch.inference_mode()
    def embed_video(self, frames: np.ndarray) -> Tensor:
        """Turn frames uint8 `[T, 224, 224, 3]` at 4 fps into 32 unit vectors `[32, d]`."""
        pictures = channels_first(frames[:_AT_ONCE]).float().transpose(0, 1)[None] / 255
        seen = self.cavp(pictures)[0]
        return seen.repeat(-(-PICTURES // len(seen)), 1)[:PICTURES]

    @torch.inference_mode()
    def aligned(self, seen: np.ndarray, heard: np.ndarray) -> float:
        """Return the probability that rows of `embed_video` and of `embed` (one sound's) belong together."""
        rows = torch.from_numpy(np.asarray(heard, np.float32))
        latent = rows.unflatten(1, (-1, BANDS // 8)).permute(1, 2, 0)[None]
        return float(self.aligner(latent, torch.from_numpy(np.asarray(seen, np.float32))[None])[0])


def log_mel(wave: Tensor) -> Tensor:
    """Return the spectrogram `[B, 128, T]` in 0..1 of sound `[B, N]` at 16 kHz: magnitudes, 125 to 7600 Hz, a column
    each 16 ms; 0 is -80 dB and less, 1 is 20 dB and more."""
    mel = mel_spectrogram(wave, rate=RATE, n_fft=1024, hop=256, n_mels=BANDS, fmin=125, fmax=7600, power=1.0)
    return ((20 * mel.clamp_min(1e-5).log10() - 20 + 100) / 100).clamp(0, 1)


def sha256() -> str:
    """Return the SHA-256 of both files' own, in order. Raises WeightsError where one is missing."""
    import hashlib

    each: list[Any] = [published.sha256(published.path_of(given)) for given in (CLASSIFIER, CAVP)]
    return hashlib.sha256("\n".join(each).encode()).hexdigest()
