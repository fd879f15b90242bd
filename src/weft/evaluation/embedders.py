"""The one table of embedders: plain data, how each is loaded, and what it can embed.

An entry is complete without loading the network: its SHA-256 and windowing say which cached features are its own.
Where a user's file is missing, `sha256` raises WeightsError with the line that says which, and every other metric
still runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from weft.cues.words import closest
from weft.errors import UserError
from weft.evaluation import published_embedders as user
from weft.evaluation.features import Arrays, Feature, Of, Picture

if TYPE_CHECKING:
    from weft.encoders.embedder import Embedder

OUTPUTS: dict[str, Of] = {"audio@": "sound", "logits@": "sound", "video@": "picture", "text@": "text"}
"""What an embedder may give, named as metrics ask for it, and of what."""


@dataclass(frozen=True, kw_only=True)
class EmbedderSpec:
    """`gives` are keys of OUTPUTS; `windows` says how it cuts time, as the embedder itself does; `sha256` is that of
    its weights and may raise WeightsError; `load` builds it. Both functions must stand at the top of a module, as
    worker processes look them up by name. `in_step`: its rows of sound and of pictures are of the same windows.
    `pictures`: how they come to its size: "cover" cuts the middle out, "squash" ignores their shape, "whole" leaves it
    and makes the shorter side as long as its own."""

    name: str
    summary: str
    windows: str
    gives: tuple[str, ...]
    sha256: Callable[[], str]
    load: Callable[[], Embedder]
    in_step: bool = False
    pictures: Literal["cover", "squash", "whole"] = "cover"


def _weft() -> Embedder:
    from weft.encoders.own import WeftEncoders

    return WeftEncoders.load()


def _weft_sha256() -> str:
    from weft.weights import sha256

    return sha256(
        "weft-encoders"
    )  # without its networks: a run that finds every feature in the cache needs none


def _log_mel() -> Embedder:
    from weft.encoders.log_mel_statistics import LogMelStatistics

    return LogMelStatistics()


def _log_mel_sha256() -> str:
    from weft.encoders.log_mel_statistics import SHA256

    return SHA256


EMBEDDERS = {
    spec.name: spec
    for spec in (
        EmbedderSpec(
            name="weft",
            summary="weft's own of sound, pictures and words, trained in its world; needs no download",
            windows="windows of 0.96 s every 0.48 s; a tail that fills none is left out, a shorter clip is "
            "padded to one",
            gives=("audio@", "logits@", "video@", "text@"),
            sha256=_weft_sha256,
            load=_weft,
            in_step=True,
            pictures="squash",
        ),
        EmbedderSpec(
            name="log-mel-statistics",
            summary="mean and spread of 64 mel bands a second: needs no network, hears timbre coarsely",
            windows="1 s without overlap, the rest dropped; a shorter clip is one window",
            gives=("audio@",),
            sha256=_log_mel_sha256,
            load=_log_mel,
        ),
        EmbedderSpec(
            name="vggish",
            summary="VGGish before its last ReLU, 128 dimensions: FAD",
            windows="0.96 s side by side, an unfinished last one left out; silence after a sound shorter "
            "than 0.975 s",
            gives=("audio@",),
            sha256=user.vggish_sha256,
            load=user.vggish,
        ),
        *(
            EmbedderSpec(
                name=name,
                summary=f"PANNs' Cnn14 at {kilohertz} kHz, 2048 dimensions a clip, 527 classes: FD, FAD-P, KL, ISc",
                windows="the whole clip; one shorter than 0.32 s is followed by silence",
                gives=("audio@", "logits@"),
                sha256=sha256,
                load=load,
            )
            for name, kilohertz, sha256, load in (
                ("cnn14-16k", 16, user.cnn14_16k_sha256, user.cnn14_16k),
                ("cnn14-32k", 32, user.cnn14_32k_sha256, user.cnn14_32k),
            )
        ),
        EmbedderSpec(
            name="passt-s",
            summary="PaSST-S, 768 dimensions, 527 classes: FD_PaSST, KL, ISc",
            windows="10 s side by side, the last one ends with the sound; a shorter sound as it is, silence "
            "up to 0.16 s",
            gives=("audio@", "logits@"),
            sha256=user.passt_sha256,
            load=user.passt,
        ),
        EmbedderSpec(
            name="melception",
            summary="SpecVQGAN's Inception over mel pictures, 2048 dimensions, 309 classes: FID, MKL",
            windows="10 s side by side, the last one ends with the sound; silence after a shorter sound",
            gives=("audio@", "logits@"),
            sha256=user.melception_sha256,
            load=user.melception,
        ),
        EmbedderSpec(
            name="laion-clap-audio",
            summary="LAION-CLAP 630k-audioset-best, 512 dimensions, unit norm: FAD-LC, CLAP scores",
            windows="10 s side by side, the last one ends with the sound; a shorter sound is repeated whole, "
            "then silence",
            gives=("audio@", "text@"),
            sha256=user.laion_clap_sha256,
            load=user.laion_clap,
        ),
        EmbedderSpec(
            name="ms-clap-2023",
            summary="MS-CLAP 2023, 1024 dimensions: FAD-C, CLAP scores",
            windows="7 s side by side, the last one ends with the sound; a shorter sound is repeated",
            gives=("audio@", "text@"),
            sha256=user.ms_clap_sha256,
            load=user.ms_clap,
        ),
        EmbedderSpec(
            name="imagebind-huge",
            summary="ImageBind of sound, pictures and words, 1024 dimensions: IB-score",
            windows="pictures: pairs of frames 2 s apart, three squares each; sound: three clips of 2 s, "
            "evenly spread",
            gives=("audio@", "video@", "text@"),
            sha256=user.imagebind_sha256,
            load=user.imagebind,
            pictures="whole",
        ),
    )
}


def embedder(name: str) -> EmbedderSpec:
    """Return the row called `name`; raises UserError naming the known ones."""
    if name not in EMBEDDERS:
        near = closest(name, EMBEDDERS)
        hint = f"did you mean {near}?" if near else f"known: {', '.join(EMBEDDERS)}"
        raise UserError(f"unknown embedder {name!r}; {hint}")
    return EMBEDDERS[name]


def feature(spec: EmbedderSpec, output: str, sha256: str) -> Feature:
    """Return the feature `output` ("audio@", ...) of an embedder whose weights are `sha256`; its name ends in the
    embedder's."""
    identity = json.dumps(
        {"embedder": spec.name, "sha256": sha256, "windows": spec.windows, "output": output}, sort_keys=True
    )
    return Feature(
        name=output + spec.name,
        of=OUTPUTS[output],
        make=partial(_embedded, spec, output),
        identity=identity,
    )


