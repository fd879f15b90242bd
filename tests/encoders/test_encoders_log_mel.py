"""The ear: frames where they should be, levels in dB, bands as the reference has them."""

from __future__ import annotations

import math

import librosa
import numpy as np
import pytest
import torch

from weft.encoders.log_mel import BANDS, FLOOR_DB, HOP, RATE, add_powers, log_mel, triangles


def sine(hertz: float, seconds: float = 1.0) -> torch.Tensor:
    t = torch.arange(round(seconds * RATE), dtype=torch.float64) / RATE
    return torch.sin(2 * math.pi * hertz * t)[None].float()


def test_the_bands_are_librosas() -> None:
    theirs = librosa.filters.mel(sr=RATE, n_fft=1024, n_mels=BANDS, fmin=60, fmax=20000, htk=True, norm=None)
    np.testing.assert_allclose(triangles().T.numpy(), theirs, atol=1e-6)
    assert (triangles().sum(0) > 0.5).all()  # no band falls between two bins


def test_a_sine_of_full_scale_reads_about_0_db_and_each_halving_6_less() -> None:
    loud = log_mel(sine(1000)).mean(1).amax(1)
    assert loud.item() == pytest.approx(0, abs=2)
    assert (log_mel(0.5 * sine(1000)).mean(1).amax(1) - loud).item() == pytest.approx(-6.02, abs=0.01)


def test_a_click_lies_in_the_frame_of_its_time() -> None:
    wave = torch.zeros(1, RATE)
    wave[0, 20 * HOP + HOP // 2] = 1.0
    mel = log_mel(wave)
    assert mel.shape == (1, 100, BANDS)
    assert mel.mean(2).argmax().item() == 20
    assert (mel[:, :18] == FLOOR_DB).all() and (mel[:, 23:] == FLOOR_DB).all()


def test_silence_is_the_floor() -> None:
    assert (log_mel(torch.zeros(2, 5000)) == FLOOR_DB).all()


def test_powers_add() -> None:
    assert add_powers(torch.tensor(-20.0), torch.tensor(-20.0)).item() == pytest.approx(-16.99, abs=0.01)
    assert add_powers(torch.tensor(-20.0), torch.tensor(-90.0)).item() == pytest.approx(-20, abs=1e-4)


@pytest.mark.parametrize(
    ("wave", "said"),
    [
        (torch.zeros(441), "must be \\[sounds, samples\\]"),
        (torch.zeros(1, 440), "441 samples or more"),
        (torch.full((1, 900), float("nan")), "NaN or infinity"),
    ],
)
def test_what_is_no_sound_is_refused(wave: torch.Tensor, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        log_mel(wave)
