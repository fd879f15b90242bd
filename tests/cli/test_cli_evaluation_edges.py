"""What a stranger to `weft eval` meets: early refusals, notes on clips, the cache's limit, a closed pipe."""

from __future__ import annotations

import os
import re
import subprocess
import sys
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
            soundfile.write(tmp_path / side / f"clip{k}.wav", rng.standard_normal((RATE, 2)) * 0.1, RATE)
    return tmp_path / "true", tmp_path / "made"


def test_an_output_that_cannot_be_written_is_refused_before_anything_is_measured(
    weft_eval: Callable[..., Ran], sets: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "r_files").mkdir()
    for flag, path, words in (
        ("--report", tmp_path / "none" / "r.html", "the folder .*none does not exist"),
        ("--output", tmp_path / "none" / "r.json", "the folder .*none does not exist"),
        ("--output", tmp_path, "is a folder"),
        ("--report", tmp_path / "r.html", "r_files exists already"),
    ):
        status, out, err = weft_eval(*sets, "--metrics", "mel", flag, path)
        assert (status, out) == (2, "") and re.search(words, err)
    assert not (tmp_path / "cache").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["made", "r_files", "true"]


def test_what_a_reader_should_know_of_clips_is_counted(
    weft_eval: Callable[..., Ran], sets: tuple[Path, Path]
) -> None:
    for k in (0, 2):
        sound = soundfile.read(sets[1] / f"clip{k}.wav")[0]
        soundfile.write(sets[1] / f"clip{k}.wav", sound[:, 0], RATE)
    soundfile.write(sets[1] / "clip1.wav", np.zeros((RATE, 2)), RATE)
    status, out, _ = weft_eval(*sets, "--metrics", "mel")
    assert status == 0
    assert "note: predicted is mono: played on both channels: clip0 and 1 more" in out
    assert "note: predicted is silent: clip1" in out


def test_one_reason_to_be_careful_is_one_line(weft_eval: Callable[..., Ran], sets: tuple[Path, Path]) -> None:
    one = [side / "clip0.wav" for side in sets]
    status, out, _ = weft_eval(*one, "--metrics", "mel,level,lufs")
    assert status == 0
    assert [line for line in out.splitlines() if line.startswith("!")] == [
        "! mel and 2 more: one clip: no interval"
    ]


def test_an_embedder_is_told_once_with_its_weights_rates_and_windows(
    weft_eval: Callable[..., Ran], sets: tuple[Path, Path]
) -> None:
    asked = ("--metrics", "frechet,kernel,isc", "--embedders", "weft")
    lines = weft_eval(*sets, *asked)[1].splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("weft (sha256 "))
    assert "; 22050 → 44100 Hz mono; windows of 0.96 s every 0.48 s;" in lines[at]
    assert lines[at + 1] == "  3 reference and 3 predicted rows of 128: frechet/weft, kernel/weft"
    assert lines[at + 2] == "  3 predicted rows of 17: isc/weft"


def test_where_every_clip_failed_there_is_no_empty_table(
    weft_eval: Callable[..., Ran], sets: tuple[Path, Path]
) -> None:
    one = [side / "clip0.wav" for side in sets]
    one[1].write_bytes(b"no sound at all")
    status, out, err = weft_eval(*one, "--metrics", "mel")
    assert status == 1 and "metric" not in out and "reference:" not in out
    assert "\n1 clip; " in out
    assert err.splitlines()[-1] == "1 of 1 clip failed, 0 without a partner"


def test_onset_f1_stands_beside_chance(weft_eval: Callable[..., Ran], sets: tuple[Path, Path]) -> None:
    out = weft_eval(*sets, "--metrics", "onset-f1@50,onset-p@50")[1]
    assert re.search(r"^onset-f1@50: random [\d.]+$", out, re.MULTILINE)


def test_clips_without_any_cue_sheet_are_told_so_once(
    weft_eval: Callable[..., Ran], sets: tuple[Path, Path]
) -> None:
    lines = [line for line in weft_eval(*sets)[1].splitlines() if "cue sheet" in line]
    assert len(lines) == 1
    assert lines[0].startswith(
        "left out: spatial-align, azimuth-level, azimuth-time, s-kl-heard, obey-onsets, "
    )
    assert lines[0].endswith(
        "no clip has a cue sheet: give a CSV with a cues column, or shards with world labels"
    )


def test_the_caches_limit_is_a_flag(
    weft_eval: Callable[..., Ran], sets: tuple[Path, Path], tmp_path: Path
) -> None:
    def kept() -> int:
        return len(list((tmp_path / "cache").rglob("*.safetensors")))

    assert weft_eval(*sets, "--metrics", "mel")[0] == 0 and kept() > 6
    assert weft_eval(*sets, "--metrics", "mel", "--cache-limit", 0)[0] == 0 and kept() == 0
    status, _, err = weft_eval(*sets, "--metrics", "mel", "--cache-limit", -3)
    assert status == 2 and "the limit of the cache is -3.0; give gigabytes" in err


@pytest.mark.slow
def test_a_reader_that_goes_away_leaves_no_traceback(sets: tuple[Path, Path], tmp_path: Path) -> None:
    """As in `weft eval ... --json | head -1`."""
    line = f"'{sys.executable}' -m weft eval '{sets[0]}' '{sets[1]}' --metrics mel --json --jobs 1 | true"
    env = {**os.environ, "WEFT_CACHE": str(tmp_path / "cache")}
    found = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=env, check=False)
    assert found.stderr == ""
