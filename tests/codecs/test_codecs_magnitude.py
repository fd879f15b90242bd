"""Magnitude-preserving layers keep unit inputs unit: the identities of the EDM2 paper."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from weft.codecs.magnitude import mix, silu, unit, unit_weight


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def rms(x: torch.Tensor) -> float:
    return float(x.square().mean().sqrt())


@pytest.mark.parametrize("size", [1e-2, 1.0, 1e3])
def test_unit_vectors_have_unit_root_mean_square_along_the_channels(size: float) -> None:
    out = unit(size * normal(2, 64, 5))
    assert torch.allclose(out.square().mean(1).sqrt(), torch.ones(2, 5), atol=2e-2)


def test_a_vector_of_zeros_stays_zero() -> None:
    assert torch.equal(unit(torch.zeros(1, 4, 3)), torch.zeros(1, 4, 3))


def test_silu_of_normal_numbers_has_unit_root_mean_square() -> None:
    assert rms(silu(normal(200_000))) == pytest.approx(1.0, abs=0.01)


@given(share=st.floats(0.0, 1.0))
def test_mixing_independent_unit_inputs_gives_a_unit_output(share: float) -> None:
    assert rms(mix(normal(50_000), normal(50_000, seed=1), share)) == pytest.approx(1.0, abs=0.02)


def test_mixing_by_0_and_by_1_gives_one_of_them() -> None:
    a, b = normal(7), normal(7, seed=1)
    assert torch.equal(mix(a, b, 0.0), a)
    assert torch.allclose(mix(a, b, 1.0), b)


@pytest.mark.parametrize("size", [0.1, 1.0, 50.0])
def test_a_convolution_with_unit_weights_keeps_the_size_whatever_the_files_holds(size: float) -> None:
    weight = unit_weight(size * normal(96, 48, 3))
    assert torch.allclose(weight.flatten(1).norm(dim=1), torch.ones(96), atol=2e-3)
    out = torch.nn.functional.conv1d(normal(1, 48, 4000, seed=1), weight)
    assert rms(out) == pytest.approx(1.0, abs=0.03)


def test_the_guard_against_zero_is_the_references() -> None:
    weight = torch.full((1, 4, 1), 1e-4)
    assert float(unit_weight(weight)[0, 0, 0]) == pytest.approx(0.5 / math.sqrt(4))
