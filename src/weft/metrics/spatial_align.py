"""Spatial AV-Align: is what is heard where something is seen (SAVGBench; StereoSync reports it).

Conventions: horizontal positions are fractions of the picture's width, 0 left to 1 right; times in seconds. Who hears
and who sees is not decided here: give the positions of any sound localiser (SAVGBench: 10 per second) and the boxes
of any object detector (SAVGBench: 4 pictures per second). A heard position is right when, in the picture nearest in
time or one of its neighbours, a box overlaps the band of 40/256 of the width on either side of it.

The score is a recall over heard positions: sounds too many or too few are free, and large boxes forgive nearly all. So
it comes with what the same boxes give to sound from the middle, with left and right swapped, and from anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics.interval import HALVES
from weft.metrics.result import Result, whole_of

REACH = 40 / 256
DRAWS = 20
Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One clip: `heard_t` `[n]` s and `heard_x` `[n]`; `seen_t` `[m]` s, rising, and `boxes`, for each of the m
    pictures an array `[k, 2]` of left and right edges (k may be 0)."""

    heard_t: ArrayLike
    heard_x: ArrayLike
    seen_t: ArrayLike
    boxes: Sequence[ArrayLike]


@dataclass(frozen=True, kw_only=True)
class SpatialAlign(Result):
    """`value` the share of `heard` positions over all clips that are right, NaN when nothing was heard; the baselines
    `mono`, `swapped` and `random` what the same clips score with the sound in the middle, mirrored, and anywhere."""

    heard: int

    @property
    def mono(self) -> float:
        """The share with the sound in the middle."""
        return self.baselines["mono"]

    @property
    def swapped(self) -> float:
        """The share with left and right swapped."""
        return self.baselines["swapped"]

    @property
    def random(self) -> float:
        """The share from anywhere."""
        return self.baselines["random"]


def evaluate(
    clips: Sequence[Clip], *, reach: float = REACH, seed: int = 0, halves: int = HALVES
) -> SpatialAlign:
    """Score clips, pooled. Raises ValueError for positions outside 0..1 (pixels?), for times and positions that do
    not pair, and for pictures that are not in order."""
    read = [(t, x, _near(t, seen, boxes)) for t, x, seen, boxes in map(validate, clips)]
    rng = np.random.default_rng(seed)

    def share(place: Callable[[Array], Array]) -> float:
        return _pooled([_right(place(x), near, reach) for _, x, near in read])

    heard = sum(len(t) for t, *_ in read)
    found = whole_of(
        [_right(x, near, reach) for _, x, near in read],
        _pooled,
        halves=halves,
        seed=seed,
        least=0.0,
        most=1.0,
        baselines={
            "mono": share(lambda x: np.full_like(x, 0.5)),
            "swapped": share(lambda x: 1 - x),
            "random": float(np.mean([share(lambda x: rng.random(x.shape)) for _ in range(DRAWS)])),
        },
    )
    return SpatialAlign(**vars(found), heard=heard)


def merged(clips: Sequence[SpatialAlign]) -> SpatialAlign:
    """Return the result of all clips from those of each, by how many positions were heard in it; without interval."""
    heard = sum(c.heard for c in clips)

    def share(read: Callable[[SpatialAlign], float]) -> float:
        return sum(read(c) * c.heard for c in clips if c.heard) / heard if heard else float("nan")

    return SpatialAlign(
        value=share(lambda c: c.value),
        n=len(clips),
        baselines={
            "mono": share(lambda c: c.mono),
            "swapped": share(lambda c: c.swapped),
            "random": share(lambda c: c.random),
        },
        heard=heard,
    )


def _pooled(right: Sequence[NDArray[np.bool_]]) -> float:
    flat = np.concatenate(right) if len(right) else np.zeros(0)
    return float(flat.mean()) if flat.size else float("nan")


def saliency_divergence(estimate: ArrayLike, reference: ArrayLike, *, floor: float = 1e-7) -> float:
    """Return S_KL (Con360-AV): the mean over time of KL(estimate ‖ reference) of saliency maps `[T, H, W]`, nats.

    Each map is given `floor` everywhere and scaled to sum 1; an empty map is flat. Raises ValueError for shapes that
    differ or maps below zero.
    """
    p, q = (np.asarray(m, dtype=np.float64) for m in (estimate, reference))
    if p.shape != q.shape or p.ndim != 3 or p.size == 0:
        raise ValueError(f"maps have shapes {p.shape} and {q.shape}: both must be [T, H, W], resize one")
    if not (np.isfinite(p).all() and np.isfinite(q).all() and min(p.min(), q.min()) >= 0):
        raise ValueError(
            f"maps of shape {p.shape} hold NaN, infinity or less than 0: they must be finite, from 0 on"
        )
    p, q = (m / np.maximum(m.sum((1, 2), keepdims=True), 1e-30) + floor for m in (p, q))
    p, q = (m / m.sum((1, 2), keepdims=True) for m in (p, q))
    return float((p * np.log(p / q)).sum((1, 2)).mean())


def _near(t: Array, seen: Array, boxes: list[Array]) -> Array:
    """The boxes `[n, k, 2]` that each heard position may fall into, filled up with NaN."""
    some = []
    for at in t:
        nearest = int(np.abs(seen - at).argmin()) if len(seen) else 0
        some.append(np.concatenate([np.zeros((0, 2)), *boxes[max(0, nearest - 1) : nearest + 2]]))
    out = np.full((len(t), max((len(b) for b in some), default=0), 2), np.nan)
    for row, b in zip(out, some, strict=True):
        row[: len(b)] = b
    return out


def _right(x: Array, near: Array, reach: float) -> NDArray[np.bool_]:
    at = x[:, None]
    return np.asarray(((near[..., 0] <= at + reach) & (near[..., 1] >= at - reach)).any(1))


def validate(clip: Clip) -> tuple[Array, Array, Array, list[Array]]:
    """Return times and places heard, times seen, and the boxes `[k, 2]` of each. Raises ValueError for other shapes, or
    times that are none."""
    t, x, seen = (np.asarray(v, dtype=np.float64) for v in (clip.heard_t, clip.heard_x, clip.seen_t))
    if not t.ndim == x.ndim == seen.ndim == 1:
        raise ValueError(
            f"times and positions have shapes {t.shape}, {x.shape} and {seen.shape}, but must be lists"
        )
    boxes = []
    for b in clip.boxes:
        edges = np.asarray(b, dtype=np.float64)
        if edges.size and (edges.ndim != 2 or edges.shape[1] != 2):
            raise ValueError(f"boxes have shape {edges.shape}, but must be [k, 2]: left and right edges only")
        boxes.append(edges.reshape(-1, 2))
    if not (np.isfinite(t).all() and np.isfinite(seen).all()):
        raise ValueError("times hold NaN or infinity")
    if t.shape != x.shape:
        raise ValueError(f"{t.size} heard times do not pair with {x.size} positions")
    if len(seen) != len(boxes):
        raise ValueError(f"{len(seen)} pictures do not pair with {len(boxes)} lists of boxes")
    if (np.diff(seen) <= 0).any():
        raise ValueError("pictures must be in order of time")
    for name, values in (("heard positions", x), *(("boxes", b) for b in boxes)):
        if values.size and not (values.min() >= 0 and values.max() <= 1):
            raise ValueError(
                f"{name} reach outside 0..1: did you pass pixels instead of fractions of the width?"
            )
    return t, x, seen, boxes
