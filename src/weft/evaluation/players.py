"""What a reader sees and hears of one clip: spectrograms as PNG, sounds as FLAC, and its picture with the new sound."""

from __future__ import annotations

import base64
import io
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from weft.errors import WeftError
from weft.evaluation.comparisons import true_onsets
from weft.evaluation.cue_truth import truth
from weft.evaluation.features import onsets
from weft.evaluation.reading import Sound, Window, read
from weft.evaluation.result import ClipResult
from weft.evaluation.sources import Source

BANDS, COLUMNS, RANGE_DB = 96, 640, 70.0
_PLAYED = (".mp4", ".m4v", ".webm")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One side of a clip: `png` the spectrogram as a data address, `audio` the file beside the report, `onsets` in s
    (true ones by the cue sheet where there is one) and how long it is."""

    png: str
    audio: Path
    onsets: tuple[float, ...]
    seconds: float


def show(clip: ClipResult, window: Window, folder: Path) -> tuple[Shown, Shown]:
    """Write both sounds of `clip` to `folder` and draw them on one scale; the reference comes first.

    Raises WeftError when a file has gone or changed since it was measured.
    """
    sounds = [_read(s, window) for s in (clip.pair.reference, clip.pair.predicted)]
    powers = [_power(s) for s in sounds]
    top = max(float(p.max()) for p in powers)
    out = []
    for side, sound, power, content in zip(
        ("reference", "predicted"),
        sounds,
        powers,
        (clip.reference_sha256, clip.predicted_sha256),
        strict=True,
    ):
        path = folder / f"{side}-{(content or '')[:16]}.flac"
        _write(path, sound)
        heard = onsets(sound)["times"]
        if side == "reference" and clip.pair.cues is not None:
            with suppress(WeftError):
                heard = true_onsets({**truth(clip.pair.cues, window), "onsets": {"times": heard}})
        out.append(
            Shown(
                png=_png(power, top),
                audio=path,
                onsets=tuple(float(t) for t in heard),
                seconds=sound.wave.shape[1] / sound.rate,
            )
        )
    return out[0], out[1]


def film(clip: ClipResult, window: Window, folder: Path) -> Path | None:
    """Write the clip's picture with the predicted sound, packets copied; None where there is no picture that a browser
    plays. Raises WeftError when it cannot be written."""
    video = clip.pair.video
    if video is None or video.suffix not in _PLAYED:
        return None
    from weft.media.mux import mux
    from weft.media.video import Video

    out = folder / f"film-{(clip.predicted_sha256 or '')[:16]}{video.suffix}"
    sound = _read(clip.pair.predicted, window)
    with video.as_file() as path:
        mux(
            Video.open(path, window.start_s, window.duration_s),
            sound.wave,
            out,
            rate=sound.rate,
            overwrite=True,
        )
    return out


def _read(source: Source, window: Window) -> Sound:
    return read(source, source.read(), window)


def _write(path: Path, sound: Sound) -> None:
    import soundfile

    from weft.media.atomic import written_aside

    with written_aside(path, overwrite=True) as aside:
        soundfile.write(aside, np.clip(sound.wave.T, -1, 1), sound.rate, subtype="PCM_16")


def _power(sound: Sound) -> np.ndarray:
    """Mel power in dB `[BANDS, at most COLUMNS]`, channels summed, the loudest of the frames that share a column."""
    from weft.metrics.spectrum import mel_power

    power = mel_power(sound.wave, sound.rate, n_mels=BANDS).sum(0)
    step = -(-power.shape[1] // COLUMNS)
    power = np.pad(power, ((0, 0), (0, -power.shape[1] % step)), mode="edge")
    return np.asarray(10 * np.log10(power.reshape(BANDS, -1, step).max(2) + 1e-12))


def _png(db: np.ndarray, top: float) -> str:
    from matplotlib.image import imsave

    box = io.BytesIO()
    imsave(box, db[::-1], cmap="magma", vmin=top - RANGE_DB, vmax=top, format="png")
    return "data:image/png;base64," + base64.b64encode(box.getvalue()).decode()
