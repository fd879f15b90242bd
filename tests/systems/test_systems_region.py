"""A part of a take made anew: outside it nothing changes by a bit, and inside it is at home."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from mmaudio_tiny import TINY_16K, TINY_44K

from weft.cues.edits import move_onset
from weft.cues.sheet import Clip, CueSheet, Onset, Track, What, When, Where
from weft.errors import UserError
from weft.media import read_audio
from weft.systems.desk import REACH, riding
from weft.systems.generate import generate, perform
from weft.systems.known import FADE_S, Known, mono
from weft.systems.mmaudio import MMAudio
from weft.systems.region import Region
from weft.systems.rerun import rerun
from weft.systems.table import SYSTEMS, system

RATE = 44100
SHEET = CueSheet(
    clip=Clip(duration=2.0, width=160, height=120, fps=25.0),
    when=When(onsets=tuple(Onset(t=t, strength=0.8, material="wood", action="hit") for t in (0.3, 0.9, 1.5))),
    where=Where(tracks=(Track(label="bar", t=[0.0, 2.0], box=[[0.6, 0.4, 0.9, 0.6]] * 2, depth=[0.3, 0.3]),)),
    what=What(prompt="a stick hits wood"),
)
START, END = 0.8, 1.3
NAMES = ("weft-physical", "weft-mini", "mmaudio-small-16k", "mmaudio-large-44k-v2")


@pytest.fixture
def rows(own_weights: Path, performer: Callable[..., MMAudio], monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of MMAudio with tiny networks behind them."""
    for name, parts in (("mmaudio-small-16k", TINY_16K), ("mmaudio-large-44k-v2", TINY_44K)):
        row = replace(system(name), load=lambda parts=parts: performer(parts))
        monkeypatch.setitem(SYSTEMS, name, row)


def outside(start: float, end: float, samples: int) -> np.ndarray:
    return np.r_[0 : round(start * RATE), round(end * RATE) : samples]


def assert_no_seam(wave: np.ndarray, start: float, end: float) -> None:
    """Steps from sample to sample and bends of the wave at the edges are no larger than those the material has."""
    for edge in (start, end):
        at = round(edge * RATE)
        for order in (1, 2):
            steps = np.abs(np.diff(wave, n=order, axis=1)).max(axis=0)
            seam = steps[at - 3 : at + 3].max()
            near = np.r_[steps[at - 8000 : at - 3], steps[at + 3 : at + 8000]]
            assert seam <= near.max(), (edge, order)


@pytest.mark.parametrize("name", NAMES)
def test_outside_the_region_every_sample_is_the_takes(
    rows: None, bar_clip, tmp_path: Path, name: str
) -> None:
    steps = None if name == "weft-physical" else 2
    take = perform(bar_clip, SHEET, system=name, steps=steps)
    before = read_audio(take.save(tmp_path / "a.wav"))
    region = Region(start=START, end=END, source=tmp_path / "a.wav")
    moved = move_onset(SHEET, 1, 1.0)
    anew = generate(bar_clip, cues=moved, steps=steps, region=region, seed=5)
    assert anew.provenance["system"] == name, "the take's own, where none is asked for"
    other = generate(bar_clip, cues=moved, steps=steps, region=region, seed=6)
    for suffix in ("wav", "flac", "mkv"):
        after = read_audio(anew.save(tmp_path / f"b.{suffix}", overwrite=True))
        kept = outside(START, END, before.shape[1])
        assert np.array_equal(after[:, kept], before[:, kept]), suffix
    inside = slice(round((START + FADE_S) * RATE), round((END - FADE_S) * RATE))
    level = np.sqrt(np.square(after[:, inside]).mean())
    assert np.abs(after - before)[:, inside].max() > 0.1 * level
    assert np.abs(other.audio - after)[:, inside].max() > 0.1 * level
    assert_no_seam(after, START, END)
    made = json.loads((tmp_path / "b.json").read_text())["region"]
    assert (made["start"], made["end"], made["source"]) == (START, END, "a.wav") and len(made["sha256"]) == 64
    again, same, _ = rerun(tmp_path / "b.json")
    assert same and np.array_equal(again.audio, anew.audio)
    soundfile.write(tmp_path / "a.wav", before.T * 0.5, RATE)
    with pytest.raises(UserError, match=r"a\.wav is not the take of which a region was made anew"):
        rerun(tmp_path / "b.json")


