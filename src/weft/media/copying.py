"""Stream copy: which packets of a clip to take, and their times in the new file. Nothing is decoded here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from weft.errors import MediaError
from weft.media.decoding import key_before
from weft.media.source import open_source, picture_stream, reading
from weft.media.video import Video

# Said of the file that was; not true of the one that is written.
_STALE = (
    "encoder",
    "major_brand",
    "minor_version",
    "compatible_brands",
    "duration",
    "bps",
    "number_of_",
    "_stat",
)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Which packets of the picture to copy: `count` from the key frame found by a seek to `seek` (None: first).

    Seconds on the source's clock: `origin` becomes 0, `begin` is where the clip asked for begins, `end` where
    the copied pictures end.
    """

    seek: int | None
    count: int
    origin: Fraction
    begin: Fraction
    end: Fraction


def plan(video: Video, edits: bool) -> Cut:
    """Look through the packets. With `edits` the file will begin exactly at the clip, else at a key frame."""
    start = video.begin
    with open_source(video.path) as container, reading(video.path):
        seek = key_before(container, picture_stream(container, video.path), video.picture, start)
    with open_source(video.path) as container, reading(video.path):
        stream = picture_stream(container, video.path)
        base = stream.time_base
        assert base is not None
        if seek is not None:
            container.seek(seek, stream=stream)
        begin, stop = round(start / base), round((start + Fraction(video.duration)) / base)
        nominal = max(1, round(1 / video.picture.rate / base))
        reordered = stream.codec_context.has_b_frames
        key: int | None = None
        count = end = seen = seen_end = 0
        for packet in container.demux(stream):
            if not packet.size or (seek is not None and key is None and not packet.is_keyframe):
                continue
            if packet.pts is None or (not video.picture.clocked and reordered):
                raise MediaError(
                    f"{video.path}: its pictures carry no times; convert it to .mp4 or .mkv first"
                )
            key = packet.pts if key is None else key
            seen += 1
            seen_end = max(seen_end, packet.pts + (packet.duration or nominal))
            if packet.pts < stop:
                count, end = seen, seen_end
            if packet.dts is not None and packet.dts >= stop:
                break
        if key is None or count == 0:
            raise MediaError(f"{video.path} holds no picture from {video.start:g} s on")
        origin = begin if edits else min(key, begin)
        wanted = start + Fraction(video.duration)
        if abs(end * base - wanted) <= base:  # the same but for the rounding of a coarse clock
            return Cut(seek=seek, count=count, origin=origin * base, begin=begin * base, end=wanted)
        return Cut(seek=seek, count=count, origin=origin * base, begin=begin * base, end=end * base)


def copy_stream(sink: OutputContainer, stream: Stream) -> Stream | None:
    """A stream in `sink` for the packets of `stream`; None when the container cannot hold it."""
    mp4 = sink.format.name in ("mp4", "mov")
    if stream.type == "data" or (stream.type == "attachment" and sink.format.name != "matroska"):
        return None
    if stream.disposition & Disposition.attached_pic and not mp4:
        return None
    try:
        copy = sink.add_stream_from_template(stream, opaque=True)
    except ValueError:
        return None
    copy.metadata.update(fresh(stream.metadata))
    copy.disposition = stream.disposition
    if stream.name == "hevc" and mp4:
        copy.codec_context.codec_tag = "hvc1"  # the tag Apple's players insist on
    return copy


def copied(
    source: InputContainer,
    picture: VideoStream,
    copies: Mapping[int, Stream],
    cut: Cut,
    edits: bool,
    video: Video,
) -> Iterator[Packet]:
    """The packets of the streams in `copies` (source index -> new stream), with `cut.origin` as time 0."""
    streams = [s for s in source.streams if s.index in copies and s.type != "attachment"]
    shift = {s.index: round(cut.origin / s.time_base) for s in streams if s.time_base}
    stop = video.begin + Fraction(video.duration)
    left = cut.count
    with reading(video.path):
        if cut.seek is not None:
            source.seek(cut.seek, stream=picture)
        for packet in source.demux(streams):
            if not packet.size:
                continue
            index, base = packet.stream_index, packet.time_base
            if index == picture.index:
                if left == 0 and len(streams) == 1:
                    return
                if left == 0 or (left == cut.count and cut.seek is not None and not packet.is_keyframe):
                    continue
                left -= 1
            elif packet.stream.disposition & Disposition.attached_pic:
                packet.pts = packet.dts = shift[index]
            elif packet.pts is None or packet.pts * base >= stop:
                if left == 0 and packet.pts is not None and packet.pts * base > stop + 5:
                    return
                continue
            elif _is_over(packet, cut.origin) and not (edits and _primes(packet, cut.origin)):
                continue
            packet.pts = None if packet.pts is None else packet.pts - shift[index]
            packet.dts = None if packet.dts is None else packet.dts - shift[index]
            packet.stream = copies[index]
            yield packet


def _is_over(packet: Packet, time: Fraction) -> bool:
    assert packet.pts is not None
    begin, end = packet.pts * packet.time_base, (packet.pts + (packet.duration or 0)) * packet.time_base
    return bool(begin < time and end <= time)


def _primes(packet: Packet, time: Fraction) -> bool:
    """Sound just before the clip helps to decode what follows, and an edit list can hide it."""
    assert packet.pts is not None
    return packet.stream.type == "audio" and packet.pts * packet.time_base >= time - Fraction(1, 10)


def describe(source: InputContainer, sink: OutputContainer, cut: Cut, comment: str | None) -> None:
    """Carry over the file's metadata and chapters; add `comment` to the comment field."""
    sink.metadata.update(fresh(source.metadata))
    if comment:
        before = sink.metadata.get("comment", "")
        sink.metadata["comment"] = f"{before}\n{comment}" if before else comment
    chapters = []
    for chapter in source.chapters():
        base = chapter["time_base"] or Fraction(1, av.time_base)
        start, end = Fraction(chapter["start"] * base), Fraction(chapter["end"] * base)
        if end > cut.begin and start < cut.end:
            chapter["start"] = round(max(Fraction(0), start - cut.origin) / base)
            chapter["end"] = round((min(end, cut.end) - cut.origin) / base)
            chapters.append(chapter)
    with suppress(ValueError):
        sink.set_chapters(chapters)


def fresh(metadata: Mapping[str, str]) -> dict[str, str]:
    """Metadata that is still true of a copy."""
    return {key: value for key, value in metadata.items() if not key.lower().startswith(_STALE)}
