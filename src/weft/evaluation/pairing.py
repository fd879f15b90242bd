"""Which predicted sound belongs to which reference: folders, a table, or WebDataset shards.

Folders and shards pair by the names that `gathering.py` gives their clips. A table is CSV with the columns reference,
predicted and, if wanted, video, text and cues; its paths are relative to its own folder. What finds no partner is
listed, never dropped.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from weft.errors import UserError
from weft.evaluation.gathering import Gathered, film_among, gathered, is_clip
from weft.evaluation.sources import Source

COLUMNS = ("reference", "predicted", "video", "text", "cues")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One clip: two sounds, and what else is known of it. `cues` is a sheet, or a world label that holds one."""

    name: str
    reference: Source
    predicted: Source
    video: Source | None = None
    text: str | None = None
    cues: Source | None = None


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """The pairs in order of name, and the names that only one side has."""

    pairs: tuple[Pair, ...]
    only_reference: tuple[str, ...] = ()
    only_predicted: tuple[str, ...] = ()


def pair(reference: Path, predicted: Path | None) -> Pairing:
    """Pair what `reference` and `predicted` name: two folders, two tars (or folders of them), two files, or one CSV.

    Raises UserError: nothing there, nothing pairs, two files of one name, a table that cannot be read.
    """
    if reference.suffix.lower() == ".csv":
        if predicted is not None:
            raise UserError(f"{reference} is a table and names both sides; leave {predicted} out")
        return _of_table(reference)
    if predicted is None:
        raise UserError(f"give the predicted sounds too, or a CSV with the columns {', '.join(COLUMNS[:2])}")
    for path in (reference, predicted):
        if not path.exists():
            raise UserError(f"{path} does not exist; give a folder, a CSV, a shard (.tar) or a file")
    if is_clip(reference) and is_clip(predicted):
        one = Pair(
            name=reference.stem,
            reference=Source(path=reference),
            predicted=Source(path=predicted),
            video=film_among(Source(path=reference), Source(path=predicted)),
        )
        return Pairing(pairs=(one,))
    if is_clip(reference) != is_clip(predicted):
        raise UserError(f"{reference} and {predicted} are not of one kind: give two folders, tars or files")
    return _joined(gathered(reference), gathered(predicted), reference, predicted)


def _joined(
    true: dict[str, Gathered], made: dict[str, Gathered], reference: Path, predicted: Path
) -> Pairing:
    both = sorted(true.keys() & made.keys())
    if not both:
        raise UserError(
            f"nothing pairs: {len(true)} clips in {reference} ({_few(true)}), {len(made)} in {predicted} "
            f"({_few(made)}); name them alike, or use a CSV"
        )
    pairs = tuple(
        Pair(
            name=name,
            reference=true[name].sound,
            predicted=made[name].sound,
            video=true[name].film or made[name].film,
            text=true[name].text,
            cues=true[name].cues,
        )
        for name in both
    )
    return Pairing(
        pairs=pairs,
        only_reference=tuple(sorted(true.keys() - made.keys())),
        only_predicted=tuple(sorted(made.keys() - true.keys())),
    )


def _few(names: Iterable[str]) -> str:
    some = sorted(names)
    return ", ".join(some[:3]) + (", ..." if len(some) > 3 else "") if some else "none"


def _of_table(path: Path) -> Pairing:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is not a CSV in UTF-8 ({error})") from error
    for line, row in enumerate(rows, start=2):
        if None in row:
            raise UserError(
                f"{path} has more cells in line {line} than columns; put texts with commas in quotes"
            )
    given = set(rows[0]) if rows else set()
    if not rows or not {"reference", "predicted"} <= given:
        raise UserError(
            f"{path} must have rows and the columns reference, predicted [{', '.join(COLUMNS[2:])}]"
        )
    strange = sorted(str(c) for c in given - set(COLUMNS))
    if strange:
        raise UserError(f"{path} has the column {strange[0]!r}; allowed are {', '.join(COLUMNS)}")
    pairs, alone = [], {"reference": [], "predicted": []}  # type: tuple[list[Pair], dict[str, list[str]]]
    for line, row in enumerate(rows, start=2):
        true, made = _placed(path, row, "reference"), _placed(path, row, "predicted")
        if true is None or made is None:
            sole = true or made
            if sole is not None:
                alone["reference" if true else "predicted"].append(f"line {line}: {sole.path.name}")
            continue
        pairs.append(
            Pair(
                name=true.path.stem,
                reference=true,
                predicted=made,
                video=_placed(path, row, "video") or film_among(true, made),
                text=(row.get("text") or "").strip() or None,
                cues=_placed(path, row, "cues"),
            )
        )
    if not pairs:
        raise UserError(f"nothing pairs: no row of {path} names both a reference and a predicted sound")
    return Pairing(
        pairs=_told_apart(pairs),
        only_reference=tuple(alone["reference"]),
        only_predicted=tuple(alone["predicted"]),
    )


def _told_apart(pairs: list[Pair]) -> tuple[Pair, ...]:
    """Rows of one name are numbered in order: several takes of one reference are several clips."""
    seen: dict[str, int] = {}
    for p in pairs:
        seen[p.name] = seen.get(p.name, 0) + 1
    count: dict[str, int] = {}
    out = []
    for p in pairs:
        count[p.name] = count.get(p.name, 0) + 1
        name = p.name if seen[p.name] == 1 else f"{p.name} #{count[p.name]}"
        out.append(Pair(**{**vars(p), "name": name}))
    return tuple(out)


def _placed(table: Path, row: dict[str, str], column: str) -> Source | None:
    cell = (row.get(column) or "").strip()
    return Source(path=table.parent / cell) if cell else None
