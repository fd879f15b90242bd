"""Spot a silent clip: read its picture once, fill what the given cue sheet leaves empty."""

from __future__ import annotations

from weft.cues.merge import merge
from weft.cues.sheet import Clip, CueSheet
from weft.media.video import Video
from weft.progress import Progress, silent
from weft.spotting.observe import Observation, observe
from weft.spotting.readings import sheet_from


def spot(
    video: Video,
    sheet: CueSheet | None = None,
    *,
    progress: Progress = silent,
    seen: Observation | None = None,
) -> CueSheet:
    """Return a complete cue sheet for `video`: what `sheet` gives is obeyed, the rest is spotted.

    `progress` hears "spot" and the share done. The picture is decoded once, in order, unless it has been `seen`
    (see `observe`). `source` in the sheet says who spotted: "spotter" is the network, "motion" the classical
    detector. Raises MediaError when the clip cannot be decoded.
    """
    clip = Clip(
        duration=video.duration, width=video.width, height=video.height, start=video.start, fps=video.fps
    )
    if seen is None:
        seen = observe(video, progress=progress)
    spotted = sheet_from(seen.readings, seen.threshold, clip, seen.source, share=seen.share)
    return spotted if sheet is None else merge(sheet, spotted)
