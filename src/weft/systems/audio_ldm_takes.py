"""AudioLDM as a system: its mono sound at 16 kHz as takes at 44.1 kHz, exactly as long as the picture.

It is told words alone: those of the sheet, one after the other where they change. As with MMAudio, the desk places the
sound along the sheet's trajectory, and its fader keeps what a person wrote of *when*. Its bands end at 8 kHz. The
picture has a say only where a guide holds the sound to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from weft.errors import UserError
from weft.media.audio import exactly, resampled, sample_count
from weft.systems import audio_ldm_files
from weft.systems.audio_ldm import AudioLdm
from weft.systems.desk import riding
from weft.systems.guide import words_of
from weft.systems.memory import require
from weft.systems.performer import Request
from weft.systems.shaping import shaped

RATE = 44100


@dataclass(kw_only=True)
class AudioLdmTakes:
    """The performer. name: of the repository. Deterministic for (words, seed, take, steps, guidance, guide)."""

    name: str
    rate: int = RATE
    weights: dict[str, str] = field(default_factory=dict)
    """SHA-256 of every file that the last performance came from."""

    def perform(self, request: Request) -> Iterator[np.ndarray]:
        """Yield float32 blocks `[2, n]`, `round(duration * 44100)` samples in all.

        Raises WeightsError, MissingExtra, and UserError for a reference recording, too little memory, and what
        `weft.systems.audio_ldm` refuses.
        """
        if request.reference is not None:
            raise UserError("AudioLDM hears no reference recording; leave --reference out, or take weft-mini")
        return self._sound(request)

    def perform_together(self, requests: Sequence[Request]) -> list[Iterator[np.ndarray]]:
        """As `perform` for each: one after the other, for a batch is no faster on its UNet."""
        return [self.perform(request) for request in requests]

    @cached_property
    def player(self) -> AudioLdm:
        """The networks, loaded when the first take is asked for."""
        return AudioLdm.load(self.name)

    def _sound(self, request: Request) -> Iterator[np.ndarray]:
        if "player" not in vars(self):
            by_sound = request.guide is not None and not request.guide.asked.preset.thrifty
            require(self.name, audio_ldm_files.playing_bytes(self.name, by_sound=by_sound))
        player = self.player
        self.weights = audio_ldm_files.sums(self.name)
        spoken = ". ".join(dict.fromkeys(words_of(request.sheet)[1]))
        sheet = replace(request.sheet, what=replace(request.sheet.what, prompt=spoken or None, segments=()))
        mono = (block[:1] for block in player.perform(replace(request, sheet=sheet)))
        total = sample_count(request.duration, self.rate)
        timed = exactly(resampled(mono, player.rate, self.rate), total, 1)
        yield from riding((np.repeat(block, 2, axis=0) for block in timed), shaped(request.sheet))
