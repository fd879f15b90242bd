"""What a performance is made to: a video, a still picture, or nothing but a length."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from weft.errors import MediaError, UserError
from weft.media.extent import first_frame, orientation_of
from weft.media.source import moving_pictures, open_source, reading
from weft.media.video import Video

DURATION_S = 8.0
"""How long a sound is where neither a clip nor a person says."""


@dataclass(frozen=True, kw_only=True)
class Still:
    """One picture that stands for `duration` seconds; `width`, `height` as shown."""

    path: Path
    duration: float
    width: int
    height: int

    def picture(self) -> np.ndarray:
        """The picture as shown, uint8 `[H, W, 3]`. Raises MediaError."""
        return _read(self.path)


@dataclass(frozen=True, kw_only=True)
class Blank:
    """No picture, for `duration` seconds."""

    duration: float


Scene = Video | Still | Blank


def open_scene(clip: Scene | str | Path | None, start: float = 0.0, duration: float | None = None) -> Scene:
    """Return `clip` opened: a video from `start` for `duration` seconds, a picture, or None as nothing but a length.

    Raises MediaError for a file that is none of them, UserError for a length that is none.
    """
    if isinstance(clip, Video | Still | Blank):
        return clip
    if clip is not None and not _is_still(Path(clip)):
        return Video.open(clip, start=start, duration=duration)
    seconds = DURATION_S if duration is None else duration
    if not (math.isfinite(seconds) and seconds > 0):
        raise UserError(f"a sound of {seconds:g} s; give a --duration above 0")
    if clip is None:
        return Blank(duration=seconds)
    height, width = _read(Path(clip)).shape[:2]
    return Still(path=Path(clip), duration=seconds, width=width, height=height)


def _is_still(path: Path) -> bool:
    with open_source(path) as container:
        return container.format.name == "image2" or container.format.name.endswith("_pipe")


def _read(path: Path) -> np.ndarray:
    with open_source(path) as container, reading(path):
        stream = moving_pictures(container)
        frame = None if stream is None or stream.codec_context is None else first_frame(container, stream)
        if frame is None:
            raise MediaError(
                f"{path} holds no picture that can be decoded: it is empty, damaged or cut short"
            )
        return np.ascontiguousarray(orientation_of(frame).apply(frame.to_ndarray(format="rgb24")))
