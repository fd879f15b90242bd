"""Sounds that MMAudio is given beside pictures and words, as latents: a take of which a region is made anew, and a
recording to begin from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import soxr
import torch
from torch import Tensor

from weft.codecs.mel_codec import MelCodec
from weft.errors import UserError
from weft.systems.known import Known, mono
from weft.systems.mmaudio_windows import Window

MARGIN = 20
"""Latent frames that the encoder hears on either side of a window."""
RATE = 44100
REFERENCE_S = 10.0
TRAINED_PEAK = 0.95
SILENT = 1e-4


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A take with its region, in latent frames of `hop` samples at 44.1 kHz, which need not be a whole number."""

    known: Known
    hop: Fraction

    @property
    def frames(self) -> tuple[int, int]:
        """The first frame that holds anything of the region, and the first after it that does not."""
        return math.floor(self.known.first / self.hop), math.ceil(self.known.last / self.hop)

    def mask(self, window: Window) -> Tensor:
        """Where a window is known: `[1, end - start, 1]`, 0 in the region."""
        first, last = (min(max(at - window.start, 0), window.end - window.start) for at in self.frames)
        mask = torch.ones(1, window.end - window.start, 1)
        mask[:, first:last] = 0
        return mask


@torch.no_grad()
def latents_of(codec: MelCodec, stretch: Stretch, plan: Iterable[Window]) -> dict[Window, Tensor]:
    """The take's latents `[1, end - start, C]` in each window, in the codec's units.

    The encoder hears the whole take, what is to be replaced included: the frames beside the region tell a little of it.
    """
    found, step = {}, stretch.hop.denominator
    for window in plan:
        begin = max(0, window.start - MARGIN) // step * step
        end = window.end + MARGIN
        wave = stretch.known.performed(int(begin * stretch.hop), math.ceil(end * stretch.hop))
        latent = codec.encode(heard(wave, codec))
        found[window] = latent[:, window.start - begin : window.end - begin]
    return found


@torch.no_grad()
def reference_of(codec: MelCodec, wave: np.ndarray) -> Tensor:
    """The latent `[1, L, C]` of a recording `[2, N]` at 44.1 kHz, at most its first 10 s, in the codec's units.

    It is brought to the peak that sounds had in training. Raises UserError where there is no sound in it.
    """
    cut = wave[:, : round(REFERENCE_S * RATE)]
    peak = float(np.abs(cut).max(initial=0.0))
    if not peak > SILENT:
        raise UserError("there is no sound in the reference recording; give another")
    return codec.encode(heard(cut * np.float32(TRAINED_PEAK / peak), codec))


def laid_under(reference: Tensor, window: Window) -> Tensor:
    """The recording's frames in a window, `[1, end - start, C]`: from the beginning of all, over and over."""
    return reference[:, torch.arange(window.start, window.end) % reference.shape[1]]


def heard(wave: np.ndarray, codec: MelCodec) -> Tensor:
    """Stereo `[2, N]` at 44.1 kHz as the codec hears it: mono `[1, 1, N']` at its rate."""
    own = soxr.resample(mono(wave), RATE, codec.rate, quality="HQ")
    return torch.from_numpy(np.ascontiguousarray(own, np.float32))[None, None]
