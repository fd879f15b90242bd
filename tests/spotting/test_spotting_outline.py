"""The outline: what is cut out lies where it is said to, and boxes come back in the picture's own fractions."""

from __future__ import annotations

import numpy as np
import torch

from weft.spotting import outline
from weft.spotting.outline import Outline

WIDTHS = (8, 8, 16)


def test_a_cut_out_shows_what_lies_around_the_box() -> None:
    x = (torch.arange(128) + 0.5) / 128
    y = (torch.arange(96) + 0.5) / 96
    place = torch.stack([x.expand(96, 128), y[:, None].expand(96, 128)] * 3)[None]
    box = torch.tensor([[0.4, 0.5, 0.6, 0.6]])
    cut, corner, span = outline.cut_out(place, box)
    assert cut.shape == (1, 7, outline.SIDE, outline.SIDE)
    torch.testing.assert_close(span, torch.tensor([[0.2 * outline.ROOM, outline.LEAST]]))
    torch.testing.assert_close(corner + span / 2, torch.tensor([[0.5, 0.55]]))
    at = (torch.arange(outline.SIDE) + 0.5) / outline.SIDE
    torch.testing.assert_close(cut[0, 0, 10], corner[0, 0] + at * span[0, 0], atol=1e-4, rtol=0)
    torch.testing.assert_close(cut[0, 1, :, 10], corner[0, 1] + at * span[0, 1], atol=1e-4, rtol=0)
    assert (cut[0, 6] == 1).all()


def test_it_knows_what_lies_outside_the_picture() -> None:
    cut, _, _ = outline.cut_out(torch.ones(1, 6, 96, 128), torch.tensor([[-0.1, 0.4, 0.1, 0.6]]))
    left, right = cut[0, 6, :, : outline.SIDE // 2 - 1], cut[0, 6, :, outline.SIDE // 2 + 1 :]
    assert (left == 0).all()
    assert (right == 1).all()


def test_a_mirrored_stretch_is_drawn_mirrored() -> None:
    torch.manual_seed(0)
    net = Outline(WIDTHS).eval()
    rng = np.random.default_rng(0)
    low = rng.uniform(0.1, 0.5, (60, 2))
    box = np.concatenate([low, low + rng.uniform(0.1, 0.4, (60, 2))], 1).astype(np.float32)
    at = np.array([0, 15, 30, 45])
    pictures = rng.integers(0, 255, (4, 96, 128, 3), dtype=np.uint8)
    changes = rng.uniform(0, 20, (4, 3, 96, 128)).astype(np.float32)
    plain = outline.redrawn(net, box, at, pictures, changes)
    across = outline.mirrored(torch.from_numpy(box)).numpy()
    other = outline.redrawn(net, across, at, pictures[:, :, ::-1], np.ascontiguousarray(changes[..., ::-1]))
    np.testing.assert_allclose(outline.mirrored(torch.from_numpy(other)).numpy(), plain, atol=1e-5)
    assert np.abs(plain - box).mean() > 0.01


def test_between_pictures_a_box_is_corrected_by_what_lies_between() -> None:
    torch.manual_seed(1)
    net = Outline(WIDTHS).eval()
    rng = np.random.default_rng(1)
    box = np.tile(np.array([0.3, 0.3, 0.6, 0.7], np.float32), (40, 1))
    pictures = rng.integers(0, 255, (2, 96, 128, 3), dtype=np.uint8)
    changes = rng.uniform(0, 20, (2, 3, 96, 128)).astype(np.float32)
    found = outline.redrawn(net, box, np.array([5, 25]), pictures, changes)
    assert np.abs(found[5] - found[25]).max() > 1e-3
    middle = (found[:, :2] + found[:, 2:]) / 2
    np.testing.assert_allclose(middle[15], (middle[5] + middle[25]) / 2, atol=1e-6)
    np.testing.assert_array_equal(found[:5], np.tile(found[5], (5, 1)))
    np.testing.assert_array_equal(found[26:], np.tile(found[25], (14, 1)))


def test_a_stretch_without_a_picture_keeps_its_boxes() -> None:
    box = np.tile(np.array([0.3, 0.3, 0.6, 0.7], np.float32), (4, 1))
    none = np.zeros(0, int)
    kept = outline.redrawn(
        Outline(WIDTHS), box, none, np.zeros((0, 96, 128, 3), np.uint8), np.zeros((0, 3, 96, 128), np.float32)
    )
    np.testing.assert_array_equal(kept, box)


def test_changes_are_of_the_moment_of_the_stretch_and_of_the_onsets() -> None:
    change = np.zeros((60, 96, 128), np.int8)
    change[10, :, :64] = -90  # before the first asked reading's window ends
    change[40, :, 64:] = 60
    onset = np.zeros(60, np.float32)
    onset[40] = 1.0
    now, whole, struck = np.moveaxis(outline.changed(change, onset, np.array([12, 42])), 1, 0)
    near = 2 * outline.NEAR + 1
    np.testing.assert_allclose(now[0, 0, [0, 100]], [90 / near, 0], rtol=1e-5)
    np.testing.assert_allclose(now[1, 0, [0, 100]], [0, 60 / near], rtol=1e-5)
    np.testing.assert_allclose(whole[0, 0, [0, 100]], [1.5, 1.0], rtol=1e-5)
    np.testing.assert_allclose(struck[1, 0, [0, 100]], [0, 60], atol=0.6)
    np.testing.assert_array_equal(whole[0], whole[1])
