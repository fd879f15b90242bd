"""Folding weight norm gives what torch's own weight norm computes with, in either of its namings."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from weft.codecs.weight_norm import folded


@pytest.mark.parametrize(
    "layer", [nn.Conv1d(3, 5, 7), nn.ConvTranspose1d(4, 2, 6)], ids=["conv", "transposed"]
)
def test_both_namings_give_torchs_weight(layer: nn.Module) -> None:
    torch.manual_seed(0)
    normed = nn.ModuleDict({"a": parametrizations.weight_norm(layer)})
    with torch.no_grad():
        for value in normed.parameters():
            value.add_(0.3 * torch.randn_like(value))
    state = normed.state_dict()
    old = {
        k.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): v
        for k, v in state.items()
    }
    assert "a.weight_g" in old
    for given in (state, old):
        found = folded(given)
        assert set(found) == {"a.weight", "a.bias"}
        torch.testing.assert_close(found["a.weight"], normed["a"].weight)  # type: ignore[arg-type]
    assert "a.weight_g" in old, "the caller's dictionary is left alone"


def test_what_is_folded_already_passes() -> None:
    given = {"a.weight": torch.ones(2, 3), "a.filter": torch.ones(1)}
    assert folded(given) == given


@pytest.mark.parametrize("key", ["a.weight_g", "a.weight_v", "a.parametrizations.weight.original0"])
def test_half_a_pair_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r"^a\..* is missing$"):
        folded({key: torch.ones(2, 1)})
