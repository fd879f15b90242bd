"""AV-Align: do the onsets of the sound and the bursts of motion in the picture fall together (Yariv et al. 2023).

Conventions: times in seconds. The score is the intersection over the union of two lists: heard onsets and the peaks
of optical flow. Two agree when they are a picture apart at most, one to one; two empty lists, a still picture in
silence, have no score. As the tolerance is a picture, the number grows as the frame rate falls: compare at one rate,
beside `chance`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from weft.metrics import checks, onset

DRAWS = 100


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
