"""Showers of tiny sounds: stones, leaves, blades of grass, creasing paper and plastic, bubbles in water."""

from __future__ import annotations

import numpy as np
from scipy import fft

from weft.synthesis.materials import Bubbles, Grains

_KINDS = 12
_LARGEST = 30.0


def grain_kernels(grains: Grains, rng: np.random.Generator, rate: int) -> np.ndarray:
    """[12, n] float32: a dozen kinds of grain, each two short damped modes, unit energy."""
    span = np.log(grains.hz[1] / grains.hz[0])
    hz = grains.hz[0] * np.exp(span * rng.random((_KINDS, 1, 1))) * np.array([1.0, 1.0])[None, :, None]
    hz[:, 1:] *= rng.uniform(1.4, 2.6, (_KINDS, 1, 1))
    t60 = grains.t60[0] * (grains.t60[1] / grains.t60[0]) ** rng.random((_KINDS, 1, 1))
    n = int(1.35 * grains.t60[1] * rate) + 8
    t = np.arange(n) / rate
    waves = np.exp(-6.91 * t / t60) * np.sin(2 * np.pi * np.minimum(hz, 0.45 * rate) * t)
    waves[:, 1] *= 0.5
    kernels = waves.sum(axis=1)
    return (kernels / np.sqrt((kernels**2).sum(axis=1, keepdims=True) + 1e-12)).astype(np.float32)


def grain_sizes(
    count: int, exponent: float, rng: np.random.Generator, largest: float = _LARGEST
) -> np.ndarray:
    """`count` amplitudes with a power-law tail, 1 .. `largest`: many small, few large; signs at random."""
    sizes = np.minimum((1.0 - rng.random(count)) ** (-1.0 / exponent), largest)
    return sizes * np.where(rng.random(count) < 0.5, -1.0, 1.0)


def size_power(exponent: float, largest: float = _LARGEST) -> float:
    """Mean square of `grain_sizes`."""
    quantile = (np.arange(4096) + 0.5) / 4096
    return float(np.mean(np.minimum((1 - quantile) ** (-1.0 / exponent), largest) ** 2))


def sprinkle(
    starts: np.ndarray, sizes: np.ndarray, kernels: np.ndarray, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Grains of random kinds at sample positions `starts` -> float32 [n] (tails past n are cut)."""
    trains = np.zeros((len(kernels), n), np.float32)
    inside = (starts >= 0) & (starts < n)
    kinds = rng.integers(len(kernels), size=len(starts))
    np.add.at(trains, (kinds[inside], starts[inside]), sizes[inside].astype(np.float32))
    size = fft.next_fast_len(n + kernels.shape[1], real=True)
    spectrum = (fft.rfft(trains, size) * fft.rfft(kernels, size)).sum(axis=0)
    return fft.irfft(spectrum, size)[:n]


def shower(
    grains: Grains,
    strength: float,
    kernels: np.ndarray,
    rng: np.random.Generator,
    rate: int,
    spread_by: float = 1.0,
) -> np.ndarray:
    """What a blow sets off: the largest grain at once, the rest ever sparser -> float32 [n]."""
    spread = grains.spread[0] + (grains.spread[1] - grains.spread[0]) * rng.random()
    spread *= spread_by * (0.55 + 0.45 * strength)
    count = max(3, int(rng.poisson(grains.rate * spread * (0.4 + 0.6 * strength))))
    times = np.sort(rng.exponential(spread, count))
    times[0] = 0.0
    sizes = grain_sizes(count, grains.exponent, rng) * np.exp(-times / (1.1 * spread))
    # The blow itself moves most: what falls back later is smaller, so the onset stays the loudest moment.
    most = np.abs(sizes).max()
    later = times > 0.02
    sizes[later] = np.clip(sizes[later], -0.25 * most, 0.25 * most)
    sizes[0] = 1.3 * np.copysign(most, sizes[0])
    n = int(min(times[-1], 6 * spread) * rate) + kernels.shape[1]
    return sprinkle((times * rate).astype(int), sizes, kernels, n, rng)


def bubbles(
    cloud: Bubbles, strength: float, rng: np.random.Generator, rate: int, over_s: float | None = None
) -> np.ndarray:
    """Bubbles that open after a blow (or evenly `over_s` seconds of stirring) -> float32 [n].

    Minnaert 1933: f0 = 3.26 / r. van den Doel 2005: decay 0.13 / r + 0.0072 r^-1.5 (1/s, r in m), amplitude
    growing with r, pitch rising as f0 (1 + 0.1 decay t) while the bubble climbs to the surface.
    """
    spread = cloud.spread[0] + (cloud.spread[1] - cloud.spread[0]) * rng.random()
    if over_s is None:
        count = max(2, int(rng.poisson(cloud.count * (0.3 + 0.7 * strength))))
        times = 0.006 + rng.gamma(1.6, spread / 2.0, count)
        times[0] = rng.uniform(0.006, 0.02)
    else:
        count = max(2, int(rng.poisson(cloud.count * (0.3 + 0.7 * strength) * over_s / spread * 0.5)))
        times = rng.random(count) * over_s
    low, high = cloud.radius_mm
    radius = 1e-3 * (high - (high - low) * rng.random(count) ** 0.6)
    if over_s is None:
        radius[0] = 1e-3 * (low + (high - low) * rng.uniform(0.6, 1.0))
    decay = 0.13 / radius + 0.0072 * radius**-1.5
    f0 = 3.26 / radius
    n = int(min(0.25, 7.0 / decay.min()) * rate)
    t = np.arange(n, dtype=np.float32) / rate
    rise = 1 + np.minimum(0.1 * rng.random(count)[:, None] * decay[:, None] * t / 2, 1.0)
    phase = (2 * np.pi * f0[:, None] * t * rise).astype(np.float32)
    fade = np.minimum(t * 1500.0, 1.0)
    waves = np.exp(-decay[:, None].astype(np.float32) * t) * np.sin(phase) * fade
    loudness = radius / (1e-3 * high) * rng.random(count) ** 2.0
    if over_s is None:
        # The cavity the blow leaves closes into one main bubble; later ones are far smaller (Franz 1959).
        loudness *= 0.5 * np.exp(-times / spread)
        loudness[0] = 1.0
    waves *= loudness[:, None].astype(np.float32)
    starts = (times * rate).astype(int)
    out = np.zeros(int(starts.max()) + n, np.float32)
    for start, wave in zip(starts, waves, strict=True):
        out[start : start + n] += wave
    return out
