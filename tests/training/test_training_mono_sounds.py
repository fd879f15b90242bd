"""Sounds of the world for AudioLDM's miniature: each scene twice, mono at 16 kHz, the same whenever it is heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from weft.training.mono_sounds import CAPTIONS, SAMPLES, MonoSounds, heard, mono_at, parts


@pytest.mark.world
def test_a_scene_is_heard_twice_and_the_same_again(tmp_path: Path) -> None:
    made = heard("train", [100_000])
    assert made.wave.shape == (2, SAMPLES) and made.wave.dtype == np.int16
    assert made.captions.shape == (2, CAPTIONS)
    assert made.material[0] != made.material[1]
    assert made.action[0] == made.action[1] and made.index.tolist() == [100_000, 100_000]
    assert np.abs(made.wave).max(1).min() > 30
    assert not np.array_equal(made.wave[0], made.wave[1])
    made.save(tmp_path / "mono-train-100000")
    (tmp_path / ".mono-train-100100").mkdir()  # a part that was being written
    (again,) = parts(tmp_path)
    other = heard("train", [100_000])
    for name, value in vars(other).items():
        np.testing.assert_array_equal(getattr(again, name), value)
    assert isinstance(again, MonoSounds) and len(again) == 2


@pytest.mark.parametrize("samples", [SAMPLES, SAMPLES + 100, 1000])
def test_mono_mixes_the_channels_and_is_as_long_as_asked(samples: int) -> None:
    t = np.arange(4 * 44100) / 44100
    tone = np.sin(2 * np.pi * 440 * t)
    audio = np.stack([tone, 0 * tone]).astype(np.float32)
    wave = mono_at(audio, 44100, samples)
    assert wave.shape == (samples,) and wave.dtype == np.float32
    whole = min(samples, SAMPLES)
    want = 0.5 * np.sin(2 * np.pi * 440 * np.arange(whole) / 16000)
    np.testing.assert_allclose(wave[200 : whole - 200], want[200 : whole - 200], atol=2e-4)
    assert not wave[whole:].any()
