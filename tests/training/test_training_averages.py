"""Post-hoc averages: the profile that is tracked, its closed forms, and widths made afterwards."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from weft.errors import UserError
from weft.training.averages import Averages, combination, exponent, inner, kept, synthesised, width_of


@given(st.floats(0.005, 0.28))
@settings(max_examples=60, deadline=None)
def test_exponent_and_width_undo_each_other(width):
    assert width_of(exponent(width)) == pytest.approx(width, rel=1e-6)


def test_exponents_of_the_paper():
    """Karras et al. 2024, table of section 3.1: sigma_rel 0.05 and 0.10 are gamma 16.97 and 6.94."""
    assert exponent(0.05) == pytest.approx(16.97, abs=0.01)
    assert exponent(0.10) == pytest.approx(6.94, abs=0.01)


@pytest.mark.parametrize("width", [0.0, -0.1, 0.29, float("nan")])
def test_impossible_widths_are_refused(width):
    with pytest.raises(ValueError, match="must lie between 0 and"):
        exponent(width)


def test_width_is_the_deviation_of_the_profile():
    gamma = exponent(0.05)
    t = (np.arange(200_000) + 0.5) / 200_000
    weight = (gamma + 1) * t**gamma / len(t)
    mean = (weight * t).sum()
    assert np.sqrt((weight * (t - mean) ** 2).sum()) == pytest.approx(0.05, rel=1e-4)


@pytest.mark.parametrize("every", [1, 5])
def test_tracked_average_is_the_closed_form(every):
    """The weight of step k after n steps is (k^(g+1) - (k - every)^(g+1)) / n^(g+1)."""
    gamma, steps = exponent(0.1), 60
    module = nn.Linear(3, 2, bias=False)
    averages = Averages.of(module, (0.1,), every)
    generator = torch.Generator().manual_seed(0)
    trail = []
    for step in range(1, steps + 1):
        module.weight.data.copy_(torch.randn(2, 3, generator=generator))
        trail.append(module.weight.detach().clone().double())
        averages.update(module, step)
    seen = range(every, steps + 1, every)
    weights = [(k ** (gamma + 1) - (k - every) ** (gamma + 1)) / steps ** (gamma + 1) for k in seen]
    wanted = sum(w * trail[k - 1] for w, k in zip(weights, seen, strict=True))
    assert sum(weights) == pytest.approx(1.0)
    assert torch.allclose(averages.tensors[0]["weight"].double(), wanted, atol=1e-5)
    assert kept(every, gamma, every) == 0.0


def test_inner_products_are_the_integrals():
    steps, gammas = np.array([40.0, 100.0]), np.array([6.94, 16.97])
    t = (np.arange(400_000) + 0.5) / 4000

    def profile(step, gamma):
        return np.where(t < step, (gamma + 1) * t**gamma / step ** (gamma + 1), 0.0)

    found = inner(steps, gammas, steps, gammas)
    for i in range(2):
        for j in range(2):
            whole = (profile(steps[i], gammas[i]) * profile(steps[j], gammas[j])).sum() / 4000
            assert found[i, j] == pytest.approx(whole, rel=1e-3)


def test_a_snapshot_is_made_of_itself():
    steps, gammas = [50, 50, 100, 100], [exponent(0.05), exponent(0.1)] * 2
    assert combination(steps, gammas, 100, exponent(0.05)) == pytest.approx([0, 0, 1, 0], abs=1e-6)


def written(folder, widths, steps, every):
    """A trajectory that curves and shakes, its snapshots, and the trail of every width tracked directly."""
    module = nn.Linear(4, 1, bias=False)
    tracked = Averages.of(module, widths)
    direct = {w: Averages.of(module, (w,)) for w in (0.03, 0.07, 0.15)}
    noise = torch.Generator().manual_seed(1)
    goal = torch.tensor([[1.0, -2.0, 0.5, 3.0]])
    for step in range(1, steps + 1):
        shaken = goal * (1 - np.exp(-step / 150)) + 0.1 * torch.randn(1, 4, generator=noise)
        module.weight.data.copy_(shaken)
        for one in (tracked, *direct.values()):
            one.update(module, step)
        if step % every == 0:
            tracked.write(folder, step, torch.float32)
    return {w: one.tensors[0]["weight"] for w, one in direct.items()}


def test_other_widths_are_made_afterwards(tmp_path):
    direct = written(tmp_path, (0.05, 0.1), 800, 25)
    for width, wanted in direct.items():
        found = synthesised(tmp_path, width)["weight"]
        spread = max((a - b).abs().max() for a in direct.values() for b in direct.values())
        assert (found - wanted).abs().max() < 0.05 * spread, width


def test_an_earlier_step_is_made_too(tmp_path):
    written(tmp_path / "long", (0.05, 0.1), 400, 25)
    direct = written(tmp_path / "short", (0.05, 0.1), 300, 25)
    found = synthesised(tmp_path / "long", 0.07, 300)["weight"]
    assert torch.allclose(found, direct[0.07], atol=0.02)


def test_counters_are_the_last_and_half_precision_does(tmp_path):
    module = nn.BatchNorm1d(2)
    averages = Averages.of(module, (0.05, 0.1))
    module.weight.data.fill_(1.5)
    for step in (1, 2):
        module.num_batches_tracked.fill_(6 + step)
        averages.update(module, step)
        averages.write(tmp_path, step)
    found = synthesised(tmp_path, 0.05)
    assert int(found["num_batches_tracked"]) == 8
    assert torch.allclose(found["weight"], torch.full((2,), 1.5), atol=1e-3)
    assert len(list(tmp_path.iterdir())) == 4


def test_missing_snapshots_are_named(tmp_path):
    with pytest.raises(UserError, match="no average-"):
        synthesised(tmp_path, 0.05)
    written(tmp_path, (0.05, 0.1), 20, 10)
    with pytest.raises(UserError, match="no average at step 30 from snapshots up to 20"):
        synthesised(tmp_path, 0.05, 30)
    with pytest.raises(ValueError, match="every 0 steps"):
        Averages.of(nn.Linear(1, 1), (0.05,), 0)
