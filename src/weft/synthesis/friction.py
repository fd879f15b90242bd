"""Sustained contact: a dragged stick and a rolling object, played in overlapping pieces so that memory stays
constant.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import fft

from weft.synthesis.event import SoundEvent, curve_at
from weft.synthesis.granular import bubbles, grain_kernels, grain_sizes, size_power, sprinkle
from weft.synthesis.modal import ring, ring_length
from weft.synthesis.seeds import stream
from weft.synthesis.voice import Voice

_PIECE_S = 1.5
_OVERLAP_S = 0.03
_KERNEL_S = 1.2
_LARGEST = 8.0
"""Rubbing holds the big grains down: its sizes stop at 8 where a blow's go to 30."""


def _bell(hz: np.ndarray, centre: float, octaves: float) -> np.ndarray:
    """Amplitude response of a band `octaves` wide, steeper above than below."""
    distance = np.log2(np.maximum(hz, 1.0) / centre) / (octaves / 2)
    return np.exp(-0.5 * np.minimum(distance**2, 60.0))


def rub_noise(
    speed: np.ndarray, hz: tuple[float, float], octaves: float, rng: np.random.Generator, rate: int
) -> np.ndarray:
    """Noise that grows louder and brighter with `speed` [n] 0..1; unit variance at speed 1 -> float32 [n]."""
    n = len(speed)
    size = fft.next_fast_len(n, real=True)
    white = fft.rfft(rng.standard_normal(size, dtype=np.float32))
    freqs = np.arange(len(white)) * (rate / size)
    out = np.zeros(n, np.float32)
    centres = np.geomspace(hz[0], hz[1], 3)
    for k, centre in enumerate(centres):
        bell = _bell(freqs, centre, octaves).astype(np.float32)
        bell /= np.sqrt(np.mean(bell**2) + 1e-12)
        weight = np.sqrt(np.clip(1.0 - np.abs(speed * 2 - k), 0.0, 1.0)).astype(np.float32)
        out += weight * fft.irfft(white * bell, size)[:n]
    return out * speed.astype(np.float32)


def _taps(
    speed: np.ndarray, per_second: float, exponent: float, rng: np.random.Generator, rate: int
) -> np.ndarray:
    """Random impulses, `per_second` at full speed, power-law sizes; unit variance at speed 1 -> float32 [n]."""
    n = len(speed)
    out = np.zeros(n, np.float32)
    count = int(rng.poisson(per_second * n / rate))
    if count:
        where = rng.integers(n, size=count)
        kept = rng.random(count) < speed[where]
        sizes = grain_sizes(count, exponent, rng, _LARGEST)
        np.add.at(out, where[kept], (sizes * speed[where])[kept].astype(np.float32))
    return out / np.float32(np.sqrt(size_power(exponent, _LARGEST) * per_second / rate))


def _wander(n: int, every_s: float, depth: float, rng: np.random.Generator, rate: int) -> np.ndarray:
    """A slow uneven pressure around 1 [n]."""
    knots = max(2, int(np.ceil(n / (every_s * rate))) + 1)
    values = np.exp(depth * rng.standard_normal(knots))
    return np.interp(np.linspace(0, knots - 1, n), np.arange(knots), values)


def _fade(n: int, rise: int, fall: int) -> np.ndarray:
    """Equal-power ends."""
    window = np.ones(n)
    rise, fall = min(rise, n), min(fall, n)
    if rise:
        window[:rise] *= np.sin(np.pi / 2 * (np.arange(rise) + 0.5) / rise)
    if fall:
        window[n - fall :] *= np.cos(np.pi / 2 * (np.arange(fall) + 0.5) / fall)
    return window


