"""The main job through the library: three dials obeyed, lengths exact, takes repeatable."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile

import weft
from weft.cues.edits import mirror, move_onset, set_material
from weft.cues.sheet import Clip, CueSheet, Onset, Segment, Track, What, When, Where
from weft.errors import CueError, MediaError, UserError
from weft.systems import sidecar
from weft.systems.cueing import cue, cued, open_clip
from weft.systems.generate import generate, perform
from weft.systems.rerun import rerun
from weft.systems.table import DEFAULT, SYSTEMS
from weft.systems.weft_physical import events_of

RATE = 44100
EMBEDDED = [name for name, spec in SYSTEMS.items() if not spec.files()]
"""Those that run on what weft ships; MMAudio's are played on tiny files in its own tests."""


def hand_sheet(**what) -> CueSheet:
    return CueSheet(
        clip=Clip(duration=2.0, width=160, height=120, fps=25.0),
        when=When(
            onsets=tuple(Onset(t=t, strength=0.8, material="wood", action="hit") for t in (0.3, 0.9, 1.5))
        ),
        where=Where(
            tracks=(Track(label="bar", t=[0.0, 2.0], box=[[0.6, 0.4, 0.9, 0.6]] * 2, depth=[0.3, 0.3]),)
        ),
        what=What(prompt="a stick hits wood", **what),
    )


def play(clip, sheet, **kw) -> np.ndarray:
    return perform(clip, sheet, **kw).audio


