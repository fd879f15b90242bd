"""Events in, stereo out: the instrument weft's world sounds with and weft-physical performs on."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

import numpy as np

from weft.errors import UserError
from weft.synthesis.event import SoundEvent, curve_at
from weft.synthesis.friction import rub
from weft.synthesis.materials import TABLE
from weft.synthesis.placement import place
from weft.synthesis.room import CHUNK, Convolver, choose_room, impulse_response
from weft.synthesis.seeds import stream
from weft.synthesis.strike import blow, step
from weft.synthesis.voice import Voice, build_stick, build_voice

RATE = 44100
_GRID = 2.0**27
"""Samples are rounded to a grid far below 24 bits, which hides the rounding of FFT and sums: an edit
elsewhere changes no bit.
"""

_Piece = tuple[int, np.ndarray, np.ndarray]


def render(
    events: Sequence[SoundEvent],
    duration: float,
    *,
    seed: int,
    room: str | None = "auto",
    rate: int = RATE,
    reference: Voice | None = None,
) -> np.ndarray:
    """Play events -> float32 [2, round(duration * rate)], absolute level (a full metal hit at depth 0.2 peaks
    near -6 dBFS).

    seed names the objects, the stick, the blows' luck and the automatic room. room: "auto" (small and dry, by
    seed), None (anechoic) or a name from `weft.synthesis.room.rooms()`. reference: a voice from
    `weft.synthesis.reference.analyse` that plays every event in place of its material. An event's samples
    depend on itself, the seed and its object only. Raises UserError for a duration or rate that is not
    positive, or an unknown room.
    """
    total = _samples(duration, rate)
    out = np.empty((2, total), np.float32)
    position = 0
    for chunk in _chunks(events, total, seed, room, rate, reference):
        out[:, position : position + chunk.shape[1]] = chunk
        position += chunk.shape[1]
    return out


def render_blocks(
    events: Sequence[SoundEvent],
    duration: float,
    *,
    seed: int,
    room: str | None = "auto",
    block: int = 2**17,
    rate: int = RATE,
    reference: Voice | None = None,
) -> Iterator[np.ndarray]:
    """As `render`, in blocks [2, block] (the last may be shorter): memory does not grow with duration,
    samples are the same bits.
    """
    if block < 1:
        raise UserError(f"block of {block} samples: use 1 or more")
    waiting = np.zeros((2, 0), np.float32)
    for chunk in _chunks(events, _samples(duration, rate), seed, room, rate, reference):
        waiting = np.concatenate([waiting, chunk], axis=1)
        while waiting.shape[1] >= block:
            yield waiting[:, :block].copy()
            waiting = waiting[:, block:]
    if waiting.shape[1]:
        yield waiting


def _samples(duration: float, rate: int) -> int:
    if not (np.isfinite(duration) and duration > 0):
        raise UserError(f"duration {duration} must be more than 0 seconds")
    if rate < 8000:
        raise UserError(f"rate {rate} Hz is too low: use 8000 or more")
    return round(duration * rate)


def _chunks(
    events: Sequence[SoundEvent], total: int, seed: int, room: str | None, rate: int, reference: Voice | None
) -> Iterator[np.ndarray]:
    """The clip in chunks of CHUNK samples; the last is cut."""
    chosen = choose_room(room, seed)
    convolver = Convolver(impulse_response(chosen, rate)) if chosen else None
    pieces = _pieces(events, total, seed, rate, reference)
    upcoming = next(pieces, None)
    sounding: list[_Piece] = []
    for start in range(0, total, CHUNK):
        while upcoming is not None and upcoming[0] < start + CHUNK:
            sounding.append(upcoming)
            upcoming = next(pieces, None)
        direct = np.zeros((2, CHUNK))
        send = np.zeros((2, CHUNK))
        for begin, ears, to_room in sounding:
            first, last = max(begin, start), min(begin + ears.shape[1], start + CHUNK)
            if first < last:
                direct[:, first - start : last - start] += ears[:, first - begin : last - begin]
                send[:, first - start : last - start] += to_room[:, first - begin : last - begin]
        sounding = [piece for piece in sounding if piece[0] + piece[1].shape[1] > start + CHUNK]
        if convolver is not None:
            direct += convolver.process(send)
        direct *= _GRID
        np.rint(direct, out=direct)
        direct *= 1 / _GRID
        yield direct[:, : total - start].astype(np.float32)


def _pieces(
    events: Sequence[SoundEvent], total: int, seed: int, rate: int, reference: Voice | None
) -> Iterator[_Piece]:
    """All placed pieces in order of their start, made only when asked for."""
    stick = build_stick(seed)
    voices: dict[tuple[str, str, float], Voice] = {}

    def of(event: SoundEvent) -> Iterator[_Piece]:
        key = (event.material, event.track, event.size)
        if reference is None and key not in voices:
            voices[key] = build_voice(TABLE[event.material], event.size, seed, event.track)
        voice = reference or voices[key]
        begin = round(event.t * rate)
        if event.sustained:
            for offset, wave in rub(voice, event, seed, rate, total - begin):
                where = np.clip((offset + np.arange(len(wave))) / max(1.0, event.sounding_s * rate), 0, 1)
                pan = event.pan if event.pan_curve is None else curve_at(event.pan_curve, event.pan, where)
                depth = (
                    event.depth
                    if event.depth_curve is None
                    else curve_at(event.depth_curve, event.depth, where)
                )
                yield begin + offset, *place(wave, pan, depth, rate)
            return
        rng = stream(seed, "event", round(event.t * 1000), event.action)
        if event.action == "step":
            wave = step(voice, event.strength, stick, rng, rate, total - begin)
        else:
            wave = blow(voice, event.action, event.strength, stick, rng, rate, total - begin)
        yield begin, *place(wave, event.pan, event.depth, rate)

    audible = [event for event in events if event.strength > 0 and round(event.t * rate) < total]
    order = sorted(range(len(audible)), key=lambda index: audible[index].t)
    waiting = [(round(audible[index].t * rate), index) for index in order]
    heapq.heapify(waiting)
    running: dict[int, tuple[Iterator[_Piece], _Piece]] = {}
    while waiting:
        start, index = heapq.heappop(waiting)
        if index not in running:
            source = of(audible[index])
            piece = next(source, None)
        else:
            source, piece = running.pop(index)
        if piece is None:
            continue
        if piece[0] > start:
            running[index] = (source, piece)
            heapq.heappush(waiting, (piece[0], index))
            continue
        yield piece
        following = next(source, None)
        if following is not None:
            running[index] = (source, following)
            heapq.heappush(waiting, (following[0], index))
