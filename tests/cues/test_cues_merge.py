"""Merging: empty fields are spotted, filled fields obeyed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from cue_strategies import sheets
from hypothesis import given

from weft.cues.merge import merge
from weft.cues.sheet import Clip, CueSheet, Envelope, Onset, Segment, Track, What, When, Where

CLIP = Clip(duration=8.0)
SEEN = CueSheet(
    clip=dataclasses.replace(CLIP, width=1280, height=720, fps=25.0),
    when=When(
        onsets=(
            Onset(t=1.0, strength=0.4, material="metal", action="hit"),
            Onset(t=2.0, strength=0.6, duration=0.5, material="metal", action="scratch"),
        ),
        envelope=Envelope(hop=0.1, rms=np.linspace(0.0, 0.8, 80)),
        source="spotter",
    ),
    where=Where(
        tracks=(Track(label="stick", t=[0.0, 8.0], box=[[0, 0, 0.2, 1]] * 2, depth=[0.0, 0.8]),),
        source="spotter",
    ),
    what=What(prompt="a stick hits metal", source="spotter"),
)


@given(sheets(), sheets())
def test_filled_fields_are_obeyed_and_empty_ones_spotted(filled: CueSheet, spotted: CueSheet):
    made = merge(filled, spotted)
    if filled.when.onsets is not None:
        assert [o.t for o in made.when.onsets] == [o.t for o in filled.when.onsets]
        for mine, whole in zip(filled.when.onsets, made.when.onsets, strict=True):
            written = {"strength", "duration", "material", "action"} - mine.unwritten
            assert all(getattr(mine, n) == getattr(whole, n) for n in written)
    if filled.when.envelope is not None:
        assert made.when.envelope == filled.when.envelope
    if filled.where.tracks is not None:
        for mine, whole in zip(filled.where.tracks, made.where.tracks, strict=True):
            assert whole == mine or mine.depth is None
            assert np.array_equal(whole.box, mine.box)
    else:
        assert made.where == spotted.where
    for name in ("prompt", "negative", "reference"):
        mine = getattr(filled.what, name)
        assert getattr(made.what, name) == (getattr(spotted.what, name) if mine is None else mine)


@given(sheets(), sheets())
def test_merging_the_same_again_changes_nothing(filled: CueSheet, spotted: CueSheet):
    once = merge(filled, spotted)
    assert merge(once, spotted) == once


@given(sheets())
def test_nothing_is_neutral_on_either_side(sheet: CueSheet):
    nothing = CueSheet(clip=sheet.clip)
    assert merge(sheet, nothing) == sheet
    assert merge(nothing, sheet).where == sheet.where
    assert merge(nothing, sheet).when.onsets == sheet.when.onsets
    assert merge(sheet, sheet).what == sheet.what


def test_an_empty_sheet_is_spotted_whole():
    assert merge(CueSheet(clip=CLIP), SEEN) == SEEN


def test_an_onset_keeps_what_is_written_and_takes_the_rest_from_the_nearest_spotted():
    mine = When(onsets=(Onset(t=1.04, strength=1.0), Onset(t=1.95, material="wood"), Onset(t=5.0)))
    made = merge(CueSheet(clip=CLIP, when=mine), SEEN).when
    assert made.onsets == (
        Onset(t=1.04, strength=1.0, duration=0.0, material="metal", action="hit"),
        Onset(t=1.95, strength=0.6, duration=0.5, material="wood", action="scratch"),
        Onset(t=5.0),
    )
    assert made.source == "person+spotter"


def test_each_spotted_onset_serves_only_the_nearest():
    mine = When(onsets=(Onset(t=0.98), Onset(t=1.05)))
    made = merge(CueSheet(clip=CLIP, when=mine), SEEN).when.onsets
    assert [o.material for o in made] == ["metal", None]


def test_a_prompt_outranks_the_materials_the_spotter_saw():
    made = merge(CueSheet(clip=CLIP, what=What(prompt="glass")), SEEN)
    assert [o.material for o in made.when.onsets] == [None, None]
    assert [o.action for o in made.when.onsets] == ["hit", "scratch"]
    assert made.what == What(prompt="glass")
    own = When(onsets=(Onset(t=1.0, material="wood"),))
    assert (
        merge(CueSheet(clip=CLIP, when=own, what=What(prompt="glass")), SEEN).when.onsets[0].material
        == "wood"
    )


def test_a_segment_outranks_them_inside_its_stretch_only():
    part = What(segments=(Segment(start=1.5, end=3.0, prompt="gravel"),))
    made = merge(CueSheet(clip=CLIP, what=part), SEEN)
    assert [o.material for o in made.when.onsets] == ["metal", None]
    assert made.what.prompt == "a stick hits metal"
    assert made.what.source == "person+spotter"


def test_spotted_segments_are_taken_only_where_nothing_is_said():
    parts = What(segments=(Segment(start=1.0, end=2.0, prompt="gravel"),), source="spotter")
    seen = dataclasses.replace(SEEN, what=parts)
    assert merge(CueSheet(clip=CLIP), seen).what == parts
    assert merge(CueSheet(clip=CLIP, what=What(prompt="glass")), seen).what.segments == ()


def test_a_spotted_track_without_depth_is_never_lent_another_ones():
    flat = Track(label="dog", t=[0.0, 8.0], box=[[0.5, 0, 0.7, 1]] * 2)
    seen = dataclasses.replace(SEEN, where=Where(tracks=(flat, *SEEN.where.tracks), source="spotter"))
    once = merge(CueSheet(clip=CLIP), seen)
    assert once.where == seen.where
    assert merge(once, seen) == once


def test_no_words_on_purpose_stay_no_words():
    made = merge(CueSheet(clip=CLIP, what=What(prompt="")), SEEN)
    assert made.what.prompt == ""
    assert made.when.onsets[0].material == "metal"


@pytest.mark.parametrize(
    ("times", "taken"),
    [((1.0, 2.0), True), ((1.004, 2.0), True), ((1.04, 1.97), False), ((1.0, 3.0), False), ((1.0,), False)],
)
def test_a_spotted_envelope_is_taken_only_for_the_spotted_onsets(times: tuple[float, ...], taken: bool):
    mine = When(onsets=tuple(Onset(t=t) for t in times))
    assert (merge(CueSheet(clip=CLIP, when=mine), SEEN).when.envelope is not None) == taken


def test_a_given_envelope_silences_the_spotted_onsets_in_its_silences():
    rms = np.zeros(80)
    rms[10:13] = 0.5
    made = merge(CueSheet(clip=CLIP, when=When(envelope=Envelope(hop=0.1, rms=rms))), SEEN).when
    assert [o.t for o in made.onsets] == [1.0]


def test_none_on_purpose_stays_none():
    mine = CueSheet(clip=CLIP, when=When(onsets=()), where=Where(tracks=()))
    made = merge(mine, SEEN)
    assert made.when.onsets == ()
    assert made.when.envelope is None
    assert made.where == mine.where


def test_a_given_track_takes_only_the_depth_it_lacks():
    bare = Track(label="stick", t=[2.0, 4.0], box=[[0.5, 0, 0.7, 1]] * 2)
    made = merge(CueSheet(clip=CLIP, where=Where(tracks=(bare,))), SEEN).where
    assert made.tracks[0].box.tolist() == bare.box.tolist()
    np.testing.assert_allclose(made.tracks[0].depth, [0.2, 0.4])
    assert made.source == "person+spotter"


def test_a_longer_spotted_sheet_is_cut_to_the_clip():
    short = CueSheet(clip=Clip(duration=1.5))
    made = merge(short, SEEN)
    assert [o.t for o in made.when.onsets] == [1.0]
    assert made.when.envelope.times[-1] <= 1.5
    assert (made.clip.duration, made.clip.width, made.clip.fps) == (1.5, 1280, 25.0)
