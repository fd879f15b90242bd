"""`weft eval --list`: what there is to ask for, for a person and for a machine; and what a refused name says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from weft.evaluation.embedders import EMBEDDERS
from weft.evaluation.protocols import PROTOCOLS
from weft.evaluation.table import METRICS

Ran = tuple[int, str, str]


def test_every_name_is_printed_with_what_it_is(weft_eval: Callable[..., Ran]) -> None:
    status, out, err = weft_eval("--list")
    assert (status, err) == (0, "")
    first = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert set(first) >= {*METRICS, *EMBEDDERS, *PROTOCOLS}
    assert "↓" in first["frechet"] and "of each embedder" in first["frechet"]
    assert "dB" in first["mel"] and "of each embedder" not in first["mel"]
    assert "your file" in first["vggish"] and "your file" not in first["weft"]
    assert f"v{PROTOCOLS['plain'].version}" in first["plain"]


def test_for_a_machine_and_of_one_protocol(weft_eval: Callable[..., Ran]) -> None:
    status, out, _ = weft_eval("--list", "--json")
    found = json.loads(out)
    assert status == 0
    assert [m["name"] for m in found["metrics"]] == list(METRICS)
    assert [e["name"] for e in found["embedders"]] == list(EMBEDDERS)
    assert [(p["name"], p["version"]) for p in found["protocols"]] == [
        (name, plan.version) for name, plan in PROTOCOLS.items()
    ]
    one = json.loads(weft_eval("--list", "--json", "--protocol", "vggsound")[1])
    assert {m["name"] for m in one["metrics"]} == set(PROTOCOLS["vggsound"].metrics)
    assert {e["name"] for e in one["embedders"]} == set(PROTOCOLS["vggsound"].embedders)
    assert [p["name"] for p in one["protocols"]] == ["vggsound"]
    assert weft_eval("--list", "--quiet") == (0, "", "")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--list", "--protocol", "plane"), "did you mean plain"),
        (("--list", "--metrics", "mel"), "--list scores nothing"),
        ((), "nothing to score; give REFERENCE"),
    ],
)
def test_misuse_is_2_and_one_line(weft_eval: Callable[..., Ran], flags: tuple[str, ...], words: str) -> None:
    status, out, err = weft_eval(*flags)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err


@pytest.mark.parametrize("flag", ["--protocol", "--metrics", "--embedders"])
def test_a_refused_name_says_where_all_names_are(
    weft_eval: Callable[..., Ran], tmp_path: Path, flag: str
) -> None:
    status, _, err = weft_eval(tmp_path, tmp_path, flag, "nothing-known")
    assert status == 2
    assert "unknown" in err and "weft eval --list prints all" in err
