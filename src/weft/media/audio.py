"""Sound in and out, block by block: memory does not grow with length."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import av
import numpy as np
import soundfile
import soxr
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from weft.errors import MediaError
from weft.media.atomic import refuse_existing, write_fault, written_aside
from weft.media.decoding import first_picture_time
from weft.media.source import open_source, reading

RATE = 44100
BLOCK = 1 << 16

Subtype = Literal["float", "24", "16"]
_SUBTYPES = {"float": "FLOAT", "24": "PCM_24", "16": "PCM_16"}
SOUND_SUFFIXES = (".wav", ".flac")
_LEAD = Fraction(1, 10)
_GAP_S = 0.02  # timestamps are rounded, to milliseconds at worst in common containers; a true gap is longer


def sample_count(duration: float | Fraction, rate: int) -> int:
    """round(duration * rate): the length of the sound of `duration` seconds."""
    return round(duration * rate)


def iter_audio(
    path: str | os.PathLike[str],
    rate: int | None = RATE,
    start: float = 0.0,
    duration: float | None = None,
    *,
    channels: int | None = None,
    track: int = 0,
    block: int = BLOCK,
) -> Iterator[np.ndarray]:
    """Yield float32 `[C, n]`, n = `block` but for the last: the file's sound `track`, resampled by soxr.

    Time 0 is the file's first picture (its first sample where there are no pictures): a sound that begins
    later is preceded by silence, what lies before is left out. With `duration`, exactly round(duration *
    rate) samples come, silence after the end included; without, all there is. `channels` 1 (the mean) or 2
    mixes down or up, None keeps what the file has; `rate` None keeps the file's.

    Raises MediaError: missing, a folder, no sound stream, damaged; `start` negative, `duration` not positive.
    """
    file = Path(path)
    if not start >= 0:
        raise MediaError(f"{file}: start {start:g} s must not be negative")
    if duration is not None and not duration > 0:
        raise MediaError(f"{file}: duration {duration:g} s must be more than 0")
    with open_source(file) as container, reading(file):
        stream = _sound_stream(container, file, track)
        zero = first_picture_time(file)
        if zero is None:
            zero = (stream.start_time or 0) * (stream.time_base or Fraction(1))
        lead = _LEAD if start else 0  # so that the resampler hears what comes before `start`
        placed = _placed(container, stream, zero + Fraction(start) - lead, channels)
        own_rate = stream.rate
        out_rate = rate or own_rate
        wanted = None if duration is None else sample_count(duration, out_rate)
        skip = round(lead * out_rate)
        blocks = resampled(placed, own_rate, out_rate)
        yield from _reblocked(_after(blocks, skip), block, wanted, channels or stream.channels)


def read_audio(
    path: str | os.PathLike[str],
    rate: int | None = RATE,
    start: float = 0.0,
    duration: float | None = None,
    *,
    channels: int | None = None,
    track: int = 0,
) -> np.ndarray:
    """`iter_audio` in one array, float32 `[C, N]`."""
    sound = np.concatenate(
        list(iter_audio(path, rate, start, duration, channels=channels, track=track)), axis=1
    )
    if duration is None and start > 0 and sound.shape[1] == 0:
        raise MediaError(f"{path}: start {start:g} s lies past the end of its sound")
    return sound


def audio_rate(path: str | os.PathLike[str]) -> int:
    """The sample rate of a file's first sound stream, in Hz."""
    with open_source(path) as container, reading(Path(path)):
        return _sound_stream(container, Path(path), 0).rate


def _sound_stream(container: InputContainer, path: Path, track: int) -> AudioStream:
    if not container.streams.audio:
        raise MediaError(f"{path} has no sound")
    if not 0 <= track < len(container.streams.audio):
        raise MediaError(
            f"{path} has no sound track {track}; it has {len(container.streams.audio)}, from 0 on"
        )
    stream = container.streams.audio[track]
    if stream.codec_context is None:
        raise MediaError(f"{path}: no decoder here for its sound codec; convert it to WAV first")
    return stream


