"""V and δ: the closed form is the determinant, and what V cannot see stands beside it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.metrics import volume


def units(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    rows = rng.standard_normal((n, d))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 40), st.integers(0, 2**31))
def test_closed_form_is_the_root_of_the_gram_determinant(d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    v, a, p = (units(rng, 5, d) for _ in range(3))
    z = np.stack([v, a, p], axis=2)
    det = np.linalg.det(np.swapaxes(z, 1, 2) @ z)
    np.testing.assert_allclose(volume.volume(v, a, p) ** 2, np.maximum(det, 0), atol=1e-12)


def test_order_of_the_three_and_length_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    v, a, p = (units(rng, 6, 8) for _ in range(3))
    here = volume.volume(v, a, p)
    np.testing.assert_allclose(here, volume.volume(p, 7 * v, a), rtol=1e-12)
    np.testing.assert_allclose(volume.volume(np.eye(3)[:1], np.eye(3)[1:2], np.eye(3)[2:]), 1.0)


def test_sums_of_the_papers_table_are_sums_of_pairs() -> None:
    """Table 2 of MDG: .517 + .713 + .838 = 2.068; of Seeing & Hearing .703 + .891 + .893 = 2.487 (printed 2.488)."""

    def row(tv: float, ta: float, va: float) -> volume.Volume:
        gram = np.array([[1, 1 - va, 1 - tv], [1 - va, 1, 1 - ta], [1 - tv, 1 - ta, 1]])
        v, a, p = np.linalg.cholesky(gram)
        return volume.evaluate(v[None], a[None], p[None])

    mdg, before = row(0.517, 0.713, 0.838), row(0.703, 0.891, 0.893)
    assert mdg.total == pytest.approx(2.068, abs=1e-9)
    assert before.total == pytest.approx(2.488, abs=1.5e-3)
    assert (mdg.text_video, mdg.text_audio, mdg.video_audio) == pytest.approx((0.517, 0.713, 0.838))
    assert before.value > mdg.value


def test_volume_is_blind_to_sign_and_delta_is_not() -> None:
    rng = np.random.default_rng(1)
    v, p = units(rng, 4, 16), units(rng, 4, 16)
    for sound in (v, -v, v - p):
        found = volume.evaluate(v, sound, p)
        assert found.value < 1e-7
    assert volume.evaluate(v, v, p).video_audio == pytest.approx(0, abs=1e-12)
    assert volume.evaluate(v, -v, p).video_audio == pytest.approx(2)


def test_shuffled_sound_spans_more_than_its_own() -> None:
    rng = np.random.default_rng(2)
    base = units(rng, 30, 64)
    v, a, p = (base + 0.05 * rng.standard_normal(base.shape) for _ in range(3))
    found = volume.evaluate(v, a, p)
    assert found.value < 0.3
    assert found.shuffled > 1.5 * found.value
    assert np.isnan(volume.evaluate(v[:1], a[:1], p[:1]).shuffled)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="pair the clips, use one space"):
        volume.volume(np.ones((2, 3)), np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(ValueError, match="audio embeddings hold NaN"):
        volume.volume(np.ones((1, 3)), np.full((1, 3), np.nan), np.ones((1, 3)))
