"""The embedder without weights: what it says is what a meter would."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weft.encoders.embedder import AudioEmbedder
from weft.encoders.log_mel_statistics import RATE, LogMelStatistics

EAR = LogMelStatistics()


def noise(seconds: float, rate: int = RATE, clips: int = 1) -> torch.Tensor:
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.standard_normal((clips, round(seconds * rate))) * 0.1).float()


def test_it_keeps_the_protocol_and_counts_whole_seconds() -> None:
    assert isinstance(EAR, AudioEmbedder) and len(EAR.sha256) == 64
    for seconds, rows in ((0.3, 1), (1.0, 1), (2.9, 2), (3.0, 3)):
        assert EAR.embed(noise(seconds, clips=2), RATE).shape == (2, rows, EAR.d)


def test_silence_is_the_floor_and_level_moves_the_means_alone() -> None:
    silent = EAR.embed(torch.zeros(1, RATE), RATE)[0, 0]
    assert torch.all(silent[:64] == -1) and torch.all(silent[64:] == 0)
    loud, soft = (EAR.embed(noise(1.0) * gain, RATE)[0, 0] for gain in (1.0, 0.1))
    assert torch.allclose(loud[:64] - soft[:64], torch.full((64,), 2 * 20 / 90), atol=2e-3)
    assert torch.allclose(loud[64:], soft[64:], atol=2e-3)


def test_another_rate_is_the_same_sound() -> None:
    t = torch.arange(2 * 48000) / 48000
    tone = 0.3 * torch.sin(2 * np.pi * 440 * t)[None]
    here = 0.3 * torch.sin(2 * np.pi * 440 * torch.arange(2 * RATE) / RATE)[None]
    assert torch.allclose(EAR.embed(tone, 48000)[0, 0, :20], EAR.embed(here, RATE)[0, 0, :20], atol=0.02)


def test_it_refuses_what_is_no_mono_sound() -> None:
    with pytest.raises(ValueError, match=r"must be \[clips, samples\]"):
        EAR.embed(torch.zeros(100), RATE)
