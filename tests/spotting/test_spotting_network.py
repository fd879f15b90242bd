"""The network's shapes, what it may and may not depend on, and that its losses can be learnt."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

import weft.weights
from weft.errors import WeightsError
from weft.spotting.network import SpotterConfig, SpotterNet
from weft.spotting.reader import Reader
from weft.training import scribbles, spotter

SMALL = SpotterConfig(cells=16, blocks=2, trunk=32, dilations=(1, 2), picture=16, dropout=0.0)


def inputs(count: int = 2, readings: int = 50) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    cells = torch.randn(count, readings, 7, 12, 16, generator=g)
    cells[:, :, [4, 6]] = cells[:, :, [4, 6]].abs()
    overall = torch.rand(count, readings, 5, generator=g)
    return cells, overall, torch.rand(count, 4, 3, 96, 128, generator=g)


@pytest.fixture(scope="module")
def net() -> SpotterNet:
    torch.manual_seed(0)
    return SpotterNet(SMALL).eval()


def test_shapes_and_ranges(net: SpotterNet) -> None:
    out = net(*inputs())
    for name in ("onset", "offset", "strength", "level", "sustained", "depth"):
        assert out[name].shape == (2, 50)
    assert out["material"].shape == (2, 4, 17)
    assert out["tokens"].shape == (2, 4, 16)
    assert torch.allclose(out["heat"].sum((2, 3)), torch.ones(2, 50), atol=1e-5)
    assert (out["box"][..., 2:] > out["box"][..., :2]).all()
    assert out["offset"].abs().max() <= 0.06


def test_timing_does_not_look_at_pictures(net: SpotterNet) -> None:
    cells, overall, pictures = inputs()
    a, b = net(cells, overall, pictures), net(cells, overall, 1 - pictures)
    assert torch.equal(a["onset"], b["onset"])
    assert not torch.equal(a["material"], b["material"])


def test_timing_is_relative_to_the_clips_own_speed(net: SpotterNet) -> None:
    cells, overall, _ = inputs()
    double, faster = cells.clone(), overall.clone()
    double[:, :, :4] *= 2
    faster[..., :4] *= 2
    a, b = (net.read(*x)["onset"] for x in ((cells, overall), (double, faster)))
    c = net.read(cells * 8, overall)["onset"]
    assert (a - b).abs().mean() < 0.5 * (a - c).abs().mean()


def test_any_length(net: SpotterNet) -> None:
    for readings in (1, 2, 3, 7):
        cells, overall, pictures = inputs(1, readings)
        assert net(cells, overall, pictures[:, :1])["onset"].shape == (1, readings)


def test_a_step_lowers_the_loss_and_varied_labels_stay_in_range() -> None:
    torch.manual_seed(0)
    drawn = spotter.from_scribbles(range(1))
    net = SpotterNet(SMALL)
    given = spotter.batch(drawn, drawn, np.random.default_rng(0), worlds=0, drawings=2)
    known = given["box"][given["box"].isfinite()]
    assert known.numel()
    assert known.min() >= 0
    assert known.max() <= 1
    optimiser = torch.optim.AdamW(net.parameters(), 3e-3)
    values = []
    for _ in range(8):
        loss = spotter.losses(net, given)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        values.append(loss.item())
    assert values[-1] < 0.9 * values[0]


def test_scribbles_are_their_seed() -> None:
    a, b, c = scribbles.draw(3, seconds=1.0), scribbles.draw(3, seconds=1.0), scribbles.draw(4, seconds=1.0)
    assert np.array_equal(a.frames, b.frames)
    assert a.frames.shape != c.frames.shape or not np.array_equal(a.frames, c.frames)
    assert a.frames.shape[1:] == (96, 128)
    assert len(a.frames) == len(a.times)


def test_weights_come_back(net: SpotterNet, tmp_path: Path) -> None:
    path = tmp_path / "spotter.safetensors"
    weft.weights.save(path, net.state_dict(), {"config": asdict(SMALL), "threshold": 0.3})
    reader = Reader.load(path)
    assert reader.threshold == 0.3
    x = inputs(1)
    assert torch.equal(reader.net(*x)["onset"], net(*x)["onset"])
    weft.weights.save(path, {"odd": torch.zeros(1)}, {"config": asdict(SMALL)})
    with pytest.raises(WeightsError, match="does not fit"):
        Reader.load(path)
