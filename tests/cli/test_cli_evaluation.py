"""`weft eval`: exit statuses, JSON alone on stdout, and every flag doing what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 22050
Ran = tuple[int, str, str]


@pytest.fixture
def sets(tmp_path: Path) -> tuple[Path, Path]:
    rng = np.random.default_rng(0)
    for side in ("true", "made"):
        (tmp_path / side).mkdir()
        for k in range(3):
            wave = rng.standard_normal((RATE, 2)) * 0.1
            wave[: RATE // (k + 2)] *= 0.01
            soundfile.write(tmp_path / side / f"clip{k}.wav", wave, RATE)
    return tmp_path / "true", tmp_path / "made"


def test_all_good_is_0_with_a_table(weft_eval: Callable[..., Ran], sets: tuple[Path, Path]) -> None:
    status, out, err = weft_eval(*sets)
    assert status == 0 and err == ""
    assert "plain v3" in out and "onset-f1@50 ↑" in out and "reference: 3 × 22050 Hz, 2 ch" in out
    assert "fewer than 2 D" in out and "kl/weft" in out and "left out: " in out and "a video column" in out


def test_a_failed_clip_is_1_with_the_list(weft_eval: Callable[..., Ran], sets: tuple[Path, Path]) -> None:
    (sets[1] / "clip1.wav").write_bytes(b"broken")
    (sets[1] / "more.wav").write_bytes(b"broken")
    status, out, err = weft_eval(*sets, "--metrics", "mel")
    assert status == 1 and "mel ↓" in out
    assert "clip1: predicted: " in err and "damaged" in err
    assert "more: only in the prediction" in err
    assert err.splitlines()[-1] == "1 of 3 clips failed, 1 without a partner"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--protocol", "vggsounds"), "did you mean vggsound"),
        (("--metrics", "nothing-known"), "unknown metric"),
        (("--metrics", " , "), "names nothing"),
        (("--embedders", "x"), "known: weft, log-mel-statistics"),
        (("--metrics", "kl", "--embedders", "log-mel-statistics"), "no embedder here gives classes"),
    ],
)
def test_misuse_is_2_and_one_line(
    weft_eval: Callable[..., Ran], sets: tuple[Path, Path], flags: tuple[str, ...], words: str
) -> None:
    status, out, err = weft_eval(*sets, *flags)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("weft: ") and words in err


def test_nothing_there_is_2(weft_eval: Callable[..., Ran], sets: tuple[Path, Path], tmp_path: Path) -> None:
    assert weft_eval(sets[0], tmp_path / "none")[0] == 2
    assert "give the predicted sounds too" in weft_eval(sets[0])[2]


def test_json_is_alone_on_stdout_and_valid(weft_eval: Callable[..., Ran], sets: tuple[Path, Path]) -> None:
    soundfile.write(sets[1] / "clip0.wav", np.zeros((RATE, 2)), RATE)  # its loudness is minus infinity
    (sets[1] / "clip1.wav").unlink()

    def refuse(word: str) -> float:
        raise ValueError(word)

    status, out, _ = weft_eval(*sets, "--json")
    printed = json.loads(out, parse_constant=refuse)
    assert status == 1 and not printed["ok"] and printed["unpaired"]["reference"] == ["clip1"]
    assert printed["protocol"]["name"] == "plain" and printed["protocol"]["version"] == 3
    mel = next(s for s in printed["scores"] if s["name"] == "mel")
    assert mel["n"] == 2 and mel["low"] <= mel["value"] <= mel["high"] and "silence" in mel["baselines"]
    far = next(s for s in printed["scores"] if s["name"].startswith("frechet/"))
    assert far["d"] == 128 and far["rows"] == [2, 2] and len(far["sha256"]) == 64 and far["flags"]
    assert printed["clips"][0]["values"]["lufs"] is None


def test_flags_change_the_outcome(
    weft_eval: Callable[..., Ran], sets: tuple[Path, Path], tmp_path: Path
) -> None:
    _, out, _ = weft_eval(*sets, "--metrics", "mel,lufs", "--json")
    assert [s["name"] for s in json.loads(out)["scores"]] == ["mel", "lufs"]
    _, out, _ = weft_eval(*sets, "--protocol", "av-benchmark", "--json")
    assert json.loads(out)["protocol"]["window"]["duration_s"] == 8.0
    _, out, _ = weft_eval(*sets, "--metrics", "frechet", "--embedders", "log-mel-statistics", "--json")
    assert json.loads(out)["protocol"]["embedders"] == ["log-mel-statistics"]
    _, out, _ = weft_eval(*sets, "--metrics", "mel", "--cache", tmp_path / "elsewhere", "--json")
    assert json.loads(out)["work"]["cached"] == 0 and list((tmp_path / "elsewhere").rglob("*.safetensors"))
    assert weft_eval(*sets, "--metrics", "mel", "-q")[1:] == ("", "")


def test_output_and_report_are_written_once_and_replaced_when_forced(
    weft_eval: Callable[..., Ran], sets: tuple[Path, Path], tmp_path: Path
) -> None:
    wanted = ("--metrics", "mel", "-o", tmp_path / "r.json", "--report", tmp_path / "r.html")
    assert weft_eval(*sets, *wanted)[0] == 0
    assert json.loads((tmp_path / "r.json").read_text())["evaluation"] == 1
    assert "<!doctype html>" in (tmp_path / "r.html").read_text()
    status, _, err = weft_eval(*sets, *wanted)
    assert status == 2 and "exists already" in err
    assert weft_eval(*sets, *wanted, "--force")[0] == 0


def test_without_the_extra_one_line_says_which(
    weft_eval: Callable[..., Ran], sets: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from weft.evaluation import run

    monkeypatch.setattr(run, "EXTRA", ("librosa_of_another_world",))
    status, _, err = weft_eval(*sets)
    assert status == 2 and "weft eval needs the [eval] extra: pip install" in err
