"""The small changes a person makes to a sheet: each takes a sheet, gives another, touches nothing else.

An edited dial is the person's: its source gains "person". Where a sheet has an envelope, an edited onset
takes its share of it along (its part of the power, by `conversions.onset_power`), so that the two never
contradict each other and the other onsets keep their level.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from weft.cues.conversions import Floats, onset_power
from weft.cues.sheet import CueSheet, Envelope, Onset, Segment, Track, When, Where
from weft.cues.words import shown
from weft.errors import CueError


def move_onset(sheet: CueSheet, index: int, t: float) -> CueSheet:
    """Onset number `index` (from 0, in order of time) at `t` seconds instead."""
    return set_onset(sheet, index, replace(onset_number(sheet, index), t=t))


def set_material(sheet: CueSheet, material: str | None, *, index: int | None = None) -> CueSheet:
    """The `material` of onset `index`, or of all; None leaves it to the prompt or the picture."""
    onsets = sheet.when.onsets or ()
    if index is not None:
        onset_number(sheet, index)
    changed = [replace(o, material=material) if index in (None, i) else o for i, o in enumerate(onsets)]
    return _with_onsets(sheet, changed, sheet.when.envelope)


def set_onset(sheet: CueSheet, index: int, onset: Onset) -> CueSheet:
    """`onset` in the place of onset number `index`."""
    old = onset_number(sheet, index)
    onsets = list(sheet.when.onsets or ())
    share, rest = _share(sheet, index)
    onsets[index] = onset
    envelope = sheet.when.envelope
    if envelope is not None and (onset.t, onset.strength, onset.duration) != (
        old.t,
        old.strength,
        old.duration,
    ):
        held = _stretched(envelope, share, old, onset)
        envelope = replace(envelope, rms=np.sqrt(rest + held * (onset.strength / old.strength) ** 2))
    return _with_onsets(sheet, onsets, envelope)


def add_onset(sheet: CueSheet, onset: Onset) -> CueSheet:
    """One onset more; in the envelope it sounds as loud for its strength as the others do."""
    envelope = sheet.when.envelope
    if envelope is not None:
        power, model = np.square(envelope.rms), _model(sheet.when.onsets or (), envelope)
        known = model > 1e-12
        per_unit = power[known].sum() / model[known].sum() if known.any() else 0.25
        envelope = replace(envelope, rms=np.sqrt(power + _model([onset], envelope) * per_unit))
    return _with_onsets(sheet, [*(sheet.when.onsets or ()), onset], envelope)


def remove_onset(sheet: CueSheet, index: int) -> CueSheet:
    """The sheet without onset number `index`."""
    onset_number(sheet, index)
    _, rest = _share(sheet, index)
    envelope = sheet.when.envelope
    left = [o for i, o in enumerate(sheet.when.onsets or ()) if i != index]
    return _with_onsets(sheet, left, None if envelope is None else replace(envelope, rms=np.sqrt(rest)))


def scale_strength(sheet: CueSheet, factor: float) -> CueSheet:
    """Every onset `factor` times as strong (held at 1) and the envelope with them; factor above 0."""
    if not 0 < factor < float("inf"):
        raise CueError(f"factor: {shown(factor)} is out of range; give more than 0, 1 changes nothing")
    onsets, envelope = sheet.when.onsets, sheet.when.envelope
    scaled = None
    if onsets is not None:
        scaled = [replace(o, strength=min(max(o.strength * factor, 0.001), 1.0)) for o in onsets]
    if envelope is not None:
        envelope = replace(envelope, rms=np.minimum(envelope.rms * factor, 10.0))
    return _with_onsets(sheet, scaled, envelope)


def shift(sheet: CueSheet, seconds: float) -> CueSheet:
    """Everything `seconds` later (earlier if negative) in a clip of the same length; what leaves is cut."""
    return _moved(sheet, seconds, sheet.clip.duration, start=sheet.clip.start)


def crop(sheet: CueSheet, start: float, end: float) -> CueSheet:
    """The sheet of the stretch from `start` to `end` seconds, as a clip of its own that begins at 0."""
    if not 0 <= start < end or end > sheet.clip.duration:
        raise CueError(
            f"crop: {shown(start)} to {shown(end)} is no stretch of the clip; give 0 to {sheet.clip.duration}"
        )
    return _moved(sheet, -start, end - start, start=sheet.clip.start + start)


def mirror(sheet: CueSheet) -> CueSheet:
    """Left and right changed over in every track."""
    if sheet.where.tracks is None:
        return sheet
    tracks = []
    for track in sheet.where.tracks:
        x1, y1, x2, y2 = track.box.T
        tracks.append(replace(track, box=np.column_stack([1 - x2, y1, 1 - x1, y2])))
    return replace(sheet, where=Where(tracks=tuple(tracks), source=_by_a_person(sheet.where.source)))


def set_prompt(
    sheet: CueSheet, prompt: str | None, *, start: float | None = None, end: float | None = None
) -> CueSheet:
    """The words for the whole clip, or for the stretch `start` to `end`, in place of what overlaps it."""
    what = sheet.what
    if start is None and end is None:
        what = replace(what, prompt=prompt)
    else:
        stretch = Segment(
            start=start or 0.0, end=sheet.clip.duration if end is None else end, prompt=prompt or ""
        )
        kept = [s for s in what.segments if s.end <= stretch.start or s.start >= stretch.end]
        what = replace(what, segments=(*kept, *([] if prompt is None else [stretch])))
    return replace(sheet, what=replace(what, source=_by_a_person(what.source)))


def onset_number(sheet: CueSheet, index: int) -> Onset:
    """Onset `index` of the sheet; raises `CueError` when there is none."""
    onsets = sheet.when.onsets or ()
    if not 0 <= index < len(onsets):
        last = f"give 0 to {len(onsets) - 1}" if onsets else "the sheet has no onsets"
        raise CueError(f"when.onsets[{index}]: there is no such onset; {last}")
    return onsets[index]


def _with_onsets(sheet: CueSheet, onsets: Iterable[Onset] | None, envelope: Envelope | None) -> CueSheet:
    kept = None if onsets is None else tuple(onsets)
    source = _by_a_person(sheet.when.source)
    return replace(sheet, when=When(onsets=kept, envelope=envelope, source=source))


def _by_a_person(source: str | None) -> str | None:
    if source is None or "person" in source.split("+"):
        return source
    return f"person+{source}"


def _model(onsets: Iterable[Onset], envelope: Envelope) -> Floats:
    """Power these onsets would have at the envelope's times; an RMS window hears them a little early."""
    return onset_power(onsets, envelope.rms.size, envelope.hop, lead=0.006)


