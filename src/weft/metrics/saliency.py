"""Maps of where something is: of what is heard, by its pan, and of what is seen, by its boxes.

Conventions: maps `[T, 1, W]` of the picture's width only, as pan says nothing of height; columns from left to right;
positions are fractions of the width. Both kinds are blurred by one Gaussian, so that a sound right in the middle of a
narrow box diverges little. Their S_KL (`weft.metrics.spatial_align.saliency_divergence`; Con360-AV's form, of saliency
networks there) is ours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

WIDTH = 64
BLUR = 20 / 256  # half the reach that Spatial AV-Align forgives
Maps = NDArray[np.float64]


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
    """Return fractions of the width as float64 `[n]`. Raises ValueError for what lies outside 0..1."""
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    if array.size and not (array.min() >= 0 and array.max() <= 1):
        raise ValueError(f"{name} reach outside 0..1: did you pass pixels instead of fractions of the width?")
    return array
