"""Settings read from a TOML file into frozen dataclasses, strictly: a wrong key or value is one clear line."""

from __future__ import annotations

import difflib
import tomllib
import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

from weft.errors import UserError

T = TypeVar("T")


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises UserError when it is missing or no TOML."""
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise UserError(f"no recipe at {path}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not TOML: {error}") from error


def filled(kind: type[T], table: dict[str, Any], where: str) -> T:
    """`table` as the dataclass `kind`; `where` names the table in messages.

    Whole numbers do for floats and lists for tuples. Raises UserError for a key that the dataclass lacks (naming the
    nearest), one it cannot do without, a value of another type, or one the dataclass itself refuses.
    """
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    kinds = typing.get_type_hints(kind)
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1, 0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise UserError(f"{where}: unknown key {key!r}; {hint}")
    missing = [
        name
        for name, f in known.items()
        if name not in table and f.default is MISSING and f.default_factory is MISSING
    ]
    if missing:
        raise UserError(f"{where}: {missing[0]!r} is missing")
    given = {key: _as(kinds[key], value, f"{where}.{key}") for key, value in table.items()}
    try:
        return kind(**given)
    except ValueError as error:
        raise UserError(f"{where}: {error}") from error


def _as(kind: Any, value: Any, where: str) -> Any:
    """`value` as the annotation `kind`. Raises UserError."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        if value is None or kind is None:
            return value
        return _as(next(one for one in inside if one is not type(None)), value, where)
    if origin is Literal:
        if value not in inside:
            raise UserError(f"{where} is {value!r}; use {', '.join(map(repr, inside))}")
        return value
    if is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, dict):
            raise UserError(f"{where} is {value!r}; it must be a table")
        return filled(kind, value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise UserError(f"{where} is {value!r}; it must be a list")
        if inside[-1] is not Ellipsis and len(value) != len(inside):
            raise UserError(f"{where} has {len(value)} entries; it must have {len(inside)}")
        return tuple(_as(inside[0], one, where) for one in value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise UserError(f"{where} is {value!r}; it must be {_NAMES.get(kind, kind)}")
    return value


_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
