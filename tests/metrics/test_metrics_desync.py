"""DeSync from offset logits: the two ends of a clip, the grid, and clips too short to ask about."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics import desync


def sure(offset_s: float) -> np.ndarray:
    """Logits that are sure of an offset."""
    return -np.abs(desync.GRID_S - offset_s)


def test_the_grid_and_the_shortest_clip() -> None:
    assert pytest.approx(np.linspace(-2, 2, 21)) == desync.GRID_S
    assert pytest.approx(4.8) == desync.SHORTEST_S
    assert pytest.approx(22 / 21) == desync.CHANCE


def test_both_ends_count_and_signs_do_not_cancel() -> None:
    first = np.stack([sure(0.0), sure(-0.4), sure(1.0)])
    last = np.stack([sure(0.2), sure(0.4), sure(1.0)])
    found = desync.evaluate(first, last)
    assert found.value == pytest.approx((0.0 + 0.2 + 0.4 + 0.4 + 1.0 + 1.0) / 6)
    assert found.clips == pytest.approx([0.1, 0.4, 1.0])
    assert found.bias == pytest.approx((0.2 + 0.0 + 2.0) / 6)
    assert found.in_sync == pytest.approx(1 / 6)
    assert found.n == 3


def test_random_answers_score_chance() -> None:
    logits = np.random.default_rng(0).standard_normal((2, 4000, 21))
    assert desync.evaluate(*logits).value == pytest.approx(desync.CHANCE, abs=0.02)


def test_a_short_clip_is_refused_and_not_read_as_it_is() -> None:
    """A slice [:14] of 8 segments is 8 segments: av-benchmark goes on, with two readings of the same stretch."""
    few = np.zeros((8, 768))
    assert len(few[:14]) == len(few[-14:]) == 8
    with pytest.raises(ValueError, match=r"8 segments are under 14: DeSync needs 4.8 s"):
        desync.windows(8)
    with pytest.raises(ValueError, match=r"needs 4.8 s"):
        desync.segments(4.79)
    with pytest.raises(ValueError, match="0 segments"):
        desync.segments(0.3)


@pytest.mark.parametrize(("seconds", "count"), [(4.8, 14), (5.0, 14), (5.12, 15), (8.0, 24), (10.0, 30)])
def test_segments_of_a_clip(seconds: float, count: int) -> None:
    assert desync.segments(seconds) == count
    first, last = desync.windows(count)
    assert len(range(count)[first]) == len(range(count)[last]) == 14
    assert range(count)[last][-1] == count - 1


def test_refusals() -> None:
    with pytest.raises(ValueError, match="must hold 21"):
        desync.offset(np.zeros((3, 20)))
    with pytest.raises(ValueError, match="both ends"):
        desync.evaluate(np.zeros((3, 21)), np.zeros((2, 21)))
    with pytest.raises(ValueError, match="both ends"):
        desync.evaluate(np.zeros((0, 21)), np.zeros((0, 21)))
    with pytest.raises(ValueError, match="NaN"):
        desync.evaluate(np.full((3, 21), np.nan), np.zeros((3, 21)))
