"""Blows: a stick's hit, a foot's step, a landing object. Each begins exactly at its first sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft

from weft.synthesis.granular import bubbles, grain_kernels, shower
from weft.synthesis.modal import contact_spectrum, ring, ring_length
from weft.synthesis.seeds import log_uniform
from weft.synthesis.voice import Voice

_THUMP_HZ = 600.0
_LONGEST_S = 6.0
_ATTACK_S = 0.0012


@dataclass(frozen=True, kw_only=True)
class Blow:
    """How something lands. Factors are against a bare stick's hit."""

    contact: float = 1.0
    damping: float = 1.0
    extra_decay: float = 0.0
    modes_db: float = 0.0
    body_db: float = 0.0
    grains_db: float = 0.0
    spread: float = 1.0
    stick: bool = False
    thump_db: float | None = None


_BLOWS = {
    "hit": Blow(stick=True),
    "bounce": Blow(contact=1.4, damping=0.8, body_db=-2.0),
    "heel": Blow(
        contact=2.5, damping=2.0, extra_decay=25.0, modes_db=-7.0, grains_db=1.0, spread=0.8, thump_db=-5.0
    ),
    "toe": Blow(
        contact=4.0, damping=2.5, extra_decay=35.0, modes_db=-9.0, grains_db=3.0, spread=1.0, thump_db=-11.0
    ),
}


def _peaked(wave: np.ndarray, db: float) -> np.ndarray:
    peak = float(np.abs(wave).max(initial=0.0))
    return wave * np.float32(10 ** (db / 20) / peak) if peak > 0 else wave


def _mix(parts: list[np.ndarray]) -> np.ndarray:
    out = np.zeros(max(len(part) for part in parts), np.float32)
    for part in parts:
        out[: len(part)] += part
    return out


def _modes(
    voice: Voice, blow: Blow, contact_s: float, rng: np.random.Generator, rate: int, limit: int
) -> np.ndarray:
    place = rng.random()
    order = np.arange(len(voice.mode_hz))
    shape = 0.12 + np.abs(np.cos(np.pi * (order + 1) * place + 2.399 * order))
    gain = voice.mode_gain * shape**voice.position_spread
    gain *= contact_spectrum(voice.mode_hz, contact_s)
    decay = voice.mode_decay * blow.damping + blow.extra_decay
    loud = gain > gain.max() * 1e-3
    n = ring_length(decay[loud], rate, min(limit, int(_LONGEST_S * rate)))
    return ring(voice.mode_hz[loud], decay[loud], gain[loud], 0.0, n, rate)


def dense(
    hz: np.ndarray,
    db: np.ndarray,
    t60: np.ndarray,
    brightness: np.ndarray | None,
    rng: np.random.Generator,
    rate: int,
) -> np.ndarray:
    """A thud or a hiss with the spectrum (dB per octave) and the T60 (s) of the anchors -> float32 [n].

    Below 600 Hz, 16 modes an octave (a thump is not noise: it starts at once); above, noise in bands around
    the anchors, each with its own decay, as only thousands of modes would not ring there.
    """
    log_hz = np.log2(hz)
    level = db if brightness is None else db + 20 * np.log10(np.maximum(brightness, 1e-6))
    slow = 6.91 / t60.max()
    n = ring_length(np.array([slow]), rate, int(_LONGEST_S * rate))
    wave = np.zeros(n, np.float32)
    split = np.log2(_THUMP_HZ)
    if log_hz[0] - 0.4 < split:
        per_octave = 16
        low = np.arange(log_hz[0] - 0.4, min(split, log_hz[-1] + 0.3), 1 / per_octave)
        drawn = low + rng.uniform(-0.5, 0.5, len(low)) / per_octave
        gain = 10 ** (np.interp(drawn, log_hz, level) / 20) * rng.standard_normal(len(low))
        gain *= np.sqrt(2 / per_octave)
        decay = 6.91 / 2 ** np.interp(drawn, log_hz, np.log2(t60))
        m = ring_length(decay, rate, n)
        wave[:m] += ring(2**drawn, decay, gain, 0.0, m, rate)
    for anchor in range(len(hz)):
        if anchor + 1 < len(hz) and log_hz[anchor + 1] < split:
            continue
        m = ring_length(np.array([6.91 / t60[anchor]]), rate, n)
        wave[:m] += _band_noise(log_hz, level, anchor, m, rng, rate) * np.exp(
            -6.91 / t60[anchor] / rate * np.arange(m, dtype=np.float32)
        )
    attack = max(2, int(_ATTACK_S * rate))
    wave[:attack] *= np.sqrt(np.linspace(0.08, 1.0, attack, dtype=np.float32))[: len(wave)]
    return wave


