"""How long work tells how far it is: one callable, so that the library stays silent and the command line draws."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called as `progress(stage, fraction)`: the stage's name ("spot", "perform") and the share of it done, 0 to 1."""


def silent(stage: str, fraction: float) -> None:
    """The progress callback that shows nothing."""
