"""Weights that others published: which file, from where, under which licence, and where a user puts it.

Nothing here is ever downloaded (`weft models download` does, when asked): a file lies in the folder that the
environment variable WEFT_WEIGHTS names, or in ~/.cache/weft/weights, under its official name. With WEFT_UNCHECKED=1 its
sums are not looked at: for weights of one's own of the same layout.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weft.errors import WeightsError
from weft.weights.digests import Kind, digest

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Published:
    """One official file, and the sums it is known by, None where none is published: `sha256`, whole or as much of its
    beginning as the file's name tells; `md5`; `git`, its name as a blob in the authors' repository. `megabytes` (1e6
    bytes) is about its size, where known."""

    file: str
    url: str
    licence: str
    sha256: str | None = None
    md5: str | None = None
    git: str | None = None
    megabytes: int | None = None


def folder() -> Path:
    """Where published weights are looked for."""
    return Path(os.environ.get("WEFT_WEIGHTS") or Path.home() / ".cache" / "weft" / "weights")


def place_of(given: Published) -> Path:
    """Where the user's copy lies or would lie."""
    return folder() / given.file


def path_of(given: Published) -> Path:
    """Return the user's copy. Raises WeightsError saying which file, from where, its licence and where to put it, or
    that it is another: of the sums known the first is looked at, SHA-256 before MD5 before git's."""
    path = place_of(given)
    if not path.is_file():
        size = f", {given.megabytes} MB" if given.megabytes else ""
        raise WeightsError(
            f"no {given.file} in {path.parent}: get it from {given.url} (licence: {given.licence}{size}) and put it "
            "there, or name its folder in WEFT_WEIGHTS"
        )
    if os.environ.get("WEFT_UNCHECKED") != "1" and (kind := differs(given, path)) is not None:
        raise WeightsError(
            f"{path} is not the published file (its {kind} differs): get it again from {given.url}"
        )
    return path


def differs(given: Published, path: Path) -> Kind | None:
    """Return which sum of the file at `path` is not the published one; None when it agrees, or none is known."""
    known: dict[Kind, str | None] = {"SHA-256": given.sha256, "MD5": given.md5, "git blob": given.git}
    kind, wanted = next(((k, v) for k, v in known.items() if v is not None), (None, ""))
    if kind is None or digest(path, kind).startswith(wanted):
        return None
    return kind


def load(given: Published) -> dict[str, Any]:
    """Return what the user's copy holds: a safetensors file, or `torch.load` with `weights_only=True`, which here lets
    numpy's numbers and arrays pass too (counters and samplers that some official files keep beside their weights).

    Raises WeightsError when it is missing, another or damaged.
    """
    path = path_of(given)
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        import torch

        with torch.serialization.safe_globals(_numpy_parts()):
            # Mapped, not read: what is then not asked for is never in memory. Files older than torch 1.6 cannot be.
            mapped = zipfile.is_zipfile(path)
            return dict(torch.load(path, map_location="cpu", weights_only=True, mmap=mapped))
    except Exception as error:
        what = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        raise WeightsError(f"{path} cannot be read ({what}): get it again from {given.url}") from error


def part(held: dict[str, Any], key: str, given: Published) -> dict[str, Any]:
    """Return `held[key]`, the weights of a file that keeps more than them. Raises WeightsError when there is none."""
    if not isinstance(held.get(key), dict):
        raise WeightsError(f"{given.file} has no {key!r} in it: get the published file from {given.url}")
    return dict(held[key])


def _numpy_parts() -> list[Any]:
    """What a pickled numpy number or array is made of, under numpy's old and new names."""
    import numpy as np
    from numpy._core import multiarray

    made = [
        (getattr(multiarray, n), f"numpy.{c}.multiarray.{n}")
        for n in ("scalar", "_reconstruct")
        for c in ("core", "_core")
    ]
    return [*made, np.ndarray, np.dtype, *(type(np.dtype(code)) for code in "?bBhHiIlLqQefd")]


def fit(net: torch.nn.Module, tensors: dict[str, torch.Tensor], given: Published) -> None:
    """Put `tensors` into `net`, which may lie on the meta device (built without values, sooner). Raises WeightsError
    listing keys that are missing, unexpected or of another shape."""
    own = net.state_dict()
    missing, extra = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    shapes = sorted(k for k in own.keys() & tensors.keys() if own[k].shape != tensors[k].shape)
    if missing or extra or shapes:
        raise WeightsError(
            f"{given.file} does not fit: {len(missing)} keys missing {missing[:5]}, {len(extra)} unexpected "
            f"{extra[:5]}, {len(shapes)} of another shape {shapes[:5]}"
        )
    net.load_state_dict(tensors, assign=any(value.is_meta for value in own.values()))


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    return digest(path, "SHA-256")
