"""Kaldi's filter bank against values that torchaudio's own code gave, and against its definition."""

from __future__ import annotations

import math

import pytest
import torch
from drawn_weights import assert_golden, drawn, golden

from weft.encoders.kaldi import fbank

GOLDEN = golden("fbank")


def bank(wave: torch.Tensor, n_mels: int = 128) -> torch.Tensor:
    """As ImageBind asks for it."""
    return fbank(wave, rate=16000, n_mels=n_mels, window="hanning")


def test_kaldi_fbank_is_torchaudios() -> None:
    wave = drawn("in.wave2s", (1, 32000))[0] * 0.1 + 0.05
    assert_golden(bank(wave - wave.mean()), GOLDEN["kaldi_fbank"])


def test_kaldi_fbank_takes_whole_windows_only() -> None:
    assert bank(torch.zeros(400)).shape == (1, 128)
    assert bank(torch.zeros(559)).shape == (1, 128)
    assert bank(torch.zeros(560), n_mels=64).shape == (2, 64)
    with pytest.raises(ValueError, match="399 samples are fewer than a frame's 400"):
        bank(torch.zeros(399))


def test_silence_and_a_constant_are_the_floor() -> None:
    floor = math.log(torch.finfo(torch.float32).eps)
    assert torch.allclose(bank(torch.full((800,), 0.5)), torch.full((3, 128), floor))


def test_ten_times_the_sound_is_a_hundred_times_the_power() -> None:
    quiet = drawn("in.loud", (4000,))
    louder = bank(10 * quiet) - bank(quiet)
    # The fourth of 128 triangles lies between two bins of the FFT and hears nothing: Kaldi's does, too.
    assert louder[:, 3].abs().max() == 0
    heard = louder[:, torch.arange(128) != 3]
    torch.testing.assert_close(heard, torch.full((23, 127), math.log(100)), atol=1e-3, rtol=0)
