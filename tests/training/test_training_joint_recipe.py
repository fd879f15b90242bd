"""Joint training whole: from a TOML file and shards to weights, resumed to the bit, in one process or two."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from joint_toys import SIZES, shards

from weft import weights
from weft.errors import UserError
from weft.generators.mmaudio import VARIANTS
from weft.training import joint_recipe
from weft.training.joint_recipe import NETWORK, DataConfig, JointRecipe, learnt, run
from weft.training.loop import CHECKPOINT, LoopConfig

RECIPES = Path(__file__).parents[2] / "recipes"
LOOP = LoopConfig(
    steps=8,
    learning_rate=1e-2,
    warmup=2,
    schedule="stairs",
    averages=(0.05, 0.1),
    snapshot_every=3,
    log_every=1,
    half_snapshots=False,
)
TINY = JointRecipe(network=SIZES, data=DataConfig(batch=4, repeat=2, ahead=2, threads=1), loop=LOOP)


@pytest.fixture
def data(tmp_path):
    return {
        "pictured": [shards(tmp_path / "films", 6, pictured=True)],
        "heard": [shards(tmp_path / "sounds", 7, pictured=False)],
    }


def test_published_recipes_are_the_supplements():
    """Steps, batch, rates and repeats of supplement H; a network for each published size, and the miniature's."""
    for size, variant in VARIANTS.items():
        recipe = JointRecipe.load(RECIPES / f"mmaudio_{size}.toml")
        assert recipe.network == variant.config
        assert (recipe.data.batch, recipe.data.repeat) == (512, 5 if size.startswith("small") else 3)
        loop = recipe.loop
        assert (loop.steps, loop.learning_rate, loop.warmup) == (300_000, 1e-4, 1000)
        assert (loop.betas, loop.weight_decay, loop.clip, loop.bf16) == ((0.9, 0.95), 1e-6, 1.0, True)
        assert (loop.schedule, loop.milestones, loop.factor) == ("stairs", (0.8, 0.9), 0.1)
        assert (recipe.width, loop.averages) == (0.05, (0.05, 0.1))
        assert (recipe.lesson.hide_pictures, recipe.lesson.hide_text) == (0.1, 0.1)
    assert JointRecipe.load(RECIPES / "mmaudio_mini.toml").network.hidden == 128


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[network]\nsize = "small"\n', r"network.size is 'small'; use small_16k"),
        ('[network]\nsize = "small_16k"\nhidden = 3\n', r"'hidden' beside size"),
        ('[network]\nsize = "small_16k"\n[loop]\nsteps = 1\n', r"loop.averages is missing"),
        ('[network]\nsize = "small_16k"\n[loop]\nstep = 1\n', r"unknown key 'step'; did you mean 'steps'\?"),
        ("[network]\nhidden = 3\n", r"network: 'latent_dim' is missing"),
        ("width = 0.1\n", r"'network' is missing"),
    ],
)
def test_wrong_recipes_are_one_line(tmp_path, text, said):
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(UserError, match=said) as caught:
        JointRecipe.load(tmp_path / "r.toml")
    assert "\n" not in str(caught.value)


def test_a_run_ends_with_weights_that_load(tmp_path, data):
    outcome = run(TINY, tmp_path / "run", **data)
    assert outcome.finished and outcome.step == 8
    tensors, about = weights.load(tmp_path / "run" / NETWORK)
    from weft.generators.mmdit import MMDiT, MMDiTConfig

    net = MMDiT(MMDiTConfig(**about["network"]))
    net.load_state_dict(tensors)  # strictly: the published keys
    assert (net.empty_string_feat == 0.25).all()
    assert net.empty_clip_feat.abs().sum() > 0
    assert all(torch.equal(v, tensors[k]) for k, v in learnt(tmp_path / "run", TINY.width).items())
    lines = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert {"pictured", "heard", "loss", "rate"} <= set().union(*(line.keys() for line in lines))


