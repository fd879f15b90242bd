"""MMAudio's onset numbers, as its own script gives them, and the faults that are why they are not ours."""

from __future__ import annotations

import numpy as np
import pytest
from test_metrics_condfoley import case, clicks

from weft.metrics import mmaudio_onsets, onset
from weft.metrics.condfoley import RATE
from weft.metrics.mmaudio_onsets import MMAudioOnsets

# accuracy, AP and F1 that MMAudio's eval_onsets.py prints for `case(seed)`, seeds 0 to 7; 200 seeds agreed
PUBLISHED = [
    (1.0, 0.517857143, 0.727272727),
    (0.833333333, 0.85515873, 0.769230769),
    (0.6, 0.716666667, 0.666666667),
    (1.0, 1.0, 0.8),
    (1.0, 0.392857143, 0.444444444),
    (0.142857143, 1.0, 1.0),
    (1.0, 0.45, 0.571428571),
    (0.333333333, 1.0, 1.0),
]


@pytest.mark.parametrize(("seed", "wanted"), list(enumerate(PUBLISHED)))
def test_the_published_numbers(seed: int, wanted: tuple[float, float, float]) -> None:
    found = mmaudio_onsets.evaluate(*case(seed))
    assert (found.accuracy, found.ap, found.f1) == pytest.approx(wanted, abs=1e-8)


def test_a_quarter_second_late_and_one_of_five_have_full_marks_there_and_not_here() -> None:
    true = np.arange(1, 6) * 8000
    late = true + round(0.25 * RATE)
    wave = clicks(late[late < 44100])
    assert mmaudio_onsets.evaluate(true[:4], late[:4], wave) == MMAudioOnsets(accuracy=1.0, ap=1.0, f1=1.0)
    assert onset.scores(late / RATE, true / RATE, 0.1).f1 == 0
    one = mmaudio_onsets.evaluate(true, true[:1], clicks(true[:1]))
    assert one == MMAudioOnsets(accuracy=0.2, ap=1.0, f1=1.0)
    assert onset.scores(true[:1] / RATE, true / RATE).f1 == pytest.approx(1 / 3)


def test_silence_has_an_ap_of_one_and_where_the_original_stops_all_is_0() -> None:
    none, some = np.zeros(0, int), np.array([8000, 16000])
    assert mmaudio_onsets.evaluate(some, none, clicks(some)) == MMAudioOnsets(accuracy=0.0, ap=1.0, f1=0.0)
    assert mmaudio_onsets.evaluate(none, none, clicks(some)) == MMAudioOnsets(accuracy=0.0, ap=0.0, f1=0.0)
    assert mmaudio_onsets.evaluate([500], [500], clicks(np.array([500]))).accuracy == 1.0


def test_the_level_is_that_of_another_onset_once_one_is_taken() -> None:
    """By its own level the second true onset would take the loud one at 20,000 and leave the third its own."""
    found, true = np.array([8000, 14000, 20000, 30000]), np.array([8000, 16900, 13000])
    wave = np.zeros(44100)
    wave[found] = [0.5, 0.1, 0.9, 0.3]
    assert mmaudio_onsets.evaluate(true, found, wave).accuracy == pytest.approx(2 / 3)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="samples at"):
        mmaudio_onsets.evaluate([500], [50000], np.ones(44100))
    with pytest.raises(ValueError, match="one channel"):
        mmaudio_onsets.evaluate([500], [500], np.ones((2, 44100)))
