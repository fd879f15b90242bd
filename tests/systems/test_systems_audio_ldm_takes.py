"""AudioLDM as systems of the table: files, lengths, words, the desk, refusals; on a tiny repository."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("diffusers")
pytest.importorskip("tokenizers")

from audio_ldm_tiny import write_repository

from weft.alignment.presets import PRESETS
from weft.cues.sheet import Clip, CueSheet, Segment, Track, What, Where
from weft.errors import UserError, WeightsError
from weft.media import read_audio
from weft.systems.audio_ldm import AudioLdm
from weft.systems.audio_ldm_files import REPOSITORIES, files, require_files, size_mb
from weft.systems.audio_ldm_takes import AudioLdmTakes
from weft.systems.generate import perform
from weft.systems.guide import Guidance
from weft.systems.performer import Ensemble, Request
from weft.systems.scene import Blank
from weft.systems.table import SYSTEMS, system

NAME = "audioldm-s-full-v2"
Ran = tuple[int, str, str]
Play = Callable[[Request], np.ndarray]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("weights")
    write_repository(home / NAME)
    return home


@pytest.fixture(scope="module")
def performer() -> AudioLdmTakes:
    """Its networks are loaded once, by the first test that plays."""
    return AudioLdmTakes(name=NAME)


@pytest.fixture
def own(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WEFT_WEIGHTS", str(folder))
    monkeypatch.setenv("WEFT_CACHE", str(tmp_path / "cache"))
    return folder


def request(duration: float = 1.0, what: What | None = None, **named: object) -> Request:
    sheet = CueSheet(clip=Clip(duration=duration), what=what or What(prompt="a stick hits wood"))
    return Request(**{"sheet": sheet, "duration": duration, "steps": 2, **named})  # type: ignore[arg-type]


@pytest.fixture
def play(own: Path, performer: AudioLdmTakes) -> Play:
    return lambda one: np.concatenate(list(performer.perform(one)), axis=1)


@pytest.mark.parametrize("name", REPOSITORIES)
def test_every_repository_is_a_row_with_what_one_should_know(name: str) -> None:
    spec = system(name)
    assert (spec.licence, spec.rate, spec.channels) == ("CC-BY-NC-SA 4.0", 44100, 2)
    assert spec.size_mb == size_mb(name) and size_mb(name) / 1000 < spec.memory_gb < size_mb(name) / 1000 + 2
    assert not spec.needs_video and not spec.compat
    wanted = {
        f"{name}/{part}" for part in ("unet", "vae", "vocoder", "text_encoder", "tokenizer", "scheduler")
    }
    assert {one.file.rpartition("/")[0] for one in spec.files()} == wanted
    for one in spec.files():
        assert one.url == f"https://huggingface.co/cvssp/{name}/resolve/main/{one.file.partition('/')[2]}"
        assert one.licence == spec.licence


def test_of_two_forms_the_one_that_is_here_is_named(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = {one.file.partition("/")[2] for one in files(NAME)}
    assert {"unet/diffusion_pytorch_model.safetensors", "vocoder/model.safetensors"} < here
    assert {"tokenizer/tokenizer.json", "text_encoder/model.safetensors"} < here
    require_files(NAME)
    monkeypatch.setenv("WEFT_WEIGHTS", str(own / "nowhere"))
    none = {one.file.partition("/")[2]: one for one in files(NAME)}
    assert {"unet/diffusion_pytorch_model.bin", "vocoder/pytorch_model.bin", "tokenizer/merges.txt"} < set(
        none
    )
    assert none["unet/diffusion_pytorch_model.bin"].megabytes == 740
    with pytest.raises(
        WeightsError,
        match=r"lacks \S+/scheduler_config.json and 12 more of its 13 files .*weft models download",
    ):
        require_files(NAME)


def test_weights_as_first_published_are_read_too(play: Play, tmp_path: Path, monkeypatch, capsys) -> None:
    wave = play(request())
    write_repository(tmp_path / NAME, safetensors=False)
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    require_files(NAME)
    capsys.readouterr()
    again = np.concatenate(list(AudioLdmTakes(name=NAME).perform(request())), axis=1)
    np.testing.assert_array_equal(again, wave)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("seconds", [0.1, 1.0, 1.2345, 3.3])
def test_sound_is_exactly_as_long_as_the_picture(play: Play, seconds: float) -> None:
    wave = play(request(seconds))
    assert wave.shape == (2, round(seconds * 44100)) and wave.dtype == np.float32
    assert np.abs(wave[:, -round(0.02 * 44100) :]).max() > 1e-5, "sound to the very end"


def test_it_is_the_networks_sound_at_another_rate(play: Play) -> None:
    raw = np.concatenate(list(AudioLdm.load(NAME).perform(request())), axis=1)[0]
    wave = play(request())
    np.testing.assert_array_equal(wave[0], wave[1])
    spectrum = np.abs(np.fft.rfft(wave[0] * np.hanning(44100)))[:7000]  # 1 Hz a bin, below 8 kHz
    wanted = np.abs(np.fft.rfft(raw * np.hanning(16000)))[:7000]
    np.testing.assert_allclose(spectrum / 44100, wanted / 16000, atol=2e-3 * wanted.max() / 16000)


def test_words_one_after_the_other_and_the_trajectory(play: Play) -> None:
    parts = (Segment(start=0.0, end=0.5, prompt="a stick"), Segment(start=0.5, end=1.0, prompt="hits wood"))
    np.testing.assert_array_equal(
        play(request(what=What(segments=parts))), play(request(what=What(prompt="a stick. hits wood")))
    )
    one = request()
    aside = Where(tracks=(Track(label="it", t=[0.0], box=[[0.8, 0.4, 1.0, 0.6]], depth=[0.3]),))
    placed = play(replace(one, sheet=replace(one.sheet, where=aside)))
    assert np.square(placed[1]).mean() > 3 * np.square(placed[0]).mean()


def test_what_it_cannot_play_is_refused_before_any_work(play: Play) -> None:
    row = SYSTEMS[NAME]
    row.check(Blank(duration=30.0), ())
    with pytest.raises(UserError, match="plays up to 30 s at once, not 31; give --duration"):
        row.check(Blank(duration=31.0), ())
    with pytest.raises(WeightsError, match="audioldm-m-full lacks"):
        SYSTEMS["audioldm-m-full"].check(Blank(duration=1.0), ())
    with pytest.raises(UserError, match="hears no reference recording"):
        AudioLdmTakes(name=NAME).perform(request(reference=np.zeros((2, 4410), np.float32)))
    with pytest.raises(UserError, match="this clip has none; give --prompt"):
        play(request(what=What(negative="hiss")))


def test_too_little_memory_is_said_before_anything_is_loaded(own: Path, tmp_path: Path, monkeypatch) -> None:
    from weft.systems import memory

    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemAvailable:    2000000 kB\n")
    monkeypatch.setattr(memory, "MEMINFO", meminfo)
    with pytest.raises(
        UserError, match=r"audioldm-s-full-v2 needs about 2.9 GB of memory and 2.0 GB are free"
    ):
        list(AudioLdmTakes(name=NAME).perform(request()))


def test_takes_through_the_command_line_and_again(
    own: Path, weft_command: Callable[..., Ran], tmp_path: Path
) -> None:
    assert isinstance(AudioLdmTakes(name=NAME), Ensemble)
    common = ("generate", "--system", NAME, "--steps", 2, "--prompt", "a stick hits wood", "--duration", 0.5)
    status, _, err = weft_command(*common, "--takes", 2, "-o", tmp_path / "x.wav")
    assert (status, err) == (0, "")
    one, two = (read_audio(tmp_path / f"x.{n}.wav") for n in (1, 2))
    assert one.shape == two.shape == (2, 22050) and not np.array_equal(one, two)
    made = json.loads((tmp_path / "x.2.json").read_text())
    assert set(made["weights"]) == {one.file for one in files(NAME)}
    status, out, err = weft_command("rerun", tmp_path / "x.2.json", "-o", tmp_path / "again.wav")
    assert status == 0 and "again.wav: the same samples" in out, err
    status, out, err = weft_command("models", "verify", NAME)
    assert status == 0 and out.count("here, no sum is published") == len(files(NAME))


@pytest.fixture
def medium(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny repository under the name that the guided systems ask for."""
    (tmp_path / "medium").mkdir()
    (tmp_path / "medium" / "audioldm-m-full").symlink_to(own / NAME)
    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path / "medium"))


