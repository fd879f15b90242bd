"""A take, again, from its sidecar."""

from __future__ import annotations

from pathlib import Path

from weft import media
from weft.errors import UserError
from weft.progress import Progress, silent
from weft.systems import sidecar
from weft.systems.generate import perform
from weft.systems.take import Take


def rerun(
    path: str | Path, *, clip: str | Path | None = None, progress: Progress = silent
) -> tuple[Take, bool, str]:
    """Play the take of a sidecar again; return (take, whether its samples are the same, what became of the
    clip's own sound).

    `clip` says where the clip is now, if it has moved. Raises UserError when the sidecar is not one, or when the
    clip or the reference is not the file the take was made from.
    """
    path = Path(path)
    made, sheet = sidecar.read(path)
    source = Path(clip) if clip is not None else (path.parent / made["source"]["path"]).resolve()
    video = media.Video.open(source, start=sheet.clip.start, duration=made["source"]["duration"])
    if sidecar.file_sha256(source) != made["source"]["sha256"]:
        raise UserError(f"{source} is not the clip this take was made from; give it with --clip")
    take = perform(
        video,
        sheet,
        system=made["system"],
        seed=made["seed"],
        take=made["take"],
        steps=made["steps"],
        guidance=made["guidance"],
        lufs=made["lufs"],
        progress=progress,
    )
    return take, take.provenance["audio"]["sha256"] == made["audio"]["sha256"], made["original"]
