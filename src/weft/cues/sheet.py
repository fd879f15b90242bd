"""The cue sheet: everything a performer is told about a clip, as plain frozen dataclasses.

Time is seconds from the start of the clip. `None` means "not given, spot it"; an empty tuple means "none, and
I mean it". Numbers are kept at the resolution of the file (1 ms; 0.001 of strength and depth; 0.0001 of the
picture; 1e-6 of full scale), so what is performed is what is saved, and a saved sheet loads back equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from weft.cues.checks import check_array, check_each, check_number, check_text, check_word, rounded, tuple_of
from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.cues.words import shown
from weft.errors import CueError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

VERSION = 1
DEPTH_UNKNOWN = 0.4
SOURCES = ("person", "spotter", "motion", "world")


class _Unwritten(float):
    """A default nobody wrote. It reads as the number; `merge` may put a spotted one in its place."""


@dataclass(frozen=True, kw_only=True)
class Onset:
    """One sounding event. `duration` above 0 makes it sustained (a scratch, a roll). `material` and `action`
    are words of `weft.cues.vocabulary`, or None for "as the prompt or the picture says"."""

    t: float
    strength: float = _Unwritten(1.0)
    duration: float = _Unwritten(0.0)
    material: str | None = None
    action: str | None = None

    def __post_init__(self) -> None:
        t = check_number("t", self.t)
        if t < 0:
            raise CueError(f"t: {shown(self.t)} is before the clip; give seconds from 0")
        strength, duration = check_number("strength", self.strength), check_number("duration", self.duration)
        if not 0 < strength <= 1:
            raise CueError(f"strength: {shown(self.strength)} is out of range; give more than 0, up to 1")
        if duration < 0:
            raise CueError(f"duration: {shown(self.duration)} is negative; give seconds, 0 for a hit")
        check_word("material", self.material, MATERIALS)
        check_word("action", self.action, ACTIONS)
        object.__setattr__(self, "t", round(t, 3) + 0.0)
        if not isinstance(self.strength, _Unwritten):
            object.__setattr__(self, "strength", max(round(strength, 3), 0.001))
        if not isinstance(self.duration, _Unwritten):
            object.__setattr__(self, "duration", round(duration, 3) + 0.0)

    @property
    def end(self) -> float:
        return round(self.t + self.duration, 3)

    @property
    def unwritten(self) -> frozenset[str]:
        """The fields nobody wrote: `merge` may fill them, and a saved sheet leaves them out."""
        values = {name: getattr(self, name) for name in ("strength", "duration", "material", "action")}
        return frozenset(n for n, v in values.items() if v is None or isinstance(v, _Unwritten))


@dataclass(frozen=True, kw_only=True, eq=False)
class Envelope:
    """Loudness over time: `rms[i]`, full-scale units from 0, is the RMS of a window centred at `i * hop` s
    (FoleyGRAM eq. (5): window 512 and hop 128 samples at 44.1 kHz). Silent after its end."""

    hop: float
    rms: NDArray[np.float64]

    def __post_init__(self) -> None:
        hop = check_number("hop", self.hop)
        if not 0 < hop <= 10:
            raise CueError(f"hop: {shown(self.hop)} is no step; give seconds between values, such as 0.0029")
        rms = check_array("rms", self.rms, 1)
        if rms.size == 0:
            raise CueError("rms: [] holds no value; leave the envelope out to have it spotted")
        check_each("rms", rms, rms >= 0, "is negative; an RMS is 0 or more")
        check_each(
            "rms", rms, rms <= 10, "is far above full scale; 1.0 is the loudest sine an output can hold"
        )
        object.__setattr__(self, "hop", hop)
        object.__setattr__(self, "rms", rounded(rms, 6))

    @property
    def times(self) -> NDArray[np.float64]:
        """Centre of each value, s, [n]."""
        return np.arange(self.rms.size, dtype=np.float64) * self.hop

    def at(self, t: ArrayLike) -> NDArray[np.float64]:
        """The envelope at times t (any shape), linear between values, 0 before and a hop past them."""
        t = np.asarray(t, dtype=np.float64)
        inside = (t > -1e-9) & (t <= self.rms.size * self.hop)
        return np.interp(t, self.times, self.rms) * inside

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Envelope):
            return NotImplemented
        return self.hop == other.hop and np.array_equal(self.rms, other.rms)

    def __hash__(self) -> int:
        return hash((self.hop, self.rms.tobytes()))


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """Where one thing is: at `t` [n] seconds its `box` [n, 4] is x1, y1, x2, y2 in fractions of the picture
    (a little outside 0..1 is off screen), its `depth` [n] 0 (near) to 1 (far). Kept sorted by time."""

    label: str = ""
    t: NDArray[np.float64]
    box: NDArray[np.float64]
    depth: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        check_text("label", self.label)
        t, box = check_array("t", self.t, 1), check_array("box", self.box, 2)
        if t.size == 0:
            raise CueError("t: [] holds no time; leave the track out instead")
        check_each("t", t, t >= 0, "is before the clip; give seconds from 0")
        if box.shape != (t.size, 4):
            raise CueError(f"box: {len(box)} boxes for {t.size} times; give one [x1, y1, x2, y2] per time")
        check_each("box", box, (box >= -1) & (box <= 2), "is no fraction of the picture; divide by its size")
        check_each(
            "box", box, np.all(box[:, :2] <= box[:, 2:], axis=1), "is out of order; give x1, y1, x2, y2"
        )
        order = np.argsort(t, kind="stable")
        if self.depth is not None:
            depth = check_array("depth", self.depth, 1)
            if depth.size != t.size:
                raise CueError(f"depth: {depth.size} depths for {t.size} times; give one per time")
            check_each(
                "depth", depth, (depth >= 0) & (depth <= 1), "is out of range; give 0 (near) to 1 (far)"
            )
            object.__setattr__(self, "depth", rounded(depth[order], 3))
        object.__setattr__(self, "t", rounded(t[order], 3))
        object.__setattr__(self, "box", rounded(box[order], 4))

    def pan_at(self, t: ArrayLike) -> NDArray[np.float64]:
        """Centre of the box from -1 (left edge) to 1 (right edge) at times t; the ends are held."""
        x = np.clip(self.box[:, 0] + self.box[:, 2] - 1.0, -1.0, 1.0)
        return np.interp(np.asarray(t, dtype=np.float64), self.t, x)

    def depth_at(self, t: ArrayLike) -> NDArray[np.float64]:
        """Depth at times t, the ends held; `DEPTH_UNKNOWN` when the track has none."""
        t = np.asarray(t, dtype=np.float64)
        return np.full(t.shape, DEPTH_UNKNOWN) if self.depth is None else np.interp(t, self.t, self.depth)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Track):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        depth = None if self.depth is None else self.depth.tobytes()
        return self.label, self.t.tobytes(), self.box.tobytes(), depth


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A prompt for one stretch of the clip, [start, end) seconds; it outranks the sheet's prompt there."""

    start: float
    end: float
    prompt: str

    def __post_init__(self) -> None:
        start, end = check_number("start", self.start), check_number("end", self.end)
        if start < 0:
            raise CueError(f"start: {shown(self.start)} is before the clip; give seconds from 0")
        if end <= start:
            raise CueError(f"end: {shown(self.end)} is not after the start, {shown(self.start)}")
        check_text("prompt", self.prompt)
        if self.prompt is None:
            raise CueError("prompt: missing; say what this stretch sounds like")
        object.__setattr__(self, "start", round(start, 3) + 0.0)
        object.__setattr__(self, "end", round(end, 3) + 0.0)


