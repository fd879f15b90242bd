"""What is measured, and how, under which name: versioned data, so that two numbers of one name compare.

A protocol is printed with every result. Raise `version` when anything of it changes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from weft.cues.words import closest
from weft.errors import UserError
from weft.evaluation.reading import Window

_ONSETS = tuple(f"onset-{score}@{ms}" for ms in (25, 50, 100) for score in ("f1", "p", "r", "ap"))
_ENVELOPE = ("e-l1-fol-ai", "envelope-r", "lag", "level")
_SPECTRUM = ("mel", "mel-active")
_SPACE = ("ild", "pan-r", "spatial-align")
_SETS = ("frechet", "kernel", "kl", "isc")
_MEANING = ("cosine-aa", "cosine-ta", "cosine-va", "in-step")
_ITSELF = ("lufs", "true-peak", "clipped", "silent", "tail", "width", "flatness")


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """`metrics` and `embedders` are names of the two tables; a metric whose embedder, classifier, picture or cue sheet
    is not there is listed as left out. `headline` orders the worst clips, and `scatter` draws each clip."""

    name: str
    version: int
    summary: str
    window: Window
    metrics: tuple[str, ...]
    embedders: tuple[str, ...] = ("weft",)
    headline: str = "onset-f1@50"
    scatter: tuple[str, str] = ("envelope-r", "onset-f1@50")

    def to_json(self) -> dict[str, Any]:
        """Return the protocol as plain data, for the result."""
        return {**asdict(self), "metrics": list(self.metrics), "embedders": list(self.embedders)}


PROTOCOLS = {
    p.name: p
    for p in (
        Protocol(
            name="plain",
            version=1,
            summary="whole clips in stereo at 44.1 kHz; the two sounds of a pair as long as each other",
            window=Window(rate=44100, channels=2),
            metrics=(
                *_ONSETS,
                "onset-count",
                *_ENVELOPE,
                *_SPECTRUM,
                *_SPACE,
                "av-align",
                *_SETS,
                *_MEANING,
                *_ITSELF,
            ),
        ),
        Protocol(
            name="greatest-hits",
            version=1,
            summary="the first 10 s in mono at 44.1 kHz; CondFoleyGen's and Video-Foley's own forms beside ours",
            window=Window(rate=44100, channels=1, duration_s=10.0),
            metrics=(
                *_ONSETS,
                "onset-count",
                "condfoley-acc",
                "condfoley-ap",
                *_ENVELOPE,
                "e-l1-video-foley",
                *_SPECTRUM,
                "av-align",
                *_SETS,
                *_MEANING,
                "lufs",
            ),
        ),
        Protocol(
            name="vggsound",
            version=1,
            summary="the first 10 s in mono at 16 kHz, shorter clips filled with silence; sets before times",
            window=Window(rate=16000, channels=1, duration_s=10.0, short="fill"),
            metrics=(
                "frechet",
                "kernel",
                "kl",
                "kl-compat",
                "isc",
                *_MEANING,
                "av-align",
                "envelope-r",
                *_SPECTRUM,
                "lufs",
            ),
            headline="mel",
            scatter=("envelope-r", "mel"),
        ),
        Protocol(
            name="av-benchmark",
            version=1,
            summary="the first 8 s in mono at 44.1 kHz, shorter clips filled with silence",
            window=Window(rate=44100, channels=1, duration_s=8.0, short="fill"),
            metrics=(
                "frechet",
                "kernel",
                "kl",
                "isc",
                *_MEANING,
                "av-align",
                "envelope-r",
                *_SPECTRUM,
                "lufs",
            ),
            headline="mel",
            scatter=("envelope-r", "mel"),
        ),
        Protocol(
            name="world-hits",
            version=1,
            summary="weft's world of blows: whole clips in stereo at 44.1 kHz, times and places by the cue sheets",
            window=Window(rate=44100, channels=2),
            metrics=(*_ONSETS, "onset-count", *_ENVELOPE, *_SPECTRUM, *_SPACE, *_SETS, *_MEANING, *_ITSELF),
        ),
        Protocol(
            name="world-walks",
            version=1,
            summary="weft's world of steps: whole clips in stereo at 44.1 kHz, times and places by the cue sheets",
            window=Window(rate=44100, channels=2),
            metrics=(
                *(name for name in _ONSETS if "@25" not in name),
                "onset-count",
                *_ENVELOPE,
                *_SPECTRUM,
                *_SPACE,
                *_SETS,
                *_MEANING,
                *_ITSELF,
            ),
            headline="envelope-r",
        ),
    )
}
DEFAULT = "plain"


def protocol(name: str) -> Protocol:
    """Return the protocol called `name`; raises UserError naming the known ones."""
    if name not in PROTOCOLS:
        near = closest(name, PROTOCOLS)
        hint = f"did you mean {near}?" if near else f"known: {', '.join(PROTOCOLS)}"
        raise UserError(f"unknown protocol {name!r}; {hint}")
    return PROTOCOLS[name]
