"""Onsets: the matching is mir_eval's, the detector finds clicks, AP and chance are what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.metrics import onset

seconds = st.lists(st.integers(0, 3000).map(lambda k: k / 1000), max_size=25, unique=True)


@settings(max_examples=60, deadline=None)
@given(seconds, seconds)
def test_matching_is_mir_evals(found: list[float], true: list[float]) -> None:
    mir_eval = pytest.importorskip("mir_eval")
    pairs = mir_eval.util.match_events(np.sort(true), np.sort(found), 0.0505)
    assert onset.match(found, true, 0.0505) == len(pairs)


def test_tolerance_is_inclusive_and_one_to_one() -> None:
    assert onset.match([0.55], [0.5], 0.05) == 1
    assert onset.match([0.5501], [0.5], 0.05) == 0
    assert onset.match([0.49, 0.51], [0.5], 0.05) == 1
    result = onset.scores([0.49, 0.51, 1.0], [0.5, 1.0], 0.05)
    assert (result.matched, result.precision, result.recall) == (2, 2 / 3, 1.0)
    assert result.f1 == pytest.approx(0.8)


def test_empty_sides() -> None:
    assert onset.scores([], []).f1 == 1.0
    assert onset.scores([0.1], []).f1 == 0.0
    assert onset.scores([], [0.1]).f1 == 0.0


def test_refuses_what_is_not_seconds() -> None:
    with pytest.raises(ValueError, match="milliseconds"):
        onset.scores([44100.0], [1.0])
    with pytest.raises(ValueError, match="start at 0"):
        onset.scores([-0.1], [1.0])
    with pytest.raises(ValueError, match="NaN"):
        onset.scores([float("nan")], [1.0])


def test_average_precision_by_hand() -> None:
    # ranks: true, false, true -> (1/1 + 2/3) / 2; the second detection of one onset is the false one.
    clips = [([0.5, 0.51, 1.0], [0.9, 0.8, 0.7], [0.5, 1.0])]
    assert onset.average_precision(clips) == pytest.approx((1 + 2 / 3) / 2)
    # pooled: another clip's onsets are not claimed, a missed onset costs recall.
    clips.append(([1.0], [0.1], [2.0]))
    assert onset.average_precision(clips) == pytest.approx((1 + 2 / 3) / 3)
    assert onset.average_precision([([], [], [])]) == 1.0
    assert onset.average_precision([([0.1], [1.0], [])]) == 0.0
    with pytest.raises(ValueError, match="2 onsets but 1 confidences"):
        onset.average_precision([([0.1, 0.2], [1.0], [0.1])])


def test_average_precision_ranks_by_confidence() -> None:
    truth = [0.5, 1.5]
    good = onset.average_precision([([0.5, 1.5, 2.5], [3, 2, 1], truth)])
    bad = onset.average_precision([([0.5, 1.5, 2.5], [1, 2, 3], truth)])
    assert good == 1.0
    assert bad == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_chance_matches_its_expectation() -> None:
    # One guess for one onset in the middle: hit with probability 0.1 / 2.
    value = onset.chance(1, [1.0], 2.0, 0.05, rng=np.random.default_rng(0), draws=4000)
    assert value == pytest.approx(0.05, abs=0.015)
    assert onset.chance(0, [1.0], 2.0, rng=np.random.default_rng(0)) == 0.0
    assert onset.chance(0, [], 2.0, rng=np.random.default_rng(0)) == 1.0


def test_pick_takes_maxima_above_their_surroundings() -> None:
    curve = np.zeros(100)
    curve[[20, 22, 60]] = [3.0, 2.0, 1.0]
    at, sure = onset.pick(curve, 0.01, threshold=0.5, apart_s=0.05, mean_s=0.1)
    assert at == pytest.approx([0.2, 0.6])
    assert sure[0] > sure[1]
    assert onset.pick(np.full(50, 7.0), 0.01, threshold=0.1)[0].size == 0


@pytest.mark.parametrize("level", [0.5, 0.02])
def test_detector_finds_decaying_clicks_and_no_others(level: float) -> None:
    rng = np.random.default_rng(3)
    audio = np.zeros((2, 44100 * 2))
    true = [0.25, 0.6, 1.1, 1.62]
    for t in true:
        n = round(t * 44100)
        length = audio.shape[1] - n
        audio[:, n:] += level * rng.standard_normal((2, length)) * np.exp(-np.arange(length) / 2000)
    found, _ = onset.detect(audio)
    assert onset.scores(found, true, 0.02).f1 == 1.0


def test_detector_hears_nothing_in_silence_and_hum() -> None:
    t = np.arange(44100) / 44100
    assert onset.detect(np.zeros((2, 44100)))[0].size == 0
    hum = 0.1 * np.sin(2 * np.pi * 100 * t)
    found, _ = onset.detect(np.stack([hum, hum]))
    assert all(f < 0.05 for f in found)  # its start alone may count
