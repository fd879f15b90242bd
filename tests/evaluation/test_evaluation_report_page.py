"""The page says of a score what the terminal says: its parts, and each reason once for all that it costs."""

from __future__ import annotations

import math
from dataclasses import replace

from weft.evaluation.protocols import Protocol
from weft.evaluation.reading import Window
from weft.evaluation.report_page import page, sized
from weft.evaluation.result import Evaluation, LeftOut, Score

PLAN = Protocol(
    name="plain",
    version=1,
    summary="for tests",
    window=Window(),
    metrics=("isc",),
    headline="isc",
    scatter=("isc", "isc"),
)


def evaluation(*left_out: LeftOut) -> Evaluation:
    score = Score(
        name="isc/weft",
        title="inception score",
        unit="",
        better="higher",
        value=2.5,
        n=4,
        low=math.nan,
        high=math.nan,
        interval="",
        floor=0.125,
        baselines={"reference": 2.75},
        parts={"splits": 10.0, "spread": 0.375},
    )
    return Evaluation(
        protocol=PLAN,
        scores=(score,),
        left_out=left_out,
        clips=(),
        only_reference=(),
        only_predicted=(),
        rates={},
        work={},
        seconds={},
        worker_seconds={},
        versions={},
    )


def test_the_parts_of_a_score_stand_beside_its_baselines_and_floor() -> None:
    assert "reference 2.75; floor 0.125; splits 10; spread 0.375<" in page(evaluation(), None, [], [])


def test_an_embedders_score_says_of_how_many_rows_by_which_weights_and_rates() -> None:
    by = {"embedder": "weft", "sha256": "ab" * 32, "windows": "0.96 s", "rate": "16000 → 44100 Hz mono"}
    score = replace(evaluation().scores[0], **by, rows=(0, 1), d=17, low=2.0, high=3.0, interval="halves")
    told = page(replace(evaluation(), scores=(score,)), None, [], [])
    assert "1 predicted row of 17 by weft (sha256 abababababab; 16000 → 44100 Hz mono; 0.96 s)" in told
    assert "Intervals: halves." in told and "Intervals" not in page(evaluation(), None, [], [])
    assert sized(replace(score, rows=(3, 4))) == "3 reference and 4 predicted rows of 17"


def test_a_reason_stands_once_for_all_that_was_left_out_for_it() -> None:
    left = (
        LeftOut(name="fad/vggish", why="no file a<b"),
        LeftOut(name="s-kl", why="no maps"),
        LeftOut(name="favd/vggish", why="no file a<b"),
    )
    told = page(evaluation(*left), None, [], [])
    assert "<li><b>fad/vggish, favd/vggish</b>: no file a&lt;b</li><li><b>s-kl</b>: no maps</li>" in told
    assert "Left out" not in page(evaluation(), None, [], [])
