"""A pair of clips, and what was left without a partner."""

from __future__ import annotations

from dataclasses import dataclass

from weft.evaluation.sources import Source


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One clip: two sounds, and what else is known of it. `cues` is a sheet, or a world label that holds one; `without`
    the same take with its negative prompt not given; `like` the recording that the take was to sound like; `maps` and
    `predicted_maps` are saliency maps `[T, H, W]` (.npy) of the target and of what was generated."""

    name: str
    reference: Source
    predicted: Source
    video: Source | None = None
    text: str | None = None
    cues: Source | None = None
    without: Source | None = None
    like: Source | None = None
    maps: Source | None = None
    predicted_maps: Source | None = None


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """The pairs in order of name, and the names that only one side has."""

    pairs: tuple[Pair, ...]
    only_reference: tuple[str, ...] = ()
    only_predicted: tuple[str, ...] = ()
