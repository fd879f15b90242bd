"""Which published training splits the clips of a set lie in: of the names in a folder, shard, table or list, and of the
pairs of an evaluation."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from weft.errors import UserError
from weft.evaluation.gathering import MEDIA, gathered
from weft.evaluation.pairs import Pair
from weft.metrics.splits import Leaks, leaks

LISTS = (".csv", ".tsv", ".txt", ".list")


def names_in(place: Path) -> list[str]:
    """Return what the clips at `place` are called: of a folder or tar the names of its clips, of a CSV with a column
    `reference` its cells, of another text file its lines, of a single sound or film its own name.

    Raises UserError: nothing there, no clips in it, not text in UTF-8.
    """
    if not place.exists():
        raise UserError(f"{place} does not exist; give a folder, a shard (.tar) or a list of names")
    if place.is_dir():
        files = sorted(p for p in place.rglob("*") if p.suffix.lower() in MEDIA)
        if files:  # as many as there are: a sound and a film of one name are no fault here
            return [p.relative_to(place).as_posix() for p in files]
        return list(gathered(place))
    if place.suffix.lower() in MEDIA:
        return [place.name]
    return _listed(place) if place.suffix.lower() in LISTS else list(gathered(place))


def leaks_of(pairs: Iterable[Pair]) -> Leaks | None:
    """Return what the references of `pairs` share with the published splits; None when no name is recognised."""
    try:
        return leaks(str(p.reference) for p in pairs)
    except ValueError:
        return None


def _listed(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not text in UTF-8 ({error})") from error
    named = [line.strip() for line in lines if line.strip()]
    if path.suffix.lower() == ".csv" and named and "reference" in named[0].split(","):
        named = [row["reference"] for row in csv.DictReader(lines) if row.get("reference")]
    if not named:
        raise UserError(f"{path} names nothing; give one recording a line")
    return named
