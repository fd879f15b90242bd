"""Sums of files, each file read once and its sums remembered: weights have gigabytes, and every load asks for them.

What was computed is kept in `digests.json` of the user's cache folder under the file's path, size and time of change.
Whoever changes a file and sets its time back is not found out; to forget everything, remove `digests.json`.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

Kind = Literal["SHA-256", "MD5", "git blob"]
SETTLED_S = 2.0
"""A file changed later than this is not remembered: it could change again within its clock's resolution."""
_FILE = "digests.json"
_BLOCK = 1 << 20


def memory() -> Path:
    """Where sums are remembered: `digests.json` in WEFT_CACHE, or in ~/.cache/weft."""
    return Path(os.environ.get("WEFT_CACHE") or Path.home() / ".cache" / "weft") / _FILE


def digest(path: Path, kind: Kind) -> str:
    """Return a sum of the file in hexadecimal; "git blob" is its name in a git repository. Raises OSError."""
    there = path.stat()
    name, state = str(path.resolve()), [there.st_size, there.st_mtime_ns, there.st_ino]
    known = _remembered().get(name)
    if isinstance(known, dict) and known.get("state") == state and isinstance(known.get(kind), str):
        return str(known[kind])
    sums = computed(path, there.st_size)
    if time.time() - there.st_mtime > SETTLED_S:
        _remember(name, {"state": state, **{str(k): v for k, v in sums.items()}})
    return sums[kind]


def computed(path: Path, size: int) -> dict[Kind, str]:
    """Return all sums of a file of `size` bytes from one reading of it."""
    # MD5 and SHA-1 tell a damaged copy from a whole one, as its publisher does; they are no protection against malice.
    sums: dict[Kind, Any] = {
        "SHA-256": hashlib.sha256(),
        "MD5": hashlib.md5(usedforsecurity=False),
        "git blob": hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False),
    }
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            for one in sums.values():
                one.update(block)
    return {kind: one.hexdigest() for kind, one in sums.items()}


def _remembered() -> dict[str, Any]:
    try:
        held = json.loads(memory().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _remember(name: str, sums: Mapping[str, Any]) -> None:
    """Add to what is remembered; of two processes the later may forget what the earlier added: it is read again."""
    target = memory()
    aside = target.with_name(f".{_FILE}.{secrets.token_hex(4)}.part")
    held = {k: v for k, v in _remembered().items() if Path(k).exists()}
    with suppress(OSError):  # a cache that cannot be written is read again and again
        target.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps({**held, name: sums}, indent=1), encoding="utf-8")
        aside.replace(target)
    with suppress(OSError):
        aside.unlink(missing_ok=True)
