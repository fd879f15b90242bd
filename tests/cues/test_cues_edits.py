"""Edits do exactly what they say and nothing else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from cue_strategies import sheets
from hypothesis import given
from hypothesis import strategies as st

from weft.cues import edits
from weft.cues.conversions import envelope_from_onsets
from weft.cues.sheet import Clip, CueSheet, Onset, Segment, Track, What, When, Where
from weft.errors import CueError

ONSETS = tuple(
    Onset(t=t, strength=s, duration=0.0, material="wood", action="hit")
    for t, s in [(1.0, 0.5), (1.3, 1.0), (4.0, 0.7)]
)
SHEET = CueSheet(
    clip=Clip(duration=8.0, start=2.0),
    when=When(onsets=ONSETS, envelope=envelope_from_onsets(ONSETS, 8.0), source="spotter"),
    where=Where(
        tracks=(Track(label="stick", t=[0.0, 8.0], box=[[0, 0, 0.2, 1], [0.8, 0, 1, 1]], depth=[0.0, 0.8]),)
    ),
    what=What(prompt="a stick", segments=(Segment(start=2.0, end=5.0, prompt="gravel"),)),
)


def away_from(sheet: CueSheet, *times: float) -> np.ndarray:
    """The envelope's values but for a few beside the given times, where a real envelope rises."""
    grid = sheet.when.envelope.times
    near = np.any([np.abs(grid - t) < 0.01 for t in times], axis=0)
    return sheet.when.envelope.rms[~near]


def test_a_moved_onset_takes_its_part_of_the_envelope_along_and_leaves_the_others():
    moved = edits.move_onset(SHEET, 1, 6.0)
    want = tuple(sorted((ONSETS[0], dataclasses.replace(ONSETS[1], t=6.0), ONSETS[2]), key=lambda o: o.t))
    assert moved.when.onsets == want
    assert (moved.where, moved.what, moved.clip) == (SHEET.where, SHEET.what, SHEET.clip)
    assert moved.when.source == "person+spotter"
    rebuilt = dataclasses.replace(moved, when=When(onsets=want, envelope=envelope_from_onsets(want, 8.0)))
    np.testing.assert_allclose(away_from(moved, 1.3, 6.0), away_from(rebuilt, 1.3, 6.0), atol=2e-3)
    back = edits.move_onset(moved, 2, 1.3)
    np.testing.assert_allclose(away_from(back, 1.3, 6.0), away_from(SHEET, 1.3, 6.0), atol=5e-3)


def test_without_an_envelope_only_the_onset_moves():
    bare = dataclasses.replace(SHEET, when=When(onsets=ONSETS))
    moved = edits.move_onset(bare, 0, 2.0)
    assert [o.t for o in moved.when.onsets] == [1.3, 2.0, 4.0]
    assert moved.when.envelope is None
    with pytest.raises(CueError, match=r"when.onsets\[2\].t: 9.0 is after the clip ends"):
        edits.move_onset(bare, 0, 9.0)


def test_a_material_changes_for_one_or_for_all_and_never_the_envelope():
    one = edits.set_material(SHEET, "metal", index=1)
    assert [o.material for o in one.when.onsets] == ["wood", "metal", "wood"]
    assert one.when.envelope == SHEET.when.envelope
    assert {o.material for o in edits.set_material(SHEET, "glass").when.onsets} == {"glass"}
    assert edits.set_material(one, "wood", index=1).when.onsets == ONSETS
    with pytest.raises(CueError, match="did you mean metal"):
        edits.set_material(SHEET, "mettal", index=0)


def test_a_changed_strength_scales_its_own_part():
    louder = edits.set_onset(SHEET, 2, dataclasses.replace(ONSETS[2], strength=0.35))
    ratio = louder.when.envelope.at(4.2) / SHEET.when.envelope.at(4.2)
    assert ratio == pytest.approx(0.5, abs=0.01)
    assert louder.when.envelope.at(1.4) == SHEET.when.envelope.at(1.4)


def test_an_added_onset_taken_away_again_leaves_the_sheet_as_it_was():
    more = edits.add_onset(SHEET, Onset(t=6.5, strength=1.0))
    assert more.when.envelope.at(6.51) == pytest.approx(0.5, rel=0.1)
    less = edits.remove_onset(more, 3)
    assert less.when.onsets == ONSETS
    np.testing.assert_allclose(less.when.envelope.rms, SHEET.when.envelope.rms, atol=1e-5)


