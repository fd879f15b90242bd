"""A take: one finished performance, its sheet and how it was made."""

from __future__ import annotations

import hashlib
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weft import media, weights
from weft.cues.sheet import CueSheet
from weft.media.atomic import refuse_existing, written_aside
from weft.media.audio import Subtype, sample_count
from weft.media.mixing import Original
from weft.systems import sidecar
from weft.systems.desk import makeup_db
from weft.systems.known import Known
from weft.systems.performer import Ensemble, Performer, Request
from weft.systems.scene import Scene

if TYPE_CHECKING:
    from weft.systems.table import SystemSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class Take:
    """A performance on disk (a temporary WAV that goes with this object), so that length costs no memory.

    sheet: the complete cue sheet that was played. rate: Hz. scene: the clip, or what else, it was played to.
    provenance: system, weights and their sha256, seed, take, steps, guidance, source, versions, levels, and the
    sha256 of the samples. seconds: time spent by stage. known: the take of which this one makes a region anew.
    """

    sheet: CueSheet
    rate: int
    scene: Scene
    provenance: dict[str, Any]
    seconds: dict[str, float]
    wav: Path
    _folder: tempfile.TemporaryDirectory[str]
    known: Known | None = None

    @classmethod
    def record(
        cls,
        spec: SystemSpec,
        performer: Performer,
        request: Request,
        sound: Iterator[np.ndarray],
        scene: Scene,
        *,
        sheet: CueSheet,
        lufs: float | None,
        together: Sequence[int] = (),
    ) -> Take:
        """Keep the `sound` that `performer` makes of `request` and set levels: true peak at most -1 dBTP, `lufs` if
        given, else lifted by the desk's one gain. Where a region is made anew, all outside it is the known take's.

        `sheet`, and the takes that were played `together` with it, are kept with the take: what it takes to ask for
        the same again, bit for bit.
        """
        folder = tempfile.TemporaryDirectory(prefix="weft-")
        wav = Path(folder.name) / "take.wav"
        clock = time.perf_counter()
        samples = sample_count(request.duration, performer.rate)
        meter, digest, lifts = media.LoudnessMeter(performer.rate), hashlib.sha256(), list[float]()
        with media.AudioWriter(wav, performer.rate, spec.channels, samples=samples) as sink:
            for block in _levelled(spec, request, sound, performer.rate, lufs, lifts):
                sink.write(block)
                meter.add(block)
                digest.update(np.ascontiguousarray(block, dtype=np.float32).tobytes())
        assert sink.samples == samples, f"{spec.name} gave {sink.samples} samples of {samples}"
        performed = time.perf_counter()
        levels = {
            "lufs": _finite(meter.lufs()),
            "true_peak_db": _finite(media.true_peak_db(media.iter_audio(wav, None))),
        }
        provenance = {
            "system": spec.name,
            "licence": spec.licence,
            "weights": {name: weights.sha256(name) for name in spec.weights}
            | (performer.weights if isinstance(performer, Ensemble) else {}),
            "seed": request.seed,
            "take": request.take,
            "together": list(together),
            "steps": request.steps,
            "guidance": request.guidance,
            "guide": None
            if request.guide is None or request.log is None
            else request.log.summary(request.guide),
            "lufs": lufs,
            "compat": request.compat,
            "without": list(request.without),
            "precision": request.precision,
            "reference_strength": request.reference_strength,
            "region": None if request.known is None else request.known.provenance,
            "source": sidecar.described(scene),
            "versions": sidecar.versions(),
            "audio": {
                "rate": performer.rate,
                "samples": samples,
                "sha256": digest.hexdigest(),
                "loudness_db": sum(lifts),
                **levels,
            },
        }
        return cls(
            sheet=sheet,
            rate=performer.rate,
            scene=scene,
            provenance=provenance,
            seconds={"perform": performed - clock, "finish": time.perf_counter() - performed},
            wav=wav,
            _folder=folder,
            known=request.known,
        )

    @property
    def levels(self) -> dict[str, float | None]:
        """Integrated loudness (LUFS; None where it has none) and true peak (dBTP) of the finished sound."""
        audio = self.provenance["audio"]
        return {"lufs": audio["lufs"], "true_peak_db": audio["true_peak_db"]}

    @property
    def audio(self) -> np.ndarray:
        """The whole performance, float32 `[2, N]`; for very long takes prefer `blocks`."""
        return media.read_audio(self.wav, None)

    def blocks(self) -> Iterator[np.ndarray]:
        """The performance in float32 blocks `[2, n]`."""
        return media.iter_audio(self.wav, None)

    def _subtype(self, path: Path) -> Subtype:
        return "24" if self.known is None or path.suffix.lower() != ".wav" else self.known.subtype

    def save(self, path: str | Path, *, original: Original = "replace", overwrite: bool = False) -> Path:
        """Write the result at `path`, its cue sheet (`.cues.json`) and its sidecar (`.json`) beside it.

        A video suffix gets the clip's own picture packets and the sound; `.wav` and `.flac` the sound alone, and
        nothing else will do where there is no video.
        `original` says what becomes of the clip's own sound: replace, keep, mix or duck. Outside a region that was made
        anew, `.wav`, `.flac` and `.mkv` hold the known take's own samples (24 bits of them, a `.wav` as many as it
        had); other containers encode all of it. All three files appear together or not at all. Raises MediaError when
        one exists and not `overwrite`, or cannot be written.
        """
        path = Path(path)
        cues, made = path.with_suffix(".cues.json"), path.with_suffix(".json")
        for target in (path, cues, made):
            refuse_existing(target, overwrite)
        provenance = self.provenance | {"original": original}
        with ExitStack() as stack:
            aside_cues = stack.enter_context(written_aside(cues, overwrite))
            aside_made = stack.enter_context(written_aside(made, overwrite))
            aside_cues.write_text(self.sheet.to_json(), encoding="utf-8")
            sidecar.write(aside_made, provenance, self.sheet)
            comment = sidecar.comment(provenance, self.sheet)
            if isinstance(self.scene, media.Video):
                media.mux(
                    self.scene,
                    self.wav,
                    path,
                    original=original,
                    overwrite=overwrite,
                    comment=comment,
                    limit=self.known is None or original in ("mix", "duck"),
                    subtype=self._subtype(path),
                )
            else:
                media.write_audio(
                    path,
                    self.blocks(),
                    self.rate,
                    subtype=self._subtype(path),
                    overwrite=overwrite,
                    comment=comment,
                )
        return path


def _levelled(
    spec: SystemSpec,
    request: Request,
    sound: Iterator[np.ndarray],
    rate: int,
    lufs: float | None,
    lifts: list[float],
) -> Iterator[np.ndarray]:
    """The sound as it is delivered; what it is lifted by for its loudness, in dB, goes into `lifts`."""
    known = request.known
    if known is None:
        gain = np.float32(10 ** ((makeup_db(request.sheet) if spec.makeup else 0.0) / 20))
        yield from media.finished((block * gain for block in sound), rate, lufs=lufs, on_gain=lifts.append)
        return
    lifts.append(known.loudness_db)
    gain = np.float32(known.gain)
    yield from known.filled(media.limited((block * gain for block in sound), rate))


def _finite(value: float) -> float | None:
    """JSON has no infinity: the loudness and peak of silence are None."""
    return round(value, 2) if math.isfinite(value) else None
