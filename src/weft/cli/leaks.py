"""What `weft leaks` does once its flags are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from weft.cli.console import Console
from weft.errors import UserError

if TYPE_CHECKING:
    from weft.metrics.splits import Leak, Leaks

LISTED = 20
NEAR = {"recording": 1, "take": 2, "day": 3}
"""How near a training recording must be to count as a leak, the nearest first."""


def tell_leaks(console: Console, place: Path, *, split: str | None, by: str) -> None:
    from weft.evaluation.leaking import names_in
    from weft.metrics.splits import leaks

    if by not in NEAR:
        raise UserError(f"--by {by!r} is unknown; give {', '.join(NEAR)}")
    wanted = _splits(split)
    given = names_in(place)
    try:
        found = leaks(given)
    except ValueError as error:
        raise UserError(
            f"{error}: {place} has {given[0]}, for one; lists of other data sets than Greatest Hits are not here"
        ) from error
    asked = [leak for leak in found.leaks if leak.split in wanted]
    console.result(_document(found, asked, by))
    if not (console.quiet or console.as_json):
        _print(console, found, asked, by)
    if any(_counted(leak, by) for leak in asked):
        raise SystemExit(1)


def _splits(given: str | None) -> list[str]:
    from weft.cues.words import closest
    from weft.metrics.splits import SPLITS

    if given is None:
        return list(SPLITS)
    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if name not in SPLITS:
            near = closest(name, SPLITS)
            hint = f"did you mean {near}?" if near else f"known: {', '.join(SPLITS)}"
            raise UserError(f"unknown split {name!r}; {hint}")
    if not names:
        raise UserError(f"{given!r} names nothing; give names with commas between, or leave the flag out")
    return names


def _counted(leak: Leak, by: str) -> list[str]:
    """The recordings of a leak that are near enough, with how near."""
    lists = (leak.recordings, leak.same_take, leak.same_day)[: NEAR[by]]
    return [name for near in lists for name in near]


def _document(found: Leaks, asked: list[Leak], by: str) -> dict[str, Any]:
    from weft.metrics.splits import SPLITS

    return {
        "data_set": "Greatest Hits",
        "recordings": found.n,
        "clips": {name: list(clips) for name, clips in found.given.items()},
        "unknown": list(found.unknown),
        "by": by,
        "ok": not any(_counted(leak, by) for leak in asked),
        "splits": [
            {
                "split": leak.split,
                "what": SPLITS[leak.split],
                "trained_on": list(leak.recordings),
                "same_take": list(leak.same_take),
                "same_day": list(leak.same_day),
            }
            for leak in asked
        ],
    }


def _print(console: Console, found: Leaks, asked: list[Leak], by: str) -> None:
    import sys

    from rich import box
    from rich.console import Console as RichConsole
    from rich.table import Table

    from weft.metrics.splits import SPLITS

    unknown = f"; names of none: {len(found.unknown)}" if found.unknown else ""
    some = "1 recording" if found.n == 1 else f"{found.n} recordings"
    console.say(f"{some} of Greatest Hits{unknown}. Of them the training part of each split has:")
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("split", no_wrap=True)
    for column in ("the recording", "of its take", "of its day", "nothing near"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("")
    for leak in asked:
        near = [len(leak.recordings), len(leak.same_take), len(leak.same_day)]
        table.add_row(leak.split, *map(str, near), str(found.n - sum(near)), SPLITS[leak.split])
    RichConsole(width=None if sys.stdout.isatty() else 160).print(table)
    for leak in asked:
        for name in (counted := _counted(leak, by))[:LISTED]:
            clips = found.given[name]
            told = clips[0] if len(clips) == 1 else f"{len(clips)} clips, {clips[0]} the first"
            console.say(f"{leak.split}: {name}" + ("" if told == name else f" ({told})"))
        if len(counted) > LISTED:
            console.say(f"{leak.split}: ... and {len(counted) - LISTED} more; --json has them all")
