"""Gradient guidance: where it acts, what it moves, and that the network is a constant to it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from weft.diffusion.ddpm import Ddpm
from weft.diffusion.guidance import ClassifierFree, guided
from weft.diffusion.process import RectifiedFlow
from weft.diffusion.sampler import sample
from weft.diffusion.steering import Guided, Score, Steering, Window, data_of
from weft.diffusion.step_rules import FreshAdam, LineSearch, NormalisedGradient

PROCESSES = {"flow": RectifiedFlow(), "eps": Ddpm(), "v": Ddpm(predicts="v", to_data=True)}


def _draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Near:
    """Scores by the squared distance from a wanted value; remembers which steps asked."""

    def __init__(self, wanted: float = 3.0) -> None:
        self.wanted, self.steps, self.seen = wanted, [], []

    def __call__(self, x0: Tensor, step: int) -> Score:
        self.steps.append(step)
        self.seen.append(x0.detach())
        loss = (x0 - self.wanted).square().flatten(1).mean(1)
        return Score(loss=loss, readings={"loss": loss})


class Net(nn.Module):
    """A network that counts how often a gradient comes back to it."""

    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Linear(3, 3)
        self.backwards = 0
        self.register_full_backward_hook(self._count)

    def _count(self, *_: object) -> None:
        self.backwards += 1

    def forward(self, z: Tensor, t: Tensor) -> Tensor:
        return self.line(z) * 0.3


def test_published_window_is_steps_7_to_29_of_30() -> None:
    assert Window(start=0.2, stop=1.0, beyond=True).steps(30) == range(7, 30)
    assert list(Window(start=0.2, stop=0.9).steps(30)) == list(range(6, 27))
    assert list(Window(start=0.2, stop=0.9, every=4).steps(30)) == [6, 10, 14, 18, 22, 26]
    assert list(Window(start=0.0, stop=1.0).steps(3)) == [0, 1, 2]
    assert list(Window().steps(8)) == [2, 3, 4, 5, 6]  # the last one is left alone


@pytest.mark.parametrize("window", [(0.9, 0.2, 1), (-0.1, 1, 1), (0.2, 1.1, 1), (0.5, 0.5, 1)])
def test_windows_that_hold_nothing_are_refused(window: tuple[float, float, int]) -> None:
    with pytest.raises(ValueError, match="give 0 <= start < stop <= 1"):
        Window(start=window[0], stop=window[1])
    with pytest.raises(ValueError, match="every 0 steps; give 1 or more"):
        Window(every=0)


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("on", ["data", "mixture"])
def test_it_lowers_the_loss_on_every_process_beside_classifier_free_guidance(name: str, on) -> None:
    process, noise, objective = PROCESSES[name], _draw(2, 5, 3), Near()
    records: list[Guided] = []
    cfg = guided(ClassifierFree(scale=2.5), {"cond": lambda z, t: 0.2 * z, "uncond": lambda z, t: 0.1 * z})
    steer = Steering(
        objective=objective, rule=LineSearch(rate=0.1), window=Window(start=0.2, stop=0.8), on=on,
        on_guided=records.append,
    )  # fmt: skip
    plain, pushed = sample(cfg, process, noise, 10), sample(cfg, process, noise, 10, steer=steer)
    assert bool((Near()(pushed, 0).loss < Near()(plain, 0).loss - 0.1).all())
    assert [r.step for r in records] == list(range(2, 8))
    for record in records:
        assert len(record.readings["loss"]) == len(record.moved) == 2
        assert min(record.moved) > 0


def test_no_gradient_reaches_the_network_unless_asked() -> None:
    net, noise = Net(), _draw(2, 5, 3)
    off = sample(net, RectifiedFlow(), noise, 6)
    steer = Steering(objective=Near(), rule=NormalisedGradient(), on="mixture")
    out = sample(net, RectifiedFlow(), noise, 6, steer=steer)
    assert net.backwards == 0
    assert not torch.allclose(out, off)
    through = Steering(objective=Near(), rule=NormalisedGradient(), on="mixture", through=True)
    deep = sample(net, RectifiedFlow(), noise, 6, steer=through)
    assert net.backwards == len(Window().steps(6))
    assert not torch.allclose(out, deep)
    assert float(Near()(deep, 0).loss.mean()) < float(Near()(off, 0).loss.mean())
    assert all(p.grad is None for p in net.parameters())


def test_through_the_network_is_the_whole_derivative() -> None:
    """z' = z + Δ with Δ along the gradient of the loss at x0(z, predict(z)), here by finite differences."""
    process, z, seen = Ddpm(), _draw(1, 2, 3).double(), []

    def predict(z: Tensor, t: Tensor) -> Tensor:
        return torch.sin(z) * z.roll(1, -1)

    class Slope:
        def __call__(self, u: Tensor, value) -> Tensor:
            with torch.enable_grad():
                leaf = u.detach().requires_grad_()
                (slope,) = torch.autograd.grad(value(leaf).sum(), leaf)
            step = 1e-5
            for k in range(u.numel()):
                way = torch.zeros(u.numel(), dtype=u.dtype)
                way[k] = step
                way = way.reshape(u.shape)
                rise = (value(u + way) - value(u - way)) / (2 * step)
                seen.append(float(rise - slope.flatten()[k]) / float(slope.abs().max()))
            return u

    steer = Steering(objective=Near(), rule=Slope(), on="mixture", through=True, window=Window(start=0.5))
    sample(predict, process, z, 4, steer=steer)
    assert len(seen) == 12
    assert max(map(abs, seen)) < 1e-6


