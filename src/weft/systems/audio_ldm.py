"""AudioLDM: text to sound by latent diffusion (Liu et al. 2023), on the maintained parts of diffusers and transformers.

It hears words and nothing of the picture, unless it is guided (`weft.systems.guide`: Seeing & Hearing and MDG are
AudioLDM guided). The repositories cvssp/audioldm-* are CC-BY-NC-SA 4.0 and a user's own copies.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from weft.codecs import audio_ldm as codec_parts
from weft.codecs.audio_ldm import AudioLdmCodec
from weft.codecs.mel_layout import of_front
from weft.diffusion.ddpm import Ddpm, NoiseSchedule
from weft.diffusion.sampler import frame_noise
from weft.encoders import clap_words
from weft.encoders.clap_words import ClapWords
from weft.errors import MissingExtra, UserError, WeightsError
from weft.generators.audio_ldm import AudioLdmNet, latents, unet_class
from weft.systems.audio_ldm_files import LICENCE, LONGEST_S, known
from weft.systems.hearing import Listening, Voice
from weft.systems.performer import Request
from weft.weights import published

STEPS, GUIDANCE = 30, 2.5
STRETCH_S = 3.0
"""What a thrifty guide hears at a step: decoding 10 s and back is three times the UNet's work."""


class Words(Protocol):
    """Prompts to vectors `[B, D]` of length 1, as the denoiser was told them in training; "" has one too."""

    def embed_text(self, texts: list[str]) -> Tensor: ...


class AudioLdm:
    """The performer: mono sound at 16 kHz on two channels. Deterministic for (words, seed, take, steps, guidance)."""

    rate = AudioLdmCodec.rate

    def __init__(
        self, net: AudioLdmNet, codec: AudioLdmCodec, words: Words, process: Ddpm | None = None
    ) -> None:
        self.net, self.codec = codec_parts.frozen(net), codec_parts.frozen(codec)
        self.words, self.process = words, process or Ddpm()

    @classmethod
    def load(cls, name: str = "audioldm-m-full") -> AudioLdm:
        """A published one from the user's copy of its repository. Raises WeightsError where a part is missing or does
        not fit, MissingExtra without diffusers or transformers."""
        kl, gan, _ = codec_parts.classes()
        tower, _ = clap_words.classes()
        try:
            from transformers import AutoTokenizer
        except ModuleNotFoundError as error:
            raise MissingExtra("AudioLDM", "systems") from error
        unet = _part(unet_class(), name, "unet")
        codec = AudioLdmCodec(_part(kl, name, "vae"), _part(gan, name, "vocoder"))
        words = ClapWords(_part(tower, name, "text_encoder"), _part(AutoTokenizer, name, "tokenizer"))
        return cls(AudioLdmNet(unet), codec, words, process_of(repository(name, "scheduler")))

    def perform(self, request: Request) -> Iterator[np.ndarray]:
        """Yield one float32 block `[2, round(duration * 16000)]`.

        Raises UserError for a sheet without words, over 30 s, steps out of range or a guidance scale that is no number.
        """
        steps = STEPS if request.steps is None else request.steps
        scale = GUIDANCE if request.guidance is None else request.guidance
        if not request.sheet.what.prompt:
            raise UserError("AudioLDM hears words alone, and this clip has none; give --prompt")
        if request.duration > LONGEST_S:
            raise UserError(
                f"AudioLDM plays up to {LONGEST_S:g} s at once, not {request.duration:g}; give --duration"
            )
        if not 1 <= steps <= self.process.schedule.levels // 2:
            raise UserError(f"{steps} sampler steps; AudioLDM takes 1 to {self.process.schedule.levels // 2}")
        if not math.isfinite(scale):
            raise UserError(f"guidance {scale} is not a number; 1 is off, {GUIDANCE:g} the default")
        wave = self.play(request, steps, scale)
        request.progress("perform", 1.0)
        yield wave.expand(2, -1).numpy().astype(np.float32)

    def play(self, request: Request, steps: int = STEPS, scale: float = GUIDANCE) -> Tensor:
        """Mono sound `[round(duration * 16000)]`. A sheet without words is played as one that says nothing: what it
        then is, a guide decides or chance."""
        samples = max(1, round(request.duration * self.rate))
        frames = max(4, self.codec.latent_frames(samples))
        noise = frame_noise(request.seed, request.take, 0, frames, codec_parts.BANDS * 8)[None]
        listening, steer = None, None
        if request.guide is not None:
            listening = Listening(request.guide, self.voice, 0.0, request.duration)
            steer = listening.steer([request.log])
        what = request.sheet.what
        told = self.words.embed_text([what.prompt or "", what.negative or ""])
        latent = self.sample(noise, told[:1], told[1:], steps, scale, steer=steer)
        if listening is not None:
            listening.finish(latent, [request.log])
        with torch.no_grad():
            return self.codec.decode(latent, samples)[0, 0]

    @property
    def voice(self) -> Voice:
        """How a guide hears it."""
        return Voice(
            decode=self.codec.decode,
            rate=self.rate,
            latent_rate=self.codec.latent_rate,
            decode_mel=self.codec.decode_mel,
            layout=of_front(codec_parts.FRONT),
            stretch_s=STRETCH_S,
        )

    def sample(
        self, noise: Tensor, words: Tensor, without: Tensor, steps: int, scale: float, **named: Any
    ) -> Tensor:
        """Latents `[B, T, 128]` of `noise`; see `weft.generators.audio_ldm.latents`."""
        return latents(
            self.net, noise, words, without, steps=steps, scale=scale, process=self.process, **named
        )


