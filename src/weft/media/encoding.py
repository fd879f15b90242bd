"""The new sound as packets: the codec each container wants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a container wants: its muxer, the sound codec with its sample format and rates (none: any).

    `edits`: whether it has edit lists, so that an excerpt can begin between key frames; `copies`: the sound
    codecs it takes as they are (none: whatever its muxer accepts).
    """

    muxer: str
    codec: str
    sample_format: str
    rates: tuple[int, ...] = ()
    bit_rate: int = 0
    edits: bool = False
    copies: tuple[str, ...] = ()

    def can_copy(self, context: AudioCodecContext) -> bool:
        """Whether sound that is already encoded so may go into the container as it is."""
        if not self.copies:
            return True
        # A raw stream that does not say which channel is which cannot be described in MP4 or MOV.
        return context.name in self.copies and not context.layout.name.endswith("channels")

    def rate_for(self, rate: int) -> int:
        """The rate to encode sound of `rate` at: itself, else the next above, else the highest there is."""
        if not self.rates or rate in self.rates:
            return rate
        return min((r for r in self.rates if r > rate), default=max(self.rates))


_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)


_MP4_COPIES = ("aac", "mp3", "mp3float", "ac3", "eac3", "alac", "opus", "libopus", "flac")
_PCM = ("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_f32le")


def _aac(muxer: str, copies: tuple[str, ...] = _MP4_COPIES) -> Rule:
    return Rule(
        muxer=muxer,
        codec="aac",
        sample_format="fltp",
        rates=_AAC_RATES,
        bit_rate=128_000,
        edits=True,
        copies=copies,
    )


RULES = {
    ".mp4": _aac("mp4"),
    ".m4v": _aac("mp4"),
    ".mov": _aac("mov", ("aac", "mp3", "mp3float", "ac3", "alac", *_PCM)),
    ".mkv": Rule(muxer="matroska", codec="flac", sample_format="s32"),
    ".webm": Rule(muxer="webm", codec="libopus", sample_format="flt", rates=(48000,), bit_rate=96_000),
}


def add_voice(sink: OutputContainer, rule: Rule, rate: int, channels: int) -> AudioStream:
    """A sound stream in `sink`; `rule.bit_rate` is for each channel."""
    stream = sink.add_stream(rule.codec, rate=rate)
    assert isinstance(stream, AudioStream)
    stream.codec_context.layout = "mono" if channels == 1 else "stereo"
    stream.codec_context.format = rule.sample_format
    stream.time_base = Fraction(1, rate)
    if rule.bit_rate:
        stream.codec_context.bit_rate = rule.bit_rate * channels
    return stream


def encoded(stream: AudioStream, blocks: Iterator[np.ndarray]) -> Iterator[Packet]:
    """Packets of `blocks`, float `[C, n]`, the first sample at time 0."""
    context = stream.codec_context
    rate, form, layout = context.sample_rate, context.format.name, context.layout.name
    at = 0
    for block in blocks:
        frame = AudioFrame.from_ndarray(_as_samples(block, form), format=form, layout=layout)
        frame.sample_rate = rate
        frame.time_base = Fraction(1, rate)
        frame.pts = at
        at += block.shape[1]
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _as_samples(block: np.ndarray, form: str) -> np.ndarray:
    if form == "fltp":
        return np.ascontiguousarray(block, np.float32)
    if form == "flt":
        return np.ascontiguousarray(block.T, np.float32).reshape(1, -1)
    assert form == "s32", form  # 24 bits in the upper part of 32
    steps = np.clip(np.rint(block.T.astype(np.float64) * 2**23), -(2**23), 2**23 - 1)
    return np.ascontiguousarray(steps.astype(np.int32) << 8).reshape(1, -1)
