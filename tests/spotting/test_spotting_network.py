"""The network's shapes, what it may and may not depend on, and that its losses can be learnt."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

import weft.weights
from weft.errors import WeightsError
from weft.spotting import motion
from weft.spotting.network import Seen, SpotterConfig, SpotterNet
from weft.spotting.reader import Reader
from weft.training import examples, scribbles, spotter, variations

SMALL = SpotterConfig(
    patch=8, fine=16, cells=16, blocks=2, trunk=32, dilations=(1, 2), picture=16, dropout=0.0
)


def inputs(count: int = 2, readings: int = 50) -> tuple[Seen, torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    cells = torch.randn(count, readings, 7, 12, 16, generator=g)
    cells[:, :, [4, 6]] = cells[:, :, [4, 6]].abs()
    seen = Seen(
        cells=cells,
        overall=torch.rand(count, readings, 5, generator=g),
        grey=torch.randint(0, 256, (count, readings, 96, 128), generator=g, dtype=torch.uint8),
        change=torch.randint(-40, 41, (count, readings, 96, 128), generator=g, dtype=torch.int8),
        clock=torch.zeros(count, readings, 2),
    )
    return seen, torch.rand(count, 4, 3, 96, 128, generator=g)


@pytest.fixture(scope="module")
def net() -> SpotterNet:
    torch.manual_seed(0)
    return SpotterNet(SMALL).eval()


def test_shapes_and_ranges(net: SpotterNet) -> None:
    out = net(*inputs())
    for name in ("onset", "offset", "strength", "level", "sustained", "depth"):
        assert out[name].shape == (2, 50)
    assert out["material"].shape == (2, 4, 17)
    assert torch.allclose(out["heat"].sum((2, 3)), torch.ones(2, 50), atol=1e-5)
    assert (out["box"][..., 2:] > out["box"][..., :2]).all()
    assert out["offset"].abs().max() <= 0.06
    assert out["level"].min() >= 0


def test_timing_does_not_look_at_colours(net: SpotterNet) -> None:
    seen, pictures = inputs()
    a, b = net(seen, pictures), net(seen, 1 - pictures)
    assert torch.equal(a["onset"], b["onset"])
    assert not torch.equal(a["material"], b["material"])


def test_timing_is_relative_to_the_clips_own_speed(net: SpotterNet) -> None:
    seen, _ = inputs()
    double, faster = seen.cells.clone(), seen.overall.clone()
    double[:, :, :4] *= 2
    faster[..., :4] *= 2
    a, b = (net.read(x)["onset"] for x in (seen, replace(seen, cells=double, overall=faster)))
    c = net.read(replace(seen, cells=seen.cells * 8))["onset"]
    assert (a - b).abs().mean() < 0.5 * (a - c).abs().mean()


def test_timing_is_relative_to_the_clips_own_contrast(net: SpotterNet) -> None:
    """A darker print of the same film: half the contrast in the pictures and in what changes in them."""
    seen, _ = inputs()
    seen = replace(seen, grey=seen.grey // 2 * 2, change=seen.change // 2 * 2)
    dim = replace(seen, grey=seen.grey // 2 + 20, change=seen.change // 2)
    other = replace(seen, change=seen.change.roll(7, 1))
    a, b, c = (net.read(x)["onset"] for x in (seen, dim, other))
    assert (a - b).abs().mean() < 0.2 * (a - c).abs().mean()


def test_what_the_flow_misses_the_pictures_show(net: SpotterNet) -> None:
    seen, _ = inputs()
    still = replace(seen, change=torch.zeros_like(seen.change))
    assert not torch.allclose(net.read(seen)["onset"], net.read(still)["onset"], atol=1e-3)


def test_a_struck_thing_rings_on() -> None:
    from weft.spotting.network import _level

    attack = torch.full((1, 50), -20.0)
    attack[0, 10] = 3.0
    quick, slow = (_level(attack, torch.full((1, 50), d), torch.full((1, 50), -20.0))[0] for d in (-4.0, 4.0))
    for level in (quick, slow):
        assert level[:10].max() < 1e-6
        assert level.argmax() == 10
    assert quick[13] < 0.1 * quick[10]
    assert slow[30] > 0.4 * slow[10]


def test_any_length(net: SpotterNet) -> None:
    for readings in (1, 2, 3, 7):
        seen, pictures = inputs(1, readings)
        assert net(seen, pictures[:, :1])["onset"].shape == (1, readings)


@pytest.mark.slow
def test_a_step_lowers_the_loss_and_varied_labels_stay_in_range() -> None:
    torch.manual_seed(0)
    drawn = examples.from_scribbles(range(1))
    net = SpotterNet(SMALL)
    given = variations.batch([drawn], [drawn], np.random.default_rng(0), worlds=0, drawings=2)
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


@pytest.mark.parametrize("seed", range(8))
def test_another_tempo_keeps_motion_pictures_and_labels_together(seed: int) -> None:
    """Cells that hold the time they saw, pictures that hold their number: both say when the one event was."""
    n, rate = examples.READINGS, motion.RATE
    middle = (np.arange(n) + motion.MIDDLE) / rate
    events = np.full((1, examples.EVENTS, 4), -1, np.float32)
    events[0, 0] = 1.9, 0.5, 0, 0
    source = examples.Examples(
        cells=np.broadcast_to(middle[None, :, None, None, None], (1, n, 7, 12, 16)).astype(np.float32),
        overall=np.zeros((1, n, 6), np.float32),
        grey=np.broadcast_to(np.arange(n, dtype=np.uint8)[None, :, None, None], (1, n, 96, 128)),
        change=np.zeros((1, n, 96, 128), np.int8),
        clock=np.broadcast_to(np.array([motion.MIDDLE / rate, 1 / rate], np.float32), (1, n, 2)),
        events=events,
        box=np.full((1, n, 4), 0.5, np.float32),
        depth=np.zeros((1, n), np.float32),
        level=np.zeros((1, n), np.float32),
        material=np.zeros(1, int),
        pictures=np.zeros((1, 8, 96, 128, 3), np.uint8),
    )
    made = variations.batch([source], [], np.random.default_rng(seed), worlds=1, drawings=0, plain=1.0)
    at = made["events"][0, 0, 0].item()
    count = made["cells"].shape[1]
    saw = made["cells"][0, :, 6, 6, 8].numpy()  # the middle of the picture, which no shift empties
    assert np.interp(at, (np.arange(count) + motion.MIDDLE) / rate, saw) == pytest.approx(1.9, abs=1e-3)
    shown = (made["grey"][0, :, 48, 64].numpy() + motion.MIDDLE) / rate  # when the picture was, before
    now = made["clock"][0, :, 0].numpy() + np.arange(count) / rate  # when it is, after
    assert np.interp(at, now, shown) == pytest.approx(1.9, abs=1e-3)


def test_examples_come_back_from_disk_and_near_contacts_are_one_onset(tmp_path: Path) -> None:
    drawn = examples.from_scribbles(range(1))
    drawn.save(tmp_path / "drawn-0000")
    (back,) = examples.parts(tmp_path, "drawn")
    for f in fields(examples.Examples):
        np.testing.assert_array_equal(getattr(back, f.name), getattr(drawn, f.name))
    assert back.motion(0).grey.shape == (120, 96, 128)
    table = examples.event_table([{"t": t, "strength": s} for t, s in ((1.0, 0.2), (1.02, 0.7), (1.06, 0.1))])
    np.testing.assert_allclose(table[table[:, 0] >= 0][:, :2], [[1.0, 0.7], [1.06, 0.1]], atol=1e-6)


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
