"""What every published embedder does before its own front end: check the sound, resample it, cut it into windows.

Resampling is soxr at quality HQ, always; `path` puts it into the words a result reports, because a sampling rate taken
by another road moves a Fréchet distance.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from weft.media.audio import resampled

Filling = Literal["silence", "repeat", "whole repeats"]


def at_rate(wave: Tensor, rate: int, own: int) -> Tensor:
    """Return mono sound float32 `[B, round(N * own / rate)]` at `own` Hz of `wave` `[B, N]` at `rate` Hz.

    Raises ValueError for another shape, no samples, a rate that is not positive, NaN or infinity.
    """
    if wave.ndim != 2 or 0 in wave.shape:
        raise ValueError(f"sound has shape {tuple(wave.shape)}, but must be mono [clips, samples]")
    if rate <= 0:
        raise ValueError(f"rate {rate} Hz must be positive")
    if not torch.isfinite(wave).all():
        raise ValueError("sound holds NaN or infinity")
    wave = wave.detach().float()
    if rate == own:
        return wave
    blocks = [torch.from_numpy(b) for b in resampled(iter([wave.cpu().numpy()]), rate, own)]
    return torch.cat(blocks, -1).to(wave.device) if blocks else wave[:, :0]


def path(rate: int, own: int) -> str:
    """Return how sound at `rate` Hz reaches `own` Hz, in words for a report."""
    return f"{own} Hz" if rate == own else f"{rate} Hz to {own} Hz by soxr HQ"


def at_least(wave: Tensor, samples: int) -> Tensor:
    """Return `wave` `[B, N]` followed by silence up to `samples` samples; as it is when it is as long."""
    return F.pad(wave, (0, max(samples - wave.shape[-1], 0)))


def filled(wave: Tensor, samples: int, how: Filling) -> Tensor:
    """Return `wave` `[B, N]`, N <= `samples`, made `[B, samples]`: followed by "silence"; said again and again
    ("repeat"); or said as often as it fits whole, then silence ("whole repeats")."""
    n = wave.shape[-1]
    if how == "repeat":
        return wave.repeat(1, -(-samples // n))[:, :samples]
    return at_least(wave.repeat(1, samples // n) if how == "whole repeats" else wave, samples)


def side_by_side(wave: Tensor, samples: int, how: Filling) -> Tensor:
    """Return windows `[B, T, samples]` of `wave` `[B, N]`, one after another; the last one ends with the sound.

    Nothing is padded unless the sound is shorter than one window, which is then `filled`.
    """
    n = wave.shape[-1]
    if n < samples:
        return filled(wave, samples, how)[:, None]
    starts = [*range(0, n - samples, samples), n - samples]
    return torch.stack([wave[:, s : s + samples] for s in starts], 1)


def every_second(wave: Tensor, samples: int, rate: int) -> Tensor:
    """Return windows `[B, T, samples]` that begin every second as long as there is sound, followed by silence.

    The way of Microsoft's fadtk (`compat="fadtk"`): of a clip as long as a window, T - 1 windows are partly silent.
    """
    n = wave.shape[-1]
    return torch.stack([at_least(wave[:, s : s + samples], samples) for s in range(0, n, rate)], 1)
