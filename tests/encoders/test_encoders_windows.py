"""Cutting and resampling: nothing random, nothing padded that need not be, and the fadtk way where it is asked for."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
import torch
from published_parity import drawn

from weft.encoders import windows

RAMP = torch.arange(25.0)[None]


def test_windows_stand_side_by_side_and_the_last_ends_with_the_sound() -> None:
    found = windows.side_by_side(RAMP, 10, "silence")
    assert found[0, :, 0].tolist() == [0, 10, 15]
    assert found[0, -1, -1] == 24
    assert windows.side_by_side(RAMP[:, :20], 10, "silence")[0, :, 0].tolist() == [0, 10]


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ("silence", [0, 1, 2, 0, 0, 0, 0, 0]),
        ("repeat", [0, 1, 2, 0, 1, 2, 0, 1]),
        ("whole repeats", [0, 1, 2, 0, 1, 2, 0, 0]),
    ],
)
def test_a_short_sound_is_filled(how: windows.Filling, wanted: list[int]) -> None:
    assert windows.side_by_side(RAMP[:, :3], 8, how)[0, 0].tolist() == wanted


def test_fadtk_windows_begin_every_second_and_end_in_silence() -> None:
    found = windows.every_second(torch.ones(1, 10), 4, 2)
    assert found[0].sum(-1).tolist() == [4, 4, 4, 4, 2]


def test_resampling_is_soxr_in_high_quality_and_said_so() -> None:
    wave = drawn("in.wave", 2, 4410)
    found = windows.at_rate(wave, 44100, 16000)
    wanted = soxr.resample(wave.numpy().T, 44100, 16000, quality="HQ").T
    assert found.shape == (2, 1600)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert windows.path(44100, 16000) == "44100 Hz to 16000 Hz by soxr HQ"
    assert windows.path(16000, 16000) == "16000 Hz"


@pytest.mark.parametrize(
    ("wave", "rate", "told"),
    [
        (torch.zeros(100), 16000, r"shape \(100,\)"),
        (torch.zeros(1, 0), 16000, r"shape \(1, 0\)"),
        (torch.full((1, 9), float("nan")), 16000, "NaN"),
        (torch.zeros(1, 9), 0, "rate 0 Hz must be positive"),
    ],
)
def test_what_is_no_mono_sound_is_refused(wave: torch.Tensor, rate: int, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        windows.at_rate(wave, rate, 16000)
