"""Spot and perform in one go: the main job.

`cue` (`cueing.py`) turns a clip and whatever a person wrote into a complete sheet; `perform` plays a complete sheet;
`generate` is one after the other. A sheet that has been cued once can be performed any number of times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from weft import media
from weft.cues.sheet import CueSheet
from weft.errors import UserError
from weft.progress import Progress, silent
from weft.systems.cueing import cued
from weft.systems.desk import makeup_db
from weft.systems.known import Known
from weft.systems.performer import Request
from weft.systems.playing import Playing, Precision
from weft.systems.region import Region, as_before, refuse_region
from weft.systems.scene import Blank, Scene, open_scene
from weft.systems.table import DEFAULT, SystemSpec, systems_that
from weft.systems.table import system as find_system
from weft.systems.take import Take
from weft.systems.takes import record_takes

if TYPE_CHECKING:
    from weft.spotting import Observation
    from weft.systems.guide import Guidance


SEEDS = 2**63
QUIETEST_LUFS = -70.0
"""The gate of the measure: what is quieter has no loudness."""


def perform(
    clip: Scene | str | Path | None,
    sheet: CueSheet,
    *,
    system: str | None = None,
    seed: int = 0,
    take: int = 0,
    steps: int | None = None,
    guidance: float | None = None,
    guide: Guidance | None = None,
    lufs: float | None = None,
    start: float = 0.0,
    duration: float | None = None,
    seen: Observation | None = None,
    without: tuple[str, ...] = (),
    compat: bool = False,
    region: Region | None = None,
    reference_strength: float | None = None,
    precision: Precision = "fp32",
    progress: Progress = silent,
) -> Take:
    """Play a complete sheet to the clip's picture and return the finished take.

    The sound is `round(duration * rate)` samples, true peak at most -1 dBTP, at `lufs` integrated loudness if given;
    else as performed, lifted by one gain for all takes, or exactly at the envelope a person wrote. A system that
    listens to the picture looks at it where no person said what sounds, unless it has been `seen` (see `cued`).
    `without`: what of the picture a system that looks at it is not to use; `compat`: as its reference does it. `guide`
    holds a learned system to what picture and words mean together. `region`: only this part of a take is played, and
    outside it every sample stays; its level is the take's own, so it takes no `lufs`.
    Raises UserError for an unknown system, what it cannot do, a missing reference, or a guide to a system that cannot
    be guided or a clip without words.
    """
    playing = Playing(
        system=system,
        seed=seed,
        steps=steps,
        guidance=guidance,
        guide=guide,
        lufs=lufs,
        without=without,
        compat=compat,
        region=region,
        reference_strength=reference_strength,
        precision=precision,
    )
    scene = open_scene(clip, start, duration)
    return next(perform_takes(scene, sheet, (take,), playing, seen=seen, progress=progress))


def perform_takes(
    scene: Scene,
    sheet: CueSheet,
    takes: Sequence[int],
    playing: Playing,
    *,
    seen: Observation | None = None,
    progress: Progress = silent,
) -> Iterator[Take]:
    """As `perform`, for several takes in order: each when it is done, together where the system plays them so."""
    from weft.spotting import observe, picture_tokens
    from weft.systems.guide import asked_of, guidable, guide_for
    from weft.systems.guide_log import GuideLog

    spec = find_system(playing.system or DEFAULT)
    refuse_unable(spec, scene, playing)
    if (guide := asked_of(spec, playing.guide)) is not None:
        guidable(spec, guide, compat=playing.compat, scene=scene)
    picture = None
    if "picture" in spec.dials and _by_machine(sheet.what.source) and isinstance(scene, media.Video):
        seen = seen or observe(scene, progress=progress)
        picture = picture_tokens(seen.readings)
    if playing.reference_strength is not None and sheet.what.reference is None:
        raise UserError(
            f"--reference-strength {playing.reference_strength:g} changes nothing without --reference; give both"
        )
    heeded = _heeded(sheet)
    known = None
    if playing.region is not None:
        lift = makeup_db(heeded) if spec.makeup else 0.0
        known = Known.open(playing.region, duration=scene.duration, rate=spec.rate, makeup_db=lift)
    request = Request(
        sheet=heeded,
        duration=scene.duration,
        seed=playing.seed,
        steps=playing.steps,
        guidance=playing.guidance,
        reference=_reference(sheet),
        picture=picture,
        scene=scene,
        without=playing.without,
        compat=playing.compat,
        known=known,
        reference_strength=playing.reference_strength,
        precision=playing.precision,
        progress=progress,
        guide=None if guide is None or not isinstance(scene, media.Video) else guide_for(guide, scene, sheet),
    )
    logs = (None if guide is None else GuideLog() for _ in takes)
    requests = [replace(request, take=take, log=log) for take, log in zip(takes, logs, strict=True)]
    yield from record_takes(spec, requests, scene, sheet=sheet, lufs=playing.lufs)


def generate(
    clip: Scene | str | Path | None,
    *,
    cues: CueSheet | str | Path | None = None,
    prompt: str | None = None,
    negative: str | None = None,
    reference: str | Path | None = None,
    system: str | None = None,
    seed: int = 0,
    take: int = 0,
    steps: int | None = None,
    guidance: float | None = None,
    guide: Guidance | None = None,
    lufs: float | None = None,
    start: float = 0.0,
    duration: float | None = None,
    without: tuple[str, ...] = (),
    compat: bool = False,
    region: Region | None = None,
    reference_strength: float | None = None,
    precision: Precision = "fp32",
    progress: Progress = silent,
) -> Take:
    """Spot `clip`, perform it with `system`, and return the take; see `cue` and `perform` for the options.

    `clip` None, or a still picture, is for systems that need no video: give the `duration`, else it is 8 s. With a
    `region`, system and cues are by default those of the take it is in.
    """
    playing = Playing(
        system=system,
        seed=seed,
        steps=steps,
        guidance=guidance,
        guide=guide,
        lufs=lufs,
        without=without,
        compat=compat,
        region=region,
        reference_strength=reference_strength,
        precision=precision,
    )
    scene = open_scene(clip, start, duration)
    playing, cues = as_before(playing, cues)
    refuse_unable(find_system(playing.system or DEFAULT), scene, playing)
    sheet, seen = cued(scene, cues, prompt=prompt, negative=negative, reference=reference, progress=progress)
    return next(perform_takes(scene, sheet, (take,), playing, seen=seen, progress=progress))


def refuse_unable(spec: SystemSpec, scene: Scene, playing: Playing) -> None:
    """Raise UserError for what a system cannot do, or lacks files for, before any work is done."""
    if spec.needs_video and not isinstance(scene, media.Video):
        what = "a length alone" if isinstance(scene, Blank) else f"{scene.path}, a still picture"
        able = systems_that(lambda other: not other.needs_video)
        raise UserError(f"{spec.name} plays to a video, not to {what}; systems that need none: {able}")
    if not 0 <= playing.seed < SEEDS:
        raise UserError(f"--seed {playing.seed}; give a whole number from 0 to {SEEDS - 1}")
    if playing.lufs is not None and not QUIETEST_LUFS <= playing.lufs <= 0:
        raise UserError(f"--lufs {playing.lufs:g}; give a loudness from {QUIETEST_LUFS:g} to 0, such as -23")
    if playing.compat and not spec.compat:
        raise UserError(f"{spec.name} has no published reference; leave --compat out")
    if playing.without and "video" not in spec.dials:
        raise UserError(f"{spec.name} does not look at the picture itself; leave --without out")
    if playing.reference_strength is not None and "reference-strength" not in spec.dials:
        raise UserError(
            f"{spec.name} hears how a reference sounds, not how much; leave --reference-strength out"
        )
    if playing.precision not in get_args(Precision):
        raise UserError(
            f"--precision {playing.precision!r} is unknown; give {' or '.join(get_args(Precision))}"
        )
    if playing.precision != "fp32" and "precision" not in spec.dials:
        raise UserError(f"{spec.name} plays in fp32 alone; leave --precision out")
    if playing.region is not None:
        refuse_region(spec, playing.region, scene.duration, playing)
    spec.check(scene, playing.without)


def _heeded(sheet: CueSheet) -> CueSheet:
    """The sheet as it is played: an envelope that only the spotter wrote yields to the onsets beside it, so that
    an onset moved by hand does not leave its old loudness behind."""
    when = sheet.when
    alone = when.onsets and _by_machine(when.source)
    return replace(sheet, when=replace(when, envelope=None)) if alone else sheet


def _by_machine(source: str | None) -> bool:
    """Whether a dial was filled by the spotter or the motion detector and nobody else."""
    return set((source or "").split("+")) <= {"spotter", "motion"}


def _reference(sheet: CueSheet) -> np.ndarray | None:
    path = sheet.what.reference
    return None if path is None else media.read_audio(path, channels=2)
