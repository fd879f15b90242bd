"""Looks at pictures: of any size, weighted by what moves; and where the video network puts them in time."""

from __future__ import annotations

import pytest
import torch

from weft.encoders.look_net import LookNet, LookNetConfig
from weft.encoders.video_net import VideoNet, VideoNetConfig


@pytest.fixture(scope="module")
def net() -> LookNet:
    torch.manual_seed(0)
    return LookNet(LookNetConfig(channels=(4, 8, 8, 8))).eval()


@torch.inference_mode()
def test_a_picture_of_any_size_gives_one_look(net: LookNet) -> None:
    for size, grid in (((72, 96), (18, 24)), ((44, 60), (11, 15))):
        look, log_weight = net(torch.rand(3, 3, *size), None)
        assert look.shape == (3, 16) == (3, net.config.d) and log_weight.shape == (3, *grid)
        torch.testing.assert_close(log_weight.exp().sum((1, 2)), torch.ones(3))


@torch.inference_mode()
def test_what_moves_weighs_more(net: LookNet) -> None:
    picture, moved = torch.rand(1, 3, 72, 96), torch.zeros(1, 9, 12)
    still = net(picture, moved)[1]
    torch.testing.assert_close(still, net(picture, None)[1])
    moved[0, 2, 5] = 1.0
    gain = net(picture, moved)[1] - still
    there = gain[0, 4:6, 10:12]
    assert (there > 1).all() and gain.amax() == there.amax()
    gain[0, 4:6, 10:12] = -1
    assert (gain < 0).all()


@torch.inference_mode()
def test_a_look_is_of_its_own_steps() -> None:
    torch.manual_seed(0)
    video = VideoNet(VideoNetConfig(channels=(8, 8), look=(4, 8, 8, 8), width=16, depth=0, d=8)).eval()
    cells, looks = torch.rand(1, 14, 9, 9, 12), torch.rand(1, 3, 3, 72, 96)
    before = video.steps(cells, looks)
    looks[0, 1] = 0.0
    after = video.steps(cells, looks)
    changed = (after - before).abs().amax((0, 1)) > 1e-6
    assert changed.tolist() == [6 <= k < 12 for k in range(14)]
    with pytest.raises(ValueError, match="14 steps need 3, one for 6 steps each"):
        video.steps(cells, looks[:, :2])
    assert video.steps(cells, looks[:, :2], 7).shape == before.shape
