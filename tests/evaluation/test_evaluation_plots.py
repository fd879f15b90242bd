"""Drawings that can be read: ticks that tell themselves apart, points where their numbers are."""

from __future__ import annotations

import re

import pytest

from weft.evaluation.plots import marks, scatter


def labels(drawing: str, anchor: str) -> list[str]:
    return re.findall(rf'text-anchor="{anchor}">([^<]+)</text>', drawing)


@pytest.mark.parametrize(
    ("low", "high"), [(0.9971, 0.9994), (0.0, 1.0), (-26.2, -23.9), (1e-7, 4e-7), (2e5, 2.0003e5)]
)
def test_no_two_ticks_read_alike(low: float, high: float) -> None:
    drawing = scatter({"a": (low, 0.0), "b": (high, 1.0)}, "x", "y", {})
    told = labels(drawing, "middle")
    assert 3 <= len(told) <= 9 and len(set(told)) == len(told)
    assert all(low - (high - low) * 0.06 <= float(t) <= high + (high - low) * 0.06 for t in told)
    assert labels(drawing, "end") == ["0", "0.2", "0.4", "0.6", "0.8", "1"]


def test_a_clip_without_a_number_is_not_drawn_and_marked_ones_are_links() -> None:
    drawing = scatter(
        {"a": (0.0, 0.0), "b": (1.0, 1.0), "c": (float("nan"), 1.0)}, "x", "y", {"b": "worst-0"}
    )
    assert drawing.count("<circle") == 2 and '<a href="#worst-0">' in drawing
    assert scatter({"a": (float("nan"), 0.0)}, "x", "y", {}) == "<p>No clip has both numbers.</p>"


def test_onsets_stand_out_of_bright_and_dark() -> None:
    drawn = re.findall(
        r'<line x1="([^"]+)".*?stroke="(#\w+)" stroke-width="(\d+)"', marks([0.5, 3.0], 2.0, "#ffffff")
    )
    assert [at for at, _, _ in drawn] == ["250.0", "250.0"]  # what lies past the end is left out
    (_, edge, wide), (_, tick, narrow) = drawn
    assert (edge, tick) == ("#000000", "#ffffff") and int(wide) > int(narrow)
