"""A new sound beside an untouched picture: the video's packets are copied as they are, never decoded.

Between MP4, MOV, Matroska and WebM every packet is the same bit by bit; from a transport or bare stream the coded
pictures are, but MP4 and Matroska put lengths where those have start codes.

Where the clip begins inside a group of pictures, or an edit list hides some of them, MP4 and MOV keep the
packets needed for decoding and hide them by an edit list again: the excerpt is exact. Matroska and WebM have
no edit lists: there an excerpt begins at the last key frame before `start` and ends with the last picture
that others need, and the sound is given as much silence before and after as makes it fit (`MuxResult.lead`
says how much came before).
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Disposition

from weft.errors import MediaError
from weft.media.atomic import refuse_existing, write_fault, written_aside
from weft.media.audio import (
    RATE,
    SOUND_SUFFIXES,
    Subtype,
    exactly,
    iter_audio,
    resampled,
    sample_count,
    silence,
    write_audio,
)
from weft.media.copying import copied, copy_stream, describe, plan
from weft.media.delivery import MOST_ROUNDS, Delivery, Sound
from weft.media.editlist import end_edits_at
from weft.media.encoding import RULES, Rule, add_voice, encoded
from weft.media.loudness import CEILING_DB
from weft.media.mixing import Original
from weft.media.source import open_source, picture_stream, reading
from weft.media.video import Video

VIDEO_SUFFIXES = tuple(RULES)


@dataclass(frozen=True, kw_only=True)
class MuxResult:
    """`samples` of the new sound at `rate` Hz; `lead`: seconds of picture before the asked start;
    `dropped`: streams of the source that the container cannot hold."""

    path: Path
    samples: int
    rate: int
    lead: float = 0.0
    dropped: tuple[str, ...] = ()


def mux(
    video: Video | str | os.PathLike[str],
    sound: Sound,
    out: str | os.PathLike[str],
    *,
    rate: int = RATE,
    original: Original = "replace",
    lufs: float | None = None,
    comment: str | None = None,
    overwrite: bool = False,
    limit: bool = True,
    subtype: Subtype = "24",
) -> MuxResult:
    """Write `video`'s picture, packets unchanged, with `sound` to `out`, whose suffix chooses the container.

    `sound` is an array `[C, N]`, blocks `[C, n]`, or a sound file; `rate` in Hz, mono or stereo. It is cut or
    filled up with silence to round(video.duration * rate) samples. .mp4, .m4v and .mov get AAC, .mkv FLAC (24
    bit), .webm Opus at 48 kHz; .wav and .flac get the sound alone (`subtype`). `original` is what becomes of the
    file's own sound: "replace" leaves it out, "keep" puts it into a further track, "mix" adds it, "duck" adds
    it lowered by up to 12 dB while the new sound is heard. The result is brought to `lufs` if given, and its
    true peak is held at -1 dBTP, unless not `limit`, which leaves the samples as they are: where AAC or Opus lift
    a peak above it, an array or a file is encoded again, limited lower. Metadata, chapters,
    rotation and colour are kept, subtitles and attachments where the container can hold them; `comment` goes
    into the comment field.

    Raises MediaError: `out` exists and not `overwrite`, unknown suffix, a container that cannot hold the
    picture's codec, read-only folder, disk full. Memory does not grow with the length.
    """
    video = video if isinstance(video, Video) else Video.open(video)
    target = Path(out)
    refuse_existing(target, overwrite)
    if original not in ("replace", "keep", "mix", "duck"):
        raise MediaError(f"original must be replace, keep, mix or duck, not {original!r}")
    refuse_suffix(target)
    suffix = target.suffix.lower()
    wanted = Delivery(video=video, sound=sound, rate=rate, original=original, lufs=lufs, limit=limit)
    blocks, channels = wanted.blocks()
    if suffix in SOUND_SUFFIXES:
        write_audio(target, blocks, rate, subtype=subtype, overwrite=overwrite, comment=comment)
        return MuxResult(path=target, samples=sample_count(video.duration, rate), rate=rate)
    if channels > 2:
        raise MediaError(
            f"{target}: {channels} channels fit only into .wav or .flac; mix them to stereo first"
        )
    rule, ceiling_db = RULES[suffix], CEILING_DB
    job = _Job(video=video, target=target, rule=rule, rate=rate, channels=channels, comment=comment)
    with written_aside(target, overwrite) as aside:
        try:
            for _ in range(MOST_ROUNDS):
                made = job.write(aside, blocks, keep=original == "keep" and video.has_audio)
                lower = wanted.lower(aside, ceiling_db) if rule.bit_rate else ceiling_db
                if lower == ceiling_db:
                    break
                ceiling_db = lower
                blocks, _ = wanted.blocks(ceiling_db)
            return made
        except av.FFmpegError as error:
            if isinstance(error, OSError) and error.errno:
                raise write_fault(error, target) from error
            raise MediaError(f"{target} cannot be written: {error.strerror or error}") from error


def refuse_suffix(path: str | os.PathLike[str]) -> None:
    """Raise MediaError for a name that does not end as a container or a sound file that can be written."""
    target = Path(path)
    if target.suffix.lower() not in (*RULES, *SOUND_SUFFIXES):
        known = ", ".join((*RULES, *SOUND_SUFFIXES))
        raise MediaError(f"{target}: unknown suffix {target.suffix or '(none)'}; choose one of {known}")


@dataclass(frozen=True, kw_only=True)
class _Job:
    video: Video
    target: Path
    rule: Rule
    rate: int
    channels: int
    comment: str | None

    def write(self, aside: Path, blocks: Iterator[np.ndarray], keep: bool) -> MuxResult:
        video, rule = self.video, self.rule
        cut = plan(video, rule.edits)
        rate = rule.rate_for(self.rate)
        shown = Fraction(video.duration) if rule.edits else cut.end - cut.origin
        count = sample_count(shown, rate)
        lead = silence(self.channels, round((cut.begin - cut.origin) * self.rate))
        blocks = exactly(resampled(chain(lead, blocks), self.rate, rate), count, self.channels)
        with open_source(video.path) as source:
            with reading(video.path):
                picture = picture_stream(source, video.path)
            options = self._options(source.metadata, rate)
            with _sink(aside, rule, options) as sink:
                copy = copy_stream(sink, picture)
                if copy is None:
                    raise self._unfit(picture.name)
                copies, dropped = {picture.index: copy}, []
                voice = add_voice(sink, rule, rate, self.channels)
                voice.disposition = Disposition.default
                parts = [encoded(voice, blocks)]
                for stream in source.streams:
                    if stream.index == picture.index or (stream.type == "audio" and not keep):
                        continue
                    fits = not isinstance(stream, AudioStream) or rule.can_copy(stream.codec_context)
                    copy = copy_stream(sink, stream) if fits else None
                    if copy is not None:
                        copies[stream.index] = copy
                        if stream.type == "audio":
                            copy.disposition = Disposition(0)
                    elif stream.type == "audio" and stream.index == source.streams.audio[0].index:
                        parts.append(self._own_encoded(sink, rate, shown, float(cut.begin - cut.origin)))
                    else:
                        dropped.append(f"{stream.type} {stream.index}")
                describe(source, sink, cut, self.comment)
                try:
                    sink.start_encoding()
                except av.error.ArgumentError as error:
                    raise self._unfit(picture.name) from error
                parts.insert(0, copied(source, picture, copies, cut, rule.edits, video))
                for packet in heapq.merge(*parts, key=_when):
                    sink.mux_one(packet)
        if rule.edits:
            end_edits_at(aside, Fraction(count, rate))
        return MuxResult(
            path=self.target,
            samples=count,
            rate=rate,
            lead=float(cut.begin - cut.origin),
            dropped=tuple(dropped),
        )

    def _options(self, metadata: dict[str, str], rate: int) -> dict[str, str]:
        if not self.rule.edits:
            return {}
        # Phones' own keys (com.apple..., com.android...) have no place in plain MP4 metadata.
        tags = "+use_metadata_tags" if any("." in key for key in metadata) else ""
        return {"movflags": f"+faststart{tags}", "movie_timescale": str(rate)}

    def _unfit(self, codec: str | None) -> MediaError:
        suffix = self.target.suffix
        way_out = "convert the clip to H.264 first" if suffix == ".mkv" else "write .mkv instead"
        return MediaError(f"{suffix} cannot hold {codec} pictures; {way_out}")

    def _own_encoded(
        self, sink: OutputContainer, rate: int, shown: Fraction, lead: float
    ) -> Iterator[Packet]:
        """The file's own sound, encoded anew for a container that cannot hold it as it is."""
        voice = add_voice(sink, self.rule, rate, 2)
        own = iter_audio(self.video.path, rate, self.video.start, self.video.duration, channels=2)
        blocks = chain(silence(2, round(lead * rate)), own)
        return encoded(voice, exactly(blocks, sample_count(shown, rate), 2))


@contextmanager
def _sink(aside: Path, rule: Rule, options: dict[str, str]) -> Iterator[OutputContainer]:
    sink = av.open(
        str(aside), "w", format=rule.muxer, container_options=options, metadata_errors="surrogateescape"
    )
    try:
        yield sink
    except BaseException:
        with suppress(av.FFmpegError):  # ending a file that will be thrown away must not hide why
            sink.close()
        raise
    sink.close()


def _when(packet: Packet) -> float:
    stamp = packet.dts if packet.dts is not None else packet.pts
    return float(stamp * packet.time_base) if stamp is not None else -1.0
