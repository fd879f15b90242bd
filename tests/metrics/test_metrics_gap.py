"""The gap is between the centres, and not about which clip is which."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics.gap import modality_gap


def test_gap_of_centres() -> None:
    east, north = np.array([[1.0, 0], [2, 0]]), np.array([[0.0, 3], [0, 1]])
    assert modality_gap(east, -east) == pytest.approx(2)
    assert modality_gap(east, north) == pytest.approx(2**0.5)
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((40, 8))
    assert modality_gap(rows, rng.permutation(rows)) == pytest.approx(0, abs=1e-12)
    assert modality_gap(rows[:30], rows[:20] + 5) > 0.5


def test_refusals() -> None:
    with pytest.raises(ValueError, match="3 and 4 long: use one space"):
        modality_gap(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(ValueError, match="embeddings of the other hold NaN"):
        modality_gap(np.ones((2, 3)), np.full((2, 3), np.nan))
