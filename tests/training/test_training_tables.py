"""Settings from TOML: what is wrong is said in one line, with where and what to write instead."""

from dataclasses import dataclass, field
from typing import Literal

import pytest

from weft.errors import UserError
from weft.training.tables import filled, read_toml


@dataclass(frozen=True, kw_only=True)
class Inner:
    rate: float = 0.5
    kind: Literal["slow", "fast"] = "slow"


@dataclass(frozen=True, kw_only=True)
class Outer:
    steps: int
    betas: tuple[float, float] = (0.9, 0.99)
    widths: tuple[float, ...] = ()
    ema: float | None = None
    on: bool = False
    inner: Inner = field(default_factory=Inner)

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise ValueError("steps below 0")


def test_values_take_the_types_they_should():
    found = filled(
        Outer,
        {"steps": 3, "betas": [1, 0.5], "widths": [1], "ema": 1, "on": True, "inner": {"rate": 2}},
        "r.toml",
    )
    assert found == Outer(steps=3, betas=(1.0, 0.5), widths=(1.0,), ema=1.0, on=True, inner=Inner(rate=2.0))
    assert type(found.betas[0]) is float and type(found.inner.rate) is float


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"steps": 1, "inner": {"rte": 1.0}}, r"r.toml.inner: unknown key 'rte'; did you mean 'rate'\?"),
        ({"steps": 1, "zzz": 1}, "unknown key 'zzz'; known: steps, betas"),
        ({}, "r.toml: 'steps' is missing"),
        ({"steps": 1.5}, "r.toml.steps is 1.5; it must be a whole number"),
        ({"steps": True}, "r.toml.steps is True; it must be a whole number"),
        ({"steps": 1, "on": 1}, "it must be true or false"),
        ({"steps": 1, "betas": [0.9]}, "r.toml.betas has 1 entries; it must have 2"),
        ({"steps": 1, "betas": 0.9}, "it must be a list"),
        ({"steps": 1, "inner": 3}, "it must be a table"),
        ({"steps": 1, "inner": {"kind": "quick"}}, "r.toml.inner.kind is 'quick'; use 'slow', 'fast'"),
        ({"steps": 1, "widths": ["a"]}, "r.toml.widths is 'a'; it must be a number"),
        ({"steps": -1}, "r.toml: steps below 0"),
    ],
)
def test_faults_are_named(table, said):
    with pytest.raises(UserError, match=said):
        filled(Outer, table, "r.toml")


def test_files_that_are_no_toml_are_named(tmp_path):
    with pytest.raises(UserError, match="no recipe at"):
        read_toml(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("steps = = 3")
    with pytest.raises(UserError, match=r"bad\.toml is not TOML"):
        read_toml(tmp_path / "bad.toml")
