"""What docs/mmaudio.md prints of MMAudio's speed is what results/mmaudio_speed.json holds."""

from __future__ import annotations

import copy
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "mmaudio_speed_table", ROOT / "recipes" / "mmaudio_speed_table.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def found() -> dict[str, Any]:
    held: dict[str, Any] = json.loads((ROOT / "results" / "mmaudio_speed.json").read_text())
    return held


def test_the_page_prints_the_file(recipe: ModuleType, found: dict[str, Any]) -> None:
    printed = recipe.PAGE.read_text()
    assert recipe.page(printed, found) == printed


def test_another_number_is_another_page(recipe: ModuleType, found: dict[str, Any]) -> None:
    other = copy.deepcopy(found)
    other["rows"]["vocoder_44k"]["processor"]["times_faster"]["median"] += 0.5
    assert recipe.page(recipe.PAGE.read_text(), other) != recipe.PAGE.read_text()


def test_ratios_are_those_of_their_pairs(found: dict[str, Any]) -> None:
    for name, row in found["rows"].items():
        if "times_faster" not in row.get("processor", {}):
            continue
        for kind in ("wall", "processor"):
            pairs = zip(row[kind]["ours"], row[kind]["theirs"], strict=True)
            ratios = sorted(theirs / ours for ours, theirs in pairs)
            printed = row[kind]["times_faster"]
            assert len(ratios) == row["pairs"], name
            assert printed["lowest"] == pytest.approx(ratios[0], rel=0.02)
            assert printed["highest"] == pytest.approx(ratios[-1], rel=0.02)
            assert ratios[0] <= printed["median"] + 0.01 and printed["median"] <= ratios[-1] + 0.01


@pytest.mark.parametrize(
    ("value", "must", "low", "said"),
    [
        (1.2, 1.2, False, "reached"),
        (1.19, 1.2, False, "**not reached**"),
        (0.2, 1 / 3, True, "reached"),
        (0.4, 1 / 3, True, "**not reached**"),
    ],
)
def test_what_is_missed_is_said(recipe: ModuleType, value: float, must: float, low: bool, said: str) -> None:
    assert recipe.verdict(value, must, low=low) == said
