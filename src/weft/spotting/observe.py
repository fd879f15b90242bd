"""Look at a clip once, from first to last: its readings, and who read it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from weft.errors import WeightsError
from weft.media.ahead import ahead
from weft.media.video import Video
from weft.progress import Progress, silent
from weft.spotting import classical, closer, motion
from weft.spotting.network import PICTURE_RATE
from weft.spotting.reader import Reader, embedded
from weft.spotting.readings import Readings, joined

log = logging.getLogger(__name__)

HIGHEST_FPS = 31.0
WINDOW = 300  # readings the network reads at once, 10 s
MARGIN = 60  # readings before and after that it sees and does not answer for; whole pictures at PICTURE_RATE
STRETCH = 120  # readings that share a closer look, 4 s
LEAD = 30  # readings before and after that the closer look sees as well
DECODED_AHEAD = 16  # pictures decoded while those before them are measured

_FORGOTTEN = np.zeros((0, 0, 3), np.uint8)


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What was seen of a clip. `source`: "spotter" when the network timed it, "motion" when the classical detector
    did; `threshold` and `share` (see `readings.pick`) belong to it."""

    readings: Readings
    source: str
    threshold: float
    share: float = 0.0


def observe(
    video: Video,
    *,
    progress: Progress = silent,
    reader: Reader | None = None,
    by_motion: bool = False,
    window: int = WINDOW,
) -> Observation:
    """Decode `video` once at 192 x 256 and read it in windows of `window` readings; memory grows by 60 numbers per
    33 ms.

    `reader` defaults to the embedded network. `by_motion`, or missing weights, leave it to the classical detector.
    Raises MediaError when the clip cannot be decoded.
    """
    return watch(
        _pictures(video, progress), video.duration, reader=reader, by_motion=by_motion, window=window
    )


def watch(
    frames: Iterable[tuple[float, np.ndarray]],
    duration: float,
    *,
    reader: Reader | None = None,
    by_motion: bool = False,
    window: int = WINDOW,
) -> Observation:
    """`observe` for pictures (seconds, uint8 `[192, 256, 3]`) in order, at most about 30 a second. Raises ValueError
    when there is none."""
    if reader is None and not by_motion:
        try:
            reader = embedded()
        except WeightsError as error:
            log.warning("spotting by motion alone: %s", error)
    parts: list[Readings] = []
    overall: list[motion.Motion] = []
    for seen in _windows(frames, duration, window):
        mine = seen.motion[seen.answers]
        overall.append(_light(mine))
        if reader is None:
            parts.append(classical.read(mine))
            continue
        parts.append(_closer(reader, seen, reader.read(seen.motion, seen.pictures)))
    read = joined(parts)
    if reader is None:
        return Observation(readings=read, source="motion", threshold=classical.THRESHOLD)
    if read.onset.max() >= reader.sure:
        return Observation(readings=read, source="spotter", threshold=reader.threshold, share=reader.share)
    timed = classical.timed(read, motion.join(overall))
    return Observation(readings=timed, source="motion", threshold=classical.THRESHOLD)


def _closer(reader: Reader, seen: _Window, first: Readings) -> Readings:
    """The readings that a window answers for: what a first look told, a closer look at the places where it found
    something, and boxes drawn to the edges that the pictures show."""
    parts = []
    last = min(seen.answers.stop, len(first))
    for start in range(seen.answers.start, last, STRETCH):
        mine = first[start : min(start + STRETCH, last)]
        view = closer.choose(mine)
        if view.side <= closer.WIDEST:
            begin, end = max(0, start - LEAD), min(len(first), start + STRETCH + LEAD)
            near = motion.join(motion.measure(seen.through(view, begin), (end - begin) / motion.RATE))
            again = closer.outside(reader.read_motion(near), view)
            mine = closer.both(mine, again[start - begin : start - begin + len(mine)])
        parts.append(_outlined(reader, seen, mine, start))
    return joined(parts)


def _outlined(reader: Reader, seen: _Window, mine: Readings, start: int) -> Readings:
    """The readings `mine` of a window, from its reading `start` on, with their boxes drawn to the edges that its
    pictures show."""
    shown = np.round(np.arange(len(seen.pictures)) * (motion.RATE / PICTURE_RATE)).astype(int)
    here = (shown >= start) & (shown < start + len(mine))
    change = seen.motion.change[start : start + len(mine)]
    return reader.outline(mine, shown[here] - start, seen.pictures[here], change)


