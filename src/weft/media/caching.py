"""Named arrays kept on disk, each under a hexadecimal name that tells what they were made of.

Each is one safetensors file with a checksum, written aside and renamed: a run that was killed goes on where it
stopped, and processes may write beside each other. The folder may be removed at any time; `pruning.py` holds it to a
size. What a name is made of is the keeper's affair: never a file's name or place, always its content.
"""

from __future__ import annotations

import json
import os
import secrets
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from weft.errors import UserError

_LONGEST = 1 << 20  # of a header, so that damage cannot ask for all memory


class CacheError(UserError):
    """Features cannot be kept: the run ends, as every clip would fail alike."""


def folder() -> Path:
    """Where features are kept unless told otherwise: WEFT_CACHE, or ~/.cache/weft, and `features` in it."""
    return Path(os.environ.get("WEFT_CACHE") or Path.home() / ".cache" / "weft") / "features"


@dataclass(frozen=True, kw_only=True)
class Cache:
    """The features under `root`."""

    root: Path

    def path(self, name: str) -> Path:
        """Where the feature called `name`, 64 hexadecimal digits, lies or would lie."""
        return self.root / name[:2] / f"{name}.safetensors"

    def holds(self, name: str) -> bool:
        """Whether it has been made and lies there whole: after a power cut a file may be shorter than it says."""
        path = self.path(name)
        try:
            with path.open("rb") as file:
                header = file.read(int.from_bytes(file.read(8), "little") % _LONGEST)
            ends = [v["data_offsets"][1] for k, v in json.loads(header).items() if k != "__metadata__"]
            return path.stat().st_size == 8 + len(header) + max(ends)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False

    def load(self, name: str) -> dict[str, NDArray[Any]] | None:
        """Return the arrays, or None when there are none or the file is damaged; they then count as used now."""
        path = self.path(name)
        try:
            with safe_open(path, "np") as file:
                found = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 (no mapping)
                told = (file.metadata() or {}).get("crc32")
        except (SafetensorError, OSError, ValueError):
            return None
        if told != _checksum(found):
            return None
        with suppress(OSError):  # another user's cache, or gone meanwhile
            os.utime(path)
        return found

    def save(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep `arrays`; the last of several writers wins. Raises CacheError when the disk will not have it."""
        path = self.path(name)
        aside = path.with_name(f".{name[:16]}.{secrets.token_hex(4)}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            whole = {k: np.asarray(v, order="C") for k, v in arrays.items()}
            save_file(whole, aside, {"crc32": _checksum(whole)})
            aside.replace(path)
        except (OSError, SafetensorError) as error:
            raise CacheError(
                f"cannot keep features in {self.root} ({error}); free some space or give another --cache"
            ) from error
        finally:
            with suppress(OSError):
                aside.unlink(missing_ok=True)


def _checksum(arrays: Mapping[str, NDArray[Any]]) -> str:
    sum_ = 0
    for name in sorted(arrays):
        values = arrays[name]
        sum_ = zlib.crc32(f"{name} {values.dtype} {values.shape}".encode(), sum_)
        sum_ = zlib.crc32(values.tobytes(), sum_)
    return f"{sum_:08x}"
