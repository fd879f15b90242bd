"""FAVD: joint rows, both known forms told apart, and what each block weighs."""

from __future__ import annotations

import numpy as np
import pytest

from weft.metrics import favd, frechet


def clips(seed: int, n: int = 30) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Pictures `[T, 12]` and sounds `[T, 5]` of lengths that differ."""
    r = np.random.default_rng(seed)
    return (
        [r.standard_normal((r.integers(3, 9), 12)) for _ in range(n)],
        [r.standard_normal((r.integers(3, 9), 5)) for _ in range(n)],
    )


def eight_bit(sounds: list[np.ndarray]) -> list[np.ndarray]:
    return [np.clip(np.round(128 + 40 * x), 0, 255) for x in sounds]


def test_rows_are_cut_to_the_shorter_and_set_side_by_side() -> None:
    rows, seen = favd.joint([[[1, 1], [2, 2], [3, 3]], [[0, 0]]], [[[5], [6]], [[7], [8], [9]]])
    assert seen == 2
    np.testing.assert_array_equal(rows, [[1, 1, 5], [2, 2, 6], [0, 0, 7]])


def test_blocks_are_frechet_distances_of_their_own() -> None:
    (v, a), (w, b) = clips(0), clips(1)
    found = favd.evaluate(v, a, w, b, version="float")
    x, y = favd.joint(v, a)[0], favd.joint(w, b)[0]
    assert found.value == pytest.approx(frechet.distance(x, y))
    assert found.video == pytest.approx(frechet.distance(x[:, :12], y[:, :12]))
    assert found.audio == pytest.approx(frechet.distance(x[:, 12:], y[:, 12:]))
    assert found.rows == (len(x), len(y))
    assert (found.clips, found.d, found.version) == ((30, 30), 17, "float")


def test_the_same_picture_counts_through_the_sound_only() -> None:
    (v, a), (_, b) = clips(2), clips(3)
    found = favd.evaluate(v, a, v, [x[: len(y)] for x, y in zip(b, a, strict=True)], version="float")
    assert found.video == pytest.approx(0, abs=0.3)  # rows lost to shorter sounds are all that differs
    assert favd.evaluate(v, a, v, a, version="float").value == pytest.approx(0, abs=1e-9)
    turned = favd.evaluate(v, a, v, [-x for x in a], version="float")
    assert turned.video == pytest.approx(0, abs=1e-9)
    assert turned.value > turned.audio  # sound of the same spread, other relation to the picture


def test_rounded_features_drown_the_picture_and_the_scaled_form_does_not() -> None:
    (v, a), (w, b) = clips(4), clips(5)
    loud = favd.evaluate(v, eight_bit(a), w, eight_bit(b), version="toolkit")
    assert loud.audio > 0.97 * loud.value
    assert loud.value > 50 * favd.evaluate(v, a, w, b, version="float").value
    assert 0.3 * loud.scaled < favd.evaluate(v, a, w, b, version="float").scaled < 3 * loud.scaled


def test_a_clip_of_one_window_counts() -> None:
    (v, a), (w, b) = clips(6), clips(7)
    found = favd.evaluate([*v, v[0][:1]], [*a, a[0][:1]], w, b, version="float")
    assert found.clips == (31, 30)


def test_refusals() -> None:
    (v, a), (w, b) = clips(8), clips(9)
    with pytest.raises(ValueError, match="are not whole numbers of 0 to 255"):
        favd.evaluate(v, a, w, b, version="toolkit")
    with pytest.raises(ValueError, match="are whole numbers of 0 to 255"):
        favd.evaluate(v, eight_bit(a), w, eight_bit(b), version="float")
    with pytest.raises(ValueError, match="there are toolkit, float"):
        favd.evaluate(v, a, w, b, version="paper")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="do not pair"):
        favd.evaluate(v, a[:-1], w, b, version="float")
    with pytest.raises(ValueError, match=r"clip 0: features have shapes \(12,\)"):
        favd.evaluate([v[0][0]], [a[0]], w, b, version="float")
    with pytest.raises(ValueError, match="no window"):
        favd.evaluate([v[0][:0], *v], [a[0], *a], w, b, version="float")
