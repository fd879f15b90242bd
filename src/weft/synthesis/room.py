"""Rooms: a bank of stereo impulse responses without the direct sound, and the convolution that plays them."""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from importlib import resources
from io import BytesIO

import numpy as np
from scipy import fft

from weft.errors import UserError
from weft.synthesis.seeds import stream

CHUNK = 2**15
"""Samples rendered at a time. Fixed: blocks handed out of any size are cut from the same chunks, so they
agree bit for bit.
"""
_BANK_RATE = 44100
_SMALL_DRY_S = 0.45


@lru_cache(maxsize=1)
def rooms() -> dict[str, float]:
    """Names of the bank's rooms -> reverberation time T60 in seconds, driest first."""
    found = {}
    for entry in resources.files("weft.synthesis").joinpath("rooms").iterdir():
        if entry.name.endswith(".flac"):
            name, t60_ms = entry.name.removesuffix("ms.flac").rsplit("-", 1)
            found[name] = int(t60_ms) / 1000
    return dict(sorted(found.items(), key=lambda item: item[1]))


def choose_room(room: str | None, seed: int) -> str | None:
    """The bank's name for a request: None stays anechoic, "auto" is a small dry room that depends on `seed`."""
    if room is None:
        return None
    bank = rooms()
    if room == "auto":
        small = [name for name, t60 in bank.items() if t60 <= _SMALL_DRY_S]
        return small[int(stream(seed, "room").integers(len(small)))] if small else None
    if room not in bank:
        raise UserError(f"unknown room {room!r}: use auto, or one of {', '.join(bank)}")
    return room


@lru_cache(maxsize=4)
def impulse_response(room: str, rate: int) -> np.ndarray:
    """float32 [2, n] at `rate`: reflections only; a send of 1 at 1 m gives the room's own level."""
    import soundfile

    name = f"{room}-{round(rooms()[room] * 1000):d}ms.flac"
    data = resources.files("weft.synthesis").joinpath("rooms", name).read_bytes()
    wave, bank_rate = soundfile.read(BytesIO(data), dtype="float32", always_2d=True)
    if bank_rate != rate:
        import soxr

        wave = soxr.resample(wave, bank_rate, rate)
    return np.ascontiguousarray(wave.T)


class Convolver:
    """Uniform partitioned convolution (overlap-add): chunk after chunk of a stereo send -> the room's answer."""

    def __init__(self, response: np.ndarray) -> None:
        parts = -(-response.shape[1] // CHUNK)
        padded = np.zeros((2, parts * CHUNK))
        padded[:, : response.shape[1]] = response
        self._parts = [fft.rfft(padded[:, k * CHUNK : (k + 1) * CHUNK], 2 * CHUNK) for k in range(parts)]
        self._past: deque[np.ndarray | None] = deque([None] * parts, maxlen=parts)
        self._tail = np.zeros((2, CHUNK))

    def process(self, send: np.ndarray) -> np.ndarray:
        """send [2, CHUNK] -> [2, CHUNK], float64."""
        self._past.appendleft(fft.rfft(send, 2 * CHUNK) if send.any() else None)
        spectrum = None
        for past, part in zip(self._past, self._parts, strict=True):
            if past is not None:
                spectrum = past * part if spectrum is None else spectrum + past * part
        if spectrum is None:
            out, self._tail = self._tail, np.zeros((2, CHUNK))
            return out
        wave = fft.irfft(spectrum, 2 * CHUNK)
        out = wave[:, :CHUNK] + self._tail
        self._tail = wave[:, CHUNK:].copy()
        return out
