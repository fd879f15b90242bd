"""Weights that others published: which file, from where, under which licence, and where a user puts it.

Nothing here is ever downloaded: a file lies in the folder that the environment variable WEFT_WEIGHTS names, or in
~/.cache/weft/weights, under its official name.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weft.errors import WeightsError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Published:
    """One official file, and the sums it is known by, None where none is published: `sha256`, whole or as much of its
    beginning as the file's name tells; `md5`; `git`, its name as a blob in the authors' repository."""

    file: str
    url: str
    licence: str
    sha256: str | None = None
    md5: str | None = None
    git: str | None = None


def folder() -> Path:
    """Where published weights are looked for."""
    return Path(os.environ.get("WEFT_WEIGHTS") or Path.home() / ".cache" / "weft" / "weights")


def path_of(given: Published) -> Path:
    """Return the user's copy. Raises WeightsError saying which file, from where, its licence and where to put it, or
    that it is another: of the sums known the first is looked at, SHA-256 before MD5 before git's."""
    path = folder() / given.file
    if not path.is_file():
        raise WeightsError(
            f"no {given.file} in {path.parent}: get it from {given.url} (licence: {given.licence}) and put it there, "
            "or name its folder in WEFT_WEIGHTS"
        )
    known = {"SHA-256": given.sha256, "MD5": given.md5, "git blob": given.git}
    kind, wanted = next(((k, v) for k, v in known.items() if v is not None), ("", ""))
    if kind and not _digest(path, kind).startswith(wanted):
        raise WeightsError(
            f"{path} is not the published file (its {kind} differs): get it again from {given.url}"
        )
    return path


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
            return dict(torch.load(path, map_location="cpu", weights_only=True))
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
    return _digest(path, "SHA-256")


def _digest(path: Path, kind: str) -> str:
    """A sum of the file as it lies there now; large files are read once a process, not for each question."""
    there = path.stat()
    return _read(path, kind, there.st_size, there.st_mtime_ns)


@lru_cache(maxsize=64)
def _read(path: Path, kind: str, size: int, changed_ns: int) -> str:
    # MD5 and SHA-1 tell a damaged copy from a whole one, as its publisher does; they are no protection against malice.
    if kind == "SHA-256":
        digest = hashlib.sha256()
    elif kind == "MD5":
        digest = hashlib.md5(usedforsecurity=False)
    else:
        digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
