"""The sampler begun from data: which step, how much of it stays, and nothing else changed."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from weft.diffusion.process import RectifiedFlow
from weft.diffusion.sampler import sample

NOISE, DATA = (torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(s)) for s in (0, 1))


def towards(target: Tensor):
    """The velocity that leads any mixture to `target` at time 1."""
    return lambda z, t: (target - z) / (1 - t)[:, None, None]


def still(z: Tensor, t: Tensor) -> Tensor:
    return torch.zeros_like(z)


@pytest.mark.parametrize(("first", "share"), [(0, 0.0), (2, 0.2), (4, 0.4), (10, 1.0)])
def test_it_begins_with_so_much_of_the_origin(first: int, share: float) -> None:
    """A network that moves nothing leaves the beginning as it is."""
    found = sample(still, RectifiedFlow(), NOISE, 10, origin=DATA, first=first)
    torch.testing.assert_close(found, (1 - share) * NOISE + share * DATA)


def test_steps_before_the_beginning_are_not_made_and_times_go_on() -> None:
    asked: list[float] = []

    def predict(z: Tensor, t: Tensor) -> Tensor:
        asked.append(float(t[0]))
        return towards(torch.ones_like(z))(z, t)

    found = sample(predict, RectifiedFlow(), NOISE, 10, origin=DATA, first=4)
    assert asked == pytest.approx([0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    torch.testing.assert_close(found, torch.ones_like(NOISE), atol=1e-5, rtol=0)


def test_what_is_known_stays_known() -> None:
    mask = torch.zeros(1, 5, 1)
    mask[:, 2:] = 1
    known = torch.full_like(NOISE, 3.0)
    found = sample(still, RectifiedFlow(), NOISE, 4, known=known, mask=mask, origin=DATA, first=2)
    assert (found[:, 2:] == 3).all()
    torch.testing.assert_close(found[:, :2], (NOISE + DATA)[:, :2] / 2)


@pytest.mark.parametrize("first", [-1, 5])
def test_a_step_that_there_is_not_is_refused(first: int) -> None:
    with pytest.raises(ValueError, match=f"first step {first} of 4; give 0 to 4"):
        sample(still, RectifiedFlow(), NOISE, 4, origin=DATA, first=first)
