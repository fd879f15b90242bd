"""E-L1 in its three published forms, and what the bare number hides."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics import e_l1


def bursts(
    rate: int, late_s: float = 0.0, gain: float = 0.1, noise: int = 0, seconds: float = 10.0
) -> np.ndarray:
    """Thirteen decaying bursts of noise."""
    n = round(seconds * rate)
    t = np.arange(n) / rate - late_s
    shape = sum(
        np.exp(-np.maximum(t - at, 0) / 0.03) * (t >= at) for at in np.linspace(0.3, seconds - 0.7, 13)
    )
    return gain * shape * np.random.default_rng(noise).standard_normal(n)[None]


@pytest.mark.parametrize(
    ("preset", "seconds", "frames"), [("video-foley", 10, 1250), ("t-foley", 4, 690), ("fol-ai", 10, 3446)]
)
def test_frames_of_the_published_forms(preset: str, seconds: int, frames: int) -> None:
    rate = e_l1.PRESETS[preset].rate
    assert len(e_l1.envelope(bursts(rate, seconds=seconds), rate, preset)) == frames


def test_silence_beats_sound_that_is_right_but_late_and_the_result_says_so() -> None:
    """Measured in the references' form: 50 ms late scores worse than nothing at all; r tells them apart."""
    true = bursts(16000)
    new, late = bursts(16000, noise=1), bursts(16000, late_s=0.05, noise=1)
    found = e_l1.evaluate([late], [true], 16000, "video-foley")
    assert found.value > 1.2 * found.silence
    assert e_l1.distance(new, true, 16000, "video-foley") < 0.15 * found.silence
    quiet = e_l1.evaluate([np.zeros_like(true)], [true], 16000, "video-foley")
    assert quiet.value == pytest.approx(quiet.silence)
    assert quiet.relative == pytest.approx(1.0)
    assert quiet.r == 0
    assert 0 < found.r < 0.5
    assert e_l1.evaluate([new], [true], 16000, "video-foley").r > 0.95


def test_gain_moves_two_forms_and_not_the_one_that_normalises() -> None:
    true = bursts(22050, seconds=4)
    assert e_l1.distance(true / 2, true, 22050, "t-foley") < 1e-9
    for preset in ("fol-ai", "video-foley"):
        found = e_l1.evaluate([true / 2], [true], 22050, preset)
        assert found.relative == pytest.approx(0.5, abs=1e-6)
        assert found.r == pytest.approx(1.0, abs=1e-9)


def test_shuffled_is_another_clips_true_sound() -> None:
    a, b = bursts(16000, seconds=2), bursts(16000, late_s=0.2, seconds=3)
    found = e_l1.evaluate([a, b], [a, b], 16000, "video-foley")
    assert found.value == 0
    assert found.shuffled > 0.3 * found.silence
    assert found.n == 2
    assert np.isnan(e_l1.evaluate([a], [a], 16000).shuffled)


def test_the_shortest_sounds_and_refusals() -> None:
    for preset in e_l1.PRESETS:
        assert 0 < e_l1.distance(np.zeros((1, 400)), np.ones((1, 400)), 44100, preset) <= 1.1
    with pytest.raises(ValueError, match="no E-L1 preset 'foley'"):
        e_l1.envelope(np.ones((1, 4000)), 16000, "foley")
    with pytest.raises(ValueError, match="do not pair"):
        e_l1.evaluate([], [], 16000)
    with pytest.raises(ValueError, match="one length"):
        e_l1.distance(np.ones((1, 4000)), np.ones((1, 3000)), 16000)
