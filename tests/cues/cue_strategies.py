"""Hypothesis strategies for cue sheets; every value a person, a spotter or the world could put into one."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from weft.cues.sheet import Clip, CueSheet, Envelope, Onset, Segment, Track, What, When, Where
from weft.cues.vocabulary import ACTIONS, MATERIALS

settings.register_profile("cues", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("cues")  # a busy machine is no failure, and every run asks the same

DURATION = 8.0
SOURCE = st.sampled_from([None, "person", "spotter", "motion", "world", "person+spotter"])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


@st.composite
def onsets(draw: st.DrawFn) -> Onset:
    given = {"t": draw(numbers(0, DURATION))}
    if draw(st.booleans()):
        given["strength"] = draw(numbers(0.001, 1))
    if draw(st.booleans()):
        given["duration"] = draw(numbers(0, 3))
    material = draw(st.sampled_from((None, *MATERIALS)))
    return Onset(**given, material=material, action=draw(st.sampled_from((None, *ACTIONS))))


@st.composite
def envelopes(draw: st.DrawFn) -> Envelope:
    hop = draw(st.sampled_from([128 / 44100, 1024 / 44100, 0.04, 0.1]))
    return Envelope(hop=hop, rms=draw(st.lists(numbers(0, 1), min_size=1, max_size=80)))


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    n = draw(st.integers(1, 6))
    corners = np.array(draw(st.lists(numbers(-1, 2), min_size=4 * n, max_size=4 * n))).reshape(n, 2, 2)
    box = np.sort(corners, axis=1).reshape(n, 4)
    depth = draw(st.none() | st.lists(numbers(0, 1), min_size=n, max_size=n))
    times = draw(st.lists(numbers(0, DURATION), min_size=n, max_size=n))
    return Track(label=draw(TEXT), t=times, box=box, depth=depth)


@st.composite
def segments(draw: st.DrawFn) -> Segment:
    start = draw(numbers(0, 7))
    return Segment(start=start, end=start + draw(numbers(0.01, 3)), prompt=draw(TEXT))


@st.composite
def sheets(draw: st.DrawFn) -> CueSheet:
    return CueSheet(
        clip=Clip(
            duration=DURATION,
            width=draw(st.none() | st.integers(1, 8000)),
            height=draw(st.none() | st.integers(1, 8000)),
            start=draw(numbers(0, 1e5)),
            fps=draw(st.none() | numbers(0.01, 240)),
        ),
        when=When(
            onsets=draw(st.none() | st.lists(onsets(), max_size=6).map(tuple)),
            envelope=draw(st.none() | envelopes()),
            source=draw(SOURCE),
        ),
        where=Where(tracks=draw(st.none() | st.lists(tracks(), max_size=3).map(tuple)), source=draw(SOURCE)),
        what=What(
            prompt=draw(st.none() | TEXT),
            negative=draw(st.none() | TEXT),
            reference=draw(st.none() | TEXT),
            segments=tuple(draw(st.lists(segments(), max_size=2))),
            source=draw(SOURCE),
        ),
    )
