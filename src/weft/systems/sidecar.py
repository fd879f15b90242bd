"""The sidecar of a take: everything needed to play it again, and to know later how it was made."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
from pathlib import Path
from typing import Any

from weft.cues.sheet import CueSheet
from weft.errors import UserError
from weft.media.video import Video
from weft.systems.scene import Blank, Scene

FORMAT = 1
METADATA_LIMIT = 60_000
"""Longest provenance, in characters, written into the media file itself; the sidecar always has all of it."""


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def described(scene: Scene) -> dict[str, Any]:
    """What a take was made to: the file, its bytes' SHA-256 and the stretch of it; path and SHA-256 are None for a
    length alone."""
    path = None if isinstance(scene, Blank) else scene.path
    return {
        "path": None if path is None else str(path.resolve()),
        "sha256": None if path is None else file_sha256(path),
        "start": scene.start if isinstance(scene, Video) else 0.0,
        "duration": scene.duration,
    }


def versions() -> dict[str, str]:
    """Versions of what the samples depend on."""
    import torch

    from weft import __version__

    names = ("numpy", "scipy", "av", "soxr")
    found = {name: importlib.metadata.version(name) for name in names}
    return {
        "weft": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": str(torch.get_num_threads()),
        **found,
    }


def write(path: Path, provenance: dict[str, Any], sheet: CueSheet) -> None:
    """Write the sidecar at `path`; paths in it (the source's, a region's take's) are relative to its folder."""
    document = {"sidecar": FORMAT, **provenance, "cues": json.loads(sheet.to_json())}
    source = dict(document["source"])
    if source["path"] is not None:
        source["path"] = os.path.relpath(source["path"], path.parent.resolve())
    document["source"] = source
    if document.get("region") is not None:
        region = dict(document["region"])
        region["source"] = os.path.relpath(region["source"], path.parent.resolve())
        document["region"] = region
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> tuple[dict[str, Any], CueSheet]:
    """Return (provenance, cue sheet) of a sidecar; raises UserError when the file is not one."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"no sidecar at {path}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not a readable sidecar: {error}") from error
    if not isinstance(document, dict) or document.get("sidecar") != FORMAT:
        raise UserError(f"{path} is not a weft sidecar of format {FORMAT}; give the .weft.json beside a take")
    sheet = CueSheet.from_json(json.dumps(document.pop("cues")))
    return document, sheet


def comment(provenance: dict[str, Any], sheet: CueSheet) -> str:
    """The provenance as one JSON line for the file's own metadata; a very long sheet is left to the sidecar."""
    text = json.dumps(
        {**provenance, "cues": json.loads(sheet.to_json())}, separators=(",", ":"), ensure_ascii=False
    )
    return (
        text
        if len(text) <= METADATA_LIMIT
        else json.dumps(provenance, separators=(",", ":"), ensure_ascii=False)
    )
