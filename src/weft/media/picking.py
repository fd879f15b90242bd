"""Which of a clip's pictures stands at which moment of a regular grid, for several grids in one pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

from weft.errors import MediaError

Picture = TypeVar("Picture")


@dataclass(frozen=True, kw_only=True)
class Pick(Generic[Picture]):
    """`picture` stands at `index / fps` of the grid numbered `grid`."""

    grid: int
    index: int
    picture: Picture


def nearest(
    pictures: Iterator[tuple[Fraction, Picture]], zero: Fraction, grids: Sequence[tuple[Fraction, int]]
) -> Iterator[Pick[Picture]]:
    """Yield for every grid (fps, count) the pictures nearest to zero + k / fps, k = 0 to count - 1, in order of k.

    `pictures` are (time, picture) in order of exact time; of two equally near, the earlier is taken, and the last one
    stands for all moments after it. No more are asked for than are needed. Raises MediaError when there is none.
    """
    done = [0] * len(grids)
    before: tuple[Fraction, Picture] | None = None
    for time, picture in pictures:
        for grid, (fps, count) in enumerate(grids):
            while done[grid] < count and zero + done[grid] / fps < time:
                target = zero + done[grid] / fps
                earlier = before is not None and target - before[0] <= time - target
                chosen = before[1] if earlier and before is not None else picture
                yield Pick(grid=grid, index=done[grid], picture=chosen)
                done[grid] += 1
        before = (time, picture)
        if all(d == count for d, (_, count) in zip(done, grids, strict=True)):
            return
    if before is None:
        raise MediaError("no picture could be decoded where one was asked for")
    for grid, (_, count) in enumerate(grids):
        for index in range(done[grid], count):
            yield Pick(grid=grid, index=index, picture=before[1])


def late(
    pictures: Iterator[tuple[Fraction, Picture]], zero: Fraction, rates: Sequence[float], end: float
) -> Iterator[Pick[Picture]]:
    """Yield what MMAudio's own reader picks: for every rate the first picture at or after each moment.

    The moments are a running sum of 1 / rate in floating point, which drifts past the pictures it should meet: of a
    25 fps clip its 25 fps grid takes pictures 0 to 5, then 7, 8, 9 ..., 37 ms too late on average. Pictures after
    `end` (seconds after `zero`) are not looked at, so a grid may come out short. For published numbers only.
    """
    due, done = [0.0] * len(rates), [0] * len(rates)
    for time, picture in pictures:
        at = float(time - zero)
        if at < 0:
            continue
        if at > end:
            return
        for grid, rate in enumerate(rates):
            while at >= due[grid]:
                yield Pick(grid=grid, index=done[grid], picture=picture)
                due[grid] += 1 / rate
                done[grid] += 1
