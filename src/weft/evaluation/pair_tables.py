"""Pairs written down: a CSV with the columns reference and predicted, and if wanted what else is known of a clip.

Its paths are relative to its own folder.
"""

from __future__ import annotations

import csv
from pathlib import Path

from weft.errors import UserError
from weft.evaluation.pairs import Pair, Pairing
from weft.evaluation.sources import Source, film_among

COLUMNS = ("reference", "predicted", "video", "text", "cues", "without", "like", "maps", "predicted_maps")


def of_table(path: Path) -> Pairing:
    """Return the pairs of a CSV's rows.

    Raises UserError: it cannot be read, lacks a column, has one that is unknown, a row with more cells than columns,
    nothing pairs.
    """
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
                without=_placed(path, row, "without"),
                like=_placed(path, row, "like"),
                maps=_placed(path, row, "maps"),
                predicted_maps=_placed(path, row, "predicted_maps"),
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
