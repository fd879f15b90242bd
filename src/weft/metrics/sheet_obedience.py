"""Takes against their own cue sheets: what each sheet asks of when and where, and what is heard in the sound.

Conventions: sounds `[2, N]` at one rate, each with the cue sheet it was made from. Onsets are those the detector hears.
Pan and depth are read at the sheet's onsets, from the 50 ms after each, where the blow stands out from what rings; the
level of a blow is taken less its strength in dB, so that depth alone is left to move it, together with the material,
which is not taken out. Words are another listener's business: see `weft.metrics.obedience`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from weft.cues.conversions import rms_envelope
from weft.cues.sheet import CueSheet
from weft.metrics import checks, obedience, onset, space

STEP_S = 0.01
Array = NDArray[np.float64]


def evaluate(
    takes: Sequence[tuple[CueSheet, ArrayLike]], rate: int = 44100, *, tolerance_s: float = 0.05
) -> tuple[obedience.Obedience, ...]:
    """Return how each dial that any sheet turns is obeyed: onsets, envelope, pan, depth, in this order.

    A dial that no sheet gives (or of which fewer than two moments can be heard) is left out. Raises ValueError without
    takes, and for sounds that are not stereo or hold NaN.
    """
    read = validate(takes)
    found = []
    timed = [(sheet, wave) for sheet, wave in read if sheet.when.onsets is not None]
    if timed:
        asked = [np.array([o.t for o in sheet.when.onsets or ()]) for sheet, _ in timed]
        heard = [onset.detect(wave, rate)[0] for _, wave in timed]
        found.append(obedience.onsets(asked, heard, tolerance_s=tolerance_s))
    swelling = [_envelopes(sheet, wave, rate) for sheet, wave in read if sheet.when.envelope is not None]
    if swelling:
        found.append(obedience.envelope([a for a, _ in swelling], [g for _, g in swelling]))
    blows = [_blows(sheet, wave, rate) for sheet, wave in read if sheet.where.tracks and sheet.when.onsets]
    if not blows:
        return tuple(found)
    pan, heard_pan, depth, level = (np.concatenate(column) for column in zip(*blows, strict=True))
    if pan.size > 1:
        found.append(obedience.pan(pan, heard_pan))
    known = ~np.isnan(depth)
    if known.sum() > 1:
        found.append(obedience.depth(depth[known], level[known]))
    return tuple(found)


def validate(takes: Sequence[tuple[CueSheet, ArrayLike]]) -> list[tuple[CueSheet, Array]]:
    """Return the takes, sounds as float64 `[C, N]`. Raises ValueError without takes, for other shapes, or NaN."""
    if not len(takes):
        raise ValueError("no takes to judge: give at least one cue sheet with its sound")
    return [(sheet, checks.wave(audio, f"take {k}")) for k, (sheet, audio) in enumerate(takes)]


def _envelopes(sheet: CueSheet, wave: Array, rate: int) -> tuple[Array, Array]:
    """The envelope asked and got `[F]`, each 10 ms, over what both the sheet and the sound last."""
    assert sheet.when.envelope is not None
    lasts = min(sheet.clip.duration, wave.shape[1] / rate)
    times = np.arange(int(lasts / STEP_S)) * STEP_S
    return sheet.when.envelope.at(times), rms_envelope(wave, rate).at(times)


def _blows(sheet: CueSheet, wave: Array, rate: int) -> tuple[Array, Array, Array, Array]:
    """Of the onsets that can be placed by ear: the pan asked and got, the depth asked (NaN where no track has one) and
    the level less the strength, dB; `[n]` each."""
    onsets = sheet.when.onsets or ()
    times = np.array([o.t for o in onsets])
    clear = space.stands_out(wave, times, rate)
    times, strength = times[clear], np.array([o.strength for o in onsets])[clear]
    deep = any(track.depth is not None for track in sheet.where.tracks or ())
    level = [float(np.square(_after(wave, t, rate)).mean()) for t in times]
    return (
        np.asarray(sheet.pan_at(times)),
        space.blow_pan(wave, times, rate),
        np.asarray(sheet.depth_at(times)) if deep else np.full(times.size, np.nan),
        10 * np.log10(np.maximum(level, 1e-12)) - 20 * np.log10(strength),
    )


def _after(wave: Array, t: float, rate: int) -> Array:
    start = round(t * rate)
    return wave[:, start : start + max(1, round(space.BLOW_S * rate))]
