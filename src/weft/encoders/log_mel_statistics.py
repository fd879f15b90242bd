"""Sound to vectors without any network: how loud each mel band is, and how much it varies, second by second.

It stands where a learned embedder would, for tests and for a machine that has no weights. It hears level and timbre
coarsely and nothing of meaning: a distance over it tells a drum from a river, not a good take from a fair one.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

RATE, N_FFT, HOP, BANDS = 32000, 1024, 320, 64
FLOOR_DB = -90.0
WINDOW_S = 1.0
_WHAT = f"weft log-mel statistics 1: {RATE} {N_FFT} {HOP} {BANDS} slaney {FLOOR_DB} {WINDOW_S}"
SHA256 = hashlib.sha256(_WHAT.encode()).hexdigest()
"""Of its description: there are no weights."""


class LogMelStatistics:
    """An AudioEmbedder: mean, then standard deviation over time of 64 mel bands (dB, -90 .. 0 put on -1 .. 1)."""

    name = "log-mel-statistics"
    sha256 = SHA256
    windows = "1 s without overlap, the rest dropped; a shorter clip is one window"
    d = 2 * BANDS
    rate = RATE

    def embed(self, wave: Tensor, rate: int) -> Tensor:
        """Turn mono sound float `[B, N]` at `rate` Hz into `[B, T, 128]`, T = the whole seconds, at least 1.

        Raises ValueError for other shapes.
        """
        import torch

        if wave.ndim != 2 or wave.shape[1] == 0:
            raise ValueError(f"wave has shape {tuple(wave.shape)}, but must be [clips, samples]")
        sound = wave.to(torch.float32)
        if rate != RATE:
            import soxr

            placed = soxr.resample(sound.T.numpy(), rate, RATE).T
            sound = torch.from_numpy(np.ascontiguousarray(placed))
        size = round(WINDOW_S * RATE)
        count = max(1, sound.shape[1] // size)
        sound = torch.nn.functional.pad(sound, (0, max(0, size - sound.shape[1])))[:, : count * size]
        db = self._mel_db(sound.reshape(-1, size))
        rows = torch.cat([db.mean(2), db.std(2, correction=0)], 1)
        return rows.reshape(len(wave), count, self.d)

    def _mel_db(self, sound: Tensor) -> Tensor:
        """The log-mel spectrogram `[B, 64, F]` of `[B, N]`, -90 dB at -1 and full scale at 1."""
        import torch

        window = torch.hann_window(N_FFT)
        spectrum = torch.stft(sound, N_FFT, HOP, window=window, return_complex=True, pad_mode="constant")
        power = spectrum.abs().square() / (window.square().sum() * N_FFT / 4)
        mel = torch.from_numpy(_bank()) @ power
        db = 10 * torch.log10(mel.clamp(min=10 ** (FLOOR_DB / 10)))
        return 1 - 2 * db / FLOOR_DB


@lru_cache(maxsize=1)
def _bank() -> np.ndarray:
    from weft.media.compiled import librosa

    return librosa().filters.mel(sr=RATE, n_fft=N_FFT, n_mels=BANDS, norm=None).astype(np.float32)
