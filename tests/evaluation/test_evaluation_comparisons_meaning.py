"""V and δ as `weft eval` takes them, against the metric and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from weft.evaluation import comparisons_meaning as compare
from weft.evaluation.embedders import EMBEDDERS
from weft.evaluation.table import METRICS, rows
from weft.metrics import volume


def clip(*vectors: tuple[float, float, float]) -> dict[str, dict[str, np.ndarray]]:
    return {
        name: {"rows": np.array([v, v])}
        for name, v in zip(("video@", "audio@", "text@"), vectors, strict=True)
    }


def test_three_directions_at_right_angles_and_in_one_plane() -> None:
    apart = clip((2, 0, 0), (0, 3, 0), (0, 0, 4))
    assert compare.volume(apart, apart) == pytest.approx(1.0)
    assert compare.delta(apart, apart, between="total") == pytest.approx(3.0)
    flat = clip((1, 0, 0), (1, 1, 0), (0, 1, 0))
    assert compare.volume(flat, flat) == pytest.approx(0.0, abs=1e-7)
    cosine = 1 / np.sqrt(2)
    assert compare.delta(flat, flat, between="text_audio") == pytest.approx(1 - cosine)
    assert compare.delta(flat, flat, between="total") == pytest.approx(3 - 2 * cosine)


def test_the_made_sound_is_heard_and_not_the_true_one() -> None:
    true, made = clip((1, 0, 0), (1, 0, 0), (1, 0, 1)), clip((0, 1, 0), (0, 1, 1), (0, 1, 0))
    direct = volume.evaluate(*(np.array([v]) for v in ((1, 0, 0), (0, 1, 1), (1, 0, 1))))
    assert direct.value > 0.3
    assert compare.volume(made, true) == pytest.approx(direct.value)
    assert compare.delta(made, true, between="video_audio") == pytest.approx(direct.video_audio)
    assert compare.delta_given({}, true) == pytest.approx(direct.text_video)


def test_only_embedders_of_one_space_for_all_three_give_a_volume() -> None:
    found = rows([METRICS["volume"], METRICS["delta-sum"]], list(EMBEDDERS.values()))
    assert [r.name for r in found] == [
        "volume/weft",
        "volume/imagebind-huge",
        "delta-sum/weft",
        "delta-sum/imagebind-huge",
    ]
