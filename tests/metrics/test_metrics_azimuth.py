"""Azimuth from level and from time: placed sounds are found where they were put, and the sign is right."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics import azimuth, space

RATE = 44100


def noise(n: int = RATE // 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(n)


@pytest.mark.parametrize("samples", [-20, -3, 0, 1, 17])
def test_delay_of_whole_samples(samples: int) -> None:
    """Positive: the right channel is late, so the sound is on the left."""
    mono = noise()
    audio = np.stack([mono, np.roll(mono, samples)])
    assert azimuth.delay(audio) == pytest.approx(samples / RATE, abs=1e-7)
    side = azimuth.from_delay(azimuth.delay(audio), 0.3)
    assert np.sign(side) == -np.sign(samples)


def test_delay_between_samples_in_noise_and_at_other_rates() -> None:
    spectrum = np.fft.rfft(noise(4096))
    late = 5.375  # samples
    phase = np.exp(-2j * np.pi * np.arange(spectrum.size) * late / 4096)
    audio = np.stack([np.fft.irfft(spectrum), np.fft.irfft(spectrum * phase)])
    audio += 0.3 * np.random.default_rng(1).standard_normal(audio.shape) * audio.std()
    assert azimuth.delay(audio) == pytest.approx(late / RATE, abs=0.13 / RATE)
    assert azimuth.delay(audio, 16000) == pytest.approx(late / 16000, abs=0.13 / 16000)


def test_a_loud_hum_from_ahead_does_not_hide_where_a_noise_comes_from() -> None:
    """The phase transform counts each frequency once; plain correlation follows the loudest."""
    mono, hum = noise(8192), 60 * np.sin(2 * np.pi * 40 * np.arange(8192) / 8192)
    audio = np.stack([mono + hum, np.roll(mono, 12) + hum])
    spectra = np.fft.rfft(audio, 16384, axis=1)
    plain = np.fft.irfft(spectra[1] * np.conj(spectra[0]))
    assert abs(int(np.concatenate([plain[-44:], plain[:45]]).argmax()) - 44) < 6
    assert azimuth.delay(audio) == pytest.approx(12 / RATE, abs=0.5 / RATE)


def test_silence_has_no_delay_and_the_window_bounds_it() -> None:
    mono = noise()
    assert np.isnan(azimuth.delay(np.stack([mono, mono * 0])))
    far = np.stack([mono, np.roll(mono, 400)])
    assert abs(azimuth.delay(far, most_s=1e-3)) <= 1e-3 + 1e-9
    assert azimuth.delay(far, most_s=0.02) == pytest.approx(400 / RATE, abs=1e-7)


def test_angles() -> None:
    assert azimuth.from_pan([-1, 0, 0.5, 1]) == pytest.approx([-45, 0, 22.5, 45])
    assert azimuth.from_delay(-0.3 / azimuth.SOUND_M_S, 0.3) == pytest.approx(90)
    assert azimuth.from_delay([0.0, -1.0], 0.3) == pytest.approx([0, 90])
    half = -0.15 / azimuth.SOUND_M_S
    assert azimuth.from_delay(half, 0.3) == pytest.approx(30)
    assert azimuth.from_box([0, 0.5, 1], 60) == pytest.approx([-30, 0, 30])
    assert azimuth.from_box(0.75, 90) == pytest.approx(np.degrees(np.arctan(0.5)))


def test_a_panned_source_is_heard_where_it_is_seen() -> None:
    pans = np.array([-0.8, -0.3, 0.1, 0.6])
    heard = []
    for k, pan in enumerate(pans):
        angle = (pan + 1) * np.pi / 4
        mono = 0.1 * noise(seed=k)
        heard.append(space.pan(np.stack([mono * np.cos(angle), mono * np.sin(angle)]))[0].mean())
    seen = 45 * pans
    found = azimuth.evaluate(azimuth.from_pan(heard), seen)
    assert found.error < 0.1
    assert found.r > 0.999
    assert found.mono == pytest.approx(np.abs(seen).mean())
    assert found.swapped == pytest.approx(2 * np.abs(seen).mean(), abs=0.2)


def test_error_bias_and_places_that_were_not_heard() -> None:
    found = azimuth.evaluate([10.0, np.nan, -30.0], [0.0, 40.0, -10.0])
    assert (found.error, found.bias, found.n) == (15.0, -5.0, 2)
    assert found.r == pytest.approx(1.0)
    assert np.isnan(azimuth.evaluate([10.0], [0.0]).r)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="needs two"):
        azimuth.delay(noise(100))
    with pytest.raises(ValueError, match="spacing above 0"):
        azimuth.from_delay(0.0, 0.0)
    with pytest.raises(ValueError, match="within -1"):
        azimuth.from_pan([30.0])
    with pytest.raises(ValueError, match="field of view of 180"):
        azimuth.from_box(0.5, 180)
    with pytest.raises(ValueError, match="pixels or milliseconds"):
        azimuth.evaluate([200.0], [0.0])
    with pytest.raises(ValueError, match="nothing to compare"):
        azimuth.evaluate([np.nan], [0.0])
    with pytest.raises(ValueError, match="do not pair"):
        azimuth.evaluate([1.0, 2.0], [0.0])
