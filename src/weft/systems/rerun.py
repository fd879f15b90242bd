"""A take, again, from its sidecar."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from weft.errors import UserError
from weft.progress import Progress, silent
from weft.systems import sidecar
from weft.systems.generate import perform_takes
from weft.systems.guide import Guidance
from weft.systems.playing import Playing
from weft.systems.region import Region
from weft.systems.scene import open_scene
from weft.systems.take import Take


def rerun(
    path: str | Path,
    *,
    clip: str | Path | None = None,
    known: str | Path | None = None,
    progress: Progress = silent,
) -> tuple[Take, bool, str]:
    """Play the take of a sidecar again; return (take, whether its samples are the same, what became of the
    clip's own sound).

    `clip` says where the clip is now, if it has moved; `known` the same of the take of which a region was made anew.
    Raises UserError when the sidecar is not one, or when the
    clip or the reference is not the file the take was made from.
    """
    path = Path(path)
    made, sheet = sidecar.read(path)
    source = None
    if made["source"]["path"] is not None:
        source = Path(clip) if clip is not None else (path.parent / made["source"]["path"]).resolve()
    scene = open_scene(source, sheet.clip.start, made["source"]["duration"])
    if source is not None and sidecar.file_sha256(source) != made["source"]["sha256"]:
        raise UserError(f"{source} is not the clip this take was made from; give it with --clip")
    takes = made.get("together") or [made["take"]]
    playing = Playing(
        system=made["system"],
        seed=made["seed"],
        steps=made["steps"],
        guidance=made["guidance"],
        guide=Guidance.of(made.get("guide")),
        lufs=made["lufs"],
        compat=made.get("compat", False),
        without=tuple(made.get("without", ())),
        region=_region(made, path, known),
        reference_strength=made.get("reference_strength"),
        precision=made.get("precision", "fp32"),
    )
    performed = perform_takes(scene, sheet, takes, playing, progress=progress)
    take = next(islice(performed, takes.index(made["take"]), None))
    return take, take.provenance["audio"]["sha256"] == made["audio"]["sha256"], made["original"]


def _region(made: dict[str, Any], path: Path, known: str | Path | None) -> Region | None:
    told = made.get("region")
    if told is None:
        return None
    source = Path(known) if known is not None else (path.parent / told["source"]).resolve()
    region = Region(
        start=told["start"], end=told["end"], source=source, loudness_db=told.get("loudness_db", 0.0)
    )
    if sidecar.file_sha256(region.sound) != told["sha256"]:
        raise UserError(f"{source} is not the take of which a region was made anew; give that with --from")
    return region
