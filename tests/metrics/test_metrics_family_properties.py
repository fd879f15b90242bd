"""What holds for every family: order of clips, a set against itself, silence, one clip, NaN, channels, lengths."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from metric_families import FAMILIES, Clip, Family

from weft.metrics.result import Result

COMPARING = [f for f in FAMILIES if f.same is not None]
"""Families of two sides: the others describe one side only, or hear it through a detector."""

by_family = pytest.mark.parametrize("family", FAMILIES, ids=[f.name for f in FAMILIES])
by_comparing = pytest.mark.parametrize("family", COMPARING, ids=[f.name for f in COMPARING])
examples = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**31)
few = st.integers(2, 6)


def drawn(family: Family, n: int, seed: int) -> list[Clip]:
    rng = np.random.default_rng(seed)
    return [family.draw(rng) for _ in range(n)]


def outcome(family: Family, clips: list[Clip]) -> Result | str:
    """The result, or the one line of a refusal; anything else fails the test."""
    try:
        return family.score(clips)
    except ValueError as error:
        said = str(error)
        assert said and "\n" not in said
        return said


def numbers(clip: Clip) -> list[int]:
    """The places in a clip that hold numbers."""
    return [k for k, part in enumerate(clip) if np.asarray(part).dtype.kind == "f" and np.size(part)]


def with_part(clip: Clip, place: int, part: Any) -> Clip:
    return (*clip[:place], part, *clip[place + 1 :])


@by_family
@examples
@given(n=few, seed=seeds)
def test_the_order_of_clips_changes_nothing(family: Family, n: int, seed: int) -> None:
    clips = drawn(family, n, seed)
    order = np.random.default_rng(seed + 1).permutation(n)
    here, there = family.score(clips), family.score([clips[k] for k in order])
    assert there.value == pytest.approx(here.value, rel=1e-7, abs=1e-9, nan_ok=True)
    assert (there.n, there.of, there.rows, there.d) == (here.n, here.of, here.rows, here.d)
    assert there.parts == pytest.approx(here.parts, rel=1e-6, abs=1e-8, nan_ok=True)


@by_comparing
@examples
@given(n=few, seed=seeds)
def test_what_agrees_with_itself_scores_best(family: Family, n: int, seed: int) -> None:
    assert family.same is not None
    found = family.score([family.same(clip) for clip in drawn(family, n, seed)])
    if callable(family.best):
        assert family.best(found)
    else:
        assert found.value == pytest.approx(family.best, abs=family.floor)


@by_family
@examples
@given(n=few, seed=seeds)
def test_the_interval_holds_the_value_and_n_says_of_what(family: Family, n: int, seed: int) -> None:
    found = family.score(drawn(family, n, seed))
    assert 0 <= found.n <= 3 * n
    assert not math.isinf(found.value)
    if not math.isnan(found.low):
        assert found.low <= found.value + 1e-12 and found.value <= found.high + 1e-12
        assert found.interval
    elif not math.isnan(found.value):
        assert any("interval" in flag for flag in found.flags)


@by_family
@examples
@given(seed=seeds)
def test_one_clip_has_no_interval_or_is_refused(family: Family, seed: int) -> None:
    found = outcome(family, drawn(family, 1, seed))
    if family.least > 1:
        assert isinstance(found, str) and "two" in found
        return
    assert isinstance(found, Result)
    assert math.isnan(found.low) and math.isnan(found.high)
    assert math.isnan(found.value) or any("no interval" in flag for flag in found.flags)
    if family.name != "align_accuracy":  # is given the other clips' numbers
        assert math.isnan(found.baselines.get("shuffled", math.nan))


@by_family
@examples
@given(n=few, seed=seeds)
def test_nan_is_refused_by_name(family: Family, n: int, seed: int) -> None:
    clips = drawn(family, n, seed)
    for place in numbers(clips[0]):
        part = np.array(clips[0][place], dtype=np.float64)
        part.flat[seed % part.size] = np.nan
        found = outcome(family, [with_part(clips[0], place, part), *clips[1:]])
        if place in family.free:
            assert isinstance(found, Result) and found.n == n - 1
        else:
            assert isinstance(found, str), f"NaN at place {place} gave {found}"
            assert "NaN" in found or "0..1" in found or "-1..1" in found


@by_family
@examples
@given(n=few, seed=seeds, quiet=st.sampled_from(["estimate", "both"]))
def test_silence_has_a_number_or_a_reason(family: Family, n: int, seed: int, quiet: str) -> None:
    """Zeros everywhere a sound, an embedding or a score could be."""
    clips = drawn(family, n, seed)
    some = [0] if quiet == "estimate" else range(len(clips[0]))
    for place in some:
        if place in numbers(clips[0]):
            clips = [with_part(clip, place, np.zeros_like(clip[place])) for clip in clips]
    found = outcome(family, clips)
    if isinstance(found, Result):
        assert not math.isinf(found.value)
        assert all(not math.isinf(v) for v in (*found.baselines.values(), *found.parts.values()))
        assert not math.isnan(found.value) or found.n == 0 or found.flags


@by_family
@examples
@given(n=few, seed=seeds)
def test_another_shape_has_a_number_or_is_refused_with_it(family: Family, n: int, seed: int) -> None:
    """One part of one clip an entry shorter, of one channel in place of two, or with an axis too many."""
    clips = drawn(family, n, seed)
    for place in numbers(clips[0]):
        part = np.asarray(clips[0][place])
        for other in ([part[:-1], part[..., :-1]] if part.ndim else []) + [part[None, None]]:
            found = outcome(family, [with_part(clips[0], place, other), *clips[1:]])
            if isinstance(found, str):
                assert any(c.isdigit() for c in found), found
            else:
                assert not math.isinf(found.value)
                assert other.ndim == part.ndim, f"an axis too many at place {place} gave {found}"
