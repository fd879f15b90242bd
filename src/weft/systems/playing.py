"""How a sheet is to be played: what `perform`, `generate`, the command line and a rerun have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from weft.systems.guide import Guidance
    from weft.systems.region import Region


Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True, kw_only=True)
class Playing:
    """What a person asks of a performance beside the sheet; None is the system's own default.

    system: a row of `weft.systems.table`. seed: names the random numbers. steps, guidance: of a learned system. guide:
    what holds it to picture and words together. lufs: integrated loudness wanted. without: what of the picture is not
    to be used. compat: as the published reference does it. region: the part of a take that is made anew, all else kept.
    reference_strength: how far from noise, 0, to the reference recording, 1, MMAudio begins. precision: what its
    networks compute in.
    """

    system: str | None = None
    seed: int = 0
    steps: int | None = None
    guidance: float | None = None
    guide: Guidance | None = None
    lufs: float | None = None
    without: tuple[str, ...] = ()
    compat: bool = False
    region: Region | None = None
    reference_strength: float | None = None
    precision: Precision = "fp32"
