"""Sound at the rate a front end wants."""

from __future__ import annotations

import torch
from torch import Tensor


def resampled(wave: Tensor, rate: int, to: int) -> Tensor:
    """Return mono sound float32 `[B, round(N * to / rate)]` at `to` Hz of `[B, N]` at `rate` Hz, by soxr (HQ).

    Reference toolkits resample with torchaudio's shorter filter: the two differ above 0.9 of half the lower rate.
    Raises ValueError when the sound is not `[B, N]` with N > 0 or holds a value that is not a number.
    """
    if wave.dim() != 2 or not wave.numel():
        raise ValueError(f"sound must be mono [B, N] with samples in it, not {list(wave.shape)}")
    if not bool(torch.isfinite(wave).all()):
        raise ValueError("the sound holds NaN or infinite samples: repair the file first")
    if rate == to:
        return wave.float()
    import soxr

    return torch.from_numpy(soxr.resample(wave.float().cpu().numpy().T, rate, to)).T.contiguous()
