"""AV-Align counted by hand, beside chance."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics.av_align import evaluate


def test_counted_by_hand() -> None:
    found = evaluate([0.50, 1.00, 2.00], [0.52, 1.04, 1.05, 3.00], fps=25, duration_s=4)
    assert (found.heard, found.seen, found.both) == (3, 4, 2)
    assert found.value == pytest.approx(2 / 5)
    assert evaluate([1.0], [1.0401], fps=25, duration_s=4).value == 0
    assert evaluate([1.0], [1.04], fps=25, duration_s=4).value == 1  # one picture, whatever the floats say


def test_one_burst_of_motion_answers_for_one_onset_only() -> None:
    shots, blow = 1 + np.arange(5) * 0.01, [1.02]
    assert evaluate(shots, blow, fps=25, duration_s=4).value == pytest.approx(1 / 5)


def test_a_lower_frame_rate_forgives_more_and_chance_says_so() -> None:
    rng = np.random.default_rng(0)
    heard, seen = rng.uniform(0, 10, 20), rng.uniform(0, 10, 20)
    low, high = (evaluate(heard, seen, fps=f, duration_s=10) for f in (4, 30))
    assert low.chance > 2 * high.chance
    assert low == evaluate(heard, seen, fps=4, duration_s=10)


def test_nothing_and_refusals() -> None:
    assert np.isnan(evaluate([], [], fps=25, duration_s=4).value)
    assert evaluate([1.0], [], fps=25, duration_s=4).value == 0
    assert evaluate([], [1.0], fps=25, duration_s=4).value == 0
    with pytest.raises(ValueError, match="above 0"):
        evaluate([1.0], [1.0], fps=0, duration_s=4)
    with pytest.raises(ValueError, match="start at 0"):
        evaluate([-1.0], [1.0], fps=25, duration_s=4)
