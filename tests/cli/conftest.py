"""`weft eval` run in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Ran = tuple[int, str, str]


@pytest.fixture
def weft_eval(weft_command: Callable[..., Ran], tmp_path: Path) -> Callable[..., Ran]:
    """Run `weft eval ARGS` in this process with a cache of the test's own -> (exit status, stdout, stderr)."""

    def run(*args: object) -> Ran:
        own = () if "--cache" in args else ("--cache", tmp_path / "cache")
        return weft_command("eval", *args, *own, "--jobs", 1)

    return run
