"""True peak, the limiter and loudness, each against an independent measurement."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyloudnorm
import pytest
from scipy.signal import firwin, lfilter, resample_poly

from weft.media import LoudnessMeter, finished, limited, true_peak_db

RATE = 44100


def independent_peak_db(sound: np.ndarray) -> float:
    fine = resample_poly(sound.astype(np.float64), 4, 1, axis=1, window=("kaiser", 12.0))
    return float(20 * np.log10(np.abs(fine).max()))


def blocks(sound: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (sound[:, i : i + size] for i in range(0, sound.shape[1], size))


def joined(parts: Iterator[np.ndarray]) -> np.ndarray:
    return np.concatenate(list(parts), axis=1)


def between_samples(seconds: float = 0.5) -> np.ndarray:
    """A quarter of the sample rate at 45 degrees: samples read -3 dB, the wave between them 0 dB."""
    return np.sin(np.pi / 2 * np.arange(round(seconds * RATE)) + np.pi / 4)[None].astype(np.float32)


def nasty() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    click = np.zeros((2, RATE), np.float32)
    click[0, 5000], click[1, 5003:5006], click[:, 0], click[:, -1] = 3, (-2, 2, -2), 2, 2
    burst = np.zeros((1, RATE), np.float32)
    burst[0, 20000:20040] = [0.99 * (-1) ** ((k + 1) // 2) for k in range(40)]
    return {
        "between samples": between_samples() * 1.2,
        "square": np.sign(np.sin(2 * np.pi * 997 * np.arange(RATE) / RATE))[None].astype(np.float32),
        "noise": lfilter(firwin(255, 19000, fs=RATE), 1, rng.standard_normal((2, RATE)) * 0.7).astype(
            np.float32
        ),
        "clicks": click,
        "burst": burst,
    }


def test_true_peak_sees_between_the_samples() -> None:
    wave = between_samples()
    assert 20 * np.log10(np.abs(wave).max()) == pytest.approx(-3.01, abs=0.01)
    inside = wave * np.hanning(wave.shape[1])  # without the jump at its ends, which rings above the wave
    assert true_peak_db(inside) == pytest.approx(0.0, abs=0.05)
    assert true_peak_db(np.zeros((2, 1000), np.float32)) == -np.inf


@pytest.mark.parametrize("name", nasty())
def test_true_peak_agrees_with_another_oversampler(name: str) -> None:
    sound = nasty()[name]
    assert true_peak_db(sound) == pytest.approx(independent_peak_db(sound), abs=0.15)
    assert true_peak_db(blocks(sound, 777)) == true_peak_db(sound)


@pytest.mark.parametrize("name", nasty())
def test_limiter_holds_the_ceiling(name: str) -> None:
    sound = nasty()[name]
    out = joined(limited(blocks(sound, 4096), RATE))
    assert out.shape == sound.shape and out.dtype == np.float32
    assert independent_peak_db(out) <= -1.0
    assert independent_peak_db(out) > -1.5  # and takes no more than it must
    assert np.array_equal(out, joined(limited(blocks(sound, 999), RATE)))


def test_limiter_passes_what_is_below_bit_by_bit() -> None:
    rng = np.random.default_rng(0)
    sound = rng.standard_normal((2, 2 * RATE)).astype(np.float32)
    sound *= np.float32(10 ** (-1.01 / 20) / 10 ** (true_peak_db(sound) / 20))
    assert np.array_equal(joined(limited(blocks(sound, 5000), RATE)), sound)


def test_limiter_touches_only_what_is_near_a_peak() -> None:
    rng = np.random.default_rng(0)
    sound = (rng.standard_normal((2, 4 * RATE)) * 0.05).astype(np.float32)
    sound[:, 2 * RATE] = 2.0
    out = joined(limited(blocks(sound, 5000), RATE))
    changed = np.flatnonzero((out != sound).any(axis=0)) / RATE - 2.0
    assert -0.01 < changed.min() < 0 < changed.max() < 1.1


@pytest.mark.parametrize("samples", [1, 10, 100, 4410])
def test_short_sounds_keep_their_length(samples: int) -> None:
    sound = np.full((1, samples), 2.0, np.float32)
    assert joined(limited([sound], RATE)).shape == sound.shape
    assert joined(finished([sound], RATE, lufs=-20.0)).shape == sound.shape


def shaped(kind: str) -> np.ndarray:
    sound = np.random.default_rng(1).standard_normal((2, 5 * RATE)) * 0.1
    if kind == "swelling":
        sound *= np.linspace(0, 1, sound.shape[1]) ** 3
    if kind == "mostly silent":
        sound[:, RATE : 4 * RATE] = 0
    return sound.astype(np.float32)


@pytest.mark.parametrize("kind", ["steady", "swelling", "mostly silent"])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_streamed_loudness_equals_pyloudnorm(kind: str, rate: int) -> None:
    sound = shaped(kind)
    meter = LoudnessMeter(rate)
    for block in blocks(sound, 777):
        meter.add(block)
    assert meter.lufs() == pytest.approx(
        pyloudnorm.Meter(rate).integrated_loudness(sound.T.astype(float)), abs=0.01
    )


def test_loudness_of_almost_nothing() -> None:
    meter = LoudnessMeter(RATE)
    assert meter.lufs() == -np.inf
    meter.add(np.zeros((2, RATE), np.float32))
    assert meter.lufs() == -np.inf
    short, long = LoudnessMeter(RATE), LoudnessMeter(RATE)
    sound = shaped("steady")
    short.add(sound[:, :4410])
    long.add(sound)
    assert short.lufs() == pytest.approx(long.lufs(), abs=1.0)


@pytest.mark.parametrize("target", [-30.0, -23.0, -16.0])
def test_finished_reaches_the_loudness_asked_for(target: float) -> None:
    sound = shaped("swelling")
    out = joined(finished(blocks(sound, 4096), RATE, lufs=target))
    assert out.shape == sound.shape
    assert pyloudnorm.Meter(RATE).integrated_loudness(out.T.astype(float)) == pytest.approx(target, abs=0.3)
    assert independent_peak_db(out) <= -1.0


def test_silence_stays_silent() -> None:
    assert not joined(finished([np.zeros((2, RATE), np.float32)], RATE, lufs=-16.0)).any()
