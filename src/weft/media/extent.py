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
from weft.media.source import open_source, picture_stream

_COARSE = Fraction(1, 1000)
_PROMISING = {"matroska", "webm", "flv", "avi"}  # containers that write their length into the header
_EDIT_ROUNDING = Fraction(1, 1000)  # edits are counted in the clock of the movie, often milliseconds
_BROKEN_PROMISE = Fraction(1, 4)


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
    """`zero` and `end`: when the first picture appears and the last goes, in seconds on the file's clock.

    Not `clocked`: the file says in which order pictures are stored, not when each is shown (AVI, bare
    streams); then the nth is shown when the nth stored one is due, or at n / rate.
    """

    zero: Fraction
    end: Fraction
    width: int
    height: int
    rate: Fraction
    orientation: Orientation
    clocked: bool = True


def probe(container: InputContainer, stream: VideoStream, path: Path) -> Picture:
    """Decode the first picture and find the end of the last without decoding it.

    Raises MediaError: no picture can be decoded, or the file holds less than its own index promises.
    """
    _refuse_cut_short(container, path)
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    first = first_frame(container, stream)
    time_base = stream.time_base
    if first is None or time_base is None:
        raise MediaError(f"{path} holds no picture that can be decoded: it is empty, damaged or cut short")
    clocked = first.pts is not None and container.format.name != "avi"
    if clocked:
        assert first.pts is not None
        zero, end = first.pts * time_base, _end(container, stream, rate, path)
    else:
        zero, end = Fraction(0), _span(path, rate)
    if end is None or end <= zero:
        end = zero + 1 / rate
    whole_frames = max(1, round((end - zero) * rate)) / rate
    if time_base >= _COARSE and abs(end - zero - whole_frames) <= time_base:
        end = zero + whole_frames  # a clock of milliseconds rounds what its frame rate says exactly
    orientation = orientation_of(first)
    width, height = _square_pixels(first.width, first.height, stream.sample_aspect_ratio)
    if orientation.transposed:
        width, height = height, width
    return Picture(
        zero=zero, end=end, width=width, height=height, rate=rate, orientation=orientation, clocked=clocked
    )


def first_frame(container: InputContainer, stream: VideoStream) -> VideoFrame | None:
    """The first picture that can be decoded."""
    return next(decoded_leniently(container, stream), None)


def decoded_leniently(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Pictures in the order they are shown; a damaged packet is passed over."""
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.EOFError:
            return
        except av.error.InvalidDataError:
            continue


def orientation_of(frame: VideoFrame) -> Orientation:
    """How a decoded picture is to be turned for showing."""
    try:
        data: Any = frame.side_data  # typed as a mapping of names, but a list of entries when iterated
        matrix = next((bytes(entry) for entry in data if entry.type.name == "DISPLAYMATRIX"), None)
    except ValueError:  # among them is a kind that PyAV has no name for; its own reading leaves out mirroring
        turn = -frame.rotation % 360 // 90
        return Orientation(turn % 2 == 1, turn in (1, 2), turn in (2, 3))
    return Orientation.from_matrix(matrix) if matrix else Orientation()


def _end(container: InputContainer, stream: VideoStream, rate: Fraction, path: Path) -> Fraction | None:
    """When the last picture ends: the greatest pts + duration, cut where the container's edit ends."""
    time_base = stream.time_base
    assert time_base is not None
    start = Fraction(container.start_time or 0, av.time_base)
    promised = start + Fraction(container.duration or 0, av.time_base)
    last: tuple[Fraction, Fraction, Fraction] | None = None
    if container.duration:
        with suppress(av.FFmpegError):
            # Some containers seek to any packet: the last picture may be stored well before the last packet.
            container.seek(int((promised - max(Fraction(1), 16 / rate)) / time_base), stream=stream)
            last = _last_ends(container, stream, rate)
    if last is None:
        with open_source(path) as anew:
            last = _last_ends(anew, picture_stream(anew, path), rate)
    if last is None:
        return None
    last_shown, end, end_of_all = last
    kinds = set(container.format.name.split(","))
    # Some count the length from the clock's zero, some from the first packet: hold a file to the lesser.
    least = min(promised, Fraction(container.duration or 0, av.time_base))
    if kinds & _PROMISING and end_of_all < least - _BROKEN_PROMISE:
        raise MediaError(
            f"{path} is cut short: it promises {float(promised - start):.2f} s and ends at"
            f" {float(end_of_all - start):.2f} s"
        )
    if "mov" in kinds and stream.duration and stream.start_time is not None:
        edit_end = (stream.start_time + stream.duration) * time_base
        if last_shown < edit_end < end - _EDIT_ROUNDING:
            end = edit_end
    return end


def _last_ends(
    container: InputContainer, stream: VideoStream, rate: Fraction
) -> tuple[Fraction, Fraction, Fraction] | None:
    """When `stream` shows its last picture and ends, and when the last of all streams does, of what is to come."""
    shown = None
    ends: dict[int, Fraction] = {}
    for packet in container.demux():
        if packet.pts is not None and is_shown(packet):
            length = packet.duration * packet.time_base if packet.duration else Fraction(0)
            if packet.stream_index == stream.index:
                length = length or 1 / rate
                shown = max(shown or packet.pts, packet.pts)
            at = packet.pts * packet.time_base + length
            ends[packet.stream_index] = max(at, ends.get(packet.stream_index, at))
    if shown is None or stream.time_base is None:
        return None
    return shown * stream.time_base, ends[stream.index], max(ends.values())


def _span(path: Path, rate: Fraction) -> Fraction:
    """How long a stream without presentation times lasts: from its decoding times, or by counting its packets."""
    with open_source(path) as container:  # anew: a bare stream cannot be sought in
        stream = picture_stream(container, path)
        times = [packet.dts for packet in container.demux(stream) if packet.size]
        known = [t for t in times if t is not None]
        if len(known) < len(times) or not known or stream.time_base is None:
            return len(times) / rate
        return (max(known) - min(known)) * stream.time_base + 1 / rate


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
