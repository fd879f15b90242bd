"""weft-physical: the cue sheet played on the world's own instrument.

No network decides anything but which material a word means: onsets sound at their time, with their strength,
on their material; scratches and rolls follow the envelope; the trajectory places them. It is exact by
construction, and the yardstick every learned system is held to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from weft.cues.sheet import CueSheet, Onset
from weft.synthesis.event import SoundEvent
from weft.systems.desk import riding
from weft.systems.performer import Request

RATE = 44100
CURVE_HZ = 100.0
"""Rate of the gain curve of a sustained event, in values per second."""
SUSTAINED_S = 0.35
"""Length given to a scratch or roll whose onset says none."""


class WeftPhysical:
    """The performer. Stateless: every random choice comes from the request's seed and take."""

    rate = RATE

    def perform(self, request: Request) -> Iterator[np.ndarray]:
        """Yield float32 blocks `[2, n]`, `round(duration * 44100)` samples in all."""
        return riding(self._play(request), request.sheet, pan=False)

    def _play(self, request: Request) -> Iterator[np.ndarray]:
        from weft.synthesis.render import render_blocks

        voice = None
        if request.reference is not None:
            from weft.synthesis.reference import analyse  # brings scipy.signal, most of a second

            voice = analyse(request.reference, RATE)
        events = events_of(request.sheet, request.duration)
        total, done = max(1, round(request.duration * RATE)), 0
        seed = take_seed(request.seed, request.take)
        for block in render_blocks(events, request.duration, seed=seed, room="auto", reference=voice):
            done += block.shape[1]
            request.progress("perform", done / total)
            yield block


def take_seed(seed: int, take: int) -> int:
    """The seed of take number `take`: its own random numbers, whatever other takes are made beside it."""
    return int(np.random.SeedSequence([seed, take]).generate_state(1)[0])


def events_of(sheet: CueSheet, duration: float) -> list[SoundEvent]:
    """Translate the sheet's three dials into sound events.

    A sheet with an envelope and no onsets is one sustained event that follows the envelope, so that a
    waterfall or a hum has its sound too.
    """
    onsets = [o for o in sheet.when.onsets or () if o.t < duration]
    envelope = sheet.when.envelope
    if not onsets and envelope is not None and float(envelope.rms.max()) > 0:
        onsets = [
            Onset(t=0.0, strength=min(1.0, max(0.05, 4 * float(envelope.rms.max()))), duration=duration)
        ]
    return [_event(sheet, onset, duration) for onset in onsets]


def _event(sheet: CueSheet, onset: Onset, duration: float) -> SoundEvent:
    material, action = what_of(sheet, onset)
    length = 0.0
    if onset.duration > 0 or action in ("scratch", "roll"):
        length = min(onset.duration or SUSTAINED_S, duration - onset.t)
    event = SoundEvent(
        t=onset.t,
        strength=onset.strength,
        material=material,
        action=action if length == 0 or action in ("scratch", "roll") else "scratch",
        duration=length,
        pan=sheet.pan_at(onset.t),
        depth=sheet.depth_at(onset.t),
    )
    if length == 0:
        return event
    times = onset.t + np.arange(max(2, round(length * CURVE_HZ))) / CURVE_HZ
    return replace(
        event,
        gain_curve=_speed(sheet, times),
        pan_curve=sheet.pan_at(times),
        depth_curve=sheet.depth_at(times),
    )


def _speed(sheet: CueSheet, times: np.ndarray) -> np.ndarray | None:
    """The envelope over a sustained event, scaled to peak at 1; None lets the instrument shape it."""
    if sheet.when.envelope is None:
        return None
    curve = sheet.when.envelope.at(times)
    peak = float(curve.max())
    return curve / peak if peak > 0 else None


def what_of(sheet: CueSheet, onset: Onset) -> tuple[str, str]:
    """Material and action of an onset: its own words, else the words in force there, else wood and hit."""
    from weft.encoders.words import action_scores, material_scores

    material, action = onset.material, onset.action
    prompt = sheet.what.prompt_at(onset.t)
    if material is None:
        scores = material_scores(prompt or "", sheet.what.negative)
        best = max(scores, key=lambda name: scores[name])
        material = best if prompt or sheet.what.negative else "wood"
    if action is None:
        if onset.duration > 0:
            action = "scratch"
        elif prompt:
            scores = action_scores(prompt)
            action = max((a for a in scores if a not in ("scratch", "roll")), key=lambda name: scores[name])
        else:
            action = "hit"
    return material, action
