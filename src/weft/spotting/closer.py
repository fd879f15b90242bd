"""A closer look: what the first look found, seen again with more pixels.

The first look is at the whole picture, squashed to `motion.SIZE`. Whatever strikes in a corner of it is a cell or
two wide there. So the part of the picture in which things were found is cut out of a picture twice as large, and
read once more by the same network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F

from weft.spotting import motion
from weft.spotting.readings import Readings

SIZE = (
    2 * motion.SIZE[0],
    2 * motion.SIZE[1],
)  # width, height of the pictures that are kept for a closer look
NARROWEST = 0.5  # of the picture's width and height: no pixels are made up
WIDEST = 0.92  # a view hardly closer than the first is not worth its time
ROOM = 1.4  # how much more than the found boxes span is looked at
FEW = 0.1  # of the boxes may lie outside on either side
SHARE = 0.7  # of the closer look in what is said of onsets and levels; both chosen on validation clips
SHARE_OF_BOX = 0.5


@dataclass(frozen=True, kw_only=True)
class View:
    """A part of the picture with the whole's shape: left and top, and its side, in fractions of the whole."""

    left: float
    top: float
    side: float

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """x1, y1, x2, y2, fractions."""
        return self.left, self.top, self.left + self.side, self.top + self.side


WHOLE = View(left=0.0, top=0.0, side=1.0)


def around(low: np.ndarray, high: np.ndarray, room: float = ROOM) -> View:
    """The view that shows what lies between the corners `low` and `high` (x, y), `room` times as wide, within the
    picture and on whole pixels of `SIZE`."""
    side = float(np.clip(room * float((high - low).max()), NARROWEST, 1.0))
    side = round(side * SIZE[1] / 6) * 6 / SIZE[1]  # 6 rows are 8 columns
    left, top = (
        float(round(v * n) / n)
        for v, n in zip(np.clip((low + high) / 2 - side / 2, 0, 1 - side), SIZE, strict=True)
    )
    return View(left=left, top=top, side=side)


def choose(readings: Readings) -> View:
    """Where to look closer: the boxes of the readings, by their evidence of onsets."""
    weight = np.square(readings.onset.astype(np.float64)) + 1e-4
    low = np.array([_quantile(readings.box[:, i], weight, FEW) for i in (0, 1)])
    high = np.array([-_quantile(-readings.box[:, i], weight, FEW) for i in (2, 3)])  # so that mirrors agree
    return around(low, high)


def _quantile(values: np.ndarray, weight: np.ndarray, share: float) -> float:
    order = np.argsort(values)
    total = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(total, share * total[-1]).clip(0, len(values) - 1)])


def through(pictures: np.ndarray, view: View) -> np.ndarray:
    """What of grey pictures uint8 `[T, H, W]` is seen through a view: float32 `[T, 96, 128]`, scaled down by area."""
    rows, columns = pictures.shape[1:]
    x1, y1, x2, y2 = (round(v * n) for v, n in zip(view.corners, (columns, rows) * 2, strict=True))
    cut = torch.from_numpy(np.ascontiguousarray(pictures[:, y1:y2, x1:x2])).float()[:, None]
    if cut.shape[-2:] == motion.SIZE[::-1]:
        return cut[:, 0].numpy()
    if cut.shape[-2:] == SIZE[::-1]:
        return F.avg_pool2d(cut, 2)[:, 0].numpy()
    small = F.interpolate(cut, motion.SIZE[::-1], mode="bilinear", antialias=True, align_corners=False)
    return small[:, 0].numpy()


def outside(readings: Readings, view: View) -> Readings:
    """Readings made through a view, with their boxes in fractions of the whole picture."""
    x, y = view.left, view.top
    return replace(readings, box=(readings.box * view.side + [x, y, x, y]).astype(np.float32))


def both(first: Readings, second: Readings) -> Readings:
    """What two looks say together: evidence of onsets is averaged as logits, when, how loud and where as numbers; the
    rest is the first look's."""
    evidence = (1 - SHARE) * _logit(first.onset) + SHARE * _logit(second.onset)

    def mean(one: np.ndarray, other: np.ndarray, share: float = SHARE) -> np.ndarray:
        return ((1 - share) * one + share * other).astype(np.float32)

    return replace(
        first,
        onset=(1 / (1 + np.exp(-evidence))).astype(np.float32),
        offset=mean(first.offset, second.offset),
        strength=mean(first.strength, second.strength),
        level=mean(first.level, second.level),
        box=mean(first.box, second.box, SHARE_OF_BOX),
    )


def _logit(p: np.ndarray) -> np.ndarray:
    p = np.clip(p.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))
