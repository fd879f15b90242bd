"""`weft train RECIPE.toml`: checked in a breath, wrong keys in one line, trained, stopped and gone on with."""

import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from weft.cli.app import app
from weft.errors import UserError

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))
from joint_toys import shards

RECIPES = Path(__file__).parents[2] / "recipes"
TINY = """
[network]
latent_dim = 6
hidden = 32
heads = 2
joint = 1
fused = 1
clip_dim = 5
sync_dim = 4
text_dim = 7
text_length = 3
mlp_ratio = 1.0
mlp_multiple = 16
kernel = 1
ffn_kernel = 1
clip_kernel = 1
input_kernel = 1
sync_kernel = 1
sync_segment = 2
[data]
batch = 2
repeat = 3
[loop]
steps = 3
averages = [0.05, 0.1]
"""


def weft(*arguments):
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


def test_check_says_what_would_be_trained_and_trains_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    films = shards(tmp_path / "films", 4, pictured=True)
    result = weft("train", RECIPES / "mmaudio_small_16k.toml", "--check", "--pictured", films)
    assert result.exit_code == 0
    assert "157.3 M parameters" in result.stdout
    assert "4 with pictures x 5, 0 without" in result.stdout
    assert "300000 of 512: 7680000.0 epochs" in result.stdout
    assert not (tmp_path / "runs").exists()


def test_a_run_goes_where_it_is_told_and_is_finished_once(tmp_path, tiny):
    films = shards(tmp_path / "films", 4, pictured=True)
    sounds = shards(tmp_path / "sounds", 4, pictured=False)
    result = weft("train", tiny, "--run", tmp_path / "r", "--pictured", films, "--heard", sounds)
    assert result.exit_code == 0
    assert "network.safetensors: the average of width 0.05 at step 3" in result.stdout
    assert (tmp_path / "r/network.safetensors").is_file()
    first = torch.load(tmp_path / "r/checkpoint.pt", weights_only=True)["counters"][0]
    assert first == 3
    assert weft("train", tiny, "--run", tmp_path / "r", "--pictured", films, "--heard", sounds).exit_code == 0


def test_a_wrong_key_is_one_line(tmp_path, tiny):
    tiny.write_text(TINY.replace("steps", "stesp"))
    with pytest.raises(UserError, match=r"tiny.toml.loop: unknown key 'stesp'; did you mean 'steps'\?"):
        weft("train", tiny)


def test_no_data_and_unknown_flags_are_said(tmp_path, tiny):
    with pytest.raises(UserError, match="nothing to train on: name folders of shards with --pictured"):
        weft("train", tiny, "--run", tmp_path / "r")
    assert weft("train", tiny, "--stepz", "3").exit_code == 2
    with pytest.raises(UserError, match="no recipe at"):
        weft("train", tmp_path / "none.toml")
