"""Random sounds to train a codec on, with no recording among them.

`physical` plays random events on weft's synthesiser. `wild` goes far beyond it, so that real recordings are
carried too: noises of every colour and motion, tones, voices, grains, bubbles, hums, their mixtures in
rooms, and what recorders and file formats do to them. Every function is pure in its random generator.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import signal

RATE = 44100
Rng = np.random.Generator


def training_sound(seed: int, duration: float = 4.0, *, physical_share: float = 0.5) -> np.ndarray:
    """Return the training sound of `seed`: float32 `[2, round(duration * 44100)]` in -1..1."""
    rng = np.random.default_rng([20261, seed])
    pick = rng.random()
    sound = physical(duration, rng) if pick < physical_share else wild(duration, rng)
    if pick < 0.25 * physical_share:  # a struck thing over a bed of something else
        sound = sound + wild(duration, rng) * rng.uniform(0.02, 0.5)
        sound = recorded(sound, rng)
    return np.clip(sound, -1, 1).astype(np.float32)


def physical(duration: float, rng: Rng) -> np.ndarray:
    """Random events of any material, action, place and room, on the synthesiser. `[2, N]`."""
    from weft.cues.vocabulary import ACTIONS, MATERIALS
    from weft.synthesis import SoundEvent, render

    events = []
    kinds = rng.choice(len(MATERIALS), int(rng.integers(1, 4)))
    pan, depth = rng.uniform(-1, 1), rng.uniform(0, 1)
    for _ in range(int(rng.integers(1, 12))):
        action = ACTIONS[int(rng.integers(len(ACTIONS)))]
        kind = int(rng.choice(kinds))
        pan = float(np.clip(pan + rng.normal() * 0.3, -1, 1))
        events.append(
            SoundEvent(
                t=float(rng.uniform(0, duration)),
                strength=float(rng.uniform(0.03, 1)),
                material=MATERIALS[kind],
                action=action,
                duration=float(rng.uniform(0.1, 1.5)) if action in ("scratch", "roll") else 0.0,
                pan=pan,
                depth=float(np.clip(depth + rng.normal() * 0.1, 0, 1)),
                size=float(rng.uniform(0, 1)),
                track=f"{kind}",
            )
        )
    sound = render(events, duration, seed=int(rng.integers(2**31))).astype(np.float64)
    if rng.random() < 0.5:
        sound = sound * 10 ** (rng.uniform(-30, 6) / 20)
    return np.clip(sound, -1, 1)


def wild(duration: float, rng: Rng) -> np.ndarray:
    """One to four sources of any kind, placed, in a room or none, recorded well or badly. `[2, N]`."""
    n = round(duration * RATE)
    total = np.zeros((2, n))
    for _ in range(1 + int(rng.choice(4, p=[0.4, 0.3, 0.2, 0.1]))):
        source = SOURCES[int(rng.integers(len(SOURCES)))]
        mono = source(n, rng)
        other = source(n, rng) if rng.random() < 0.15 else None  # wide: two different sounds, left and right
        placed = place(mono, other, rng)
        total += placed / (np.abs(placed).max() + 1e-9) * 10 ** (-rng.uniform(0, 30) / 20)
    if rng.random() < 0.4:
        total = room(total, rng)
    return recorded(total, rng)


# Envelopes


def envelope(n: int, rng: Rng) -> np.ndarray:
    """A random loudness over time, 0..1: steady, wandering, pulsing, bursts or a single swell."""
    t = np.arange(n) / RATE
    kind = int(rng.integers(6))
    if kind == 0:
        return np.ones(n)
    if kind == 1:  # wandering, over up to 40 dB
        return np.exp(wander(n, rng, rng.uniform(0.5, 20)) * rng.uniform(0.3, 2.0)).clip(0, 20) / 8
    if kind == 2:  # pulsing
        pulse = 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.5, 30) * t + rng.uniform(0, 6.3))
        return pulse ** rng.uniform(0.3, 6)
    out = np.zeros(n)
    count = 1 if kind == 3 else int(rng.integers(2, 14))
    regular = rng.random() < 0.4
    for k in range(count):
        at = (k + 0.3) / count if regular else rng.uniform(0, 0.95)
        start = int(at * n)
        attack = max(1, int(RATE * 10 ** rng.uniform(-4, -0.8)))
        decay = RATE * 10 ** rng.uniform(-2.3, 0.2)
        rest = np.arange(n - start)
        shape = np.minimum(1, rest / attack) * np.exp(-np.maximum(0, rest - attack) / decay)
        if kind == 5:  # gated: on, then off
            shape = ((rest > 0) & (rest < decay * 2)).astype(float)
            shape = np.convolve(shape, np.hanning(64) / 32, "same")
        out[start:] += shape * 10 ** (-rng.uniform(0, 25) / 20)
    return out


def wander(n: int, rng: Rng, rate_hz: float) -> np.ndarray:
    """Smooth noise of unit size that turns about `rate_hz` times a second."""
    knots = max(4, int(n / RATE * rate_hz) + 3)
    return np.interp(np.linspace(0, knots - 1, n), np.arange(knots), rng.normal(size=knots))


# Sources: each returns mono `[n]`


def coloured_noise(n: int, rng: Rng) -> np.ndarray:
    """Noise of a random colour with random humps and notches, sometimes a moving one."""
    noise = equalise(rng.normal(size=n), rng, tilt=rng.uniform(-9, 3), humps=rng.uniform(0, 14))
    if rng.random() < 0.3:
        noise = 0.2 * noise + moving_band(n, rng)
    return noise * envelope(n, rng)


def moving_band(n: int, rng: Rng) -> np.ndarray:
    """Noise around a frequency that wanders, by ring modulation of low-passed noise."""
    width = 10 ** rng.uniform(1.3, 3.3)
    base = signal.sosfilt(signal.butter(2, width, fs=RATE, output="sos"), rng.normal(size=n))
    pitch = 10 ** (rng.uniform(2.3, 3.9) + 0.25 * wander(n, rng, 2))
    return base / (base.std() + 1e-9) * np.cos(2 * np.pi * np.cumsum(pitch) / RATE)


def voice(n: int, rng: Rng) -> np.ndarray:
    """A harmonic complex with vibrato, glides, formants and breath: speech, animals, strings, engines."""
    f0 = 10 ** rng.uniform(1.5, 3.2)
    t = np.arange(n) / RATE
    vibrato = rng.uniform(0, 0.03) * np.sin(2 * np.pi * rng.uniform(3, 8) * t)
    pitch = f0 * 2 ** (rng.uniform(0, 0.6) * wander(n, rng, rng.uniform(0.5, 6)) + vibrato)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    formants = 10 ** rng.uniform(2.4, 3.7, size=4)
    spread = rng.uniform(0.08, 0.4)
    tilt = rng.uniform(0.3, 1.6)
    out = np.zeros(n)
    top = min(50, int(16000 / f0))
    moving = 2 ** (0.3 * wander(n, rng, 4)[::64])
    for k in range(1, top + 1):
        f = k * f0 * moving
        gain = np.exp(-0.5 * (np.log10(np.maximum(f, 1)[:, None] / formants) / spread) ** 2).sum(1) + 0.02
        out += np.interp(t, t[::64], gain) * k**-tilt * np.sin(k * phase)
    out *= 1 + rng.uniform(0, 0.5) * wander(n, rng, 60)
    breath = equalise(rng.normal(size=n), rng, tilt=-3, humps=8) * out.std() * rng.uniform(0, 0.3)
    return (out + breath) * envelope(n, rng)


def tone(n: int, rng: Rng) -> np.ndarray:
    """Chirps and frequency-modulated tones."""
    pitch = 10 ** (rng.uniform(1.6, 3.9) + rng.uniform(0, 0.5) * wander(n, rng, rng.uniform(0.3, 8)))
    phase = 2 * np.pi * np.cumsum(pitch.clip(20, 18000)) / RATE
    index = rng.uniform(0, 4) * (rng.random() < 0.6)
    return np.sin(phase + index * np.sin(phase * rng.choice([0.5, 1, 1.41, 2, 3.7]))) * envelope(n, rng)


def struck(n: int, rng: Rng) -> np.ndarray:
    """Blows on a random body: inharmonic damped partials and a noisy knock."""
    length = int(RATE * rng.uniform(0.2, 2.5))
    t = np.arange(length) / RATE
    count = int(rng.integers(1, 30))
    freqs = np.sort(10 ** rng.uniform(1.7, 4.1, size=count))
    damping = 10 ** rng.uniform(0.3, 2.0) * (1 + (freqs / 3000) ** rng.uniform(0.3, 1.6))
    gains = rng.exponential(size=count) * (freqs / 300) ** -rng.uniform(0, 1)
    body = np.zeros(length)
    for f, d, g in zip(freqs, damping, gains, strict=True):
        body += g * np.exp(-d * t) * np.sin(2 * np.pi * f * t)
    knock = equalise(rng.normal(size=length), rng, tilt=rng.uniform(-9, 0), humps=10)
    knock *= np.exp(-t * 10 ** rng.uniform(1, 3))
    body = body / (np.abs(body).max() + 1e-9) + knock / (np.abs(knock).max() + 1e-9) * rng.uniform(0, 1.5)
    hits = impulses(n, rng, rate_hz=10 ** rng.uniform(-0.3, 1.2))
    hits = signal.convolve(hits, np.hanning(int(rng.integers(1, 120)) + 2))[:n]
    return signal.fftconvolve(hits, body)[:n]


def grains(n: int, rng: Rng) -> np.ndarray:
    """Crowds of tiny events: gravel, leaves, rain, crackle, fire, applause."""
    length = int(RATE * 10 ** rng.uniform(-3, -1.2))
    t = np.arange(length) / RATE
    out = np.zeros(n)
    density = 10 ** rng.uniform(0.5, 3.3)
    swell = envelope(n, rng)
    for _ in range(3):
        grain = equalise(rng.normal(size=length), rng, tilt=rng.uniform(-6, 3), humps=12, least=256)
        grain *= np.exp(-t / (length / RATE) * rng.uniform(3, 9))
        out += signal.fftconvolve(impulses(n, rng, rate_hz=density / 3) * swell, grain)[:n]
    return out


def bubbles(n: int, rng: Rng) -> np.ndarray:
    """Rising damped sinusoids, one or many (Van den Doel 2005): drips, pouring, boiling."""
    out = np.zeros(n)
    for _ in range(int(10 ** rng.uniform(0.3, 2.3))):
        start, length = int(rng.uniform(0, n * 0.98)), int(RATE * rng.uniform(0.01, 0.15))
        t = np.arange(min(length, n - start)) / RATE
        f, rise = 10 ** rng.uniform(2.3, 3.8), rng.uniform(0, 8)
        shape = np.minimum(1, t * 2000) * np.exp(-t * rng.uniform(20, 150))
        out[start : start + len(t)] += rng.exponential() * shape * np.sin(2 * np.pi * f * (t + rise * t * t))
    return out


def hum(n: int, rng: Rng) -> np.ndarray:
    """Mains, motors and fans: steady harmonics with a bed of noise."""
    t = np.arange(n) / RATE
    f0 = rng.choice([50.0, 60.0, 10 ** rng.uniform(1.3, 2.6)]) * (1 + 0.003 * wander(n, rng, 3))
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    count = int(rng.integers(2, 40))
    out = np.zeros(n)
    for k in range(1, count):
        out += rng.exponential() * k ** -rng.uniform(0.3, 1.5) * np.sin(k * phase + rng.uniform(0, 6.3))
    out *= 1 + rng.uniform(0, 0.4) * np.sin(2 * np.pi * rng.uniform(0.2, 12) * t)
    bed = equalise(rng.normal(size=n), rng, tilt=rng.uniform(-9, -2), humps=8)
    return out / (out.std() + 1e-9) + bed / (bed.std() + 1e-9) * rng.uniform(0, 1.5)


def clicks(n: int, rng: Rng) -> np.ndarray:
    """Bare impulses, ticks and pulse trains through a random filter."""
    return equalise(impulses(n, rng, rate_hz=10 ** rng.uniform(0, 2)), rng, tilt=rng.uniform(-6, 2), humps=8)


SOURCES: tuple[Callable[[int, Rng], np.ndarray], ...] = (
    coloured_noise,
    coloured_noise,
    voice,
    voice,
    tone,
    struck,
    struck,
    grains,
    grains,
    bubbles,
    hum,
    clicks,
)


# What happens to a sound on its way


def impulses(n: int, rng: Rng, *, rate_hz: float) -> np.ndarray:
    """Impulses of random size at random or regular times, `rate_hz` of them a second on average."""
    out = np.zeros(n)
    count = max(1, int(rng.poisson(rate_hz * n / RATE)))
    places = rng.uniform(0, n - 1, count) if rng.random() < 0.7 else np.arange(count) * (n - 1) / count
    np.add.at(out, places.astype(int), rng.choice([-1, 1], count) * 10 ** (-rng.uniform(0, 1.2, count)))
    return out


def equalise(x: np.ndarray, rng: Rng, *, tilt: float, humps: float, least: int = 16) -> np.ndarray:
    """Filter by a random curve: `tilt` dB an octave, and a smooth random part of `humps` dB. `[..., n]`."""
    size = max(x.shape[-1], least)
    freqs = np.fft.rfftfreq(size, 1 / RATE)
    octaves = np.log2(np.maximum(freqs, 20) / 1000)
    knots = np.linspace(-6, 5, int(rng.integers(6, 24)))
    curve = tilt * octaves + humps * np.interp(octaves, knots, rng.normal(size=len(knots)))
    gain = 10 ** (np.clip(curve, -90, 50) / 20)
    return np.fft.irfft(np.fft.rfft(x, size) * gain, size)[..., : x.shape[-1]]


def place(mono: np.ndarray, other: np.ndarray | None, rng: Rng) -> np.ndarray:
    """Place a source between the ears: `[n]` to `[2, n]` by level and delay, still or moving, or wide."""
    n = len(mono)
    kind = int(rng.integers(6))
    if other is not None:
        return np.stack([mono, other])
    if kind == 0:
        return np.stack([mono, mono])
    if kind == 1:  # decorrelated: each ear hears its own phases
        turn = np.exp(1j * rng.normal(size=n // 2 + 1) * rng.uniform(0.2, 3))
        right = np.fft.irfft(np.fft.rfft(mono) * turn, n) * 10 ** (rng.normal() * 3 / 20)
        return np.stack([mono, right])
    pan = rng.uniform(-1, 1) + (wander(n, rng, rng.uniform(0.3, 2)) * 0.6 if kind >= 4 else np.zeros(n))
    angle = (np.clip(pan, -1, 1) + 1) * np.pi / 4
    left, right = mono * np.cos(angle), mono * np.sin(angle)
    delay = int(rng.integers(0, 40)) if rng.random() < 0.5 else 0
    if delay:
        left, right = (left, np.roll(right, delay)) if pan.mean() < 0 else (np.roll(left, delay), right)
    return np.stack([left, right])


def room(sound: np.ndarray, rng: Rng) -> np.ndarray:
    """Add a decaying, coloured tail, different in each ear."""
    length = int(RATE * rng.uniform(0.1, 1.8))
    decay = np.exp(-np.arange(length) / RATE * 6.9 / rng.uniform(0.1, 1.8))
    tail = equalise(rng.normal(size=(2, length)), rng, tilt=rng.uniform(-6, 0), humps=4) * decay
    wet = signal.fftconvolve(sound, tail, axes=1)[:, : sound.shape[1]]
    return sound + wet * (np.abs(sound).max() / (np.abs(wet).max() + 1e-9) * 10 ** (-rng.uniform(3, 30) / 20))


def recorded(sound: np.ndarray, rng: Rng) -> np.ndarray:
    """What a recorder, an editor and a file format do: colour, noise floor, saturation, bandwidth, holes,
    level."""
    sound = sound / (np.abs(sound).max() + 1e-9)
    if rng.random() < 0.5:
        sound = equalise(sound, rng, tilt=rng.uniform(-2, 2), humps=3)
        sound = sound / (np.abs(sound).max() + 1e-9)
    if rng.random() < 0.2:
        sound = np.tanh(sound * rng.uniform(1, 6))
    if rng.random() < 0.5:
        floor = equalise(rng.normal(size=sound.shape), rng, tilt=rng.uniform(-6, 0), humps=4)
        if rng.random() < 0.5:
            floor = floor[:1] + np.zeros((2, 1))
        sound = sound + floor / (floor.std() + 1e-9) * 10 ** (-rng.uniform(25, 75) / 20)
    if rng.random() < 0.25:
        sound = holes(sound, rng)
    if rng.random() < 0.35:  # steep: what a lossy encoder or a low sampling rate leaves
        edge = float(rng.choice([rng.uniform(3000, 20000), 16000, 15000, 11025, 8000]))
        sos = signal.butter(10, min(edge, 20500), fs=RATE, output="sos")
        sound = signal.sosfilt(sos, sound, axis=1)
    if rng.random() < 0.15:
        sound = np.repeat(sound.mean(0, keepdims=True), 2, 0)
    if rng.random() < 0.03:
        sound = sound * np.array([[1.0], [0.0]])[:: int(rng.choice([-1, 1]))]
    peak = 10 ** (-(rng.uniform(0, 12) if rng.random() < 0.6 else rng.uniform(0, 50)) / 20)
    sound = sound / (np.abs(sound).max() + 1e-9) * peak
    if rng.random() < 0.08:
        sound = np.clip(sound * rng.uniform(1, 4), -0.98, 0.98)
    if rng.random() < 0.12:  # digital silence before or after
        cut = int(rng.uniform(0.1, 0.9) * sound.shape[1])
        sound[:, cut:] = 0
        sound = sound[:, :: int(rng.choice([-1, 1]))]
    return sound


def holes(sound: np.ndarray, rng: Rng) -> np.ndarray:
    """Drop what a lossy encoder would: bins far below their frame's loudest neighbours."""
    _, _, spectrum = signal.stft(sound, RATE, nperseg=1024)
    level = np.abs(spectrum)
    mask = level > level.max(1, keepdims=True) * 10 ** (-rng.uniform(25, 60) / 20)
    _, out = signal.istft(spectrum * mask, RATE, nperseg=1024)
    return out[:, : sound.shape[1]]
