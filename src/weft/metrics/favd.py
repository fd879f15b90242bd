"""FAVD: the Fréchet distance of joint sound-and-picture features (Goncalves et al. 2024), in both forms that are known.

Conventions: for each clip I3D features of the picture `[T, 1024]` (RGB and flow added) and VGGish features of the sound
`[T, 128]`, a row each 0.96 s; both are cut to the shorter and set side by side, rows of all clips are pooled, and the
Fréchet distance of the 1152 dimensions is taken. The forms differ in the VGGish:

- `toolkit`: with its PCA and rounding to 8 bits, 0..255, as avgen-eval-toolkit computes it. The sound then is 99.8% of
  the value, the picture can hardly be seen in it, and values are in the hundreds or thousands;
- `float`: as the network gives it. Values of 1 to 7 in the literature can only be of some such form.

No paper says which it used. A third reading, the distance of the picture's features from the sound's, is not defined
for 1024 against 128 dimensions. In video-to-audio the same picture stands on both sides, so it enters through its
covariance with the sound only: `audio` and `video` say what each part is by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics import frechet
from weft.metrics.interval import HALVES
from weft.metrics.result import UNSAID, Result, Source

Version = Literal["toolkit", "float"]
VERSIONS: tuple[Version, ...] = ("toolkit", "float")
Matrix = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FAVD(Result):
    """`value` is d² of the joint rows; `audio` and `video` those of either block alone; `scaled` d² with every
    dimension divided by the reference's standard deviation, ours, in which both blocks weigh alike for their number of
    dimensions. `clips` and `rows` count the reference's and the estimate's, `d` the joint dimensions."""

    audio: float
    video: float
    scaled: float
    version: Version
    clips: tuple[int, int]
    rows: tuple[int, int]
    d: int


def joint(video: Sequence[ArrayLike], audio: Sequence[ArrayLike]) -> tuple[Matrix, int]:
    """Return the joint rows `[N, V + A]` of clips given as `[T, V]` and `[T', A]` each, and V.

    Raises ValueError for clips that do not pair, other shapes, or NaN.
    """
    rows, seen = _joint(video, audio)
    return np.concatenate(rows), seen


def _joint(video: Sequence[ArrayLike], audio: Sequence[ArrayLike]) -> tuple[list[Matrix], int]:
    """The joint rows of each clip, and V."""
    if len(video) != len(audio) or not len(video):
        raise ValueError(f"{len(video)} pictures do not pair with {len(audio)} sounds")
    rows = []
    for index, (v, a) in enumerate(zip(video, audio, strict=True)):
        seen, heard = np.asarray(v, dtype=np.float64), np.asarray(a, dtype=np.float64)
        if seen.ndim != 2 or heard.ndim != 2:
            raise ValueError(f"clip {index}: features have shapes {seen.shape} and {heard.shape}, not [T, D]")
        length = min(len(seen), len(heard))
        if not length:
            raise ValueError(f"clip {index} has no window of 0.96 s in common: leave it out")
        rows.append(np.concatenate([seen[:length], heard[:length]], axis=1))
    return rows, np.shape(video[0])[1]


def evaluate(
    reference_video: Sequence[ArrayLike],
    reference_audio: Sequence[ArrayLike],
    estimate_video: Sequence[ArrayLike],
    estimate_audio: Sequence[ArrayLike],
    *,
    version: Version,
    seed: int = 0,
    splits: int = 3,
    halves: int = HALVES,
    source: Source = UNSAID,
) -> FAVD:
    """Return FAVD of lists of clips, features `[T, D]` each; in video-to-audio give one video list twice. The floor is
    the mean over `splits` random splits of the reference in two; `halves`: of how many halves the interval is drawn.

    Raises ValueError for an unknown version, clips that do not pair, under two rows, features that are not of the
    version named (8-bit whole numbers for `toolkit`, and only there), or NaN.
    """
    validate(reference_audio, estimate_audio, version)
    true, seen = _joint(reference_video, reference_audio)
    made, _ = _joint(estimate_video, estimate_audio)
    x, y = np.concatenate(true), np.concatenate(made)
    spread = x.std(0)
    spread[spread == 0] = 1.0
    whole = frechet.evaluate(true, made, seed=seed, splits=splits, halves=halves, source=source)
    audio = max(frechet.distance(x[:, seen:], y[:, seen:]), 0.0)
    video = max(frechet.distance(x[:, :seen], y[:, :seen]), 0.0)
    scaled = max(frechet.distance(x / spread, y / spread), 0.0)
    named = {"sound alone": audio, "picture alone": video, "scaled": scaled}
    return FAVD(
        **whole.fields() | {"parts": named},
        audio=audio,
        video=video,
        scaled=scaled,
        version=version,
        clips=(len(reference_audio), len(estimate_audio)),
    )


def validate(reference_audio: Sequence[ArrayLike], estimate_audio: Sequence[ArrayLike], version: str) -> None:
    """Raise ValueError for an unknown version, for other shapes, and for sound features `[T, D]` that are not of the
    version: 8-bit whole numbers for `toolkit`, and only there."""
    if version not in VERSIONS:
        raise ValueError(f"no FAVD version {version!r}: there are {', '.join(VERSIONS)}")
    for index, clip in enumerate((*reference_audio, *estimate_audio)):
        if np.ndim(clip) != 2:
            raise ValueError(f"sound features {index} have shape {np.shape(clip)}, not [T, D]")
    eight_bit = all(_eight_bit(a) for a in (*reference_audio, *estimate_audio))
    if eight_bit != (version == "toolkit"):
        raise ValueError(
            f"the sound features {'are' if eight_bit else 'are not'} whole numbers of 0 to 255, so they are not of "
            f"version {version!r}"
        )


def _eight_bit(features: ArrayLike) -> bool:
    values = np.asarray(features, dtype=np.float64)
    return bool(
        (values == np.round(values)).all() and values.min(initial=0) >= 0 and values.max(initial=0) <= 255
    )
