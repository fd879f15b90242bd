"""The cue sheet as a JSON document a person writes by hand, and a program reads without guessing.

A key left out (or null) means "not given". Every fault is a `CueError` that begins with the JSON path.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from weft.cues.sheet import (
    VERSION,
    Clip,
    CueSheet,
    Envelope,
    Onset,
    Segment,
    Track,
    What,
    When,
    Where,
)
from weft.cues.words import closest, shown
from weft.errors import CueError

KEYS = {
    "": ("version", "clip", "when", "where", "what"),
    "clip": ("duration", "width", "height", "start", "fps"),
    "when": ("onsets", "envelope", "source"),
    "onset": ("t", "strength", "duration", "material", "action"),
    "envelope": ("hop", "rms"),
    "where": ("tracks", "source"),
    "track": ("label", "t", "box", "depth"),
    "what": ("prompt", "negative", "reference", "segments", "source"),
    "segment": ("start", "end", "prompt"),
}


class _Object(dict[str, Any]):
    """A JSON object that remembers the key it was given twice."""

    twice: str | None = None

    @classmethod
    def of_pairs(cls, pairs: list[tuple[str, Any]]) -> _Object:
        made = cls(pairs)
        if len(made) < len(pairs):
            names = [name for name, _ in pairs]
            made.twice = next(name for i, name in enumerate(names) if name in names[:i])
        return made


def load(path: Path, *, clip: Clip | None = None) -> CueSheet:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CueError(f"{path}: not a text file; a cue sheet is JSON in UTF-8") from None
    except OSError as error:
        raise CueError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        return read(text, clip=clip)
    except CueError as error:
        raise CueError(f"{path}: {error}") from None


def read(text: str, *, clip: Clip | None = None) -> CueSheet:
    """Parse a document into a sheet. What its `clip` leaves out is taken from the argument `clip`."""
    try:
        root = json.loads(text, object_pairs_hook=_Object.of_pairs)
    except json.JSONDecodeError as error:
        raise CueError(f"line {error.lineno}, column {error.colno}: not JSON ({error.msg})") from None
    except (ValueError, RecursionError):
        raise CueError("line 1: not a cue sheet (a number or a nesting beyond all measure)") from None
    root = _object(root, "", "")
    version = root.get("version", VERSION)
    if isinstance(version, bool) or not isinstance(version, int) or version != VERSION:
        raise CueError(f"version: {shown(version)} is not supported; this weft reads version {VERSION}")
    where_it_belongs = _clip(root.get("clip"), clip)
    return CueSheet(
        clip=where_it_belongs,
        when=_when(root.get("when"), where_it_belongs.duration),
        where=_where(root.get("where")),
        what=_what(root.get("what"), where_it_belongs.duration),
        version=version,
    )


def _clip(value: Any, known: Clip | None) -> Clip:
    given = _object({} if value is None else value, "clip", "clip")
    fields = {} if known is None else {n: getattr(known, n) for n in KEYS["clip"]}
    fields |= given
    if fields.get("duration") is None:
        raise CueError("clip.duration: missing; give the length of the clip in seconds")
    with _under("clip"):
        return Clip(**fields)


def _when(value: Any, duration: float) -> When:
    given = _object({} if value is None else value, "when", "when")
    fields: dict[str, Any] = dict(given)
    if "onsets" in given:
        fields["onsets"] = tuple(
            _onset(item, f"when.onsets[{i}]", duration)
            for i, item in enumerate(_list(given["onsets"], "when.onsets"))
        )
    if "envelope" in given:
        with _under("when.envelope"):
            envelope = _object(given["envelope"], "when.envelope", "envelope")
            fields["envelope"] = Envelope(**_needs(envelope, "hop", "rms"))
    with _under("when"):
        return When(**fields)


def _onset(value: Any, path: str, duration: float) -> Onset:
    given = _object(value, path, "onset")
    with _under(path):
        _inside(_needs(given, "t")["t"], "t", duration)
        return Onset(**given)


def _where(value: Any) -> Where:
    given = _object({} if value is None else value, "where", "where")
    fields: dict[str, Any] = dict(given)
    if "tracks" in given:
        tracks = []
        for i, item in enumerate(_list(given["tracks"], "where.tracks")):
            path = f"where.tracks[{i}]"
            track = _object(item, path, "track")
            with _under(path):
                tracks.append(Track(**_needs(track, "t", "box")))
        fields["tracks"] = tuple(tracks)
    with _under("where"):
        return Where(**fields)


def _what(value: Any, duration: float) -> What:
    given = _object({} if value is None else value, "what", "what")
    fields: dict[str, Any] = dict(given)
    if "segments" in given:
        segments = []
        for i, item in enumerate(_list(given["segments"], "what.segments")):
            path = f"what.segments[{i}]"
            segment = _object(item, path, "segment")
            with _under(path):
                _inside(_needs(segment, "start", "end", "prompt")["start"], "start", duration)
                segments.append(Segment(**segment))
        fields["segments"] = tuple(segments)
    with _under("what"):
        return What(**fields)


class _Placed(CueError):
    """A fault whose message already begins at the root of the document."""


@contextmanager
def _under(path: str) -> Iterator[None]:
    """Put `path` before the place a constructor names, so that the message begins at the root."""
    try:
        yield
    except _Placed:
        raise
    except CueError as error:
        raise _Placed(f"{path}.{error}") from None


def _object(value: Any, path: str, kind: str) -> dict[str, Any]:
    """The object's keys without the nulls; refuses another type, an unknown key and a key given twice."""
    known = KEYS[kind]
    if not isinstance(value, dict):
        where = path or "document"
        raise _Placed(f"{where}: {shown(value)} is not an object; give {{…}} with {', '.join(known)}")
    prefix = f"{path}." if path else ""
    for key in value:
        if key not in known:
            hint = f"; did you mean {near}?" if (near := closest(key, known)) else ""
            raise _Placed(f"{prefix}{key}: unknown key{hint} (known: {', '.join(known)})")
    if isinstance(value, _Object) and value.twice is not None:
        raise _Placed(f"{prefix}{value.twice}: written twice; keep one")
    return {key: item for key, item in value.items() if item is not None}


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise _Placed(f"{path}: {shown(value)} is not a list; give […]")
    return value