def _share(sheet: CueSheet, index: int) -> tuple[Floats, Floats]:
    """The power of the envelope that is onset `index`'s, and the rest; both [n], their sum the whole."""
    envelope = sheet.when.envelope
    if envelope is None:
        return np.zeros(0), np.zeros(0)
    power = np.square(envelope.rms)
    onsets = sheet.when.onsets or ()
    own, whole = _model(onsets[index : index + 1], envelope), _model(onsets, envelope)
    share = power * np.divide(own, whole, out=np.zeros_like(whole), where=whole > 1e-12)
    return share, power - share


def _stretched(envelope: Envelope, share: Floats, old: Onset, new: Onset) -> Floats:
    """`share` carried from the old onset's time to the new one's, its sustained part stretched to fit."""
    times = envelope.times
    since = times - new.t
    if old.duration > 0 and new.duration > 0:
        inside = since * old.duration / new.duration
        since = np.where(since <= new.duration, inside, since - new.duration + old.duration)
    return np.interp(old.t + since, times, share, left=0.0, right=0.0)


def _moved(sheet: CueSheet, seconds: float, duration: float, *, start: float) -> CueSheet:
    clip = replace(sheet.clip, duration=duration, start=start)
    end = clip.duration
    onsets, envelope, tracks = sheet.when.onsets, sheet.when.envelope, sheet.where.tracks
    if onsets is not None:
        onsets = tuple(replace(o, t=o.t + seconds) for o in onsets if 0 <= round(o.t + seconds, 3) <= end)
    if envelope is not None:
        times = np.arange(int(end / envelope.hop + 1e-6) + 1) * envelope.hop
        envelope = replace(envelope, rms=envelope.at(times - seconds))
    if tracks is not None:
        tracks = tuple(cut for k in tracks if (cut := _cut(k, seconds, end)) is not None)
    segments = tuple(
        replace(s, start=max(s.start + seconds, 0.0), end=min(s.end + seconds, end))
        for s in sheet.what.segments
        if round(s.end + seconds, 3) > 0 and round(s.start + seconds, 3) < end
    )
    return CueSheet(
        clip=clip,
        when=When(onsets=onsets, envelope=envelope, source=sheet.when.source),
        where=Where(tracks=tracks, source=sheet.where.source),
        what=replace(sheet.what, segments=segments),
        version=sheet.version,
    )


def _cut(track: Track, seconds: float, end: float) -> Track | None:
    """The track `seconds` later, between 0 and `end`, with a value at each edge it crosses."""
    first, last = max(track.t[0] + seconds, 0.0), min(track.t[-1] + seconds, end)
    if first > last:
        return None
    moved = track.t + seconds
    t = np.unique(np.round(np.concatenate([[first], moved[(moved > first) & (moved < last)], [last]]), 3))
    t = np.clip(t, 0.0, None)
    box = np.column_stack([np.interp(t, moved, track.box[:, i]) for i in range(4)])
    depth = None if track.depth is None else np.interp(t, moved, track.depth)
    return Track(label=track.label, t=t, box=box, depth=depth)


__all__ = [
    "add_onset",
    "crop",
    "mirror",
    "move_onset",
    "onset_number",
    "remove_onset",
    "scale_strength",
    "set_material",
    "set_onset",
    "set_prompt",
    "shift",
]
