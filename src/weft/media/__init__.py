"""Files in and out: pictures by exact time, sound of any length, muxing by stream copy; no models here.

Time is seconds. Zero is the moment the file's first picture is shown; a file without pictures starts at its
first sample. Sound is float32 `[C, N]`, pictures are uint8 `[T, H, W, 3]`.
"""

from weft.media.atomic import written_aside
from weft.media.audio import AudioWriter, iter_audio, read_audio, write_audio
from weft.media.mux import MuxResult, mux
from weft.media.video import Video

__all__ = [
    "AudioWriter",
    "MuxResult",
    "Video",
    "iter_audio",
    "mux",
    "read_audio",
    "write_audio",
    "written_aside",
]
