"""AV-Align as three repositories print it: their numbers on shared random lists, and where two of them go wrong."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics import av_align

# What calc_intersection_over_union of each repository gives for `case(seed)` at 25 fps, seeds 0 to 7.
PRINTED: dict[av_align.Form, list[float]] = {
    "tempotokens": [
        0.315789474,
        0.214285714,
        0.133333333,
        0.166666667,
        0.166666667,
        0.181818182,
        0.133333333,
        0.3,
    ],
    "savgbench": [
        0.315789474,
        0.214285714,
        0.307692308,
        0.75,
        0.166666667,
        0.181818182,
        0.133333333,
        0.444444444,
    ],
    "svg-baseline": [
        0.315789474,
        0.214285714,
        0.222222222,
        0.5,
        0.166666667,
        0.181818182,
        0.133333333,
        0.363636364,
    ],
}


def case(seed: int) -> tuple[np.ndarray, np.ndarray]:
    r = np.random.default_rng(seed)
    a = np.sort(r.uniform(0, 8, r.integers(0, 15)))
    b = np.sort(r.uniform(0, 8, r.integers(1, 20)))
    if len(a):
        half = len(a) // 2
        a[:half] = np.sort(b[r.integers(0, len(b), half)] + r.uniform(-0.06, 0.06, half)).clip(0)
    return np.sort(a), b


@pytest.mark.parametrize("form", av_align.FORMS)
def test_the_published_numbers(form: av_align.Form) -> None:
    found = [av_align.published(*case(seed), fps=25, form=form) for seed in range(8)]
    assert found == pytest.approx(PRINTED[form], abs=1e-8)


def test_five_onsets_at_one_burst_of_motion() -> None:
    """An intersection over a union of 5, a perfect score, and a fifth."""
    heard, seen = 1 + np.arange(5) * 0.005, [1.01]
    assert av_align.published(heard, seen, fps=25, form="savgbench") == 5.0
    assert av_align.published(heard, seen, fps=25, form="svg-baseline") == 1.0
    assert av_align.published(heard, seen, fps=25, form="tempotokens") == pytest.approx(0.2)
    assert av_align.evaluate(heard, seen, fps=25, duration_s=4).value == pytest.approx(0.2)


def test_silence_over_a_still_picture() -> None:
    assert np.isnan(av_align.published([], [], fps=25, form="tempotokens"))
    assert np.isnan(av_align.published([], [], fps=25, form="savgbench"))
    assert av_align.published([], [], fps=25, form="svg-baseline") == 0.0
    assert av_align.published([], [1.0], fps=25, form="svg-baseline") == 0.0
    assert np.isnan(av_align.evaluate([], [], fps=25, duration_s=4).value)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="there are tempotokens, savgbench"):
        av_align.published([1.0], [1.0], fps=25, form="iou")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="above 0"):
        av_align.published([1.0], [1.0], fps=0, form="tempotokens")
