"""Which picture stands at which moment: the nearest by exact time, and MMAudio's later ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.errors import MediaError
from weft.media.picking import late, nearest

REFERENCE: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "parity" / "mmaudio_picks.json").read_text()
)
EXACT = {"29.97": Fraction(30000, 1001)}


def at_rate(rate: Fraction, count: int, zero: Fraction = Fraction(0)) -> Iterator[tuple[Fraction, int]]:
    return ((zero + k / rate, k) for k in range(count))


@pytest.mark.parametrize("name", REFERENCE)
def test_late_picks_are_those_of_mmaudios_own_reader(name: str) -> None:
    """The numbers were read off a clip of numbered frames by MMAudio's reader, run outside the project."""
    rate, held = EXACT.get(name) or Fraction(name), REFERENCE[name]
    picks = list(late(at_rate(rate, held["count"]), Fraction(0), [8.0, 25.0], float(held["count"] / rate)))
    for grid, stream in enumerate(("clip", "sync")):
        own = [p for p in picks if p.grid == grid]
        assert [p.picture for p in own] == held[stream]
        assert [p.index for p in own] == list(range(len(own)))


def test_late_begins_with_the_clip_and_ends_with_it() -> None:
    picks = list(late(at_rate(Fraction(25), 100, Fraction(-2)), Fraction(0), [25.0], 0.5))
    assert [p.picture for p in picks][:3] == [50, 51, 52]
    assert picks[-1].picture <= 50 + 12


@settings(max_examples=50, deadline=None)
@given(
    times=st.lists(st.fractions(0, 3, max_denominator=1000), min_size=1, max_size=30, unique=True).map(
        sorted
    ),
    fps=st.lists(st.sampled_from([Fraction(8), Fraction(25), Fraction(24000, 1001)]), min_size=1, max_size=3),
    zero=st.fractions(0, 1, max_denominator=90),
)
def test_nearest_is_nearest_on_every_grid_whatever_the_times(
    times: list[Fraction], fps: list[Fraction], zero: Fraction
) -> None:
    grids = [(f, 1 + 20 * i) for i, f in enumerate(fps)]
    picks = list(nearest(iter([(t, t) for t in times]), zero, grids))
    for grid, (rate, count) in enumerate(grids):
        own = [p for p in picks if p.grid == grid]
        assert [p.index for p in own] == list(range(count))
        for p in own:
            target = zero + p.index / rate
            assert p.picture == min(times, key=lambda t: (abs(t - target), t))


def test_of_two_equally_near_the_earlier_is_taken() -> None:
    picks = list(nearest(at_rate(Fraction(4), 3), Fraction(0), [(Fraction(8), 5)]))
    assert [p.picture for p in picks] == [0, 0, 1, 1, 2]


def test_no_more_is_read_than_is_needed() -> None:
    source = at_rate(Fraction(25), 1000)
    list(nearest(source, Fraction(0), [(Fraction(8), 2), (Fraction(25), 10)]))
    assert next(source)[1] <= 11


def test_a_clip_without_pictures_is_refused() -> None:
    with pytest.raises(MediaError, match="no picture could be decoded"):
        list(nearest(iter([]), Fraction(0), [(Fraction(8), 1)]))
