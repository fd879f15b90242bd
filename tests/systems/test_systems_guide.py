"""A guided take of weft-mini: the guide is obeyed, recorded, repeatable, and refused where it cannot be."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from weft.cues.sheet import Clip, CueSheet, Onset, Segment, Track, What, When, Where
from weft.errors import MediaError, UserError, WeightsError
from weft.systems.cueing import open_clip
from weft.systems.generate import perform
from weft.systems.guide import Guidance, at_rate, guide_for, words_of
from weft.systems.guide_log import READINGS, draw_guided
from weft.systems.rerun import rerun
from weft.systems.take import Take

SHEET = CueSheet(
    clip=Clip(duration=2.0, width=160, height=120, fps=25.0),
    when=When(onsets=tuple(Onset(t=t, strength=0.8, material="wood", action="hit") for t in (0.3, 0.9, 1.5))),
    where=Where(tracks=(Track(label="bar", t=[0.0, 2.0], box=[[0.6, 0.4, 0.9, 0.6]] * 2, depth=[0.3, 0.3]),)),
    what=What(prompt="a stick hits wood"),
)


def play(clip, guide: Guidance | None, **named) -> Take:
    return perform(clip, SHEET, system="weft-mini", seed=3, guide=guide, **{"steps": 4, **named})


@pytest.fixture(scope="module")
def takes(bar_clip) -> dict[str, Take]:
    """By volume, by cosines, and by steps too short to change anything."""
    asked = {"volume": Guidance(kind="volume"), "pairwise": Guidance(kind="pairwise")}
    asked["still"] = Guidance(kind="volume", scale=1e-9)
    return {name: play(bar_clip, guide) for name, guide in asked.items()}


def after(take: Take) -> dict[str, float]:
    return take.provenance["guide"]["after"]


def test_the_guide_is_obeyed(takes: dict[str, Take]) -> None:
    still, volume, pairwise = (after(takes[name]) for name in ("still", "volume", "pairwise"))
    assert volume["volume"] < still["volume"] - 0.01
    pairs = [told["text_audio"] + told["video_audio"] for told in (pairwise, still)]
    assert pairs[0] < pairs[1] - 0.02
    assert volume["text_video"] == pairwise["text_video"] == still["text_video"]
    assert not np.array_equal(takes["volume"].audio, takes["pairwise"].audio)


def test_a_guide_of_no_length_changes_nothing_heard(takes: dict[str, Take], bar_clip) -> None:
    np.testing.assert_allclose(takes["still"].audio, play(bar_clip, None).audio, atol=1e-4)


def test_v_and_the_deltas_are_recorded_before_during_and_after(takes: dict[str, Take]) -> None:
    told = takes["volume"].provenance["guide"]
    assert [row["step"] for row in told["steps"]] == [1, 2, 3]  # 4 steps, 20% to 85%
    assert set(told["before"]) == set(told["after"]) == set(READINGS)
    assert told["before"]["volume"] == told["steps"][0]["volume"]
    assert all(0 <= row["volume"] <= 1 and row["moved"] > 0 for row in told["steps"])
    assert len(told["encoders"]["weft-guide"]) == 64
    assert takes["still"].provenance["guide"]["before"] == pytest.approx(told["before"], abs=1e-5)


def test_a_long_take_is_guided_window_by_window(bar_clip) -> None:
    guide = guide_for(Guidance(kind="volume"), open_clip(bar_clip), SHEET)
    rows = torch.eye(8, guide.texts.shape[1])
    long = replace(guide, pictures=rows, texts=torch.stack([rows[6], rows[7]]), since=(0.0, 2.0))
    text, picture = long.vectors(0.0, 2.0)
    assert torch.equal(text, rows[6])  # the middle lies before 2 s
    torch.testing.assert_close(picture, rows[:4].sum(0) / 2)  # centred at 0.48, ..., 1.92 s
    text, picture = long.vectors(2.0, 4.0)
    assert torch.equal(text, rows[7])
    torch.testing.assert_close(picture, rows[4:].sum(0) / 2)
    assert torch.equal(long.vectors(9.0, 9.1)[1], rows[7])  # beyond the last: the nearest


@pytest.mark.parametrize("kind", ["mdg", "seeing-hearing"])
def test_the_papers_settings_play_too(bar_clip, kind: str) -> None:
    told = play(bar_clip, Guidance(kind=kind), steps=3).provenance["guide"]
    assert [row["step"] for row in told["steps"]] == [1, 2]
    assert all(row["moved"] == pytest.approx(0.1, rel=0.02) for row in told["steps"])


def test_a_guided_take_is_played_again_from_its_sidecar(takes: dict[str, Take], tmp_path) -> None:
    takes["volume"].save(tmp_path / "a.wav")
    assert json.loads((tmp_path / "a.json").read_text())["guide"]["kind"] == "volume"
    take, same, _ = rerun(tmp_path / "a.json")
    assert same
    assert take.provenance["guide"] == takes["volume"].provenance["guide"]


def test_v_over_the_steps_is_drawn(takes: dict[str, Take], tmp_path) -> None:
    path = tmp_path / "v.png"
    draw_guided(path, takes["volume"].provenance["guide"])
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(MediaError, match=r"v\.png"):
        draw_guided(path, takes["volume"].provenance["guide"])


@pytest.mark.parametrize(
    ("asked", "system", "said"),
    [
        (Guidance(kind="volume"), "weft-physical", "weft-physical has no diffusion to guide; choose --system"),
        (Guidance(kind="volum"), "weft-mini", "no guidance called 'volum'; did you mean volume"),
        (Guidance(kind="volume", scale=0.0), "weft-mini", "--guide-scale 0; give a number above 0"),
        (Guidance(kind="volume", scale=float("nan")), "weft-mini", "--guide-scale nan"),
        (Guidance(kind="volume", start=0.9), "weft-mini", "guidance from 0.9 to 0.85: give 0 <= start < stop <= 1"),
        (Guidance(kind="volume", every=0), "weft-mini", "guidance every 0 steps"),
    ],
)  # fmt: skip
def test_what_cannot_be_guided_is_refused(bar_clip, asked: Guidance, system: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        perform(bar_clip, SHEET, system=system, guide=asked)


def test_a_clip_without_words_and_encoders_that_are_missing_are_refused(bar_clip, tmp_path) -> None:
    video, asked = open_clip(bar_clip), Guidance(kind="volume")
    with pytest.raises(UserError, match="this clip has no words; give --prompt"):
        guide_for(asked, video, replace(SHEET, what=What()))
    with pytest.raises(WeightsError, match=r"gone\.safetensors"):
        guide_for(asked, video, SHEET, encoders=str(tmp_path / "gone.safetensors"))


def test_words_hold_until_others_come() -> None:
    segments = (Segment(start=0.5, end=1.0, prompt="gravel"), Segment(start=1.5, end=2.0, prompt="glass"))
    sheet = replace(SHEET, what=What(segments=segments))
    assert words_of(sheet) == ((0.5, 1.5), ("gravel", "glass"))
    spoken = replace(SHEET, what=What(prompt="wood", segments=segments[:1]))
    assert words_of(spoken) == ((0.0, 0.5, 1.0), ("wood", "gravel", "wood"))


def test_an_ear_of_another_rate_hears_the_same() -> None:
    t = torch.arange(16000, dtype=torch.float64) / 16000
    for hertz in (50, 440, 7000):
        found = at_rate(torch.sin(2 * np.pi * hertz * t)[None], 16000, 44100)
        wanted = torch.sin(2 * np.pi * hertz * torch.arange(44100, dtype=torch.float64) / 44100)[None]
        torch.testing.assert_close(found, wanted, atol=1e-9, rtol=0)
    back = at_rate(at_rate(torch.sin(99 * t)[None], 16000, 44100), 44100, 16000)
    torch.testing.assert_close(back, torch.sin(99 * t)[None])
