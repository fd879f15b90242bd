"""Onsets as a table: out for a spreadsheet, in from what people have (a DAW's markers, Audacity labels)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path

from weft.cues.sheet import Onset
from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.cues.words import shown
from weft.errors import CueError

COLUMNS = ("t", "strength", "duration", "material", "action")

SPELLINGS = {
    "t": ("t", "time", "times", "onset", "onsets", "start", "begin", "seconds", "s", "sec", "position"),
    "strength": ("strength", "level", "gain", "amplitude", "intensity", "loudness", "weight"),
    "velocity": ("velocity", "vel"),
    "duration": ("duration", "dur", "length", "len"),
    "end": ("end", "stop", "offset", "until"),
    "material": ("material", "mat", "surface", "ground"),
    "action": ("action", "kind", "type", "event", "gesture"),
    "label": ("label", "name", "text", "marker", "note", "comment"),
}  # fmt: skip


def onsets_to_csv(onsets: Iterable[Onset]) -> str:
    """A header and one line per onset; what nobody wrote stays an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for onset in onsets:
        writer.writerow(["" if n in onset.unwritten else getattr(onset, n) for n in COLUMNS])
    return out.getvalue()


def onsets_from_csv(text: str) -> tuple[Onset, ...]:
    """Onsets sorted by time, from comma-, semicolon- or tab-separated lines.

    Headers may be spelt in many ways and stand in any order; unknown ones are ignored. Without a header the
    columns are `COLUMNS`, or start, end, label as Audacity writes them. Times are seconds or [h:]m:s; a
    `velocity` is 1..127; an `end` gives the duration; a `label` the material or action it names. Empty lines
    and lines that begin with # are skipped. Raises `CueError` beginning with the line number.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    numbered = [
        (i, line) for i, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("#")
    ]
    if not numbered:
        return ()
    comma = _separator(numbered[0][1])
    rows = [(i, _cells(i, line, comma)) for i, line in numbered]
    columns = _columns(rows[0][1])
    if columns is None:
        columns = ["t", "end", "label"] if _is_audacity(comma, rows[0][1]) else list(COLUMNS)
    else:
        if "t" not in columns:
            raise CueError(f"line {rows[0][0]}: no column of times; name one t (known: {', '.join(COLUMNS)})")
        rows = rows[1:]
    onsets = []
    for number, cells in rows:
        if len(cells) > len(columns) and any(cells[len(columns) :]):
            raise CueError(f"line {number}: {len(cells)} cells for {len(columns)} columns")
        given = {c: v for c, v in zip(columns, cells, strict=False) if c and v}
        try:
            onsets.append(_onset(given, decimal_comma=comma != ","))
        except CueError as error:
            raise CueError(f"line {number}: {error}") from None
    return tuple(sorted(onsets, key=lambda o: o.t))


def save_csv(onsets: Iterable[Onset], path: str | Path, *, overwrite: bool = False) -> None:
    """Write the table aside, then rename it to `path`; `MediaError` if that cannot be."""
    from weft.media.atomic import written_aside

    with written_aside(path, overwrite) as aside:
        aside.write_text(onsets_to_csv(onsets), encoding="utf-8")


def load_csv(path: str | Path) -> tuple[Onset, ...]:
    """The onsets in the file `path`; raises `CueError`."""
    try:
        return onsets_from_csv(Path(path).read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise CueError(f"{path}: not a text file; save the table as CSV in UTF-8") from None
    except OSError as error:
        raise CueError(f"{path}: cannot be read ({error.strerror})") from None


def _cells(number: int, line: str, separator: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]
    except csv.Error as error:
        raise CueError(f"line {number}: not a table ({error})") from None


def _separator(line: str) -> str:
    return next((mark for mark in ("\t", ";") if mark in line), ",")


def _columns(cells: list[str]) -> list[str] | None:
    """What each header cell stands for ("" for an unknown one), or None when the line is data."""
    if _is_time(cells[0]) or not any(re.search(r"[^\W\d_]", cell) for cell in cells):
        return None
    plain = [
        re.sub(r"[(\[].*?[)\]]", "", cell).strip().lower().replace(" ", "").rstrip(":") for cell in cells
    ]
    stands_for = {spelling: column for column, spellings in SPELLINGS.items() for spelling in spellings}
    columns: list[str] = []
    for word in plain:
        column = stands_for.get(re.sub(r"_?(s|sec|seconds)$", "", word) or word) or stands_for.get(word, "")
        columns.append("" if column in columns else column)
    return columns


def _is_time(cell: str) -> bool:
    return re.fullmatch(r"[+-]?[\d.,:]+(e[+-]?\d+)?s?", cell, re.IGNORECASE) is not None


def _is_audacity(separator: str, cells: list[str]) -> bool:
    return separator == "\t" and 2 <= len(cells) <= 3 and all(map(_is_time, cells[:2]))


def _onset(given: dict[str, str], *, decimal_comma: bool) -> Onset:
    def number(name: str) -> float:
        cell = given[name].replace(",", ".") if decimal_comma else given[name]
        try:
            return float(cell)
        except ValueError:
            raise CueError(f"{name}: {shown(given[name])} is not a number") from None

    if "t" not in given:
        raise CueError("t: missing; give seconds")
    fields: dict[str, float | str] = {}
    for name in ("t", "end"):
        if name in given:
            fields[name] = _seconds(name, given[name].replace(",", ".") if decimal_comma else given[name])
    end = fields.pop("end", None)
    if "strength" in given:
        fields["strength"] = number("strength")
    elif "velocity" in given:
        velocity = number("velocity")
        if not 0 < velocity <= 127:
            raise CueError(f"velocity: {shown(given['velocity'])} is out of range; give 1 to 127")
        fields["strength"] = velocity / 127
    if "duration" in given:
        fields["duration"] = _seconds(
            "duration", given["duration"].replace(",", ".") if decimal_comma else given["duration"]
        )
    elif end is not None and end != fields["t"]:
        fields["duration"] = float(end) - float(fields["t"])
    for name, known in (("material", MATERIALS), ("action", ACTIONS)):
        if name in given:
            word = given[name].lower().replace("_", "-").replace(" ", "-")
            fields[name] = word if word in known else given[name]
        else:
            words = re.findall(
                r"[a-z-]+", given.get("label", "").lower().replace("plastic bag", "plastic-bag")
            )
            said = [word for word in words if word in known]
            if said:
                fields[name] = said[0]
    return Onset(**fields)  # type: ignore[arg-type]


def _seconds(name: str, cell: str) -> float:
    """Seconds from "1.5", "1.5s", "1:02.5" or "0:01:02.5"."""
    parts = cell.lower().rstrip("s").strip().split(":")
    try:
        values = [float(part) for part in parts]
    except ValueError:
        values = []
    if not 1 <= len(values) <= 3 or (len(values) > 1 and min(values) < 0):
        raise CueError(f"{name}: {shown(cell)} is no time; give seconds, or minutes as 1:02.5")
    total = 0.0
    for value in values:
        total = total * 60 + value
    return total
