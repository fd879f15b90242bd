"""Each dial: a sound that does as asked, one that does not, and one that was never asked."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics import obedience


def test_onsets_asked_and_got() -> None:
    asked = [[0.5, 1.0, 2.0], [0.25, 3.0], [1.5]]
    exact = obedience.onsets(asked, asked)
    assert (exact.score, exact.error, exact.n) == (1.0, 0.0, 3)
    assert exact.ignored < 0.2
    late = obedience.onsets(asked, [[t + 0.03 for t in a] for a in asked])
    assert late.score == 1.0
    assert late.error == pytest.approx(0.03)
    assert obedience.onsets(asked, [[t + 0.08 for t in a] for a in asked]).score == 0
    assert obedience.onsets(asked, [*asked[1:], asked[0]]).ignored == 1.0  # it did as the next one was told
    assert np.isnan(obedience.onsets([[1.0]], [[9.0]]).error)


def test_envelope_asked_and_got() -> None:
    rng = np.random.default_rng(0)
    asked = [rng.random(50) + 0.1 for _ in range(4)]
    half = obedience.envelope(asked, [a / 2 for a in asked])
    assert half.score == pytest.approx(1.0)
    assert half.error == pytest.approx(6.02, abs=0.01)
    assert abs(half.ignored) < 0.4
    assert obedience.envelope(asked, [np.full(50, 0.3) for _ in asked]).score == 0
    assert obedience.envelope([asked[0], asked[1][:30]], [asked[0], asked[1][:30]]).score == pytest.approx(1)
    with pytest.raises(ValueError, match="resample one"):
        obedience.envelope([asked[0]], [asked[0][:-1]])


def test_pan_asked_and_got() -> None:
    asked = np.linspace(-0.9, 0.9, 40)[np.random.default_rng(1).permutation(40)]
    weak = obedience.pan(asked, 0.5 * asked)
    assert weak.score == pytest.approx(1.0)
    assert weak.error == pytest.approx(0.5 * np.abs(asked).mean())
    assert abs(weak.ignored) < 0.5
    assert obedience.pan(asked, -asked).score == pytest.approx(-1.0)
    mono = obedience.pan(asked, np.zeros(40))
    assert (mono.score, mono.ignored) == (0.0, 0.0)
    with pytest.raises(ValueError, match=r"outside -1..1"):
        obedience.pan([45.0], [0.0])


def test_depth_asked_and_loudness_got() -> None:
    depth = np.random.default_rng(2).random(60)
    found = obedience.depth(depth, -20 - 12 * depth**2)
    assert found.score == pytest.approx(1.0)  # any falling curve
    assert abs(found.ignored) < 0.4
    assert obedience.depth(depth, -20 + depth).score == pytest.approx(-1.0)
    assert np.isnan(found.error)
    with pytest.raises(ValueError, match="0 is near, 1 far"):
        obedience.depth([2.0, 0.1], [0.0, 0.0])


def test_words_asked_and_what_a_listener_says() -> None:
    asked = ["wood", "metal", "glass", "wood"]
    assert obedience.words(asked, asked).score == 1.0
    always = obedience.words(asked, ["wood"] * 4)
    assert always.score == 0.5
    assert always.ignored == pytest.approx(0.5)  # the commonest word is no obedience
    assert obedience.words(asked, asked).ignored == pytest.approx(2 / 12)
    assert obedience.words(asked, asked, dial="prompt").dial == "prompt"


def test_a_negative_prompt_moves_its_words_away() -> None:
    found = obedience.negative([0.4, 0.3, 0.5, 0.2], [0.1, 0.2, 0.6, 0.2])
    assert found.score == pytest.approx((1 + 1 + 0 + 0.5) / 4)
    assert found.error == pytest.approx(-0.075)
    rng = np.random.default_rng(3)
    deaf = obedience.negative(*rng.random((2, 2000)))
    assert deaf.score == pytest.approx(deaf.ignored, abs=0.04)


def test_a_take_that_falls_away_from_all_words_obeys_none() -> None:
    before, after = np.full(6, 0.4), np.full(6, 0.1)
    found = obedience.negative(before, after, elsewhere=(np.full(30, 0.3), np.full(30, 0.1)))
    assert (found.score, found.ignored) == (1.0, 1.0)  # noise is like no words: nothing was heeded
    heeded = obedience.negative(before, after, elsewhere=(np.full(30, 0.3), np.full(30, 0.5)))
    assert (heeded.score, heeded.ignored) == (1.0, 0.0)
    assert obedience.negative(before, after, elsewhere=([], [])).ignored == 0.5  # all were told the same


def test_a_take_is_nearer_to_its_own_recording() -> None:
    table = np.array([[0.9, 0.1, 0.9], [0.2, 0.7, 0.2], [0.8, 0.0, 0.8]])
    other = np.array(
        [[0, 1, 0], [1, 0, 1], [0, 1, 0]], bool
    )  # the first and the last were given one recording
    found = obedience.likeness(table, other)
    assert (found.score, found.n) == (pytest.approx(0.8), 3)
    assert found.ignored == pytest.approx((0.1 + 0.2 + 0.2 + 0.0) / 4)
    assert np.isnan(obedience.likeness([[0.5]], [[False]]).ignored)
    with pytest.raises(ValueError, match=r"shape \(1, 2\): give takes by recordings"):
        obedience.likeness([[0.1, 0.2]], [[False, True]])


def test_a_material_is_spared_when_nobody_names_it() -> None:
    unwanted = ["wood", "metal", "glass", "wood"]
    assert obedience.spared(unwanted, ["rock"] * 4).score == 1.0
    told = obedience.spared(unwanted, unwanted)  # every take is of what it was to stay away from
    assert told.score == 0.0
    assert told.ignored == 1.0  # ten pairs of different requests, none named
    always = obedience.spared(unwanted, ["wood"] * 4)
    assert always.score == 0.5
    assert always.ignored == pytest.approx(1 - 4 / 10)
    assert np.isnan(obedience.spared(["wood"] * 3, ["wood"] * 3).ignored)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="2 requests do not pair with 1 results"):
        obedience.onsets([[1.0], [2.0]], [[1.0]])
    with pytest.raises(ValueError, match="0 requests"):
        obedience.words([], [])
    with pytest.raises(ValueError, match="NaN or infinity"):
        obedience.pan([0.0, np.nan], [0.0, 0.0])


def test_blows_of_one_level_share_their_rank() -> None:
    """The mean rank, as SciPy has it, whose import would take longer than all the rest."""
    from scipy.stats import spearmanr

    rng = np.random.default_rng(3)
    asked, level = rng.integers(0, 4, 30) / 4, rng.integers(-20, -12, 30).astype(float)
    assert obedience.depth(asked, level).score == pytest.approx(-spearmanr(asked, level).statistic)
