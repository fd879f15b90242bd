"""The rows of AV-Align as three repositories print it: their onsets, their scores, chance and shuffled beside."""

from __future__ import annotations

import numpy as np
import pytest

from weft.evaluation.comparisons import Measured
from weft.evaluation.features import FEATURES, FLOW_FPS
from weft.evaluation.reading import Sound
from weft.evaluation.scoring import score
from weft.evaluation.table import METRICS, Row
from weft.metrics import av_align

RATE = 48000


def heard(times: list[float]) -> Measured:
    return {"librosa onsets": {"times": np.array(times)}}


def seen(times: list[float]) -> Measured:
    return {"flow peaks": {"times": np.array(times), "seconds": np.array(4.0)}}


@pytest.mark.parametrize("form", av_align.FORMS)
def test_a_row_is_the_mean_of_what_they_print(form: av_align.Form) -> None:
    made = [heard([1.0, 1.01, 1.02]), heard([0.5, 3.0]), heard([])]
    true = [heard([k + 0.5]) | seen([1.01, 2.5]) for k in range(3)]
    sides = {"made": made, "true": true, "silence": [heard([])] * 3}
    row = Row(metric=METRICS[f"av-align-{form}"])
    (found,) = score([row], 3, lambda i, side: sides[side][i], [1, 2, 0]).scores

    def printed(onsets: Measured) -> float:
        return av_align.published(onsets["librosa onsets"]["times"], [1.01, 2.5], fps=FLOW_FPS, form=form)

    assert found.value == pytest.approx(np.mean([printed(m) for m in made]))
    assert found.value > 0 and found.n == 3 and found.interval == "bootstrap over clips"
    assert found.baselines["shuffled"] == pytest.approx(np.mean([printed(true[k]) for k in (1, 2, 0)]))
    assert found.baselines["silence"] == 0 < found.baselines["random"] < 0.5
    assert set(found.baselines) == {"silence", "shuffled", "reference", "random"}


def test_the_forms_part_where_an_onset_counts_more_than_once() -> None:
    values = {}
    for form in av_align.FORMS:
        row = Row(metric=METRICS[f"av-align-{form}"])
        values[form] = row.compare(heard([1.0, 1.01, 1.02]), seen([1.01]))
    assert values == pytest.approx({"tempotokens": 1 / 3, "savgbench": 3.0, "svg-baseline": 1.0})


def test_librosa_hears_blows_and_no_silence() -> None:
    wave = np.zeros(4 * RATE, np.float32)
    at = (0.5, 1.7, 2.9)
    for t in at:
        start = round(t * RATE)
        wave[start : start + 4800] = np.random.default_rng(0).standard_normal(4800) * np.exp(
            -np.arange(4800) / 600
        )
    times = FEATURES["librosa onsets"].make(_sound(wave))["times"]
    assert times == pytest.approx(at, abs=0.06)
    assert FEATURES["librosa onsets"].make(_sound(wave * 0))["times"].size == 0


def _sound(wave: np.ndarray) -> Sound:
    return Sound(
        wave=wave[None],
        rate=RATE,
        native=wave,
        native_rate=RATE,
        native_channels=1,
        seconds=wave.size / RATE,
        samples="00",
    )
