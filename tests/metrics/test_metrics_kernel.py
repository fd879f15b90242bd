"""The kernel discrepancy: unbiased however few the rows, and no Fréchet distance in disguise."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics import frechet, kernel


@pytest.mark.parametrize("name", ["polynomial", "gaussian"])
def test_it_is_the_double_sum_it_claims_to_be(name: kernel.Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "ROWS", 2)  # a matrix in pieces
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((5, 3)), rng.standard_normal((4, 3)) + 1

    def k(a: np.ndarray, b: np.ndarray) -> float:
        if name == "polynomial":
            return float((a @ b / 3 + 1) ** 3)
        return float(np.exp(-np.square(a - b).sum() / (2 * 1.7**2)))

    within = np.mean([k(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j])
    beside = np.mean([k(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j])
    across = np.mean([k(a, b) for a in x for b in y])
    found = kernel.discrepancy(x, y, kernel=name, sigma=1.7)
    assert found == pytest.approx(within + beside - 2 * across, rel=1e-10)


@pytest.mark.parametrize("name", ["polynomial", "gaussian"])
def test_two_draws_of_one_source_score_zero_on_average_and_another_source_more(name: kernel.Kernel) -> None:
    rng = np.random.default_rng(1)
    same, other, far = [], [], []
    for _ in range(200):
        x, y = rng.standard_normal((20, 32)), rng.standard_normal((20, 32))
        same.append(kernel.discrepancy(x, y, kernel=name))
        other.append(kernel.discrepancy(x, y + 0.6, kernel=name))
        far.append(frechet.distance(x, y))
    error = np.std(same) / np.sqrt(len(same))
    assert abs(np.mean(same)) < 4 * error
    assert np.mean(other) > 20 * error
    assert min(far) > 0  # the Fréchet distance of the same draws never is


def test_refusals() -> None:
    x = np.random.default_rng(2).standard_normal((4, 3))
    with pytest.raises(ValueError, match="one embedder"):
        kernel.discrepancy(x, x[:, :2])
    with pytest.raises(ValueError, match="at least two"):
        kernel.discrepancy(x, x[:1])
    with pytest.raises(ValueError, match="all alike"):
        kernel.discrepancy(np.ones((3, 2)), np.ones((3, 2)), kernel="gaussian")
