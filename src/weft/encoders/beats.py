"""What BEATs hears in GRAM: Kaldi filter banks of 16 kHz sound, in chunks of 1024 frames.

The rules of the VAST and GRAM data pipelines: 64 bands though BEATs was trained on 128, with the mean and deviation of
the 128 kept; silence is zeros after normalising; a sound that fills its last chunk exactly gets an empty one more.
Everything is differentiable.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from weft.encoders.kaldi import fbank

RATE = 16000
CHUNK = 1024  # frames of 10 ms
MEAN, DEVIATION = 15.41663, 6.55582  # of AudioSet's filter banks of 16-bit numbers
_FULL_SCALE = 2**15
_FRAME = 400


def banks(wave: Tensor, *, n_mels: int = 64) -> Tensor:
    """Return normalised filter banks `[..., T, n_mels]` of `wave` `[..., N]`, -1..1, at 16 kHz: (x - mean) / 2 std.

    T = 1 + (N - 400) // 160; a sound below 25 ms is followed by silence up to it.
    """
    heard = F.pad(wave, (0, max(0, _FRAME - wave.shape[-1]))) * _FULL_SCALE
    return (fbank(heard, rate=RATE, n_mels=n_mels) - MEAN) / (2 * DEVIATION)


def chunks(found: Tensor, *, length: int = CHUNK, least: int = 1) -> Tensor:
    """Cut banks `[..., T, M]` into chunks `[..., n, length, M]`, zeros behind the last frame.

    n = T // length + 1, or `least` where that is more.
    """
    t = found.shape[-2]
    padded = F.pad(found, (0, 0, 0, max(length * least - t, length - t % length)))
    return padded.unflatten(-2, (-1, length))


def middles(n: int, groups: int) -> list[int]:
    """Return `groups` of the places 0 .. n - 1: of each of as many runs of neighbours, the longer ones first, the one
    before its middle, as GRAM chooses frames and chunks when it evaluates. The last place fills up what n lacks.

    Raises ValueError for no places or no groups.
    """
    if n < 1 or groups < 1:
        raise ValueError(f"{groups} of {n} places asked for, but both must be 1 or more")
    places = [*range(n), *[n - 1] * (groups - n)]
    short, longer = divmod(len(places), groups)
    out, start = [], 0
    for i in range(groups):
        size = short + (i < longer)
        out.append(places[start + (size + 1) // 2 - 1])
        start += size
    return out
