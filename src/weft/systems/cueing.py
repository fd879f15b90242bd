"""What to play: a clip, and whatever a person wrote, made into a complete cue sheet.

What is written is obeyed, what is empty is spotted; a person's words outrank what the spotter saw.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from weft import media
from weft.cues.merge import merge
from weft.cues.sheet import Clip, CueSheet, Onset, What
from weft.errors import UserError
from weft.progress import Progress, silent
from weft.systems.scene import Blank, Scene, Still

if TYPE_CHECKING:
    from weft.media import Video
    from weft.spotting import Observation

DECISIVE = 0.4
"""Probability from which a person's words are taken to name a material or action."""


def open_clip(clip: Video | str | Path, start: float = 0.0, duration: float | None = None) -> Video:
    """Return `clip` as an open video; a path is opened at `start` for `duration` seconds."""
    return clip if isinstance(clip, media.Video) else media.Video.open(clip, start=start, duration=duration)


def described(scene: Scene) -> Clip:
    """The cue sheet's description of what is performed to."""
    if isinstance(scene, Blank):
        return Clip(duration=scene.duration)
    if isinstance(scene, Still):
        return Clip(duration=scene.duration, width=scene.width, height=scene.height)
    return Clip(
        duration=scene.duration, width=scene.width, height=scene.height, start=scene.start, fps=scene.fps
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
    return cued(
        open_clip(clip, start, duration),
        cues,
        prompt=prompt,
        negative=negative,
        reference=reference,
        progress=progress,
    )[0]


def cued(
    scene: Scene,
    cues: CueSheet | str | Path | None = None,
    *,
    prompt: str | None = None,
    negative: str | None = None,
    reference: str | Path | None = None,
    progress: Progress = silent,
) -> tuple[CueSheet, Observation | None]:
    """As `cue`, with what was seen of the clip if it had to be looked at: `perform` need not look again. Where there is
    no video nothing is spotted: the sheet holds what was written."""
    from weft.spotting import observe, spot

    written = _written(cues, described(scene), prompt=prompt, negative=negative, reference=reference)
    if _complete(written) or not isinstance(scene, media.Video):
        return written, None
    looked = observe(scene, progress=progress)
    seen = spot(scene, replace(written, what=_deciding(written.what)), seen=looked)
    return _words_first(written, merge(written, seen) if seen.what != written.what else seen), looked


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
    if prompt is None and negative is None and reference is None:
        return sheet
    what = sheet.what
    what = What(
        prompt=what.prompt if prompt is None else prompt,
        negative=what.negative if negative is None else negative,
        reference=what.reference if reference is None else str(reference),
        segments=what.segments if prompt is None else (),  # one prompt for the whole clip replaces them
        source="person",
    )
    return replace(sheet, what=what)


def _complete(sheet: CueSheet) -> bool:
    """Whether a person left nothing to spot: then the picture need not be decoded at all."""
    onsets, tracks = sheet.when.onsets, sheet.where.tracks
    if onsets is None or tracks is None or sheet.what.prompt is None:
        return False
    return not any(o.unwritten for o in onsets) and all(t.depth is not None for t in tracks)


def _deciding(what: What) -> What:
    """`what` without a prompt that names no material: such words leave it to the picture."""
    from weft.encoders.words import material_scores

    if what.prompt is None or max(material_scores(what.prompt).values()) >= DECISIVE:
        return what
    return replace(what, prompt=None)


def _words_first(written: CueSheet, complete: CueSheet) -> CueSheet:
    """Take back what the spotter saw of material and action wherever a person's words decide it."""
    what = written.what
    if what.prompt is None and not what.segments and what.negative is None:
        return complete
    by_hand = {o.t: o for o in written.when.onsets or ()}
    onsets = tuple(_worded(o, by_hand.get(o.t), what) for o in complete.when.onsets or ())
    return replace(complete, when=replace(complete.when, onsets=onsets))


def _worded(onset: Onset, by_hand: Onset | None, what: What) -> Onset:
    from weft.encoders.words import action_scores

    prompt, material, action = what.prompt_at(onset.t), onset.material, onset.action
    if (
        material is not None
        and (by_hand is None or by_hand.material is None)
        and _names(what.negative, material)
    ):
        material = None
    if action is not None and prompt and (by_hand is None or by_hand.action is None):
        action = None if max(action_scores(prompt).values()) >= DECISIVE else action
    return replace(onset, material=material, action=action)


def _names(words: str | None, material: str) -> bool:
    from weft.encoders.words import material_scores

    return bool(words) and material_scores(words or "")[material] >= DECISIVE
