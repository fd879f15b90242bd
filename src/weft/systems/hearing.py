"""How an ear hears what a generator is about to say: its data estimate as sound, or as the mel spectrogram before it.

Decoding is most of the work of a guided step, and the vocoder most of decoding. A thrifty guide leaves the vocoder out
where the codec decodes to mel and the ear has a way in from mel (`weft.codecs.mel_bridge`), and where even that is dear
it hears another stretch of the clip at each step, held to the picture and the words of that stretch. What came out at
the end is always heard whole, as sound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from weft.alignment.objective import Crop, Embed
from weft.codecs.mel_bridge import MelBridge
from weft.codecs.mel_layout import MelLayout
from weft.diffusion.steering import Guided, Score, Steer
from weft.systems.guide import Guide, heard
from weft.systems.guide_log import GuideLog


@runtime_checkable
class MelEar(Protocol):
    """An `Ear` that also takes the spectrogram it would make of a sound."""

    @property
    def mel(self) -> MelLayout:
        """The layout of that spectrogram."""
        ...

    def felt_mel(self, mel: Tensor) -> Tensor:
        """Spectrograms [B, F, bands] of the layout to vectors [B, T, D], one each window."""
        ...


@dataclass(frozen=True, kw_only=True)
class Voice:
    """What becomes of a generator's data: `decode` turns [B, T, D] into sound [B, C, N] at `rate` Hz, differentiably;
    `latent_rate` of its T are a second. decode_mel: to log-mel [B, M, bands] of `layout`, where there is one.
    stretch_s: how much a thrifty guide hears at a step; None is all."""

    decode: Callable[[Tensor], Tensor]
    rate: int
    latent_rate: float
    decode_mel: Callable[[Tensor], Tensor] | None = None
    layout: MelLayout | None = None
    stretch_s: float | None = None


class Listening:
    """The `Objective` of the seconds `start_s` to `end_s` of a performance under a guide. Items of a batch are heard
    one after the other and each again for its gradient, so that memory does not grow with them."""

    def __init__(self, guide: Guide, voice: Voice, start_s: float, end_s: float) -> None:
        self.guide, self.voice, self.start_s, self.end_s = guide, voice, start_s, end_s
        self.whole = _one_by_one(heard(guide.ear, voice.decode, voice.rate))
        thrifty = guide.asked.preset.thrifty
        by_mel = _bridged(guide.ear, voice) if thrifty else None
        self.by = "sound" if by_mel is None else "mel"
        self.embed = self.whole if by_mel is None else _one_by_one(by_mel)
        stretch = voice.stretch_s if thrifty else None
        self.crop = None if stretch is None else Crop(frames=max(1, round(stretch * voice.latent_rate)))

    def __call__(self, x0: Tensor, step: int) -> Score:
        """Score data estimates `x0` [B, T, D] at a step, or what came out (whole, as sound) at a step below 0."""
        if step < 0:
            return self.guide.objective(self.whole, self.start_s, self.end_s)(x0, step)
        if self.crop is None:
            return self.guide.objective(self.embed, self.start_s, self.end_s)(x0, step)
        first, last = self.crop.place(x0.shape[1], step)
        seconds = (self.start_s + at / self.voice.latent_rate for at in (first, last))
        begin, end = (min(at, self.end_s) for at in seconds)
        return self.guide.objective(self.embed, begin, end)(x0[:, first:last], step)

    def steer(self, logs: list[GuideLog | None], window: int = 0) -> Steer:
        """The guide's push, noted in the log of each item of the batch."""
        kept = [log.guided(window, item) for item, log in enumerate(logs) if log is not None]
        for log in logs:
            if log is not None:
                log.by = self.by

        def note(seen: Guided) -> None:
            for one in kept:
                one(seen)

        return self.guide.steering(self, note if kept else None)

    def finish(self, latent: Tensor, logs: list[GuideLog | None], window: int = 0) -> None:
        """Note in each item's log what came out, `latent` [B, T, D]."""
        if all(log is None for log in logs):
            return
        with torch.no_grad():
            readings = self(latent, -1).readings
        for item, log in enumerate(logs):
            if log is not None:
                log.finish(window, readings, item)


def _bridged(ear: object, voice: Voice) -> Embed | None:
    """Data to one vector a sound by its mel spectrogram, or None where the codec or the ear has none."""
    decode, layout = voice.decode_mel, voice.layout
    if decode is None or layout is None or not isinstance(ear, MelEar):
        return None
    bridge = _bridge(layout, ear.mel)

    def embed(latent: Tensor) -> Tensor:
        return torch.nn.functional.normalize(ear.felt_mel(bridge(decode(latent))).mean(1), dim=-1)

    return embed


@cache
def _bridge(source: MelLayout, target: MelLayout) -> MelBridge:
    """One for all windows of all performances: it holds nothing but its map."""
    with torch.inference_mode(False):
        return MelBridge(source, target)


def _one_by_one(embed: Embed) -> Embed:
    def each(latent: Tensor) -> Tensor:
        if len(latent) == 1:
            return embed(latent)
        if not (torch.is_grad_enabled() and latent.requires_grad):
            return torch.cat([embed(one) for one in latent.split(1)])
        return torch.cat([checkpoint(embed, one, use_reentrant=False) for one in latent.split(1)])

    return each
