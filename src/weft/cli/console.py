"""What a person or a machine sees of a command: progress and notes on stderr, results on stdout."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from weft.progress import Progress, silent

STAGES = {
    "spot": "spotting the picture",
    "encode": "looking at the pictures",
    "download": "downloading",
    "perform": "performing",
    "finish": "setting levels",
    "write": "writing",
    "read": "reading the files",
    "measure": "measuring",
    "score": "scoring",
    "report": "drawing the report",
}


@dataclass(frozen=True)
class Console:
    """`quiet` prints errors only; `as_json` prints one JSON object for machines in place of words."""

    quiet: bool = False
    as_json: bool = False

    def say(self, text: str) -> None:
        """Print one line of result for a person."""
        if not (self.quiet or self.as_json):
            print(text)

    def note(self, text: str) -> None:
        """Print one line beside the result (a hint, a warning)."""
        if not self.quiet:
            print(text, file=sys.stderr)

    def result(self, value: dict[str, Any]) -> None:
        """Print the machine-readable result."""
        if self.as_json:
            print(json.dumps(value, indent=1))

    @contextlib.contextmanager
    def progress(self) -> Iterator[Progress]:
        """Yield a progress callback drawn as bars with time left; silent where nobody would see it."""
        if self.quiet or self.as_json or not sys.stderr.isatty():
            yield silent
            return
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description:<22}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=RichConsole(stderr=True), transient=True) as bars:
            tasks: dict[str, Any] = {}

            def show(stage: str, fraction: float) -> None:
                if stage not in tasks:
                    tasks[stage] = bars.add_task(STAGES.get(stage, stage), total=1.0)
                bars.update(tasks[stage], completed=fraction)

            yield show
