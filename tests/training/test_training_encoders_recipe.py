"""The recipe that trains weft's encoders: one command, from an empty folder to weights that load, and again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from weft.encoders.own import WeftEncoders

RECIPE = Path(__file__).parents[2] / "recipes/train_encoders.py"


def run(folder: Path, steps: int) -> str:
    given = [f"--{k}={folder / v}" for k, v in (("data", "d"), ("run", "r"), ("out", "w.safetensors"))]
    given += [f"--curve={folder / 'curve.json'}", "--films=2", "--sounds=2", "--stills=3", f"--steps={steps}"]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(RECIPE), "all", *given], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.world
def test_one_command_draws_learns_and_exports(tmp_path: Path) -> None:
    said = run(tmp_path, 20)
    assert "2 films, 2 sounds, 3 stills" in said
    assert sorted(p.name for p in (tmp_path / "d").iterdir()) == [
        "films-train-010000",
        "sounds-train-060000",
        "stills-train-070000",
    ]
    table = json.loads((tmp_path / "curve.json").read_text())
    assert table["command"].startswith("python recipes/train_encoders.py all")
    assert table["steps"] == 20 and table["clips"] == {"films": 2, "sounds": 2, "stills": 3}
    assert {"sync", "shown", "where", "loss"} <= table["curve"][-1].keys()
    made = WeftEncoders.load(tmp_path / "w.safetensors")
    film = np.random.default_rng(0).integers(0, 255, (50, 72, 96, 3), dtype=np.uint8)
    assert made.embed_video(film).shape == made.embed(torch.zeros(1, 4 * 44100), 44100)[0].shape == (7, 128)
    first = (tmp_path / "w.safetensors").read_bytes()
    again = run(tmp_path, 20)  # nothing is left to do but to export
    assert "stills-train" not in again and (tmp_path / "w.safetensors").read_bytes() == first