@pytest.mark.parametrize("name", ["mmaudio-small-16k", "mmaudio-large-44k-v2"])
@pytest.mark.parametrize("span", [(7.0, 8.0), (0.0, 0.5), (11.3, 12.0), (1.0, 11.5)])
def test_a_region_of_a_long_take_may_lie_anywhere(rows: None, tmp_path: Path, name: str, span) -> None:
    """Windows decide 0 to 7.5 s, and what is left."""
    sheet = CueSheet(clip=Clip(duration=12.0))
    rng = np.random.default_rng(1)
    before = (0.05 * rng.standard_normal((2, 12 * RATE))).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", before.T, RATE, subtype="FLOAT")
    region = Region(start=span[0], end=span[1], source=tmp_path / "a.wav")
    told: list[float] = []
    take = perform(
        None,
        sheet,
        duration=12.0,
        system=name,
        steps=1,
        region=region,
        progress=lambda stage, done: told.append(done),
    )
    kept, after = outside(*span, 12 * RATE), read_audio(take.save(tmp_path / "b.wav"))
    assert np.array_equal(after[:, kept], before[:, kept])
    assert not np.array_equal(after, before)
    windows = 1 if span[1] <= 7.5 or span[0] >= 7.5 else 2
    assert len(told) == windows, "what lies far from it is not played"


def test_a_fill_that_is_what_was_there_leaves_the_take_as_it_is(bar_clip, tmp_path: Path) -> None:
    """weft-physical strikes the same objects for the same seed: so time and level are right to the sample, though the
    take was brought to a loudness of its own."""
    take = perform(bar_clip, SHEET, system="weft-physical", lufs=-35.0)
    before = read_audio(take.save(tmp_path / "a.wav"))
    region = Region(start=START, end=END, source=tmp_path / "a.json")
    anew = generate(bar_clip, region=region)
    np.testing.assert_allclose(anew.audio, before, atol=2e-7)
    assert anew.provenance["region"]["loudness_db"] == take.provenance["audio"]["loudness_db"] < -5
    assert anew.sheet == take.sheet, "the sheet is the take's own"


def test_a_take_of_an_earlier_weft_that_does_not_say_how_far_it_was_lifted(bar_clip, tmp_path: Path) -> None:
    """Made by --lufs and without `loudness_db`: a filling would be as loud as the take was before, so it is refused."""
    perform(bar_clip, SHEET, system="weft-physical", lufs=-35.0).save(tmp_path / "a.wav")
    made = json.loads((tmp_path / "a.json").read_text())
    del made["audio"]["loudness_db"]
    (tmp_path / "a.json").write_text(json.dumps(made))
    region = Region(start=START, end=END, source=tmp_path / "a.wav")
    with pytest.raises(UserError, match="did not note how far it was lifted; weft rerun its sidecar"):
        generate(bar_clip, region=region)
    rerun(tmp_path / "a.json")[0].save(tmp_path / "b.wav")
    generate(bar_clip, region=replace(region, source=tmp_path / "b.wav"))
    del made["lufs"]
    (tmp_path / "a.json").write_text(json.dumps(made))
    generate(bar_clip, region=region)


