"""The closed words a cue sheet may use: the 17 materials of Greatest Hits and five actions."""

from __future__ import annotations

MATERIALS = (
    "carpet",
    "ceramic",
    "cloth",
    "dirt",
    "drywall",
    "glass",
    "grass",
    "gravel",
    "leaf",
    "metal",
    "paper",
    "plastic",
    "plastic-bag",
    "rock",
    "tile",
    "water",
    "wood",
)

ACTIONS = ("hit", "scratch", "step", "bounce", "roll")
