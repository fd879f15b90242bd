"""Onsets ⇄ click track ⇄ envelope: the first dial in the three forms people already have. Pure numpy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from weft.cues.sheet import Envelope, Onset

RATE = 44100
WINDOW = 512
HOP = 128
DECAY_S = 0.15

Floats = NDArray[np.float64]


def rms_envelope(
    audio: NDArray[np.floating], rate: int = RATE, window: int = WINDOW, hop: int = HOP
) -> Envelope:
    """RMS of `audio`, [N] or [C, N] (channels averaged in power), by FoleyGRAM eq. (5): value i covers the
    `window` samples centred at sample `i * hop`, zeros beyond the ends; 1 + N // hop values."""
    audio = np.atleast_2d(np.asarray(audio))
    n = audio.shape[1]
    rms = np.empty(1 + n // hop)
    for at in range(0, rms.size, 4096):  # blocks, so that an hour needs no more memory than a minute
        starts = np.arange(at, min(at + 4096, rms.size)) * hop - window // 2
        low, high = max(int(starts[0]), 0), min(int(starts[-1]) + window, n)
        power = np.square(audio[:, low:high], dtype=np.float64).mean(axis=0)
        total = np.concatenate([[0.0], np.cumsum(power)])
        first, last = np.clip(starts, low, high) - low, np.clip(starts + window, low, high) - low
        rms[at : at + 4096] = np.sqrt(np.maximum(total[last] - total[first], 0.0) / window)
    return Envelope(hop=hop / rate, rms=rms)


def envelope_from_onsets(
    onsets: Iterable[Onset],
    duration: float,
    *,
    hop: float = HOP / RATE,
    decay: float = DECAY_S,
    level: float = 0.5,
) -> Envelope:
    """The envelope such onsets suggest over `duration` s: each rises at its time to `strength * level`, holds
    for its duration, then decays with the time constant `decay` s; powers add."""
    count = int(duration / hop + 1e-6) + 1
    return Envelope(hop=hop, rms=level * np.sqrt(onset_power(onsets, count, hop, decay=decay)))


def onset_power(
    onsets: Iterable[Onset], count: int, hop: float, *, decay: float = DECAY_S, lead: float = 0.0
) -> Floats:
    """Power over time, [count] values `hop` s apart, of onsets at full scale: strength squared from an onset
    (after a linear rise of `lead` s) to its end, then decaying; cut after seven time constants (-61 dB)."""
    power = np.zeros(count)
    for onset in onsets:
        first = max(0, int(np.ceil((onset.t - lead) / hop - 1e-9)))
        last = min(count, int((onset.end + 7.0 * decay) / hop) + 1)
        times = np.arange(first, last) * hop
        since = np.maximum(times - onset.end, 0.0)
        rise = np.clip((times - onset.t) / lead + 1.0, 0.0, 1.0) if lead else 1.0
        power[first:last] += rise * np.square(onset.strength * np.exp(-since / decay))
    return power


def onsets_from_envelope(
    envelope: Envelope, *, floor_db: float = -40.0, rise_db: float = 3.0, apart: float = 0.05
) -> tuple[Onset, ...]:
    """Onsets where the envelope rises: each stands at the steepest rise of its attack, with the strength of
    the peak it leads to (the loudest peak has 1). A peak counts above `floor_db` of the loudest, at least
    `rise_db` over the valley before it, and `apart` s after the last."""
    rms = envelope.rms
    top = rms.max()
    if top <= 0:
        return ()
    width = max(1, round(0.005 / envelope.hop))
    level = 20.0 * np.log10(np.maximum(_moving_mean(rms, width), top * 10 ** (floor_db / 20 - 1)))
    loudest = level.max()
    found: list[Onset] = []
    valley = level[0] if rms[0] < top * 10 ** (floor_db / 20) else loudest + floor_db - 20.0
    low_at, i, n = 0, 0, level.size
    while i < n:
        if level[i] <= valley:
            valley, low_at = level[i], i
        is_peak = (i + 1 == n or level[i + 1] < level[i]) and level[i] - valley >= rise_db
        if is_peak and level[i] > loudest + floor_db:
            climb = np.diff(rms[low_at : i + 1])
            at = (low_at + 1 + int(np.argmax(climb))) * envelope.hop if climb.size else i * envelope.hop
            strength = float(np.clip(10 ** ((level[i] - loudest) / 20), 0.001, 1.0))
            if not found or at - found[-1].t >= apart:
                found.append(Onset(t=at, strength=strength))
            valley, low_at = level[i], i
        i += 1
    return tuple(found)


def click_track(onsets: Iterable[Onset], duration: float, *, rate: int = RATE) -> NDArray[np.float32]:
    """Mono audio [round(duration * rate)]: at each onset a 2 ms click, one sample of full `strength` and its
    exponential tail, for a DAW or the ear; `onsets_from_clicks` reads it back."""
    audio = np.zeros(round(duration * rate), dtype=np.float32)
    tail = np.exp(-np.arange(max(1, round(0.002 * rate))) / (0.0004 * rate))
    tail *= np.where(np.arange(tail.size) % 2, -1.0, 1.0)
    for onset in onsets:
        first = round(onset.t * rate)
        part = audio[first : first + tail.size]
        np.copyto(
            part,
            tail[: part.size] * onset.strength,
            where=np.abs(part) < np.abs(tail[: part.size]) * onset.strength,
        )
    return audio


def onsets_from_clicks(
    audio: NDArray[np.floating], rate: int = RATE, *, threshold: float = 0.02, apart: float = 0.01
) -> tuple[Onset, ...]:
    """Onsets of a click track [N] or [C, N]: where it first exceeds `threshold` of its loudest sample after
    `apart` s below; the strength is the click's peak, full scale being 1."""
    mono = np.abs(np.atleast_2d(np.asarray(audio, dtype=np.float64))).max(axis=0)
    if mono.size == 0 or mono.max() <= 0:
        return ()
    loud = np.flatnonzero(mono > threshold * mono.max())
    gap = max(1, round(apart * rate))
    firsts = loud[np.concatenate([[True], np.diff(loud) > gap])]
    return tuple(
        Onset(t=float(i) / rate, strength=float(np.clip(mono[i : i + gap].max(), 0.001, 1.0))) for i in firsts
    )


def resample_envelope(envelope: Envelope, hop: float, *, count: int | None = None) -> Envelope:
    """The envelope with a value each `hop` s (`count` of them, or as many as last as long). Coarser steps
    take the root mean square of what they cover, so energy is kept; finer ones are linear between values."""
    if count is None:
        count = int((envelope.rms.size - 1) * envelope.hop / hop + 1e-6) + 1
    centres = np.arange(count) * hop
    if hop <= envelope.hop:
        return Envelope(hop=hop, rms=envelope.at(centres))
    # The running integral of power, each value holding for the hop around it, read at the new steps' edges.
    edges = (np.arange(envelope.rms.size + 1) - 0.5) * envelope.hop
    energy = np.concatenate([[0.0], np.cumsum(np.square(envelope.rms))]) * envelope.hop
    low, high = centres - hop / 2, centres + hop / 2
    inside = np.minimum(high, edges[-1]) - np.maximum(low, edges[0])
    got = np.interp(high, edges, energy) - np.interp(low, edges, energy)
    return Envelope(hop=hop, rms=np.sqrt(np.maximum(got, 0.0) / np.maximum(inside, envelope.hop)))


def smooth_envelope(envelope: Envelope, width: float) -> Envelope:
    """Root mean square over a Hann window `width` s wide; under two hops, nothing changes."""
    half = int(width / 2 / envelope.hop)
    if half < 1:
        return envelope
    window = np.hanning(2 * half + 3)[1:-1]
    power = np.square(envelope.rms)
    weight = np.convolve(np.ones_like(power), window, mode="full")[half : half + power.size]
    mean = np.convolve(power, window, mode="full")[half : half + power.size] / weight
    return Envelope(hop=envelope.hop, rms=np.sqrt(mean))


def _moving_mean(values: Floats, width: int) -> Floats:
    padded = np.pad(values, (width // 2, width - 1 - width // 2), mode="edge")
    return np.convolve(padded, np.full(width, 1.0 / width), mode="valid")


def onset_times(onsets: Sequence[Onset] | None) -> Floats:
    """Times of the onsets, s, [n]; empty for None."""
    return np.array([onset.t for onset in onsets or ()], dtype=np.float64)
