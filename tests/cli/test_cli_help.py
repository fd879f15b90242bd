"""What `--help` prints: defaults in brackets are shown, not taken for marks of style."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

Ran = tuple[int, str, str]


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("spot", ["[CLIP.cues.json]"]),
        ("generate", ["[beside CLIP]", "[CLIP.weft.SUFFIX]"]),
        ("eval", ["[plain]", "[as many as cores]", "[~/.cache/weft/features]", "[WEFT_CACHE_LIMIT, or 5]"]),
        ("leaks", ["[all]", "[default: recording]"]),
    ],
)
def test_defaults_in_brackets_are_printed(
    command: str, shown: list[str], monkeypatch: pytest.MonkeyPatch, weft_command: Callable[..., Ran]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    _, out, _ = weft_command(command, "--help")
    assert [s for s in shown if s not in out] == []
    assert re.search(r"\w +\.\s", out) is None  # a sentence whose end was swallowed
