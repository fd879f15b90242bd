"""Resampling keeps pitch, length and channels apart."""

from __future__ import annotations

import math

import pytest
import torch

from weft.encoders.resampling import resampled


def sine(hertz: float, rate: int, seconds: float) -> torch.Tensor:
    return torch.sin(2 * math.pi * hertz * torch.arange(int(seconds * rate)) / rate)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_a_tone_is_the_same_tone_at_another_rate(rate: int) -> None:
    waves = torch.stack([sine(440, rate, 0.5), 0.5 * sine(1000, rate, 0.5)])
    found = resampled(waves.double(), rate, 16000)
    assert found.dtype == torch.float32
    assert found.shape == (2, 8000)
    expected = torch.stack([sine(440, 16000, 0.5), 0.5 * sine(1000, 16000, 0.5)])
    torch.testing.assert_close(found[:, 400:-400], expected[:, 400:-400], atol=2e-3, rtol=0)


@pytest.mark.parametrize("wave", [torch.zeros(100), torch.zeros(2, 0), torch.zeros(1, 2, 100)])
def test_what_is_not_mono_sound_is_refused(wave: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"mono \[B, N\] with samples in it"):
        resampled(wave, 16000, 8000)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(bad: float) -> None:
    wave = torch.zeros(1, 100)
    wave[0, 50] = bad
    with pytest.raises(ValueError, match="NaN or infinite"):
        resampled(wave, 16000, 16000)
