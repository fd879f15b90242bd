"""The recipe that trains AudioLDM's miniature: one command, from an empty folder to weights that load, and again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from weft.cues.sheet import Clip, CueSheet, What
from weft.systems import audio_ldm_mini
from weft.systems.performer import Request

RECIPE = Path(__file__).parents[2] / "recipes/train_audio_ldm_mini.py"


def run(folder: Path, stage: str, *more: str) -> str:
    given = [f"--{k}={folder / v}" for k, v in (("data", "d"), ("run", "r"), ("out", "o"))]
    given += [f"--results={folder / 'mini.json'}", "--scenes=1", "--clips=1"]
    given += [f"--{name}-steps=2" for name in ("vae", "vocoder", "unet")]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(RECIPE), stage, *given, *more],
        capture_output=True,
        text=True,
        env=env,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.world
def test_one_command_draws_learns_exports_and_judges(tmp_path: Path) -> None:
    pytest.importorskip("diffusers")
    said = run(tmp_path, "all")
    assert "mono-train-100000" in said and "audio-ldm-mini.safetensors" in said
    table = json.loads((tmp_path / "mini.json").read_text())
    assert {name: stage["steps"] for name, stage in table["stages"].items()} == {
        "vae": 2,
        "vocoder": 2,
        "unet": 2,
    }
    assert table["clips"]["material, true"]["n"] == 1
    small = audio_ldm_mini.load(tmp_path / "o")
    assert small.codec.scaling != 1, "measured, and not the size's own"
    sheet = CueSheet(clip=Clip(duration=0.5), what=What(prompt="wood is hit"))
    assert small.play(Request(sheet=sheet, duration=0.5), steps=2).shape == (8000,)
    first = (tmp_path / "o" / audio_ldm_mini.FILE).read_bytes()
    assert "mono-train" not in run(tmp_path, "export"), "nothing is left to do but to export"
    assert (tmp_path / "o" / audio_ldm_mini.FILE).read_bytes() == first
