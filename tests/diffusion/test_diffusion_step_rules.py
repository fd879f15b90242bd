"""The step rules against torch's own Adam, and what each promises."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.diffusion.step_rules import FreshAdam, LineSearch, NormalisedGradient, slope_of, unit_rms


def _draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _bowl(u: torch.Tensor) -> torch.Tensor:
    weight = torch.arange(1, u[0].numel() + 1).reshape(u.shape[1:])
    return (weight * u.square()).flatten(1).sum(1)


@pytest.mark.parametrize("times", [1, 3])
def test_fresh_adam_is_torchs(times: int) -> None:
    u = _draw(2, 3, 4)
    leaf = u.clone().requires_grad_()
    adam = torch.optim.Adam([leaf], lr=0.1)
    for _ in range(times):
        adam.zero_grad()
        _bowl(leaf).sum().backward()
        adam.step()
    torch.testing.assert_close(FreshAdam(times=times)(u, _bowl), leaf.detach())


def test_the_published_step_is_the_gradients_sign_whatever_the_loss_is_scaled_by() -> None:
    u = _draw(2, 5, 3)
    for scale in (1e-3, 1.0, 1e3):
        moved = FreshAdam(rate=0.1)(u, lambda x, s=scale: s * _bowl(x)) - u
        torch.testing.assert_close(moved, -0.1 * u.sign(), atol=1e-4, rtol=1e-3)
    # A gradient that comes down to Adam's epsilon, as BEATs' layers make it, shrinks the step.
    faint = FreshAdam(rate=0.1)(u, lambda x: 1e-8 * _bowl(x)) - u
    assert float(faint.abs().mean()) < 0.095


def test_a_normalised_step_has_the_length_asked_for() -> None:
    u = _draw(3, 6, 2)
    for scale in (1.0, 1e-25, 1e20):
        moved = NormalisedGradient(rate=0.25)(u, lambda x, s=scale: s * _bowl(x)) - u
        torch.testing.assert_close(moved.flatten(1).square().mean(1).sqrt(), torch.full((3,), 0.25))
    slope = slope_of(u, _bowl)[1]
    torch.testing.assert_close(unit_rms(slope) / unit_rms(slope).flatten(1)[:, 0].reshape(3, 1, 1),
                               slope / slope.flatten(1)[:, 0].reshape(3, 1, 1))  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), rate=st.floats(1e-3, 30.0))
def test_line_search_never_raises_the_loss(seed: int, rate: float) -> None:
    def waves(u: torch.Tensor) -> torch.Tensor:
        return (torch.sin(5 * u) + 0.1 * u.square()).flatten(1).sum(1)

    u = _draw(4, 3, 2, seed=seed)
    out = LineSearch(rate=rate, times=2)(u, waves)
    assert bool((waves(out) <= waves(u)).all())


def test_line_search_takes_the_whole_step_where_it_helps_and_none_where_nothing_does() -> None:
    u = torch.tensor([[1.0, 1.0], [1e-3, 1e-3]])

    def square(x: torch.Tensor) -> torch.Tensor:
        return x.square().sum(1)

    out = LineSearch(rate=0.5, halvings=2)(u, square)
    torch.testing.assert_close(out, torch.tensor([[0.5, 0.5], [1e-3, 1e-3]]))
    torch.testing.assert_close(LineSearch(rate=3.0, halvings=1)(u[:1], square), torch.tensor([[-0.5, -0.5]]))


@pytest.mark.parametrize("rule", [FreshAdam(), NormalisedGradient(), LineSearch()])
def test_a_loss_in_float64_leaves_the_variables_type(rule) -> None:
    assert rule(_draw(2, 3), lambda x: x.double().square().sum(1)).dtype == torch.float32


@pytest.mark.parametrize("rule", [FreshAdam(), NormalisedGradient(), LineSearch()])
def test_what_is_not_finite_stays_and_the_others_move(rule) -> None:
    u = _draw(3, 4)
    u[1] = 0

    def loss(x: torch.Tensor) -> torch.Tensor:
        return (x.square().sum(1)).sqrt()  # its gradient at 0 is NaN

    before = u.clone()
    out = rule(u, loss)
    torch.testing.assert_close(u, before)
    torch.testing.assert_close(out[1], u[1])
    assert bool(((out - u).abs().amax(1)[[0, 2]] > 0).all())
    broken = rule(u, lambda x: x.sum(1) + torch.tensor([torch.inf, 0.0, 0.0]))
    torch.testing.assert_close(broken[0], u[0])
    assert bool(torch.isfinite(broken).all())
