"""What a person wrote of *when* becomes levels; what only the spotter wrote does not."""

from __future__ import annotations

import numpy as np
import pytest

from weft.cues.sheet import Clip, CueSheet, Envelope, Onset, When
from weft.systems.shaping import DECAY_S, STRUCK_RMS, shaped, struck

ONSETS = (Onset(t=0.5, strength=1.0), Onset(t=1.0, strength=0.5, duration=0.4))
ENVELOPE = Envelope(hop=0.01, rms=np.full(200, 0.2))


def sheet(**when: object) -> CueSheet:
    return CueSheet(clip=Clip(duration=2.0), when=When(**when))  # type: ignore[arg-type]


def test_blows_rise_at_their_time_hold_and_die_away() -> None:
    level = struck(ONSETS, 2.0).at
    assert level(0.48) == pytest.approx(0, abs=1e-6)
    assert level(0.503) == pytest.approx(STRUCK_RMS, rel=0.05)
    assert level(0.5 + DECAY_S) == pytest.approx(STRUCK_RMS / np.e, rel=0.05)
    assert level(1.2) == level(1.39) == pytest.approx(STRUCK_RMS / 2, rel=0.01)
    assert level(1.9) < STRUCK_RMS / 20
    assert struck((), 1.0).rms.max() == 0


@pytest.mark.parametrize("source", ["spotter", "motion", "spotter+motion"])
def test_what_a_machine_wrote_is_left_out(source: str) -> None:
    found = shaped(sheet(onsets=ONSETS, envelope=ENVELOPE, source=source))
    assert found.when.envelope is None and found.when.onsets == ONSETS


@pytest.mark.parametrize("source", [None, "person", "person+spotter", "world"])
def test_a_written_envelope_stays_and_written_onsets_make_one(source: str | None) -> None:
    both = sheet(onsets=ONSETS, envelope=ENVELOPE, source=source)
    assert shaped(both) == both
    made = shaped(sheet(onsets=ONSETS, source=source)).when
    assert made.envelope == struck(ONSETS, 2.0)
    assert made.onsets == ONSETS


def test_nothing_written_is_nothing_shaped() -> None:
    assert shaped(sheet()).when.envelope is None
