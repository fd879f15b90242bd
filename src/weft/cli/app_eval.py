"""`weft eval` and `weft leaks`, and their flags."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from weft.cli.console import Console
from weft.cli.flags import Force, Json, Quiet


def evaluate(
    reference: Annotated[
        Path | None,
        typer.Argument(help="Folder, shard (.tar) or file; or a CSV that names both.", show_default=False),
    ] = None,
    predicted: Annotated[Path | None, typer.Argument(help="The sounds to judge.", show_default=False)] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help=r"plain, greatest-hits, vggsound, av-benchmark, world-hits or world-walks \[plain].",
            show_default=False,
        ),
    ] = None,
    metrics: Annotated[
        str | None, typer.Option(help="These metrics in place of the protocol's, commas between; see --list.")
    ] = None,
    embedders: Annotated[
        str | None,
        typer.Option(help="These embedders in place of the protocol's, commas between; see --list."),
    ] = None,
    names: Annotated[
        bool,
        typer.Option(
            "--list", help="Print which metrics, embedders and protocols there are; of one --protocol."
        ),
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help=r"Processes beside each other \[as many as cores].")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Where measured features are kept [~/.cache/weft/features].")
    ] = None,
    cache_limit: Annotated[
        float | None,
        typer.Option(
            metavar="GB",
            help="How much of them stays; what was used longest ago goes first [WEFT_CACHE_LIMIT, or 5].",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Also write an HTML report, its clips in a folder beside it.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the result as JSON.")
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Score PREDICTED against REFERENCE, clips paired by name. Exit status 1 when some clips failed.

    Whether published systems were trained on these clips: weft leaks REFERENCE."""
    from weft.cli.evaluation import evaluate_clips, list_names
    from weft.errors import UserError

    if names:
        if any(v is not None for v in (reference, predicted, metrics, embedders, report, output)):
            raise UserError("--list scores nothing; leave the sounds and other flags out, --protocol apart")
        list_names(Console(quiet, json), protocol)
        return
    if reference is None:
        raise UserError("nothing to score; give REFERENCE and PREDICTED, or --list for what can be measured")
    evaluate_clips(
        Console(quiet, json),
        reference,
        predicted,
        protocol=protocol,
        metrics=metrics,
        embedders=embedders,
        jobs=jobs,
        cache=cache,
        cache_limit=cache_limit,
        report=report,
        output=output,
        force=force,
    )


def leaks(
    place: Annotated[
        Path,
        typer.Argument(
            metavar="TEST",
            help="The test set: folder, shard (.tar), CSV, or a text file with one name a line.",
            show_default=False,
        ),
    ],
    split: Annotated[
        str | None, typer.Option(help=r"Only these splits, commas between \[all].", show_default=False)
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            help="What counts: recording (itself), take (a piece of the same take too), day (its day too)."
        ),
    ] = "recording",
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Say which published splits trained on the clips of TEST. Exit status 1 when some did, 2 when no name is known."""
    from weft.cli.leaks import tell_leaks

    tell_leaks(Console(quiet, json), place, split=split, by=by)
