"""Opening a media file for reading, and saying in one line why it cannot be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from weft.errors import MediaError

# Demuxers that find "video" in text or in a single picture.
_NOT_VIDEO = {"tty", "bin", "xbin", "adf", "idf"}


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn the library's errors on reading `path` into one line each."""
    try:
        yield
    except av.FFmpegError as error:
        raise MediaError(f"{path} cannot be read: it is damaged, cut short or not a media file") from error
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror or error}") from error


def open_source(path: str | os.PathLike[str]) -> InputContainer:
    """Open a media file. Raises MediaError: missing, a folder, empty, not media."""
    file = Path(path)
    if file.is_dir():
        raise MediaError(f"{file} is a folder; give a media file")
    if not file.exists():
        raise MediaError(f"{file} does not exist; check the name")
    if not file.is_file():
        raise MediaError(f"{file} is not a regular file; give a media file")
    if not os.access(file, os.R_OK):
        raise MediaError(f"{file} may not be read; check its permissions")
    with reading(file):
        if file.stat().st_size == 0:
            raise MediaError(f"{file} is empty")
        # "file:" keeps a colon in the name from being read as a protocol; a playlist may not reach the
        # network. Names and comments in the file may be in any old encoding: they are carried, not judged.
        container = av.open(
            f"file:{file}",
            mode="r",
            container_options={"protocol_whitelist": "file"},
            options={"fflags": "+genpts"},
            metadata_errors="surrogateescape",
        )
        if not len(container.streams):
            container.close()
            raise MediaError(f"{file} cannot be read: it is damaged, cut short or not a media file")
        return container


def moving_pictures(container: InputContainer) -> VideoStream | None:
    """The stream of moving pictures, cover art aside; None when there is none."""
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not moving or container.format.name in _NOT_VIDEO:
        return None
    chosen = container.streams.best("video")
    return next((s for s in moving if chosen is not None and s.index == chosen.index), moving[0])


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """The stream of moving pictures. Raises MediaError: none, no decoder for it, a still picture."""
    name = container.format.name
    stream = moving_pictures(container)
    if stream is None:
        raise MediaError(f"{path} has no video stream")
    if name == "image2" or name.endswith("_pipe"):
        raise MediaError(f"{path} is a still picture, not a video")
    if stream.codec_context is None:
        raise MediaError(f"{path}: no decoder here for its video codec; convert it to H.264 first")
    return stream
