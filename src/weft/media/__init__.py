"""Files in and out: pictures by exact time, sound of any length, muxing by stream copy; no models here.

Time is seconds. Zero is the moment the file's first picture is shown; a file without pictures starts at its
first sample. Sound is float32 `[C, N]`, pictures are uint8 `[T, H, W, 3]`.
"""

from weft.media.atomic import written_aside
from weft.media.audio import AudioWriter, iter_audio, read_audio, write_audio
from weft.media.loudness import LoudnessMeter, finished, limited, true_peak_db
from weft.media.mux import MuxResult, mux
from weft.media.video import Video

__all__ = [
    "AudioWriter",
    "LoudnessMeter",
    "MuxResult",
    "Video",
    "finished",
    "iter_audio",
    "limited",
    "mux",
    "read_audio",
    "true_peak_db",
    "write_audio",
    "written_aside",
]