@pytest.mark.parametrize("name", PROCESSES)
def test_exact_level_gives_the_samplers_own_estimate_and_the_references_another(name: str) -> None:
    process, noise = PROCESSES[name], _draw(1, 4, 3)
    own: list[Tensor] = []

    def predict(z: Tensor, t: Tensor) -> Tensor:
        out = 0.3 * torch.cos(z)
        own.append(process.x0(z, t, out))
        return out

    exact, off = Near(), Near()
    rule = FreshAdam(rate=0.0)
    window = Window(start=0.2, stop=1.0, beyond=True)
    sample(
        predict, process, noise, 10, steer=Steering(objective=exact, rule=rule, on="mixture", window=window)
    )
    for i, found in zip(range(3, 10), exact.seen, strict=True):
        torch.testing.assert_close(found, own[i], atol=1e-4, rtol=1e-4)
    sample(
        predict, process, noise, 10,
        steer=Steering(objective=off, rule=rule, on="mixture", level="reference", window=window),
    )  # fmt: skip
    assert not torch.allclose(off.seen[0], own[3], atol=1e-2)


def test_the_references_level_overrates_the_data_by_the_known_factor() -> None:
    """AudioLDM, 30 steps, step 7: √ᾱ of the mixture over √ᾱ used is 1.22 (and 1.12 at 15, 1.03 at 28)."""
    process, seen = Ddpm(), {}
    times = process.timesteps(30)
    for i in (7, 15, 28):
        now, then = times[i : i + 1], times[i + 1 : i + 2]
        x0, eps = torch.ones(1, 1), torch.zeros(1, 1)
        seen[i] = float(data_of(process, process.noise(x0, eps, then), now, eps))
    assert seen == pytest.approx({7: 1.22, 15: 1.12, 28: 1.03}, abs=0.006)


def test_published_push_has_length_lr_in_the_mixture() -> None:
    records: list[Guided] = []
    steer = Steering(
        objective=Near(), rule=FreshAdam(rate=0.1), on="mixture", level="reference",
        window=Window(start=0.2, stop=1.0, beyond=True), on_guided=records.append,
    )  # fmt: skip
    sample(lambda z, t: torch.tanh(z), Ddpm(), _draw(2, 4, 3), 30, steer=steer)
    assert [r.step for r in records] == list(range(7, 30))
    assert all(m == pytest.approx(0.1, rel=1e-3) for r in records for m in r.moved)


def test_items_of_a_batch_do_not_touch_each_other() -> None:
    noise = _draw(3, 4, 2)
    steer = Steering(objective=Near(), rule=LineSearch(rate=0.5))

    def run(z: Tensor) -> Tensor:
        return sample(lambda z, t: torch.sin(z), RectifiedFlow(), z, 8, steer=steer)

    torch.testing.assert_close(run(noise)[1:2], run(noise[1:2]))


def test_misuse_is_refused() -> None:
    for named in ({"through": True}, {"level": "reference"}):
        with pytest.raises(ValueError, match='moves the "mixture"'):
            Steering(objective=Near(), on="data", **named)
    steer = Steering(objective=Near(), on="mixture", level="reference", window=Window(start=0.0, stop=1.0))
    with pytest.raises(ValueError, match="begin to guide a step later"):
        sample(lambda z, t: z, RectifiedFlow(), _draw(1, 2, 2), 4, steer=steer)
