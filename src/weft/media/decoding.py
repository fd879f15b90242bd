"""Decoding a file's pictures in order, each with its time, from where a clip begins."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from weft.media.extent import Picture, decoded_leniently, first_frame, is_shown
from weft.media.source import moving_pictures, open_source, picture_stream, reading

Timed = tuple[Fraction, VideoFrame]


def first_picture_time(path: Path) -> Fraction | None:
    """When the first picture of a file appears, on the file's own clock; None for a file without pictures."""
    with open_source(path) as container, reading(path):
        stream = moving_pictures(container)
        if stream is None or stream.codec_context is None or stream.time_base is None:
            return None
        first = first_frame(container, stream)
        if first is None:
            return None
        clocked = first.pts is not None and container.format.name != "avi"
        return first.pts * stream.time_base if clocked and first.pts is not None else Fraction(0)


def key_before(
    container: InputContainer, stream: VideoStream, picture: Picture, time: Fraction
) -> int | None:
    """Where to seek to so that the first key frame found is shown at `time` or before; None: the beginning."""
    base = stream.time_base
    assert base is not None
    back = Fraction(0)
    while picture.clocked and time - back > picture.zero:
        # A container's index counts in decode order: the key frame it names may be shown after `time`.
        seek = int((time - back) / base)
        container.seek(seek, stream=stream)
        key = next((p for p in container.demux(stream) if p.size and p.is_keyframe), None)
        if key is not None and key.pts is not None and key.pts * base <= time:
            return seek
        back = back * 2 + 1
    return None


def shown_at(path: Path, picture: Picture, time: Fraction) -> Fraction:
    """When the picture that is on screen at `time` appeared, by the packets' times alone."""
    if not picture.clocked:
        return picture.zero + int((time - picture.zero) * picture.rate) / picture.rate
    with open_source(path) as container, reading(path):
        seek = key_before(container, picture_stream(container, path), picture, time)
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


def decoded(path: Path, picture: Picture, start: Fraction) -> Iterator[Timed]:
    """Pictures in order with their time on the file's clock, from the one shown at `start` (or before it) on.

    Seeks to the key frame before `start`; a file without presentation times is decoded from its beginning. A
    damaged packet in the middle is passed over; a picture that never comes is not invented.
    """
    back = Fraction(0)
    while picture.clocked and start - back > picture.zero:
        with open_source(path) as container, reading(path):
            stream = _threaded(container, path)
            assert stream.time_base is not None
            container.seek(int((start - back) / stream.time_base), stream=stream)
            frames = _clocked(container, stream)
            first = next(frames, None)
            if first is not None and first[0] <= start:
                yield first
                yield from frames
                return
        back = back * 2 + 1
    with open_source(path) as container, reading(path):
        stream = _threaded(container, path)
        yield from _clocked(container, stream) if picture.clocked else _counted(container, stream, picture)


def _threaded(container: InputContainer, path: Path) -> VideoStream:
    stream = picture_stream(container, path)
    stream.thread_type = "AUTO"
    return stream


def _clocked(container: InputContainer, stream: VideoStream) -> Iterator[Timed]:
    last: Fraction | None = None
    for frame in decoded_leniently(container, stream):
        if frame.pts is None or stream.time_base is None:
            continue
        time = frame.pts * stream.time_base
        if last is None or time > last:
            last = time
            yield time, frame


def _counted(container: InputContainer, stream: VideoStream, picture: Picture) -> Iterator[Timed]:
    """The nth picture shown is due when the nth stored one is, or at n / rate where not even that is known."""
    due: deque[Fraction] = deque()
    first: Fraction | None = None
    for n, packet in enumerate(container.demux(stream)):
        if packet.size:
            time = n / picture.rate
            if packet.dts is not None and stream.time_base is not None:
                time = packet.dts * stream.time_base
                first = time if first is None else first
                time -= first
            due.append(picture.zero + time)
        try:
            frames = packet.decode()
        except (av.error.EOFError, av.error.InvalidDataError):
            continue
        for frame in frames:
            assert isinstance(frame, VideoFrame)
            if due:
                yield due.popleft(), frame
