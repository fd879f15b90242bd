"""Cosine scores: means of pairs, beside what pairs of different clips score."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics import meaning


def test_cosines_by_hand() -> None:
    found = meaning.evaluate([[2.0, 0.0], [0.0, 3.0]], [[1.0, 1.0], [0.0, -5.0]])
    assert found.clips == pytest.approx([np.sqrt(0.5), -1.0])
    assert found.value == pytest.approx((np.sqrt(0.5) - 1) / 2)
    assert found.shuffled == pytest.approx((0.0 + np.sqrt(0.5)) / 2)
    assert found.n == 2
    assert found.first == 0.5


def test_below_zero_is_kept_and_length_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 50, 16))
    here = meaning.evaluate(x, -x)
    assert here.value == pytest.approx(-1.0)
    scaled = meaning.evaluate(x * rng.uniform(0.1, 100, (50, 1)), 1000 * y)
    assert scaled.value == pytest.approx(meaning.evaluate(x, y).value)


def test_an_offset_common_to_all_raises_the_score_and_the_shuffled_one() -> None:
    rng = np.random.default_rng(1)
    common = np.full(32, 1.0)
    found = meaning.evaluate(common + rng.standard_normal((80, 32)), common + rng.standard_normal((80, 32)))
    assert found.value > 0.4  # nothing in common but the offset
    assert found.value == pytest.approx(found.shuffled, abs=0.05)
    assert found.first < 0.1


def test_windows_are_averaged_by_direction() -> None:
    loud, soft = np.array([100.0, 0.0]), np.array([0.0, 1.0])
    assert meaning.pooled([np.stack([loud, soft])]) == pytest.approx(np.full((1, 2), np.sqrt(0.5)))
    assert meaning.pooled([loud[None], np.stack([soft, soft, soft])]) == pytest.approx(np.eye(2))


def test_the_order_of_clips_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((2, 9, 5))
    order = rng.permutation(9)
    a, b = meaning.evaluate(x, y), meaning.evaluate(x[order], y[order])
    assert (a.value, a.shuffled, a.first) == pytest.approx((b.value, b.shuffled, b.first))


def test_one_clip_and_refusals() -> None:
    one = meaning.evaluate([[1.0, 0.0]], [[1.0, 0.0]])
    assert one.value == 1.0
    assert np.isnan(one.shuffled)
    with pytest.raises(ValueError, match="row 1 is all zeros"):
        meaning.evaluate([[1.0, 0.0], [0.0, 0.0]], np.ones((2, 2)))
    with pytest.raises(ValueError, match="one space"):
        meaning.evaluate(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(ValueError, match="NaN"):
        meaning.evaluate([[np.nan, 1.0]], [[1.0, 1.0]])
    with pytest.raises(ValueError, match=r"\[clips, dimensions\]"):
        meaning.evaluate([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="at least one clip"):
        meaning.pooled([])
