"""Front ends against values that torchaudio's own code gave, against librosa, and against their definitions."""

from __future__ import annotations

import math

import librosa
import numpy as np
import pytest
import torch
from drawn_weights import assert_golden, drawn, golden

from weft.encoders.fbank import htk_triangles, kaldi_fbank, mel_power

GOLDEN = golden("fbank")


def test_kaldi_fbank_is_torchaudios() -> None:
    wave = drawn("in.wave2s", (1, 32000))[0] * 0.1 + 0.05
    assert_golden(kaldi_fbank(wave - wave.mean()), GOLDEN["kaldi_fbank"])


def test_kaldi_fbank_takes_whole_windows_only() -> None:
    assert kaldi_fbank(torch.zeros(400)).shape == (1, 128)
    assert kaldi_fbank(torch.zeros(559)).shape == (1, 128)
    assert kaldi_fbank(torch.zeros(560), bands=64).shape == (2, 64)
    with pytest.raises(ValueError, match=r"at least 400 samples, not \[399\]"):
        kaldi_fbank(torch.zeros(399))


def test_silence_and_a_constant_are_the_floor() -> None:
    floor = math.log(torch.finfo(torch.float32).eps)
    assert torch.allclose(kaldi_fbank(torch.full((800,), 0.5)), torch.full((3, 128), floor))


def test_ten_times_the_sound_is_a_hundred_times_the_power() -> None:
    quiet = drawn("in.loud", (4000,))
    louder = kaldi_fbank(10 * quiet) - kaldi_fbank(quiet)
    # The fourth of 128 triangles lies between two bins of the FFT and hears nothing: Kaldi's does, too.
    assert louder[:, 3].abs().max() == 0
    heard = louder[:, torch.arange(128) != 3]
    torch.testing.assert_close(heard, torch.full((23, 127), math.log(100)), atol=1e-3, rtol=0)


def test_mel_power_is_librosas() -> None:
    wave = drawn("in.mel_power", (8000,))
    theirs = librosa.feature.melspectrogram(
        y=wave.numpy(),
        sr=16000,
        n_fft=1024,
        win_length=400,
        hop_length=160,
        n_mels=128,
        htk=True,
        norm=None,
        pad_mode="reflect",
    )
    ours = mel_power(wave, size=1024, length=400, hop=160, bands=128)
    assert ours.shape == (128, 51)
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-4, atol=1e-4)


def test_htk_triangles_are_librosas() -> None:
    theirs = librosa.filters.mel(sr=16000, n_fft=1024, n_mels=64, htk=True, norm=None)
    np.testing.assert_allclose(htk_triangles(16000, 1024, 64).T.numpy(), theirs, atol=1e-6)


def test_a_batch_is_each_of_its_own() -> None:
    waves = drawn("in.batch", (2, 3, 2000))
    together = mel_power(waves, size=512, length=400, hop=160, bands=40)
    assert torch.equal(together[1, 2], mel_power(waves[1, 2], size=512, length=400, hop=160, bands=40))
