"""Spot a silent clip: read its picture once, fill what the given cue sheet leaves empty."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from weft.cues.merge import merge
from weft.cues.sheet import Clip, CueSheet
from weft.media.video import Video
from weft.progress import Progress, silent
from weft.spotting import classical, motion
from weft.spotting.readings import sheet_from

HIGHEST_FPS = 31.0


def spot(video: Video, sheet: CueSheet | None = None, *, progress: Progress = silent) -> CueSheet:
    """Return a complete cue sheet for `video`: what `sheet` gives is obeyed, the rest is spotted.

    `progress` hears "spot" and the share done. The picture is decoded once, in order; nothing is kept of
    it but the readings (some 40 numbers per 40 ms). `source` in the sheet says who spotted: "spotter" is the
    network, "motion" the classical detector.
    Raises MediaError when the clip cannot be decoded.
    """
    clip = Clip(
        duration=video.duration, width=video.width, height=video.height, start=video.start, fps=video.fps
    )
    seen = motion.join(motion.measure(_pictures(video, progress), video.duration))
    spotted = sheet_from(classical.read(seen), classical.THRESHOLD, clip, "motion")
    return spotted if sheet is None else merge(sheet, spotted)


def _pictures(video: Video, progress: Progress) -> Iterator[tuple[float, np.ndarray]]:
    """The clip's own pictures, thinned to 30 per second when there are more."""
    fps = None if video.fps <= HIGHEST_FPS else 30
    for t, frame in video.iter_frames(fps, motion.SIZE):
        progress("spot", min(1.0, t / video.duration))
        yield t, frame
