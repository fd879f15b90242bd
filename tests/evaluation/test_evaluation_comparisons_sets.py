"""FAD-inf, split inception scores and FAVD as `weft eval` takes them: the metrics' own numbers, with their parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from weft.evaluation import comparisons_sets as compare
from weft.evaluation.comparisons import Measured
from weft.evaluation.result import Score
from weft.evaluation.scoring import score
from weft.evaluation.table import METRICS, Row
from weft.metrics import divergence, favd, frechet

D = 4


def rows(n: int, seed: int, d: int = D, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d)) + shift


def board(name: str, made: Sequence[Measured], true: Sequence[Measured], silence: Measured) -> Score:
    sides = {"made": made, "true": true, "silence": [silence] * len(made)}
    others = [(k + 1) % len(made) for k in range(len(made))]
    (found,) = score([Row(metric=METRICS[name])], len(made), lambda i, side: sides[side][i], others).scores
    return found


def test_fad_inf_is_the_metrics_own_with_its_line() -> None:
    made = [{"audio@": {"rows": rows(6, k, shift=0.5)}} for k in range(20)]
    true = [{"audio@": {"rows": rows(6, 100 + k)}} for k in range(20)]
    found = board("frechet-inf", made, true, {"audio@": {"rows": np.zeros((6, D)) + 0.1}})
    stack = [np.concatenate([c["audio@"]["rows"] for c in side]) for side in (true, made)]
    direct = frechet.unbiased(*stack)
    assert found.value == pytest.approx(direct.value)
    assert found.parts == pytest.approx(
        {"slope": direct.slope, "r2": direct.r2, "fewest rows": direct.sizes.min()}
    )
    assert found.low < found.value < found.high
    assert found.interval == "half-sampling of clips, 8 halves"
    assert found.baselines["silence"] > found.value
    assert found.floor is not None
    assert abs(found.floor) < found.value


def test_the_inception_score_of_specvqgan_is_of_logits_without_their_bias() -> None:
    """A bias makes one class of all clips: the score of the logits themselves is another, lower number."""
    bare = [4 * rows(1, k, d=8) for k in range(40)]
    bias = np.array([[9.0, *[0.0] * 7]])
    clips = [{"bare-logits@": {"rows": b}, "logits@": {"rows": b + bias}} for b in bare]
    found, plain = (board(name, clips, clips, clips[0]) for name in ("isc-10-bare", "isc-10"))
    theirs = divergence.inception_score(np.concatenate([c["bare-logits@"]["rows"] for c in clips]), splits=10)
    assert {found.value, theirs.value} != {plain.value}
    assert plain.value < 0.8 * found.value
    assert found.parts["splits"] == 10


def test_fad_inf_of_few_rows_is_refused_and_says_why() -> None:
    made = [{"audio@": {"rows": rows(1, k, d=40)}} for k in range(9)]
    found = board("frechet-inf", made, made, made[0])
    assert np.isnan(found.value)
    assert "9 rows of 40 dimensions: extrapolating needs at least 120" in found.flags[0]
    assert found.parts == {}


def test_inception_scores_of_one_and_of_ten_parts() -> None:
    logits = [{"logits@": {"rows": 4 * rows(1, k, d=8)}} for k in range(40)]
    whole = np.concatenate([c["logits@"]["rows"] for c in logits])
    one, ten = (board(name, logits, logits, logits[0]) for name in ("isc", "isc-10"))
    assert one.value == pytest.approx(divergence.inception_score(whole).value)
    split = divergence.inception_score(whole, splits=10)
    assert ten.value == pytest.approx(split.value)
    assert ten.value < one.value
    assert ten.parts == pytest.approx({"splits": 10, "clips": 40, "spread": split.spread})
    assert one.parts == {"splits": 1, "clips": 40}
    assert ten.baselines["reference"] == pytest.approx(ten.value)


def clip(seed: int, *, eight_bit: bool = False) -> dict[str, Any]:
    sound = rows(5, seed)
    name = "eight-bit@" if eight_bit else "audio@"
    return {
        name: {"rows": np.clip(np.round(128 + 40 * sound), 0, 255) if eight_bit else sound},
        "video@": {"rows": rows(4, 500 + seed, d=6)},
    }


@pytest.mark.parametrize("version", ["float", "toolkit"])
def test_favd_hears_both_sounds_with_the_references_picture(version: Any) -> None:
    name = "eight-bit@" if version == "toolkit" else "audio@"
    true = [clip(k, eight_bit=version == "toolkit") for k in range(8)]
    made = [{name: clip(50 + k, eight_bit=version == "toolkit")[name]} for k in range(8)]
    found = board(f"favd-{version}", made, true, {name: {"rows": np.full((5, D), 7.0)}})
    video, truth, sound = (
        [c[of]["rows"][:4] for c in side] for side, of in ((true, "video@"), (true, name), (made, name))
    )
    direct = favd.evaluate(video, truth, video, sound, version=version)
    assert found.value == pytest.approx(direct.value)
    assert found.parts == pytest.approx(
        {"sound alone": direct.audio, "picture alone": direct.video, "scaled": direct.scaled}
    )
    assert found.parts["picture alone"] == pytest.approx(0, abs=1e-9)
    assert (found.rows, found.d) == (None, D + 6)  # the rows are told with an embedder's name only
    moved = [{name: true[(k + 1) % 8][name]} for k in range(8)]
    shuffled = favd.evaluate(video, truth, video, [m[name]["rows"][:4] for m in moved], version=version)
    assert found.baselines["shuffled"] == pytest.approx(shuffled.value)
    assert found.baselines["silence"] > found.value
    assert found.floor is not None
    assert found.floor > 0


def test_favd_of_features_of_the_other_version_is_refused() -> None:
    true = [clip(k) for k in range(4)]
    wrong = [
        {"eight-bit@": c["audio@"], "video@": c["video@"]} for c in true
    ]  # not whole numbers of 0 to 255
    found = board("favd-toolkit", wrong, wrong, wrong[0])
    assert "refused: the sound features are not whole numbers" in found.flags[0]


def test_a_clip_without_a_window_in_common_fails_alone() -> None:
    true = {"audio@": {"rows": rows(3, 0)}, "video@": {"rows": np.zeros((0, 6))}}
    with pytest.raises(ValueError, match=r"no window of 0\.96 s in common"):
        compare.joint(true, true, sound="audio@")


def test_halves_of_the_reference_keep_their_own_pictures() -> None:
    one, other = clip(1), clip(2)
    heard, seen, _, true_seen = compare.joint(one, other, sound="audio@")
    np.testing.assert_array_equal(heard, one["audio@"]["rows"][:4])
    np.testing.assert_array_equal(seen, one["video@"]["rows"])
    np.testing.assert_array_equal(true_seen, other["video@"]["rows"])
