"""MMAudio (Cheng et al. 2025) as a performer: the published networks on the user's own copies of the weights.

The clip is seen by CLIP and Synchformer once and what they say is kept (`mmaudio_seeing.py`); then the flow network and
the codec are loaded, and takes are played beside each other in one batch, each with its own noise. The mono sound is
placed by the desk along the sheet's trajectory; what a person wrote of *when* is kept by its fader (`shaping.py`).
Missing pictures or words are the network's learned nulls: words alone, or a length alone, are enough.

With `compat` everything is as the reference does it, for published numbers: its pictures (too late), its lengths
(tokens stretched), its noise, empty words encoded, guidance below 1 off, one pass whatever the length, and no desk.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import chain, tee

import numpy as np
import torch
from torch import Tensor

from weft.codecs.mel_codec import MelCodec
from weft.diffusion.guidance import ClassifierFree
from weft.diffusion.sampler import frame_noise
from weft.errors import UserError
from weft.media.audio import exactly, resampled, sample_count
from weft.media.caching import Cache, folder
from weft.media.pruning import in_use, limit_gb, prune
from weft.systems.desk import riding
from weft.systems.known import placed
from weft.systems.memory import require
from weft.systems.mmaudio_guided import Held
from weft.systems.mmaudio_parts import Parts
from weft.systems.mmaudio_play import EYES, RATE, Play
from weft.systems.mmaudio_seeing import Seeing, eyes_of
from weft.systems.mmaudio_windows import Window, played, sounded
from weft.systems.performer import Request
from weft.systems.playing import Precision
from weft.systems.shaping import shaped
from weft.weights import published

STEPS = 25
GUIDANCE = 4.5
STRENGTH = 0.4
"""How far from noise (0) to the reference itself (1) a take with a reference begins. SDEdit (Meng et al. 2022) found
0.3 to 0.6 of noise to keep both a likeness and what was learned; this is its noisy end, for the picture says when."""
ONE_PASS_S = 10.0
"""The longest clip that is played at once: beyond it segments fall behind what they stand for."""


@dataclass(kw_only=True)
class MMAudio:
    """The performer. `one_pass_s`: longer clips are played in windows of 8 s. Deterministic for (clip, sheet, seed,
    take, steps, guidance) on one machine; takes made beside each other differ from those made alone by rounding."""

    parts: Parts
    one_pass_s: float = ONE_PASS_S
    cache: Cache = field(default_factory=lambda: Cache(root=folder()))
    rate: int = RATE
    weights: dict[str, str] = field(default_factory=dict)
    """SHA-256 of every file that the last performance came from."""

    def perform(self, request: Request) -> Iterator[np.ndarray]:
        """Yield float32 blocks `[2, n]`, `round(duration * 44100)` samples in all.

        Raises WeightsError, MediaError, MissingExtra, and UserError for steps below 1, guidance that is no number, a
        reference recording, or too little memory.
        """
        return self.perform_together([request])[0]

    def perform_together(self, requests: Sequence[Request]) -> list[Iterator[np.ndarray]]:
        """As `perform`, for requests that differ in their take alone: one batch, and what is seen is seen once.

        Sounds may be taken in any order; the latents of those not yet taken wait in memory, 7 kB a second.
        """
        request = requests[0]
        _check(request)
        if any(replace(r, take=request.take) != request for r in requests):
            raise ValueError("requests played together may differ in their take alone")
        play = Play(self.parts, request, self.one_pass_s)
        seen = {eye for view in play.views for eye in eyes_of(view, play.eyes)}
        self.parts.require_files(clip="clip" in seen, sync="sync" in seen, text=bool(play.texts))
        limit = limit_gb()
        # A guide listens through the codec and leads by its gradient: in float32.
        heard: Precision = "fp32" if request.guide else request.precision
        codec = cache(partial(self.parts.load_codec, heard))
        latents = tee(self._latents(play, requests, limit, codec), len(requests))
        return [self._sound(codec, latents[n], n, one, play) for n, one in enumerate(requests)]

    def _latents(
        self, play: Play, requests: Sequence[Request], limit: float, codec: Callable[[], MelCodec]
    ) -> Iterator[tuple[Window, Tensor]]:
        """Latents of all takes, window by window. What is seen is encoded first, and the encoders are let go of."""
        try:
            with in_use(self.cache.root):
                seeing = Seeing(parts=self.parts, cache=self.cache, precision=play.request.precision)
                seeing.encode(play.views, play.eyes, play.texts, play.request.progress)
                wanted = self.parts.playing_bytes(
                    len(requests), play.request.precision, guided=play.request.guide
                )
                require(self.parts.name, wanted)
                play.listen(self.parts)
                self.weights = {f.file: published.sha256(published.path_of(f)) for f in self.parts.sounding}
                self.weights |= seeing.used
                yield from self._played(play, seeing, requests, codec)
        finally:  # who has all the samples asks for no more, so that nothing may come after the last window
            prune(self.cache.root, limit)

    def _played(
        self, play: Play, seeing: Seeing, requests: Sequence[Request], codec: Callable[[], MelCodec]
    ) -> Iterator[tuple[Window, Tensor]]:
        request, net, plan = play.request, self.parts.load_flow(play.request.precision), play.plan(seeing)
        takes = [one.take for one in requests]
        strength, steps = _strength_and_steps(request)
        scale = GUIDANCE if request.guidance is None else request.guidance
        if request.compat and scale < 1:
            scale = 1.0

        def noise(window: Window) -> Tensor:
            count, channels = window.end - window.start, net.config.latent_dim
            if request.compat:
                drawn = [torch.Generator().manual_seed(request.seed + take) for take in takes]
                return torch.cat([torch.randn(1, count, channels, generator=g) for g in drawn])
            return torch.stack(
                [frame_noise(request.noise_seed, take, window.start, count, channels) for take in takes]
            )

        def tell(window: Window, step: int) -> None:
            request.progress("perform", (plan.index(window) + step / steps) / len(plan))

        return played(
            net,
            plan,
            lambda window: play.told(window, seeing),
            noise,
            steps=steps,
            term=ClassifierFree(scale=scale),
            on_step=tell,
            held=None if play.stretch is None else lambda window: play.held(window, net),
            origin=None if play.reference is None else lambda window: play.origin(window, net),
            first=0 if play.reference is None else _first_step(strength, steps),
            guided=None if request.guide is None else Held(requests, net, codec(), play.rate),
        )

    def _sound(
        self,
        codec: Callable[[], MelCodec],
        pieces: Iterator[tuple[Window, Tensor]],
        item: int,
        request: Request,
        play: Play,
    ) -> Iterator[np.ndarray]:
        first = next(pieces)  # before the codec is loaded: until now the encoders may have been in memory
        own = ((window, latent[item : item + 1]) for window, latent in chain([first], pieces))
        mono = (wave[0].numpy() for wave in sounded(codec(), own))
        total = sample_count(request.duration, self.rate)
        begin, end = play.samples(total)
        timed = exactly(resampled(mono, codec().rate, self.rate), end - begin, 1)
        both = (np.repeat(block, 2, axis=0) for block in timed)
        ridden = both if request.compat else riding(both, shaped(request.sheet), first=begin)
        yield from placed(ridden, begin, total)


def _strength_and_steps(request: Request) -> tuple[float, int]:
    strength, steps = request.reference_strength, request.steps
    return STRENGTH if strength is None else strength, STEPS if steps is None else steps


def _first_step(strength: float, steps: int) -> int:
    """The step that a take with a reference begins at: never the first or the last for a strength between."""
    if strength in (0, 1):
        return int(strength) * steps
    if steps < 2:
        raise UserError(
            f"--reference-strength {strength:g} lies between noise and data: give 2 --steps or more"
        )
    return min(max(round(strength * steps), 1), steps - 1)


def _check(request: Request) -> None:
    if request.steps is not None and request.steps < 1:
        raise UserError(f"{request.steps} sampler steps; give 1 or more")
    if request.guidance is not None and not math.isfinite(request.guidance):
        raise UserError(f"guidance {request.guidance} is not a number; 1 is off, {GUIDANCE:g} the default")
    if request.reference is not None and request.compat:
        raise UserError("MMAudio's reference begins from no recording; leave --reference out, or --compat")
    strength = request.reference_strength
    if strength is not None and not 0 <= strength <= 1:
        raise UserError(f"--reference-strength {strength:g}; give 0 (not heard) to 1 (as it is)")
    if request.reference is not None:
        _first_step(*_strength_and_steps(request))
    unknown = sorted(set(request.without) - set(EYES))
    if unknown:
        raise UserError(f"--without {unknown[0]!r} is unknown; give {' or '.join(EYES)}")
