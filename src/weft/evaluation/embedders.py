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
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.cues.words import closest
from weft.errors import UserError
from weft.evaluation.features import Arrays, Feature, Of, Picture

if TYPE_CHECKING:
    from weft.encoders.embedder import Embedder

OUTPUTS: dict[str, Of] = {"audio@": "sound", "logits@": "sound", "video@": "picture", "text@": "text"}
"""What an embedder may give, named as metrics ask for it, and of what."""


@dataclass(frozen=True, kw_only=True)
class EmbedderSpec:
    """`gives` are keys of OUTPUTS; `windows` says how it cuts time, as the embedder itself does; `sha256` is that of
    its weights and may raise WeightsError; `load` builds it. Both functions must stand at the top of a module, as
    worker processes look them up by name."""

    name: str
    summary: str
    windows: str
    gives: tuple[str, ...]
    sha256: Callable[[], str]
    load: Callable[[], Embedder]


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
            name="log-mel-statistics",
            summary="mean and spread of 64 mel bands a second: needs no network, hears timbre coarsely",
            windows="1 s without overlap, the rest dropped; a shorter clip is one window",
            gives=("audio@",),
            sha256=_log_mel_sha256,
            load=_log_mel,
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
            rows = net.embed_video(_frames(clip, net.fps, net.size))
        else:
            wave, rate = torch.from_numpy(clip.native)[None], clip.native_rate
            rows = net.logits(wave, rate) if output == "logits@" else net.embed(wave, rate)[0]
    values = rows.detach().to(torch.float32).cpu().numpy()
    if values.ndim != 2 or not np.isfinite(values).all():
        raise ValueError(f"{spec.name} gave shape {values.shape} or NaN for this clip")
    given = {"rows": values}
    return given | ({"rate": np.array(net.rate)} if OUTPUTS[output] == "sound" else {})


def _frames(picture: Picture, fps: float, size: tuple[int, int]) -> np.ndarray:
    from weft.media.video import Video

    film = Video.open(picture.path, picture.window.start_s, picture.window.duration_s)
    return film.frames(fps, size, "cover")
