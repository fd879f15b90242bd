"""What MMAudio sees of a clip: 8 pictures a second for CLIP and 25 for Synchformer, out of one decoding.

Cheng et al. 2025. Its own reader takes the first picture at or after each moment, up to 40 ms late, where its training
took the nearest; here the nearest is taken by exact presentation time, whatever the clip's rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from weft.encoders import dfn_clip, synchformer_visual
from weft.encoders.pictures import centre_crop, channels_first, shorter_side, squashed
from weft.encoders.synchformer_visual import VisualConfig
from weft.media.streams import Stream, frames_as_mmaudio, frames_together
from weft.media.video import Video

_SYNC = VisualConfig()
SEGMENTS_PER_S = 3  # what the generator was trained with: 24 segments for 8 s


@dataclass(frozen=True, kw_only=True)
class MMAudioPictures:
    """`clip` uint8 `[T, 384, 384, 3]` at 8 fps, squashed; `sync` uint8 `[T', 224, 224, 3]` at 25 fps, the middle
    square; `duration`: the seconds that they stand for."""

    clip: np.ndarray
    sync: np.ndarray
    duration: float


def read_pictures(video: Video, *, compat: bool = False, exact: bool | None = None) -> MMAudioPictures:
    """Read both streams of `video`, which is decoded once.

    There are as many pictures for CLIP as moments k / 8 s within the clip, one at least, and as many for Synchformer
    as 3 segments a second need (`sync_frames`), the last picture held; so a clip of 0.1 s has one segment.

    exact: resize as MMAudio does, whole pictures by antialiased bicubics, rather than while decoding (mean difference
    about a grey level); None: as `compat` says. compat: take the pictures that MMAudio's reader takes, too late, and
    as few (none is held: under 0.64 s there is no segment). Raises MediaError.
    """
    streams = _streams(exact=compat if exact is None else exact)
    if compat:
        (clip, sync), duration = frames_as_mmaudio(video, streams)
        return MMAudioPictures(clip=clip, sync=sync, duration=duration)
    streams[1] = replace(streams[1], count=sync_frames(video.duration))
    clip, sync = frames_together(video, streams)
    return MMAudioPictures(clip=clip, sync=sync, duration=video.duration)


def sync_frames(duration: float) -> int:
    """Return how many pictures at 25 fps make 3 segments for every second begun (less a last millisecond).

    200 for 8 s, as in training. Segments begin every 0.32 s, not every third of a second, so beyond some 10 s they fall
    behind what they stand for: read a longer clip in windows of 8 s.
    """
    segments = max(1, math.ceil((duration - 0.001) * SEGMENTS_PER_S))
    return _SYNC.frames + (segments - 1) * _SYNC.stride


def _streams(*, exact: bool) -> list[Stream]:
    side = _SYNC.size
    return [
        Stream(
            fps=dfn_clip.FPS,
            size=(dfn_clip.SIDE, dfn_clip.SIDE),
            reshape=_for_clip if exact else None,
        ),
        Stream(
            fps=synchformer_visual.FPS,
            size=(side, side),
            fit="cover",
            reshape=_for_sync if exact else None,
        ),
    ]


def _for_clip(picture: np.ndarray) -> np.ndarray:
    return _channels_last(squashed(channels_first(picture[None]), dfn_clip.SIDE)[0].numpy())


def _for_sync(picture: np.ndarray) -> np.ndarray:
    resized = shorter_side(channels_first(picture[None]), _SYNC.size)
    return _channels_last(centre_crop(resized, _SYNC.size)[0].numpy())


def _channels_last(picture: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(picture.transpose(1, 2, 0))