SHEET = CueSheet(
    clip=Clip(duration=2.0, width=160, height=120, fps=25.0), what=What(prompt="a stick hits wood")
)


@pytest.mark.parametrize(("name", "loss"), [("mdg", "volume"), ("seeing-hearing", "pairwise")])
def test_the_papers_systems_are_guided_by_themselves(
    medium: None, bar_clip: Path, name: str, loss: str
) -> None:
    take = perform(bar_clip, SHEET, system=name, steps=4, duration=1.0)
    told = take.provenance["guide"]
    assert (told["kind"], told["by"]) == (name, "sound") and PRESETS[name].loss == loss
    assert [row["step"] for row in told["steps"]] == [1, 2, 3]
    assert all(row["moved"] == pytest.approx(0.1, rel=0.05) for row in told["steps"])
    assert take.audio.shape == (2, 44100)
    assert set(take.provenance["weights"]) == {one.file for one in files("audioldm-m-full")}


def test_flags_override_a_systems_own_guidance(
    medium: None, bar_clip: Path, weft_command, tmp_path: Path
) -> None:
    own = perform(bar_clip, SHEET, system="mdg", steps=4, duration=0.5, guide=Guidance(kind="volume"))
    assert (own.provenance["guide"]["kind"], own.provenance["guide"]["by"]) == ("volume", "mel")
    (tmp_path / "cues.json").write_text(replace(SHEET, clip=Clip(duration=0.48)).to_json())
    flags = ("--steps", 4, "--guide-every", 2, "--guide-start", 0.5, "--prompt", "wood", "--duration", 0.48)
    out = tmp_path / "x.wav"
    status, _, err = weft_command("generate", bar_clip, "--system", "mdg", *flags, "-o", out)
    assert status == 0, err
    told = json.loads(out.with_suffix(".json").read_text())["guide"]
    assert (told["kind"], told["every"], [row["step"] for row in told["steps"]]) == ("mdg", 2, [3])
    assert out.with_suffix(".guide.png").is_file()


def test_a_guided_system_without_a_video_or_a_plain_one_with_a_guide_is_refused(medium: None) -> None:
    with pytest.raises(UserError, match="mdg plays to a video, not to a length alone"):
        perform(None, SHEET, system="mdg", duration=1.0)
    with pytest.raises(UserError, match="there is no video; leave --guide out"):
        perform(None, SHEET, system="audioldm-m-full", duration=1.0, guide=Guidance(kind="volume"))
