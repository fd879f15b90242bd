"""Intervals that are as wide as they claim, and scores that say when they rest on little."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from weft.evaluation.comparisons import Measured
from weft.evaluation.scoring import score
from weft.evaluation.table import Metric, Row


def mean(digests: Sequence[float]) -> float:
    return float(np.mean(digests))


def one(made: Measured, true: Measured) -> float:
    return float(made["x"]["x"])


def clips(values: np.ndarray) -> dict[str, list[Measured]]:
    zero = [{"x": {"x": np.array(0.0)}}] * len(values)
    return {"made": [{"x": {"x": v}} for v in values], "true": zero, "silence": zero}


def metric(**more: object) -> Row:
    fields = {"name": "m", "title": "", "unit": "", "better": "higher", "made": ("x",), "true": ()}
    return Row(metric=Metric(**{**fields, **more}))  # type: ignore[arg-type]


def test_half_sampling_gives_the_standard_error_of_a_mean() -> None:
    values = np.random.default_rng(0).standard_normal(400)
    given = clips(values)
    (found,) = score([metric(clip=one, pool=mean)], 400, lambda i, side: given[side][i], [None] * 400).scores
    error = values.std(ddof=1) / np.sqrt(400)
    assert found.value == pytest.approx(values.mean())
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(error, rel=0.3)


def test_a_number_outside_its_range_is_clamped_and_told() -> None:
    given = clips(np.full(6, -1e-9))
    row = metric(clip=one, pool=mean, least=0.0)
    (found,) = score([row], 6, lambda i, side: given[side][i], [None] * 6).scores
    assert found.value == 0 and found.raw == pytest.approx(-1e-9) and found.low == 0


def test_infinity_is_undefined_and_a_comparison_that_refuses_fails_its_clip() -> None:
    given = clips(np.array([1.0, np.inf, 3.0]))

    def picky(made: Measured, true: Measured) -> float:
        if made["x"]["x"] == 3:
            raise ValueError("3 is not for me")
        return one(made, true)

    board = score([metric(clip=picky)], 3, lambda i, side: given[side][i], [1, 2, 0])
    assert board.failures == [[], [], ["m: 3 is not for me"]]
    assert board.scores[0].value == 1 and board.scores[0].n == 1
    assert "undefined for 1 of 2 clips" in board.scores[0].flags[0]


def test_clips_without_the_feature_are_not_counted() -> None:
    given = clips(np.arange(4.0))
    given["made"][2] = {}
    (found,) = score([metric(clip=one)], 4, lambda i, side: given[side][i], [None] * 4).scores
    assert found.n == 3 and found.value == pytest.approx(4 / 3)
    assert not score([metric(clip=one, true=("y",))], 4, lambda i, side: given[side][i], [None] * 4).scores


def test_what_stands_beside_a_value_is_of_the_same_clips() -> None:
    """A clip without a value may not weigh in the baseline alone: its loud reference would pass for the set's."""
    given = clips(np.array([1.0, np.nan, 3.0]))
    given["true"] = [{"x": {"x": np.array(v)}} for v in (1.0, 100.0, 3.0)]
    row = metric(clip=one, baselines=("reference",), chance=lambda made, true: {"random": one(true, true)})
    row = metric(**{**vars(row.metric), "true": ("x",)})
    (found,) = score([row], 3, lambda i, side: given[side][i], [None] * 3).scores
    assert found.value == 2.0 and found.n == 2
    assert found.baselines == {"reference": 2.0, "random": 2.0}


def test_a_baseline_that_a_clip_lacks_is_left_out_of_a_pooled_row() -> None:
    given = clips(np.arange(1.0, 6.0))
    row = metric(clip=one, pool=mean, baselines=("shuffled", "reference"))
    (found,) = score([row], 5, lambda i, side: given[side][i], [1, 2, 3, 4, None]).scores
    assert set(found.baselines) == {"reference"}


def test_chance_that_says_nothing_of_some_clips_is_of_the_others() -> None:
    """Without places in a clip there is no chance to tell of: its number may not slip onto another clip."""
    given = clips(np.array([1.0, 2.0, np.nan, 4.0]))
    chances = iter(({}, {"random": 20.0}, {"random": 30.0}, {}))
    row = metric(clip=one, chance=lambda made, true: next(chances))
    (found,) = score([row], 4, lambda i, side: given[side][i], [None] * 4).scores
    assert found.n == 3
    assert found.baselines["random"] == 20.0
