"""What an embedder is to an evaluation, and how its outputs become features that are kept.

An entry is complete without loading the network: its SHA-256 and windowing say which cached features are its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from weft.evaluation.features import Arrays, Feature, Of, Picture

if TYPE_CHECKING:
    from weft.encoders.embedder import Embedder

OUTPUTS: dict[str, Of] = {
    "audio@": "sound",
    "eight-bit@": "sound",
    "logits@": "sound",
    "bare-logits@": "sound",
    "video@": "picture",
    "text@": "text",
}
"""What an embedder may give, named as metrics ask for it, and of what. A metric that asks for it of another side than
usual names that side first: "without audio@"."""


@dataclass(frozen=True, kw_only=True)
class EmbedderSpec:
    """`gives` are keys of OUTPUTS; `windows` says how it cuts time, as the embedder itself does; `sha256` is that of
    its weights and may raise WeightsError; `load` builds it. Both functions must stand at the top of a module, as
    worker processes look them up by name. `in_step`: its rows of sound and of pictures are of the same windows.
    `pictures`: how they come to its size: "cover" cuts the middle out, "squash" ignores their shape, "whole" leaves it
    and makes the shorter side as long as its own. `materials`: its classes are the 17 materials. `only`: the metrics
    it is for, where it is not for all that ask for such outputs: its sound and pictures are then of two spaces."""

    name: str
    summary: str
    windows: str
    gives: tuple[str, ...]
    sha256: Callable[[], str]
    load: Callable[[], Embedder]
    in_step: bool = False
    pictures: Literal["cover", "squash", "whole"] = "cover"
    materials: bool = False
    only: tuple[str, ...] = ()


def asked_of(name: str) -> tuple[str, str]:
    """Split what a metric asks for into the side it names first, "" where it names none, and the output."""
    side, _, output = name.rpartition(" ")
    return (side, output) if output in OUTPUTS else ("", name)


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
def loaded(spec: EmbedderSpec) -> Any:
    """The network itself, built once a process. Raises WeightsError."""
    return spec.load()


def _embedded(spec: EmbedderSpec, output: str, clip: Any) -> Arrays:
    """`rows` `[T, D]` (one row for logits and text) and, for sound, the `rate` the embedder listens at."""
    import torch

    net = loaded(spec)
    with torch.inference_mode():
        if output == "text@":
            rows = net.embed_text([clip])
        elif output == "video@":
            rows = net.embed_video(_frames(clip, net.fps, net.size, spec.pictures))
        else:
            wave, rate = torch.from_numpy(clip.native)[None], clip.native_rate
            if output.endswith("logits@"):
                rows = (net.logits if output == "logits@" else net.bare_logits)(wave, rate)
            else:
                rows = (net.quantised if output == "eight-bit@" else net.embed)(wave, rate)[0]
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
