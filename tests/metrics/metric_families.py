"""Every family of metrics as data: clips drawn at random, their score, and clips that agree with themselves.

A clip is a tuple of arrays (or words); `score` turns a list of clips into the family's result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from weft.metrics import (
    align_accuracy,
    av_align,
    azimuth,
    boxes,
    condfoley,
    conventions,
    desync,
    divergence,
    e_l1,
    envelope,
    favd,
    frechet,
    gap,
    kernel,
    material,
    meaning,
    mmaudio_onsets,
    obedience,
    onset,
    onset_panel,
    retrieval,
    saliency,
    sound,
    space,
    spatial_align,
    spectrum,
    volume,
)
from weft.metrics.result import Result, Source

Clip = tuple[Any, ...]
Rng = np.random.Generator
RATE = 8000
WHO = Source(embedder="toy", sha256="00", rate="48000 → 16000 Hz mono")


@dataclass(frozen=True, kw_only=True)
class Family:
    """`draw` a clip; `score` clips. `same` makes a drawn clip agree with itself, and `best` is what it then scores
    within `floor` (a number, or a function of the result that is true). `least` clips are needed. `told`: the family is
    given embeddings or logits, and says whose. `free`: places in a clip where NaN means "nothing heard"."""

    name: str
    draw: Callable[[Rng], Clip]
    score: Callable[[list[Clip]], Result]
    same: Callable[[Clip], Clip] | None = None
    best: float | Callable[[Result], bool] = 1.0
    floor: float = 1e-9
    least: int = 1
    told: bool = False
    free: frozenset[int] = field(default_factory=frozenset)

    @property
    def file(self) -> str:
        """The file of weft.metrics that it stands in."""
        return self.name.partition(" ")[0]


def columns(clips: Sequence[Clip]) -> list[list[Any]]:
    return [list(column) for column in zip(*clips, strict=True)]


def stacked(clips: Sequence[Clip]) -> list[np.ndarray]:
    return [np.array(column) for column in columns(clips)]


def times(rng: Rng) -> np.ndarray:
    """One to six moments of 4 s, a fifth of a second apart at least."""
    return np.sort(rng.choice(18, rng.integers(1, 7), replace=False)) * 0.2 + rng.uniform(0.01, 0.05)


def wave(rng: Rng, channels: int = 2) -> np.ndarray:
    return 0.1 * rng.standard_normal((channels, RATE // 2))


def box(rng: Rng) -> np.ndarray:
    low = rng.uniform(0, 0.5, 2)
    return np.concatenate([low, low + rng.uniform(0.1, 0.4, 2)])


def samples(rng: Rng) -> np.ndarray:
    return (np.sort(rng.choice(3, rng.integers(1, 4), replace=False)) * 15000 + 5000).astype(float)


def rows(rng: Rng, t: int = 3, d: int = 4) -> np.ndarray:
    return rng.standard_normal((t, d))


def unit_row(rng: Rng) -> np.ndarray:
    row = rng.standard_normal(conventions.convention("fad-lc").d)
    return row / np.linalg.norm(row)


def onsets_clip(rng: Rng) -> Clip:
    found = times(rng)
    return found, rng.random(found.size), times(rng)


def panel(clips: list[Clip]) -> Result:
    given = [onset_panel.Clip(found=f, confidence=c, true=t, duration_s=4.0) for f, c, t in clips]
    return onset_panel.evaluate(given)


def placed(clips: list[Clip]) -> Result:
    given = [
        spatial_align.Clip(heard_t=t, heard_x=x, seen_t=np.arange(4.0), boxes=[b] * 4) for t, x, b in clips
    ]
    return spatial_align.evaluate(given)


def one_hot(place: int) -> np.ndarray:
    return 9.0 * (np.arange(21) == place)


def retrieved(clips: list[Clip]) -> Result:
    likeness, right = stacked(clips)
    return retrieval.evaluate(likeness, right, source=WHO)


def likened(clips: list[Clip]) -> Result:
    takes, like = (meaning.unit(side) for side in stacked(clips))
    return obedience.likeness(takes @ like.T, ~np.eye(len(takes), dtype=bool))


FAMILIES = (
    Family(
        name="align_accuracy",
        draw=lambda r: tuple(r.random(3)),
        score=lambda c: align_accuracy.evaluate(*stacked(c), source=WHO),
        same=lambda c: (c[1], c[1], c[2]),
        best=lambda found: found.value == found.baselines["reference"],
        told=True,
    ),
    *(
        Family(
            name=f"av_align {form}",
            draw=lambda r: (times(r), times(r)),
            score=lambda c, form=form: av_align.evaluate_set(  # type: ignore[misc]
                [av_align.Clip(heard=h, seen=s, duration_s=4.0) for h, s in c], fps=25, form=form, draws=5
            ),
            same=lambda c: (c[1], c[1]),
        )
        for form in (None, *av_align.FORMS)
    ),
    Family(
        name="azimuth",
        draw=lambda r: tuple(r.uniform(-90, 90, 2)),
        score=lambda c: azimuth.evaluate(*stacked(c)),
        same=lambda c: (c[1], c[1]),
        best=0.0,
        free=frozenset({0}),
    ),
    Family(
        name="boxes",
        draw=lambda r: (box(r), box(r)),
        score=lambda c: boxes.evaluate(*stacked(c)),
        same=lambda c: (c[1], c[1]),
    ),
    *(
        Family(
            name=name,
            draw=lambda r: (samples(r), samples(r), np.repeat(r.standard_normal(900), 50)),
            score=lambda c, score=score: score(  # type: ignore[misc]
                [condfoley.Clip(true=t, found=f, wave=w) for t, f, w in c]
            ),
            same=lambda c: (c[0], c[0], c[2]),
        )
        for name, score in (
            ("condfoley", condfoley.evaluate_set),
            ("mmaudio_onsets", mmaudio_onsets.evaluate_set),
        )
    ),
    Family(
        name="conventions",
        draw=lambda r: (unit_row(r), unit_row(r)),
        score=lambda c: conventions.evaluate("fad-lc", *stacked(c), source=WHO),
        same=lambda c: (c[0], c[0]),
        best=0.0,
        least=2,
        told=True,
    ),
    Family(
        name="desync",
        draw=lambda r: (r.standard_normal(21), r.standard_normal(21)),
        score=lambda c: desync.evaluate(*stacked(c), source=WHO),
        same=lambda c: (one_hot(10), one_hot(10)),
        best=0.0,
        told=True,
    ),
    *(
        Family(
            name=f"divergence {words}",
            draw=lambda r: (3 * r.standard_normal(6), 3 * r.standard_normal(6)),
            score=lambda c, compat=compat: divergence.evaluate(*stacked(c), compat=compat, source=WHO),  # type: ignore[misc]
            same=lambda c: (c[0], c[0]),
            best=0.0,
            floor=1e-5 if compat else 1e-12,
            told=True,
        )
        for words, compat in (("exact", False), ("compat", True))
    ),
    Family(
        name="divergence inception",
        draw=lambda r: (3 * r.standard_normal(6),),
        score=lambda c: divergence.inception_score(stacked(c)[0], source=WHO),
        same=lambda c: (one_hot(3),),
        told=True,
    ),
    Family(
        name="e_l1",
        draw=lambda r: (wave(r), wave(r)),
        score=lambda c: e_l1.evaluate(*columns(c), 16000, "video-foley"),
        same=lambda c: (c[1], c[1]),
        best=0.0,
    ),
    Family(
        name="envelope",
        draw=lambda r: (wave(r), wave(r)),
        score=lambda c: envelope.evaluate(*columns(c), RATE),
        same=lambda c: (c[1], c[1]),
    ),
    Family(
        name="favd",
        draw=lambda r: (rows(r), rows(r, d=2), rows(r), rows(r, d=2)),
        score=lambda c: favd.evaluate(*columns(c), version="float", source=WHO),
        same=lambda c: (c[0], c[1], c[0], c[1]),
        best=0.0,
        told=True,
    ),
    Family(
        name="frechet",
        draw=lambda r: (rows(r), rows(r) + 1),
        score=lambda c: frechet.evaluate(*columns(c), source=WHO),
        same=lambda c: (c[0], c[0]),
        best=0.0,
        told=True,
    ),
    Family(
        name="frechet rows",
        draw=lambda r: (rows(r)[0], rows(r)[0] + 1),
        score=lambda c: frechet.evaluate(*stacked(c), source=WHO),
        same=lambda c: (c[0], c[0]),
        best=0.0,
        least=2,
        told=True,
    ),
    Family(
        name="kernel",
        draw=lambda r: (rows(r), rows(r) + 1),
        score=lambda c: kernel.evaluate(*columns(c), kernel="gaussian", source=WHO),
        same=lambda c: (c[0], c[0]),
        # Unbiased: a set's own rows count in the cross term only, so it is a little nearer to itself than 0.
        best=lambda found: found.rows is not None and -2 / min(found.rows) <= found.value <= 1e-12,
        told=True,
    ),
    Family(
        name="gap",
        draw=lambda r: (rows(r)[0], rows(r)[0]),
        score=lambda c: gap.evaluate(*stacked(c), source=WHO),
        same=lambda c: (c[0], c[0]),
        best=0.0,
        least=2,
        told=True,
    ),
    Family(
        name="material",
        draw=lambda r: tuple(r.choice(["wood", "metal", "glass"], 2)),
        score=lambda c: material.evaluate(*columns(c), source=WHO),
        same=lambda c: (c[1], c[1]),
        told=True,
    ),
    Family(
        name="meaning",
        draw=lambda r: (rows(r)[0], rows(r)[0]),
        score=lambda c: meaning.evaluate(*stacked(c), source=WHO),
        same=lambda c: (c[1], 3 * c[1]),
        told=True,
    ),
    Family(
        name="obedience onsets",
        draw=lambda r: (times(r), times(r)),
        score=lambda c: obedience.onsets(*columns(c)),
        same=lambda c: (c[0], c[0]),
    ),
    Family(
        name="obedience envelope",
        draw=lambda r: (r.random(30), r.random(30)),
        score=lambda c: obedience.envelope(*columns(c)),
        same=lambda c: (c[0], c[0]),
    ),
    Family(
        name="obedience pan",
        draw=lambda r: tuple(r.uniform(-1, 1, 2)),
        score=lambda c: obedience.pan(*stacked(c)),
        same=lambda c: (c[0], c[0]),
    ),
    Family(
        name="obedience depth",
        draw=lambda r: (r.random(), 20 * r.standard_normal()),
        score=lambda c: obedience.depth(*stacked(c)),
        same=lambda c: (c[0], -40 * c[0]),
    ),
    Family(
        name="obedience words",
        draw=lambda r: tuple(r.choice(["wood", "metal", "glass"], 2)),
        score=lambda c: obedience.words(*columns(c)),
        same=lambda c: (c[0], c[0]),
    ),
    Family(
        name="obedience spared",
        draw=lambda r: tuple(r.choice(["wood", "metal", "glass"], 2)),
        score=lambda c: obedience.spared(*columns(c)),
        same=lambda c: (c[0], "water"),
    ),
    Family(
        name="obedience negative",
        draw=lambda r: tuple(r.uniform(-1, 1, 2)),
        score=lambda c: obedience.negative(*stacked(c)),
        same=lambda c: (c[0], c[0]),
        best=0.5,
    ),
    Family(
        name="obedience likeness",
        draw=lambda r: (rows(r)[0], rows(r)[0]),
        score=likened,
        same=lambda c: (c[0], c[0]),
    ),
    Family(
        name="onset",
        draw=lambda r: (times(r), times(r)),
        score=lambda c: onset.evaluate(*columns(c), durations_s=[4.0] * len(c)),
        same=lambda c: (c[1], c[1]),
    ),
    Family(
        name="onset_panel", draw=onsets_clip, score=panel, same=lambda c: (c[2], np.ones(c[2].size), c[2])
    ),
    Family(
        name="retrieval",
        draw=lambda r: (r.standard_normal(5), np.arange(5) == r.integers(5)),
        score=retrieved,
        same=lambda c: (c[1], c[1]),
        told=True,
    ),
    Family(
        name="saliency",
        draw=lambda r: (r.random(3), np.sort(r.random((3, 2)))),
        score=lambda c: saliency.evaluate([saliency.Clip(x=x, box=b) for x, b in c]),
        same=lambda c: (c[0], np.stack([c[0], c[0]], 1)),
        best=0.0,
    ),
    Family(
        name="saliency maps",
        draw=lambda r: (r.random((2, 3, 4)), r.random((2, 3, 4))),
        score=lambda c: saliency.of_maps(*columns(c)),
        same=lambda c: (c[1], c[1]),
        best=0.0,
    ),
    Family(
        name="sound", draw=lambda r: (wave(r),), score=lambda c: sound.evaluate_set(*columns(c), RATE)["lufs"]
    ),
    Family(
        name="space",
        draw=lambda r: (r.uniform(-1, 1, 3), r.uniform(-1, 1, 3)),
        score=lambda c: space.evaluate(*columns(c)),
        same=lambda c: (c[1], c[1]),
    ),
    Family(
        name="spatial_align",
        draw=lambda r: (np.arange(3) + 0.5, r.random(3), np.sort(r.random((1, 2)))),
        score=placed,
        same=lambda c: (c[0], np.full(3, c[2].mean()), c[2]),
    ),
    Family(
        name="spectrum",
        draw=lambda r: (wave(r), wave(r)),
        score=lambda c: spectrum.evaluate(*columns(c), RATE),
        same=lambda c: (c[1], c[1]),
        best=0.0,
    ),
    Family(
        name="volume",
        draw=lambda r: (rows(r)[0], rows(r)[0], rows(r)[0]),
        score=lambda c: volume.evaluate(*stacked(c), source=WHO),
        same=lambda c: (c[0], c[0], c[0]),
        best=0.0,
        floor=1e-6,
        told=True,
    ),
)
