"""Event patterns to learn sound from, without pictures: what hands, feet and falling things do, and when.

They follow the world's domains (hits, walks, drops) but draw their times directly, so a clip costs no
physics.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from weft.cues.conversions import rms_envelope
from weft.cues.sheet import Clip, CueSheet, Onset, Track, What, When, Where
from weft.cues.vocabulary import MATERIALS
from weft.synthesis.event import SoundEvent, curve_at


@dataclass(frozen=True, kw_only=True, eq=False)
class Pattern:
    """Events of one clip, their materials not yet final, and where the sounding thing is meanwhile."""

    duration: float
    events: tuple[SoundEvent, ...]
    tracks: tuple[Track, ...]
    domain: str
    gain: float = 1.0
    room: str | None = "auto"


def world_pattern(index: int, rng: np.random.Generator, duration: float) -> Pattern:
    """The contacts of clip `index` of the world's training split, and where its camera sees them."""
    from weft.world.scene import DOMAINS, sample_scene, split_seed

    scene = sample_scene(str(rng.choice(DOMAINS)), split_seed("train", index), duration=duration)
    return Pattern(
        duration=duration,
        events=scene.events,
        tracks=trajectory(scene.events),
        domain=scene.domain,
        gain=scene.gain,
        room=scene.room,
    )


def trajectory(events: tuple[SoundEvent, ...]) -> tuple[Track, ...]:
    """Where the events are heard, as a track: the true answer to "where", also for what the picture does not show."""
    points: dict[float, tuple[float, float]] = {}
    for event in events:
        times = np.array([event.t])
        pan, depth = np.array([event.pan]), np.array([event.depth])
        if event.sustained and event.pan_curve is not None and event.depth_curve is not None:
            times = event.t + np.linspace(0, event.sounding_s, 12)
            where = np.linspace(0, 1, 12)
            pan = curve_at(event.pan_curve, event.pan, where)
            depth = curve_at(event.depth_curve, event.depth, where)
        for t, x, d in zip(times.tolist(), pan.tolist(), depth.tolist(), strict=True):
            points[round(t, 3)] = (x, d)
    if not points:
        return ()
    t = np.array(sorted(points))
    x, depth = np.array([points[k] for k in t.tolist()]).T
    centre = (x + 1) / 2
    box = np.stack([centre - 0.05, np.full(t.size, 0.45), centre + 0.05, np.full(t.size, 0.55)], axis=1)
    return (Track(label="", t=t, box=box, depth=np.clip(depth, 0, 1)),)


def sample_pattern(rng: np.random.Generator, duration: float) -> Pattern:
    """Draw a pattern of `duration` seconds; about one in fifty has no event."""
    domain = str(
        rng.choice(["hits", "scratches", "walks", "drops", "none"], p=[0.42, 0.13, 0.22, 0.21, 0.02])
    )
    track = _path(rng, duration, moving=domain == "walks" or rng.random() < 0.5)
    draw = {"hits": _hits, "scratches": _scratches, "walks": _walk, "drops": _drops}
    events = draw[domain](rng, duration) if domain in draw else []
    size = float(rng.uniform())
    placed = [_placed(event, track, size, rng) for event in events if 0 <= event.t < duration - 0.02]
    return Pattern(
        duration=duration,
        events=tuple(placed),
        tracks=(track,),
        domain=domain,
        gain=float(10 ** (rng.uniform(-9, 3) / 20)),
        room="auto" if rng.random() < 0.9 else None,
    )


def voiced(pattern: Pattern, materials: tuple[str, ...], rng: np.random.Generator) -> Pattern:
    """The same contacts on other materials: all on one, or from onset to onset on one of several."""
    if len(materials) == 1:
        which = [0] * len(pattern.events)
    elif rng.random() < 0.5:  # first the one, then the other
        cut = rng.uniform(0.25, 0.75) * pattern.duration
        which = [int(event.t > cut) for event in pattern.events]
    else:
        which = rng.integers(len(materials), size=len(pattern.events)).tolist()
    events = tuple(replace(e, material=materials[w]) for e, w in zip(pattern.events, which, strict=True))
    return replace(pattern, events=events)


