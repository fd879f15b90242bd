"""The loop: resumes to the bit, stops cleanly, refuses to train on what is not a number."""

import json
import os
import signal
import sys

import pytest
import torch
from torch import nn

from weft.errors import MissingExtra
from weft.training.loop import LoopConfig, NotFinite, ema_weights, learning_rate, train
from weft.training.processes import ALONE, Processes, started


def network() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Dropout(0.2), nn.Linear(8, 2), nn.BatchNorm1d(2))


def batch_at(step: int) -> torch.Tensor:
    return torch.randn(6, 4, generator=torch.Generator().manual_seed(step))


def losses_of(module: nn.Module):
    def step(batch, generator):
        noise = torch.randn(batch.shape, generator=generator)
        return {"loss": (module(batch + 0.1 * noise) - batch[:, :2]).square().mean()}

    return step


def run(folder, steps, total=10, **extra):
    module = network()
    config = LoopConfig(steps=total, warmup=2, log_every=1, **extra)
    seen = 0

    def counted(at):
        nonlocal seen
        seen += 1
        if seen == steps and steps < total:
            os.kill(os.getpid(), signal.SIGTERM)
        return batch_at(at)

    return module, train(module, losses_of(module), counted, config, folder)


def test_resumed_run_equals_straight_run_bit_for_bit(tmp_path):
    straight, outcome = run(tmp_path / "a", 10)
    assert outcome.finished and outcome.step == 10
    _, first = run(tmp_path / "b", 5)
    assert not first.finished and first.step == 5
    torch.rand(7)  # the world's randomness moves on between the two parts
    resumed, second = run(tmp_path / "b", 10)
    assert second.finished and second.step == 10
    for key, value in straight.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key]), key
    a, b = (torch.load(tmp_path / f / "checkpoint.pt", weights_only=True) for f in "ab")
    for key, value in a["ema"].items():
        assert torch.equal(value, b["ema"][key]), key
    assert torch.equal(a["generator"], b["generator"])
    assert torch.equal(a["torch_rng"], b["torch_rng"])


def test_log_has_one_line_a_step_and_says_where_it_resumed(tmp_path):
    run(tmp_path, 5)
    run(tmp_path, 10)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == list(range(1, 11))
    assert [line["step"] for line in lines if line.get("resumed")] == [5]


def test_signal_handlers_are_given_back(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    run(tmp_path, 5)
    assert signal.getsignal(signal.SIGTERM) is before


def test_one_bad_step_is_skipped_and_logged(tmp_path):
    module = network()

    def bad_at_two(step):
        return batch_at(step) * (float("nan") if step == 2 else 1.0)

    train(module, losses_of(module), bad_at_two, LoopConfig(steps=4), tmp_path)
    assert all(torch.isfinite(p).all() for p in module.parameters())
    assert '"step": 2, "skipped"' in (tmp_path / "log.jsonl").read_text()


def test_losses_that_stay_bad_name_the_step(tmp_path):
    module = network()

    def bad_from_two(step):
        return batch_at(step) * (float("nan") if step >= 2 else 1.0)

    with pytest.raises(NotFinite, match="step 5"):
        train(module, losses_of(module), bad_from_two, LoopConfig(steps=9, tolerance=3), tmp_path)


def test_frozen_parameters_stay(tmp_path):
    module = network()
    module[0].requires_grad_(False)
    before = module[0].weight.clone()
    train(module, losses_of(module), batch_at, LoopConfig(steps=3), tmp_path)
    assert torch.equal(module[0].weight, before)


def test_training_learns_and_the_average_follows(tmp_path):
    module = nn.Linear(4, 2)
    config = LoopConfig(steps=300, learning_rate=0.05, warmup=5, ema=0.95, weight_decay=0.0)

    def step(batch, _generator):
        return {"loss": (module(batch) - batch[:, :2]).square().mean()}

    train(module, step, batch_at, config, tmp_path)
    goal = torch.eye(4)[:2]
    assert (module.weight - goal).abs().max() < 0.02
    assert (ema_weights(tmp_path)["weight"] - goal).abs().max() < 0.02


def test_schedule_rises_then_falls_to_the_floor():
    config = LoopConfig(steps=100, warmup=10, learning_rate=1.0, floor=0.1)
    rates = [learning_rate(config, n, n / 100) for n in range(100)]
    assert rates[0] == pytest.approx(0.1, rel=0.01)
    assert max(rates) == rates[9] or max(rates) == rates[10]
    assert learning_rate(config, 100, 1.0) == pytest.approx(0.1)


def test_epsilon_reaches_the_optimiser(tmp_path):
    """With an epsilon far above every gradient a step of AdamW all but stands still."""
    module = network()
    before = module[0].weight.detach().clone()
    config = LoopConfig(steps=1, warmup=0, weight_decay=0.0, epsilon=1e6)
    train(module, losses_of(module), batch_at, config, tmp_path)
    assert (module[0].weight - before).abs().max() < 1e-6


def test_the_plain_average_can_be_left_out_for_post_hoc_ones(tmp_path):
    module = network()
    config = LoopConfig(steps=5, ema=None, averages=(0.05, 0.1), snapshot_every=2)
    train(module, losses_of(module), batch_at, config, tmp_path)
    assert ema_weights(tmp_path) == {}
    names = sorted(p.name for p in (tmp_path / "averages").iterdir())
    assert names == [f"average-{w}-{s:09d}.safetensors" for w in ("0.05", "0.1") for s in (2, 4, 5)]


def test_company_must_share_gradients_and_no_clock(tmp_path):
    module = network()
    with pytest.raises(ValueError, match="among 2 processes only the module's own forward"):
        train(module, losses_of(module), batch_at, LoopConfig(steps=1), tmp_path, across=Processes(count=2))
    config = LoopConfig(steps=1, minutes=1.0)
    with pytest.raises(ValueError, match="no minutes"):
        train(module, module, batch_at, config, tmp_path, across=Processes(count=2))


def test_a_launcher_without_accelerate_is_told_what_is_missing(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(MissingExtra, match=r"training in several processes needs the \[train\] extra"):
        started()
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert started() is ALONE
