"""What a file's pictures are: when they begin and end, how they are turned; and decoding them in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from weft.errors import MediaError
from weft.media.source import moving_pictures, open_source, picture_stream, reading

_COARSE = Fraction(1, 1000)


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways a stored picture may be turned and mirrored to be shown."""

    transposed: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def from_matrix(cls, matrix: bytes) -> Orientation:
        """From a display matrix, nine int32 (a, b, u; c, d, v; ...): (x, y) -> (a x + c y, b x + d y)."""
        a, b, _, c, d = np.frombuffer(matrix, np.int32, 5).tolist()
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(False, a < 0, d < 0)
        return cls(True, c < 0, b < 0)

    @property
    def degrees(self) -> int:
        """The clockwise turn, mirroring aside."""
        if self.transposed:
            return 90 if self.flip_x or not self.flip_y else 270
        return 180 if self.flip_y else 0

    def apply(self, image: np.ndarray) -> np.ndarray:
        """`[H, W, 3]` as stored -> as shown."""
        if self.transposed:
            image = image.swapaxes(0, 1)
        if self.flip_x:
            image = image[:, ::-1]
        return image[::-1] if self.flip_y else image


@dataclass(frozen=True, kw_only=True)
class Picture:
    """`zero` and `end`: when the first picture appears and the last goes, in seconds on the file's clock."""

    zero: Fraction
    end: Fraction
    width: int
    height: int
    rate: Fraction
    orientation: Orientation
    matrix: bytes | None


def probe(container: InputContainer, stream: VideoStream, path: Path) -> Picture:
    """Decode the first picture and find the end of the last without decoding it.

    Raises MediaError: no picture can be decoded, or the file holds less than its own index promises.
    """
    _refuse_cut_short(container, path)
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    first = _first_frame(container, stream)
    if first is None:
        raise MediaError(f"{path} holds no picture that can be decoded: it is empty, damaged or cut short")
    time_base = stream.time_base
    assert time_base is not None
    zero = (first.pts if first.pts is not None else stream.start_time or 0) * time_base
    end = _end(container, stream, rate)
    if end is None or end <= zero:
        end = zero + 1 / rate
    whole_frames = max(1, round((end - zero) * rate)) / rate
    if time_base >= _COARSE and abs(end - zero - whole_frames) <= time_base:
        end = zero + whole_frames  # a clock of milliseconds rounds what its frame rate says exactly
    matrix = _display_matrix(first)
    orientation = Orientation.from_matrix(matrix) if matrix else Orientation()
    width, height = _square_pixels(first.width, first.height, stream.sample_aspect_ratio)
    if orientation.transposed:
        width, height = height, width
    return Picture(
        zero=zero, end=end, width=width, height=height, rate=rate, orientation=orientation, matrix=matrix
    )


def first_picture_time(path: Path) -> Fraction | None:
    """When the first picture of a file appears, on the file's own clock; None for a file without pictures."""
    with open_source(path) as container, reading(path):
        stream = moving_pictures(container)
        if stream is None or stream.codec_context is None or stream.time_base is None:
            return None
        first = _first_frame(container, stream)
        if first is None:
            return None
        return (first.pts if first.pts is not None else stream.start_time or 0) * stream.time_base


def key_before(
    container: InputContainer, stream: VideoStream, picture: Picture, time: Fraction
) -> int | None:
    """Where to seek to so that the first packet is shown at `time` or before; None: start from the first."""
    base = stream.time_base
    assert base is not None
    back = Fraction(0)
    while time - back > picture.zero:
        # A container's index counts in decode order: the key frame it names may be shown after `time`.
        seek = int((time - back) / base)
        container.seek(seek, stream=stream)
        key = next((p for p in container.demux(stream) if p.size), None)
        if key is not None and key.pts is not None and key.pts * base <= time:
            return seek
        back = back * 2 + 1
    return None


def shown_at(path: Path, picture: Picture, time: Fraction) -> Fraction:
    """When the picture that is on screen at `time` appeared, by the packets' times alone."""
    with open_source(path) as container, reading(path):
        stream = picture_stream(container, path)
        seek = key_before(container, stream, picture, time)
    with open_source(path) as container, reading(path):
        stream = picture_stream(container, path)
        base = stream.time_base
        assert base is not None
        if seek is not None:
            container.seek(seek, stream=stream)
        best = picture.zero
        for packet in container.demux(stream):
            if packet.pts is not None and is_shown(packet) and packet.pts * base <= time:
                best = max(best, packet.pts * base)
            if packet.dts is not None and packet.dts * base > time:
                break
        return best