def _through_modes(
    voice: Voice,
    excitation: np.ndarray,
    centre: float,
    octaves: float,
    held: float,
    rng: np.random.Generator,
    rate: int,
) -> np.ndarray:
    """Excitation [n] through the object's modes, damped by what touches it; about unit variance -> float32
    [>= n].
    """
    decay = voice.mode_decay * 1.3 + held
    weight = 0.3 + rng.random(len(decay))
    n = ring_length(decay, rate, int(_KERNEL_S * rate))
    kernel = ring(voice.mode_hz, decay, voice.mode_gain * weight, 0.0, n, rate)
    kernel *= _fade(n, 0, n // 4).astype(np.float32)
    size = fft.next_fast_len(len(excitation) + n, real=True)
    response = fft.rfft(kernel, size)
    bell = _bell(np.arange(len(response)) * (rate / size), centre, octaves)
    bell = 0.5 * bell / np.sqrt(np.mean(bell**2)) + 0.5
    power = float(np.mean((np.abs(response) * bell) ** 2))
    out = fft.irfft(fft.rfft(excitation, size) * response, size)[: len(excitation) + n]
    return out / np.float32(np.sqrt(power) + 1e-9)


def rub(
    voice: Voice, event: SoundEvent, seed: int, rate: int, limit: int
) -> Iterator[tuple[int, np.ndarray]]:
    """A scratch or a roll -> pieces (start in samples from the event, mono float32), in order of start.

    Level: a scratch at speed 1, strength 1 has an RMS of voice.level_db + friction.level_db + 12 dB or so
    below a hit's peak.
    """
    total = max(round(event.sounding_s * rate), int(0.03 * rate))
    turning = stream(seed, "turns", event.track, round(event.t * 1000)).random(3)
    piece, overlap = int(_PIECE_S * rate), int(_OVERLAP_S * rate)
    for index, start in enumerate(range(0, total, piece)):
        if start >= limit:
            return
        stop = min(start + piece + overlap, total)
        if total - stop < overlap:
            stop = total
        rng = stream(seed, "event", round(event.t * 1000), event.action, index)
        n = stop - start
        where = (start + np.arange(n)) / total
        bell = np.sqrt(np.sin(np.pi * np.clip(where, 0, 1)))
        speed = bell if event.gain_curve is None else curve_at(event.gain_curve, 1.0, where)
        rise = int(0.004 * rate) if start == 0 else overlap
        fall = min(int(0.02 * rate), n // 3) if stop == total else overlap
        window = _fade(n, rise, fall)
        if event.action == "scratch":
            wave = _scratch(voice, event, speed, window, rng, rate)
        else:
            wave = _roll(voice, event, speed, window, rng, rate, start, turning)
        yield start, _held_below(wave[: limit - start], 10 ** ((voice.level_db - 1.0) / 20))
        if stop == total:
            return


def _held_below(wave: np.ndarray, ceiling: float) -> np.ndarray:
    """Rounds off the rare peaks above `ceiling`; leaves what is well below as it is."""
    return wave / (1.0 + (wave / np.float32(ceiling)) ** 4) ** np.float32(0.25)


def _add(out: np.ndarray, wave: np.ndarray, db: float) -> np.ndarray:
    if len(wave) > len(out):
        out = np.concatenate([out, np.zeros(len(wave) - len(out), np.float32)])
    out[: len(wave)] += wave * np.float32(10 ** (db / 20))
    return out


def _scratch(
    voice: Voice,
    event: SoundEvent,
    speed: np.ndarray,
    window: np.ndarray,
    rng: np.random.Generator,
    rate: int,
) -> np.ndarray:
    rubbing = voice.friction
    n = len(speed)
    speed = np.clip(speed * (0.35 + 0.65 * event.strength), 0, 1)
    pressed = window * _wander(n, 0.03, 0.3, rng, rate)
    noise = rub_noise(speed, rubbing.hz, rubbing.octaves, rng, rate) * pressed.astype(np.float32)
    taps = _taps(speed, rubbing.roughness, 2.2, rng, rate) * pressed.astype(np.float32)
    out = _add(np.zeros(n, np.float32), noise, rubbing.noise_db)
    centre = float(np.sqrt(rubbing.hz[0] * rubbing.hz[1]))
    if len(voice.mode_hz):
        excitation = noise * np.float32(0.7) + taps * np.float32(0.7)
        wave = _through_modes(voice, excitation, centre, rubbing.octaves, 12.0, rng, rate)
        out = _add(out, wave, rubbing.through_modes_db)
    if voice.grains is not None:
        out = _add(out, _stirred_grains(voice, speed, pressed, rng, rate), 0.0)
    if voice.bubbles is not None:
        wave = bubbles(voice.bubbles, float(speed.mean()), rng, rate, over_s=n / rate)
        out = _add(out, wave[: n + int(0.1 * rate)], 8.0)
    return out * np.float32(10 ** ((voice.level_db + rubbing.level_db + 4.0) / 20))


def _stirred_grains(
    voice: Voice, speed: np.ndarray, pressed: np.ndarray, rng: np.random.Generator, rate: int
) -> np.ndarray:
    """The material's grains set off along the way; about unit variance at full speed."""
    grains = voice.grains
    assert grains is not None
    n = len(speed)
    kernels = grain_kernels(grains, rng, rate)
    count = int(rng.poisson(grains.rate * n / rate))
    starts = rng.integers(n, size=count)
    kept = rng.random(count) < speed[starts]
    sizes = (grain_sizes(count, grains.exponent, rng, _LARGEST) * speed[starts] * pressed[starts])[kept]
    wave = sprinkle(starts[kept], sizes, kernels, n + kernels.shape[1], rng)
    return wave / np.float32(np.sqrt(size_power(grains.exponent, _LARGEST) * grains.rate / rate))


def _roll(
    voice: Voice,
    event: SoundEvent,
    speed: np.ndarray,
    window: np.ndarray,
    rng: np.random.Generator,
    rate: int,
    start: int,
    turning: np.ndarray,
) -> np.ndarray:
    """Rolling: micro-impacts and rumble, beating once a turn, faster when it rolls faster (Rath & Rocchesso
    2005).
    """
    rubbing = voice.friction
    n = len(speed)
    turns = (2.0 + 5.0 * turning[0]) * (1.4 - 0.8 * event.size)
    phase = 2 * np.pi * (turns * (start + np.arange(n)) / rate + turning[1])
    beat = 1.0 + 0.55 * np.sin(phase) + 0.2 * np.sin(2 * phase + 6.28 * turning[2])
    speed = np.clip(speed * (0.3 + 0.7 * event.strength), 0, 1)
    pressed = (window * beat * _wander(n, 0.06, 0.2, rng, rate)).astype(np.float32)
    low = (rubbing.hz[0] * 0.22, rubbing.hz[1] * 0.35)
    noise = rub_noise(speed, low, 2.2, rng, rate) * pressed
    taps = _taps(speed, 90.0, 1.8, rng, rate) * pressed
    out = _add(np.zeros(n, np.float32), noise, rubbing.noise_db - 3.0)
    if len(voice.mode_hz):
        excitation = noise * np.float32(0.6) + taps * np.float32(0.9)
        centre = float(np.sqrt(low[0] * low[1]))
        out = _add(
            out,
            _through_modes(voice, excitation, centre, 2.2, 6.0, rng, rate),
            2.0 + 0.5 * rubbing.through_modes_db,
        )
    else:
        rumble = rub_noise(speed, (120.0, 420.0), 2.0, rng, rate) * pressed
        out = _add(out, rumble, -2.0)
    if voice.grains is not None:
        out = _add(out, _stirred_grains(voice, speed, pressed.astype(np.float64), rng, rate), -1.0)
    if voice.bubbles is not None:
        wave = bubbles(voice.bubbles, float(speed.mean()), rng, rate, over_s=n / rate)
        out = _add(out, wave[: n + int(0.1 * rate)], 6.0)
    return out * np.float32(10 ** ((voice.level_db + rubbing.level_db + 3.0) / 20))
