"""The outline learns: pots on a ground, and boxes that missed them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from weft.spotting.outline import Outline
from weft.training import outline
from weft.training.loop import LoopConfig, ema_weights, train
from weft.training.outline import Found


def things(count: int, seed: int) -> Found:
    """Bright rectangles on grain, and boxes of about the right place and any size."""
    rng = np.random.default_rng(seed)
    low = rng.uniform(0.1, 0.5, (count, 2))
    box = np.concatenate([low, low + rng.uniform(0.12, 0.4, (count, 2))], 1)
    pictures = rng.integers(60, 120, (count, 96, 128, 3), dtype=np.uint8)
    for picture, (x1, y1, x2, y2) in zip(pictures, box, strict=True):
        picture[round(y1 * 96) : round(y2 * 96), round(x1 * 128) : round(x2 * 128)] += np.uint8(100)
    middle = (box[:, :2] + box[:, 2:]) / 2 + rng.normal(0, 0.03, (count, 2))
    size = (box[:, 2:] - box[:, :2]) * np.exp(rng.normal(0, 0.4, (count, 2)))
    return Found(
        pictures=pictures,
        changes=rng.integers(0, 9, (count, 3, 96, 128), dtype=np.uint8),
        box=box.astype(np.float32),
        found=np.concatenate([middle - size / 2, middle + size / 2], 1).astype(np.float32),
    )


@pytest.mark.slow
def test_it_learns_to_draw_boxes_to_their_edges(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = Outline((16, 16, 16))
    learnt, held = things(200, 0), things(60, 1)
    before, at_first = outline.score(net, held, 2)
    config = LoopConfig(steps=120, warmup=10, learning_rate=4e-3, ema=0.9, log_every=20)
    train(
        net,
        lambda given, _: outline.losses(net, given),
        lambda step: outline.batch(learnt, np.random.default_rng(step), 16),
        config,
        tmp_path,
    )
    net.load_state_dict(ema_weights(tmp_path))
    same, after = outline.score(net, held, 2)
    assert same == before
    assert at_first < before
    assert after > before + 0.1
    assert after > 0.7


def test_a_batch_is_a_pure_function_of_its_generator() -> None:
    data = things(20, 2)
    one, other, third = (outline.batch(data, np.random.default_rng(s), 8) for s in (5, 5, 6))
    assert all(torch.equal(one[k], other[k]) for k in one)
    assert not torch.equal(one["start"], third["start"])


def test_found_boxes_keep_their_rows(tmp_path: Path) -> None:
    one, other = things(5, 3), things(4, 4)
    one.save(tmp_path / "a")
    other.save(tmp_path / "b")
    both = outline.read([tmp_path / "a", tmp_path / "b"])
    assert len(both) == 9
    np.testing.assert_array_equal(both.box[5:], other.box)
    np.testing.assert_array_equal(both.pictures[:5], one.pictures)


@pytest.mark.parametrize("by", [0.0, 0.5])
def test_astray_moves_by_the_boxes_own_size(by: float) -> None:
    box = torch.tensor([[0.2, 0.2, 0.4, 0.6]])
    moved = outline._astray(box, torch.tensor([[by, -by, 0.0, 0.0]]), 0.01)
    torch.testing.assert_close(moved, box + torch.tensor([[0.2, -0.4, 0.2, -0.4]]) * by)
