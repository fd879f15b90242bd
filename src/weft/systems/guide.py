"""Guidance of a learned system by what its sound means: what is asked for, what it is held to, what was seen of it.

The picture and the words are embedded once. A window of a long performance is held to the pictures of its own seconds
and the words in force there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor

from weft.alignment.objective import Embed, Together
from weft.alignment.presets import PRESETS, GuidePreset
from weft.cues.sheet import CueSheet
from weft.cues.words import closest
from weft.diffusion.steering import Guided, Objective, Steering
from weft.encoders.steps import HOP, STEP_HZ
from weft.errors import UserError

if TYPE_CHECKING:
    from weft.media import Video
    from weft.systems.scene import Scene
    from weft.systems.table import SystemSpec

ENCODERS = "weft-guide"
"""The encoders that guide: not those that judge (`weft.encoders.own.NAME`), for who is held to a judge pleases it."""
HOP_S = HOP / STEP_HZ
"""Seconds from one window of pictures to the next."""


class Ear(Protocol):
    """An audio encoder through which gradients run; any will do whose space holds pictures and words too."""

    rate: int

    def felt(self, wave: Tensor) -> Tensor:
        """Mono sound [B, N] at `rate` Hz to vectors [B, T, D], one each window."""
        ...


@dataclass(frozen=True, kw_only=True)
class Guidance:
    """What a person asks for: `kind` is a preset's name; None leaves the preset's own value."""

    kind: str
    scale: float | None = None
    start: float | None = None
    stop: float | None = None
    every: int | None = None

    @classmethod
    def of(cls, made: Mapping[str, Any] | None) -> Guidance | None:
        """What a sidecar says was asked for, or None."""
        return None if made is None else cls(**{f.name: made[f.name] for f in fields(cls)})

    @property
    def preset(self) -> GuidePreset:
        """The settings. Raises UserError for an unknown kind, a scale not above 0, or steps that are none."""
        if self.kind not in PRESETS:
            near = closest(self.kind, PRESETS)
            hint = f"did you mean {near}?" if near else f"known: {', '.join(PRESETS)}"
            raise UserError(f"no guidance called {self.kind!r}; {hint}")
        if self.scale is not None and not (np.isfinite(self.scale) and self.scale > 0):
            raise UserError(f"--guide-scale {self.scale:g}; give a number above 0, such as 0.1")
        try:
            return PRESETS[self.kind].at(rate=self.scale, start=self.start, stop=self.stop, every=self.every)
        except ValueError as error:
            raise UserError(str(error)) from None


@dataclass(frozen=True, kw_only=True, eq=False)
class Guide:
    """A `Guidance` with what a performance is held to: `pictures` [T, D], a row each 0.48 s, and `texts` [S, D], the
    words in force from `since` [S] seconds on; the `ear` that hears. `sha256` of the encoders goes into the sidecar."""

    asked: Guidance
    ear: Ear
    pictures: Tensor
    texts: Tensor
    since: tuple[float, ...] = (0.0,)
    encoders: str = ""
    sha256: str = ""

    def vectors(self, start_s: float, end_s: float) -> tuple[Tensor, Tensor]:
        """Text [D] and picture [D] of the seconds from start to end: the words at the middle, the mean of the pictures'
        directions."""
        # Row k sees k * 0.48 s to 0.96 s later; a stretch that holds none whole gets the nearest.
        centres = (torch.arange(len(self.pictures)) + 1) * HOP_S
        inside = (centres >= start_s) & (centres <= end_s)
        middle = (start_s + end_s) / 2
        rows = (
            self.pictures[inside]
            if bool(inside.any())
            else self.pictures[(centres - middle).abs().argmin()][None]
        )
        spoken = max(k for k, t in enumerate(self.since) if t <= middle or k == 0)
        return self.texts[spoken], torch.nn.functional.normalize(rows.mean(0), dim=-1)

    def objective(self, embed: Embed, start_s: float, end_s: float) -> Together:
        """What the sound of these seconds is scored by, embedded by `embed`."""
        preset = self.asked.preset
        text, picture = self.vectors(start_s, end_s)
        return Together(embed, text, picture, loss=preset.loss, cosine=preset.cosine)

    def steering(self, objective: Objective, on_guided: Callable[[Guided], None] | None) -> Steering:
        """The preset's steering towards an objective."""
        preset = self.asked.preset
        return Steering(
            objective=objective,
            rule=preset.rule,
            window=preset.window,
            on=preset.on,
            level="reference" if preset.reference_level else "exact",
            on_guided=on_guided,
        )