def stopped_after(steps, monkeypatch):
    """Make the process hear SIGTERM while it takes step number `steps`."""

    class Ahead(joint_recipe.Ahead):
        def at(self, step):
            if step == steps - 1:
                os.kill(os.getpid(), signal.SIGTERM)
            return super().at(step)

    monkeypatch.setattr(joint_recipe, "Ahead", Ahead)


def test_a_resumed_run_is_the_uninterrupted_one_to_the_bit(tmp_path, data, monkeypatch):
    assert run(TINY, tmp_path / "a", **data).finished
    with monkeypatch.context() as patch:
        stopped_after(4, patch)
        first = run(TINY, tmp_path / "b", **data)
    assert (first.step, first.finished) == (4, False)
    assert not (tmp_path / "b" / NETWORK).exists()
    torch.rand(5)
    assert run(TINY, tmp_path / "b", **data).finished
    one, other = (torch.load(tmp_path / f / CHECKPOINT, weights_only=True) for f in "ab")
    assert all(torch.equal(v, other["model"][k]) for k, v in one["model"].items())
    for mine, theirs in zip(one["averages"], other["averages"], strict=True):
        assert all(torch.equal(v, theirs[k]) for k, v in mine.items())
    assert torch.equal(one["generator"], other["generator"])
    assert (tmp_path / "a" / NETWORK).read_bytes() == (tmp_path / "b" / NETWORK).read_bytes()


def test_another_recipe_does_not_go_on_in_the_same_folder(tmp_path, data):
    run(TINY, tmp_path / "run", **data)
    with pytest.raises(UserError, match=r"another \[loop\]"):
        run(replace(TINY, loop=replace(LOOP, learning_rate=1.0)), tmp_path / "run", **data)


def test_data_for_another_network_is_refused(tmp_path, data):
    with pytest.raises(UserError, match=r"the network.s clip_dim is 9, but the shards .toy. have 5"):
        run(replace(TINY, network=replace(SIZES, clip_dim=9)), tmp_path / "run", **data)
    with pytest.raises(UserError, match="nothing to train on"):
        run(TINY, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_weights_begin_as_the_seed_says(tmp_path, data):
    runs = {}
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        torch.rand(3)
        loop = replace(LOOP, steps=1, seed=seed)
        run(replace(TINY, loop=loop), tmp_path / name, **data)
        found = learnt(tmp_path / name, 0.05)
        runs[name] = found["text_cond_proj.weight"]
        assert found["t_embed.mlp.0.weight"].std() < 0.03  # N(0, 0.02), where torch would draw 0.036
    assert torch.equal(runs["a"], runs["b"]) and not torch.equal(runs["a"], runs["c"])


WORKER = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
sys.path.insert(0, {tests!r})
from test_training_joint_recipe import TINY
from weft.training.joint_recipe import run
from weft.training.processes import started
across = started()
assert across.count == 2
run(TINY, Path({folder!r}), pictured=[Path({films!r})], heard=[Path({sounds!r})], across=across)
"""


@pytest.mark.slow
def test_two_processes_learn_what_one_does(tmp_path, data):
    pytest.importorskip("accelerate")
    run(TINY, tmp_path / "one", **data)
    script = tmp_path / "worker.py"
    script.write_text(
        WORKER.format(
            tests=str(Path(__file__).parent),
            folder=str(tmp_path / "two"),
            films=str(data["pictured"][0]),
            sounds=str(data["heard"][0]),
        )
    )
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*launch, str(script)],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    one, two = (torch.load(tmp_path / f / CHECKPOINT, weights_only=True) for f in ("one", "two"))
    assert one["counters"][0] == two["counters"][0] == 8
    for key, value in one["model"].items():
        assert torch.allclose(value, two["model"][key], atol=2e-4), key  # AdamW enlarges rounding
    assert (tmp_path / "two" / NETWORK).is_file()
    assert len((tmp_path / "two/log.jsonl").read_text().splitlines()) == 8
