"""The mixing desk behind the performers: fader and pan pot ridden so that the sheet's levels are kept.

A network follows the envelope and the trajectory nearly, an instrument struck by onsets not at all; a hand on the
fader makes them exact. The gain at a moment
depends on the sheet and on the sound within `REACH` samples of it, so blocks cut anywhere agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from weft.cues.controls import CHANNELS, control_frames
from weft.cues.sheet import CueSheet

HOP, WINDOW = 128, 512
RATE = 44100
SMOOTH = 7
"""Hops the fader's gain is smoothed over: 20 ms, so that it follows a blow and does not click."""
PAN_WINDOW = 1536
REACH = 4096
MOST_DB = 24.0
MOST_LEAN_DB = 12.0
FLOOR = 3e-4
"""RMS below which a level is not worth lifting, -70 dB."""
ILD_DB = 14.0
"""Right over left, in dB, of a source at pan 1 (`weft.synthesis.placement`)."""
PAN_RATE = RATE / 1024
MAKEUP_DB = 15.0
"""What a take is lifted by. The instruments keep headroom for the hardest blow next to the microphone; of performed
validation clips the median lies at -42 LUFS and peaks at -19 dBFS. One gain for all, so that an edit changes nothing
but what it names."""

Floats = NDArray[np.float64]


def makeup_db(sheet: CueSheet) -> float:
    """The gain of a finished take: `MAKEUP_DB`, or 0 where the sheet's envelope says how loud it is to be."""
    return 0.0 if fader_wanted(sheet) else MAKEUP_DB


def riding(
    blocks: Iterable[NDArray[np.float32]], sheet: CueSheet, *, pan: bool = True, first: int = 0
) -> Iterator[NDArray[np.float32]]:
    """Blocks [2, n] of a performance from sample `first` on, with the levels set right: as many samples, some later.

    However the performance is cut into blocks, their sum is `ride` of the whole.
    """
    if not fader_wanted(sheet) and not (pan and sheet.where.tracks):
        yield from blocks
        return
    held = np.zeros((2, 0), np.float32)
    given = first  # samples of the whole: where `held` begins, how far it was given away
    for block in blocks:
        held = np.concatenate([held, block], axis=1)
        ready = first + held.shape[1] - REACH
        if ready > given:
            yield ride(held, first, sheet, pan=pan)[:, given - first : ready - first]
            given = ready
            drop = max(0, given - REACH - first)
            held, first = held[:, drop:], first + drop
    if first + held.shape[1] > given:
        yield ride(held, first, sheet, pan=pan)[:, given - first :]


def ride(wave: NDArray[np.float32], first: int, sheet: CueSheet, *, pan: bool = True) -> NDArray[np.float32]:
    """A stretch [2, n] of a performance, its first sample number `first` of the whole, with the levels set right.

    The envelope is kept where the sheet has one a person or the world wrote; with `pan`, the trajectory where it has
    tracks. The outer `REACH` samples of a stretch that has neighbours are only a guess: overlap the stretches by so
    much.
    """
    out = wave.astype(np.float64)
    if pan and sheet.where.tracks:
        out = out * _lean(out, first, sheet)
    if fader_wanted(sheet):
        out = out * _fader(out, first, sheet)
    return out.astype(np.float32)


def fader_wanted(sheet: CueSheet) -> bool:
    """Whether somebody who knows wrote the sheet's envelope."""
    sources = set((sheet.when.source or "").split("+"))
    return sheet.when.envelope is not None and bool(sources - {"spotter", "motion"})


def _grid(first: int, count: int) -> NDArray[np.int64]:
    """Centres of the hops that touch samples first .. first + count, absolute."""
    return np.arange(first // HOP, (first + count) // HOP + 2) * HOP


def _power(wave: Floats, centres: NDArray[np.int64], window: int) -> Floats:
    """Mean power [2, F] of each channel in windows around `centres`, relative to the stretch; zero beyond it."""
    total = np.concatenate([np.zeros((2, 1)), np.cumsum(np.square(wave), axis=1)], axis=1)
    low = np.clip(centres - window // 2, 0, wave.shape[1])
    high = np.clip(centres + window // 2, 0, wave.shape[1])
    return np.maximum(total[:, high] - total[:, low], 0) / window


def _fader(wave: Floats, first: int, sheet: CueSheet) -> Floats:
    assert sheet.when.envelope is not None
    centres = _grid(first, wave.shape[1])
    heard = np.sqrt(_power(wave, centres - first, WINDOW).mean(0))
    wanted = sheet.when.envelope.at(centres / RATE)
    gain_db = np.clip(20 * np.log10((wanted + FLOOR) / (heard + FLOOR)), -MOST_DB, MOST_DB)
    return _spread(gain_db, centres - first, wave.shape[1], SMOOTH)


def _lean(wave: Floats, first: int, sheet: CueSheet) -> Floats:
    centres = _grid(first, wave.shape[1])
    left, right = _power(wave, centres - first, PAN_WINDOW) + FLOOR**2 / 10
    start = max(0, int(first / RATE * PAN_RATE) - 1)
    frames = int(wave.shape[1] / RATE * PAN_RATE) + 4
    rows = control_frames(sheet, frames, PAN_RATE, start=start)
    now, struck = rows[:, CHANNELS["pan"]].T
    # What was struck rings where it was struck; what is rubbed or rolls sounds where it is.
    wanted = np.where(rows[:, CHANNELS["active"].start] > 0, now, struck)
    pan = np.interp(centres / RATE, (start + np.arange(frames) + 0.5) / PAN_RATE, wanted)
    lean = np.clip(ILD_DB * pan - 10 * np.log10(right / left), -MOST_LEAN_DB, MOST_LEAN_DB)
    side = np.stack([-lean / 2, lean / 2])
    gain = 10 ** (side / 10)
    kept = (gain[0] * left + gain[1] * right) / (left + right)
    return np.stack([_spread(s - 10 * np.log10(kept), centres - first, wave.shape[1], 9) for s in side])


def _spread(gain_db: Floats, centres: NDArray[np.int64], count: int, smooth: int) -> Floats:
    """Gains at hops, smoothed, as linear gains of `count` samples."""
    window = np.hanning(smooth + 2)[1:-1]
    even = np.convolve(np.pad(gain_db, smooth // 2, mode="edge"), window / window.sum(), mode="valid")
    return 10 ** (np.interp(np.arange(count), centres, even) / 20)