@lru_cache(maxsize=4)
def _loaded(spec: EmbedderSpec) -> Any:
    return spec.load()


def _embedded(spec: EmbedderSpec, output: str, clip: Any) -> Arrays:
    """`rows` `[T, D]` (one row for logits and text) and, for sound, the `rate` the embedder listens at."""
    import torch

    net = _loaded(spec)
    with torch.inference_mode():
        if output == "text@":
            rows = net.embed_text([clip])
        elif output == "video@":
            rows = net.embed_video(_frames(clip, net.fps, net.size, spec.pictures))
        else:
            wave, rate = torch.from_numpy(clip.native)[None], clip.native_rate
            rows = net.logits(wave, rate) if output == "logits@" else net.embed(wave, rate)[0]
    values = rows.detach().to(torch.float32).cpu().numpy()
    if values.ndim != 2 or not np.isfinite(values).all():
        raise ValueError(f"{spec.name} gave shape {values.shape} or NaN for this clip")
    given = {"rows": values}
    return given | ({"rate": np.array(net.rate)} if OUTPUTS[output] == "sound" else {})


def _frames(
    picture: Picture, fps: float, size: tuple[int, int], pictures: Literal["cover", "squash", "whole"]
) -> np.ndarray:
    from weft.media.video import Video

    film = Video.open(picture.path, picture.window.start_s, picture.window.duration_s)
    if pictures != "whole":
        return film.frames(fps, size, pictures)
    scale = min(size) / min(film.width, film.height)
    return film.frames(fps, (round(film.width * scale), round(film.height * scale)))
