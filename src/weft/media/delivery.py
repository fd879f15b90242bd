"""The new sound as it is delivered: as long as the picture, with the clip's own, at its loudness, below its ceiling."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from weft.errors import MediaError
from weft.media.audio import exactly, iter_audio, sample_count
from weft.media.loudness import CEILING_DB, finished, true_peak_db
from weft.media.mixing import Original, ducked, mixed
from weft.media.video import Video

Sound = np.ndarray | str | os.PathLike[str] | Iterable[np.ndarray]
MOST_ROUNDS = 4
_MISS_DB, _SPARE_DB = 0.02, 0.1


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What is asked of `sound`, at `rate` Hz, beside `video`; see `weft.media.mux.mux`."""

    video: Video
    sound: Sound
    rate: int
    original: Original
    lufs: float | None
    limit: bool

    @property
    def again(self) -> bool:
        """Whether the sound can be had more than once: blocks from an iterator cannot."""
        return isinstance(self.sound, np.ndarray | str | os.PathLike)

    def blocks(self, ceiling_db: float = CEILING_DB) -> tuple[Iterator[np.ndarray], int]:
        """The sound in blocks `[C, n]`, true peak at most `ceiling_db` where it is limited, and its channels."""
        video, rate = self.video, self.rate
        opened, channels = self._opened()
        out = exactly(opened, sample_count(video.duration, rate), channels)
        if video.has_audio and self.original in ("mix", "duck"):
            own = iter_audio(video.path, rate, video.start, video.duration, channels=channels)
            out = (mixed if self.original == "mix" else ducked)(out, own, rate)
        if self.limit or self.lufs is not None:
            out = finished(out, rate, lufs=self.lufs, ceiling_db=ceiling_db)
        return out, channels

    def lower(self, written: Path, ceiling_db: float) -> float:
        """The ceiling for another try where what was `written` under `ceiling_db` passes the true ceiling once it is
        decoded: AAC and Opus do not keep peaks. `ceiling_db` itself where all is well, or nothing can be done."""
        if not (self.limit and self.again):
            return ceiling_db
        over = true_peak_db(iter_audio(written, None)) - CEILING_DB
        return ceiling_db if over <= _MISS_DB else ceiling_db - over - _SPARE_DB

    def _opened(self) -> tuple[Iterator[np.ndarray], int]:
        if isinstance(self.sound, np.ndarray):
            blocks: Iterator[np.ndarray] = iter((self.sound,))
        elif isinstance(self.sound, str | os.PathLike):
            blocks = iter_audio(self.sound, self.rate)
        else:
            blocks = iter(self.sound)
        first = next(blocks, None)
        if first is None:
            raise MediaError("there is no sound to write")
        return chain((first,), blocks), first.shape[0]
