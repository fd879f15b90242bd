"""What every system is to the rest of weft: it plays a complete cue sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from weft.cues.sheet import CueSheet
from weft.progress import Progress, silent
from weft.systems.playing import Precision
from weft.systems.scene import Scene

if TYPE_CHECKING:
    from weft.systems.guide import Guide
    from weft.systems.guide_log import GuideLog
    from weft.systems.known import Known


@dataclass(frozen=True, kw_only=True)
class Request:
    """One performance to be played.

    sheet: complete cue sheet, times in seconds from the start of the excerpt.
    duration: length of the picture in seconds; the performance is `round(duration * rate)` samples.
    seed, take: together they name the random numbers; takes of one seed differ and do not depend on each other.
    steps, guidance: sampler steps and guidance scale of learned systems; None is the system's own default.
    reference: `[2, N]` float32 at 44.1 kHz whose timbre is wanted, or None.
    picture: `[L, D]` picture tokens of the spotter, or None.
    scene: what the performance is made to, for systems that look at it themselves; pictures are decoded when asked for.
    without: what of it a system is not to use, of its own list (MMAudio: "clip", "sync").
    compat: as the published reference does it, defects included.
    reference_strength, precision: as in `weft.systems.playing`.
    known: a take of which one region is to be made anew, or None. Only the region is heard of what is performed: all
    else may be silence, and learned systems fit the region to what is known around it.
    guide: what the sound's meaning is held to while it is made, or None; what is read of it goes into `log`.
    """

    sheet: CueSheet
    duration: float
    seed: int = 0
    take: int = 0
    steps: int | None = None
    guidance: float | None = None
    reference: np.ndarray | None = None
    picture: np.ndarray | None = None
    scene: Scene | None = None
    without: tuple[str, ...] = ()
    compat: bool = False
    known: Known | None = None
    reference_strength: float | None = None
    precision: Precision = "fp32"
    guide: Guide | None = None
    log: GuideLog | None = field(default=None, compare=False)
    progress: Progress = field(default=silent, compare=False)

    @property
    def noise_seed(self) -> int:
        """The seed of a learned system's noise."""
        return self.seed if self.known is None else self.known.noise_seed(self.seed)


class Performer(Protocol):
    """A system, loaded: it turns a request into sound, block by block, at constant memory."""

    rate: int

    def perform(self, request: Request) -> Iterator[np.ndarray]:
        """Yield float32 blocks `[2, n]` whose lengths sum to `round(request.duration * rate)`."""
        ...


@runtime_checkable
class Ensemble(Performer, Protocol):
    """A performer that plays several takes better together than one after the other, on weights of a user's own."""

    weights: dict[str, str]

    def perform_together(self, requests: Sequence[Request]) -> list[Iterator[np.ndarray]]:
        """As `perform` for each request, in order; they differ in their take alone."""
        ...
