"""The panel of onset scores: means over clips, three tolerances, counts that know nothing of time."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics.onset_panel import Clip, evaluate


def clip(found: list[float], true: list[float]) -> Clip:
    return Clip(found=found, confidence=np.arange(len(found), 0, -1.0), true=true, duration_s=4.0)


def test_three_tolerances() -> None:
    found = evaluate([clip([1.02, 2.04, 3.09], [1.0, 2.0, 3.0])])
    assert [a.tolerance_s for a in found.at] == [0.025, 0.05, 0.1]
    assert [a.f1 for a in found.at] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert [a.ap for a in found.at] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert (found.count, found.count_error, found.n, found.true, found.found) == (1.0, 0.0, 1, 3, 3)


def test_scores_are_those_of_mir_eval_clip_by_clip() -> None:
    mir_eval = pytest.importorskip("mir_eval")
    rng = np.random.default_rng(0)
    clips = []
    for _ in range(12):
        true = np.sort(rng.uniform(0, 4, rng.integers(1, 9)))
        near = true + rng.uniform(-0.12, 0.12, true.size)
        found = np.sort(np.concatenate([near[near > 0], rng.uniform(0, 4, rng.integers(0, 4))]).clip(0, 4))
        clips.append(clip(found.tolist(), true.tolist()))
    ours = evaluate(clips)
    for at in ours.at:
        theirs = [
            mir_eval.onset.f_measure(np.array(c.true), np.array(c.found), at.tolerance_s) for c in clips
        ]
        f1, precision, recall = np.mean(theirs, axis=0)
        assert (at.f1, at.precision, at.recall) == pytest.approx((f1, precision, recall), abs=1e-12)


def test_the_right_number_at_the_wrong_moments_counts_and_scores_nothing() -> None:
    found = evaluate([clip([0.5, 1.5, 2.5], [1.0, 2.0, 3.0]), clip([1.0], [1.0, 2.0])])
    assert found.count == 0.5
    assert found.count_error == 0.5
    assert found.at[1].f1 == pytest.approx((0 + 2 / 3) / 2)


def test_one_right_onset_of_five_has_an_ap_of_a_fifth() -> None:
    found = evaluate([clip([1.0], [0.5, 1.0, 1.5, 2.0, 2.5])])
    assert found.at[1].ap == pytest.approx(0.2)
    assert (found.at[1].precision, found.at[1].recall) == (1.0, 0.2)


def test_guesses_at_random_score_chance() -> None:
    rng = np.random.default_rng(1)
    clips = [clip(rng.uniform(0, 4, 10).tolist(), rng.uniform(0, 4, 10).tolist()) for _ in range(40)]
    found = evaluate(clips)
    for at in found.at:
        assert at.f1 == pytest.approx(at.chance, abs=0.08)
    assert found.at[2].chance > 2 * found.at[0].chance
    assert evaluate(clips) == found


def test_silence_on_both_sides_is_right_and_refusals() -> None:
    assert evaluate([clip([], [])]).at[0].f1 == 1.0
    with pytest.raises(ValueError, match="at least one"):
        evaluate([])
    with pytest.raises(ValueError, match=r"clip 1: true onsets reach 5 s of 4 s"):
        evaluate([clip([], []), clip([1.0], [5.0])])
    with pytest.raises(ValueError, match="2 onsets but 1 confidences"):
        evaluate([Clip(found=[1.0, 2.0], confidence=[1.0], true=[], duration_s=4.0)])
