"""The windows in which weft-mini plays a long sheet: each sees what the one before it has decided."""

from __future__ import annotations

WINDOW = 173
"""Latent frames played at once: the length of the training clips (4 s)."""
BEHIND = 32
"""Frames at a window's start that the window before has already decided."""
AHEAD = 12
"""Frames at a window's end that the next one plays again, knowing more of what follows."""


def windows(frames: int, offset: int = 0) -> list[tuple[int, int, int, int]]:
    """(start, first undecided frame, end, first frame left to the next window) of each window over `frames`, the first
    of them number `offset`."""
    made, fresh = [], 0
    while fresh < frames:
        start = max(0, fresh - BEHIND)
        end = min(frames, start + WINDOW)
        keep = end if end == frames else end - AHEAD
        made.append((offset + start, offset + fresh, offset + end, offset + keep))
        fresh = keep
    return made
