"""The edit lists of an MP4 or MOV file: where each track's presentation ends."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

_CONTAINERS = (b"moov", b"trak", b"edts")


def end_edits_at(path: Path, duration: Fraction) -> None:
    """Shorten in place, to `duration` seconds, every track's edit that lasts longer.

    FFmpeg's muxer shows a track up to its last packet; packets that are only there to decode others, or a
    last picture that an edit cuts short, need an end of their own. Only numbers in the header change.
    """
    with path.open("r+b") as file:
        file.seek(0, 2)
        boxes = list(_boxes(file, 0, file.tell()))
        scale = next(_movie_scale(file, at) for kind, at, _ in boxes if kind == b"mvhd")
        limit = round(duration * scale)
        for kind, at, _ in boxes:
            if kind == b"elst":
                _shorten_edits(file, at, limit)
        for kind, at, _ in boxes:  # the durations that sum the edits up
            if kind in (b"tkhd", b"mvhd"):
                _shorten_header(file, at, kind, limit)


def _boxes(file: BinaryIO, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start of content, end) of every box within, containers opened."""
    while at + 8 <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1:
            size, head = struct.unpack(">Q", file.read(8))[0], 16
        stop = end if size == 0 else at + size
        if size != 0 and size < head:
            return
        yield kind, at + head, stop
        if kind in _CONTAINERS:
            yield from _boxes(file, at + head, stop)
        at = stop


def _movie_scale(file: BinaryIO, at: int) -> int:
    file.seek(at)
    wide = file.read(1) == b"\1"
    file.seek(at + (20 if wide else 12))
    return int(struct.unpack(">I", file.read(4))[0])


def _shorten_edits(file: BinaryIO, at: int, limit: int) -> None:
    file.seek(at)
    wide = file.read(1) == b"\1"
    file.seek(at + 4)
    (count,) = struct.unpack(">I", file.read(4))
    form, step = (">Q", 20) if wide else (">I", 12)
    left = limit
    for i in range(count):
        place = at + 8 + i * step
        file.seek(place)
        (length,) = struct.unpack(form, file.read(struct.calcsize(form)))
        if length > left:
            file.seek(place)
            file.write(struct.pack(form, left))
            length = left
        left -= length


def _shorten_header(file: BinaryIO, at: int, kind: bytes, limit: int) -> None:
    file.seek(at)
    wide = file.read(1) == b"\1"
    # tkhd: version, flags, two dates, track, reserved, duration; mvhd: version, flags, two dates, scale,
    # duration
    place = (
        at
        + {(b"tkhd", True): 28, (b"tkhd", False): 20, (b"mvhd", True): 24, (b"mvhd", False): 16}[kind, wide]
    )
    form = ">Q" if wide else ">I"
    file.seek(place)
    (length,) = struct.unpack(form, file.read(struct.calcsize(form)))
    if length > limit:
        file.seek(place)
        file.write(struct.pack(form, limit))