def _placed(
    container: InputContainer, stream: AudioStream, start: Fraction, channels: int | None
) -> Iterator[np.ndarray]:
    """Decoded blocks `[C, n]` at the stream's own rate, sample 0 at `start` on the file's clock."""
    rate, time_base = stream.rate, stream.time_base
    assert time_base is not None
    folded = channels in (1, 2) and stream.channels > 2
    to_float = AudioResampler(format="fltp", layout="stereo" if folded else None)
    first = (stream.start_time or 0) * time_base
    if start - first > 2:  # a second of decoding before `start` lets codecs with memory settle
        container.seek(int((start - 1) / time_base), stream=stream)
    end = None  # the last packet of some codecs decodes to more than the file says it holds
    if "mov" in container.format.name.split(",") and stream.duration:
        end = round((first + stream.duration * time_base - start) * rate)
    written: int | None = None  # samples from `start` so far; negative before it
    for frame in _sound_frames(container, stream):
        data = np.concatenate([f.to_ndarray() for f in to_float.resample(frame)], axis=1)
        data = _with_channels(data, channels)
        at = None if frame.pts is None else round((frame.pts * time_base - start) * rate)
        if written is None:
            written = at if at is not None else round((first - start) * rate)
            if written > 0:
                yield from silence(data.shape[0], written)
        elif at is not None and at - written > _GAP_S * rate and at > 0:
            yield from silence(data.shape[0], at - max(written, 0))
            written = at
        if written < 0:
            data, written = data[:, -written:], min(0, written + data.shape[1])
            if data.shape[1] == 0:
                continue
        if end is not None:
            data = data[:, : max(0, end - written)]
        written += data.shape[1]
        yield data


def _with_channels(data: np.ndarray, channels: int | None) -> np.ndarray:
    if channels in (None, data.shape[0]):
        return data
    if channels == 1:
        return data.mean(axis=0, keepdims=True, dtype=np.float32)
    if data.shape[0] == 1:
        return np.repeat(data, channels or 1, axis=0)
    raise MediaError(f"{data.shape[0]} channels of sound cannot be made into {channels}; ask for 1 or 2")


def _sound_frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.EOFError:
            return
        except av.error.InvalidDataError:
            continue


def silence(channels: int, samples: int) -> Iterator[np.ndarray]:
    """Blocks of `samples` zeros in all."""
    while samples > 0:
        n = min(samples, BLOCK)
        yield np.zeros((channels, n), np.float32)
        samples -= n


def exactly(blocks: Iterator[np.ndarray], samples: int, channels: int) -> Iterator[np.ndarray]:
    """Blocks of `samples` samples in all: cut, or filled up with silence."""
    return _reblocked(blocks, BLOCK, samples, channels)


def resampled(blocks: Iterator[np.ndarray], rate: int, out_rate: int) -> Iterator[np.ndarray]:
    """Blocks `[C, n]` at `rate` -> blocks at `out_rate`, by soxr: round(N * out_rate / rate) samples."""
    stream: soxr.ResampleStream | None = None
    made = taken = 0
    for data in blocks:
        if rate != out_rate:
            if stream is None:
                stream = soxr.ResampleStream(rate, out_rate, data.shape[0], dtype="float32", quality="HQ")
            taken += data.shape[1]
            data = stream.resample_chunk(np.ascontiguousarray(data.T)).T
        made += data.shape[1]
        yield data
    if stream is not None:
        tail = stream.resample_chunk(np.zeros((0, data.shape[0]), np.float32), last=True).T
        yield tail[:, : max(0, round(taken * out_rate / rate) - made)]


def _after(blocks: Iterator[np.ndarray], skip: int) -> Iterator[np.ndarray]:
    for data in blocks:
        yield data[:, skip:]
        skip = max(0, skip - data.shape[1])


