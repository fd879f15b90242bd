"""What one performance of MMAudio is played from: its windows, what is seen and said in them, and the sounds given."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from torch import Tensor

from weft.cues.sheet import CueSheet
from weft.errors import UserError
from weft.generators.conditions import Conditions
from weft.generators.mmaudio import TRAINED_S, Lengths
from weft.generators.mmdit import MMDiT
from weft.systems.mmaudio_known import Stretch, laid_under, latents_of, reference_of
from weft.systems.mmaudio_parts import Parts
from weft.systems.mmaudio_seeing import Eye, Seeing, Seen, View
from weft.systems.mmaudio_windows import Window, around, windows
from weft.systems.performer import Request
from weft.systems.scene import Blank

RATE = 44100
EYES: tuple[Eye, ...] = ("clip", "sync")


class Play:
    """What one performance is played from: its lengths, the stretches that are looked at, its words."""

    def __init__(self, parts: Parts, request: Request, one_pass_s: float) -> None:
        self.request, self.flow = request, parts.flow
        self.rate = parts.flow.rate_hz / parts.flow.hop
        self.whole = request.compat or request.duration <= one_pass_s
        scene = request.scene
        self.eyes: list[Eye] = [eye for eye in EYES if eye not in request.without]
        self.scene = None if scene is None or isinstance(scene, Blank) or not self.eyes else scene
        self.frames = self.lengths(request.duration).latent
        size = self.frames if self.whole else self.flow.lengths(TRAINED_S).latent
        self.windows = windows(self.frames, size, self.rate)
        self.hop = Fraction(parts.flow.hop * RATE, parts.flow.rate_hz)
        self.stretch = None if request.known is None else Stretch(known=request.known, hop=self.hop)
        self.known: dict[Window, Tensor] = {}
        self.reference: Tensor | None = None
        if self.stretch is not None:
            self.windows = around(self.windows, *self.stretch.frames, self.hop.denominator)
        self.views = [] if self.scene is None else [self.view(window) for window in self.windows]
        spoken = [self.prompt(window) for window in self.windows]
        self.texts = [text for text in (*spoken, self.negative) if text is not None]

    def lengths(self, seconds: float) -> Lengths:
        try:
            return self.flow.lengths(seconds, compat=self.request.compat)
        except ValueError as error:
            raise UserError(f"{error}") from error

    def view(self, window: Window) -> View:
        assert self.scene is not None
        start = window.start / self.rate
        rest = self.request.duration - start
        return View(
            scene=self.scene,
            start=start,
            duration=rest if self.whole else min(TRAINED_S, rest),
            compat=self.request.compat,
        )

    def plan(self, seeing: Seeing) -> list[Window]:
        """The windows; with `compat` as long as the pictures that the reference's reader found."""
        if not (self.request.compat and self.views):
            return self.windows
        frames = self.lengths(seeing.seen(self.views[0], self.eyes).duration).latent
        return windows(frames, frames, self.rate)

    def samples(self, total: int) -> tuple[int, int]:
        """Where in `total` samples that which is played begins and ends."""
        end = min(total, math.floor(self.windows[-1].end * self.hop))
        return int(self.windows[0].fresh * self.hop), total if self.windows[-1].end == self.frames else end

    def listen(self, parts: Parts) -> None:
        """Encode the sounds that are given, and let go of the encoder."""
        if self.stretch is None and self.request.reference is None:
            return
        codec = parts.load_codec(encoder=True)
        if self.stretch is not None:
            self.known = latents_of(codec, self.stretch, self.windows)
        if self.request.reference is not None:
            self.reference = reference_of(codec, self.request.reference)

    def origin(self, window: Window, net: MMDiT) -> Tensor:
        """What a window is begun from."""
        assert self.reference is not None
        return net.normalised(laid_under(self.reference, window))

    def held(self, window: Window, net: MMDiT) -> tuple[Tensor, Tensor]:
        """What is known of a window from the take that is kept, and where it is."""
        assert self.stretch is not None
        return net.normalised(self.known[window]), self.stretch.mask(window)

    def told(self, window: Window, seeing: Seeing) -> dict[str, Conditions]:
        """What the network is told in a window, and what it is led away from."""
        found = Seen(duration=0.0)
        if self.scene is not None:
            found = seeing.seen(self.views[0] if self.whole else self.view(window), self.eyes)
        lengths = self.lengths(found.duration or self.request.duration if self.whole else TRAINED_S)
        if found.sync is not None:
            lengths = replace(lengths, sync=found.sync.shape[1])
        if found.clip is not None and found.clip.shape[1] > 1:
            lengths = replace(lengths, clip=found.clip.shape[1])
        prompt, negative = (
            None if text is None else seeing.words(text) for text in (self.prompt(window), self.negative)
        )
        return {
            "cond": lengths.conditions(clip=found.clip, sync=found.sync, text=prompt),
            "uncond": lengths.conditions(text=negative),
        }

    @property
    def negative(self) -> str | None:
        return _encoded(self.request.sheet.what.negative, self.request.compat)

    def prompt(self, window: Window) -> str | None:
        """The words in force in a window, one after the other; not those that only the spotter read off the picture."""
        sheet, spoken = self.request.sheet, ""
        if not set((sheet.what.source or "").split("+")) <= {"spotter", "motion", ""}:
            spoken = ". ".join(_in_force(sheet, window.start / self.rate, window.end / self.rate))
        return _encoded(spoken, self.request.compat)


def _in_force(sheet: CueSheet, start: float, end: float) -> list[str]:
    edges = [start, *(t for s in sheet.what.segments for t in (s.start, s.end) if start < t < end)]
    said = (sheet.what.prompt_at(t) for t in sorted(edges))
    return list(dict.fromkeys(text for text in said if text))


def _encoded(text: str | None, compat: bool) -> str | None:
    """No words are the network's own null; the reference encodes the empty text in its place."""
    return text or ("" if compat else None)
