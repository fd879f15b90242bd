"""AV-Align: do the onsets of the sound and the bursts of motion in the picture fall together (Yariv et al. 2023).

Conventions: times in seconds. The score is the intersection over the union of two lists: heard onsets and the peaks
of optical flow. Two agree when they are a picture apart at most, one to one; two empty lists, a still picture in
silence, have no score. As the tolerance is a picture, the number grows as the frame rate falls: compare at one rate,
beside `chance`. `published` gives what three repositories print for the same lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from weft.metrics import checks, onset

DRAWS = 100
Form = Literal["tempotokens", "savgbench", "svg-baseline"]
FORMS: tuple[Form, ...] = ("tempotokens", "savgbench", "svg-baseline")


@dataclass(frozen=True, kw_only=True)
class AVAlign:
    """`value` in 0..1, NaN when nothing is heard and nothing moves; `chance` the mean of as many heard onsets placed
    at random; the counts `heard`, `seen` and `both`."""

    value: float
    chance: float
    heard: int
    seen: int
    both: int


def evaluate(
    heard: ArrayLike,
    seen: ArrayLike,
    *,
    fps: float,
    duration_s: float,
    seed: int = 0,
) -> AVAlign:
    """Score heard onsets `[n]` against peaks of motion `[m]`, both in s, of a clip at `fps`.

    Raises ValueError for times that are not seconds from 0 on, or a rate or duration that is not positive.
    """
    a, b = checks.times(heard, "heard onsets"), checks.times(seen, "peaks of motion")
    if not (fps > 0 and duration_s > 0):
        raise ValueError(f"fps {fps} and duration {duration_s} s must be above 0")

    def share(both: int) -> float:
        union = a.size + b.size - both
        return both / union if union else float("nan")

    rng = np.random.default_rng(seed)
    lucky = [share(onset.match(rng.uniform(0, duration_s, a.size), b, 1 / fps)) for _ in range(DRAWS)]
    both = onset.match(a, b, 1 / fps)
    return AVAlign(
        value=share(both), chance=float(np.mean(lucky)), heard=int(a.size), seen=int(b.size), both=both
    )


def published(heard: ArrayLike, seen: ArrayLike, *, fps: float, form: Form) -> float:
    """Return the score of one clip as a public evaluation prints it, for comparing with published numbers only.

    In all three a pair must be less than a picture apart. `tempotokens` pairs one to one. `savgbench` counts every
    heard onset near any peak but joins the lists as if it had not, so that five onsets at one peak score 5.
    `svg-baseline` takes the share of onsets near a peak and of peaks near an onset, p and q, as pq / (p + q - pq), so
    that those five score 1; 0 where nothing is near. The first two are NaN for two empty lists, where the originals
    divide by 0. Raises ValueError for an unknown form and as `evaluate` does.
    """
    if form not in FORMS:
        raise ValueError(f"no AV-Align form {form!r}: there are {', '.join(FORMS)}")
    if not fps > 0:
        raise ValueError(f"fps {fps} must be above 0")
    a, b = checks.times(heard, "heard onsets"), checks.times(seen, "peaks of motion")
    near = (b[None] - 1 / fps < a[:, None]) & (a[:, None] < b[None] + 1 / fps)
    if form == "svg-baseline":
        p, q = (float(near.any(axis).mean()) if near.any(axis).size else 0.0 for axis in (1, 0))
        return p * q / (p + q - p * q) if p or q else 0.0
    free = np.ones(b.size, dtype=bool)
    both = 0
    for row in near:
        open_ones = np.flatnonzero(row & free)
        if open_ones.size:
            both += 1
            free[open_ones[0]] = form == "savgbench"
    union = a.size + b.size - both
    return both / union if union else float("nan")
