"""The Fréchet distances of the field by name: one formula, and what is fed to it.

A printed "FAD" is a number of its embedder, sampling rate, windows and scale, not of sound as such; two of different
names do not compare, and two of one name only if all of this agrees. `weft.metrics.frechet` computes every one of them
from the embeddings.

Conventions: embeddings `[N, D]`; windows in seconds, rates in Hz; one row is a window or, where `per` says so, a clip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from weft.metrics import frechet, sets
from weft.metrics.result import UNSAID, Source


@dataclass(frozen=True, kw_only=True)
class Convention:
    """`embedder` in words; `d` dimensions; `rate` Hz of its front end, mono; `window_s` and `hop_s` (None where a row
    is a whole clip); `unit` whether rows have length 1, which bounds the distance by 4; `reference` the code whose
    numbers are published; `differs` what there is not as one would do it; `papers` that print it."""

    name: str
    title: str
    embedder: str
    d: int
    rate: int
    per: Literal["window", "clip"]
    window_s: float | None = None
    hop_s: float | None = None
    unit: bool = False
    reference: str
    differs: str = ""
    papers: tuple[str, ...] = ()


CONVENTIONS: dict[str, Convention] = {
    c.name: c
    for c in (
        Convention(
            name="fad",
            title="FAD (VGGish)",
            embedder="VGGish, last layer before its ReLU, no PCA, no 8 bits",
            d=128,
            rate=16000,
            per="window",
            window_s=0.96,
            hop_s=0.96,
            reference="fadtk, audioldm_eval, av-benchmark",
            differs="audioldm_eval takes the first channel only, removes its mean and pads to 2 s; fadtk averages "
            "channels and pads to 1 s",
            papers=("SyncFusion", "MDG", "TA-V2A", "Con360-AV", "MMAudio"),
        ),
        Convention(
            name="fad-c",
            title="FAD-C (MS-CLAP)",
            embedder="MS-CLAP 2023, audio projection, not normalised",
            d=1024,
            rate=44100,
            per="window",
            window_s=7.0,
            hop_s=1.0,
            reference="fadtk clap-2023",
            differs="chunks run past the end: of a 10-s clip's windows 70% is sound, the rest zeros",
            papers=("FOL-AI", "FoleyGRAM"),
        ),
        Convention(
            name="fad-lc",
            title="FAD-LC (LAION-CLAP)",
            embedder="LAION-CLAP 630k-audioset-best, audio projection",
            d=512,
            rate=48000,
            per="window",
            window_s=10.0,
            hop_s=1.0,
            unit=True,
            reference="fadtk clap-laion-audio",
            differs="chunks run past the end: of a 10-s clip's windows 55% is sound, the rest zeros",
            papers=("FOL-AI", "FoleyGRAM", "StereoSync"),
        ),
        Convention(
            name="fad-p",
            title="FAD-P (PANNs)",
            embedder="PANNs, one of three: Wavegram-Logmel-Cnn14 (the default), Cnn14 at 32 or 16 kHz",
            d=2048,
            rate=32000,
            per="clip",
            reference="the DCASE 2024 task 7 fork of fadtk",
            differs="FOL-AI does not say which of the three; a few hundred clips of 2048 dimensions are mostly bias",
            papers=("FOL-AI",),
        ),
        Convention(
            name="fd",
            title="FD (PANNs)",
            embedder="PANNs Cnn14 at 16 kHz, fc1 after its ReLU",
            d=2048,
            rate=16000,
            per="clip",
            reference="audioldm_eval with backbone cnn14; av-benchmark",
            differs="audioldm_eval's default backbone is MERT, whose 13 layers become 13 rows a clip",
            papers=("MDG", "MMAudio"),
        ),
        Convention(
            name="fd-passt",
            title="FD (PaSST)",
            embedder="PaSST-S, embedding before the classifier",
            d=768,
            rate=32000,
            per="clip",
            reference="av-benchmark",
            differs="every clip is cut to 10 s or filled up with zeros to 10 s",
            papers=("MMAudio",),
        ),
        Convention(
            name="fid",
            title="FID (Melception)",
            embedder="Melception, Inception-v3 on mel spectrograms with 309 classes of VGGSound",
            d=2048,
            rate=22050,
            per="clip",
            reference="SpecVQGAN",
            differs="mel of 80 x 848, standardised by VGGSound's statistics; TA-V2A's FID is more likely PANNs'",
            papers=("SpecVQGAN", "Diff-Foley"),
        ),
    )
}


def evaluate(
    name: str, reference: sets.Set, estimate: sets.Set, *, source: Source = UNSAID
) -> frechet.Frechet:
    """Return the Fréchet distance that is called `name`, of embeddings as `weft.metrics.frechet.evaluate` takes them.
    Raises ValueError as it does, and as `validate`."""
    both = sets.cut(reference, estimate)
    for clips in (both.reference, both.estimate):
        validate(name, np.concatenate(clips))
    return frechet.evaluate(reference, estimate, source=source)


def validate(name: str, embeddings: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `embeddings` `[N, D]` as they are. Raises ValueError for an unknown name, and for rows that are not of its
    embedder: other dimensions, or not of length 1 where they should be."""
    asked, rows = convention(name), sets.validate(embeddings)
    if rows.shape[1] != asked.d:
        raise ValueError(f"embeddings have shape {rows.shape}, but {asked.title} has {asked.d} dimensions")
    if asked.unit and np.abs(np.linalg.norm(rows, axis=1) - 1).max() > 1e-3:
        raise ValueError(f"embeddings of shape {rows.shape} are not of length 1, as {asked.title} has them")
    return rows


def convention(name: str) -> Convention:
    """Return the convention of a name such as fad-lc. Raises ValueError listing those there are."""
    if name not in CONVENTIONS:
        raise ValueError(f"no Fréchet convention {name!r}: there are {', '.join(CONVENTIONS)}")
    return CONVENTIONS[name]
