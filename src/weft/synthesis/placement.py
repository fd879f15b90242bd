"""Where a sound stands: pan to level and time differences between the ears, depth to level, air and room."""

from __future__ import annotations

from functools import cache

import numpy as np

NEAR_DB, FAR_DB = 1.5, -12.5
"""Gain of the near and of the far ear at |pan| = 1: a level difference of 14 dB, linear in pan."""
ITD_S = 0.00045
DEPTH_DB = -18.0
"""Direct sound over one unit of depth: depth 0.2 is 1 m, depth 1 about 5 m, and sound falls as 1 / distance.
"""
REFERENCE_DEPTH = 0.2
_SEND_DB = -6.0
_DULL_HZ = 3500.0

Curve = float | np.ndarray


def ear_gains(pan: Curve) -> tuple[Curve, Curve]:
    """Linear gains (left, right) at `pan`."""
    side = np.abs(pan)
    near, far = 10 ** (NEAR_DB * side / 20), 10 ** (FAR_DB * side / 20)
    right = np.asarray(pan) > 0
    return np.where(right, far, near), np.where(right, near, far)


def _delayed(wave: np.ndarray, delay: Curve, extra: int) -> np.ndarray:
    """wave later by `delay` samples -> [n + extra]."""
    out = np.zeros(len(wave) + extra, np.float32)
    if np.ndim(delay) == 0:
        whole = int(np.rint(float(delay)))
        out[whole : whole + len(wave)] = wave
        return out
    padded = np.pad(np.asarray(delay), (0, len(out) - len(wave)), mode="edge")
    position = np.arange(len(out)) - padded
    return np.interp(position, np.arange(len(wave)), wave, left=0.0, right=0.0).astype(np.float32)


@cache
def _shadow(rate: int) -> np.ndarray:
    """The response of a low-pass of one pole, to where it has died away (below 1e-8)."""
    pole = np.exp(-2 * np.pi * _DULL_HZ / rate)
    length = int(np.ceil(np.log(1e-8) / np.log(pole)))
    return ((1 - pole) * pole ** np.arange(length)).astype(np.float32)


def place(wave: np.ndarray, pan: Curve, depth: Curve, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Mono [n] at `pan`, `depth` (numbers, or curves [n] for a source that moves) -> direct [2, m] and room
    send [2, m].

    The near ear hears the first sample at once (the travel time of sound is left out, as Foley is cut to the
    picture); the far ear up to 0.45 ms later, quieter and, by the head's shadow, duller. Depth also dulls
    (air) and raises the room's share.
    """
    extra = int(np.ceil(ITD_S * rate)) + 1
    dull = np.convolve(wave.astype(np.float32), _shadow(rate))[: len(wave)]
    direct_db = DEPTH_DB * (np.asarray(depth) - REFERENCE_DEPTH)
    loss = 10 ** (direct_db / 20)
    send_loss = 10 ** ((0.4 * direct_db + _SEND_DB) / 20)
    ears = np.empty((2, len(wave) + extra), np.float32)
    send = np.zeros_like(ears)
    for channel, (sign, gain) in enumerate(zip((1.0, -1.0), ear_gains(pan), strict=True)):
        away = np.maximum(sign * np.asarray(pan), 0.0)
        share = np.clip(0.5 * away + 0.3 * np.asarray(depth), 0.0, 0.9)
        heard = wave + share * (dull - wave)
        ears[channel] = _delayed((heard * (gain * loss)).astype(np.float32), ITD_S * rate * away, extra)
        send[channel, : len(wave)] = heard * (send_loss * np.sqrt(gain))
    return ears, send
