"""More rows than dimensions: the quick route where it is exact, the careful one where squaring would lose what is
small."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics import frechet


def falling(n: int, d: int, power: float, seed: int = 0) -> np.ndarray:
    """Rows whose standard deviations fall as 1 / k^power, turned."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
    return (rng.standard_normal((n, d)) / np.arange(1, d + 1) ** power) @ turn


def never(*_: object, **__: object) -> None:
    raise AssertionError("the careful route")


@pytest.mark.parametrize("power", [0.5, 1, 2, 4, 8])
def test_every_spectrum_has_the_closed_forms_distance(power: float) -> None:
    x = falling(300, 100, power)
    y = 0.8 * x + 0.01
    wanted = np.square(x.mean(0) - y.mean(0)).sum() + 0.04 * np.trace(np.cov(x.T))
    assert frechet.distance(x, y) == pytest.approx(wanted, rel=1e-9)
    assert abs(frechet.distance(x, x)) < 1e-11 * np.trace(np.cov(x.T))


def test_a_dimension_that_never_moves_and_one_that_repeats_another() -> None:
    x = falling(300, 100, 0.5)
    x[:, 7] = 3.0
    x[:, 8] = x[:, 9]
    y = 0.5 * x
    wanted = np.square(x.mean(0) - y.mean(0)).sum() + 0.25 * np.trace(np.cov(x.T))
    assert frechet.distance(x, y) == pytest.approx(wanted, rel=1e-9)


def test_units_that_never_fire_do_not_cost_the_quick_route(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some dead in both sets, some in one: behind a ReLU that is the rule."""
    x, y = falling(300, 120, 0.5, 3), falling(280, 120, 0.5, 4) + 0.1
    x[:, [3, 50, 51, 90]] = 0.0
    y[:, [3, 50, 70]] = 0.1  # whose mean is not 0.1 to the last bit
    quick = frechet.distance(x, y)
    monkeypatch.setattr(frechet, "SMALL", 10**9)
    assert quick == pytest.approx(frechet.distance(x, y), rel=1e-11)
    wanted = np.square(0.2 * x.mean(0)).sum() + 0.04 * np.trace(np.cov(x.T))
    monkeypatch.setattr(frechet, "SMALL", 64)
    monkeypatch.setattr(np.linalg, "qr", never)
    monkeypatch.setattr(np.linalg, "svd", never)
    assert frechet.distance(x, 0.8 * x) == pytest.approx(wanted, rel=1e-9)
    wanted_y = np.square(0.2 * y.mean(0)).sum() + 0.04 * np.trace(np.cov(y.T))
    assert frechet.distance(y, 0.8 * y) == pytest.approx(wanted_y, rel=1e-9)


def test_both_routes_agree_where_both_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = falling(400, 100, 0.5, 1), falling(300, 100, 0.5, 2) + 0.1
    quick = frechet.distance(x, y)
    monkeypatch.setattr(frechet, "SMALL", 10**9)
    assert quick == pytest.approx(frechet.distance(x, y), rel=1e-11)


def test_the_quick_route_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = falling(400, 100, 0.5, 1), falling(300, 100, 0.5, 2)
    monkeypatch.setattr(np.linalg, "qr", never)
    monkeypatch.setattr(np.linalg, "svd", never)
    assert frechet.distance(x, y) > 0


def test_fewer_rows_than_twice_the_dimensions_is_called_bias() -> None:
    x = falling(60, 32, 0.5)
    assert frechet.evaluate(x, x[:40]).mostly_bias
    assert not frechet.evaluate(np.concatenate([x, -x]), np.concatenate([x, -x])).mostly_bias
