"""Recall at a rank: hand-made tables, ties, and chance against random orders."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics.retrieval import chance, hits


def test_ranks_of_a_table_by_hand() -> None:
    likeness = [[0.9, 0.1, 0.5], [0.3, 0.2, 0.8], [0.1, 0.7, 0.4]]
    own = np.eye(3)
    assert hits(likeness, own, 1).tolist() == [True, False, False]
    assert hits(likeness, own, 2).tolist() == [True, False, True]
    assert hits(likeness, own, 3).all()
    two = [[0, 1, 1], [1, 1, 0], [0, 0, 1]]  # any of the right keys will do
    assert hits(likeness, two, 1).tolist() == [False, False, False]
    assert hits(likeness, two, 2).tolist() == [True, True, True]


def test_ties_are_no_finds() -> None:
    assert not hits(np.zeros((3, 3)), np.eye(3), 2).any()
    assert hits(np.zeros((3, 3)), np.eye(3), 3).all()
    assert hits([[-0.1, -0.2]], [[1, 0]], 1).all()  # negated volumes are likenesses, too


def test_chance_is_what_random_orders_find() -> None:
    rng = np.random.default_rng(0)
    kinds = np.array([0, 0, 0, 1, 1, 2, 3, 3])
    right = kinds[:, None] == kinds[None]
    for rank in (1, 3):
        drawn = np.mean([hits(rng.random((8, 8)), right, rank).mean() for _ in range(4000)])
        assert chance(right, rank) == pytest.approx(drawn, abs=0.01)
    assert chance(np.eye(50), 10) == pytest.approx(0.2)
    assert chance(np.eye(4), 9) == 1


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"must both be \[queries, keys\]"):
        hits(np.zeros((2, 3)), np.eye(2), 1)
    with pytest.raises(ValueError, match="likeness holds NaN"):
        hits([[np.nan]], [[1]], 1)
    with pytest.raises(ValueError, match="query 1 has no right key"):
        hits(np.zeros((2, 2)), [[1, 0], [0, 0]], 1)
    with pytest.raises(ValueError, match="rank is 0"):
        hits([[1.0]], [[1]], 0)
    with pytest.raises(ValueError, match="rank is 0"):
        chance([[1]], 0)