def _needs(given: dict[str, Any], *names: str) -> dict[str, Any]:
    hints = {
        "t": "give seconds from the start of the clip",
        "hop": "give the seconds between values",
        "rms": "give a list of numbers from 0",
        "box": "give one [x1, y1, x2, y2] per time",
        "prompt": "say what this stretch sounds like",
    }
    for name in names:
        if name not in given:
            raise CueError(f"{name}: missing; {hints.get(name, 'give seconds')}")
    return given


def _inside(t: Any, name: str, duration: float) -> None:
    """Refuse a time outside the clip, naming the range; other faults are the constructor's to tell."""
    if isinstance(t, bool) or not isinstance(t, (int, float)):
        return
    if t < 0 or round(t, 3) > duration:
        side = "before the clip" if t < 0 else "after the clip ends"
        raise CueError(f"{name}: {shown(t)} is {side}; give seconds from 0 to {duration}")


def save(sheet: CueSheet, path: Path, *, overwrite: bool = False) -> None:
    from weft.media.atomic import written_aside

    with written_aside(path, overwrite) as aside:
        aside.write_text(write(sheet), encoding="utf-8")


def write(sheet: CueSheet) -> str:
    """The document: keys in reading order, one onset a line, what was not given left out."""
    clip = {
        n: v for n in KEYS["clip"] if (v := getattr(sheet.clip, n)) is not None and (n, v) != ("start", 0.0)
    }
    parts = [
        f'"version": {sheet.version}',
        f'"clip": {_line(clip)}',
        f'"when": {_block(_when_parts(sheet.when), 1)}',
        f'"where": {_block(_where_parts(sheet.where), 1)}',
        f'"what": {_block(_what_parts(sheet.what), 1)}',
    ]
    return _block(parts, 0) + "\n"


def _when_parts(when: When) -> list[str]:
    parts = []
    if when.onsets is not None:
        lines = [
            _line({n: getattr(o, n) for n in KEYS["onset"] if n not in o.unwritten}) for o in when.onsets
        ]
        parts.append(f'"onsets": {_rows(lines, 1, 2)}')
    if when.envelope is not None:
        rms = _rows(_numbers(when.envelope.rms.tolist()), 16, 3)
        envelope = [f'"hop": {when.envelope.hop!r}', f'"rms": {rms}']
        parts.append(f'"envelope": {_block(envelope, 2)}')
    return parts + _source(when.source)


def _where_parts(where: Where) -> list[str]:
    parts = []
    if where.tracks is not None:
        parts.append(f'"tracks": {_rows([_track(track) for track in where.tracks], 1, 2)}')
    return parts + _source(where.source)


def _track(track: Track) -> str:
    parts = [f'"label": {_line(track.label)}'] if track.label else []
    parts.append(f'"t": {_rows(_numbers(track.t.tolist()), 16, 4)}')
    parts.append(f'"box": {_rows([_line(box) for box in track.box.tolist()], 4, 4)}')
    if track.depth is not None:
        parts.append(f'"depth": {_rows(_numbers(track.depth.tolist()), 16, 4)}')
    return _block(parts, 3)


def _what_parts(what: What) -> list[str]:
    names = ("prompt", "negative", "reference")
    parts = [f'"{n}": {_line(v)}' for n in names if (v := getattr(what, n)) is not None]
    if what.segments:
        lines = [_line({n: getattr(s, n) for n in KEYS["segment"]}) for s in what.segments]
        parts.append(f'"segments": {_rows(lines, 1, 2)}')
    return parts + _source(what.source)


def _source(source: str | None) -> list[str]:
    return [] if source is None else [f'"source": {_line(source)}']


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _numbers(values: Sequence[float]) -> list[str]:
    return [repr(value) for value in values]


def _block(parts: Sequence[str], depth: int) -> str:
    if not parts:
        return "{}"
    inner = ",\n".join("  " * (depth + 1) + part for part in parts)
    return "{\n" + inner + "\n" + "  " * depth + "}"


def _rows(items: Sequence[str], per_row: int, depth: int) -> str:
    """A list with `per_row` items a line; on one line when they fit one row of numbers."""
    if not items or (len(items) <= per_row and per_row > 1):
        return "[" + ", ".join(items) + "]"
    pad = "  " * (depth + 1)
    rows = [", ".join(items[i : i + per_row]) for i in range(0, len(items), per_row)]
    return "[\n" + ",\n".join(pad + row for row in rows) + "\n" + "  " * depth + "]"
