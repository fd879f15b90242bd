"""What is measured, and how, under which name: versioned data, so that two numbers of one name compare.

A protocol is printed with every result. Raise `version` when anything of it changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from weft.cues.words import closest
from weft.errors import UserError
from weft.evaluation.metric import Row
from weft.evaluation.reading import Window

_ONSETS = tuple(f"onset-{score}@{ms}" for ms in (25, 50, 100) for score in ("f1", "p", "r", "ap"))
_ENVELOPE = ("e-l1-fol-ai", "envelope-r", "lag", "level")
_SPECTRUM = ("mel", "mel-active")
_SPACE = ("ild", "pan-r", "spatial-align", "azimuth-level", "azimuth-time", "s-kl", "s-kl-heard")
_DISTANCES = ("frechet", "frechet-inf", "kernel")
_AV_ALIGN = ("av-align", "av-align-tempotokens", "av-align-savgbench", "av-align-svg-baseline")
_CLASSES = ("kl", "isc", "isc-10")
_SETS = (*_DISTANCES, "favd-float", *_CLASSES)
_VOLUME = ("volume", "delta-tv", "delta-ta", "delta-va", "delta-sum")
_MEANING = ("cosine-aa", "cosine-ta", "cosine-va", "in-step", *_VOLUME)
_ITSELF = ("lufs", "true-peak", "clipped", "silent", "tail", "width", "flatness")
_SAID = ("obey-material", "obey-prompt", "obey-reference", "obey-negative", "obey-spared")
_ASKED = ("obey-onsets", "obey-envelope", *_SAID)  # of a mono sound too
_OBEDIENCE = (*_ASKED[:2], "obey-pan", "obey-depth", *_SAID)


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """`metrics` and `embedders` are names of the two tables; a metric whose embedder, classifier, picture or cue sheet
    is not there is listed as left out. `uses` names the metrics an embedder is there for, where not for all it can
    serve: what the papers use it for. `headline` orders the worst clips, and `scatter` draws each clip."""

    name: str
    version: int
    summary: str
    window: Window
    metrics: tuple[str, ...]
    embedders: tuple[str, ...] = ("weft",)
    uses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    headline: str = "onset-f1@50"
    scatter: tuple[str, str] = ("envelope-r", "onset-f1@50")

    def to_json(self) -> dict[str, Any]:
        """Return the protocol as plain data, for the result."""
        return {
            **asdict(self),
            "metrics": list(self.metrics),
            "embedders": list(self.embedders),
            "uses": {name: list(metrics) for name, metrics in self.uses.items()},
        }


PROTOCOLS = {
    p.name: p
    for p in (
        Protocol(
            name="plain",
            version=3,
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
                *_OBEDIENCE,
            ),
        ),
        Protocol(
            name="greatest-hits",
            version=5,
            summary="the first 10 s in mono at 44.1 kHz; published forms of onsets, E-L1 and AV-Align beside ours",
            window=Window(rate=44100, channels=1, duration_s=10.0),
            metrics=(
                *_ONSETS,
                "onset-count",
                "condfoley-acc",
                "condfoley-ap",
                "mmaudio-acc",
                "mmaudio-ap",
                "mmaudio-f1",
                *_ENVELOPE,
                "e-l1-video-foley",
                *_SPECTRUM,
                *_AV_ALIGN,
                *_SETS,
                "favd-toolkit",
                *_MEANING,
                "lufs",
                *_ASKED,
            ),
            embedders=(
                "weft",
                "vggish",
                "cnn14-32k",
                "ms-clap-2023",
                "ms-clap-2023-fadtk",
                "laion-clap-audio",
                "laion-clap-audio-fadtk",
                "vggish-i3d",
            ),
            uses={
                "vggish": _DISTANCES,
                "cnn14-32k": ("frechet", "kernel"),
                "ms-clap-2023": ("frechet", "kernel"),
                "ms-clap-2023-fadtk": ("frechet",),
                "laion-clap-audio": ("frechet", "kernel", "cosine-aa", "cosine-ta"),
                "laion-clap-audio-fadtk": ("frechet",),
                "vggish-i3d": ("favd-float", "favd-toolkit"),
            },
        ),
        Protocol(
            name="vggsound",
            version=4,
            summary="the first 10 s in mono at 16 kHz, shorter clips filled with silence; sets before times",
            window=Window(rate=16000, channels=1, duration_s=10.0, short="fill"),
            metrics=(
                *_SETS,
                "favd-toolkit",
                "kl-compat",
                "isc-10-bare",
                *_MEANING,
                *_AV_ALIGN,
                "align-acc",
                "envelope-r",
                *_SPECTRUM,
                "lufs",
            ),
            embedders=(
                "weft",
                "vggish",
                "cnn14-16k",
                "melception",
                "vggish-i3d",
                "imagebind-huge",
                "diff-foley",
            ),
            uses={
                "vggish": _DISTANCES,
                "cnn14-16k": ("frechet", "kernel", *_CLASSES, "kl-compat"),
                "melception": ("frechet", "kernel", *_CLASSES, "kl-compat", "isc-10-bare"),
                "vggish-i3d": ("favd-float", "favd-toolkit"),
                "imagebind-huge": ("cosine-va", *_VOLUME),
                "diff-foley": ("align-acc",),
            },
            headline="mel",
            scatter=("envelope-r", "mel"),
        ),
        Protocol(
            name="av-benchmark",
            version=3,
            summary="the first 8 s in mono at 44.1 kHz, shorter clips filled with silence",
            window=Window(rate=44100, channels=1, duration_s=8.0, short="fill"),
            metrics=(
                *_SETS,
                *_MEANING,
                "av-align",
                "desync",
                "envelope-r",
                *_SPECTRUM,
                "lufs",
            ),
            embedders=(
                "weft",
                "vggish",
                "cnn14-16k",
                "passt-s",
                "passt-s-av-benchmark",
                "laion-clap-music-speech",
                "ms-clap-2023",
                "imagebind-huge",
                "synchformer",
            ),
            uses={
                "vggish": _DISTANCES,
                "cnn14-16k": ("frechet", "kernel", *_CLASSES),
                "passt-s": ("frechet", "kernel", *_CLASSES),
                "passt-s-av-benchmark": ("frechet", "kl", "isc-10"),
                "laion-clap-music-speech": ("cosine-ta",),
                "ms-clap-2023": ("cosine-ta",),
                "imagebind-huge": ("cosine-va",),
                "synchformer": ("desync",),
            },
            headline="mel",
            scatter=("envelope-r", "mel"),
        ),
        Protocol(
            name="world-hits",
            version=3,
            summary="weft's world of blows: whole clips in stereo at 44.1 kHz, times and places by the cue sheets",
            window=Window(rate=44100, channels=2),
            metrics=(
                *_ONSETS,
                "onset-count",
                *_ENVELOPE,
                *_SPECTRUM,
                *_SPACE,
                *_SETS,
                *_MEANING,
                *_ITSELF,
                *_OBEDIENCE,
            ),
        ),
        Protocol(
            name="world-walks",
            version=3,
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
                *_OBEDIENCE,
            ),
            headline="envelope-r",
        ),
    )
}
DEFAULT = "plain"


def planned(every: Sequence[Row], plan: Protocol) -> list[Row]:
    """The rows that the protocol means: an embedder that it has for some metrics gives no others."""
    return [
        r
        for r in every
        if r.embedder is None or r.metric.name in plan.uses.get(r.embedder.name, (r.metric.name,))
    ]


def protocol(name: str) -> Protocol:
    """Return the protocol called `name`; raises UserError naming the known ones."""
    if name not in PROTOCOLS:
        near = closest(name, PROTOCOLS)
        hint = f"did you mean {near}?" if near else f"known: {', '.join(PROTOCOLS)}"
        raise UserError(f"unknown protocol {name!r}; {hint} (weft eval --list prints all)")
    return PROTOCOLS[name]