def decoded(
    container: InputContainer, stream: VideoStream, picture: Picture, start: Fraction
) -> Iterator[tuple[Fraction, VideoFrame]]:
    """Pictures in order with their time on the file's clock, from the one shown at `start` (or before it) on.

    A damaged packet in the middle is passed over; a picture that never comes is not invented.
    """
    stream.thread_type = "AUTO"
    time_base = stream.time_base
    assert time_base is not None
    back = Fraction(0)
    while start - back > picture.zero:
        # A container's index counts in decode order: the key frame it names may be shown after `start`.
        container.seek(int((start - back) / time_base), stream=stream)
        frames = _frames(container, stream, picture, numbered=False)
        first = next(frames, None)
        if first is not None and first[0] <= start:
            yield first
            yield from frames
            return
        back = back * 2 + 1
    if back:
        container.seek(stream.start_time or 0, stream=stream)
        frames = _frames(container, stream, picture, numbered=False)
        first = next(frames, None)
        if first is not None and first[0] <= picture.zero:
            yield first
            yield from frames
            return
        container.seek(0)
    yield from _frames(container, stream, picture, numbered=True)


def _frames(
    container: InputContainer, stream: VideoStream, picture: Picture, numbered: bool
) -> Iterator[tuple[Fraction, VideoFrame]]:
    time_base = stream.time_base
    assert time_base is not None
    last: Fraction | None = None
    for frame in _lenient(container, stream):
        if frame.pts is not None:
            time = frame.pts * time_base
        elif numbered:  # a bare stream without any clock: its nominal rate is all there is
            time = picture.zero if last is None else last + 1 / picture.rate
        else:
            continue
        if last is not None and time <= last:
            continue
        last = time
        yield time, frame


def _lenient(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.EOFError:
            return
        except av.error.InvalidDataError:
            continue


def _first_frame(container: InputContainer, stream: VideoStream) -> VideoFrame | None:
    with suppress(av.error.InvalidDataError):
        return next(_lenient(container, stream), None)
    return None


def _display_matrix(frame: VideoFrame) -> bytes | None:
    data: Any = frame.side_data  # typed as a mapping of names, but a list of entries when iterated
    return next((bytes(entry) for entry in data if entry.type.name == "DISPLAYMATRIX"), None)


def _end(container: InputContainer, stream: VideoStream, rate: Fraction) -> Fraction | None:
    """When the last picture ends: the greatest pts + duration, cut where the container's edit ends."""
    time_base = stream.time_base
    assert time_base is not None
    ticks = None
    if container.duration:
        late = Fraction(container.duration, av.time_base) + Fraction(container.start_time or 0, av.time_base)
        with suppress(av.FFmpegError):
            container.seek(int(late / time_base), stream=stream)
            ticks = _last_tick(container, stream, rate)
    if ticks is None:
        with suppress(av.FFmpegError):
            container.seek(0)
            ticks = _last_tick(container, stream, rate)
    if ticks is None:
        return None
    if "mov" in container.format.name.split(",") and stream.duration and stream.start_time is not None:
        ticks = min(ticks, stream.start_time + stream.duration)
    return ticks * time_base


def _last_tick(container: InputContainer, stream: VideoStream, rate: Fraction) -> int | None:
    assert stream.time_base is not None
    nominal = round(1 / rate / stream.time_base)
    last: tuple[int, int] | None = None
    for packet in container.demux(stream):
        if packet.pts is not None and is_shown(packet):
            last = max(last or (packet.pts, 0), (packet.pts, packet.duration or nominal))
    return None if last is None else sum(last)


def _refuse_cut_short(container: InputContainer, path: Path) -> None:
    size = path.stat().st_size
    for stream in container.streams:
        entries = stream.index_entries
        for entry in entries[max(0, len(entries) - 16) :]:
            if entry.pos + entry.size > size:
                raise MediaError(f"{path} is cut short: it lacks pictures or sound that its index lists")


def _square_pixels(width: int, height: int, ratio: Fraction | None) -> tuple[int, int]:
    """The size with square pixels; the side that grows is stretched, none is shrunk."""
    if not ratio or ratio <= 0:
        return width, height
    return (round(width * ratio), height) if ratio >= 1 else (width, round(height / ratio))


def is_shown(packet: Packet) -> bool:
    """Whether a packet carries a picture or sound that an edit list does not hide."""
    return packet.size > 0 and not packet.is_discard
