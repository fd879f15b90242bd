"""Onsets, click tracks and envelopes turn into one another and back."""

from __future__ import annotations

import cue_strategies  # noqa: F401  (sets the hypothesis profile)
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.cues.conversions import (
    click_track,
    envelope_from_onsets,
    onsets_from_clicks,
    onsets_from_envelope,
    resample_envelope,
    rms_envelope,
    smooth_envelope,
)
from weft.cues.sheet import Envelope, Onset

SPREAD = st.lists(st.integers(0, 38), unique=True, max_size=12).flatmap(
    lambda slots: st.tuples(
        *[st.builds(Onset, t=st.just(0.2 * s + 0.1), strength=st.floats(0.2, 1.0)) for s in sorted(slots)]
    )
)


@pytest.mark.parametrize(("window", "hop", "n"), [(512, 128, 10_000), (512, 128, 12_800), (2048, 512, 5_001)])
def test_rms_envelope_is_librosas_and_foleygrams(window: int, hop: int, n: int):
    librosa = pytest.importorskip("librosa")
    audio = np.random.default_rng(3).standard_normal(n).astype(np.float32)
    want = librosa.feature.rms(
        y=audio, frame_length=window, hop_length=hop, center=True, pad_mode="constant"
    )[0]
    envelope = rms_envelope(audio, 44100, window, hop)
    assert envelope.hop == hop / 44100
    np.testing.assert_allclose(envelope.rms, want, atol=2e-6)


def test_rms_envelope_of_stereo_is_the_mean_power():
    stereo = np.stack([np.full(4410, 0.6), np.full(4410, 0.8)]).astype(np.float32)
    assert rms_envelope(stereo).rms[10] == pytest.approx(np.sqrt(0.5), abs=1e-6)


def test_rms_envelope_of_almost_nothing():
    assert rms_envelope(np.zeros((2, 0))).rms.tolist() == [0.0]
    assert rms_envelope(np.zeros(5)).rms.tolist() == [0.0]


@given(SPREAD)
def test_clicks_carry_onsets_there_and_back(onsets: tuple[Onset, ...]):
    audio = click_track(onsets, 8.0)
    assert audio.shape == (352_800,)
    assert audio.dtype == np.float32
    assert np.abs(audio).max(initial=0.0) <= 1.0
    back = onsets_from_clicks(audio)
    assert [o.t for o in back] == [o.t for o in onsets]
    assert [o.strength for o in back] == pytest.approx([o.strength for o in onsets], abs=2e-3)


def test_clicks_are_read_at_any_rate_and_from_stereo():
    onsets = (Onset(t=0.0, strength=0.5), Onset(t=0.25), Onset(t=1.0, strength=0.1))
    audio = click_track(onsets, 1.5, rate=48000)
    assert onsets_from_clicks(np.stack([audio, 0 * audio]), 48000) == onsets
    assert click_track([Onset(t=1.5)], 1.5).max() == 0.0  # the very end holds no sample
    assert onsets_from_clicks(np.zeros(100)) == ()
    assert onsets_from_clicks(np.zeros(0)) == ()


@given(SPREAD)
def test_envelopes_carry_onsets_there_and_back(onsets: tuple[Onset, ...]):
    envelope = envelope_from_onsets(onsets, 8.0, decay=0.04)
    back = onsets_from_envelope(envelope)
    assert [o.t for o in back] == pytest.approx([o.t for o in onsets], abs=0.006)
    if onsets:
        top = max(o.strength for o in onsets)
        assert [o.strength for o in back] == pytest.approx([o.strength / top for o in onsets], rel=0.15)


def test_the_envelope_of_a_hit_decays_and_of_a_scratch_holds():
    hit = envelope_from_onsets([Onset(t=1.0, strength=0.8)], 3.0, hop=0.01, decay=0.1)
    assert hit.at(0.98) == 0.0
    np.testing.assert_allclose(hit.at([1.0, 1.1, 1.2]), 0.4 * np.exp([0.0, -1.0, -2.0]), rtol=1e-4)
    scratch = envelope_from_onsets([Onset(t=1.0, strength=0.8, duration=0.5)], 3.0, hop=0.01, decay=0.1)
    np.testing.assert_allclose(scratch.at([1.0, 1.4, 1.6]), 0.4 * np.exp([0.0, 0.0, -1.0]), rtol=1e-4)
    assert scratch.rms.size == 301


def test_powers_add_where_onsets_overlap():
    pair = [Onset(t=1.0, strength=0.6), Onset(t=1.0, strength=0.8)]
    assert envelope_from_onsets(pair, 2.0, hop=0.01, level=1.0).at(1.0) == pytest.approx(1.0)


def test_bursts_of_noise_are_found_and_wobbles_are_not():
    rng = np.random.default_rng(5)
    audio = 1e-3 * rng.standard_normal(44100 * 4)
    for second, level in ((0.5, 0.8), (1.7, 0.2), (3.0, 0.5)):
        at = round(second * 44100)
        audio[at : at + 8820] += level * rng.standard_normal(8820) * np.exp(-np.arange(8820) / 2000)
    found = onsets_from_envelope(rms_envelope(audio))
    assert [o.t for o in found] == pytest.approx([0.5, 1.7, 3.0], abs=0.01)
    assert max(o.strength for o in found) == 1.0
    assert onsets_from_envelope(Envelope(hop=0.01, rms=np.zeros(100))) == ()
    hum = Envelope(hop=0.01, rms=0.3 + 0.01 * rng.standard_normal(400))
    assert [o.t for o in onsets_from_envelope(hum)] == [0.0]  # only that it begins


def test_resampling_keeps_the_energy_and_the_shape():
    fine = envelope_from_onsets([Onset(t=1.0), Onset(t=2.5, strength=0.5)], 8.0)
    coarse = resample_envelope(fine, 1024 / 44100)
    energy = [np.sum(np.square(e.rms)) * e.hop for e in (fine, coarse)]
    assert energy[1] == pytest.approx(energy[0], rel=0.01)
    assert abs(coarse.times[np.argmax(coarse.rms)] - 1.0) < 0.03
    back = resample_envelope(coarse, fine.hop, count=fine.rms.size)
    assert back.rms.size == fine.rms.size
    assert np.corrcoef(back.rms, fine.rms)[0, 1] > 0.95  # an attack is blurred by up to half a step
    level = Envelope(hop=0.01, rms=np.full(300, 0.25))
    np.testing.assert_allclose(resample_envelope(level, 0.04, count=75).rms, 0.25)
    np.testing.assert_allclose(resample_envelope(level, 0.001, count=2000).rms, 0.25)


def test_smoothing_spreads_but_keeps_energy_and_level():
    spike = np.zeros(201)
    spike[100] = 1.0
    smooth = smooth_envelope(Envelope(hop=0.01, rms=spike), 0.2)
    assert np.sum(np.square(smooth.rms)) == pytest.approx(1.0, abs=1e-4)
    assert np.argmax(smooth.rms) == 100
    assert smooth.rms[91:110].min() > 0 == smooth.rms[80]
    level = Envelope(hop=0.01, rms=np.full(50, 0.5))
    np.testing.assert_allclose(smooth_envelope(level, 0.3).rms, 0.5)
    assert smooth_envelope(level, 0.01) == level
