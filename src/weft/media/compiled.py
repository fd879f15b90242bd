"""librosa, loaded by one process at a time.

numba compiles parts of librosa the moment they are loaded, one function for several types of number, and keeps them in
a cache beside it. Two processes that fill this cache at once can mix its entries up, and from then on every process
that calls such a function dies of a segmentation fault (librosa 0.11 with numba 0.62: after two of four tries).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType


@cache
def librosa() -> ModuleType:
    """Return librosa with its compiled parts loaded. Raises ModuleNotFoundError where it is not installed."""
    with _alone("librosa"):
        for part in (
            "util.utils",
            "core.audio",
            "core.pitch",
            "feature.spectral",
            "beat",
            "onset",
            "filters",
        ):
            import_module(f"librosa.{part}")
    return import_module("librosa")


@contextmanager
def _alone(package: str) -> Iterator[None]:
    """Hold off other processes of this user that load `package` from the same place; where the system has no locks on
    files, or no room for one, do not wait."""
    spec = find_spec(package)
    place = sha256(str(spec and spec.origin).encode()).hexdigest()[:16]
    with ExitStack() as held:
        with suppress(ImportError, OSError):
            import fcntl

            path = Path(tempfile.gettempdir()) / f"weft-{package}-{os.getuid()}-{place}.lock"
            fcntl.flock(held.enter_context(path.open("w")), fcntl.LOCK_EX)
        yield
