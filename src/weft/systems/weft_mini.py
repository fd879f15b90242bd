"""weft-mini: the learned performer. A rectified flow over weft's own codec, held by the cue sheet frame by frame.

Long sheets are played in windows of four seconds. A window sees the end of the one before it as known latents and
a little of what follows, so that nothing jumps; its noise belongs to the absolute frame, so that a take is the
same whatever runs beside it. Memory does not grow with length.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from weft import weights
from weft.codecs.stft_vae import StftVae
from weft.cues.controls import CHANNELS, control_frames
from weft.cues.sheet import CueSheet
from weft.diffusion.guidance import ClassifierFree
from weft.diffusion.sampler import frame_noise
from weft.diffusion.steering import Steer
from weft.encoders.text import TextEncoder
from weft.errors import UserError, WeightsError
from weft.generators.conditions import Conditions
from weft.generators.mmdit import MMDiT, MMDiTConfig
from weft.generators.reference import reference_tokens
from weft.generators.sampling import latents
from weft.systems.desk import riding
from weft.systems.guide import heard
from weft.systems.known import Known, placed
from weft.systems.performer import Request
from weft.systems.weft_mini_files import latent_space
from weft.systems.weft_mini_windows import BEHIND, WINDOW, windows
from weft.systems.weft_mini_words import prompt_within, told

STEPS = 8
GUIDANCE = 3.0
SINCE, RESCALE = 1 / 8, 1.0
"""Of the guidance: unlimited, it made takes without a written envelope up to 50 dB too loud, and onsets worse."""
REFERENCE_S = 10.0


@dataclass(frozen=True, kw_only=True)
class _Voice:
    """What holds for a whole performance: the reference's tokens, the negative prompt's, the picture's."""

    reference: Tensor | None
    negative: Tensor | None
    picture: Tensor | None


