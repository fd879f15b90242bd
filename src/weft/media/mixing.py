"""The file's own sound under a new one: added, or added and ducked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

Original = Literal["replace", "keep", "mix", "duck"]

DUCK_DB = -12.0
_KNEE = 10 ** (-50 / 20), 10 ** (-30 / 20)  # the new sound's level where ducking begins and where it is full
_HOP = 64
_ATTACK_S, _RELEASE_S = 0.01, 0.3


def mixed(new: Iterator[np.ndarray], own: Iterator[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    """new + own, both blocks `[C, n]` of equal total length, cut in any way."""
    for a, b in _paired(new, own):
        yield a + b


def ducked(new: Iterator[np.ndarray], own: Iterator[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    """new + own lowered by up to 12 dB while `new` is heard (from -50 dBFS on, fully from -30 dBFS).

    The gain follows the new sound's peak in steps of 64 samples, down within about 10 ms, up within about 300
    ms.
    """
    follow = _Follower(rate)
    for a, b in _paired(new, own):
        yield a + b * follow(np.abs(a).max(axis=0))


class _Follower:
    def __init__(self, rate: int) -> None:
        self.fall = 1 - np.exp(-_HOP / (_ATTACK_S * rate))
        self.rise = 1 - np.exp(-_HOP / (_RELEASE_S * rate))
        self.gain_db = 0.0
        self.held = np.zeros(0, np.float32)

    def __call__(self, level: np.ndarray) -> np.ndarray:
        """Gain `[n]` for the new sound's magnitude `[n]`."""
        hops = -(-len(level) // _HOP)
        peaks = np.pad(level, (0, hops * _HOP - len(level))).reshape(hops, _HOP).max(axis=1)
        low, high = np.log(_KNEE[0]), np.log(_KNEE[1])
        wanted = DUCK_DB * np.clip((np.log(np.maximum(peaks, 1e-9)) - low) / (high - low), 0, 1)
        curve = np.empty(hops + 1)
        curve[0] = self.gain_db
        for i, target in enumerate(wanted.tolist()):
            step = self.fall if target < curve[i] else self.rise
            curve[i + 1] = curve[i] + step * (target - curve[i])
        self.gain_db = float(curve[-1])
        smooth = np.interp(np.arange(len(level)), np.arange(hops + 1) * _HOP, curve)
        return (10 ** (smooth / 20)).astype(np.float32)


def _paired(a: Iterator[np.ndarray], b: Iterator[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Blocks of the two, cut alike; ends with `a`, silence where `b` has ended."""
    rest = np.zeros((0, 0), np.float32)
    for block in a:
        while block.shape[1]:
            if rest.shape[1] == 0:
                rest = next(b, np.zeros_like(block))
            n = min(block.shape[1], rest.shape[1])
            if n:
                yield block[:, :n], rest[:, :n]
            block, rest = block[:, n:], rest[:, n:]
