"""Spatial AV-Align on cases one can count by hand, and how much of it chance gives away."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics.spatial_align import Clip, evaluate, saliency_divergence

SEEN = np.arange(20) / 4


def walker(x: float, width: float) -> Clip:
    """Somebody who stands at `x` and is heard there for five seconds."""
    box = [[max(0, x - width / 2), min(1, x + width / 2)]]
    return Clip(heard_t=np.arange(50) / 10, heard_x=np.full(50, x), seen_t=SEEN, boxes=[box] * 20)


def test_the_edge_of_the_band_and_one_picture_either_side() -> None:
    box = np.array([[100, 120]]) / 256
    none = np.zeros((0, 2))

    def score(x: float, t: float, at: int) -> float:
        boxes = [box if k == at else none for k in range(20)]
        return evaluate([Clip(heard_t=[t], heard_x=[x / 256], seen_t=SEEN, boxes=boxes)]).value

    assert score(60, 2.5, 10) == 1
    assert score(59.9, 2.5, 10) == 0
    assert score(160, 2.5, 10) == 1
    assert score(160.1, 2.5, 10) == 0
    assert [score(110, 2.5, k) for k in (8, 9, 10, 11, 12)] == [0, 1, 1, 1, 0]


def test_chance_is_high_and_printed() -> None:
    """One person of 60 pixels anywhere: sound from the middle is called right in seven clips of ten."""
    rng = np.random.default_rng(0)
    clips = [walker(x, 60 / 256) for x in rng.uniform(30 / 256, 1 - 30 / 256, 300)]
    found = evaluate(clips)
    assert found.value == 1
    assert found.heard == 300 * 50
    assert found.mono == pytest.approx(0.71, abs=0.06)
    assert found.random == pytest.approx(0.50, abs=0.06)
    assert 0.2 < found.swapped < found.mono  # those near the middle
    assert evaluate(clips) == found


def test_nothing_heard_is_no_score_and_nothing_seen_is_wrong() -> None:
    silent = Clip(heard_t=[], heard_x=[], seen_t=SEEN, boxes=[[]] * 20)
    assert np.isnan(evaluate([silent]).value)
    assert np.isnan(evaluate([]).value)
    assert evaluate([Clip(heard_t=[1.0], heard_x=[0.5], seen_t=[], boxes=[])]).value == 0
    assert evaluate([silent, walker(0.5, 0.1)]).value == 1


def test_refusals() -> None:
    with pytest.raises(ValueError, match="pixels instead of fractions"):
        evaluate([Clip(heard_t=[1.0], heard_x=[120.0], seen_t=SEEN, boxes=[[]] * 20)])
    with pytest.raises(ValueError, match="do not pair"):
        evaluate([Clip(heard_t=[1.0, 2.0], heard_x=[0.5], seen_t=SEEN, boxes=[[]] * 20)])
    with pytest.raises(ValueError, match="left and right edges only"):
        evaluate([Clip(heard_t=[1.0], heard_x=[0.5], seen_t=[1.0], boxes=[[[0.1, 0.1, 0.4, 0.9]]])])
    with pytest.raises(ValueError, match="NaN"):
        evaluate([Clip(heard_t=[np.nan], heard_x=[0.5], seen_t=SEEN, boxes=[[]] * 20)])
    with pytest.raises(ValueError, match="in order"):
        evaluate([Clip(heard_t=[1.0], heard_x=[0.5], seen_t=SEEN[::-1], boxes=[[]] * 20)])


def test_saliency_divergence() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.random((2, 3, 4, 5))
    assert saliency_divergence(a, a) == pytest.approx(0, abs=1e-12)
    assert saliency_divergence(7 * a, a) == pytest.approx(0, abs=1e-6)
    p, q = (m / m.sum((1, 2), keepdims=True) for m in (a, b))
    assert saliency_divergence(a, b) == pytest.approx((p * np.log(p / q)).sum() / 3, rel=1e-4)
    spot, other = np.zeros((1, 8, 8)), np.zeros((1, 8, 8))
    spot[0, 1, 1], other[0, 6, 6] = 1, 1
    assert saliency_divergence(spot, other) == pytest.approx(np.log(1e7), rel=0.01)  # finite, by the floor
    assert np.isfinite(saliency_divergence(np.zeros((1, 8, 8)), other))
    with pytest.raises(ValueError, match="resize one"):
        saliency_divergence(a, b[:, :3])
