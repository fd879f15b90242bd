"""KL and inception score: exact, from logits, with the published variant under its own name."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weft.metrics import divergence


def test_kl_is_that_of_torch() -> None:
    rng = np.random.default_rng(0)
    p, q = rng.standard_normal((7, 11)) * 4, rng.standard_normal((7, 11)) * 4
    a, b = (torch.distributions.Categorical(logits=torch.from_numpy(x)) for x in (p, q))
    np.testing.assert_allclose(divergence.kl(p, q), torch.distributions.kl_divergence(a, b), rtol=1e-9)
    np.testing.assert_allclose(divergence.kl(p, p + 5.0), 0, atol=1e-12)  # logits say nothing by their sum


def test_the_published_floor_is_another_number_for_sure_mistakes() -> None:
    """Sure of one class against sure of another: 40 nats exactly, under 14 with 1e-6 inside the logarithm."""
    p, q = np.zeros((1, 10)), np.zeros((1, 10))
    p[0, 0], q[0, 1] = 40.0, 40.0
    exact, published = divergence.kl(p, q)[0], divergence.kl(p, q, compat=True)[0]
    assert exact == pytest.approx(40.0, rel=1e-6)
    assert published == pytest.approx(np.log(1 / 1e-6), abs=1e-9)
    np.testing.assert_allclose(divergence.kl(p, p, compat=True), -np.log(1 + 1e-6), rtol=1e-6)
    mild = np.random.default_rng(1).standard_normal((2, 50, 10))
    np.testing.assert_allclose(
        divergence.kl(*mild), divergence.kl(*mild, compat=True), atol=1e-4
    )  # alike where nobody is sure


def test_inception_score_between_one_class_and_all_of_them() -> None:
    every = 50.0 * np.eye(8).repeat(5, 0)
    assert divergence.inception_score(every).value == pytest.approx(8.0, rel=1e-6)
    assert divergence.inception_score(every[:5]).value == pytest.approx(1.0, rel=1e-6)
    assert divergence.inception_score(np.tile([[0.0, 1.0, 3.0]], (9, 1))).value == pytest.approx(1.0)


def test_splitting_a_small_set_lowers_its_score() -> None:
    rows = 3 * np.random.default_rng(2).standard_normal((60, 100))
    whole, parts = (divergence.inception_score(rows, splits=k) for k in (1, 10))
    assert parts.value < 0.6 * whole.value
    assert (parts.n, parts.splits) == (60, 10)
    assert whole.spread == 0


def test_splits_are_cut_as_published_and_a_class_nobody_names_is_no_fault() -> None:
    rows = 3 * np.random.default_rng(4).standard_normal((23, 7))
    rows[:, 6] = -800.0
    order = np.random.RandomState(2020).permutation(23)
    cuts = [order[i * 23 // 4 : (i + 1) * 23 // 4] for i in range(4)]
    by_hand = [divergence.inception_score(rows[c], seed=0).value for c in cuts]
    found = divergence.inception_score(rows, splits=4)
    assert found.value == pytest.approx(np.mean(by_hand), rel=1e-12)
    assert found.spread == pytest.approx(np.std(by_hand), rel=1e-9)


def test_refusals() -> None:
    rows = np.random.default_rng(3).standard_normal((4, 5))
    with pytest.raises(ValueError, match="probabilities instead of logits"):
        divergence.kl(1 / (1 + np.exp(-rows)), rows)
    with pytest.raises(ValueError, match="pair the clips"):
        divergence.kl(rows, rows[:3])
    with pytest.raises(ValueError, match="NaN"):
        divergence.inception_score(np.where(rows > 0, np.nan, rows))
    with pytest.raises(ValueError, match="cannot be cut into 5"):
        divergence.inception_score(rows, splits=5)
