"""Comparisons of where the sound is; see `comparisons.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from weft.evaluation.comparisons import Measured, Pairs, as_long


def ild_error_db(made: Measured, true: Measured) -> float:
    """The mean absolute level difference error over the reference's active frames; NaN when there are none."""
    b, where = true["pan"]["ild"], true["pan"]["active"] > 0
    a = as_long(made["pan"]["ild"], len(b))
    return float(np.abs(a - b)[where].mean(dtype=np.float64)) if where.any() else float("nan")


def pans(made: Measured, true: Measured) -> Pairs:
    """The pan heard and the true one over the reference's active frames; what is silent sounds from the middle."""
    where = true["pan"]["active"] > 0
    heard = np.where(made["pan"]["active"] > 0, made["pan"]["pan"], 0)
    return as_long(heard, len(where))[where], true["pan"]["pan"][where]


def pan_r(clips: Sequence[Pairs]) -> float:
    """Pearson's r of the pan, all clips pooled; 0 for sound from the middle."""
    from weft.metrics import space

    return space.pan_correlation(list(clips))


def pan_r_swapped(clips: Sequence[Pairs]) -> dict[str, float]:
    """What the same sounds score with left and right exchanged."""
    return {"swapped": pan_r([(-heard, true) for heard, true in clips])}


def placed(made: Measured, true: Measured) -> Any:
    """Spatial AV-Align of one clip: onsets heard where the sheet's boxes are, at SAVGBench's 4 pictures a second."""
    from weft.metrics import spatial_align as measured

    at = made["onsets"]["times"]
    frames = np.minimum((at / float(made["pan"]["step"])).astype(int) + 1, len(made["pan"]["pan"]) - 1)
    heard = np.clip((made["pan"]["pan"][frames].astype(np.float64) + 1) / 2, 0, 1)
    seen = true["tracks"]["t"]
    some = np.unique(np.searchsorted(seen, np.arange(seen[0], seen[-1] + 1e-6, 0.25) - 1e-6))
    boxes = [np.clip(b, 0, 1)[None] for b in true["tracks"]["x"][some]]
    return measured.evaluate([measured.Clip(heard_t=at, heard_x=heard, seen_t=seen[some], boxes=boxes)])


def spatial_align(clips: Sequence[Any]) -> float:
    """The share of all heard onsets that are where the boxes are."""
    return _share(clips, "value")


def spatial_align_beside(clips: Sequence[Any]) -> dict[str, float]:
    """What the same boxes give to sound from the middle, mirrored, and from anywhere: chance is high."""
    return {name: _share(clips, name) for name in ("mono", "swapped", "random")}


def _share(clips: Sequence[Any], field: str) -> float:
    heard = sum(c.heard for c in clips)
    right = sum(vars(c)[field] * c.heard for c in clips if c.heard)
    return right / heard if heard else float("nan")
