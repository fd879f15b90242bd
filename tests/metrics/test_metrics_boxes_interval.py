"""Boxes and bootstrap intervals."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics import boxes, interval


def test_iou_by_hand() -> None:
    a = [0.0, 0.0, 0.5, 0.5]
    assert boxes.iou(a, a) == 1.0
    assert boxes.iou(a, [0.25, 0.0, 0.75, 0.5]) == pytest.approx(1 / 3)
    assert boxes.iou(a, [0.5, 0.5, 1.0, 1.0]) == 0.0
    assert boxes.iou([0.2, 0.2, 0.2, 0.2], [0.2, 0.2, 0.2, 0.2]) == 0.0
    assert boxes.mean_iou([a, a], [a, [0.5, 0.5, 1.0, 1.0]]) == 0.5
    assert boxes.iou(np.array([a, a, a]), a).shape == (3,)


def test_boxes_guess_the_mistake() -> None:
    with pytest.raises(ValueError, match="width, height"):
        boxes.iou([0.5, 0.5, 0.2, 0.2], [0, 0, 1, 1])
    with pytest.raises(ValueError, match="pixels"):
        boxes.iou([10, 10, 200, 200], [0, 0, 1, 1])


def test_interval_covers_the_mean_about_95_of_100_times() -> None:
    rng = np.random.default_rng(0)
    inside = 0
    for k in range(200):
        found = interval.bootstrap(rng.normal(1.0, 2.0, 60), seed=k, draws=400)
        inside += found.low <= 1.0 <= found.high
    assert 0.88 <= inside / 200 <= 0.99


def test_interval_leaves_undefined_clips_out_and_repeats() -> None:
    values = np.array([1.0, 2.0, np.nan, 3.0])
    first = interval.bootstrap(values)
    assert first.n == 3 and first.value == 2.0
    assert first == interval.bootstrap(values)
    assert interval.bootstrap(values, lambda v: float(np.median(v))).value == 2.0
    assert set(first.to_json()) == {"value", "low", "high", "n"}
    with pytest.raises(ValueError, match="no values"):
        interval.bootstrap([np.nan])