def _band_noise(
    log_hz: np.ndarray, level: np.ndarray, anchor: int, n: int, rng: np.random.Generator, rate: int
) -> np.ndarray:
    """Stationary noise of the anchor's share of the spectrum above the thump: triangles over log f, power adds to 1."""
    size = fft.next_fast_len(max(n, 64), real=True)
    bins = size // 2 + 1
    freqs = np.arange(bins) * (rate / size)
    octave = np.log2(np.maximum(freqs, rate / size))
    share = np.interp(octave, log_hz, np.eye(len(log_hz))[anchor])
    fade = np.clip((octave - np.log2(_THUMP_HZ)) * 4, 0, 1) * np.clip((log_hz[-1] + 0.6 - octave) / 0.6, 0, 1)
    per_octave = 10 ** (np.interp(octave, log_hz, level) / 10)
    density = per_octave / (np.maximum(freqs, rate / size) * np.log(2))
    shape = np.sqrt(share * fade * density * (rate / 2)).astype(np.float32) * np.float32(np.sqrt(size / 2))
    real, imaginary = rng.standard_normal((2, bins), dtype=np.float32)
    return fft.irfft((real + 1j * imaginary) * shape, size)[:n]


def blow(
    voice: Voice,
    kind: str,
    strength: float,
    stick: tuple[np.ndarray, np.ndarray, np.ndarray],
    rng: np.random.Generator,
    rate: int,
    limit: int,
) -> np.ndarray:
    """One contact -> mono float32 [<= limit] whose peak is the voice's level times `strength`."""
    how = _BLOWS[kind]
    # Hertz: contact time falls as v^-0.2; a little more here, as felt tips and skins stiffen when pressed.
    softest = voice.contact_s * how.contact
    contact_s = softest * max(strength, 0.02) ** -0.35
    parts: list[np.ndarray] = []
    if len(voice.mode_hz):
        parts.append(_peaked(_modes(voice, how, contact_s, rng, rate, limit), voice.modes_db + how.modes_db))
    if len(voice.body_hz):
        duller = contact_spectrum(voice.body_hz, contact_s) / contact_spectrum(voice.body_hz, voice.contact_s)
        wave = dense(voice.body_hz, voice.body_db, voice.body_t60, duller, rng, rate)
        parts.append(_peaked(wave, voice.body_total_db + how.body_db))
    if how.thump_db is not None:
        hz = np.array([55.0, 95.0, 180.0, 400.0]) * log_uniform(rng, 0.85, 1.2)
        wave = dense(
            hz, np.array([-6.0, 0.0, -6.0, -16.0]), np.array([0.09, 0.08, 0.05, 0.02]), None, rng, rate
        )
        parts.append(_peaked(wave, how.thump_db))
    if voice.grains is not None:
        kernels = grain_kernels(voice.grains, rng, rate)
        wave = shower(voice.grains, strength, kernels, rng, rate, how.spread)
        parts.append(_peaked(wave, voice.grains.level_db + how.grains_db))
    if voice.bubbles is not None:
        parts.append(_peaked(bubbles(voice.bubbles, strength, rng, rate), voice.bubbles.level_db))
    if how.stick:
        hz, decay, gain = stick
        tap = gain * contact_spectrum(hz, contact_s) * (0.4 + rng.random(len(hz)))
        parts.append(_peaked(ring(hz, decay, tap, 0.0, int(0.06 * rate), rate), voice.stick_db))
    wave = _mix(parts)[:limit]
    return _peaked(wave, voice.level_db + 20 * np.log10(max(strength, 1e-4)) + rng.uniform(-0.8, 0.8))


def step(
    voice: Voice,
    strength: float,
    stick: tuple[np.ndarray, np.ndarray, np.ndarray],
    rng: np.random.Generator,
    rate: int,
    limit: int,
) -> np.ndarray:
    """A footstep: the heel at the first sample, the toe 60..130 ms later, sooner and louder when the foot
    hurries.
    """
    heel = blow(voice, "heel", strength, stick, rng, rate, limit)
    gap = (0.13 - 0.06 * strength) * rng.uniform(0.85, 1.15)
    start = int(gap * rate)
    parts = [heel]
    if start < limit:
        toe = blow(voice, "toe", strength * rng.uniform(0.18, 0.36), stick, rng, rate, limit - start)
        parts.append(np.concatenate([np.zeros(start, np.float32), toe]))
    return _mix(parts) * np.float32(10 ** (-2.0 / 20))