def changed_span(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    where = np.flatnonzero(np.abs(a - b).max(axis=0) > 0)
    return (where[0] / RATE, where[-1] / RATE) if where.size else (0.0, 0.0)


@pytest.mark.parametrize("name", EMBEDDED)
def test_sound_is_exactly_as_long_as_the_picture(bar_clip, name):
    take = generate(bar_clip, cues=hand_sheet(), system=name, steps=2 if name != "weft-physical" else None)
    assert take.audio.shape == (2, round(2.0 * RATE))
    assert take.audio.dtype == np.float32
    assert np.abs(take.audio).max() > 0.01
    assert take.levels["true_peak_db"] <= -0.99


@pytest.mark.parametrize("name", EMBEDDED)
def test_same_seed_same_samples_and_takes_stand_alone(bar_clip, name):
    steps = None if name == "weft-physical" else 2
    one = play(bar_clip, hand_sheet(), system=name, seed=3, steps=steps)
    again = play(bar_clip, hand_sheet(), system=name, seed=3, steps=steps)
    other = play(bar_clip, hand_sheet(), system=name, seed=3, take=1, steps=steps)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_moving_one_onset_moves_that_onset_only(bar_clip):
    before = play(bar_clip, hand_sheet())
    after = play(bar_clip, move_onset(hand_sheet(), 2, 1.7))
    start, _ = changed_span(before, after)
    assert start == pytest.approx(1.5, abs=0.005)


def test_changing_one_material_changes_that_onset_only(bar_clip):
    before = play(bar_clip, hand_sheet())
    after = play(bar_clip, set_material(hand_sheet(), "metal", index=1))
    start, _ = changed_span(before, after)
    assert start == pytest.approx(0.9, abs=0.005)


def test_mirroring_the_trajectory_swaps_the_ears(bar_clip):
    right = play(bar_clip, hand_sheet())
    left = play(bar_clip, mirror(hand_sheet()))
    energy = lambda x: (x.astype(np.float64) ** 2).sum(axis=1)  # noqa: E731
    r, lft = energy(right), energy(left)
    assert r[1] > 1.5 * r[0]
    assert lft[0] > 1.5 * lft[1]


def test_a_persons_words_outrank_the_picture(bar_clip):
    sheet = cue(bar_clip, prompt="a hammer on a steel anvil, metal clang")
    assert {e.material for e in events_of(sheet, 2.0)} <= {"metal"}


def test_a_material_written_on_an_onset_outranks_the_prompt(bar_clip):
    events = events_of(cue(bar_clip, hand_sheet(), prompt="gravel crunches"), 2.0)
    assert {e.material for e in events} == {"wood"}


def test_segments_speak_for_their_stretch(bar_clip):
    sheet = replace(
        hand_sheet(segments=(Segment(start=0.8, end=1.2, prompt="crunching gravel"),)),
        when=When(onsets=(Onset(t=0.3, action="hit"), Onset(t=0.9, action="hit"))),
    )
    assert [e.material for e in events_of(sheet, 2.0)] == ["wood", "gravel"]


def test_no_onsets_means_silence(bar_clip):
    sheet = CueSheet(clip=Clip(duration=2.0), when=When(onsets=()))
    take = generate(bar_clip, cues=sheet)
    assert take.sheet.when.onsets == ()
    assert np.abs(take.audio).max() < 1e-3


def test_a_sheet_for_another_clip_is_refused(bar_clip):
    sheet = CueSheet(clip=Clip(duration=7.5))
    with pytest.raises(UserError, match=r"sheet is for 7\.5 s"):
        generate(bar_clip, cues=sheet)


def test_unknown_system_names_the_closest(bar_clip):
    with pytest.raises(UserError, match="did you mean weft-mini"):
        generate(bar_clip, system="weft-minni")


def test_missing_reference_is_said(bar_clip, tmp_path):
    with pytest.raises(MediaError, match="nothing"):
        generate(bar_clip, cues=hand_sheet(), reference=tmp_path / "nothing.wav")


def test_reference_changes_the_timbre(bar_clip, tmp_path):
    t = np.arange(RATE) / RATE
    bell = sum(np.sin(2 * np.pi * f * t) for f in (523.0, 1301.0, 2417.0)) * np.exp(-4 * t) * 0.2
    soundfile.write(tmp_path / "bell.wav", bell, RATE)
    take = generate(bar_clip, cues=hand_sheet(), reference=tmp_path / "bell.wav")
    spectrum = np.abs(np.fft.rfft(take.audio.mean(axis=0)))
    hertz = np.fft.rfftfreq(take.audio.shape[1], 1 / RATE)
    near = lambda f: spectrum[np.abs(hertz - f) < 4].max()  # noqa: E731
    assert near(1301.0) > 5 * np.median(spectrum[(hertz > 1200) & (hertz < 1400)])
    assert not np.array_equal(take.audio, play(bar_clip, hand_sheet()))


def test_save_writes_the_family_and_rerun_gives_the_same_samples(bar_clip, tmp_path):
    take = generate(bar_clip, cues=hand_sheet(), seed=5, lufs=-23.0)
    take.save(tmp_path / "out.mp4")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.cues.json", "out.json", "out.mp4"]
    assert CueSheet.load(tmp_path / "out.cues.json") == take.sheet
    made, sheet = sidecar.read(tmp_path / "out.json")
    assert made["system"] == DEFAULT
    assert made["seed"] == 5 and sheet == take.sheet
    again, same, original = rerun(tmp_path / "out.json")
    assert same and original == "replace"
    assert np.array_equal(again.audio, take.audio)


def test_nothing_is_overwritten_unasked(bar_clip, tmp_path):
    take = generate(bar_clip, cues=hand_sheet())
    (tmp_path / "out.cues.json").write_text("mine")
    with pytest.raises(MediaError, match="exists"):
        take.save(tmp_path / "out.mp4")
    assert (tmp_path / "out.cues.json").read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["out.cues.json"]
    take.save(tmp_path / "out.mp4", overwrite=True)
    assert json.loads((tmp_path / "out.cues.json").read_text())["version"] == 1


def test_loudness_is_as_asked(bar_clip):
    take = generate(bar_clip, cues=hand_sheet(), lufs=-30.0)
    assert take.levels["lufs"] == pytest.approx(-30.0, abs=0.5)


def test_excerpt_has_the_excerpts_length(bar_clip):
    take = generate(bar_clip, start=0.5, duration=0.7)
    assert take.audio.shape[1] == round(0.7 * RATE)
    assert take.sheet.clip.start == pytest.approx(0.5, abs=0.021)  # it begins with the picture on screen


def test_package_front_door(bar_clip):
    sheet = weft.spot(bar_clip)
    assert isinstance(sheet, weft.CueSheet)
    assert weft.generate(bar_clip, cues=sheet, seed=7).audio.shape[0] == 2


def test_a_bad_sheet_is_refused_with_its_path(bar_clip, tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text('{"version": 1, "clip": {"duration": 2.0}, "when": {"onsets": [{"t": -0.2}]}}')
    with pytest.raises(CueError, match=r"when\.onsets\[0\]\.t"):
        generate(bar_clip, cues=bad)


def test_a_clip_that_was_looked_at_is_not_looked_at_again(bar_clip):
    sheet, seen = cued(open_clip(bar_clip))
    assert seen is not None
    stages: list[str] = []
    kw = {"system": "weft-mini", "steps": 2, "progress": lambda stage, done: stages.append(stage)}
    once = perform(bar_clip, sheet, seen=seen, **kw).audio
    assert "spot" not in stages
    np.testing.assert_array_equal(perform(bar_clip, sheet, **kw).audio, once)
    assert "spot" in stages