def asked_of(spec: SystemSpec, asked: Guidance | None) -> Guidance | None:
    """What a person asked for, else what the system is guided by of its own (`mdg`), else None."""
    return Guidance(kind=spec.guide) if asked is None and spec.guide is not None else asked


def guidable(spec: SystemSpec, asked: Guidance, *, compat: bool = False, scene: Scene | None = None) -> None:
    """Raises UserError where a system cannot be guided, or not so, or not to such a scene."""
    from weft.media import Video
    from weft.systems.table import systems_that

    if "guide" not in spec.dials:
        able = systems_that(lambda other: "guide" in other.dials)
        raise UserError(f"{spec.name} has no diffusion to guide; choose --system {able}")
    if compat:
        raise UserError("--guide is not what the published reference does; leave --compat or --guide out")
    if scene is not None and not isinstance(scene, Video):
        raise UserError(
            "guidance holds the sound to picture and words, and there is no video; leave --guide out"
        )
    asked.preset  # noqa: B018 - its errors are wanted


def guide_for(asked: Guidance, video: Video, sheet: CueSheet, *, encoders: str = ENCODERS) -> Guide:
    """Embed a clip's pictures and words by encoders of weft's kind. Raises UserError where the sheet has no words, and
    WeightsError where the encoders are missing."""
    from weft.encoders.own import WeftEncoders

    since, prompts = words_of(sheet)
    if not prompts:
        raise UserError(
            "guidance holds the sound to picture and words, and this clip has no words; give --prompt"
        )
    net = WeftEncoders.load(encoders)
    frames = video.frames(net.fps, net.size, "cover")
    if not len(frames):
        raise UserError("guidance holds the sound to picture and words, and this clip has no picture")
    return Guide(
        asked=asked,
        ear=net.audio,
        pictures=net.embed_video(frames).clone(),
        texts=net.embed_text(list(prompts)).clone(),
        since=since,
        encoders=encoders,
        sha256=net.sha256,
    )


def words_of(sheet: CueSheet) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """When each prompt of a sheet begins to hold, and the prompts; stretches without words keep those before, or take
    the first that come."""
    times = sorted({0.0, *(s.start for s in sheet.what.segments), *(s.end for s in sheet.what.segments)})
    told = [(t, prompt) for t in times if (prompt := sheet.what.prompt_at(t))]
    return tuple(t for t, _ in told), tuple(prompt for _, prompt in told)


def at_rate(wave: Tensor, rate: int, wanted: int) -> Tensor:
    """Sound [B, N] at `rate` Hz as [B, N'] at `wanted` Hz, by its Fourier transform, with gradients: the whole is taken
    for one period, so the ends see each other."""
    if rate == wanted:
        return wave
    n = wave.shape[-1]
    samples = max(1, round(n * wanted / rate))
    return torch.fft.irfft(torch.fft.rfft(wave), n=samples) * (samples / n)


def heard(ear: Ear, decode: Callable[[Tensor], Tensor], rate: int) -> Embed:
    """Latents to one vector a sound: `decode` to [B, C, N] at `rate` Hz, channels mixed; the windows' mean."""

    def embed(latent: Tensor) -> Tensor:
        return torch.nn.functional.normalize(
            ear.felt(at_rate(decode(latent).mean(1), rate, ear.rate)).mean(1), dim=-1
        )

    return embed


def readings_of(objective: Together, latent: Tensor) -> dict[str, float]:
    """The readings of a finished latent [1, T, D], whole."""
    with torch.no_grad():
        return {name: float(value[0]) for name, value in objective(latent, -1).readings.items()}
