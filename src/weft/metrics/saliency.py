"""Maps of where something is: of what is heard, by its pan, and of what is seen, by its boxes.

Conventions: maps `[T, 1, W]` of the picture's width only, as pan says nothing of height; columns from left to right;
positions are fractions of the width. Both kinds are blurred by one Gaussian, so that a sound right in the middle of a
narrow box diverges little. Their S_KL (`weft.metrics.spatial_align.saliency_divergence`; Con360-AV's form, of saliency
networks there) is ours, in nats: `evaluate` takes it of the places heard, `of_maps` of maps that were given, both of
clips.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from weft.metrics.result import Result, mean_of
from weft.metrics.spatial_align import saliency_divergence

WIDTH = 64
BLUR = 20 / 256  # half the reach that Spatial AV-Align forgives
DRAWS = 5
Maps = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One clip's moments that sound: the place heard `x` `[n]`, fractions of the width, and the left and right edges of
    the box seen then `[n, 2]`."""

    x: ArrayLike
    box: ArrayLike


def evaluate(clips: Sequence[Clip], *, seed: int = 0) -> Result:
    """Return the mean S_KL of where it is heard from where the box is; a clip without a moment is left out.

    Baselines: all sound from the middle (`mono`), mirrored (`swapped`), from anywhere (`random`). Raises ValueError
    without clips, for places and boxes that do not pair, and as `heard` and `seen` do.
    """
    if not len(clips):
        raise ValueError("no clips to score: give at least one")
    found = [_placed(clip, seed) for clip in clips]
    return mean_of(
        [f["value"] for f in found],
        baselines={name: [f[name] for f in found] for name in ("mono", "swapped", "random")},
    )


def of_maps(estimates: Sequence[ArrayLike], references: Sequence[ArrayLike]) -> Result:
    """Return the mean S_KL of maps `[T, H, W]` of clips, estimate from reference, beside maps without a place (`flat`)
    and the same maps with left and right exchanged (`swapped`). Raises ValueError as `saliency_divergence`, without
    clips, or when they do not pair."""
    if len(estimates) != len(references) or not len(references):
        raise ValueError(f"{len(estimates)} estimates do not pair with {len(references)} references")
    pairs = [(np.asarray(e), np.asarray(r)) for e, r in zip(estimates, references, strict=True)]
    return mean_of(
        [saliency_divergence(e, r) for e, r in pairs],
        baselines={
            "flat": [saliency_divergence(np.ones_like(r), r) for _, r in pairs],
            "swapped": [saliency_divergence(e[:, :, ::-1], r) for e, r in pairs],
        },
    )


def _placed(clip: Clip, seed: int) -> dict[str, float]:
    x, box = validate(clip.x, "positions"), np.asarray(clip.box, dtype=np.float64)
    if len(box) != len(x):
        raise ValueError(f"positions have shape {x.shape} and boxes {box.shape}: give a box for each")
    if not x.size:
        return dict.fromkeys(("value", "mono", "swapped", "random"), float("nan"))
    target = seen(box)
    rng = np.random.default_rng(seed)
    anywhere = [saliency_divergence(heard(rng.random(x.size)), target) for _ in range(DRAWS)]
    return {
        "value": saliency_divergence(heard(x), target),
        "mono": saliency_divergence(heard(np.full_like(x, 0.5)), target),
        "swapped": saliency_divergence(heard(1 - x), target),
        "random": float(np.mean(anywhere)),
    }


def heard(x: ArrayLike, *, width: int = WIDTH, blur: float = BLUR) -> Maps:
    """Return maps `[n, 1, width]` of sounds at positions `x` `[n]`, 0 left to 1 right. Raises ValueError outside."""
    at = validate(x, "positions")
    return _blurred(at, at, width, blur)


def seen(box: ArrayLike, *, width: int = WIDTH, blur: float = BLUR) -> Maps:
    """Return maps `[n, 1, width]` of boxes with left and right edges `[n, 2]`, even between them. Raises ValueError for
    other shapes, edges outside 0..1 (pixels?) or out of order."""
    edges = np.asarray(box, dtype=np.float64)
    if edges.ndim != 2 or edges.shape[1] != 2:
        raise ValueError(f"boxes have shape {edges.shape}, but must be [n, 2]: left and right edges only")
    left, right = validate(edges[:, 0], "boxes"), validate(edges[:, 1], "boxes")
    if (right < left).any():
        raise ValueError("a box ends before it begins: give left, then right")
    return _blurred(left, right, width, blur)


def _blurred(left: Maps, right: Maps, width: int, blur: float) -> Maps:
    """What of an even stretch from left to right, blurred, falls at each column's middle; a point where they meet."""
    if width < 1 or not blur > 0:
        raise ValueError(f"{width} columns and a blur of {blur}: both must be above 0")
    columns = (np.arange(width) + 0.5) / width
    low, high = (left[:, None] - columns) / blur, (right[:, None] - columns) / blur
    point = np.exp(-0.5 * np.square(low))
    even = (ndtr(high) - ndtr(low)) / np.maximum(high - low, 1e-12) * np.sqrt(2 * np.pi)
    return np.where(high - low > 1e-6, even, point)[:, None]


def validate(values: ArrayLike, name: str = "places") -> Maps:
    """Return fractions of the width as float64 `[n]`. Raises ValueError for other shapes, and for what lies outside
    0..1 or is NaN."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} have shape {array.shape}, but must be a list of fractions of the width")
    if array.size and not (array.min() >= 0 and array.max() <= 1):
        raise ValueError(f"{name} reach outside 0..1: did you pass pixels instead of fractions of the width?")
    return array
