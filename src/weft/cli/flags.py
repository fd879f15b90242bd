"""Arguments and flags that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ClipArg = Annotated[Path, typer.Argument(metavar="CLIP", help="The video.", show_default=False)]
Cues = Annotated[Path | None, typer.Option(help="Cue sheet; what it leaves out is spotted.")]
Start = Annotated[float, typer.Option(help="Seconds into the clip to begin at.")]
Duration = Annotated[float | None, typer.Option(help="Seconds of the clip to use; all of it if not given.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
Force = Annotated[bool, typer.Option("--force", help="Write over existing outputs.")]
Seed = Annotated[int, typer.Option(help="Names the random numbers: the same seed gives the same samples.")]
