"""Align-Acc is a share, and says nothing without the same classifier's word on true and on shuffled pairs."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics.align_accuracy import evaluate


def test_shares_and_where_the_value_lies() -> None:
    found = evaluate([0.9, 0.8, 0.2, 0.6], [0.9, 0.9, 0.9, 0.9], [0.1, 0.6, 0.1, 0.1])
    assert (found.value, found.truth, found.shuffled, found.n) == (0.75, 1.0, 0.25, 4)
    assert found.placed == pytest.approx((0.75 - 0.25) / (1.0 - 0.25))


def test_one_half_is_not_aligned_as_the_original_rounds_it() -> None:
    assert evaluate([0.5], [1.0], [0.0]).value == 0
    assert evaluate([0.5000001], [1.0], [0.0]).value == 1


def test_a_classifier_that_calls_all_aligned_is_shown_up() -> None:
    """The bare number would be perfect."""
    every = np.full(20, 0.99)
    found = evaluate(every, every, every)
    assert found.value == 1.0
    assert found.shuffled == 1.0
    assert np.isnan(found.placed)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="logits instead of probabilities"):
        evaluate([3.0], [0.5], [0.5])
    with pytest.raises(ValueError, match="give one each"):
        evaluate([0.5, 0.5], [0.5], [0.5, 0.5])
    with pytest.raises(ValueError, match="give one each"):
        evaluate([], [], [])
    with pytest.raises(ValueError, match="NaN"):
        evaluate([np.nan], [0.5], [0.5])
