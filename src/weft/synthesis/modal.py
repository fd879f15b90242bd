"""Sums of damped sinusoids, fast: the sound of everything that rings, and (when dense) of everything that
thuds.
"""

from __future__ import annotations

import numpy as np

SILENCE_NEPERS = 9.2
"""A mode is followed until it has fallen by 80 dB (9.2 nepers)."""


def ring_length(decay: np.ndarray, rate: int, limit: int) -> int:
    """Samples until the slowest of `decay` [K] (1/s) has fallen by 80 dB, at most `limit`."""
    if decay.size == 0:
        return 0
    return max(1, min(limit, int(np.ceil(SILENCE_NEPERS / float(decay.min()) * rate))))


def ring(
    hz: np.ndarray, decay: np.ndarray, gain: np.ndarray, phase: np.ndarray | float, n: int, rate: int
) -> np.ndarray:
    """sum_k gain_k exp(-decay_k t) sin(2 pi hz_k t + phase_k) for n samples -> float32 [n].

    hz, decay (1/s), gain: [K]; phase in radians [K] or one number. With t = (i M + j) / rate the sum is one
    product of a [n/M, 2K] and a [2K, M] matrix, so 60 modes over four seconds cost about a millisecond.
    """
    if n <= 0 or hz.size == 0:
        return np.zeros(max(n, 0), np.float32)
    keep = hz < 0.48 * rate
    pole = (-decay[keep] + 2j * np.pi * hz[keep]) / rate
    amplitude = gain[keep] * np.exp(1j * np.broadcast_to(np.asarray(phase, float), hz.shape)[keep])
    columns = 1 << max(5, int(np.ceil(np.log2(n) / 2)))
    rows = -(-n // columns)
    fine = amplitude[:, None] * np.exp(pole[:, None] * np.arange(columns))
    coarse = np.exp(np.outer(np.arange(rows) * columns, pole))
    left = np.concatenate([coarse.imag, coarse.real], axis=1).astype(np.float32)
    right = np.concatenate([fine.real, fine.imag], axis=0).astype(np.float32)
    return (left @ right).reshape(-1)[:n]


def contact_spectrum(hz: np.ndarray, contact_s: float) -> np.ndarray:
    """How much of a mode at `hz` a raised-cosine contact pulse of length `contact_s` excites, 0..1.

    |FT| of 1 - cos(2 pi t / T) on [0, T], divided by its value at 0, with the zeros filled in (no real pulse
    has them). A harder or faster blow is a shorter pulse and so a brighter sound (Hertz contact; Chaigne &
    Doutaut 1997).
    """
    x = np.asarray(hz) * contact_s
    return 1.0 / (1.0 + (x / 0.9) ** 2) ** 1.25


def partial_ratios(shape: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """Frequency ratios to the lowest mode [<= count], ascending, of an ideal body of this shape.

    bar: free-free Euler bar, 1 : 2.756 : 5.404 : 8.933 (Fletcher & Rossing 1998, eq. 2.63). plate: rectangle
    of random aspect, m^2 + (r n)^2 (ibid., eq. 3.13). shell: wine-glass bending modes ~ n^2 with split pairs
    (Rossing 1994). membrane: a box wall or panel under tension, sqrt(m^2 + (r n)^2). block: a solid, sqrt(l^2
    + m^2 + n^2).
    """
    if shape == "bar":
        k = np.arange(1, count + 1)
        ratios = ((2 * k + 1) / 3.0112) ** 2
        torsion = np.arange(1, count // 2 + 1) * rng.uniform(1.7, 2.4)
        ratios = np.concatenate([ratios, torsion])
    elif shape == "shell":
        n = np.arange(2, count + 2)
        ratios = (n**2 / 4.0) ** rng.uniform(0.94, 1.1)
        split = 1 + rng.uniform(0.002, 0.012, len(n))
        upper = ratios[: count // 2] * rng.uniform(2.6, 3.6)
        ratios = np.concatenate([ratios, ratios * split, upper])
    else:
        side = np.arange(1, int(np.ceil(np.sqrt(count))) * 2 + 2)
        aspect = rng.uniform(0.6, 1.9)
        squares = side[:, None] ** 2 + (aspect * side[None, :]) ** 2
        if shape == "block":
            squares = squares[:, :, None] + (rng.uniform(0.7, 1.5) * side[None, None, :]) ** 2
        ratios = squares.reshape(-1) if shape == "plate" else np.sqrt(squares.reshape(-1))
    ratios = np.sort(ratios * (1 + 0.012 * rng.standard_normal(ratios.size)))
    return (ratios / ratios[0])[:count]
