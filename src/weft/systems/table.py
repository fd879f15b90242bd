"""The one table of systems: plain data, and how each is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from weft.cues.words import closest
from weft.errors import UserError
from weft.systems.performer import Performer


@dataclass(frozen=True, kw_only=True)
class SystemSpec:
    """What a person should know of a system before choosing it."""

    name: str
    summary: str
    licence: str
    rate: int
    channels: int
    weights: tuple[str, ...]
    dials: tuple[str, ...]
    load: Callable[[], Performer]


def _physical() -> Performer:
    from weft.systems.weft_physical import WeftPhysical

    return WeftPhysical()


def _mini() -> Performer:
    from weft.systems.weft_mini import WeftMini

    return WeftMini.load()


SYSTEMS = {
    spec.name: spec
    for spec in (
        SystemSpec(
            name="weft-physical",
            summary="plays the cue sheet on modal, friction and granular synthesis: exact and instant",
            licence="Apache-2.0",
            rate=44100,
            channels=2,
            weights=("weft-text",),
            dials=("onsets", "envelope", "trajectory", "depth", "prompt", "negative", "reference"),
            load=_physical,
        ),
        SystemSpec(
            name="weft-mini",
            summary="the embedded rectified-flow transformer over weft's own codec",
            licence="Apache-2.0",
            rate=44100,
            channels=2,
            weights=("weft-text", "weft-codec", "weft-mini"),
            dials=("onsets", "envelope", "trajectory", "depth", "prompt", "negative", "reference", "picture"),
            load=_mini,
        ),
    )
}

DEFAULT = "weft-physical"


def system(name: str) -> SystemSpec:
    """Return the row called `name`; raises UserError naming the closest known system."""
    if name not in SYSTEMS:
        near = closest(name, SYSTEMS)
        hint = f"did you mean {near}?" if near else f"known: {', '.join(SYSTEMS)}"
        raise UserError(f"unknown system {name!r}; {hint}")
    return SYSTEMS[name]
