"""`weft models` and its flags."""

from __future__ import annotations

from typing import Annotated

import typer

from weft.cli.console import Console
from weft.cli.flags import Json, Quiet

models = typer.Typer(help="The weights of others that systems and embedders run on.", no_args_is_help=True)

ModelName = Annotated[
    str, typer.Argument(metavar="NAME", help="A name of weft models list.", show_default=False)
]


@models.command("list")
def models_list(json: Json = False) -> None:
    """List the systems and embedders that run on files of others, and which of them are here."""
    from weft.cli.models import list_models

    list_models(Console(as_json=json))


@models.command("path")
def models_path(name: ModelName, json: Json = False) -> None:
    """Say which files NAME needs, where each lies or goes, and from where it comes."""
    from weft.cli.models import tell_places

    tell_places(Console(as_json=json), name)


@models.command("verify")
def models_verify(
    name: Annotated[
        str | None, typer.Argument(help=r"A name of the list \[all that is here].", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Compare files with their published sums. Exit status 1 when one is missing or another."""
    from weft.cli.models import verify_models

    verify_models(Console(as_json=json), name)


@models.command("download")
def models_download(
    name: ModelName,
    mirror: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="A folder of a server that holds the files by their official names."
        ),
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Fetch the files of NAME, size and licence said first; what was interrupted goes on where it stopped."""
    from weft.cli.models import download_model

    download_model(Console(quiet, json), name, mirror=mirror)
