"""A clip's bytes made into sound: decoded, checked, cut to the protocol's window, at the protocol's rate.

The sampling-rate path is one step each: native to the protocol's rate for everything read off the wave, and native
to an embedder's own rate for its embeddings; both by soxr.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from weft.errors import MediaError
from weft.evaluation.sources import Source

Wave = NDArray[np.float32]
LEAST_S = 0.05
SLACK_S = 0.1
"""Lengths that differ by no more than this count as equal: containers round, encoders pad."""
_STREAM = 0x7FFFF000
_BY_SOUNDFILE = (".wav", ".flac", ".ogg", ".aif", ".aiff")
_BEGINNINGS = (
    b"RIFF",
    b"RIFX",
    b"RF64",
    b"riff",
    b"fLaC",
    b"OggS",
    b"FORM",
    b"caff",
    b".snd",
    b"ID3",
)
"""How such files begin. libsndfile takes all else for MP3 and looks through it, with words of its own on stderr."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """What of each sound is measured: `rate` Hz; 1 or 2 `channels`; `duration_s` from `start_s` on, None to its end.
    `short` says what to do with a sound that ends more than 0.1 s too soon: refuse it, or fill it with silence."""

    rate: int = 44100
    channels: int = 2
    start_s: float = 0.0
    duration_s: float | None = None
    short: Literal["refuse", "fill"] = "refuse"


@dataclass(frozen=True, kw_only=True)
class Sound:
    """`wave` `[C, N]` at the window's `rate`; `native` `[N']` the same stretch, channels averaged, at `native_rate`;
    `native_channels` as the file has them; `seconds` the file's own length; `samples` the hexadecimal SHA-256 of the
    stretch as decoded, which does not change when the same sound is written again (libsndfile puts the time of day
    into float WAVs)."""

    wave: Wave
    rate: int
    native: Wave
    native_rate: int
    native_channels: int
    seconds: float
    samples: str


def decode(source: Source, data: bytes) -> tuple[Wave, int]:
    """Return (sound `[C, N]`, rate) of a file's bytes. Raises MediaError: no sound, damaged, cut short."""
    if source.suffix in _BY_SOUNDFILE:
        import soundfile

        if lacking := _lacking(data):
            raise MediaError(f"{source} is cut short: {lacking} bytes are missing at its end; copy it again")
        unreadable = MediaError(f"{source} cannot be read: it is damaged, cut short or no sound")
        if not data.startswith(_BEGINNINGS):
            raise unreadable
        try:
            samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise unreadable from error
        return np.ascontiguousarray(samples.T), int(rate)
    from weft.media.audio import audio_rate, read_audio

    with source.as_file() as path:
        return read_audio(path, None), audio_rate(path)


def _lacking(data: bytes) -> int:
    """How many bytes a WAV's header promises beyond what is there, 0 in other files: decoders take the rest for all.
    A padding byte is not missed; a size of 0 or near the largest is that of a stream, which promises nothing."""
    promised = int.from_bytes(data[4:8], "little")
    if data[:4] != b"RIFF" or not 0 < promised < _STREAM:
        return 0
    lacking = promised + 8 - len(data)
    return lacking if lacking > 1 else 0


def read(source: Source, data: bytes, window: Window) -> Sound:
    """Decode and fit a sound. Raises MediaError: damaged, empty, NaN, too short, more than two channels in stereo."""
    whole, rate = decode(source, data)
    if whole.shape[1] == 0:
        raise MediaError(f"{source} holds no samples")
    if not np.isfinite(whole).all():
        bad = int((~np.isfinite(whole)).sum())
        raise MediaError(f"{source} holds NaN or infinity in {bad} of {whole.size} samples; write it again")
    if window.channels == 2 and whole.shape[0] > 2:
        raise MediaError(f"{source} has {whole.shape[0]} channels; give one or two")
    return fit(whole, rate, window, str(source))


def fit(whole: Wave, rate: int, window: Window, name: str) -> Sound:
    """Cut `whole` `[C, N]` at `rate` to the window and bring it to the window's rate and channels."""
    first = round(window.start_s * rate)
    left = whole.shape[1] - first
    seconds = whole.shape[1] / rate
    if left / rate < LEAST_S:
        raise MediaError(
            f"{name} is {seconds:.3f} s long: nothing to measure from {window.start_s:g} s on "
            f"({LEAST_S:g} s at least)"
        )
    wanted = left if window.duration_s is None else round(window.duration_s * rate)
    if left < wanted - SLACK_S * rate and window.short == "refuse":
        raise MediaError(
            f"{name} is {seconds:.2f} s long, but the protocol measures {window.duration_s:g} s "
            f"from {window.start_s:g} s on; leave it out, or choose a protocol without a window (plain)"
        )
    part = whole[:, first : first + wanted]
    part = np.pad(part, ((0, 0), (0, wanted - part.shape[1])))
    mono = part.mean(0, dtype=np.float32)
    stereo = window.channels == 2 and part.shape[0] == 2
    placed = part if stereo else np.repeat(mono[None], window.channels, 0)
    n = round(wanted * window.rate / rate)
    return Sound(
        wave=resampled(placed, rate, window.rate, n),
        rate=window.rate,
        native=mono,
        native_rate=rate,
        native_channels=whole.shape[0],
        seconds=seconds,
        samples=hashlib.sha256(np.ascontiguousarray(part).data).hexdigest(),
    )


def resampled(wave: Wave, rate: int, to: int, n: int | None = None) -> Wave:
    """Return `wave` `[C, N]` at `to` Hz, exactly `n` samples long if given."""
    if rate != to:
        import soxr

        wave = np.ascontiguousarray(soxr.resample(wave.T, rate, to).T, dtype=np.float32)
    if n is not None and wave.shape[1] != n:
        wave = np.pad(wave[:, :n], ((0, 0), (0, max(0, n - wave.shape[1]))))
    return np.ascontiguousarray(wave)


def silence(seconds: float, window: Window) -> Sound:
    """Nothing for `seconds`, in the window's form: the baseline that every metric should be read beside."""
    zeros = np.zeros((1, round(seconds * window.rate)), np.float32)
    return fit(zeros, window.rate, Window(rate=window.rate, channels=window.channels), "silence")