def _reblocked(
    blocks: Iterator[np.ndarray], size: int, wanted: int | None, channels: int
) -> Iterator[np.ndarray]:
    """Blocks of `size` samples, cut or filled up with silence to `wanted` in all."""
    held: list[np.ndarray] = []
    count = sent = 0
    for data in blocks:
        if wanted is not None:
            data = data[:, : wanted - sent - count]
        held.append(data)
        count += data.shape[1]
        if count >= size:
            joined = np.concatenate(held, axis=1)
            whole = count - count % size
            for i in range(0, whole, size):
                yield np.ascontiguousarray(joined[:, i : i + size])
            held, count, sent = [joined[:, whole:]], count - whole, sent + whole
        if wanted is not None and sent + count >= wanted:
            break
    if wanted is not None:
        missing = wanted - sent - count
        while missing > 0:
            n = min(missing, size - count)
            yield np.concatenate([*held, np.zeros((channels, n), np.float32)], axis=1)
            held, count, missing, sent = [], 0, missing - n, sent + count + n
    if count or sent == 0:
        yield np.concatenate([*held, np.zeros((channels, 0), np.float32)], axis=1)


class AudioWriter:
    """Writes blocks to a WAV or FLAC file, which appears under its name only when all is written.

    `with AudioWriter(path, rate, channels) as sink: sink.write(block)`, block float `[C, n]`, full scale 1.
    `subtype` "float" (32-bit, WAV only: FLAC takes 24), "24" or "16"; values beyond full scale are clipped by
    the two integer ones. `comment` goes into the file's comment field. A WAV that could pass 4 GiB is written
    as RF64 from the start when `samples`, the length to come, says so.

    Raises MediaError: `path` exists and not `overwrite`, another suffix, folder missing or read-only, disk
    full.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        rate: int = RATE,
        channels: int = 2,
        *,
        subtype: Subtype = "float",
        overwrite: bool = False,
        comment: str | None = None,
        samples: int = 0,
    ) -> None:
        self.path = Path(path)
        self.samples = 0
        self._rate, self._channels, self._comment = rate, channels, comment
        suffix = self.path.suffix.lower()
        if suffix not in SOUND_SUFFIXES:
            raise MediaError(f"{self.path}: sound is written as .wav or .flac")
        if subtype not in _SUBTYPES:
            raise MediaError(f"sample format {subtype!r} is not one of {', '.join(_SUBTYPES)}")
        refuse_existing(self.path, overwrite)
        self._overwrite = overwrite
        self._subtype = "PCM_24" if suffix == ".flac" and subtype == "float" else _SUBTYPES[subtype]
        huge = samples * channels * 4 > 0xF000_0000
        self._format = "FLAC" if suffix == ".flac" else "RF64" if huge else "WAV"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        aside = self._stack.enter_context(written_aside(self.path, self._overwrite))
        try:
            self._file = soundfile.SoundFile(
                aside, "w", self._rate, self._channels, subtype=self._subtype, format=self._format
            )
            self._stack.callback(self._file.close)
            if self._comment:
                self._file.comment = self._comment
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def write(self, block: np.ndarray) -> None:
        """Append float `[C, n]`."""
        if block.ndim != 2 or block.shape[0] != self._channels:
            raise ValueError(f"a block must be [{self._channels}, n], not {list(block.shape)}")
        before = self._file.frames
        try:
            self._file.write(np.ascontiguousarray(block.T))
        except (soundfile.LibsndfileError, AssertionError) as error:
            raise self._fault() from error
        if self._file.frames != before + block.shape[1]:
            raise self._fault()
        self.samples += block.shape[1]

    def _fault(self) -> MediaError:
        # libsndfile says only "System error": a write into an open file fails for want of room.
        return write_fault(OSError(28, "No space left on device"), self.path)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)


def write_audio(
    path: str | os.PathLike[str],
    audio: np.ndarray | Iterable[np.ndarray],
    rate: int = RATE,
    *,
    subtype: Subtype = "float",
    overwrite: bool = False,
    comment: str | None = None,
) -> int:
    """Write an array `[C, N]` or blocks `[C, n]`, as AudioWriter does; returns the number of samples."""
    blocks = iter((audio,) if isinstance(audio, np.ndarray) else audio)
    first = next(blocks, None)
    if first is None:
        raise MediaError(f"{path}: there is no sound to write")
    with AudioWriter(
        path, rate, first.shape[0], subtype=subtype, overwrite=overwrite, comment=comment
    ) as sink:
        sink.write(first)
        for block in blocks:
            sink.write(block)
    return sink.samples
