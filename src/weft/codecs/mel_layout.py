"""How a log-mel spectrogram is laid out: its frames in time, its bands in frequency, its unit.

Enough to say what a spectrogram of another layout holds of the same sound (`weft.codecs.mel_bridge`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from weft.codecs.mel_front import MelFront, triangles

Unit = Literal["natural", "decimal", "decibel"]
PER_NEPER: dict[Unit, float] = {
    "natural": 1.0,
    "decimal": 1 / math.log(10),
    "decibel": 10 / math.log(10),
}
"""What a factor of e is, in each unit: of what is under the logarithm."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MelLayout:
    """`rate` in Hz; `fft`, `hop` in samples; frame k is centred `first + k hop` samples from the beginning, and the
    last one lies at least `first` before the end.

    window: [n], n <= fft. filters: [bands, fft // 2 + 1], of magnitudes (`power` 1) or powers (2) of `gain` times the
    spectrum. preemphasis: a, where sound x goes in as x[n] - a x[n - 1]. unit: of the logarithm of these plus `offset`,
    raised to `floor` of that unit.
    """

    rate: int
    fft: int
    hop: int
    first: float
    window: Tensor
    filters: Tensor
    power: Literal[1, 2]
    unit: Unit
    floor: float
    gain: float = 1.0
    offset: float = 0.0
    preemphasis: float = 0.0

    @property
    def bands(self) -> int:
        """Bands of a frame."""
        return len(self.filters)

    def frames(self, samples: float) -> int:
        """Frames of a sound of so many samples (which may be a fraction, of a sound at another rate)."""
        return max(0, math.floor((samples - 2 * self.first) / self.hop + 1e-9) + 1)

    def response(self, hertz: NDArray[Any]) -> NDArray[Any]:
        """Power [bands, F] that each band takes of a density of power at frequencies `hertz` [F]: the filters, widened
        by what the window smears. A band of magnitudes is one of powers of the same shape, its weights summing to 1."""
        weights = self.filters.double().numpy()
        if self.power == 1:
            weights = weights / weights.sum(1, keepdims=True)
        fine = 1 << 17
        table = np.abs(np.fft.rfft(self.window.double().numpy(), fine)) ** 2
        bins = np.arange(self.fft // 2 + 1) * self.rate / self.fft
        smeared = np.zeros((self.fft // 2 + 1, len(hertz)))
        for side in (-1, 1):  # what lies below 0 Hz mirrors what lies above
            away = np.abs(bins[:, None] + side * hertz) * (fine / self.rate)
            smeared += table[np.minimum(np.rint(away).astype(np.int64), fine // 2)]
        shape = np.abs(1 - self.preemphasis * np.exp(-2j * np.pi * hertz / self.rate)) ** 2
        return weights @ smeared * shape * (self.gain**2 if self.power == 2 else 1.0)


@cache
def of_front(front: MelFront) -> MelLayout:
    """The layout of a codec's front, one for each: magnitudes, frame k centred on (k + 1/2) hop."""
    return MelLayout(
        rate=front.rate,
        fft=front.fft,
        hop=front.hop,
        first=front.hop / 2,
        window=torch.hann_window(front.fft, dtype=torch.float64),
        filters=triangles(front),
        power=1,
        unit=front.log,
        floor=math.log(1e-5) * PER_NEPER[front.log],
    )
