"""Muon and AdamW as one optimiser: who steps what, how far, and on from where it stopped."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from weft.training.loop import LoopConfig, train
from weft.training.muon import Muon


def network() -> nn.Module:
    torch.manual_seed(4)
    return nn.Sequential(
        nn.Conv1d(32, 48, 3, padding=1),
        nn.SiLU(),
        nn.Conv1d(48, 48, 5, groups=48, padding=2),  # depthwise: 48 x 5 is no matrix
        nn.Conv1d(48, 2, 1),
    )


def optimiser(net: nn.Module, lr: float = 1e-2) -> Muon:
    return Muon(net.parameters(), lr, (0.9, 0.99), 0.0)


def test_kernels_go_to_muon_and_what_is_narrow_to_adamw() -> None:
    net = network()
    made = optimiser(net)
    assert [tuple(m.shape) for m in made.matrices] == [(48, 96)]
    assert {tuple(p.shape) for p in made.rest} == {(48,), (48, 1, 5), (2, 48, 1), (2,)}
    assert made.matrices[0].data_ptr() == net[0].weight.data_ptr()


def test_a_kernels_step_turns_every_direction_alike() -> None:
    """A step's singular values all lie about 1 (times 0.2 lr sqrt(96)) whatever the gradient's are."""
    net = network()
    before = net[0].weight.detach().clone()
    made = optimiser(net)
    rows = torch.linalg.qr(torch.randn(48, 48))[0]
    spread = torch.logspace(0, -1.5, 48)
    net[0].weight.grad = (rows * spread @ torch.linalg.qr(torch.randn(96, 48))[0].T).view_as(before)
    made.step()
    step = (before - net[0].weight.detach()).flatten(1) / (1e-2 * 0.2 * 96**0.5)
    values = torch.linalg.svdvals(step)
    assert values.min() > 0.4
    assert values.max() < 1.4


def test_one_rate_for_both_and_gradients_are_let_go_of() -> None:
    net = network()
    made = optimiser(net)
    for group in made.param_groups:
        group["lr"] = 0.0
    before = [p.detach().clone() for p in net.parameters()]
    net(torch.randn(2, 32, 9)).square().mean().backward()
    made.step()
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
    made.zero_grad()
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.parametrize("stop", [3, 7])
def test_a_resumed_run_ends_in_the_same_bits(tmp_path: Path, stop: int) -> None:
    def run(folder: Path, until: int) -> nn.Module:
        net = network()
        made = 0

        def batch_at(n: int) -> Tensor:
            nonlocal made
            made += 1
            if made == until:
                os.kill(os.getpid(), signal.SIGTERM)
            return torch.randn(4, 32, 9, generator=torch.Generator().manual_seed(n))

        def step(batch: Tensor, _: torch.Generator) -> dict[str, Tensor]:
            return {"loss": (net(batch)[:, 0] - batch.mean(1)).square().mean()}

        outcome = train(net, step, batch_at, LoopConfig(steps=10, warmup=2, optimiser="muon"), folder)
        assert outcome.finished == (until == 99)
        return net

    straight = run(tmp_path / "a", 99)
    run(tmp_path / "b", stop)
    resumed = run(tmp_path / "b", 99)
    for key, value in straight.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key]), key


def test_it_learns(tmp_path: Path) -> None:
    net = network()
    goal = torch.randn(2, 32, generator=torch.Generator().manual_seed(9)) / 32**0.5

    def step(batch: Tensor, _: torch.Generator) -> dict[str, Tensor]:
        return {"loss": (net(batch) - torch.einsum("oc,bct->bot", goal, batch)).square().mean()}

    def batch_at(n: int) -> Tensor:
        return torch.randn(16, 32, 9, generator=torch.Generator().manual_seed(n))

    config = LoopConfig(steps=150, warmup=5, log_every=10, learning_rate=1e-2, optimiser="muon")
    train(net, step, batch_at, config, tmp_path)
    losses = [json.loads(line)["loss"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert losses[-1] < 0.2 * losses[0]