@pytest.mark.parametrize("edit", [lambda s: edits.move_onset(s, 3, 1.0), lambda s: edits.remove_onset(s, -1)])
def test_an_onset_that_is_not_there_is_refused(edit):
    with pytest.raises(CueError, match=r"^when.onsets\[-?\d\]: there is no such onset; give 0 to 2"):
        edit(SHEET)
    with pytest.raises(CueError, match="the sheet has no onsets"):
        edit(CueSheet(clip=Clip(duration=1.0)))


@given(sheets(), st.floats(0, 8))
def test_mirroring_turns_pan_over_and_twice_is_not_at_all(sheet: CueSheet, t: float):
    mirrored = edits.mirror(sheet)
    assert mirrored.pan_at(t) == pytest.approx(-sheet.pan_at(t), abs=1e-9)
    assert mirrored.depth_at(t) == sheet.depth_at(t)
    assert (mirrored.when, mirrored.what) == (sheet.when, sheet.what)
    for once, twice in zip(sheet.where.tracks or (), edits.mirror(mirrored).where.tracks or (), strict=True):
        np.testing.assert_allclose(twice.box, once.box, atol=1e-9)


@given(sheets(), st.floats(0.01, 10))
def test_scaling_is_of_strength_alone(sheet: CueSheet, factor: float):
    scaled = edits.scale_strength(sheet, factor)
    for mine, other in zip(sheet.when.onsets or (), scaled.when.onsets or (), strict=True):
        assert other.strength == pytest.approx(min(max(mine.strength * factor, 0.001), 1.0), abs=6e-4)
        assert dataclasses.replace(other, strength=mine.strength) == mine
    assert (scaled.where, scaled.what) == (sheet.where, sheet.what)
    with pytest.raises(CueError, match=r"^factor: 0 is out of range"):
        edits.scale_strength(sheet, 0)


def test_a_shift_moves_every_dial_together():
    later = edits.shift(SHEET, 3.0)
    assert [o.t for o in later.when.onsets] == [4.0, 4.3, 7.0]
    assert later.when.envelope.at(4.35) == pytest.approx(SHEET.when.envelope.at(1.35), rel=0.05)
    assert later.when.envelope.at(2.0) == 0.0
    assert later.pan_at(5.0) == pytest.approx(SHEET.pan_at(2.0), abs=1e-3)
    assert later.what.segments == (Segment(start=5.0, end=8.0, prompt="gravel"),)
    assert later.clip == SHEET.clip
    assert [o.t for o in edits.shift(SHEET, -1.2).when.onsets] == [0.1, 2.8]


def test_a_crop_is_the_stretch_as_a_clip_of_its_own():
    part = edits.crop(SHEET, 1.2, 4.2)
    assert (part.clip.duration, part.clip.start) == (3.0, 3.2)
    assert [o.t for o in part.when.onsets] == [0.1, 2.8]
    assert part.when.envelope.at(0.2) == pytest.approx(SHEET.when.envelope.at(1.4), rel=0.02)
    assert part.pan_at(1.0) == pytest.approx(SHEET.pan_at(2.2), abs=1e-3)
    assert part.depth_at(2.0) == pytest.approx(SHEET.depth_at(3.2), abs=2e-3)
    assert part.what.segments == (Segment(start=0.8, end=3.0, prompt="gravel"),)
    for start, end in ((-1, 2), (3, 3), (0, 9)):
        with pytest.raises(CueError, match=r"^crop: .* is no stretch of the clip; give 0 to 8.0"):
            edits.crop(SHEET, start, end)


@given(sheets(), st.integers(0, 70), st.integers(1, 80))
def test_any_sheet_can_be_cropped_and_shifted(sheet: CueSheet, start: int, length: int):
    part = edits.crop(sheet, start / 10, min(start / 10 + length / 10, 8.0))
    assert CueSheet.from_json(part.to_json()) == part
    edits.shift(sheet, start / 10 - 3.5)
    assert edits.crop(sheet, 0, 8.0).when.onsets == sheet.when.onsets


def test_words_for_a_stretch_replace_what_they_overlap():
    worded = edits.set_prompt(SHEET, "hail", start=4.0, end=6.0)
    assert worded.what.segments == (Segment(start=4.0, end=6.0, prompt="hail"),)
    assert edits.set_prompt(SHEET, "rain").what.prompt == "rain"
    assert edits.set_prompt(SHEET, None, start=0.0).what.segments == ()
