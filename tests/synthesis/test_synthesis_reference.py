"""A recording becomes a voice: the modes come back, and it plays as long and as bright."""

from __future__ import annotations

import numpy as np
import pytest

from weft.errors import UserError
from weft.synthesis import SoundEvent, render
from weft.synthesis.modal import ring
from weft.synthesis.published import measure_centroid, measure_t60
from weft.synthesis.reference import analyse, clearest_blow

RATE = 44100


def test_modes_and_decays_of_a_known_object_come_back() -> None:
    rng = np.random.default_rng(3)
    hz = np.array([421.0, 983.0, 1711.0, 2890.0, 4407.0])
    decay = np.array([4.0, 9.0, 14.0, 25.0, 40.0])
    gain = np.array([1.0, 0.7, 0.5, 0.5, 0.3])
    wave = np.zeros((2, 2 * RATE))
    start = 7000
    wave[:, start:] = ring(hz, decay, gain, 0.0, 2 * RATE - start, RATE)
    wave += 1e-4 * rng.standard_normal(wave.shape)
    voice = analyse(wave, RATE)
    for k, f in enumerate(hz):
        near = int(np.argmin(np.abs(voice.mode_hz - f)))
        assert abs(voice.mode_hz[near] / f - 1) < 0.003
        assert abs(voice.mode_decay[near] / decay[k] - 1) < 0.1
    assert len(voice.mode_hz) <= 8


@pytest.mark.parametrize("material", ["metal", "wood", "rock", "carpet"])
def test_it_plays_as_long_and_as_bright_as_the_recording(material: str) -> None:
    lengths, colours = [], []
    for seed in range(2):
        heard = render([SoundEvent(t=0.1, material=material)], 2.0, seed=seed, room=None)
        voice = analyse(heard, RATE)
        played = render([SoundEvent(t=0.1, material="carpet")], 2.0, seed=77, room=None, reference=voice)
        pair = [clearest_blow(wave[0], RATE) for wave in (heard, played)]
        lengths.append(measure_t60(pair[1], RATE) / measure_t60(pair[0], RATE))
        colours.append(measure_centroid(pair[1], RATE) / measure_centroid(pair[0], RATE))
    assert 0.7 < np.median(lengths) < 1.4
    assert 0.7 < np.median(colours) < 1.4


def test_every_action_plays_on_a_reference_and_the_level_is_ours() -> None:
    voice = analyse(0.01 * render([SoundEvent(t=0.0, material="glass")], 1.0, seed=1, room=None))
    for action in ("hit", "scratch", "step", "bounce", "roll"):
        wave = render([SoundEvent(t=0, action=action, duration=0.4)], 0.5, seed=2, room=None, reference=voice)
        assert np.isfinite(wave).all() and 0.05 < np.abs(wave).max() < 0.8


def test_the_strongest_of_several_blows_is_cut_out() -> None:
    events = [SoundEvent(t=t, material="wood", strength=s) for t, s in ((0.2, 0.2), (0.7, 1.0), (1.3, 0.3))]
    cut = clearest_blow(render(events, 2.0, seed=1, room=None)[0], RATE)
    assert 0.5 < len(cut) / RATE < 0.62
    assert np.argmax(np.abs(cut)) < 0.02 * RATE


def test_bad_references_are_refused() -> None:
    with pytest.raises(UserError, match="silent"):
        analyse(np.zeros((2, RATE)))
    with pytest.raises(UserError, match="too short"):
        analyse(np.ones((1, 100)))
    with pytest.raises(UserError, match="not finite"):
        analyse(np.full((1, RATE), np.nan))
