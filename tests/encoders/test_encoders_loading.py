"""A network is filled with a file's tensors, or the file is refused by its keys."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from weft.encoders.loading import filled
from weft.errors import WeightsError
from weft.weights.published import Published

GIVEN = Published(file="small.pth", url="https://example.org/small.pth", licence="MIT")


def build() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def test_a_filled_network_holds_the_tensors_and_is_for_inference() -> None:
    tensors = {k: torch.full_like(v, 2) for k, v in build().state_dict().items()}
    net = filled(build, tensors, GIVEN)
    assert all(torch.equal(v, tensors[k]) for k, v in net.state_dict().items())
    assert not net.training
    assert not any(p.requires_grad or p.is_meta for p in net.parameters())


def test_a_file_with_other_keys_is_refused() -> None:
    tensors = build().state_dict()
    tensors["0.scale"] = tensors.pop("0.bias")
    with pytest.raises(
        WeightsError, match=r"small\.pth does not fit: 1 keys missing \['0\.bias'\], 1 unexpected"
    ):
        filled(build, tensors, GIVEN)
