"""A take that is kept around a part of it that is made anew, sample for sample.

The new sound is brought to the take's level and limited by itself, and the fades between the two lie inside the region.
Their weights sum to one: where neither passes a ceiling the joined sound does not either, so nothing has to be limited
after the joining and nothing outside the region is touched.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from weft import media
from weft.errors import MediaError, UserError
from weft.media.audio import Subtype, audio_rate, exactly, sample_count, silence
from weft.systems import sidecar
from weft.systems.region import Region

FADE_S = 0.02
"""How long the kept sound passes into the new one, and back; at most half of the region."""
SLACK_S = 0.05
"""How much longer or shorter than the picture a take may be: codecs round to whole packets."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """A take that is kept but for samples `first` to `last`: `samples` of two channels at `rate` Hz, in the file `wav`,
    which goes with this object. `gain` is what a performer's sound is multiplied by to be at the take's level."""

    region: Region
    sha256: str
    loudness_db: float
    gain: float
    rate: int
    samples: int
    first: int
    last: int
    subtype: Subtype
    wav: Path
    _folder: tempfile.TemporaryDirectory[str]

    @classmethod
    def open(cls, region: Region, *, duration: float, rate: int, makeup_db: float) -> Known:
        """Read the take; another rate is resampled, mono is heard on both sides. makeup_db: the performer's own lift.

        Raises UserError where it is not as long as the picture, MediaError where it cannot be read.
        """
        region.check(duration)
        source, samples = region.sound, sample_count(duration, rate)
        folder = tempfile.TemporaryDirectory(prefix="weft-")
        wav, seen = Path(folder.name) / "known.wav", 0

        def counted() -> Iterator[np.ndarray]:
            nonlocal seen
            for block in media.iter_audio(source, rate, channels=2):
                seen += block.shape[1]
                yield block

        heard = counted()
        with media.AudioWriter(wav, rate, 2, samples=samples) as sink:
            for block in exactly(heard, samples, 2):
                sink.write(block)
        for _ in heard:  # what is longer than the picture is counted, not kept
            pass
        if abs(seen - samples) > SLACK_S * rate:
            raise UserError(
                f"{source} has {seen / rate:.2f} s of sound, the clip {duration:.2f} s; give a take of this clip, or "
                "the --start and --duration it was made with"
            )
        told, lift = region.made(), region.loudness_db
        if lift is None:
            lift = 0.0 if told is None else told[0]["audio"].get("loudness_db", 0.0)
        return cls(
            region=region,
            sha256=sidecar.file_sha256(source),
            loudness_db=lift,
            gain=10 ** ((makeup_db + lift) / 20),
            rate=rate,
            samples=samples,
            first=round(region.start * rate),
            last=min(round(region.end * rate), samples),
            subtype=_subtype(source, rate),
            wav=wav,
            _folder=folder,
        )

    @property
    def provenance(self) -> dict[str, Any]:
        """What a sidecar says of it."""
        return {
            "start": self.region.start,
            "end": self.region.end,
            "source": str(self.region.sound.resolve()),
            "sha256": self.sha256,
            "loudness_db": self.loudness_db,
        }

    def noise_seed(self, seed: int) -> int:
        """The seed of the noise of what is played anew: with the take's own noise it would come out as it was."""
        named = np.random.SeedSequence([seed, int(self.sha256, 16)])
        return int(named.generate_state(1, np.uint64)[0] >> np.uint64(1))

    def between(self, first: int, last: int) -> np.ndarray:
        """Samples `first` to `last` of the take, float32 `[2, last - first]`; silence beyond its ends."""
        low, high = max(0, first), min(last, self.samples)
        out = np.zeros((2, max(0, last - first)), np.float32)
        if high > low:
            with soundfile.SoundFile(self.wav) as file:
                file.seek(low)
                out[:, low - first : high - first] = file.read(high - low, dtype="float32", always_2d=True).T
        return out

    def performed(self, first: int, last: int) -> np.ndarray:
        """As `between`, at the level at which the performer plays."""
        return self.between(first, last) / np.float32(self.gain)

    def filled(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The take, with the region's samples from `blocks` `[2, n]`, a performance from its first sample on."""
        at = 0
        for block in blocks:
            kept = self.between(at, at + block.shape[1])
            share = self._share(at, block.shape[1])
            joined = (1 - share) * kept + share * block
            yield np.where(share > 0, joined, kept).astype(np.float32)
            at += block.shape[1]

    def _share(self, first: int, count: int) -> np.ndarray:
        """How much of each sample is new: 0 outside the region, 1 within its fades. No fade at the clip's own ends."""
        at = first + np.arange(count) + 0.5
        fade = min(FADE_S * self.rate, (self.last - self.first) / 2)
        inside = ((at > self.first) & (at < self.last)).astype(np.float64)
        for begun, wanted in ((at - self.first, self.first > 0), (self.last - at, self.last < self.samples)):
            if wanted:
                inside = inside * np.sin(np.pi / 2 * np.clip(begun / fade, 0, 1)) ** 2
        return inside


def placed(blocks: Iterable[np.ndarray], before: int, samples: int) -> Iterator[np.ndarray]:
    """A stretch `[2, n]` of a performance of `samples`, after `before` samples of silence and followed by it."""
    yield from silence(2, before)
    for block in blocks:
        before += block.shape[1]
        yield block
    yield from silence(2, samples - before)


def mono(wave: np.ndarray) -> np.ndarray:
    """Stereo `[2, N]` as one channel `[N]` of the same power: a sound at one side is no weaker than in the middle."""
    middle = wave.mean(axis=0)
    power, kept = float(np.square(wave).mean()), float(np.square(middle).mean())
    return middle * np.float32(min(math.sqrt(2), math.sqrt(power / kept)) if kept > 0 else 1.0)


def _subtype(source: Path, rate: int) -> Subtype:
    """How fine a WAV must be to hold every sample of the take."""
    if source.suffix.lower() != ".wav" or audio_rate(source) != rate:
        return "24"
    try:
        return "float" if soundfile.info(source).subtype in ("FLOAT", "DOUBLE", "PCM_32") else "24"
    except soundfile.LibsndfileError as error:
        raise MediaError(f"{source} cannot be read: {error}") from error