def sheet_of(pattern: Pattern, audio: np.ndarray, *, noise: float = 0.0) -> CueSheet:
    """The cue sheet of a voiced pattern and its sound [2, N], as if recorded over a steady noise of that RMS."""
    clean = rms_envelope(audio)
    envelope = replace(clean, rms=np.sqrt(np.square(clean.rms) + noise**2))
    onsets = tuple(
        Onset(
            t=e.t, strength=max(e.strength, 0.01), duration=e.duration, material=e.material, action=e.action
        )
        for e in pattern.events
    )
    return CueSheet(
        clip=Clip(duration=pattern.duration),
        when=When(onsets=onsets, envelope=envelope, source="world"),
        where=Where(tracks=pattern.tracks or None, source="world"),
        what=What(),
    )


def random_materials(rng: np.random.Generator) -> tuple[str, ...]:
    """One material, or one time in six two."""
    return tuple(rng.choice(MATERIALS, size=2 if rng.random() < 1 / 6 else 1, replace=False).tolist())


def _path(rng: np.random.Generator, duration: float, *, moving: bool) -> Track:
    """A box that rests, or wanders from side to side and in depth."""
    t = np.linspace(0, duration, max(2, round(duration * 8)))
    x, depth = np.full(t.shape, rng.uniform(0.05, 0.95)), np.full(t.shape, rng.uniform(0.05, 0.95))
    if moving and rng.random() < 0.6:  # across
        x = np.linspace(rng.uniform(-0.1, 1.1), rng.uniform(-0.1, 1.1), t.size)
        depth = np.linspace(rng.uniform(0, 1), rng.uniform(0, 1), t.size)
    elif moving:  # to and fro
        x = x + rng.uniform(0.05, 0.5) * np.sin(2 * np.pi * rng.uniform(0.1, 1.2) * t + rng.uniform(0, 6.3))
    x, depth = np.clip(x, 0, 1), np.clip(depth, 0, 1)
    half, y = rng.uniform(0.03, 0.2), rng.uniform(0.3, 0.8)
    box = np.stack([x - half, np.full(t.shape, y - half), x + half, np.full(t.shape, y + half)], axis=1)
    return Track(label="", t=t, box=box, depth=depth)


def _placed(event: SoundEvent, track: Track, size: float, rng: np.random.Generator) -> SoundEvent:
    t = round(event.t, 3)
    aside = rng.normal(0, 0.02)
    pan = np.clip(track.pan_at(t) + aside, -1, 1)
    placed = replace(event, t=t, pan=float(pan), depth=float(track.depth_at(t)), size=size, track="a")
    if not event.sustained:
        return placed
    times = t + np.linspace(0, event.duration, 16)
    return replace(
        placed,
        pan_curve=np.clip(track.pan_at(times) + aside, -1, 1),
        depth_curve=track.depth_at(times),
    )


def _strength(rng: np.random.Generator, size: int) -> np.ndarray:
    """Strengths around one force, 0.05 .. 1."""
    force = rng.uniform(0.25, 1.0)
    return np.clip(force * np.exp(rng.normal(0, rng.choice([0.05, 0.2, 0.5]), size)), 0.05, 1.0)


