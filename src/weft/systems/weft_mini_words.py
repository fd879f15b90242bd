"""What a sheet's words tell weft-mini's network: materials and actions, and the prompt itself where it may speak."""

from __future__ import annotations

import numpy as np

from weft.cues.sheet import CueSheet
from weft.cues.vocabulary import ACTIONS, MATERIALS


def told(prompt: str | None, negative: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Materials [17] and actions [5] that words tell, as probabilities; zeros where there are no words."""
    from weft.encoders.words import action_scores, material_scores

    if not prompt and not negative:
        return np.zeros(len(MATERIALS), np.float32), np.zeros(len(ACTIONS), np.float32)
    materials = material_scores(prompt or "", negative)
    actions = action_scores(prompt) if prompt else dict.fromkeys(ACTIONS, 0.0)
    return (
        _sure(np.array([materials[name] for name in MATERIALS], np.float32)),
        _sure(np.array([actions[name] for name in ACTIONS], np.float32)),
    )


def _sure(odds: np.ndarray) -> np.ndarray:
    """Sharpened probabilities; zeros ("not given", as in training) where they are nearly all alike.

    The network blends what it is told to blend, so a doubt of the reader would be heard as a blend.
    """
    if odds.max() <= 1.8 / len(odds):
        return np.zeros_like(odds)
    sharp = odds**3
    return sharp / sharp.sum()


def prompt_within(sheet: CueSheet, start: float, end: float) -> str | None:
    """The words in force from start to end seconds, if they are one and no onset there says another material."""
    times = [start, *(s.start for s in sheet.what.segments), *(s.end for s in sheet.what.segments)]
    prompts = {sheet.what.prompt_at(t) for t in times if start <= t < end}
    if len(prompts) != 1 or not (prompt := prompts.pop()):
        return None
    said = {o.material for o in sheet.when.onsets or () if start <= o.t < end and o.material is not None}
    return prompt if said <= {MATERIALS[int(told(prompt)[0].argmax())]} else None
