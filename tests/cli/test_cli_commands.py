"""The command line: every flag changes the outcome as it says, every misuse is one line and exit 2."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

import weft
from weft import media


@pytest.fixture
def clip(bar_clip: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(bar_clip, tmp_path / "clip.mp4"))


ONSET = {"strength": 0.8, "duration": 0.0, "material": "wood", "action": "hit"}
SHEET = {
    "version": 1,
    "clip": {"duration": 2.0},
    "when": {"onsets": [{"t": 0.4, **ONSET}, {"t": 1.2, **ONSET}]},
    "where": {"tracks": [{"label": "bar", "t": [0.0], "box": [[0.2, 0.1, 0.6, 0.9]], "depth": [0.3]}]},
    "what": {"prompt": "a stick hits wood"},
}
"""Nothing left to spot, so that the tests of other things are quick."""


@pytest.fixture
def written(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The flag that gives the complete sheet."""
    path = tmp_path_factory.mktemp("sheet") / "written.json"
    path.write_text(json.dumps(SHEET))
    return "--cues", path


def sound(path: Path) -> np.ndarray:
    return media.read_audio(path)


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def test_generate_writes_the_family_beside_the_clip(weft_command, clip):
    status, out, _ = weft_command("generate", clip)
    assert status == 0
    assert names(clip.parent) == {"clip.mp4", "clip.weft.mp4", "clip.weft.cues.json", "clip.weft.json"}
    assert "clip.weft.mp4" in out
    result = media.Video.open(clip.with_suffix(".weft.mp4"))
    assert result.has_audio and result.duration == pytest.approx(2.0)


