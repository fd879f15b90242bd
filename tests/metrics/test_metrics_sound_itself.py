"""What a sound is by itself, on sounds whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics import sound

RATE = 44100


def tone(seconds: float = 2.0, amplitude: float = 0.5, hertz: float = 997.0) -> np.ndarray:
    return np.tile(amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE), (2, 1))


def test_a_tone_of_known_loudness() -> None:
    """997 Hz at full scale in one channel is -3.01 LUFS (BS.1770-4, annex 1); both channels, half the amplitude."""
    found = sound.evaluate(tone())
    assert found.lufs == pytest.approx(-3.01 + 3.01 - 6.02, abs=0.05)
    assert found.true_peak_db == pytest.approx(-6.02, abs=0.05)
    assert found.clipped == 0
    assert found.silent == 0
    assert found.tail_s == 0
    assert found.width == 0
    assert found.flatness < 1e-3


def test_noise_is_flat_and_unrelated_channels_are_half_wide() -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal((2, 4 * RATE))
    found = sound.evaluate(noise)
    assert found.flatness > 0.95
    assert found.width == pytest.approx(0.5, abs=0.02)
    assert sound.width(noise * [[1], [-1]] + [[0], [0]]) == pytest.approx(0.5, abs=0.02)
    opposite = np.stack([noise[0], -noise[0]])
    assert sound.width(opposite) == 1
    assert sound.flatness(opposite) > 0.95


def test_silence_is_told_from_the_start_to_the_tail() -> None:
    wave = np.zeros((2, 4 * RATE))
    wave[:, RATE : 2 * RATE] = tone(1.0)
    found = sound.evaluate(wave)
    assert found.silent == pytest.approx(0.75, abs=0.02)
    assert found.tail_s == pytest.approx(2.0, abs=0.05)
    empty = sound.evaluate(np.zeros((2, RATE)))
    assert (empty.lufs, empty.true_peak_db, empty.silent, empty.tail_s) == (-np.inf, -np.inf, 1.0, 1.0)
    assert np.isnan(empty.width)
    assert np.isnan(empty.flatness)
    assert np.isnan(sound.evaluate(tone(0.3)).lufs)


@pytest.mark.parametrize("rate", [11025, 22050, 44100, 48000])
def test_a_tail_is_as_long_at_every_rate(rate: int) -> None:
    wave = np.zeros((1, 11 * rate))
    wave[:, :rate] = 0.1
    assert sound.evaluate(wave, rate).tail_s == pytest.approx(10.0, abs=0.051)
    wave[:, -1] = 1.0
    assert sound.evaluate(wave, rate).tail_s == 0


def test_clipping_is_a_run_at_full_scale_not_a_peak() -> None:
    wave = tone(1.0, 0.999, 1000.0)
    loud = np.clip(2 * tone(1.0, 0.999, 1000.0), -1, 1)
    touched = tone(1.0)
    touched[0, 100] = 1.0
    assert sound.clipped(touched) == 0
    assert sound.clipped(wave) < 0.05
    assert 0.6 < sound.clipped(loud) < 0.7  # |sin| above a half: two thirds of the time


def test_one_channel_and_refusals() -> None:
    mono = sound.evaluate(tone()[0])
    assert np.isnan(mono.width)
    assert mono.lufs == pytest.approx(-9.03, abs=0.05)
    with pytest.raises(ValueError, match="NaN"):
        sound.evaluate(np.full((2, RATE), np.nan))
    with pytest.raises(ValueError, match="above 0 Hz"):
        sound.evaluate(tone(), 0)
