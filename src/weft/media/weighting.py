"""K-weighting, the ear's part of loudness (ITU-R BS.1770-4, annex 1): a shelf for the head and a high-pass, by blocks.

The two recursions are run as one convolution with their response, which has died away (below 1e-14) when it is cut:
a recursive filter would have to be imported with all of scipy.signal, most of a second of a command's start.
"""

from __future__ import annotations

from math import ceil, cos, log2, pi, sin, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SHELF_HZ, SHELF_DB, SHELF_Q = 1500.0, 4.0, 1 / sqrt(2)
HIGH_PASS_HZ, HIGH_PASS_Q = 38.0, 0.5
_RINGS_S = 0.17
"""The high-pass, both of its poles at 38 Hz, rings for so long."""


class KWeighting:
    """The filter of a stream: `add` its blocks in order. Coefficients as pyloudnorm's, for any rate in Hz."""

    def __init__(self, rate: int) -> None:
        self.taps = response(rate)
        self.before: Floats | None = None

    def add(self, block: np.ndarray) -> Floats:
        """The weighted sound `[C, n]` of float `[C, n]`, no later and as long."""
        reach = len(self.taps) - 1
        if self.before is None:
            self.before = np.zeros((block.shape[0], reach))
        joined = np.concatenate([self.before, block.astype(np.float64)], axis=1)
        self.before = joined[:, joined.shape[1] - reach :]
        size = 2 ** ceil(log2(joined.shape[1]))
        spectrum = np.fft.rfft(joined, size) * np.fft.rfft(self.taps, size)
        weighted: Floats = np.fft.irfft(spectrum, size)[:, reach : joined.shape[1]]
        return weighted


def response(rate: int) -> Floats:
    """The impulse response of both filters at `rate` Hz, to where it has died away."""
    size = 2 ** ceil(log2(8 * _RINGS_S * rate))
    turn = np.exp(-1j * np.linspace(0, pi, size // 2 + 1))
    whole = np.ones(len(turn), np.complex128)
    for above, below in (_shelf(rate), _high_pass(rate)):
        whole *= np.polynomial.polynomial.polyval(turn, above) / np.polynomial.polynomial.polyval(turn, below)
    taps: Floats = np.fft.irfft(whole, size)[: ceil(_RINGS_S * rate)]
    return taps


def _shelf(rate: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    gain, turn = 10 ** (SHELF_DB / 40), 2 * pi * SHELF_HZ / rate
    alpha, c = sin(turn) / (2 * SHELF_Q), cos(turn)
    edge = 2 * sqrt(gain) * alpha
    above = (
        gain * (gain + 1 + (gain - 1) * c + edge),
        -2 * gain * (gain - 1 + (gain + 1) * c),
        gain * (gain + 1 + (gain - 1) * c - edge),
    )
    return above, (
        gain + 1 - (gain - 1) * c + edge,
        2 * (gain - 1 - (gain + 1) * c),
        gain + 1 - (gain - 1) * c - edge,
    )


def _high_pass(rate: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    turn = 2 * pi * HIGH_PASS_HZ / rate
    alpha, c = sin(turn) / (2 * HIGH_PASS_Q), cos(turn)
    return ((1 + c) / 2, -(1 + c), (1 + c) / 2), (1 + alpha, -2 * c, 1 - alpha)
