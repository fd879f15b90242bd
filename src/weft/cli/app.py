"""The commands and their flags. Each parses, calls the library and prints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from weft.cli.app_eval import evaluate, leaks
from weft.cli.app_generate import generate, rerun
from weft.cli.app_models import models
from weft.cli.app_world import world
from weft.cli.console import Console
from weft.cli.flags import ClipArg, Cues, Duration, Force, Json, Quiet, Start

app = typer.Typer(
    name="weft",
    help="Put sound to silent video, held by three dials: when, where and what.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(world, name="world")
app.add_typer(models, name="models")


def _version(wanted: bool) -> None:
    if wanted:
        from weft import __version__

        print(f"weft {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def spot(
    clip: ClipArg,
    cues: Cues = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the sheet goes [CLIP.cues.json].")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Also write the onsets as CSV.")] = None,
    timeline: Annotated[bool, typer.Option(help="Also draw the sheet beside it, as PNG.")] = False,
    start: Start = 0.0,
    duration: Duration = None,
    force: Force = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write the cue sheet of CLIP: what sounds when and where. Edit it, then generate with --cues."""
    from weft.cli.commands import spot_clip

    spot_clip(
        Console(quiet, json),
        clip,
        cues=cues,
        output=output,
        csv=csv,
        timeline=timeline,
        start=start,
        duration=duration,
        force=force,
    )


app.command()(generate)
app.command()(rerun)
app.command("eval")(evaluate)
app.command()(leaks)


@app.command()
def systems(json: Json = False) -> None:
    """List who can perform, with licence, rate, channels and dials."""
    from weft.cli.commands import list_systems

    list_systems(Console(as_json=json))


@app.command()
def doctor(json: Json = False) -> None:
    """Say what this machine has and lacks, one line each."""
    from weft.cli.commands import examine_machine

    examine_machine(Console(as_json=json))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def train(
    context: typer.Context,
    recipe: Annotated[
        Path,
        typer.Argument(
            help="A recipe: recipes/train_codec.py, recipes/mmaudio_small_16k.toml ...", show_default=False
        ),
    ],
) -> None:
    """Run a training recipe; what follows its name are the recipe's own flags (after `--`, --help lists them)."""
    if recipe.suffix == ".toml":
        from weft.cli.training import train_toml

        train_toml(Console(), recipe, context.args)
        return
    from weft.cli.commands import run_recipe

    run_recipe(recipe, context.args)
