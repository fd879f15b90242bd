"""Several streams of pictures, each of its own rate and size, out of one decoding of a clip."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from weft.media.decoding import decoded
from weft.media.picking import Pick, late, nearest
from weft.media.video import Fit, Scaler, Video

Reshape = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Stream:
    """`fps` pictures a second of `size` (width, height); `fit` as in `Video.iter_frames`.

    `count`: how many, the clip's last picture held beyond its end; None: as many as the clip lasts. `reshape`: makes a
    picture of `size` from the whole one as shown, uint8 `[H, W, 3]`; None: it is scaled while decoding, by bicubics,
    which is quicker and within about a grey level.
    """

    fps: float
    size: tuple[int, int]
    fit: Fit = "squash"
    count: int | None = None
    reshape: Reshape | None = None


def frames_together(video: Video, streams: Sequence[Stream]) -> list[np.ndarray]:
    """Return each stream's pictures, uint8 `[T, H, W, 3]`; picture k is the one nearest to k / fps, by exact time.

    The clip is decoded once, and only as far as it is needed; no picture is kept at its full size. Raises MediaError.
    """
    counts = [video.frame_count(s.fps) if s.count is None else s.count for s in streams]
    grids = [(Fraction(s.fps), count) for s, count in zip(streams, counts, strict=True)]
    # As `frame_count`, this leaves out a last millisecond: a picture that appears as the excerpt ends is not in it.
    end = video.begin + max(Fraction(1, 10000), Fraction(video.duration) - Fraction(1, 1000))
    source = takewhile(lambda timed: timed[0] < end, decoded(video.path, video.picture, video.begin))
    return _gathered(video, streams, nearest(source, video.begin, grids))


def frames_as_mmaudio(video: Video, streams: Sequence[Stream]) -> tuple[list[np.ndarray], float]:
    """Return the pictures that MMAudio's reader takes, and the seconds that it takes the clip to last.

    Each is late by 10 to 37 ms on average (`weft.media.picking.late`); where a stream comes out short, the clip is
    shortened to it, then every stream to the clip; counts are not heeded. For published numbers; rotation and the
    shape of pixels are heeded all the same, and time begins with the clip's first picture.
    """
    source = decoded(video.path, video.picture, video.begin)
    found = _gathered(video, streams, late(source, video.begin, [s.fps for s in streams], video.duration))
    duration = video.duration
    for stream, frames in zip(streams, found, strict=True):
        duration = min(duration, len(frames) / stream.fps)
    cut = [frames[: int(s.fps * duration)] for s, frames in zip(streams, found, strict=True)]
    return cut, duration


def _gathered(video: Video, streams: Sequence[Stream], picks: Iterable[Pick[VideoFrame]]) -> list[np.ndarray]:
    readers = [_reader(video, stream) for stream in streams]
    found: list[list[np.ndarray]] = [[] for _ in streams]
    for pick in picks:
        found[pick.grid].append(readers[pick.grid](pick.picture))
    return [
        np.stack(frames) if frames else np.empty((0, *stream.size[::-1], 3), np.uint8)
        for stream, frames in zip(streams, found, strict=True)
    ]


def _reader(video: Video, stream: Stream) -> Callable[[VideoFrame], np.ndarray]:
    orientation, shown = video.picture.orientation, (video.width, video.height)
    if stream.reshape is None:
        return Scaler(orientation, stream.size, shown, stream.fit, Interpolation.BICUBIC)
    whole, reshape = Scaler(orientation, shown, shown, "squash", Interpolation.BICUBIC), stream.reshape
    last: list[tuple[VideoFrame, np.ndarray]] = []

    def read(frame: VideoFrame) -> np.ndarray:
        if not last or last[0][0] is not frame:
            last[:] = [(frame, reshape(whole(frame)))]
        return last[0][1]

    return read