def _light(seen: motion.Motion) -> motion.Motion:
    """A copy without what is large, which must not be kept for the length of a clip."""
    return motion.Motion(
        cells=seen.cells[:, :, :0].copy(),
        overall=seen.overall.copy(),
        cut=seen.cut.copy(),
        grey=seen.grey[:, :0].copy(),
        change=seen.change[:, :0].copy(),
        clock=seen.clock.copy(),
    )


@dataclass(frozen=True, kw_only=True)
class _Window:
    """Consecutive readings, the 2 Hz pictures and the grey pictures (s from the first reading, uint8 `[192, 256]`) that
    belong to them; `answers`: those that this window answers for."""

    motion: motion.Motion
    pictures: np.ndarray
    grey: list[tuple[float, np.ndarray]]
    answers: slice

    def through(self, view: closer.View, begin: int) -> list[tuple[float, np.ndarray]]:
        """What is seen through a view from shortly before reading `begin` on, in seconds from that reading."""
        at = begin / motion.RATE
        kept = _since(self.grey, at)
        seen = closer.through(np.stack([picture for _, picture in kept]), view)
        return [(t - at, picture) for (t, _), picture in zip(kept, seen, strict=True)]


def _since(grey: list[tuple[float, np.ndarray]], at: float) -> list[tuple[float, np.ndarray]]:
    """What of the pictures is needed to read from `at` on: one that differs from the next may lie before."""
    before = sum(t <= at - motion.LONGEST_REPEAT_S for t, _ in grey)
    return grey[max(0, before - 1) :]


def _windows(frames: Iterable[tuple[float, np.ndarray]], duration: float, length: int) -> Iterator[_Window]:
    """The windows of a clip, one after another."""
    pictures: list[np.ndarray] = []
    grey: list[tuple[float, np.ndarray]] = []
    blocks: list[motion.Motion] = []
    first, answered, held = 0, 0, 0  # the first reading kept, readings answered for, readings kept

    def window(whole: motion.Motion, count: int, end: int) -> _Window:
        since, until = first / motion.RATE, (first + count) / motion.RATE
        return _Window(
            motion=whole[:count],
            pictures=_shown(pictures, first, count),
            grey=[(t - since, p) for t, p in grey if t < until + motion.LONGEST_REPEAT_S],
            answers=slice(answered - first, end - first),
        )

    for block in motion.measure(_tapped(frames, pictures, grey), duration):
        blocks.append(block)
        held += len(block)
        while first + held >= answered + length + MARGIN:
            whole = motion.join(blocks)
            end = answered + length
            yield window(whole, end + MARGIN - first, end)
            answered = end
            drop = max(0, answered - MARGIN - first)
            blocks, held, first = [whole[drop:]], held - drop, first + drop
            grey[:] = _since(grey, first / motion.RATE)
            past = round(first / motion.RATE * PICTURE_RATE)
            for k in range(max(0, past - length), past):
                pictures[k] = _FORGOTTEN
    if not pictures:
        raise ValueError("there is no picture to watch")
    whole = motion.join(blocks)
    if first + held > answered:
        yield window(whole, len(whole), first + len(whole))


def _shown(pictures: list[np.ndarray], first: int, count: int) -> np.ndarray:
    """The pictures of `count` readings from reading `first` on."""
    start = round(first / motion.RATE * PICTURE_RATE)
    wanted = int(np.ceil(count / motion.RATE * PICTURE_RATE))
    index = np.minimum(np.arange(start, start + max(wanted, 1)), len(pictures) - 1)
    return np.stack([pictures[k] for k in index])


def _tapped(
    frames: Iterable[tuple[float, np.ndarray]],
    pictures: list[np.ndarray],
    grey: list[tuple[float, np.ndarray]],
) -> Iterator[tuple[float, np.ndarray]]:
    """Pass pictures on small and grey, keeping the large grey ones and, in colours, the first at or after every
    1 / PICTURE_RATE s."""
    for t, frame in frames:
        while t >= len(pictures) / PICTURE_RATE - 1e-6:
            small = closer.through(np.moveaxis(frame, -1, 0), closer.WHOLE)
            pictures.append(np.moveaxis(np.round(small).astype(np.uint8), 0, -1))
        large = motion.luma(frame)
        grey.append((t, large))
        yield t, closer.through(large[None], closer.WHOLE)[0]


def _pictures(video: Video, progress: Progress) -> Iterator[tuple[float, np.ndarray]]:
    """The clip's own pictures, thinned to 30 per second when there are more."""
    fps = None if video.fps <= HIGHEST_FPS else 30
    for t, frame in ahead(video.iter_frames(fps, closer.SIZE), DECODED_AHEAD):
        progress("spot", min(1.0, t / video.duration))
        yield t, frame
