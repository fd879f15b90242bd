"""What holds for any set of clips: their order does not matter, and a set agrees with itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.metrics import (
    av_align,
    azimuth,
    desync,
    divergence,
    favd,
    frechet,
    kernel,
    meaning,
    obedience,
    onset_panel,
    volume,
)

seeds = st.integers(0, 2**31)
few = st.integers(2, 8)


def panel_clip(rng: np.random.Generator) -> onset_panel.Clip:
    found = rng.uniform(0, 4, rng.integers(0, 6))
    return onset_panel.Clip(
        found=found,
        confidence=rng.random(found.size),
        true=rng.uniform(0, 4, rng.integers(0, 6)),
        duration_s=4.0,
    )


@settings(max_examples=10, deadline=None)
@given(few, seeds)
def test_the_order_of_clips_changes_nothing(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    clips = [panel_clip(rng) for _ in range(n)]
    one, other = onset_panel.evaluate(clips), onset_panel.evaluate([clips[k] for k in order])
    for a, b in zip(one.at, other.at, strict=True):
        assert (a.f1, a.precision, a.recall, a.ap) == pytest.approx((b.f1, b.precision, b.recall, b.ap))
    assert (one.count, one.count_error, one.found) == (other.count, other.count_error, other.found)

    v, a, p, w = (rng.standard_normal((n, 6)) for _ in range(4))
    assert volume.evaluate(v, a, p).total == pytest.approx(
        volume.evaluate(v[order], a[order], p[order]).total
    )
    assert meaning.evaluate(v, a).value == pytest.approx(meaning.evaluate(v[order], a[order]).value)
    assert kernel.discrepancy(v, w) == pytest.approx(kernel.discrepancy(v[order], w), abs=1e-9)
    assert frechet.distance(v, w) == pytest.approx(frechet.distance(v[order], w), rel=1e-8, abs=1e-9)
    logits = rng.standard_normal((2, n, 21))
    assert desync.evaluate(*logits).value == pytest.approx(desync.evaluate(*logits[:, order]).value)
    assert divergence.kl(v, a).mean() == pytest.approx(divergence.kl(v[order], a[order]).mean())
    said = obedience.words([f"w{k % 3}" for k in range(n)], [f"w{k % 2}" for k in range(n)])
    moved = obedience.words([f"w{k % 3}" for k in order], [f"w{k % 2}" for k in order])
    assert (said.score, said.ignored) == pytest.approx((moved.score, moved.ignored))

    pictures = [rng.standard_normal((3, 4)) for _ in range(n)]
    sounds = [rng.standard_normal((3, 2)) for _ in range(n)]
    louder = [2 * s for s in sounds]
    here = favd.evaluate(pictures, sounds, pictures, louder, version="float")
    there = favd.evaluate(
        pictures, sounds, [pictures[k] for k in order], [louder[k] for k in order], version="float"
    )
    assert (here.value, here.scaled) == pytest.approx((there.value, there.scaled), rel=1e-7, abs=1e-8)


@settings(max_examples=10, deadline=None)
@given(few, seeds)
def test_a_set_agrees_with_itself(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n, 5))
    scale = float(np.square(rows).sum())
    assert abs(frechet.distance(rows, rows)) < 1e-12 * scale + 1e-12
    assert meaning.evaluate(rows, 3 * rows).value == pytest.approx(1.0)
    assert volume.volume(rows, rows, rows) == pytest.approx(np.zeros(n), abs=1e-7)
    assert divergence.kl(rows, rows) == pytest.approx(np.zeros(n), abs=1e-12)
    pictures, sounds = ([rng.standard_normal((3, 4)) for _ in range(n)] for _ in range(2))
    same = favd.evaluate(pictures, sounds, pictures, sounds, version="float")
    assert max(same.value, same.audio, same.video, same.scaled) < 1e-9 * scale + 1e-9
    angles = rng.uniform(-90, 90, n)
    assert azimuth.evaluate(angles, angles).error == 0
    times = np.sort(rng.uniform(0, 4, n))
    assert av_align.evaluate(times, times, fps=25, duration_s=4).value == 1.0
    assert obedience.onsets([times], [times]).score == 1.0


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 6), seeds)
def test_scores_stay_in_their_ranges(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = onset_panel.evaluate([panel_clip(rng) for _ in range(n)])
    for at in found.at:
        assert all(0 <= s <= 1 for s in (at.precision, at.recall, at.f1, at.ap, at.chance))
    f1 = [at.f1 for at in found.at]
    assert f1 == sorted(f1)  # a wider tolerance never loses a pair
    heard, seen = rng.uniform(0, 4, rng.integers(0, 9)), rng.uniform(0, 4, rng.integers(1, 9))
    assert 0 <= av_align.evaluate(heard, seen, fps=10, duration_s=4).value <= 1
    assert 0 <= av_align.published(heard, seen, fps=10, form="svg-baseline") <= 1
    v, a, p = (rng.standard_normal((n, 4)) for _ in range(3))
    result = volume.evaluate(v, a, p)
    assert 0 <= result.value <= 1
    assert 0 <= result.total <= 6
    assert 0 <= desync.evaluate(*rng.standard_normal((2, n, 21))).value <= 2
