"""What `weft generate` and `weft rerun` do once their flags are read."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from weft.cli.commands import draw
from weft.cli.console import Console
from weft.errors import UserError

if TYPE_CHECKING:
    from weft.media.mixing import Original
    from weft.systems.guide import Guidance
    from weft.systems.playing import Playing
    from weft.systems.region import Region
    from weft.systems.take import Take


def generate_takes(
    console: Console,
    clip: Path | None,
    playing: Playing,
    *,
    cues: Path | None,
    prompt: str | None,
    negative: str | None,
    reference: Path | None,
    takes: int,
    start: float,
    duration: float | None,
    original: str,
    output: Path | None,
    out_dir: Path | None,
    timeline: bool,
    force: bool,
) -> None:
    from weft.media import Video
    from weft.media.atomic import folder_made, refuse_existing, refuse_unwritable
    from weft.media.mux import refuse_suffix
    from weft.systems.cueing import cued
    from weft.systems.generate import perform_takes, refuse_unable
    from weft.systems.guide import guidable
    from weft.systems.region import as_before
    from weft.systems.scene import open_scene
    from weft.systems.table import DEFAULT
    from weft.systems.table import system as find_system

    treatment = _original(original)
    playing, heard = as_before(playing, cues)
    spec = find_system(playing.system or DEFAULT)
    scene = open_scene(clip, start, duration)
    refuse_unable(spec, scene, playing)
    if playing.guide is not None:
        guidable(spec, playing.guide, compat=playing.compat, scene=scene)
    if not isinstance(scene, Video):
        _refuse_without_video(clip, output, timeline=timeline, original=original)
        output = output or (clip or Path()).with_suffix(".weft.wav")
    paths = [_output(clip, output, out_dir, None if takes == 1 else n) for n in range(1, takes + 1)]
    for path in paths:
        refuse_suffix(path)
        for sibling in _family(path, timeline, guided=playing.guide is not None).values():
            refuse_existing(sibling, overwrite=force)
            _refuse_over_input(sibling, clip, reference)
            _refuse_over_take(sibling, playing.region)
    seconds: defaultdict[str, float] = defaultdict(float)
    clock = time.perf_counter()
    with folder_made(out_dir or Path()), console.progress() as progress:
        refuse_unwritable(paths[0], overwrite=force)
        sheet, seen = cued(
            scene, heard, prompt=prompt, negative=negative, reference=reference, progress=progress
        )
        seconds["spot"] = time.perf_counter() - clock
        made: list[dict[str, Any]] = []
        performed = perform_takes(scene, sheet, range(takes), playing, seen=seen, progress=progress)
        for path, take in zip(paths, performed, strict=True):
            for stage, spent in take.seconds.items():
                seconds[stage] += spent
            clock = time.perf_counter()
            made.append(_keep(take, path, original=treatment, timeline=timeline, force=force))
            seconds["write"] += time.perf_counter() - clock
    for files in made:
        _tell(console, files, spec.name)
    console.result({"system": spec.name, "takes": made, "seconds": dict(seconds)})


def rerun_take(
    console: Console,
    sidecar: Path,
    *,
    clip: Path | None,
    known: Path | None,
    output: Path | None,
    force: bool,
) -> None:
    from weft.media.atomic import refuse_existing
    from weft.systems.rerun import rerun

    with console.progress() as progress:
        take, same, original = rerun(sidecar, clip=clip, known=known, progress=progress)
    path = output or _again(take, sidecar)
    for sibling in _family(path, False, guided=take.provenance["guide"] is not None).values():
        refuse_existing(sibling, overwrite=force)
    files = _keep(take, path, original=_original(original), timeline=False, force=force)
    console.say(f"{path}: {'the same samples' if same else 'NOT the same samples'} as {sidecar}")
    if not same:
        console.note("the machine, the versions or the weights differ from those in the sidecar")
    console.result({**files, "same": same})


def _refuse_without_video(clip: Path | None, output: Path | None, *, timeline: bool, original: str) -> None:
    """Say what a video is needed for, before any work is done."""
    from weft.media.audio import SOUND_SUFFIXES

    if clip is None and output is None:
        raise UserError("there is no clip beside which the sound could go; say where with --output NAME.wav")
    if output is not None and output.suffix.lower() not in SOUND_SUFFIXES:
        raise UserError(
            f"{output}: there is no video to put the sound to; give {' or '.join(SOUND_SUFFIXES)}"
        )
    if timeline:
        raise UserError("--timeline draws a video's pictures, and there is no video; leave it out")
    if original != "replace":
        raise UserError(
            f"--original {original} is of a video's own sound, and there is no video; leave it out"
        )


def _again(take: Take, sidecar: Path) -> Path:
    from weft.media import Video

    if isinstance(take.scene, Video):
        return take.scene.path.with_suffix(".rerun" + _suffix(take.scene.path))
    return sidecar.with_suffix(".rerun.wav")


def _output(clip: Path | None, output: Path | None, out_dir: Path | None, number: int | None) -> Path:
    if output is None:
        assert clip is not None
        output = clip.with_suffix(".weft" + _suffix(clip))
    path = output
    if out_dir is not None:
        path = out_dir / path.name
    return path if number is None else path.with_suffix(f".{number}{path.suffix}")


def _suffix(clip: Path) -> str:
    """The clip's own suffix where such a container can be written, else that of the one which holds any picture."""
    from weft.media.mux import VIDEO_SUFFIXES

    return clip.suffix if clip.suffix.lower() in VIDEO_SUFFIXES else ".mkv"


