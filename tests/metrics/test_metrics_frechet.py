"""The Fréchet distance: exact where a closed form exists, whole where the usual route breaks, honest about noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

from weft.metrics import frechet


def spread(rng: np.random.Generator, n: int, d: int, scale: float = 1.0) -> np.ndarray:
    """Rows with a spectrum that falls as 1 / k, as embeddings have."""
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
    return scale * (rng.standard_normal((n, d)) / np.sqrt(np.arange(1, d + 1))) @ turn


def by_square_root(x: np.ndarray, y: np.ndarray) -> float:
    """The textbook route."""
    c, s = np.cov(x.T), np.cov(y.T)
    root = linalg.sqrtm(c @ s)
    apart = x.mean(0) - y.mean(0)
    return float(apart @ apart + np.trace(c) + np.trace(s) - 2 * np.trace(root).real)


@pytest.mark.parametrize(("n", "d"), [(400, 16), (64, 64), (40, 128), (5, 300)])
def test_a_scaled_and_shifted_copy_is_as_far_as_the_closed_form_says(n: int, d: int) -> None:
    """Y = aX + b: d² = |μ - (aμ + b)|² + (1 - a)² Tr C, whatever the rank."""
    rng = np.random.default_rng(0)
    x = spread(rng, n, d)
    b = rng.standard_normal(d)
    y = 0.8 * x + b
    wanted = np.square(x.mean(0) - y.mean(0)).sum() + 0.04 * np.trace(np.cov(x.T))
    assert frechet.distance(x, y) == pytest.approx(wanted, rel=1e-9)


def test_both_routes_and_the_textbook_agree_where_covariances_are_full() -> None:
    rng = np.random.default_rng(1)
    x, y = spread(rng, 400, 24), spread(rng, 300, 24) + 0.3
    d = frechet.distance(x, y)
    assert d == pytest.approx(by_square_root(x, y), rel=1e-9)
    moments = frechet.distance_of_moments(x.mean(0), np.cov(x.T), y.mean(0), np.cov(y.T))
    assert moments == pytest.approx(d, rel=1e-9)


def test_few_rows_at_a_large_scale_neither_fail_nor_turn_negative() -> None:
    """Where a square root of the product has imaginary parts, or goes below zero by hundreds."""
    rng = np.random.default_rng(2)
    x, y = spread(rng, 60, 256, 1000.0), spread(rng, 50, 256, 1000.0)
    total = np.trace(np.cov(x.T))
    assert abs(frechet.distance(x, x)) < 1e-9 * total
    assert 0 < frechet.distance(x, y) < 2 * total + np.square(x.mean(0) - y.mean(0)).sum() + total
    turned = x @ np.linalg.qr(rng.standard_normal((256, 256)))[0]
    lowest = min(frechet.distance(x, x + shift) for shift in (0.0, 1e-9, -1e-9))
    assert lowest > -1e-9 * total
    assert frechet.distance(x, turned) > 0


def test_half_precision_embeddings_are_added_up_in_double() -> None:
    rng = np.random.default_rng(3)
    x, y = (spread(rng, 200, 64).astype(np.float16) for _ in range(2))
    assert frechet.distance(x, y) == frechet.distance(x.astype(np.float64), y.astype(np.float64))


def test_the_floor_says_how_much_of_a_small_sets_distance_is_noise() -> None:
    rng = np.random.default_rng(4)
    pool = spread(rng, 4000, 64)
    few = frechet.evaluate(pool[:60], pool[60:120])
    many = frechet.evaluate(pool[:2000], pool[2000:])
    assert few.value > 5 * many.value  # the same two distributions
    assert 0.35 < many.value / many.floor < 0.65  # the bias falls as 1 / n: twice the rows, half the noise
    assert (few.n, few.of, few.rows) == (60, "rows", (60, 60))
    assert few.rank == 59
    assert frechet.evaluate(pool[:60], pool[60:120]) == few
    assert np.isnan(frechet.evaluate(pool[:3], pool[3:9]).floor)


def test_extrapolating_draws_without_replacement_and_finds_the_distance_of_endless_sets() -> None:
    """With replacement the line's intercept is the biased distance of the whole set again."""
    rng = np.random.default_rng(5)
    d, n, true = 64, 1500, 0.5
    x, y = rng.standard_normal((60_000, d)), rng.standard_normal((n, d)) + np.sqrt(true / d)
    biased = frechet.distance(x, y)
    found = frechet.unbiased(x, y)
    assert biased > true + 0.3
    assert abs(found.value - true) < 0.1 < 0.3 * (biased - true)
    assert found.r2 > 0.95
    assert found.slope > 0
    with pytest.raises(ValueError, match="at least 192"):
        frechet.unbiased(x, y[:191])
    with pytest.raises(ValueError, match="at least 12"):
        frechet.unbiased(x[:, :1], y[:5, :1])


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 12), st.integers(2, 12), st.integers(1, 8), st.integers(0, 2**31))
def test_symmetric_blind_to_order_and_to_turning(n: int, m: int, d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, d)), rng.standard_normal((m, d)) + 1
    here = frechet.distance(x, y)
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
    assert here == pytest.approx(frechet.distance(y, x), rel=1e-8, abs=1e-9)
    assert here == pytest.approx(frechet.distance(rng.permutation(x), y), rel=1e-8, abs=1e-9)
    assert here == pytest.approx(frechet.distance(x @ turn, y @ turn), rel=1e-8, abs=1e-9)
    assert here > -1e-9


def test_what_cannot_be_compared_is_refused() -> None:
    x = np.zeros((4, 3))
    with pytest.raises(ValueError, match="one embedder"):
        frechet.distance(x, np.zeros((4, 2)))
    with pytest.raises(ValueError, match="at least two"):
        frechet.distance(x[:1], x)
    with pytest.raises(ValueError, match="NaN or infinity in 1 of 4 rows"):
        frechet.distance(np.where(np.eye(4, 3) * [1, 0, 0] > 0, np.nan, x), x)
    with pytest.raises(ValueError, match=r"\[rows, dimensions\]"):
        frechet.distance(x[0], x)
    with pytest.raises(ValueError, match="the embeddings themselves"):
        frechet.distance_of_moments(x[0], np.triu(np.ones((3, 3))), x[0], np.eye(3))
