"""docs/metrics.md lists the defects with the tests that show them: each test named there exists, none is left out."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
TABLE = (
    (TESTS.parent / "docs" / "metrics.md")
    .read_text(encoding="utf-8")
    .partition("## Defects of the public")[2]
)
FILES = {
    "D": "metrics/test_metrics_defects.py",
    "E": "evaluation/test_evaluation_defects.py",
    "further": "metrics/test_metrics_defects_further.py",
}


def names_of(file: Path) -> set[str]:
    return set(re.findall(r"^def (test_\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE))


def file_called(name: str) -> Path:
    if name in FILES:
        return TESTS / FILES[name]
    (found,) = {*TESTS.rglob(f"test_metrics_{name}.py"), *TESTS.rglob(f"test_{name}.py")}
    return found


def cited() -> dict[str, set[str]]:
    """File as the table calls it -> the tests it names there."""
    out: dict[str, set[str]] = {}
    for row in TABLE.splitlines():
        if not row.startswith("| ") or "`test_" not in row:
            continue
        for part in row.rstrip(" |").rpartition(" | ")[2].split("; "):
            name, _, rest = part.partition(" ")
            out.setdefault(name, set()).update(re.findall(r"`(test_\w+)`", rest))
    return out


def test_every_test_that_the_table_names_is_there() -> None:
    named = cited()
    assert len(named) > 10 and sum(map(len, named.values())) > 60
    for name, wanted in named.items():
        assert wanted <= names_of(file_called(name)), name


def test_every_defect_that_has_a_test_is_in_the_table() -> None:
    named = cited()
    for name, file in FILES.items():
        assert names_of(TESTS / file) - named[name] == set()
