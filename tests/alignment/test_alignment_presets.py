"""The published settings are the published ones, and what a person changes changes."""

from __future__ import annotations

import pytest

from weft.alignment.presets import PRESETS, RATE
from weft.diffusion.step_rules import FreshAdam, LineSearch


@pytest.mark.parametrize(("name", "loss"), [("seeing-hearing", "pairwise"), ("mdg", "volume")])
def test_published_presets(name: str, loss: str) -> None:
    """30 steps: a fresh Adam of lr .1, one step, at steps 7 to 29, on the mixture, the level off by one, no cosine."""
    preset = PRESETS[name]
    assert (preset.loss, preset.on, preset.reference_level, preset.cosine) == (loss, "mixture", True, 0.0)
    assert preset.rule == FreshAdam(rate=0.1, times=1, betas=(0.9, 0.999), eps=1e-8)
    assert preset.window.steps(30) == range(7, 30)


def test_ours_search_a_line_and_leave_the_last_steps_alone() -> None:
    for name in ("volume", "pairwise"):
        assert isinstance(PRESETS[name].rule, LineSearch)
        assert PRESETS[name].loss == name
        assert (PRESETS[name].on, PRESETS[name].reference_level, PRESETS[name].rate) == ("data", False, RATE)
        for steps in (8, 25, 30):
            assert max(PRESETS[name].window.steps(steps)) < steps - 1


def test_what_is_given_takes_the_place_of_the_presets_own() -> None:
    changed = PRESETS["mdg"].at(rate=0.3, start=0.5, stop=0.8, every=2)
    assert changed.rule == FreshAdam(rate=0.3)
    assert list(changed.window.steps(10)) == [6]
    assert list(changed.at(stop=1.0).window.steps(10)) == [6, 8]
    assert PRESETS["mdg"].at() == PRESETS["mdg"]
    with pytest.raises(ValueError, match="give 0 <= start < stop <= 1"):
        PRESETS["mdg"].at(start=1.0)
