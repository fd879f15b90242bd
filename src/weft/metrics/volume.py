"""V and δ of MDG: how small a body picture, sound and text span (Grassucci et al. 2025, eqs. 6, 7 and 11).

Conventions: embeddings of one space, `[n, D]` each, a row a clip; they are scaled to length 1 here, in float64. K holds
the cosines of the three pairs (weft.alignment.volume takes its determinant):

    V = √det K,   δ = 1 - cos

V lies in 0..1, 0 where the three lie in a plane; a δ in 0..2. The papers' "δ_cos" is the sum of the three pairs. Both
are means over clips: V of mean cosines is another number, and a larger one.

V does not know signs: with picture and text fixed, a sound along their difference, or the opposite of one of them, has
V = 0 too, so it is printed with the three δ. By the encoders that guided the generation both are circular.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics.meaning import unit
from weft.metrics.result import UNSAID, Result, Source, mean_of

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Volume(Result):
    """Means over `n` clips: `value` is V, `clips` `[n]` each clip's; `text_video`, `text_audio` and `video_audio` the
    pairwise δ and `total` their sum; `shuffled` (a baseline) what V is with the next clip's sound, NaN with one
    clip."""

    clips: Array
    text_video: float
    text_audio: float
    video_audio: float
    total: float

    @property
    def shuffled(self) -> float:
        """V with the next clip's sound."""
        return self.baselines["shuffled"]


def volume(video: ArrayLike, audio: ArrayLike, text: ArrayLike) -> Array:
    """Return V `[n]` of embeddings `[n, D]` each (eq. 7).

    Exact to about 1e-8; below 1e-6 it is 0. Raises ValueError for shapes that differ, NaN, or a row of zeros.
    """
    import torch

    from weft.alignment.volume import volume as gramian

    return np.asarray(gramian(*(torch.from_numpy(rows) for rows in validate(video, audio, text))).numpy())


def evaluate(video: ArrayLike, audio: ArrayLike, text: ArrayLike, *, source: Source = UNSAID) -> Volume:
    """Return V, the pairwise δ (eq. 11) and their sum for n clips; arguments as `volume`."""
    va, vp, ap = _cosines(video, audio, text)
    clips = volume(video, audio, text)
    text_video, text_audio, video_audio = (float((1 - cosine).mean()) for cosine in (vp, ap, va))
    total = text_video + text_audio + video_audio
    shuffled = volume(video, np.roll(np.asarray(audio), -1, axis=0), text)
    found = mean_of(
        clips,
        baselines={"shuffled": shuffled if len(clips) > 1 else float("nan")},
        parts={"δ tv": text_video, "δ ta": text_audio, "δ va": video_audio, "δ sum": total},
        d=np.shape(audio)[1],
        source=source,
    )
    return Volume(
        **vars(found),
        clips=clips,
        text_video=text_video,
        text_audio=text_audio,
        video_audio=video_audio,
        total=total,
    )


def _cosines(video: ArrayLike, audio: ArrayLike, text: ArrayLike) -> tuple[Array, Array, Array]:
    """Cosines `[n]` of video and audio, video and text, audio and text."""
    v, a, p = validate(video, audio, text)
    return tuple(np.clip((x * y).sum(1), -1.0, 1.0) for x, y in ((v, a), (v, p), (a, p)))  # type: ignore[return-value]


def validate(video: ArrayLike, audio: ArrayLike, text: ArrayLike) -> tuple[Array, Array, Array]:
    """Return the three as unit rows float64 `[n, D]`. Raises ValueError as `volume`."""
    v, a, p = unit(video, "video embeddings"), unit(audio, "audio embeddings"), unit(text, "text embeddings")
    if not v.shape == a.shape == p.shape:
        raise ValueError(
            f"embeddings have shapes {v.shape}, {a.shape}, {p.shape}: pair the clips, use one space"
        )
    return v, a, p
