"""How much memory is free, and refusing in time what would not fit into it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from weft.errors import UserError

if TYPE_CHECKING:
    from torch import nn

MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def free_bytes() -> int | None:
    """Return the bytes that a process may still take, on this machine or in this container; None if nobody says."""
    found = []
    with suppress(OSError, ValueError):
        for line in MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
    with suppress(OSError, ValueError):  # "max" where the container has no limit of its own
        limit, used = (int((_CGROUP / f"memory.{name}").read_text()) for name in ("max", "current"))
        found.append(limit - used)
    if not found:
        with suppress(OSError, ValueError, AttributeError):
            found.append(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(found, default=None)


def weight_bytes(net: nn.Module, each: int = 4) -> int:
    """Return the bytes of a network's values, `each` of so many; it may lie on the meta device."""
    return sum(each * value.numel() for value in net.state_dict().values())


def require(name: str, wanted: int, free: int | None = None) -> None:
    """Raise UserError unless `wanted` bytes are free, as far as the system tells (`free` says so in its place)."""
    there = free_bytes() if free is None else free
    if there is not None and wanted > there:
        raise UserError(
            f"{name} needs about {wanted / 1e9:.1f} GB of memory and {there / 1e9:.1f} GB are free: close other "
            "programs, make fewer takes at once, or choose a smaller system (see: weft systems)"
        )
