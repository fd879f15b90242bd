"""The cue sheet as rows of numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from weft.cues.controls import CHANNELS, WIDTH, control_frames, level
from weft.cues.sheet import Clip, CueSheet, Envelope, Onset, Track, What, When, Where
from weft.cues.vocabulary import ACTIONS, MATERIALS

RATE = 44100 / 1024


def _sheet(**dials: object) -> CueSheet:
    return CueSheet(clip=Clip(duration=4.0), **dials)  # type: ignore[arg-type]


def _of(frames: np.ndarray, name: str) -> np.ndarray:
    return frames[:, CHANNELS[name]]


def test_controls_of_an_empty_sheet_are_all_unknown() -> None:
    frames = control_frames(_sheet(), 173, RATE)
    assert frames.shape == (173, WIDTH)
    assert frames.dtype == np.float32
    assert not frames.any()


def test_controls_tell_none_from_not_given() -> None:
    frames = control_frames(_sheet(when=When(onsets=())), 10, RATE)
    assert _of(frames, "when_known").all()
    assert not _of(frames, "onset").any()


def test_controls_place_an_onset_inside_its_frame() -> None:
    t = 1.234
    frames = control_frames(_sheet(when=When(onsets=(Onset(t=t, strength=0.5),))), 173, RATE)
    at = int(t * RATE)
    assert _of(frames, "onset")[:, 0].nonzero()[0].tolist() == [at]
    assert (at + 0.5 + _of(frames, "offset")[at, 0]) / RATE == pytest.approx(t, abs=1e-4)
    assert _of(frames, "strength")[at, 0] == 0.5
    age = _of(frames, "age")
    assert not age[:at].any()
    assert (np.diff(age[at:], axis=0) < 0).all()


def test_controls_hold_material_and_action_until_the_next_onset() -> None:
    onsets = (
        Onset(t=1.0, material="metal", action="hit"),
        Onset(t=2.0, material="gravel", action="step"),
    )
    frames = control_frames(_sheet(when=When(onsets=onsets)), 173, RATE)
    material = np.array(MATERIALS)[_of(frames, "material").argmax(1)]
    change = int(2.0 * RATE)
    assert set(material[:change]) == {"metal"}
    assert set(material[change:]) == {"gravel"}
    assert set(np.array(ACTIONS)[_of(frames, "action").argmax(1)][change:]) == {"step"}


def test_controls_ask_words_only_where_the_onset_is_silent_about_it() -> None:
    asked = []

    def hints(prompt: str | None) -> tuple[np.ndarray, np.ndarray]:
        asked.append(prompt)
        return np.full(17, 1 / 17, np.float32), np.full(5, 0.2, np.float32)

    sheet = _sheet(
        when=When(onsets=(Onset(t=1.0, material="wood"), Onset(t=2.0))), what=What(prompt="a gong")
    )
    frames = control_frames(sheet, 173, RATE, hints=hints)
    assert asked == ["a gong"]
    assert _of(frames, "material")[0].max() == 1
    assert _of(frames, "material")[-1].max() == pytest.approx(1 / 17)


def test_controls_mark_where_a_scratch_sounds() -> None:
    frames = control_frames(_sheet(when=When(onsets=(Onset(t=1.0, duration=0.5, strength=0.8),))), 173, RATE)
    active = _of(frames, "active")[:, 0]
    assert active.max() == pytest.approx(0.8, rel=1e-5)
    assert active.sum() / RATE == pytest.approx(0.5 * 0.8, rel=1e-3)
    assert active[: int(RATE) - 1].sum() == 0


def test_controls_read_the_envelope_in_decibels() -> None:
    rms = np.zeros(400)
    rms[100:] = 0.1
    frames = control_frames(_sheet(when=When(envelope=Envelope(hop=0.01, rms=rms))), 173, RATE)
    envelope = _of(frames, "envelope")
    assert envelope[10].tolist() == [0, 0]
    np.testing.assert_allclose(envelope[100], 1 - 20 / 80, atol=1e-4)
    assert level(np.array([1.0, 1e-9])).tolist() == [1, 0]


def test_controls_place_follows_the_track_and_mirrors_with_it() -> None:
    box = np.array([[0.0, 0, 0.2, 1], [0.8, 0, 1.0, 1]])
    track = Track(t=np.array([0.0, 4.0]), box=box, depth=np.array([0.2, 0.6]))
    sheet = _sheet(where=Where(tracks=(track,)), when=When(onsets=(Onset(t=1.0),)))
    frames = control_frames(sheet, 172, RATE)
    pan = _of(frames, "pan")
    assert pan[0, 0] == pytest.approx(-0.8, abs=0.01)
    assert pan[-1, 0] == pytest.approx(0.8, abs=0.01)
    np.testing.assert_allclose(pan[60:, 1], -0.4, atol=0.01)
    mirrored = replace(track, box=np.stack([1 - box[:, 2], box[:, 1], 1 - box[:, 0], box[:, 3]], axis=1))
    other = control_frames(replace(sheet, where=Where(tracks=(mirrored,))), 172, RATE)
    np.testing.assert_allclose(_of(other, "pan"), -pan, atol=1e-3)
    assert _of(frames, "depth")[-1, 0] == pytest.approx(0.6, abs=0.01)


def test_controls_of_a_window_are_a_cut_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    onsets = tuple(Onset(t=t, strength=0.7, duration=0.2) for t in np.sort(rng.uniform(0, 4, 9)).tolist())
    sheet = _sheet(when=When(onsets=onsets, envelope=Envelope(hop=0.003, rms=rng.uniform(0, 1, 1300))))
    whole = control_frames(sheet, 170, RATE)
    np.testing.assert_allclose(control_frames(sheet, 80, RATE, start=50), whole[50:130], atol=1e-4)
