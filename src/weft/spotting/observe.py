"""Look at a clip once, from first to last: its readings, and who read it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from weft.errors import WeightsError
from weft.media.video import Video
from weft.progress import Progress, silent
from weft.spotting import classical, motion
from weft.spotting.network import PICTURE_RATE
from weft.spotting.reader import Reader, embedded
from weft.spotting.readings import Readings, joined

log = logging.getLogger(__name__)

HIGHEST_FPS = 31.0
WINDOW = 300  # readings the network reads at once, 10 s
MARGIN = 60  # readings before and after that it sees and does not answer for; whole pictures at PICTURE_RATE

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
    """Decode `video` once at 96 x 128 and read it in windows of `window` readings; memory grows by 60 numbers per
    33 ms.

    `reader` defaults to the embedded network. `by_motion`, or missing weights, leave it to the classical detector.
    Raises MediaError when the clip cannot be decoded.
    """
    if reader is None and not by_motion:
        try:
            reader = embedded()
        except WeightsError as error:
            log.warning("spotting by motion alone: %s", error)
    parts: list[Readings] = []
    overall: list[motion.Motion] = []
    for seen, pictures, keep in _windows(video, progress, window):
        mine = seen[keep]
        overall.append(_light(mine))
        if reader is None:
            parts.append(classical.read(mine))
            continue
        parts.append(reader.read(seen, pictures)[keep])
    read = joined(parts)
    if reader is None:
        return Observation(readings=read, source="motion", threshold=classical.THRESHOLD)
    if read.onset.max() >= reader.sure:
        return Observation(readings=read, source="spotter", threshold=reader.threshold, share=reader.share)
    timed = classical.timed(read, motion.join(overall))
    return Observation(readings=timed, source="motion", threshold=classical.THRESHOLD)


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


def _windows(
    video: Video, progress: Progress, length: int
) -> Iterator[tuple[motion.Motion, np.ndarray, slice]]:
    """Yield (motion, pictures, which of its readings this window answers for) over the clip."""
    pictures: list[np.ndarray] = []
    blocks: list[motion.Motion] = []
    first, answered, held = 0, 0, 0  # the first reading kept, readings answered for, readings kept
    for block in motion.measure(_tapped(_pictures(video, progress), pictures), video.duration):
        blocks.append(block)
        held += len(block)
        while first + held >= answered + length + MARGIN:
            whole = motion.join(blocks)
            end = answered + length
            n = end + MARGIN - first
            yield whole[:n], _shown(pictures, first, n), slice(answered - first, end - first)
            answered = end
            drop = max(0, answered - MARGIN - first)
            blocks, held, first = [whole[drop:]], held - drop, first + drop
            past = round(first / motion.RATE * PICTURE_RATE)
            for k in range(max(0, past - length), past):
                pictures[k] = _FORGOTTEN
    whole = motion.join(blocks)
    if first + held > answered:
        yield whole, _shown(pictures, first, len(whole)), slice(answered - first, len(whole))


def _shown(pictures: list[np.ndarray], first: int, count: int) -> np.ndarray:
    """The pictures of `count` readings from reading `first` on."""
    start = round(first / motion.RATE * PICTURE_RATE)
    wanted = int(np.ceil(count / motion.RATE * PICTURE_RATE))
    index = np.minimum(np.arange(start, start + max(wanted, 1)), len(pictures) - 1)
    return np.stack([pictures[k] for k in index])


def _tapped(
    frames: Iterable[tuple[float, np.ndarray]], pictures: list[np.ndarray]
) -> Iterator[tuple[float, np.ndarray]]:
    """Pass pictures on, keeping the first at or after every 1 / PICTURE_RATE s."""
    for t, frame in frames:
        while t >= len(pictures) / PICTURE_RATE - 1e-6:
            pictures.append(frame)
        yield t, frame


def _pictures(video: Video, progress: Progress) -> Iterator[tuple[float, np.ndarray]]:
    """The clip's own pictures, thinned to 30 per second when there are more."""
    fps = None if video.fps <= HIGHEST_FPS else 30
    for t, frame in video.iter_frames(fps, motion.SIZE):
        progress("spot", min(1.0, t / video.duration))
        yield t, frame