@dataclass(frozen=True, kw_only=True)
class When:
    """The first dial. Onsets are sorted by time. `source` says who filled it; unsaid, a person did."""

    onsets: tuple[Onset, ...] | None = None
    envelope: Envelope | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        if self.onsets is not None:
            onsets = tuple_of("onsets", self.onsets, Onset)
            object.__setattr__(self, "onsets", tuple(sorted(onsets, key=lambda o: o.t)))
        _source(self, self.onsets is not None or self.envelope is not None)


@dataclass(frozen=True, kw_only=True)
class Where:
    """The second dial. Where tracks overlap in time, the one listed first speaks."""

    tracks: tuple[Track, ...] | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        if self.tracks is not None:
            object.__setattr__(self, "tracks", tuple_of("tracks", self.tracks, Track))
        _source(self, self.tracks is not None)


@dataclass(frozen=True, kw_only=True)
class What:
    """The third dial: words for what should (`prompt`) and should not (`negative`) be heard, the path of a
    recording to sound like (`reference`), and prompts for single stretches (`segments`, () = none given)."""

    prompt: str | None = None
    negative: str | None = None
    reference: str | None = None
    segments: tuple[Segment, ...] = ()
    source: str | None = None

    def __post_init__(self) -> None:
        for name in ("prompt", "negative", "reference"):
            check_text(name, getattr(self, name))
        segments = tuple_of("segments", self.segments, Segment)
        object.__setattr__(self, "segments", tuple(sorted(segments, key=lambda s: s.start)))
        given = (self.prompt, self.negative, self.reference)
        _source(self, any(g is not None for g in given) or bool(self.segments))

    def prompt_at(self, t: float) -> str | None:
        """The words in force at t: those of the segment there, else the sheet's prompt."""
        inside = [s.prompt for s in self.segments if s.start <= t < s.end]
        return inside[0] if inside else self.prompt


