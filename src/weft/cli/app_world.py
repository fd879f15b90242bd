"""`weft world` and its flags."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from weft.cli.console import Console
from weft.cli.flags import Force, Quiet, Seed

world = typer.Typer(
    help="The procedural world that trains weft: look at it, build data from it.", no_args_is_help=True
)


@world.command("sample")
def world_sample(
    folder: Annotated[Path, typer.Argument(help="Where the clips go.", show_default=False)],
    domain: Annotated[str, typer.Option(help="hits, walks or drops.")] = "hits",
    count: Annotated[int, typer.Option(min=1, help="How many clips.")] = 4,
    seed: Seed = 0,
    duration: Annotated[float, typer.Option(help="Seconds a clip.")] = 4.0,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Write clips of the world to look at and listen to, each with its exact cue sheet."""
    from weft.cli.commands import sample_world

    sample_world(
        Console(quiet), folder, domain=domain, count=count, seed=seed, duration=duration, force=force
    )


@world.command("build")
def world_build(
    folder: Annotated[Path, typer.Argument(help="Where the shards go.", show_default=False)],
    split: Annotated[str, typer.Option(help="train, val or test.")] = "train",
    count: Annotated[int, typer.Option(min=1, help="How many clips.")] = 1000,
    domains: Annotated[str, typer.Option(help="Comma-separated: hits,walks,drops.")] = "hits,walks,drops",
    workers: Annotated[int, typer.Option(min=1, help="Processes beside each other.")] = 1,
    quiet: Quiet = False,
) -> None:
    """Write WebDataset shards of the world; run again to go on where it stopped."""
    from weft.cli.commands import build_world

    build_world(Console(quiet), folder, split=split, count=count, domains=domains.split(","), workers=workers)
