"""What a person wrote of *when*, as levels that a fader can keep behind a network that was never told of it.

MMAudio's weights know no onsets and no envelope. Nothing is trained or steered for them here: the finished sound is
shaped by the desk (`weft.systems.desk`), as a mixer rides a fader. That keeps levels and silences exactly and any
weights as they are, and costs nothing; guidance through the vocoder would cost a backward pass each step and still only
lean. Its limit is that a fader makes no new sound: where the network plays nothing within 24 dB, an onset stays faint.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weft.cues.sheet import CueSheet, Envelope, Onset

HOP_S = 128 / 44100
STRUCK_RMS = 0.15
"""Level of a blow at full strength, of full scale."""
DECAY_S = 0.12
"""A blow falls to 1 / e of its level in this time."""
ATTACK_S = 0.006


def shaped(sheet: CueSheet) -> CueSheet:
    """The sheet as the desk is to keep it: an envelope that a person wrote, else one made of the onsets they wrote.

    What only the spotter said of *when* is left out: MMAudio watches the picture itself. Onsets stay, for they say
    where a struck thing rings (`weft.systems.desk`).
    """
    when = sheet.when
    if set((when.source or "").split("+")) <= {"spotter", "motion", ""}:
        return replace(sheet, when=replace(when, envelope=None))
    if when.envelope is not None or when.onsets is None:
        return sheet
    return replace(
        sheet, when=replace(when, envelope=struck(when.onsets, sheet.clip.duration), source="person")
    )


def struck(onsets: tuple[Onset, ...], duration: float) -> Envelope:
    """The envelope of onsets: each rises at its time by its strength, holds for its duration, and dies away."""
    t = np.arange(max(1, int(duration / HOP_S) + 1), dtype=np.float64) * HOP_S
    level = np.zeros_like(t)
    for onset in onsets:
        level = np.maximum(level, onset.strength * _blow(t - onset.t, onset.duration))
    return Envelope(hop=HOP_S, rms=STRUCK_RMS * level)


def _blow(since: NDArray[Any], held: float) -> NDArray[Any]:
    rise = np.clip(since / ATTACK_S + 1, 0, 1)
    return rise * np.exp(-np.clip(since - held, 0, None) / DECAY_S)
