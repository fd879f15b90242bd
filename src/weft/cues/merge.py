"""What a person wrote, and what the spotter saw, in one sheet: the empty is spotted, the filled obeyed."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from weft.cues.sheet import CueSheet, Onset, Segment, What, When, Where

SAME_EVENT_S = 0.1
SAME_TIMING_S = 0.005
SILENT = 1e-3

Dial = TypeVar("Dial", When, Where, What)


def merge(filled: CueSheet, spotted: CueSheet) -> CueSheet:
    """`filled` with its empty fields taken from `spotted`. Obeying goes further than copying:

    - a person's onset keeps what is written in it; its unwritten strength, duration, material and action come
      from the nearest spotted onset within 0.1 s, each spotted onset serving one;
    - words outrank the spotter's eye: where `filled` gives a prompt, a segment or a reference, spotted
      materials are left out, and spotted segments never override a given prompt;
    - a spotted envelope is taken only when the given onsets are the spotted ones (within 5 ms): the envelope
      of other events would contradict them. A given envelope silences the spotted onsets in its silences;
    - a given track without depth takes the depth spotted at its times.

    `merge(x, CueSheet(clip=x.clip)) == x`, and merging the same spotted sheet again changes nothing.
    """
    worded = bool(filled.what.prompt) or filled.what.reference is not None
    seen = _without_materials(spotted.when, () if worded else filled.what.segments, everywhere=worded)
    return CueSheet(
        clip=replace(
            filled.clip,
            width=filled.clip.width or spotted.clip.width,
            height=filled.clip.height or spotted.clip.height,
            fps=filled.clip.fps or spotted.clip.fps,
        ),
        when=_when(filled, seen),
        where=_where(filled.where, spotted),
        what=_what(filled.what, spotted.what),
    )


def _without_materials(when: When, segments: tuple[Segment, ...], *, everywhere: bool) -> When:
    if when.onsets is None:
        return when
    bare = tuple(
        replace(o, material=None) if everywhere or any(s.start <= o.t < s.end for s in segments) else o
        for o in when.onsets
    )
    return replace(when, onsets=bare)


def _when(filled: CueSheet, spotted: When) -> When:
    given = filled.when
    end = filled.clip.duration
    envelope = spotted.envelope
    if envelope is not None:
        fits = int(end / envelope.hop + 1e-6) + 1
        envelope = replace(envelope, rms=envelope.rms[:fits])
    seen = tuple(o for o in spotted.onsets or () if o.t <= end)
    if given.onsets is None:
        onsets = None if spotted.onsets is None else seen
        if onsets is not None and given.envelope is not None:
            near = np.arange(-SAME_EVENT_S, SAME_EVENT_S, 0.01)
            floor = SILENT * given.envelope.rms.max()
            onsets = tuple(o for o in onsets if given.envelope.at(o.t + near).max() > floor)
    else:
        onsets = _completed(given.onsets, seen)
        if not _same_timing(given.onsets, seen):
            envelope = None
    made = When(onsets=onsets, envelope=given.envelope or envelope)
    return replace(made, source=_sources(made, given, spotted))


def _completed(given: tuple[Onset, ...], seen: tuple[Onset, ...]) -> tuple[Onset, ...]:
    """The given onsets in order, their unwritten fields from the nearest spotted, closest pairs first."""
    if not given or not seen:
        return given
    seen_t = np.array([o.t for o in seen])
    pairs = []
    for i, onset in enumerate(given):
        low, high = np.searchsorted(seen_t, [onset.t - SAME_EVENT_S - 1e-9, onset.t + SAME_EVENT_S + 1e-9])
        pairs += [(round(abs(seen_t[j] - onset.t), 6), i, j) for j in range(int(low), int(high))]
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in sorted(pairs):
        if i not in partner and j not in taken:
            partner[i] = j
            taken.add(j)
    whole = list(given)
    for i, j in partner.items():
        found = {n: getattr(seen[j], n) for n in given[i].unwritten}
        whole[i] = replace(given[i], **found)
    return tuple(whole)


def _same_timing(given: tuple[Onset, ...], seen: tuple[Onset, ...]) -> bool:
    return len(given) == len(seen) and all(
        abs(a.t - b.t) <= SAME_TIMING_S for a, b in zip(given, seen, strict=True)
    )


def _where(given: Where, spotted: CueSheet) -> Where:
    seen = spotted.where
    if given.tracks is None:
        return seen
    deep = tuple(track for track in seen.tracks or () if track.depth is not None)
    if not deep:
        return given
    told = replace(spotted, where=Where(tracks=deep))
    made = Where(
        tracks=tuple(
            replace(k, depth=told.depth_at(k.t, k.label))
            if k.depth is None and k not in (seen.tracks or ())
            else k
            for k in given.tracks
        )
    )
    return replace(made, source=_sources(made, given, seen))


def _what(given: What, seen: What) -> What:
    worded = given.prompt is not None or bool(given.segments)
    made = What(
        prompt=seen.prompt if given.prompt is None else given.prompt,
        negative=seen.negative if given.negative is None else given.negative,
        reference=seen.reference if given.reference is None else given.reference,
        segments=given.segments if worded else seen.segments,
    )
    return replace(made, source=_sources(made, given, seen))


def _sources(made: Dial, given: Dial, seen: Dial) -> str | None:
    """Who filled the merged dial, joined by +; a dial nothing was added to keeps its own."""
    if replace(made, source=given.source) == given or given.source is None:
        return given.source or seen.source
    names = given.source.split("+")
    names += [n for n in (seen.source or "").split("+") if n and n not in names]
    return "+".join(names)
