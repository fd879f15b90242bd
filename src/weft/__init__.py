"""weft: sound for silent video, held by three dials: when, where and what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["CueSheet", "Take", "generate", "media", "perform", "rerun", "spot"]

if TYPE_CHECKING:
    from weft import media
    from weft.cues.sheet import CueSheet
    from weft.systems.cueing import cue as spot
    from weft.systems.generate import generate, perform
    from weft.systems.rerun import rerun
    from weft.systems.take import Take

_HOMES = {
    "CueSheet": ("weft.cues.sheet", "CueSheet"),
    "Take": ("weft.systems.take", "Take"),
    "generate": ("weft.systems.generate", "generate"),
    "perform": ("weft.systems.generate", "perform"),
    "rerun": ("weft.systems.rerun", "rerun"),
    "spot": ("weft.systems.cueing", "cue"),
}


def __getattr__(name: str) -> Any:
    """Open the front door lazily: `import weft` loads nothing heavy."""
    import importlib

    if name in _HOMES:
        module, attribute = _HOMES[name]
        return getattr(importlib.import_module(module), attribute)
    if name == "media":
        return importlib.import_module("weft.media")
    raise AttributeError(f"module 'weft' has no attribute {name!r}")