@dataclass(frozen=True, kw_only=True)
class Clip:
    """The stretch of video a sheet belongs to: `duration` s from `start` s into the file, its display size in
    pixels and frames per second, where known."""

    duration: float
    width: int | None = None
    height: int | None = None
    start: float = 0.0
    fps: float | None = None

    def __post_init__(self) -> None:
        duration, start = check_number("duration", self.duration), check_number("start", self.start)
        if duration <= 0:
            raise CueError(f"duration: {shown(self.duration)} is no length; give seconds above 0")
        if start < 0:
            raise CueError(f"start: {shown(self.start)} is before the file begins; give seconds from 0")
        for name in ("width", "height"):
            size = getattr(self, name)
            if size is None:
                continue
            if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
                raise CueError(f"{name}: {shown(size)} is no size; give whole pixels, 1 or more")
            object.__setattr__(self, name, int(size))
        if self.fps is not None and check_number("fps", self.fps) <= 0:
            raise CueError(f"fps: {shown(self.fps)} is no frame rate; give frames per second above 0")
        object.__setattr__(self, "duration", max(round(duration, 3), 0.001))
        object.__setattr__(self, "start", round(start, 3) + 0.0)
        if self.fps is not None:
            object.__setattr__(self, "fps", max(round(float(self.fps), 6), 1e-6))


@dataclass(frozen=True, kw_only=True)
class CueSheet:
    """When, where and what, for one clip. Raises `CueError` (it begins with the path) for onsets, segments
    or an envelope outside the clip. Change it with `dataclasses.replace` or `weft.cues.edits`."""

    clip: Clip
    when: When = field(default_factory=When)
    where: Where = field(default_factory=Where)
    what: What = field(default_factory=What)
    version: int = VERSION

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise CueError(f"version: {shown(self.version)} is not supported; this weft reads {VERSION}")
        end = self.clip.duration
        for i, onset in enumerate(self.when.onsets or ()):
            if onset.t > end:
                raise CueError(
                    f"when.onsets[{i}].t: {onset.t} is after the clip ends; give seconds from 0 to {end}"
                )
        envelope = self.when.envelope
        if envelope is not None and (last := (envelope.rms.size - 1) * envelope.hop) > end + envelope.hop:
            raise CueError(
                f"when.envelope.rms: {envelope.rms.size} values {envelope.hop:g} s apart last {last:.3f} s,"
                f" longer than the clip ({end} s); check the hop"
            )
        for i, segment in enumerate(self.what.segments):
            if segment.start >= end:
                raise CueError(
                    f"what.segments[{i}].start: {segment.start} is outside the clip (0 to {end} s)"
                )

    @overload
    def pan_at(self, t: float, label: str | None = None) -> float: ...
    @overload
    def pan_at(self, t: NDArray[Any], label: str | None = None) -> NDArray[np.float64]: ...
    def pan_at(self, t: float | NDArray[Any], label: str | None = None) -> float | NDArray[np.float64]:
        """Pan from -1 (left) to 1 (right) at t seconds; a float for a number, an array for an array.

        Told by the track whose time span holds t, else the one nearest in time; 0 without tracks. `label`
        narrows the choice to tracks of that name, when there is one.
        """
        return self._from_track("pan_at", 0.0, t, label)

    @overload
    def depth_at(self, t: float, label: str | None = None) -> float: ...
    @overload
    def depth_at(self, t: NDArray[Any], label: str | None = None) -> NDArray[np.float64]: ...
    def depth_at(self, t: float | NDArray[Any], label: str | None = None) -> float | NDArray[np.float64]:
        """Depth from 0 (near) to 1 (far) at t seconds, chosen as in `pan_at`; `DEPTH_UNKNOWN` if unknown."""
        return self._from_track("depth_at", DEPTH_UNKNOWN, t, label)

    def _from_track(
        self, reader: str, unknown: float, t: float | NDArray[Any], label: str | None
    ) -> float | NDArray[np.float64]:
        times = np.asarray(t, dtype=np.float64)
        tracks = self.where.tracks or ()
        named = [k for k in tracks if label is not None and k.label.casefold() == label.casefold()]
        value = np.full(times.shape, unknown)
        away = np.full(times.shape, np.inf)
        for track in named or tracks:
            distance = np.maximum(np.maximum(track.t[0] - times, times - track.t[-1]), 0.0)
            nearer = distance < away
            value = np.where(nearer, getattr(track, reader)(times), value)
            away = np.where(nearer, distance, away)
        return float(value) if np.ndim(t) == 0 else value

    def to_json(self) -> str:
        """The sheet as a human-first JSON document: one line per onset, numbers in rows."""
        from weft.cues.document import write

        return write(self)

    @classmethod
    def from_json(cls, text: str, *, clip: Clip | None = None) -> CueSheet:
        """Read a document; `clip` fills in what its own leaves out. Raises `CueError` naming the path."""
        from weft.cues.document import read

        return read(text, clip=clip)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the JSON document aside, then rename it to `path`; `MediaError` if it exists or cannot be."""
        from weft.cues.document import save

        save(self, Path(path), overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path, *, clip: Clip | None = None) -> CueSheet:
        """Read the file `path`; raises `CueError` naming the fault's place."""
        from weft.cues.document import load

        return load(Path(path), clip=clip)


def _source(dial: When | Where | What, filled: bool) -> None:
    """A filled dial has a source (a person, unless said); an empty one has none."""
    source = dial.source
    if source is not None:
        check_text("source", source)
        for name in source.split("+"):
            check_word("source", name, SOURCES)
    object.__setattr__(dial, "source", (source or "person") if filled else None)
