"""Boxes in the picture.

Conventions: boxes `[..., 4]`, x1, y1, x2, y2 as fractions of the picture, x1 <= x2, y1 <= y2. IoU is a share in 0..1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.metrics.result import Result, mean_of


def evaluate(estimate: ArrayLike, reference: ArrayLike) -> Result:
    """Return the mean IoU of boxes `[n, 4]`, beside that of true boxes of other moments, half the list away
    (`shuffled`, NaN with one box). Boxes of a clip follow one another, so the interval over boxes is too narrow for
    clips. Raises ValueError as `validate`, without boxes, or when they do not pair."""
    a, b = validate(estimate, "estimate"), validate(reference, "reference")
    if a.shape != b.shape or a.ndim != 2 or not len(a):
        raise ValueError(f"boxes have shapes {a.shape} and {b.shape}, but must pair, [n, 4] each, and some")
    other = np.roll(b, len(b) // 2, axis=0)
    return mean_of(
        iou(a, b), of="boxes", baselines={"shuffled": iou(other, b) if len(b) > 1 else float("nan")}
    )


def validate(boxes: ArrayLike, name: str = "boxes") -> NDArray[np.float64]:
    """Return boxes as float64 `[..., 4]`. Raises ValueError for other shapes, NaN, corners swapped, or pixels."""
    array = np.asarray(boxes, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] != 4:
        raise ValueError(f"{name} has shape {array.shape}, but the last axis must be x1, y1, x2, y2")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity")
    if (array[..., 2:] < array[..., :2]).any():
        raise ValueError(f"{name} has x2 < x1 or y2 < y1: did you supply x, y, width, height?")
    if array.size and np.abs(array).max() > 4:
        raise ValueError(
            f"{name} reaches {np.abs(array).max():g}: did you supply pixels instead of fractions?"
        )
    return array


def iou(estimate: ArrayLike, reference: ArrayLike) -> NDArray[np.float64]:
    """Return intersection over union `[...]` of boxes `[..., 4]`, one by one; 0 for two empty boxes."""
    a, b = validate(estimate, "estimate"), validate(reference, "reference")
    overlap = np.maximum(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0.0)
    shared = overlap.prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def mean_iou(estimate: ArrayLike, reference: ArrayLike) -> float:
    """Return the mean IoU over all boxes; NaN for none."""
    values = iou(estimate, reference)
    return float(values.mean()) if values.size else float("nan")
