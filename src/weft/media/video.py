"""Pictures by their exact presentation time: lazily, scaled while decoding, no more than asked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Literal

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from weft.errors import MediaError
from weft.media.decoding import decoded, shown_at
from weft.media.extent import Orientation, Picture, probe
from weft.media.picking import nearest
from weft.media.source import open_source, picture_stream, reading

_TOUCH = Fraction(1, 1000)  # a start written to the millisecond still means the picture that appears then
Fit = Literal["squash", "cover"]


@dataclass(frozen=True, kw_only=True)
class Video:
    """A clip, or a part of one, whose pictures are decoded only when asked for.

    `start`: seconds after the file's first picture, always the moment a picture appears; `duration`: the
    seconds of picture from there; `width`, `height`: what a player shows, rotation and pixel shape applied;
    `rotation`: the clockwise turn in degrees (0, 90, 180, 270) from stored to shown; `fps`: the file's
    average rate, for information; `begin`: `start` on the file's own clock, exact.
    """

    path: Path
    start: float
    duration: float
    width: int
    height: int
    fps: float
    rotation: int
    has_audio: bool
    picture: Picture
    begin: Fraction

    @classmethod
    def open(cls, path: str | os.PathLike[str], start: float = 0.0, duration: float | None = None) -> Video:
        """Read what the file says of its pictures, and decode the first to be sure there is one.

        The clip begins with the picture on screen at `start`, so its `start` may be up to one frame earlier
        than asked: sound and picture then begin together. A `duration` that reaches past the end is cut.
        Raises MediaError: missing file, folder, no video stream, no picture that can be decoded, cut short,
        `start` outside the clip, `duration` not positive.
        """
        file = Path(path)
        with open_source(file) as container, reading(file):
            picture = probe(container, picture_stream(container, file), file)
            has_audio = bool(container.streams.audio)
        whole = float(picture.end - picture.zero)
        if not 0.0 <= start < whole:
            raise MediaError(f"{file}: start {start:g} s lies outside the clip, which is {whole:.3f} s long")
        if duration is not None and not duration > 0.0:
            raise MediaError(f"{file}: duration {duration:g} s must be more than 0")
        begin = shown_at(file, picture, picture.zero + Fraction(start) + _TOUCH) if start else picture.zero
        rest = float(picture.end - begin)
        return cls(
            path=file,
            start=float(begin - picture.zero),
            duration=rest if duration is None else min(float(duration), rest),
            width=picture.width,
            height=picture.height,
            fps=float(picture.rate),
            rotation=picture.orientation.degrees,
            has_audio=has_audio,
            picture=picture,
            begin=begin,
        )

    @property
    def whole(self) -> bool:
        """Whether this is the file's picture from first to last."""
        return self.start == 0.0 and self.start + self.duration >= float(self.picture.end - self.picture.zero)

    def frame_count(self, fps: float | Fraction) -> int:
        """How many frames `iter_frames(fps)` gives: one for each k with k / fps < duration - 1 ms, at least one."""
        if not fps > 0:
            raise MediaError(f"a frame rate must be more than 0, not {fps}")
        return max(1, ceil((self.duration - 0.001) * float(fps)))

    def iter_frames(
        self, fps: float | Fraction | None, size: tuple[int, int] | None = None, fit: Fit = "squash"
    ) -> Iterator[tuple[float, np.ndarray]]:
        """Yield (t, frame): t seconds after `start`, frame uint8 `[H, W, 3]` RGB, in order.

        With `fps`, t = k / fps for k = 0, 1, ... while t < duration (but for a last millisecond), and the
        frame is the one whose exact presentation time is nearest to t (of two equally near, the earlier): the
        same grid for constant and variable rates. One picture may serve several t; it is then the same array,
        so do not write into it. With `fps=None`, every picture comes once, at its own time.

        `size` is (width, height) as shown, default the display size. `fit`: "squash" ignores the aspect
        ratio, "cover" fills `size` and crops the middle.
        """
        scaler = Scaler(self.picture.orientation, size or (self.width, self.height), self._shown(), fit)
        zero = self.begin
        frames = decoded(self.path, self.picture, zero)
        if fps is None:
            pairs = _own_times(frames, zero, zero + Fraction(self.duration))
        else:
            rate = Fraction(fps)
            picks = nearest(frames, zero, [(rate, self.frame_count(fps))])
            pairs = ((float(pick.index / rate), pick.picture) for pick in picks)
        for t, frame in pairs:
            yield t, scaler(frame)

    def frames(
        self, fps: float | Fraction, size: tuple[int, int] | None = None, fit: Fit = "squash"
    ) -> np.ndarray:
        """All of `iter_frames(fps, size, fit)` as one array, uint8 `[T, H, W, 3]`; frame k is at k / fps."""
        width, height = size or (self.width, self.height)
        out = np.empty((self.frame_count(fps), height, width, 3), np.uint8)
        for k, (_, frame) in enumerate(self.iter_frames(fps, size, fit)):
            out[k] = frame
        return out

    def _shown(self) -> tuple[int, int]:
        return self.width, self.height


def _own_times(
    frames: Iterator[tuple[Fraction, VideoFrame]], zero: Fraction, end: Fraction
) -> Iterator[tuple[float, VideoFrame]]:
    for time, frame in frames:
        if time >= end:
            return
        if time >= zero:
            yield float(time - zero), frame


class Scaler:
    """Scales in one step from the decoder's format to small RGB, then turns the small picture."""

    def __init__(
        self,
        orientation: Orientation,
        size: tuple[int, int],
        shown: tuple[int, int],
        fit: str,
        interpolation: Interpolation = Interpolation.BILINEAR,
    ) -> None:
        if fit not in ("squash", "cover"):
            raise MediaError(f"fit must be 'squash' or 'cover', not {fit!r}")
        if min(size) < 1:
            raise MediaError(f"a frame size must be at least 1x1, not {size[0]}x{size[1]}")
        self.orientation = orientation
        self.size = size
        self.interpolation = interpolation
        self.scaled = size
        if fit == "cover":
            scale = max(size[0] / shown[0], size[1] / shown[1])
            self.scaled = max(size[0], round(shown[0] * scale)), max(size[1], round(shown[1] * scale))
        self.reformatter = VideoReformatter()
        self.last: tuple[VideoFrame, np.ndarray] | None = None

    def __call__(self, frame: VideoFrame) -> np.ndarray:
        if self.last is not None and self.last[0] is frame:
            return self.last[1]
        width, height = self.scaled
        stored = (height, width) if self.orientation.transposed else (width, height)
        small = self.reformatter.reformat(
            frame, *stored, format="rgb24", interpolation=self.interpolation, threads=1
        )
        image = self.orientation.apply(small.to_ndarray())
        x, y = (width - self.size[0]) // 2, (height - self.size[1]) // 2
        image = np.ascontiguousarray(image[y : y + self.size[1], x : x + self.size[0]])
        self.last = (frame, image)
        return image
