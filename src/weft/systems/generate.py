"""Spot and perform in one go: the main job, as three calls that share one request.

`cue` turns a clip and whatever a person wrote into a complete sheet; `perform` plays a complete sheet; `generate`
is one after the other. A sheet that has been cued once can be performed any number of times.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from weft import media
from weft.cues.sheet import Clip, CueSheet, Onset, What
from weft.errors import UserError
from weft.progress import Progress, silent
from weft.systems.performer import Request
from weft.systems.table import DEFAULT
from weft.systems.table import system as find_system
from weft.systems.take import Take

if TYPE_CHECKING:
    from weft.media import Video

DECISIVE = 0.4
"""Probability from which a person's words are taken to name a material or action."""


def open_clip(clip: Video | str | Path, start: float = 0.0, duration: float | None = None) -> Video:
    """Return `clip` as an open video; a path is opened at `start` for `duration` seconds."""
    return clip if isinstance(clip, media.Video) else media.Video.open(clip, start=start, duration=duration)


def described(video: Video) -> Clip:
    """The cue sheet's description of an open video."""
    return Clip(
        duration=video.duration, width=video.width, height=video.height, start=video.start, fps=video.fps
    )


def cue(
    clip: Video | str | Path,
    cues: CueSheet | str | Path | None = None,
    *,
    prompt: str | None = None,
    negative: str | None = None,
    reference: str | Path | None = None,
    start: float = 0.0,
    duration: float | None = None,
    progress: Progress = silent,
) -> CueSheet:
    """Return the complete cue sheet of a clip: what is written is obeyed, what is empty is spotted.

    `prompt`, `negative` and `reference` outrank the sheet's own. Words of a person outrank the material and action
    that the spotter saw in the picture. Raises MediaError and CueError.
    """
    from weft.spotting import spot

    video = open_clip(clip, start, duration)
    written = _written(cues, described(video), prompt=prompt, negative=negative, reference=reference)
    return _words_first(written, spot(video, written, progress=progress))


def perform(
    clip: Video | str | Path,
    sheet: CueSheet,
    *,
    system: str | None = None,
    seed: int = 0,
    take: int = 0,
    steps: int | None = None,
    guidance: float | None = None,
    lufs: float | None = None,
    start: float = 0.0,
    duration: float | None = None,
    progress: Progress = silent,
) -> Take:
    """Play a complete sheet to the clip's picture and return the finished take.

    The sound is `round(duration * rate)` samples, true peak at most -1 dBTP, at `lufs` integrated loudness if given.
    Raises UserError for an unknown system or a missing reference.
    """
    spec = find_system(system or DEFAULT)
    video = open_clip(clip, start, duration)
    request = Request(
        sheet=sheet,
        duration=video.duration,
        seed=seed,
        take=take,
        steps=steps,
        guidance=guidance,
        reference=_reference(sheet),
        picture=None,
        progress=progress,
    )
    return Take.record(spec, request, video, lufs=lufs)


def generate(
    clip: Video | str | Path,
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
    lufs: float | None = None,
    start: float = 0.0,
    duration: float | None = None,
    progress: Progress = silent,
) -> Take:
    """Spot `clip`, perform it with `system`, and return the take; see `cue` and `perform` for the options."""
    find_system(system or DEFAULT)
    video = open_clip(clip, start, duration)
    sheet = cue(video, cues, prompt=prompt, negative=negative, reference=reference, progress=progress)
    return perform(
        video,
        sheet,
        system=system,
        seed=seed,
        take=take,
        steps=steps,
        guidance=guidance,
        lufs=lufs,
        progress=progress,
    )


def _written(
    cues: CueSheet | str | Path | None,
    clip: Clip,
    *,
    prompt: str | None,
    negative: str | None,
    reference: str | Path | None,
) -> CueSheet:
    if cues is None:
        sheet = CueSheet(clip=clip)
    else:
        sheet = cues if isinstance(cues, CueSheet) else CueSheet.load(cues, clip=clip)
        if abs(sheet.clip.duration - clip.duration) > 0.05:
            raise UserError(
                f"the cue sheet is for {sheet.clip.duration:g} s of picture, the clip has {clip.duration:g} s;"
                " give the sheet's own clip, or the --start and --duration it was spotted with"
            )
    given = {
        "prompt": prompt,
        "negative": negative,
        "reference": None if reference is None else str(reference),
    }
    given = {name: value for name, value in given.items() if value is not None}
    if not given:
        return sheet
    if "prompt" in given:  # one prompt for the whole clip replaces the stretches' own
        return replace(sheet, what=replace(sheet.what, **given, segments=(), source="person"))
    return replace(sheet, what=replace(sheet.what, **given, source="person"))


def _words_first(written: CueSheet, spotted: CueSheet) -> CueSheet:
    """Take back what the spotter saw of material and action wherever a person's words decide it."""
    what = written.what
    if what.prompt is None and not what.segments and what.negative is None:
        return spotted
    by_hand = {o.t: o for o in written.when.onsets or ()}
    onsets = tuple(_worded(o, by_hand.get(o.t), what) for o in spotted.when.onsets or ())
    return replace(spotted, when=replace(spotted.when, onsets=onsets))


def _worded(onset: Onset, by_hand: Onset | None, what: What) -> Onset:
    from weft.encoders.words import action_scores, material_scores

    prompt = what.prompt_at(onset.t)
    changes: dict[str, str | None] = {}
    if by_hand is None or by_hand.material is None:
        banned = onset.material is not None and _names(what.negative, onset.material)
        if banned or (prompt is not None and max(material_scores(prompt).values()) >= DECISIVE):
            changes["material"] = None
    decided = prompt is not None and max(action_scores(prompt).values()) >= DECISIVE
    if decided and (by_hand is None or by_hand.action is None):
        changes["action"] = None
    return replace(onset, **changes) if changes else onset


def _names(words: str | None, material: str) -> bool:
    from weft.encoders.words import material_scores

    return bool(words) and material_scores(words or "")[material] >= DECISIVE


def _reference(sheet: CueSheet):
    if sheet.what.reference is None:
        return None
    from weft.media import read_audio

    return read_audio(sheet.what.reference)
