"""AV-Align: do the onsets of the sound and the bursts of motion in the picture fall together (Yariv et al. 2023).

Conventions: times in seconds. The score is the intersection over the union of two lists: heard onsets and the peaks
of optical flow. Two agree when they are a picture apart at most, one to one; two empty lists, a still picture in
silence, have no score. As the tolerance is a picture, the number grows as the frame rate falls: compare at one rate,
beside `chance`. `published` gives what three repositories print for the same lists. `evaluate` is of one clip,
`evaluate_set` the mean over clips.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics import checks, onset
from weft.metrics.result import Result, mean_of

DRAWS = 100
Form = Literal["tempotokens", "savgbench", "svg-baseline"]
FORMS: tuple[Form, ...] = ("tempotokens", "savgbench", "svg-baseline")


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One clip: `heard` onsets `[n]` and `seen` peaks of motion `[m]`, in seconds of `duration_s`."""

    heard: ArrayLike
    seen: ArrayLike
    duration_s: float


@dataclass(frozen=True, kw_only=True)
class AVAlign:
    """One clip's `value` in 0..1, NaN when nothing is heard and nothing moves; `chance` the mean of as many heard
    onsets placed at random; the counts `heard`, `seen` and `both`."""

    value: float
    chance: float
    heard: int
    seen: int
    both: int


def evaluate_set(
    clips: Sequence[Clip], *, fps: float, form: Form | None = None, seed: int = 0, draws: int = DRAWS
) -> Result:
    """Return the mean of AV-Align over clips of one frame rate, ours or, with `form`, as `published`.

    Baselines: `random`, as many onsets at random moments, and `shuffled`, the next clip's onsets (NaN with one clip).
    Raises ValueError without clips, and as `evaluate` and `published` do.
    """
    if not len(clips):
        raise ValueError("no clips to score: give at least one")
    heard = [validate(c.heard, c.seen, fps=fps, duration_s=c.duration_s)[0] for c in clips]

    def one(onsets: ArrayLike, clip: Clip) -> float:
        if form is not None:
            return published(onsets, clip.seen, fps=fps, form=form)
        return _share(*validate(onsets, clip.seen, fps=fps, duration_s=clip.duration_s), fps)

    others = [*heard[1:], *heard[:1]]
    return mean_of(
        [one(onsets, c) for onsets, c in zip(heard, clips, strict=True)],
        baselines={
            "random": [
                chance(
                    onsets.size,
                    lambda times, c=c: one(times, c),  # type: ignore[misc]
                    c.duration_s,
                    seed=seed,
                    draws=draws,
                )
                for onsets, c in zip(heard, clips, strict=True)
            ],
            "shuffled": [one(onsets, c) for onsets, c in zip(others, clips, strict=True)]
            if len(clips) > 1
            else float("nan"),
        },
    )


def validate(
    heard: ArrayLike, seen: ArrayLike, *, fps: float, duration_s: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both lists as sorted float64 `[n]` and `[m]`. Raises ValueError for times that are not seconds from 0 on,
    or a rate or duration that is not positive."""
    if not (fps > 0 and duration_s > 0):
        raise ValueError(f"fps {fps} and duration {duration_s} s must be above 0")
    return checks.times(heard, "heard onsets"), checks.times(seen, "peaks of motion")


def chance(
    count: int, score: Callable[[ArrayLike], float], duration_s: float, *, seed: int = 0, draws: int = DRAWS
) -> float:
    """Return the mean of `score` over `draws` draws of `count` onsets at random in a clip."""
    rng = np.random.default_rng(seed)
    return float(np.mean([score(rng.uniform(0, duration_s, count)) for _ in range(draws)]))


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
    a, b = validate(heard, seen, fps=fps, duration_s=duration_s)
    return AVAlign(
        value=_share(a, b, fps),
        chance=chance(a.size, lambda times: _share(times, b, fps), duration_s, seed=seed),
        heard=int(a.size),
        seen=int(b.size),
        both=onset.match(a, b, 1 / fps),
    )


def _share(heard: ArrayLike, seen: ArrayLike, fps: float) -> float:
    """The pairs over all of both lists; NaN for two empty ones."""
    both = onset.match(heard, seen, 1 / fps)
    union = np.size(heard) + np.size(seen) - both
    return both / union if union else float("nan")


def published(heard: ArrayLike, seen: ArrayLike, *, fps: float, form: Form) -> float:
    """Return the score of one clip as a public evaluation prints it, for comparing with published numbers only.

    In all three a pair must be less than a picture apart. `tempotokens` pairs one to one, as that repository does since
    13 February 2025. `savgbench`, which is also TempoTokens' first form (October 2023), counts every heard onset near
    any peak but joins the lists as if it had not, so that five onsets at one peak score 5.
    `svg-baseline` takes the share of onsets near a peak and of peaks near an onset, p and q, as pq / (p + q - pq), so
    that those five score 1; 0 where nothing is near. The first two are NaN for two empty lists, where the originals
    divide by 0. Raises ValueError for an unknown form and as `evaluate` does.
    """
    if form not in FORMS:
        raise ValueError(f"no AV-Align form {form!r}: there are {', '.join(FORMS)}")
    a, b = validate(heard, seen, fps=fps)
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
