"""A take that plays its sheet, and takes that leave one dial alone."""

from __future__ import annotations

import numpy as np
import pytest

from weft.cues.conversions import rms_envelope
from weft.cues.sheet import Clip, CueSheet, Envelope, Onset, Track, When, Where
from weft.metrics import sheet_obedience
from weft.metrics.obedience import Obedience

RATE = 44100
SECONDS = 4.0


def asked(seed: int) -> CueSheet:
    """Six blows by a thing that crosses the picture and goes off into the distance."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.choice(np.arange(0.3, 3.7, 0.4), 6, replace=False)) + rng.uniform(0, 0.1)
    x = np.linspace(0.05, 0.95, 5)[:: 1 if seed % 2 else -1]
    box = np.stack([x - 0.04, np.full(5, 0.4), x + 0.04, np.full(5, 0.6)], axis=1)
    track = Track(t=np.linspace(0, 4, 5), box=box, depth=np.linspace(0.1, 0.9, 5))
    onsets = tuple(
        Onset(t=float(t), strength=float(s)) for t, s in zip(times, rng.uniform(0.4, 1, 6), strict=True)
    )
    return CueSheet(clip=Clip(duration=SECONDS), when=When(onsets=onsets), where=Where(tracks=(track,)))


def played(sheet: CueSheet, *, late_s: float = 0.0, mono: bool = False, flat: bool = False) -> np.ndarray:
    wave = np.zeros((2, round(SECONDS * RATE)))
    for k, o in enumerate(sheet.when.onsets or ()):
        at = round((o.t + late_s) * RATE)
        burst = np.random.default_rng(k).standard_normal(8000) * np.exp(-np.arange(8000) / 1200)
        angle = ((0.0 if mono else sheet.pan_at(o.t)) + 1) * np.pi / 4
        level = 0.3 * o.strength * (1.0 if flat else 10 ** (-sheet.depth_at(o.t)))
        part = wave[:, at : at + 8000]
        part += level * np.stack([np.cos(angle), np.sin(angle)])[:, None] * burst[: part.shape[1]]
    return wave


def by_dial(takes: list[tuple[CueSheet, np.ndarray]]) -> dict[str, Obedience]:
    return {found.dial: found for found in sheet_obedience.evaluate(takes)}


def test_a_take_that_plays_its_sheet() -> None:
    sheets = [asked(seed) for seed in range(4)]
    found = by_dial([(s, played(s)) for s in sheets])
    assert list(found) == ["onsets", "pan", "depth"]
    assert found["onsets"].score > 0.95
    assert found["onsets"].ignored < 0.6
    assert found["pan"].score > 0.99
    assert found["pan"].error < 0.03
    assert found["depth"].score > 0.97
    assert found["depth"].n == 24


def test_each_dial_by_itself() -> None:
    sheets = [asked(seed) for seed in range(4)]
    mono = by_dial([(s, played(s, mono=True)) for s in sheets])
    assert abs(mono["pan"].score) < 0.3
    assert mono["onsets"].score > 0.95
    flat = by_dial([(s, played(s, flat=True)) for s in sheets])
    assert flat["depth"].score < 0.6  # the strength of each blow was taken out
    assert flat["pan"].score > 0.99
    late = by_dial([(s, played(s, late_s=0.08)) for s in sheets])
    assert late["onsets"].score < 0.1


def test_the_envelope_that_was_written() -> None:
    sheet = asked(0)
    wave = played(sheet)
    asks = CueSheet(clip=sheet.clip, when=When(envelope=rms_envelope(wave)))
    (found,) = sheet_obedience.evaluate([(asks, wave)])
    assert (found.dial, found.n) == ("envelope", 1)
    assert found.score > 0.999
    assert found.error < 0.1
    (other,) = sheet_obedience.evaluate([(asks, wave[:, ::-1])])
    assert other.score < 0.4
    later = wave.copy()
    later[:, -RATE:] = 0.1  # the last second is judged too
    assert sheet_obedience.evaluate([(asks, later)])[0].score < 0.95
    short = CueSheet(clip=sheet.clip, when=When(envelope=Envelope(hop=0.01, rms=np.full(100, 0.1))))
    assert sheet_obedience.evaluate([(short, wave[:, : RATE * 2])])[0].score < 0.9


def test_a_dial_that_nobody_turned_is_left_out_and_refusals() -> None:
    empty = CueSheet(clip=Clip(duration=SECONDS))
    assert sheet_obedience.evaluate([(empty, played(asked(0)))]) == ()
    silent = by_dial([(asked(0), np.zeros((2, RATE)))])
    assert list(silent) == ["onsets"]
    assert silent["onsets"].score == 0
    with pytest.raises(ValueError, match="no takes to judge"):
        sheet_obedience.evaluate([])
    with pytest.raises(ValueError, match="needs two"):
        sheet_obedience.evaluate([(asked(0), np.ones(RATE))])
    with pytest.raises(ValueError, match="NaN"):
        sheet_obedience.evaluate([(asked(0), np.full((2, RATE), np.nan))])