def repository(name: str, part: str) -> Path:
    """The folder of a part of the user's copy. Raises UserError for an unknown repository, WeightsError for none."""
    known(name)
    folder = published.folder() / name / part
    if not folder.is_dir():
        raise WeightsError(
            f"no {name}/{part} in {published.folder()}: get all of https://huggingface.co/cvssp/{name} (licence: "
            f"{LICENCE}) and put it there, or name its folder in WEFT_WEIGHTS"
        )
    return folder


def process_of(folder: Path) -> Ddpm:
    """The process that a repository's scheduler describes. Raises WeightsError where it is another kind."""
    path = folder / "scheduler_config.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        kinds = {"linear": False, "scaled_linear": True}
        schedule = NoiseSchedule(
            levels=told["num_train_timesteps"],
            first=told["beta_start"],
            last=told["beta_end"],
            scaled=kinds[told["beta_schedule"]],
        )
        predicts = {"epsilon": "eps", "v_prediction": "v"}[told.get("prediction_type", "epsilon")]
        return Ddpm(
            schedule,
            predicts=predicts,  # type: ignore[arg-type]
            offset=told.get("steps_offset", 0),
            to_data=told.get("set_alpha_to_one", True),
        )
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(f"{path} is no scheduler of AudioLDM's ({error}); get it again") from error


def _part(kind: Any, name: str, part: str) -> Any:
    folder = repository(name, part)
    try:
        with _quiet():
            return kind.from_pretrained(str(folder), local_files_only=True)
    except Exception as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(f"{folder} cannot be read ({first}); get it again from cvssp/{name}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Libraries that draw a bar and warn of pickles while they load say nothing meanwhile."""
    from diffusers.utils import logging as of_diffusers
    from transformers.utils import logging as of_transformers

    bars, before = of_transformers.is_progress_bar_enabled(), of_diffusers.get_verbosity()
    of_transformers.disable_progress_bar()
    of_diffusers.set_verbosity(of_diffusers.CRITICAL)
    try:
        yield
    finally:
        of_diffusers.set_verbosity(before)
        if bars:
            of_transformers.enable_progress_bar()
