"""How a fault is put into words: the value as the person wrote it, and the closest known word."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import Any

import numpy as np


def closest(word: Any, known: Iterable[str]) -> str | None:
    """The known word nearest in spelling to `word`, or None when nothing is near (or `word` is no text)."""
    if not isinstance(word, str):
        return None
    names = list(known)
    near = difflib.get_close_matches(word.strip().lower().replace("_", "-").replace(" ", "-"), names, 1, 0.6)
    return near[0] if near else None


def shown(value: Any) -> str:
    """A value as it stands in the file, cut to 40 characters."""
    if isinstance(value, np.generic):
        value = value.item()
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"
