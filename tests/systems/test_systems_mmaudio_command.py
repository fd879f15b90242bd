"""MMAudio through the command line, on tiny files: `weft generate` from a clip, a picture, or words alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaudio_tiny import TINY_16K, TINY_44K, write_clip
from PIL import Image

from weft.media import Video, read_audio
from weft.systems.mmaudio import MMAudio
from weft.systems.table import SYSTEMS, system

Ran = tuple[int, str, str]
NAME = "mmaudio-small-16k"
WRITTEN = {
    "when": {"onsets": []},
    "where": {"tracks": [{"label": "it", "t": [0.0], "box": [[0.8, 0.4, 1.0, 0.6]], "depth": [0.3]}]},
    "what": {"prompt": "rain"},
}


@pytest.fixture
def run(
    own_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    weft_command: Callable[..., Ran],
    performer: Callable[..., MMAudio],
) -> Callable[..., Ran]:
    """Run `weft ARGS` in this process, the rows of MMAudio with tiny networks behind them."""
    for name, parts in ((NAME, TINY_16K), ("mmaudio-large-44k-v2", TINY_44K)):
        row = replace(system(name), load=lambda parts=parts: performer(parts))
        monkeypatch.setitem(SYSTEMS, name, row)
    return weft_command


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", 1.2)


@pytest.fixture
def cues(clip: Path) -> Path:
    """Nothing is left to spot."""
    path = clip.with_name("cues.json")
    written = {"version": 1, "clip": {"duration": Video.open(clip).duration}, **WRITTEN}
    path.write_text(json.dumps(written))
    return path


@pytest.mark.parametrize("name", [NAME, "mmaudio-large-44k-v2"])
def test_takes_of_a_clip_are_written_with_their_families(
    run: Callable[..., Ran], clip: Path, cues: Path, name: str
) -> None:
    flags = ("--system", name, "--cues", cues, "--steps", 2)
    status, out, err = run("generate", clip, *flags, "--takes", 2, "--json")
    assert status == 0, err
    assert len(json.loads(out)["takes"]) == 2
    one, two = (read_audio(clip.with_name(f"clip.weft.{n}.mp4")) for n in (1, 2))
    assert one.shape == two.shape == (2, round(Video.open(clip).duration * 44100))
    assert np.square(one[1]).mean() > 3 * np.square(one[0]).mean(), "placed at the right, as the sheet says"
    made = json.loads(clip.with_name("clip.weft.2.json").read_text())
    assert made["take"] == 1 and made["system"] == name and made["compat"] is False
    assert len(made["weights"]) == 6 and all(len(sha) == 64 for sha in made["weights"].values())
    status, out, _ = run("rerun", clip.with_name("clip.weft.2.json"), "-o", clip.with_name("again.wav"))
    assert status == 0 and "again.wav: the same samples as" in out


def test_a_take_made_alone_is_the_same_again(run: Callable[..., Ran], clip: Path, cues: Path) -> None:
    flags = ("--system", NAME, "--cues", cues, "--steps", 2, "--compat", "--without", "sync")
    assert run("generate", clip, *flags, "-o", clip.with_name("a.wav"))[0] == 0
    status, out, _ = run("rerun", clip.with_name("a.json"), "-o", clip.with_name("b.wav"))
    assert status == 0 and "b.wav: the same samples as" in out
    made = json.loads(clip.with_name("a.json").read_text())
    assert made["compat"] is True and made["without"] == ["sync"] and len(made["weights"]) == 5


@pytest.mark.parametrize(
    "flags", [("--compat",), ("--without", "clip"), ("--guidance", 1.0)], ids=lambda f: f[0]
)
def test_each_flag_changes_the_sound(run: Callable[..., Ran], clip: Path, cues: Path, flags: tuple) -> None:
    common = ("--system", NAME, "--cues", cues, "--steps", 2)
    assert run("generate", clip, *common, "-o", clip.with_name("plain.wav"))[0] == 0
    assert run("generate", clip, *common, *flags, "-o", clip.with_name("flag.wav"))[0] == 0
    plain, flag = (read_audio(clip.with_name(f"{n}.wav")) for n in ("plain", "flag"))
    assert plain.shape == flag.shape and not np.array_equal(plain, flag)


def test_words_alone_and_a_picture_have_a_sound(run: Callable[..., Ran], tmp_path: Path) -> None:
    common = ("--system", NAME, "--steps", 1, "--prompt", "rain")
    assert run("generate", *common, "--duration", 1.5, "-o", tmp_path / "rain.wav")[0] == 0
    assert read_audio(tmp_path / "rain.wav").shape == (2, 66150)
    Image.fromarray(np.full((30, 40, 3), 90, np.uint8)).save(tmp_path / "photo.png")
    assert run("generate", tmp_path / "photo.png", *common, "--duration", 1)[0] == 0
    assert read_audio(tmp_path / "photo.weft.wav").shape == (2, 44100)
    for name in ("rain", "photo.weft"):
        status, out, err = run("rerun", tmp_path / f"{name}.json", "-o", tmp_path / "again.wav", "--force")
        assert status == 0 and "again.wav: the same samples" in out, err


def test_misuse_is_one_line_and_exit_2(
    run: Callable[..., Ran], clip: Path, cues: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(np.full((30, 40, 3), 90, np.uint8)).save(tmp_path / "photo.png")
    mm = ("--system", NAME)
    before = sorted(tmp_path.iterdir())
    cases = [
        ((*mm, "--duration", 1), "say where with --output"),
        ((*mm, "-o", tmp_path / "x.mp4"), "there is no video to put the sound to; give .wav or .flac"),
        ((tmp_path / "photo.png", *mm, "--timeline"), "--timeline draws a video's pictures"),
        ((tmp_path / "photo.png", *mm, "--original", "mix"), "of a video's own sound"),
        ((tmp_path / "photo.png",), "photo.png, a still picture; systems that need none: mmaudio-small-16k"),
        (("-o", tmp_path / "x.wav"), "weft-physical plays to a video, not to a length alone"),
        ((*mm, "-o", tmp_path / "x.wav", "--duration", 0), "give a --duration above 0"),
        ((clip, *mm, "--cues", cues, "--without", "ears"), "--without 'ears' is unknown"),
        ((clip, "--compat"), "weft-physical has no published reference"),
        ((clip, *mm, "--cues", cues, "--compat", "--duration", 0.4), "the clip has 0.4 s"),
    ]
    for args, said in cases:
        status, out, err = run("generate", *args)
        assert (status, out) == (2, ""), (args, err)
        assert said in err and err.count("\n") == 1 and err.startswith("weft: "), err
        assert sorted(tmp_path.iterdir()) == before, args


def test_files_that_are_missing_damaged_or_another_systems_are_one_line(
    run: Callable[..., Ran],
    clip: Path,
    cues: Path,
    tmp_path: Path,
    own_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for path in own_weights.iterdir():
        (folder / path.name).symlink_to(path)
    monkeypatch.setenv("WEFT_WEIGHTS", str(folder))
    flow = folder / TINY_16K.flow_file.file

    def said(**change: object) -> str:
        flow.unlink()
        for write in change.values():
            write()  # type: ignore[operator]
        status, out, err = run("generate", clip, "--system", NAME, "--cues", cues, "--steps", 1)
        assert (status, out, err.count("\n")) == (2, "", 1), err
        return err

    assert "lacks mmaudio_small_16k.pth (from https://huggingface.co/hkchengrex" in said(none=lambda: None)
    flow.write_bytes(b"")
    whole = (own_weights / flow.name).read_bytes()
    assert "cannot be read" in said(short=lambda: flow.write_bytes(whole[: len(whole) // 2]))
    other = {key: value for key, value in torch.load(own_weights / flow.name).items() if "joint" not in key}
    assert "does not fit" in said(other=lambda: torch.save(other, flow))
    monkeypatch.delenv("WEFT_UNCHECKED")
    assert "not the published file (its MD5 differs)" in said(unchecked=lambda: flow.write_bytes(whole))


def test_a_checkpoint_of_another_size_is_named(
    own_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from weft.errors import WeightsError
    from weft.generators.mmaudio import VARIANTS
    from weft.generators.mmdit import MMDiT
    from weft.systems.mmaudio_parts import parts

    monkeypatch.setenv("WEFT_WEIGHTS", str(tmp_path))
    with torch.device("meta"):
        state = MMDiT(VARIANTS["small_44k"].config).state_dict()
    one = torch.zeros(1)
    torch.save({k: one.expand(v.shape) for k, v in state.items()}, tmp_path / "mmaudio_small_16k.pth")
    with pytest.raises(
        WeightsError,
        match=r"mmaudio_small_16k\.pth is a checkpoint of mmaudio-small-44k, not of mmaudio-small-16k",
    ):
        parts("small_16k").load_flow()


def test_systems_are_listed_with_what_one_should_know(run: Callable[..., Ran]) -> None:
    rows = {row["name"]: row for row in json.loads(run("systems", "--json")[1])["systems"]}
    large = rows["mmaudio-large-44k-v2"]
    assert large["licence"] == "CC-BY-NC 4.0" and large["size_mb"] > 10_000 and large["memory_gb"] > 6
    assert "video" in large["dials"] and large["rate"] == 44100 and large["channels"] == 2
    out = run("systems")[1]
    assert "mmaudio" in out and "on disk" in out