def test_peaks_of_the_take_pass_untouched_and_those_of_the_region_are_limited(
    bar_clip, tmp_path: Path
) -> None:
    before = np.zeros((2, 2 * RATE), np.float32)
    before[:, ::700] = 1.3
    soundfile.write(tmp_path / "a.wav", before.T, RATE, subtype="FLOAT")
    loud = replace(
        SHEET, what=What(prompt="metal"), when=When(onsets=(Onset(t=1.0, strength=1.0, material="metal"),))
    )
    source = Region(start=START, end=END, source=tmp_path / "a.wav", loudness_db=30.0)
    take = perform(bar_clip, loud, system="weft-physical", region=source)
    after, kept = read_audio(take.save(tmp_path / "b.wav")), outside(START, END, 2 * RATE)
    assert np.array_equal(after[:, kept], before[:, kept])
    inside = after[:, round((START + FADE_S) * RATE) : round((END - FADE_S) * RATE)]
    assert 0.5 < np.abs(inside).max() <= 0.9


def test_a_take_of_another_rate_or_one_channel_is_resampled(bar_clip, tmp_path: Path) -> None:
    tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(2 * 48000) / 48000)
    soundfile.write(tmp_path / "a.wav", tone, 48000)
    region = Region(start=START, end=END, source=tmp_path / "a.wav")
    wave = perform(bar_clip, SHEET, system="weft-physical", region=region).audio
    wanted = 0.1 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)
    early = slice(1000, round(START * RATE))
    np.testing.assert_allclose(wave[:, early], np.stack([wanted] * 2)[:, early], atol=1e-3)


def known(path: Path, wave: np.ndarray, start: float, end: float) -> Known:
    soundfile.write(path, wave.T, RATE, subtype="FLOAT")
    region = Region(start=start, end=end, source=path)
    return Known.open(region, duration=wave.shape[1] / RATE, rate=RATE, makeup_db=0.0)


def test_fades_lie_inside_and_the_clips_own_ends_have_none(tmp_path: Path) -> None:
    ones, fade = np.ones((2, RATE), np.float32), round(FADE_S * RATE)
    for (start, end), hard in (
        ((0.2, 0.6), (False, False)),
        ((0.0, 0.6), (True, False)),
        ((0.2, 1.0), (False, True)),
    ):
        one = known(tmp_path / "a.wav", ones, start, end)
        blocks = [np.zeros((2, 10007), np.float32)] * 4 + [np.zeros((2, RATE - 40028), np.float32)]
        wave = np.concatenate(list(one.filled(blocks)), axis=1)
        first, last = round(start * RATE), round(end * RATE)
        assert (wave[:, :first] == 1).all() and (wave[:, last:] == 1).all()
        assert (wave[:, first + fade : last - fade] == 0).all()
        assert (wave[0, first] < 1e-6) == hard[0] and (wave[0, last - 1] < 1e-6) == hard[1]
        assert (np.diff(wave[0, first : first + fade]) <= 0).all()


def test_the_noise_of_a_filling_is_named_by_seed_and_take(tmp_path: Path) -> None:
    """With the noise that the take was made of, the same part would come out again."""
    one, other = (known(tmp_path / f"{n}.wav", np.full((2, RATE), n / 9), 0.2, 0.6) for n in (1, 2))
    seeds = [which.noise_seed(seed) for which in (one, other) for seed in (0, 1)]
    assert len({*seeds, 0, 1}) == 6 and min(seeds) >= 0
    assert known(tmp_path / "1.wav", np.full((2, RATE), 1 / 9), 0.3, 0.5).noise_seed(0) == seeds[0]


def test_one_channel_of_a_placed_sound_is_as_strong() -> None:
    left = np.stack([np.ones(100), np.full(100, 0.2)]).astype(np.float32)
    assert np.square(mono(left)).mean() == pytest.approx(np.square(left).mean(), rel=1e-5)
    assert not mono(np.zeros((2, 10), np.float32)).any()
    assert np.isfinite(mono(np.stack([np.ones(10), -np.ones(10)]).astype(np.float32))).all()


