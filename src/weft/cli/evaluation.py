"""What `weft eval` does once its flags are read."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from weft.cli.console import Console
from weft.errors import UserError

if TYPE_CHECKING:
    from weft.evaluation.result import Evaluation, Score

LISTED = 20
BESIDE = {"silence": "silence", "shuffled": "shuffled", "reference": "itself"}
"""Baselines that have a column: silence, another clip's reference, the clip's own."""


def evaluate_clips(
    console: Console,
    reference: Path,
    predicted: Path | None,
    *,
    protocol: str | None,
    metrics: str | None,
    embedders: str | None,
    jobs: int | None,
    cache: Path | None,
    cache_limit: float | None,
    report: Path | None,
    output: Path | None,
    force: bool,
) -> None:
    from weft.evaluation.protocols import DEFAULT
    from weft.evaluation.report import refuse_report, write_report
    from weft.evaluation.run import evaluate
    from weft.media.atomic import refuse_unwritable, written_aside

    if output is not None:
        refuse_unwritable(output, overwrite=force)
    if report is not None:
        refuse_report(report, overwrite=force)
    with console.progress() as progress:
        found = evaluate(
            reference,
            predicted,
            by=protocol or DEFAULT,
            metrics=_names(metrics),
            embedders=_names(embedders),
            jobs=jobs or os.cpu_count() or 1,
            cache=cache,
            cache_limit_gb=cache_limit,
            progress=progress,
        )
    document = found.to_json()
    console.result(document)
    if not (console.quiet or console.as_json):
        _print(console, found)
    if output is not None:
        with written_aside(output, overwrite=force) as aside:
            aside.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        console.say(str(output))
    if report is not None:
        with console.progress() as progress:
            write_report(found, report, overwrite=force, progress=progress)
        console.say(str(report))
    if not found.ok:
        _tell_failures(console, found)
        raise SystemExit(1)


def list_names(console: Console, protocol: str | None) -> None:
    """Print what there is to ask for; of one protocol where it is named."""
    from rich import box
    from rich.console import Console as RichConsole
    from rich.table import Table

    from weft.evaluation.listing import listing

    found = listing(protocol)
    console.result(found)
    if console.quiet or console.as_json:
        return
    arrow = {"higher": "↑", "lower": "↓", "nearer": ""}
    lines = {
        "metrics": [
            (
                m["name"],
                arrow[m["better"]],
                m["unit"],
                m["title"] + ("; of each embedder" if m["by_embedder"] else ""),
            )
            for m in found["metrics"]
        ],
        "embedders": [
            (e["name"], "your file" if e["needs_file"] else "", "", e["summary"]) for e in found["embedders"]
        ],
        "protocols": [(p["name"], f"v{p['version']}", "", p["summary"]) for p in found["protocols"]],
    }
    for title, rows in lines.items():
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
        for column in (title, "", "", ""):
            table.add_column(column, no_wrap=column == title)
        for row in rows:
            table.add_row(*row)
        RichConsole(width=None if sys.stdout.isatty() else 140).print(table)


def _names(given: str | None) -> list[str] | None:
    if given is None:
        return None
    names = [name.strip() for name in given.split(",") if name.strip()]
    if not names:
        raise UserError(f"{given!r} names nothing; give names with commas between, or leave the flag out")
    return names


def _print(console: Console, found: Evaluation) -> None:
    from rich import box
    from rich.console import Console as RichConsole
    from rich.table import Table

    from weft.evaluation.report_page import counted, heard_before, noted, number

    plan = found.protocol
    beside = [b for b in BESIDE if any(b in s.baselines for s in found.scores)]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("metric", no_wrap=True)
    for column in ("value", "", "95%", "n", *(BESIDE[b] for b in beside), "floor"):
        table.add_column(column, justify="left" if column == "" else "right", no_wrap=True)
    single = len(plan.embedders) == 1
    for s in found.scores:
        name = s.name.partition("/")[0] if single else s.name
        table.add_row(
            name + {"higher": " ↑", "lower": " ↓", "nearer": ""}[s.better],
            number(s.value),
            s.unit + ("!" if s.flags else ""),
            f"{number(s.low)} … {number(s.high)}" if not math.isnan(s.low) else "",
            str(s.n),
            *(number(s.baselines.get(b, math.nan)) for b in beside),
            "" if s.floor is None else number(s.floor),
        )
    console.say(f"{plan.name} v{plan.version}: {plan.summary}")
    if found.scores:
        RichConsole(width=None if sys.stdout.isatty() else 120).print(table)
    _embedded(console, found)
    for s in found.scores:
        _explain(console, s)
    _warn(console, found)
    for side, rates in found.rates.items():
        if rates:
            console.say(f"{side}: " + "; ".join(f"{n} × {what}" for what, n in rates.items()))
    for line in (lines := noted(found))[:LISTED]:
        console.say(f"note: {line}")
    if len(lines) > LISTED:
        console.say(f"note: ... and {len(lines) - LISTED} more; --output has them all")
    for why, names in found.why_left_out.items():
        console.say(f"left out: {', '.join(names)}: {why}")
    if found.leaks is not None:
        console.say(heard_before(found.leaks))
    work = found.work
    console.say(
        f"{counted(len(found.clips), 'clip')}; {work['measured']} features measured, {work['cached']} from the cache; "
        + ", ".join(f"{stage} {spent:.1f} s" for stage, spent in found.seconds.items())
    )


def _embedded(console: Console, found: Evaluation) -> None:
    """A line for each embedder, and under it one for each number of rows that its metrics rest on."""
    from weft.evaluation.report_page import heard_by, sized

    by: dict[str, dict[str, list[str]]] = {}
    for s in found.scores:
        if s.embedder is not None and s.rows is not None:
            of = by.setdefault(heard_by(s), {})
            of.setdefault(sized(s), []).append(s.name)
    for who, sizes in by.items():
        console.say(who)
        for size, names in sizes.items():
            console.say(f"  {size}: {', '.join(names)}")


def _explain(console: Console, s: Score) -> None:
    from weft.evaluation.report_page import number

    others = {k: v for k, v in s.baselines.items() if k not in BESIDE} | s.parts
    if others:
        console.say(f"{s.name}: " + ", ".join(f"{k} {number(v)}" for k, v in others.items()))


def _warn(console: Console, found: Evaluation) -> None:
    """A line for each reason to be careful, however many metrics have it."""
    by: dict[str, list[str]] = {}
    for s in found.scores:
        for flag in s.flags:
            by.setdefault(flag, []).append(s.name)
    for flag, names in by.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        console.say(f"! {names[0]}{more}: {flag}")


def _tell_failures(console: Console, found: Evaluation) -> None:
    """On stderr, so that a machine that reads stdout is not disturbed."""
    from weft.evaluation.report_page import counted

    lines = [f"{c.name}: {why}" for c in found.failed for why in c.failures]
    lines += [f"{name}: only in the reference" for name in found.only_reference]
    lines += [f"{name}: only in the prediction" for name in found.only_predicted]
    for line in lines[:LISTED]:
        console.note(line)
    if len(lines) > LISTED:
        console.note(f"... and {len(lines) - LISTED} more; --output has them all")
    alone = len(found.only_reference) + len(found.only_predicted)
    console.note(
        f"{len(found.failed)} of {counted(len(found.clips), 'clip')} failed, {alone} without a partner"
    )
