"""The fader and the pan pot ride to the sheet's levels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from weft.cues.conversions import rms_envelope
from weft.cues.sheet import Clip, CueSheet, Envelope, Onset, Track, When, Where
from weft.systems.desk import MAKEUP_DB, REACH, makeup_db, ride, riding

RATE = 44100


def _noise(seconds: float = 2.0) -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal((2, round(seconds * RATE)))).astype(np.float32)


def _enveloped(source: str = "person") -> CueSheet:
    rms = 0.02 + 0.08 * np.abs(np.sin(np.arange(688) * 0.02))
    when = When(onsets=(), envelope=Envelope(hop=128 / RATE, rms=rms), source=source)
    return CueSheet(clip=Clip(duration=2.0), when=when)


def test_desk_keeps_the_envelope() -> None:
    sheet = _enveloped()
    heard = rms_envelope(ride(_noise(), 0, sheet)).rms[20:-20]
    wanted = sheet.when.envelope.rms[20 : 20 + heard.size]  # type: ignore[union-attr]
    assert np.abs(20 * np.log10(heard / wanted)).mean() < 1.0
    assert np.corrcoef(heard, wanted)[0, 1] > 0.97


def test_desk_leaves_a_machines_guess_and_an_empty_sheet_alone() -> None:
    wave = _noise()
    np.testing.assert_array_equal(ride(wave, 0, _enveloped("spotter")), wave)
    np.testing.assert_array_equal(ride(wave, 0, CueSheet(clip=Clip(duration=2.0))), wave)


def test_desk_does_not_lift_silence_to_noise() -> None:
    silent = np.zeros((2, RATE), np.float32)
    assert not ride(silent, 0, _enveloped()).any()


def test_desk_leans_to_the_trajectory_and_mirrors_with_it() -> None:
    def sheet(x: float) -> CueSheet:
        box = np.array([[x - 0.05, 0.4, x + 0.05, 0.6]] * 2)
        track = Track(t=np.array([0.0, 2.0]), box=box)
        return CueSheet(clip=Clip(duration=2.0), where=Where(tracks=(track,)))

    wave = _noise()
    right, left, middle = (ride(wave, 0, sheet(x)) for x in (0.9, 0.1, 0.5))
    level = [10 * np.log10(np.square(w[1]).mean() / np.square(w[0]).mean()) for w in (right, left, middle)]
    assert 8 < level[0] < 14
    assert -14 < level[1] < -8
    assert abs(level[2]) < 0.5
    assert abs(np.square(right).sum() / np.square(wave).sum() - 1) < 0.05


def test_desk_stretches_that_overlap_agree() -> None:
    wave, sheet = _noise(), _enveloped()
    track = Track(t=np.array([0.0, 2.0]), box=np.array([[0.1, 0, 0.2, 1], [0.8, 0, 0.9, 1]]))
    sheet = replace(sheet, where=Where(tracks=(track,)))
    whole = ride(wave, 0, sheet)
    first = 20480
    part = ride(wave[:, first:60000], first, sheet)
    np.testing.assert_allclose(part[:, REACH:-REACH], whole[:, first + REACH : 60000 - REACH], atol=1e-6)


@pytest.mark.parametrize("size", [997, 4096, 50000, 10**6])
def test_desk_rides_blocks_as_it_rides_the_whole(size: int) -> None:
    wave, sheet = _noise(), _enveloped()
    track = Track(t=np.array([0.0, 2.0]), box=np.array([[0.1, 0, 0.2, 1], [0.8, 0, 0.9, 1]]))
    sheet = replace(sheet, where=Where(tracks=(track,)))
    blocks = (wave[:, k : k + size] for k in range(0, wave.shape[1], size))
    whole = np.concatenate(list(riding(blocks, sheet)), axis=1)
    np.testing.assert_allclose(whole, ride(wave, 0, sheet), atol=1e-6)


def test_a_roll_is_heard_where_it_is_and_a_blow_where_it_struck() -> None:
    track = Track(t=np.array([0.0, 2.0]), box=np.array([[0.05, 0, 0.15, 1], [0.85, 0, 0.95, 1]]))
    level = []
    for lasting in (0.0, 2.0):
        when = When(onsets=(Onset(t=0.0, strength=0.8, duration=lasting),), source="person")
        sheet = CueSheet(clip=Clip(duration=2.0), when=when, where=Where(tracks=(track,)))
        late = ride(_noise(), 0, sheet)[:, -RATE // 2 :]
        level.append(10 * np.log10(np.square(late[1]).mean() / np.square(late[0]).mean()))
    assert level[0] < -6
    assert level[1] > 6


def test_a_take_is_lifted_unless_an_envelope_says_how_loud_it_is() -> None:
    assert makeup_db(CueSheet(clip=Clip(duration=2.0))) == MAKEUP_DB
    assert makeup_db(_enveloped("spotter")) == MAKEUP_DB
    assert makeup_db(_enveloped("person")) == makeup_db(_enveloped("person+spotter")) == 0.0
