"""Two streams out of one decoding: each as if it were read alone, at every rate, turn and excerpt."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from weft.media import Video
from weft.media.streams import Stream, frames_as_mmaudio, frames_together

Maker = Callable[..., Path]
Number = Callable[[np.ndarray], int]

SMALL, WIDE = Stream(fps=8.0, size=(64, 48)), Stream(fps=25.0, size=(48, 48))


def numbers(frames: np.ndarray, number: Number) -> list[int]:
    return [number(frame) for frame in frames]


@pytest.mark.parametrize(
    "rate", [Fraction(12), Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60)], ids=str
)
def test_each_stream_is_what_it_would_be_alone(clip: Maker, number: Number, rate: Fraction) -> None:
    video = Video.open(clip(rate=rate, count=60, bframes=2))
    found = frames_together(video, [SMALL, WIDE])
    for stream, frames in zip((SMALL, WIDE), found, strict=True):
        alone = video.frames(stream.fps, stream.size)
        assert frames.shape == alone.shape
        assert frames.dtype == np.uint8
        assert numbers(frames, number) == numbers(alone, number)


def test_variable_rate_gives_the_nearest_picture(clip: Maker, number: Number) -> None:
    pts = [0, 30, 40, 100, 170, 180, 300, 310, 500, 520, 530, 900]
    video = Video.open(clip(pts=pts, time_base=Fraction(1, 1000)))
    (frames,) = frames_together(video, [Stream(fps=25.0, size=(64, 48))])
    targets = [40 * k for k in range(len(frames))]
    assert numbers(frames, number) == [
        min(range(len(pts)), key=lambda i: (abs(pts[i] - t), i)) for t in targets
    ]


def test_beyond_the_end_of_a_clip_or_an_excerpt_the_last_picture_is_held(clip: Maker, number: Number) -> None:
    path = clip(count=50)
    held = Stream(fps=25.0, size=(64, 48), count=30)
    (whole,) = frames_together(Video.open(path, start=1.2), [held])
    assert numbers(whole, number) == [*range(30, 50), *[49] * 10]
    (part,) = frames_together(Video.open(path, start=0.4, duration=0.2), [held])
    assert numbers(part, number) == [*range(10, 15), *[14] * 25]


def test_reshape_sees_the_whole_picture_as_shown_once_for_each(clip: Maker, number: Number) -> None:
    video = Video.open(clip(count=10, rate=10, rotate=90))
    seen: list[int] = []

    def reshape(picture: np.ndarray) -> np.ndarray:
        assert picture.shape == (64, 48, 3)
        seen.append(1)
        return picture[:48]

    (frames,) = frames_together(video, [Stream(fps=25.0, size=(48, 48), reshape=reshape)])
    assert frames.shape == (25, 48, 48, 3)
    assert len(seen) == 10


def test_cover_crops_the_middle(clip: Maker) -> None:
    video = Video.open(clip(count=5, size=(128, 48)))
    cover, squash = (
        frames_together(video, [Stream(fps=5.0, size=(48, 48), fit=fit)])[0][0]  # type: ignore[arg-type]
        for fit in ("cover", "squash")
    )
    red = [bool(f[4, 2, 0] > 150 and f[4, 2, 1] < 100) for f in (cover, squash)]
    assert red == [False, True], "the red square lies in the corner that the middle square leaves out"


def test_as_mmaudio_every_stream_ends_where_the_shortest_does(clip: Maker, number: Number) -> None:
    video = Video.open(clip(count=50))
    (small, wide), duration = frames_as_mmaudio(video, [SMALL, WIDE])
    assert duration == 49 / 25
    assert (len(small), len(wide)) == (15, 49)
    assert numbers(wide, number)[:9] == [0, 1, 2, 3, 4, 5, 7, 7, 8]


def test_as_mmaudio_a_clip_of_one_picture_is_as_short_as_it_makes_it(clip: Maker) -> None:
    (small, wide), duration = frames_as_mmaudio(Video.open(clip(count=1)), [SMALL, WIDE])
    assert duration == pytest.approx(0.04)
    assert (small.shape, wide.shape) == ((0, 48, 64, 3), (1, 48, 48, 3))
