"""The cache held to a size: what was not used for longest goes first.

A run needs all its features until it has scored, so nothing is removed while any run is at work: each holds a shared
lock (`in_use`), and `prune` goes without when it cannot have the lock alone; the last run to end prunes. Where the
file system has no locks, a run whose features went makes them again. Only files named as the cache names
its own are ever removed.
"""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from weft.errors import UserError

LIMIT_GB = 5.0
VARIABLE = "WEFT_CACHE_LIMIT"
STALE_S = 3600.0
"""How old an unfinished file must be before it counts as left behind by a run that was killed."""
_LOCK = ".lock"
_FOLDER = re.compile(r"[0-9a-f]{2}")
_OURS = re.compile(r"[0-9a-f]{64}\.safetensors")
_UNFINISHED = re.compile(r"\.[0-9a-f]{16}\.[0-9a-f]{8}\.part")


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """What is left, and how many files went. `waits`: another run is at work, so that nothing was removed."""

    files: int
    size: int
    removed: int = 0
    waits: bool = False


def limit_gb(given: float | None = None) -> float:
    """Return the limit in gigabytes (1e9 bytes): `given`, or WEFT_CACHE_LIMIT, or 5; `inf` is no limit.

    Raises UserError for what is no size.
    """
    said, of = (
        (given, "the limit of the cache") if given is not None else (os.environ.get(VARIABLE), VARIABLE)
    )
    if said is None or said == "":
        return LIMIT_GB
    try:
        value = float(said)
    except ValueError:
        value = math.nan
    if not value >= 0:
        raise UserError(
            f"{of} is {said!r}; give gigabytes, 0 or more, such as {LIMIT_GB:g}, or inf for no limit"
        )
    return value


def held(root: Path) -> Pruned:
    """Return how many features lie under `root`, and their size in bytes."""
    found = list(_entries(root))
    return Pruned(files=len(found), size=sum(size for _, size, _ in found))


@contextmanager
def in_use(root: Path) -> Iterator[None]:
    """Keep others from pruning `root` while the block runs; several runs may do so at once."""
    with _locked(root, alone=False):
        yield


def prune(root: Path, gigabytes: float) -> Pruned:
    """Remove the features under `root` that were not used for longest until `gigabytes` hold the rest."""
    with _locked(root, alone=True) as mine:
        found = sorted(_entries(root))
        size = sum(s for _, s, _ in found)
        if not mine:
            return Pruned(files=len(found), size=size, waits=True)
        removed = 0
        for _, bytes_, path in found:
            if size <= gigabytes * 1e9:
                break
            with suppress(OSError):  # a reader of Windows holds it, or somebody else removed it
                path.unlink()
                removed += 1
                size -= bytes_
        _sweep(root)
        return Pruned(files=len(found) - removed, size=size, removed=removed)


def _entries(root: Path) -> Iterator[tuple[int, int, Path]]:
    """When each feature was last used (ns), its bytes, and where it lies."""
    for entry in _scanned(root, _OURS):
        with suppress(OSError):
            told = entry.stat()
            yield told.st_mtime_ns, told.st_size, Path(entry.path)


def _sweep(root: Path) -> None:
    """Remove what killed runs left half-written."""
    for entry in _scanned(root, _UNFINISHED):
        with suppress(OSError):
            if time.time() - entry.stat().st_mtime > STALE_S:
                Path(entry.path).unlink()


def _scanned(root: Path, name: re.Pattern[str]) -> Iterator[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(root) as folders:
        for folder in folders:
            if _FOLDER.fullmatch(folder.name):
                with suppress(OSError), os.scandir(folder.path) as files:
                    yield from (f for f in files if name.fullmatch(f.name))


@contextmanager
def _locked(root: Path, *, alone: bool) -> Iterator[bool]:
    """Hold the lock of `root`, shared or alone; False when it cannot be had alone as others hold it."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield True
        return
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = os.open(root / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:  # it cannot be written, so that nothing can be removed from it either
        yield not alone
        return
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
        except BlockingIOError:
            yield False
        except OSError:  # a file system without locks
            yield True
        else:
            yield True
    finally:
        os.close(lock)