def test_timeline_draws_a_picture(weft_command, written, clip):
    assert weft_command("generate", clip, *written, "--timeline")[0] == 0
    assert clip.with_suffix(".weft.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_output_and_out_dir_name_the_result(weft_command, written, clip, tmp_path):
    (tmp_path / "there").mkdir()
    assert weft_command("generate", clip, *written, "--out-dir", tmp_path / "there")[0] == 0
    assert "clip.weft.mp4" in names(tmp_path / "there")
    assert weft_command("generate", clip, *written, "-o", tmp_path / "mine.wav")[0] == 0
    assert soundfile.info(tmp_path / "mine.wav").frames == 2 * 44100


def test_takes_differ_and_equal_the_takes_made_alone(weft_command, written, clip, tmp_path):
    assert weft_command("generate", clip, *written, "-o", tmp_path / "two.wav", "--takes", 2)[0] == 0
    first, second = sound(tmp_path / "two.1.wav"), sound(tmp_path / "two.2.wav")
    assert not np.array_equal(first, second)
    assert weft_command("generate", clip, *written, "-o", tmp_path / "one.wav")[0] == 0
    assert np.array_equal(sound(tmp_path / "one.wav"), first)


@pytest.mark.parametrize(
    "flags",
    [
        ("--prompt", "a glass bottle clinks"),
        ("--start", 0.5),
        ("--duration", 1.0),
    ],
    ids=lambda f: f[0],
)
def test_each_flag_changes_the_sound(weft_command, clip, tmp_path, flags):
    assert weft_command("generate", clip, "-o", tmp_path / "plain.wav")[0] == 0
    assert weft_command("generate", clip, "-o", tmp_path / "flag.wav", *flags)[0] == 0
    plain, changed = sound(tmp_path / "plain.wav"), sound(tmp_path / "flag.wav")
    assert plain.shape != changed.shape or not np.array_equal(plain, changed)


@pytest.mark.parametrize(
    "flags", [("--seed", 1), ("--system", "weft-mini", "--steps", 2), ("--lufs", -35.0)], ids=lambda f: f[0]
)
def test_each_flag_of_the_performance_changes_the_sound(weft_command, written, clip, tmp_path, flags):
    assert weft_command("generate", clip, *written, "-o", tmp_path / "plain.wav")[0] == 0
    assert weft_command("generate", clip, *written, "-o", tmp_path / "flag.wav", *flags)[0] == 0
    assert not np.array_equal(sound(tmp_path / "plain.wav"), sound(tmp_path / "flag.wav"))


@pytest.mark.parametrize("flags", [("--steps", 3), ("--guidance", 1.0)], ids=lambda f: f[0])
def test_each_flag_of_the_learned_system_changes_the_sound(weft_command, written, clip, tmp_path, flags):
    common = ("--system", "weft-mini", "--prompt", "metal clang")
    assert (
        weft_command("generate", clip, *written, "-o", tmp_path / "plain.wav", *common, "--steps", 2)[0] == 0
    )
    extra = flags if flags[0] == "--steps" else (*flags, "--steps", 2)
    assert weft_command("generate", clip, *written, "-o", tmp_path / "flag.wav", *common, *extra)[0] == 0
    assert not np.array_equal(sound(tmp_path / "plain.wav"), sound(tmp_path / "flag.wav"))


def test_negative_takes_a_material_away(weft_command, clip, tmp_path):
    def materials(*flags: object) -> set[str]:
        assert weft_command("generate", clip, "-o", tmp_path / "x.wav", "--force", *flags)[0] == 0
        return {e.material for e in events_of(weft.CueSheet.load(tmp_path / "x.cues.json"), 2.0)}

    from weft.systems.weft_physical import events_of

    both = ("--prompt", "wood and metal")
    assert "wood" not in materials(*both, "--negative", "wooden")
    assert "metal" not in materials(*both, "--negative", "metal, metallic")


def test_spot_then_edit_then_generate(weft_command, clip, tmp_path):
    assert weft_command("spot", clip, "--csv", tmp_path / "onsets.csv", "--timeline")[0] == 0
    sheet = clip.with_suffix(".cues.json")
    document = json.loads(sheet.read_text())
    document["when"] = {"onsets": [{"t": 1.0, "strength": 1.0, "material": "metal", "action": "hit"}]}
    sheet.write_text(json.dumps(document))
    assert weft_command("generate", clip, "--cues", sheet, "-o", tmp_path / "edited.wav")[0] == 0
    loud = np.abs(sound(tmp_path / "edited.wav")).max(axis=0)
    assert loud[: round(0.99 * 44100)].max() < 1e-3 < loud[round(0.99 * 44100) :].max()
    assert (tmp_path / "onsets.csv").read_text().startswith("t,")


@pytest.mark.parametrize("original", ["replace", "keep", "mix", "duck"])
def test_original_is_treated_as_asked(weft_command, written, clip, tmp_path, original):
    assert weft_command("generate", clip, *written, "-o", tmp_path / "first.mp4", "--seed", 4)[0] == 0
    out = tmp_path / f"{original}.mp4"
    assert (
        weft_command("generate", tmp_path / "first.mp4", *written, "-o", out, "--original", original)[0] == 0
    )
    import av

    with av.open(str(out)) as file:
        assert len(file.streams.audio) == (2 if original == "keep" else 1)


def test_rerun_gives_the_same_samples(weft_command, written, clip, tmp_path):
    assert weft_command("generate", clip, *written, "-o", tmp_path / "a.wav", "--seed", 9)[0] == 0
    status, out, _ = weft_command("rerun", tmp_path / "a.json", "-o", tmp_path / "b.wav")
    assert status == 0 and "the same samples" in out
    assert np.array_equal(sound(tmp_path / "a.wav"), sound(tmp_path / "b.wav"))


def test_quiet_is_silent_and_json_is_json(weft_command, written, clip, tmp_path):
    assert weft_command("generate", clip, *written, "-o", tmp_path / "q.wav", "-q")[1:] == ("", "")
    _, out, _ = weft_command("generate", clip, *written, "-o", tmp_path / "j.wav", "--json")
    printed = json.loads(out)
    assert printed["takes"][0]["output"].endswith("j.wav")
    assert set(printed["seconds"]) == {"spot", "perform", "finish", "write"}


def test_systems_and_doctor_print(weft_command):
    status, out, _ = weft_command("systems", "--json")
    assert status == 0
    assert {s["name"] for s in json.loads(out)["systems"]} >= {"weft-physical", "weft-mini"}
    status, out, _ = weft_command("doctor")
    assert status == 0 and "weights weft-text" in out and "FAIL" not in out


def misuse(tmp_path: Path) -> dict[str, tuple[list[object], str]]:
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(np.random.default_rng(0).bytes(20000))
    soundfile.write(tmp_path / "only.wav", np.zeros(4410), 44100)
    clip = tmp_path / "clip.mp4"
    return {
        "missing file": ([tmp_path / "nothing.mp4"], "nothing.mp4"),
        "folder": ([tmp_path], "folder"),
        "random bytes": ([noise], "noise.mp4"),
        "no picture": ([tmp_path / "only.wav"], "only.wav"),
        "start past the end": ([clip, "--start", 99], "start"),
        "no such original": ([clip, "--original", "remix"], "replace"),
        "unknown system": ([clip, "--system", "weft-physics"], "did you mean weft-physical"),
        "missing sheet": ([clip, "--cues", tmp_path / "none.json"], "none.json"),
        "missing reference": ([clip, "--reference", tmp_path / "none.wav"], "none.wav"),
        "missing folder": ([clip, "-o", tmp_path / "none" / "x.mp4"], "none does not exist"),
        "unknown suffix": ([clip, "-o", tmp_path / "x.txt"], "x.txt"),
    }


CASES = (
    "missing file",
    "folder",
    "random bytes",
    "no picture",
    "start past the end",
    "no such original",
    "unknown system",
    "missing sheet",
    "missing reference",
    "missing folder",
    "unknown suffix",
)


@pytest.mark.parametrize("case", CASES)
def test_misuse_is_one_line_and_exit_2(weft_command, clip, tmp_path, case):
    args, word = misuse(tmp_path)[case]
    before = names(tmp_path)
    status, out, err = weft_command("generate", *args)
    assert status == 2
    assert out == "" and err.count("\n") == 1 and err.startswith("weft: ")
    assert word in err
    assert names(tmp_path) == before


def test_existing_output_is_refused_until_forced(weft_command, written, clip):
    assert weft_command("generate", clip, *written)[0] == 0
    status, _, err = weft_command("generate", clip, *written)
    assert status == 2 and "exists" in err
    assert weft_command("generate", clip, *written, "--force")[0] == 0


LISTENING = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell would have it ignored
from weft.cli import main
main()
"""


def test_ctrl_c_leaves_the_folder_as_it_was(clip):
    sheet = clip.with_suffix(".cues.json")
    sheet.write_text(json.dumps(SHEET))
    before = names(clip.parent)
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            LISTENING,
            "generate",
            str(clip),
            "--takes",
            "200",
            "-q",
            "--cues",
            str(sheet),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while names(clip.parent) == before and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=120)
    assert child.returncode == 130
    assert "stopped" in err
    left = names(clip.parent) - before
    assert not [name for name in left if ".part" in name or name.startswith(".")]
    for name in left:  # whole takes that were finished before the stop stay; each has its family
        assert name.startswith("clip.weft.")


def test_train_runs_a_recipe_with_its_own_flags(weft_command, tmp_path):
    recipe = tmp_path / "train_nothing.py"
    recipe.write_text("import sys, pathlib\npathlib.Path(sys.argv[2]).write_text(sys.argv[1])\nsys.exit(0)\n")
    assert weft_command("train", recipe, "--steps", tmp_path / "ran")[0] == 0
    assert (tmp_path / "ran").read_text() == "--steps"
    status, _, err = weft_command("train", tmp_path / "train_nothin.py")
    assert status == 2 and "train_nothing.py" in err


@pytest.mark.world
def test_world_sample_and_build_write_clips(weft_command, tmp_path):
    pytest.importorskip("mujoco")
    flags = ("--count", 1, "--duration", 1.0, "--seed", 3)
    assert weft_command("world", "sample", tmp_path / "s", "--domain", "hits", *flags)[0] == 0
    (clip,) = (tmp_path / "s").glob("*.mp4")
    assert media.Video.open(clip).has_audio
    assert weft.CueSheet.load(clip.with_suffix(".json")).when.source == "world"
    assert (
        weft_command("world", "build", tmp_path / "b", "--count", 2, "--split", "val", "--domains", "hits")[0]
        == 0
    )
    assert list((tmp_path / "b").rglob("*.tar"))