def _times(rng: np.random.Generator, duration: float) -> np.ndarray:
    """Once, a few times, at random, in rhythm, or as a drum roll."""
    style = rng.choice(["one", "few", "random", "rhythm", "burst"], p=[0.12, 0.2, 0.2, 0.38, 0.1])
    if style == "one":
        return rng.uniform(0.02, 0.85, 1) * duration
    if style == "few":
        return np.sort(rng.uniform(0.0, 0.95, rng.integers(2, 5))) * duration
    if style == "random":
        return np.cumsum(0.1 + rng.exponential(rng.uniform(0.1, 0.6), 64)) - 0.1
    if style == "rhythm":
        beat = float(np.exp(rng.uniform(np.log(0.14), np.log(1.0))))
        times = rng.uniform(0, beat) + beat * np.arange(64)
        times = times + rng.normal(0, beat * rng.choice([0.0, 0.03, 0.12]), 64)
        return times[rng.random(64) > rng.choice([0.0, 0.25])]
    start, beat = rng.uniform(0, 0.7) * duration, rng.uniform(0.055, 0.13)
    return start + beat * np.arange(rng.integers(4, 20)) + rng.normal(0, 0.004, 1)


def _hits(rng: np.random.Generator, duration: float) -> list[SoundEvent]:
    times = np.sort(_times(rng, duration))
    times = times[(times >= 0) & (times < duration)]
    hits = [
        SoundEvent(t=float(t), strength=float(s), action="hit")
        for t, s in zip(times, _strength(rng, len(times)), strict=True)
    ]
    if hits and rng.random() < 0.12:  # a scratch among the blows
        hits[-1] = _scratch(rng, hits[-1].t, duration)
    return hits


def _scratch(rng: np.random.Generator, t: float, duration: float, action: str = "scratch") -> SoundEvent:
    length = float(min(rng.uniform(0.15, 1.2), max(0.1, duration - t)))
    where = np.linspace(0, 1, 24)
    bell = np.sin(np.pi * where) ** rng.uniform(0.4, 1.2)
    strokes = np.abs(np.sin(np.pi * rng.integers(1, 5) * where + 0.05))
    curve = np.clip(bell if rng.random() < 0.6 else strokes, 0.02, 1)
    return SoundEvent(
        t=t, strength=float(rng.uniform(0.2, 1)), action=action, duration=length, gain_curve=curve
    )


def _scratches(rng: np.random.Generator, duration: float) -> list[SoundEvent]:
    events: list[SoundEvent] = []
    t = float(rng.uniform(0, 0.4))
    while t < duration - 0.15 and len(events) < 12:
        events.append(_scratch(rng, t, duration))
        t += events[-1].duration + float(rng.uniform(0.03, 0.6))
    return events


def _walk(rng: np.random.Generator, duration: float) -> list[SoundEvent]:
    pace = float(rng.uniform(0.26, 0.75))
    begin, end = 0.0, duration
    if rng.random() < 0.3:
        begin, end = sorted(rng.uniform(0, duration, 2))
    times = np.arange(begin + rng.uniform(0, pace), max(end, begin + 0.3), pace)
    times = np.clip(times + rng.normal(0, 0.03 * pace, len(times)), 0, None)
    feet = 1 + rng.uniform(0, 0.25) * (-1.0) ** np.arange(len(times))
    strength = np.clip(rng.uniform(0.25, 0.85) * feet * np.exp(rng.normal(0, 0.1, len(times))), 0.05, 1)
    return [
        SoundEvent(t=float(t), strength=float(s), action="step") for t, s in zip(times, strength, strict=True)
    ]


def _drops(rng: np.random.Generator, duration: float) -> list[SoundEvent]:
    events: list[SoundEvent] = []
    for _ in range(int(rng.integers(1, 4))):
        t, gap = float(rng.uniform(0, 0.7) * duration), float(rng.uniform(0.15, 0.7))
        kept, strength = float(rng.uniform(0.35, 0.85)), float(rng.uniform(0.4, 1.0))
        while gap > 0.03 and strength > 0.05 and t < duration and len(events) < 60:
            events.append(SoundEvent(t=t, strength=strength, action="bounce"))
            t, gap, strength = t + gap, gap * kept, strength * kept
        if rng.random() < 0.25 and t < duration - 0.2:
            events.append(_scratch(rng, t, duration, "roll"))
    events.sort(key=lambda event: event.t)
    return events