class WeftMini:
    """The performer. Deterministic for (sheet, seed, take, steps, guidance) on one machine."""

    def __init__(self, net: MMDiT, codec: StftVae, text: TextEncoder) -> None:
        self.net, self.codec, self.text = net.eval(), codec, text
        self.rate: int = codec.rate

    @classmethod
    def load(cls, name: str | Path = "weft-mini") -> WeftMini:
        """The embedded performer, or one of a file. Raises WeightsError for missing or unfitting weights."""
        tensors, metadata = weights.load(name)
        if "config" not in metadata:
            raise WeightsError(f"{weights.path_of(name)} holds no weft-mini configuration; install it again")
        codec = StftVae.load()
        if metadata.get("latent_space") not in (None, latent_space(codec)):
            raise WeightsError(f"{weights.path_of(name)} was trained on another codec; install both together")
        net = MMDiT(MMDiTConfig(**metadata["config"]))
        weights.check_keys(set(tensors), set(net.state_dict()), str(name))
        net.load_state_dict(tensors)
        return cls(net.requires_grad_(False), codec, TextEncoder.load())

    def perform(self, request: Request) -> Iterator[np.ndarray]:
        """Yield float32 blocks `[2, n]`, `round(duration * 44100)` samples in all.

        Raises UserError for steps below 1, a guidance scale that is no number, or picture tokens that do not fit.
        """
        total = max(1, round(request.duration * self.rate))
        begin, _ = self._stretch(request, -(-total // self.codec.hop))
        begin *= self.codec.hop
        return placed(riding(self._play(request), request.sheet, first=begin), begin, total)

    def _play(self, request: Request) -> Iterator[np.ndarray]:
        """The network's own sound, before the desk; where a region is made anew, that of the frames around it."""
        steps = STEPS if request.steps is None else request.steps
        scale = GUIDANCE if request.guidance is None else request.guidance
        if steps < 1:
            raise UserError(f"{steps} sampler steps; give 1 or more")
        if not math.isfinite(scale):
            raise UserError(f"guidance {scale} is not a number; 1 is off, {GUIDANCE:g} the default")
        guide, log = request.guide, request.log
        total = max(1, round(request.duration * self.rate))
        frames = -(-total // self.codec.hop)
        voice = self._voice(request)
        done, last = self._stretch(request, frames)
        pieces = windows(last - done, done)
        for k, (start, fresh, end, keep) in enumerate(pieces):
            request.progress("perform", k / len(pieces))
            conditions = self.conditions(request.sheet, start, end - start, voice)
            noise = frame_noise(
                request.noise_seed, request.take, start, end - start, self.net.config.latent_dim
            )
            if k == 0:
                history = torch.zeros(0, self.net.config.latent_dim)
                offset = done
            known, mask = torch.zeros_like(noise), torch.zeros(end - start, 1)
            if request.known is not None:
                known, mask = self._kept(request.known, start, end)
            behind = fresh - start
            if behind:
                known[:behind] = history[start - offset : fresh - offset]
                mask[:behind] = 1
            objective, steer = None, None
            if guide is not None:
                seconds = (start / self.codec.latent_rate, end / self.codec.latent_rate)
                objective = guide.objective(heard(guide.ear, self.codec.decode, self.rate), *seconds)
                steer = guide.steering(objective, None if log is None else log.guided(k))
            latent = self.sample(
                conditions,
                noise[None],
                steps,
                scale,
                negative=voice.negative,
                known=known[None],
                mask=mask[None],
                steer=steer,
            )[0]
            if objective is not None and log is not None:
                log.finish(k, objective(latent[None], -1).readings)
            history = torch.cat([history, latent[behind : keep - start]])
            final = keep == last
            # A decoded frame depends on `context` neighbours on both sides: what lacks them yet waits.
            margin = self.codec.context
            ready = last if final else keep - margin
            first = max(pieces[0][0], done - margin)
            wave = self.codec.decode(history[first - offset :][None])[0].numpy()
            stop = min(ready * self.codec.hop, total)
            begin = done * self.codec.hop
            yield wave[:, begin - first * self.codec.hop : stop - first * self.codec.hop]
            done = ready
            drop = max(0, min(done - margin, keep - BEHIND) - offset)
            history, offset = history[drop:], offset + drop
        request.progress("perform", 1.0)

    def _stretch(self, request: Request, frames: int) -> tuple[int, int]:
        """The first of `frames` latent frames that is played, and the first after it that is not."""
        if request.known is None:
            return 0, frames
        first, last = self._region(request.known)
        length = min(frames, max(last - first + 2 * BEHIND, WINDOW))
        start = min(max(0, (first + last - length) // 2), frames - length)
        return start, start + length

    def _region(self, known: Known) -> tuple[int, int]:
        return known.first // self.codec.hop, -(-known.last // self.codec.hop)

    def _kept(self, known: Known, start: int, end: int) -> tuple[Tensor, Tensor]:
        """Latents `[end - start, D]` of the take that is kept, and where they are known, `[end - start, 1]`."""
        hop, before = self.codec.hop, min(start, BEHIND)
        wave = torch.from_numpy(known.performed((start - before) * hop, (end + BEHIND) * hop))
        latent = self.codec.encode(wave[None].clamp(-1, 1))[0, before : before + end - start]
        at, (first, last) = torch.arange(start, end)[:, None], self._region(known)
        return latent, ((at < first) | (at >= last)).float()

    def conditions(self, sheet: CueSheet, start: int, frames: int, voice: _Voice | None = None) -> Conditions:
        """What the network is told about latent frames start .. start + frames of a sheet (a batch of one)."""
        rate = self.codec.latent_rate
        sources = set((sheet.when.source or "").split("+"))
        exact = 1.0 if sources - {"spotter", "motion"} else 0.5
        rows = control_frames(
            sheet,
            frames,
            rate,
            start=start,
            hints=lambda prompt: told(prompt, sheet.what.negative),
            envelope_known=exact,
        )
        prompt = prompt_within(sheet, start / rate, (start + frames) / rate)
        return Conditions(
            sync=torch.from_numpy(rows)[None],
            text=None if prompt is None else self.text.tokens([prompt], self.net.config.text_length)[0],
            reference=voice.reference if voice else None,
            clip=voice.picture if voice else None,
            clip_tokens=4,
            reference_tokens=4,
        )

    def sample(
        self,
        conditions: Conditions,
        noise: Tensor,
        steps: int,
        scale: float,
        *,
        negative: Tensor | None = None,
        known: Tensor | None = None,
        mask: Tensor | None = None,
        steer: Steer | None = None,
    ) -> Tensor:
        """Latents `[B, T, D]` from noise `[B, T, D]`. `negative` are text tokens to steer away from, `steer` a push
        between the steps.

        Guidance is on *what* alone: the prediction it leads away from knows when and where, but no material,
        action, word, reference or picture. Against a prediction that knows nothing it exaggerates the levels: a
        latent is logarithmic, and scale 2 made peaks 20 dB too loud.
        """
        sync = conditions.sync
        if sync is not None:
            sync = sync.clone()
            for name in ("material", "action"):
                sync[..., CHANNELS[name]] = 0
        without = Conditions(sync=sync, text=negative, clip_tokens=4, reference_tokens=4)
        told = {"cond": conditions, "uncond": without}
        term = ClassifierFree(scale=scale, since=SINCE, rescale=RESCALE)
        return latents(self.net, noise, told, term, steps, known=known, mask=mask, steer=steer)

    def reference_tokens(self, wave: np.ndarray) -> Tensor:
        """Tokens `[1, 4, D]` of a recording `[2, N]` at 44.1 kHz: how its loudest event sounds."""
        if wave.ndim != 2 or wave.shape[1] < self.codec.hop:
            raise UserError(f"the reference has shape {wave.shape}; give [2, N] with 25 ms of sound or more")
        cut = torch.from_numpy(np.ascontiguousarray(wave[:, : round(REFERENCE_S * self.rate)], np.float32))
        peak = float(cut.abs().max())
        latent = self.codec.encode((cut * min(4.0, 0.5 / max(peak, 1e-4)))[None])[0]
        frames = cut[:, : cut.shape[1] // self.codec.hop * self.codec.hop]
        power = frames.square().mean(0).reshape(-1, self.codec.hop).mean(1)
        return reference_tokens(latent, power)[None]

    def _voice(self, request: Request) -> _Voice:
        config = self.net.config
        negative = request.sheet.what.negative
        picture = None
        if request.picture is not None:
            if request.picture.ndim != 2 or request.picture.shape[1] != config.clip_dim:
                raise UserError(
                    f"picture tokens have shape {request.picture.shape}; weft-mini reads [L, {config.clip_dim}]"
                )
            picture = torch.from_numpy(np.asarray(request.picture, np.float32))[None]
        return _Voice(
            reference=None if request.reference is None else self.reference_tokens(request.reference),
            negative=self.text.tokens([negative], config.text_length)[0] if negative else None,
            picture=picture,
        )