def test_the_desk_rides_a_stretch_as_it_rides_the_whole() -> None:
    rng, first = np.random.default_rng(0), 30011
    wave = rng.standard_normal((2, 2 * RATE)).astype(np.float32) * 0.05
    whole = np.concatenate(list(riding([wave], SHEET)), axis=1)
    blocks = [wave[:, at : at + 7001] for at in range(first, wave.shape[1], 7001)]
    part = np.concatenate(list(riding(blocks, SHEET, first=first)), axis=1)
    np.testing.assert_allclose(part[:, REACH:], whole[:, first + REACH :], atol=1e-6)


def test_what_cannot_be_made_anew_is_one_line_and_exit_2(weft_command, bar_clip, tmp_path: Path) -> None:
    take = perform(bar_clip, SHEET, system="weft-physical")
    take.save(tmp_path / "a.wav")
    take.save(tmp_path / "mixed.wav", original="mix")
    soundfile.write(tmp_path / "short.wav", np.zeros(RATE), RATE)
    a = ("--from", tmp_path / "a.wav")
    cases = [
        (("--region", 1, 3, *a), "--region 1 3 lies outside the clip; give seconds from 0 to 2"),
        (("--region", -1, 1, *a), "lies outside the clip"),
        (("--region", 1, 1, *a), "--region 1 1 is empty or reversed"),
        (("--region", 1.5, 1, *a), "is empty or reversed"),
        (("--region", "nan", 1, *a), "is empty or reversed"),
        (("--region", 1, 1.01, *a), "is too short; give 0.05 s or more"),
        (("--region", 1, 1.5), "give its file with --from"),
        (a, "give --region START END"),
        (("--region", 1, 1.5, "--from", tmp_path / "none.wav"), "no take at"),
        (("--region", 1, 1.5, "--from", tmp_path / "none.json"), "no take beside"),
        (("--region", 1, 1.5, "--from", tmp_path / "mixed.wav"), "holds the clip's own sound too"),
        (("--region", 1, 1.5, "--from", tmp_path / "short.wav"), "has 1.00 s of sound, the clip 2.00 s"),
        (("--region", 1, 1.5, *a, "--lufs", -23), "--lufs -23 would change the take around the region"),
        (("--region", 1, 1.5, *a, "--compat", "--system", "mmaudio-small-16k"), "leave --region out"),
        (("--region", 1, 1.5, *a, "-o", tmp_path / "a.wav", "--force"), "is the take that is kept"),
    ]
    (tmp_path / "sheet.json").write_text(SHEET.to_json())
    before = sorted(p.name for p in tmp_path.iterdir())
    for args, said in cases:
        flags = () if "-o" in args else ("-o", tmp_path / "out.wav")
        status, out, err = weft_command(
            "generate", bar_clip, "--cues", tmp_path / "sheet.json", *args, *flags
        )
        assert (status, out) == (2, ""), (args, err)
        assert said in err and err.count("\n") == 1 and err.startswith("weft: "), err
        assert sorted(p.name for p in tmp_path.iterdir()) == before, args


def test_the_command_makes_takes_of_a_region_and_reruns_one(weft_command, bar_clip, tmp_path: Path) -> None:
    perform(bar_clip, SHEET, system="weft-mini", steps=2).save(tmp_path / "a.wav")
    flags = ("--region", START, END, "--from", tmp_path / "a.json", "--steps", 2, "--takes", 2)
    status, _, err = weft_command("generate", bar_clip, *flags, "-o", tmp_path / "b.wav")
    assert status == 0, err
    a, one, two = (read_audio(tmp_path / f"{name}.wav") for name in ("a", "b.1", "b.2"))
    kept = outside(START, END, a.shape[1])
    for made in (one, two):
        assert np.array_equal(made[:, kept], a[:, kept]) and not np.array_equal(made, a)
    assert not np.array_equal(one, two)
    (tmp_path / "a.wav").rename(tmp_path / "moved.wav")
    moved = ("--from", tmp_path / "moved.wav", "-o", tmp_path / "c.wav")
    status, out, err = weft_command("rerun", tmp_path / "b.2.json", *moved)
    assert status == 0 and "c.wav: the same samples as" in out, err
