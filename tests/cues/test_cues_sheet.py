"""The sheet's types: what they keep, what they refuse, and what pan_at and depth_at read from the tracks."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from cue_strategies import numbers, sheets
from hypothesis import given
from hypothesis import strategies as st

from weft.cues.sheet import DEPTH_UNKNOWN, Clip, CueSheet, Envelope, Onset, Segment, Track, What, When, Where
from weft.errors import CueError


def sheet_with(*tracks: Track) -> CueSheet:
    return CueSheet(clip=Clip(duration=8.0), where=Where(tracks=tracks))


def walk(
    label: str, start: float, end: float, x0: float, x1: float, depth: list[float] | None = None
) -> Track:
    return Track(
        label=label, t=[start, end], box=[[x0, 0, x0 + 0.2, 1], [x1, 0, x1 + 0.2, 1]], depth=depth
    )  # fmt: skip


def test_pan_and_depth_follow_the_box_centre():
    sheet = sheet_with(walk("man", 0, 4, 0.0, 0.8, [0.2, 0.6]))
    assert sheet.pan_at(0.0) == pytest.approx(-0.8)
    assert sheet.pan_at(2.0) == pytest.approx(0.0)
    assert sheet.depth_at(1.0) == pytest.approx(0.3)
    assert isinstance(sheet.pan_at(1), float)
    np.testing.assert_allclose(sheet.pan_at(np.array([[0.0, 4.0], [2.0, 9.0]])), [[-0.8, 0.8], [0.0, 0.8]])


def test_the_track_that_covers_t_speaks_else_the_nearest_in_time():
    sheet = sheet_with(walk("a", 0, 2, 0, 0), walk("b", 4, 6, 0.8, 0.8), walk("late twin", 5, 6, 0.4, 0.4))
    np.testing.assert_allclose(sheet.pan_at(np.array([1.0, 2.9, 3.1, 5.5, 8.0])), [-0.8, -0.8, 0.8, 0.8, 0.8])


def test_a_label_narrows_the_choice_only_when_it_names_a_track():
    sheet = sheet_with(walk("man", 0, 8, 0, 0), walk("Dog", 0, 8, 0.8, 0.8))
    assert sheet.pan_at(1.0, "dog") == pytest.approx(0.8)
    assert sheet.pan_at(1.0, "cat") == pytest.approx(-0.8)


def test_without_tracks_the_sound_is_in_the_middle_at_an_unknown_depth():
    for where in (Where(), Where(tracks=())):
        sheet = CueSheet(clip=Clip(duration=1.0), where=where)
        assert sheet.pan_at(0.5) == 0.0
        assert sheet.depth_at(0.5) == DEPTH_UNKNOWN
        np.testing.assert_array_equal(sheet.pan_at(np.zeros(3)), np.zeros(3))
    assert sheet_with(walk("man", 0, 1, 0, 0)).depth_at(0.5) == DEPTH_UNKNOWN


def test_a_box_off_screen_pans_no_further_than_the_edge():
    assert sheet_with(Track(t=[0.0], box=[[1.5, 0, 1.9, 1]])).pan_at(3.0) == 1.0


@given(sheets(), st.lists(numbers(-1, 10), min_size=1, max_size=5))
def test_an_array_reads_as_its_numbers_do(sheet: CueSheet, times: list[float]):
    for read, low in ((sheet.pan_at, -1.0), (sheet.depth_at, 0.0)):
        together = read(np.array(times))
        assert together.tolist() == [read(t) for t in times]
        assert ((together >= low) & (together <= 1.0)).all()


def test_values_are_kept_at_the_resolution_of_the_file():
    assert Onset(t=1.00049, strength=0.12345) == Onset(t=1.0, strength=0.123)
    assert Onset(t=0, strength=1e-9).strength == 0.001
    assert Envelope(hop=0.1, rms=[0.12345678]).rms[0] == 0.123457
    assert Track(t=[0.00049], box=[[0.12345, 0, 0.5, 1]]).box[0, 0] == pytest.approx(0.1234, abs=1e-4)


def test_arrays_are_copied_and_cannot_be_written():
    mine = np.array([0.1, 0.2])
    envelope = Envelope(hop=0.1, rms=mine)
    mine[0] = 9.0
    assert envelope.rms[0] == 0.1
    with pytest.raises(ValueError, match="read-only"):
        envelope.rms[0] = 1.0


def test_times_are_sorted_and_boxes_go_along():
    when = When(onsets=(Onset(t=2.0), Onset(t=1.0, material="wood")))
    assert [o.t for o in when.onsets] == [1.0, 2.0]
    track = Track(t=[1.0, 0.0], box=[[0.8, 0, 1, 1], [0, 0, 0.2, 1]], depth=[0.9, 0.1])
    assert track.t.tolist() == [0.0, 1.0]
    assert track.box[0].tolist() == [0.0, 0.0, 0.2, 1.0]
    assert track.depth.tolist() == [0.1, 0.9]


def test_unwritten_defaults_are_told_apart_from_written_ones_and_survive_an_edit():
    assert Onset(t=1.0).unwritten == {"strength", "duration", "material", "action"}
    assert Onset(t=1.0, strength=1.0, material="wood").unwritten == {"duration", "action"}
    assert dataclasses.replace(Onset(t=1.0, strength=1.0), t=2.0).unwritten == {
        "duration",
        "material",
        "action",
    }


def test_a_filled_dial_has_a_source_and_an_empty_one_none():
    assert When(onsets=()).source == "person"
    assert When(source="spotter").source is None
    assert When(onsets=(), source="spotter").source == "spotter"
    with pytest.raises(CueError, match=r"source: \"spoter\" is not known; did you mean spotter\?"):
        When(onsets=(), source="spoter")


def test_the_envelope_is_linear_between_values_and_silent_beyond():
    envelope = Envelope(hop=0.5, rms=[0.0, 1.0])
    np.testing.assert_allclose(envelope.at([0.25, 0.5, 0.9, 1.5]), [0.5, 1.0, 1.0, 0.0])
    assert Envelope(hop=0.5, rms=[1.0, 1.0]).at([-0.1, 0.0, 0.7, 1.1]).tolist() == [0.0, 1.0, 1.0, 0.0]
    np.testing.assert_allclose(envelope.times, [0.0, 0.5])


def test_a_segment_outranks_the_prompt_inside_its_stretch():
    what = What(prompt="rain", segments=(Segment(start=1, end=2, prompt="hail"),))
    assert [what.prompt_at(t) for t in (0.5, 1.0, 1.999, 2.0)] == ["rain", "hail", "hail", "rain"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Onset(t=-0.2), r"^t: -0.2 is before the clip"),
        (lambda: Onset(t=float("nan")), r"^t: NaN is not a finite number"),
        (lambda: Onset(t="1"), r'^t: "1" is not a number'),
        (lambda: Onset(t=True), r"^t: true is not a number"),
        (lambda: Onset(t=1, strength=0), r"^strength: 0 is out of range; give more than 0, up to 1"),
        (lambda: Onset(t=1, strength=1.1), r"^strength: 1.1 is out of range"),
        (lambda: Onset(t=1, duration=-1), r"^duration: -1 is negative"),
        (lambda: Onset(t=1, material="metl"), r'^material: "metl" is not known; did you mean metal\?'),
        (lambda: Onset(t=1, action="xyzzy"), r'^action: "xyzzy" is not known \(known: hit'),
        (lambda: Envelope(hop=0, rms=[1]), r"^hop: 0 is no step"),
        (lambda: Envelope(hop=0.1, rms=[]), r"^rms: \[\] holds no value"),
        (lambda: Envelope(hop=0.1, rms=[0, -0.5]), r"^rms\[1\]: -0.5 is negative"),
        (lambda: Envelope(hop=0.1, rms=[0, float("inf")]), r"^rms\[1\]: Infinity is not a finite"),
        (lambda: Envelope(hop=0.1, rms=np.array([0, np.nan])), r"^rms\[1\]: NaN is not a finite"),
        (lambda: Envelope(hop=0.1, rms=np.zeros((2, 2))), r"^rms: an array of 2 axes; give 1"),
        (lambda: Track(t=[0], box=[[0.5, 0, 0.2, 1]]), r"^box\[0\]: .* is out of order; give x1, y1, x2, y2"),
        (lambda: Track(t=[0], box=[[10, 0, 200, 1]]), r"^box\[0\]\[0\]: 10.0 is no fraction of the picture"),
        (lambda: Track(t=[0, 1], box=[[0, 0, 1, 1]]), r"^box: 1 boxes for 2 times"),
        (lambda: Track(t=[0], box=[[0, 0, 1]]), r"^box\[0\]: 3 numbers; give the four"),
        (lambda: Track(t=[0], box=[[0, 0, 1, 1]], depth=[2]), r"^depth\[0\]: 2.0 is out of range"),
        (lambda: Track(t=[0], box=[[0, 0, 1, 1]], depth=[0, 0]), r"^depth: 2 depths for 1 times"),
        (lambda: Segment(start=2, end=2, prompt="x"), r"^end: 2 is not after the start, 2"),
        (lambda: What(prompt=3), r"^prompt: 3 is not text"),
        (lambda: What(prompt="\ud800"), r"^prompt: holds half a character"),
        (lambda: Clip(duration=0), r"^duration: 0 is no length"),
        (lambda: Clip(duration=1, width=0), r"^width: 0 is no size"),
        (lambda: CueSheet(clip=Clip(duration=1), version=2), r"^version: 2 is not supported"),
        (
            lambda: CueSheet(clip=Clip(duration=1), when=When(onsets=(Onset(t=1.5),))),
            r"^when.onsets\[0\].t: 1.5 is after the clip ends; give seconds from 0 to 1.0",
        ),
        (
            lambda: CueSheet(clip=Clip(duration=1), when=When(envelope=Envelope(hop=0.1, rms=[0] * 20))),
            r"^when.envelope.rms: 20 values 0.1 s apart last 1.900 s, longer than the clip",
        ),
    ],
)
def test_faults_are_refused_by_place_and_value(make, message):
    with pytest.raises(CueError, match=message):
        make()
