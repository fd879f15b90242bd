"""Rows of arrays kept in a folder, an .npy each, and read again by memory map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Arrays:
    """The base of dataclasses whose fields are arrays `[N, ...]`, a row an example."""

    def save(self, folder: Path) -> None:
        """Write the arrays to a folder aside, then rename it."""
        aside = folder.with_name(f".{folder.name}")
        aside.mkdir(parents=True, exist_ok=True)
        for f in fields(self):
            np.save(aside / f"{f.name}.npy", getattr(self, f.name))
        aside.replace(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read by memory map what `save` wrote."""
        return cls(**{f.name: np.load(folder / f"{f.name}.npy", mmap_mode="r") for f in fields(cls)})

    @classmethod
    def stacked(cls, rows: Sequence[Self]) -> Self:
        """Make one of single examples, whose fields have no first axis yet."""
        return cls(**{f.name: np.stack([getattr(r, f.name) for r in rows]) for f in fields(cls)})

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Make one of several, one after another, in memory."""
        return cls(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)})
