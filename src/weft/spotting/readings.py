"""What a spotter reads off the picture, frame by frame, and how readings become a cue sheet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from weft.cues.sheet import Clip, CueSheet, Envelope, Onset, Track, What, When, Where
from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.spotting.motion import RATE

APART_S = 0.03  # two onsets are never nearer
VOTE_S = 0.008
AROUND_S = 10.0
_BIN_S = 0.002
ENVELOPE_HOP_S = 0.02
NEAR = 6  # readings on either side that say what an onset is
TRACK_STEP = 4  # readings between two boxes of a track
SMOOTH_S = 0.08
SUSTAINED_S = 0.24
_VERBS = {
    "hit": "hitting",
    "scratch": "scratching",
    "step": "stepping on",
    "bounce": "bouncing on",
    "roll": "rolling on",
}
_WITH = {"hit": " with a stick", "scratch": " with a stick", "step": "", "bounce": "", "roll": ""}


@dataclass(frozen=True, kw_only=True)
class Readings:
    """One value per reading (`RATE` per second). All float32.

    onset `[T]` evidence in 0..1 that something begins to sound here; offset `[T]` seconds from the reading to that
    moment; strength `[T]` 0..1; level `[T]` RMS of the sound it implies, full-scale units; sustained `[T]` 0..1;
    box `[T, 4]` fractions; depth `[T]` 0..1 or NaN; material `[T, 17]` and action `[T, 5]` probabilities, zero
    rows where unknown.
    """

    onset: np.ndarray
    offset: np.ndarray
    strength: np.ndarray
    level: np.ndarray
    sustained: np.ndarray
    box: np.ndarray
    depth: np.ndarray
    material: np.ndarray
    action: np.ndarray

    def __len__(self) -> int:
        return len(self.onset)

    def __getitem__(self, which: slice) -> Readings:
        return Readings(**{f.name: getattr(self, f.name)[which] for f in fields(Readings)})


def joined(parts: Iterable[Readings]) -> Readings:
    """Join consecutive readings into one."""
    rows = list(parts)
    return Readings(**{f.name: np.concatenate([getattr(r, f.name) for r in rows]) for f in fields(Readings)})


SAME_THING_S = 8.0
LOCAL = 0.3
"""A thing struck again is of the same material: the picture of the seconds around outweighs the moment's, unless the
moment is sure."""


def pick(
    readings: Readings, threshold: float, duration: float, *, share: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (times `[n]` s, evidence `[n]`, index of the reading `[n]`) of the onsets that the readings tell.

    Every reading votes, with its evidence, for the moment its offset points at; an onset is where the votes within
    some milliseconds are more than anywhere within `APART_S`, and its evidence is that of its strongest voter. It
    counts from `threshold` on, and from `share` of the strongest evidence within 10 s on: how sure one can be at all
    differs from film to film.
    """
    x, count = readings.onset, len(readings)
    at = np.clip(np.arange(count) / RATE + readings.offset, 0.0, duration)
    votes = np.zeros(int(duration / _BIN_S) + 2)
    np.add.at(votes, np.round(at / _BIN_S).astype(int), x)
    votes = gaussian_filter1d(votes, VOTE_S / _BIN_S, mode="constant")
    reach = int(APART_S / _BIN_S)
    top = _apart(
        np.flatnonzero((votes >= maximum_filter1d(votes, 2 * reach + 1)) & (votes > 1e-6)), reach + 1
    )
    times = np.minimum(top * _BIN_S, duration)
    near = np.clip(np.round(times * RATE).astype(int)[:, None] + np.arange(-3, 4), 0, count - 1)
    voters = np.where(np.abs(at[near] - times[:, None]) < 2 * VOTE_S, x[near], 0.0)
    index = near[np.arange(len(top)), voters.argmax(1)]
    strongest = maximum_filter1d(x, 2 * int(AROUND_S * RATE) + 1)[index]
    kept = (x[index] > 0) & (x[index] >= np.maximum(threshold, share * strongest))
    return times[kept], x[index][kept], index[kept]


def _apart(places: np.ndarray, least: int) -> np.ndarray:
    """Rising places without those nearer than `least` to the one kept before: of a plateau, the first stays."""
    kept: list[int] = []
    for place in places.tolist():
        if not kept or place - kept[-1] >= least:
            kept.append(place)
    return np.array(kept, dtype=int)


def sheet_from(
    readings: Readings, threshold: float, clip: Clip, source: str, *, share: float = 0.0
) -> CueSheet:
    """Turn readings into a complete cue sheet said to be by `source`; onsets as `pick` finds them."""
    times, _, index = pick(readings, threshold, clip.duration, share=share)
    onsets = tuple(_onset(readings, t, k, clip.duration) for t, k in zip(times, index, strict=True))
    return CueSheet(
        clip=clip,
        when=When(onsets=onsets, envelope=_envelope(readings, clip.duration), source=source),
        where=Where(tracks=_tracks(readings, clip.duration), source=source),
        what=_what(onsets, source),
    )


def _onset(readings: Readings, t: float, k: int, duration: float) -> Onset:
    near = slice(max(0, k - NEAR), k + NEAR + 1)
    around = slice(max(0, k - int(SAME_THING_S * RATE)), k + int(SAME_THING_S * RATE) + 1)
    material = LOCAL * readings.material[near].mean(0) + (1 - LOCAL) * readings.material[around].mean(0)
    action = readings.action[near].mean(0)
    named = ACTIONS[int(action.argmax())] if action.max() > 0 else None
    lasting = 0.0
    if named in ("scratch", "roll"):
        after = readings.sustained[k:]
        stop = np.flatnonzero(after < 0.5)
        lasting = (int(stop[0]) if len(stop) else len(after)) / RATE
        lasting = min(max(lasting, SUSTAINED_S), max(duration - t, 0.0))
    return Onset(
        t=float(t),
        strength=float(np.clip(readings.strength[k], 0.02, 1.0)),
        duration=lasting,
        material=MATERIALS[int(material.argmax())] if material.max() > 0 else None,
        action=named,
    )


def _envelope(readings: Readings, duration: float) -> Envelope:
    at = np.arange(int(duration / ENVELOPE_HOP_S) + 1) * ENVELOPE_HOP_S
    rms = np.interp(at, np.arange(len(readings)) / RATE, np.clip(readings.level, 0.0, 1.0))
    return Envelope(hop=ENVELOPE_HOP_S, rms=rms)


def _tracks(readings: Readings, duration: float) -> tuple[Track, ...]:
    box = gaussian_filter1d(readings.box.astype(np.float64), SMOOTH_S * RATE, axis=0)
    keep = np.unique(np.append(np.arange(0, len(box), TRACK_STEP), len(box) - 1))
    depth = None
    if np.isfinite(readings.depth).all():
        depth = np.clip(gaussian_filter1d(readings.depth.astype(np.float64), 4 * SMOOTH_S * RATE), 0, 1)[keep]
    box = np.clip(box[keep], 0.0, 1.0)
    box[:, 2:] = np.maximum(box[:, 2:], box[:, :2])
    return (Track(label="what moves", t=np.minimum(keep / RATE, duration), box=box, depth=depth),)


def _what(onsets: tuple[Onset, ...], source: str) -> What:
    pairs = [(o.action, o.material) for o in onsets if o.action and o.material]
    if not pairs:
        return What()
    action, material = max(set(pairs), key=lambda pair: (pairs.count(pair), pair))
    words = material.replace("-", " ")
    return What(prompt=f"{_VERBS[action]} {words}{_WITH[action]}", source=source)
