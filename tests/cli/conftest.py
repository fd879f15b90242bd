"""`weft eval` run in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from weft.cli import main

Ran = tuple[int, str, str]


@pytest.fixture
def weft_eval(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Ran]:
    """Run `weft eval ARGS` in this process with a cache of the test's own -> (exit status, stdout, stderr)."""

    def run(*args: object) -> Ran:
        own = () if "--cache" in args else ("--cache", tmp_path / "cache")
        monkeypatch.setattr(sys, "argv", ["weft", "eval", *map(str, (*args, *own, "--jobs", 1))])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), out, err

    return run