def _family(path: Path, timeline: bool, *, guided: bool) -> dict[str, Path]:
    """Every file that belongs to the result at `path`."""
    family = {"output": path, "cues": path.with_suffix(".cues.json"), "sidecar": path.with_suffix(".json")}
    family |= {"timeline": path.with_suffix(".png")} if timeline else {}
    return family | ({"guide": path.with_suffix(".guide.png")} if guided else {})


def asked_guidance(kind: str | None, system: str | None, **settings: Any) -> Guidance | None:
    """What the flags of `--guide` ask for together, or the system is guided by of its own. Raises UserError for one
    that changes nothing without it, and for an unknown system."""
    from weft.systems.guide import Guidance
    from weft.systems.table import DEFAULT
    from weft.systems.table import system as find_system

    kind = kind or find_system(system or DEFAULT).guide
    if kind is not None:
        return Guidance(kind=kind, **settings)
    for name, value in settings.items():
        if value is not None:
            raise UserError(f"--guide-{name} {value:g} changes nothing without --guide; give --guide volume")
    return None


def asked_region(seconds: tuple[float, float] | None, known: Path | None) -> Region | None:
    """What `--region` and `--from` ask for together. Raises UserError for one without the other."""
    from weft.systems.region import Region

    if seconds is None and known is None:
        return None
    if known is None:
        raise UserError("--region is a part of a take that is kept; give its file with --from")
    if seconds is None:
        raise UserError("--from names a take that is kept outside a region; give --region START END")
    return Region(start=seconds[0], end=seconds[1], source=known)


def _refuse_over_input(path: Path, *inputs: Path | None) -> None:
    """`--force` is for earlier results: the clip and the reference are no results."""
    for own in inputs:
        if own is not None and path.exists() and own.exists() and path.samefile(own):
            raise UserError(
                f"{path} is what the sound is made from; give the result another name with --output"
            )


def _refuse_over_take(path: Path, region: Region | None) -> None:
    if region is not None and path.resolve() == region.sound.resolve():
        raise UserError(f"{path} is the take that is kept; give the result another name with --output")


def _original(word: str) -> Original:
    from weft.media.mixing import Original

    for known in get_args(Original):
        if word == known:
            return known
    raise UserError(f"--original {word!r} is unknown; give {', '.join(get_args(Original))}")


def _keep(take: Take, path: Path, *, original: Original, timeline: bool, force: bool) -> dict[str, Any]:
    from weft.media import Video
    from weft.media.atomic import written_aside

    guided = take.provenance["guide"]
    files = _family(path, timeline, guided=guided is not None)
    with ExitStack() as stack:  # all of them appear, or none
        if timeline and isinstance(take.scene, Video):
            aside = stack.enter_context(written_aside(files["timeline"], overwrite=force))
            draw(aside, take.sheet, take.scene, take.audio, True)
        if guided is not None:
            from weft.systems.guide_log import draw_guided

            draw_guided(stack.enter_context(written_aside(files["guide"], force)), guided, overwrite=True)
        take.save(path, original=original, overwrite=force)
    return {k: str(v) for k, v in files.items()} | {"levels": take.levels}


def _tell(console: Console, files: dict[str, Any], name: str) -> None:
    levels = files["levels"]
    loudness = (
        "silent"
        if levels["lufs"] is None
        else f"{levels['lufs']:.1f} LUFS, peak {levels['true_peak_db']:.1f} dBTP"
    )
    console.say(f"{files['output']}  ({name}, {loudness})")
    for kind in ("cues", "sidecar", "timeline", "guide"):
        if kind in files:
            console.say(f"  {kind:<9} {files[kind]}")
