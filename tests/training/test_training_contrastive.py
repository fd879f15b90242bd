"""InfoNCE where some pairs are no negatives: its values, and who is told from whom."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from weft.training.contrastive import info_nce, symmetric, synchrony

ONE = torch.tensor(1.0)


def test_it_is_the_cross_entropy_over_own_and_negatives() -> None:
    similarity = torch.tensor([[0.5, 0.1, 0.9]])
    own = torch.tensor([0])
    some = torch.tensor([[False, True, False]])
    expected = -0.5 + math.log(math.exp(0.5) + math.exp(0.1))
    assert info_nce(similarity, own, some, ONE).item() == pytest.approx(expected, abs=1e-6)
    every = torch.tensor([[False, True, True]])
    more = -0.5 + math.log(math.exp(0.5) + math.exp(0.1) + math.exp(0.9))
    assert info_nce(similarity, own, every, ONE).item() == pytest.approx(more, abs=1e-6)
    assert info_nce(similarity[:0], own[:0], every[:0], ONE).item() == 0


def test_rows_of_one_kind_are_not_told_apart() -> None:
    x = F.normalize(torch.randn(4, 8, generator=torch.Generator().manual_seed(0)), dim=1)
    y = x.roll(1, 0)  # the worst match there is
    assert symmetric(x, y, torch.zeros(4), ONE).item() == pytest.approx(0, abs=1e-6)
    assert symmetric(x, y, torch.arange(4), 5 * ONE) > symmetric(x, x, torch.arange(4), 5 * ONE) + 1


def windows(seed: int) -> torch.Tensor:
    return F.normalize(torch.randn(3, 6, 16, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_a_shifted_sound_and_another_material_cost() -> None:
    video, far = windows(1), windows(2)
    kind, every = torch.arange(3), torch.ones(3, 6, dtype=torch.bool)
    scale = torch.tensor(10.0)
    true = synchrony(video, video, far, kind, every, scale)
    assert synchrony(video, video.roll(2, 1), far, kind, every, scale) > true + 1
    assert synchrony(video, video, video, kind, every, scale) > true + 0.2  # the twin sounds no different


def test_a_neighbour_in_time_and_a_clip_of_the_same_kind_cost_nothing() -> None:
    video = windows(1)[:, :2]  # two windows: each is only the other's neighbour
    far = -video
    every = torch.ones(3, 2, dtype=torch.bool)
    same = torch.zeros(3)
    assert synchrony(video, video.flip(0), far, same, every, torch.tensor(0.0)).item() == pytest.approx(
        0.5 * math.log(1 + 2), abs=1e-5
    )  # the twin's two near windows are the only negatives, and only the picture asks about them


def test_only_active_windows_ask() -> None:
    video, audio, far = windows(1), windows(2), windows(3)
    kind, none = torch.arange(3), torch.zeros(3, 6, dtype=torch.bool)
    assert synchrony(video, audio, far, kind, none, torch.tensor(10.0)).item() == 0
    one = none.clone()
    one[1, 4] = True
    spoilt = video.clone()
    spoilt[1, 4] = -spoilt[1, 4]
    assert synchrony(video, video, far, kind, one, ONE) < synchrony(spoilt, video, far, kind, one, ONE)
