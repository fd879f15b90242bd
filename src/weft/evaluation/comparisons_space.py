"""Comparisons of where the sound is; see `comparisons.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from weft.evaluation.comparisons import Measured, Pairs, as_long

SPACING_M = 0.17
"""Assumed of every sound that is placed by time: two microphones as far apart (ORTF)."""


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


def pan_told(clips: Sequence[Pairs]) -> Any:
    """The same beside sound from the middle and what the same sounds score with left and right exchanged."""
    from weft.metrics import space

    return space.evaluate([heard for heard, _ in clips], [true for _, true in clips], halves=0)


def placed(made: Measured, true: Measured) -> Any:
    """Spatial AV-Align of one clip: onsets heard where the sheet's boxes are, at SAVGBench's 4 pictures a second."""
    from weft.metrics import spatial_align as measured

    at = made["onsets"]["times"]
    frames = np.minimum((at / float(made["pan"]["step"])).astype(int) + 1, len(made["pan"]["pan"]) - 1)
    heard = np.clip((made["pan"]["pan"][frames].astype(np.float64) + 1) / 2, 0, 1)
    seen = true["tracks"]["t"]
    some = np.unique(np.searchsorted(seen, np.arange(seen[0], seen[-1] + 1e-6, 0.25) - 1e-6))
    boxes = [np.clip(b, 0, 1)[None] for b in true["tracks"]["x"][some]]
    clip = measured.Clip(heard_t=at, heard_x=heard, seen_t=seen[some], boxes=boxes)
    return measured.evaluate([clip], halves=0)


def spatial_align(clips: Sequence[Any]) -> float:
    """The share of all heard onsets that are where the boxes are."""
    return float(spatial_align_told(clips).value)


def spatial_align_told(clips: Sequence[Any]) -> Any:
    """The same beside what the boxes give to sound from the middle, mirrored, and from anywhere: chance is high."""
    from weft.metrics import spatial_align as measured

    return measured.merged(clips)


def placed_angles(made: Measured, true: Measured, *, by: Literal["level", "time"]) -> Pairs:
    """Azimuths (degrees) at which the onsets are heard, and at which the sheet's box is seen then."""
    from weft.metrics import azimuth

    at, seen = made["places"], true["tracks"]
    angles = {
        "level": azimuth.from_pan(np.clip(at["pan"], -1, 1)),
        "time": azimuth.from_delay(at["delay"], SPACING_M),
    }
    middle = np.interp(at["times"], seen["t"], np.clip(seen["x"], 0, 1).mean(1))
    return angles[by], azimuth.from_box(middle)


def azimuth_error(clips: Sequence[Pairs]) -> float:
    """The mean absolute error over all places, degrees."""
    return float(azimuth_told(clips).value)


def azimuth_told(clips: Sequence[Pairs]) -> Any:
    """The same beside all sound ahead, mirrored, and from anywhere on the stage; the mean signed error (positive: heard
    too far right), Pearson's r of heard and seen, and how many places."""
    from weft.metrics import azimuth

    heard, seen = (np.concatenate([c[side] for c in clips]) for side in (0, 1))
    return azimuth.evaluate(heard, seen, halves=0)


def saliency(made: Measured, true: Measured) -> float:
    """S_KL of the maps that a clip brings with it, generated from target."""
    from weft.metrics.spatial_align import saliency_divergence

    return saliency_divergence(true["maps"]["made"], true["maps"]["true"])


def saliency_beside(made: Measured, true: Measured) -> dict[str, float]:
    """What maps without a place, and the same maps with left and right exchanged, score."""
    from weft.metrics import saliency as maps

    return maps.of_maps([true["maps"]["made"]], [true["maps"]["true"]]).baselines


def heard_saliency(made: Measured, true: Measured) -> float:
    """S_KL of where it is heard from where the sheet's box is, over the frames that sound; NaN when none does."""
    x, box = _stage(made, true)
    return _divergence(x, box)


def heard_saliency_beside(made: Measured, true: Measured) -> dict[str, float]:
    """The same from the middle, mirrored, and from anywhere."""
    from weft.metrics import saliency as maps

    x, box = _stage(made, true)
    return maps.evaluate([maps.Clip(x=x, box=box)]).baselines


def _stage(made: Measured, true: Measured) -> Pairs:
    """For each frame that sounds, the place heard `[n]` and the edges of the box seen nearest in time `[n, 2]`."""
    sounding = np.flatnonzero(made["pan"]["active"])
    seen = true["tracks"]
    times = (sounding + 0.5) * float(made["pan"]["step"])
    after = np.clip(np.searchsorted(seen["t"], times), 1, max(len(seen["t"]) - 1, 1))
    if len(seen["t"]) == 1:
        nearest = np.zeros(len(times), int)
    else:
        nearest = after - (times - seen["t"][after - 1] < seen["t"][after] - times)
    x = np.clip((made["pan"]["pan"][sounding].astype(np.float64) + 1) / 2, 0, 1)
    return x, np.clip(seen["x"], 0, 1)[nearest]


def _divergence(x: NDArray[Any], box: NDArray[Any]) -> float:
    from weft.metrics import saliency as maps
    from weft.metrics.spatial_align import saliency_divergence

    return saliency_divergence(maps.heard(x), maps.seen(box)) if x.size else float("nan")
