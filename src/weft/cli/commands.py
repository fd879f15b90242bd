"""What each command does once its flags are read."""

from __future__ import annotations

import runpy
import sys
import time
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from weft.cli.console import Console
from weft.errors import MissingExtra, UserError

if TYPE_CHECKING:
    from weft.cues.sheet import CueSheet
    from weft.media import Video
    from weft.media.mixing import Original
    from weft.systems.guide import Guidance
    from weft.systems.take import Take


def spot_clip(
    console: Console,
    clip: Path,
    *,
    cues: Path | None,
    output: Path | None,
    csv: Path | None,
    timeline: bool,
    start: float,
    duration: float | None,
    force: bool,
) -> None:
    from weft.media.atomic import refuse_existing, written_aside
    from weft.systems.generate import cue, open_clip

    output = output or clip.with_suffix(".cues.json")
    picture = output.with_suffix(".png") if timeline else None
    for path in filter(None, (output, csv, picture)):
        refuse_existing(path, overwrite=force)
    video = open_clip(clip, start, duration)
    with console.progress() as progress:
        sheet = cue(video, cues, progress=progress)
    with written_aside(output, overwrite=force) as aside:
        aside.write_text(sheet.to_json(), encoding="utf-8")
    if csv is not None:
        from weft.cues.onsets_csv import save_csv

        save_csv(sheet.when.onsets or (), csv, overwrite=force)
    if picture is not None:
        draw(picture, sheet, video, None, force)
    onsets = sheet.when.onsets or ()
    console.say(f"{output}: {len(onsets)} onsets ({sheet.when.source}) in {sheet.clip.duration:.2f} s")
    console.say(f"what: {sheet.what.prompt or 'nothing said'}")
    console.result({"cues": str(output), "onsets": len(onsets), "source": sheet.when.source})


def generate_takes(
    console: Console,
    clip: Path | None,
    *,
    cues: Path | None,
    prompt: str | None,
    negative: str | None,
    reference: Path | None,
    system: str | None,
    seed: int,
    takes: int,
    steps: int | None,
    guidance: float | None,
    without: str | None,
    compat: bool,
    guide: str | None,
    guide_scale: float | None,
    guide_start: float | None,
    guide_stop: float | None,
    guide_every: int | None,
    start: float,
    duration: float | None,
    original: str,
    lufs: float | None,
    output: Path | None,
    out_dir: Path | None,
    timeline: bool,
    force: bool,
) -> None:
    from weft.media import Video
    from weft.media.atomic import refuse_existing
    from weft.systems.generate import cued, perform_takes, refuse_unable
    from weft.systems.guide import guidable
    from weft.systems.scene import open_scene
    from weft.systems.table import DEFAULT
    from weft.systems.table import system as find_system

    treatment = _original(original)
    spec = find_system(system or DEFAULT)
    scene = open_scene(clip, start, duration)
    unused = tuple(name.strip() for name in (without or "").split(",") if name.strip())
    refuse_unable(spec, scene, compat=compat, without=unused)
    asked = _asked(guide, scale=guide_scale, start=guide_start, stop=guide_stop, every=guide_every)
    if asked is not None:
        guidable(spec, asked)
    if not isinstance(scene, Video):
        _refuse_without_video(clip, output, timeline=timeline, original=original)
        output = output or (clip or Path()).with_suffix(".weft.wav")
    paths = [_output(clip, output, out_dir, None if takes == 1 else n) for n in range(1, takes + 1)]
    for path in paths:
        for sibling in _family(path, timeline, guided=asked is not None).values():
            refuse_existing(sibling, overwrite=force)
    seconds: defaultdict[str, float] = defaultdict(float)
    clock = time.perf_counter()
    with console.progress() as progress:
        sheet, seen = cued(
            scene, cues, prompt=prompt, negative=negative, reference=reference, progress=progress
        )
        seconds["spot"] = time.perf_counter() - clock
        made: list[dict[str, Any]] = []
        performed = perform_takes(
            scene,
            sheet,
            range(takes),
            system=spec.name,
            seed=seed,
            steps=steps,
            guidance=guidance,
            guide=asked,
            lufs=lufs,
            seen=seen,
            without=unused,
            compat=compat,
            progress=progress,
        )
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
    console: Console, sidecar: Path, *, clip: Path | None, output: Path | None, force: bool
) -> None:
    from weft.media.atomic import refuse_existing
    from weft.systems.rerun import rerun

    with console.progress() as progress:
        take, same, original = rerun(sidecar, clip=clip, progress=progress)
    path = output or _again(take, sidecar)
    for sibling in _family(path, False, guided=take.provenance["guide"] is not None).values():
        refuse_existing(sibling, overwrite=force)
    files = _keep(take, path, original=_original(original), timeline=False, force=force)
    console.say(f"{path}: {'the same samples' if same else 'NOT the same samples'} as {sidecar}")
    if not same:
        console.note("the machine, the versions or the weights differ from those in the sidecar")
    console.result({**files, "same": same})


def list_systems(console: Console) -> None:
    from weft.systems.table import DEFAULT, SYSTEMS

    rows = [{k: v for k, v in vars(spec).items() if not callable(v)} for spec in SYSTEMS.values()]
    console.result({"default": DEFAULT, "systems": rows})
    if console.as_json:
        return
    from rich import box
    from rich.console import Console as RichConsole
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for column in ("system", "licence", "on disk", "memory", "rate", "channels"):
        table.add_column(column, no_wrap=True)
    table.add_column("what it is")
    table.add_column("dials")
    for spec in SYSTEMS.values():
        table.add_row(
            f"{spec.name} (default)" if spec.name == DEFAULT else spec.name,
            spec.licence,
            f"{spec.size_mb} MB",
            f"{spec.memory_gb:g} GB",
            f"{spec.rate} Hz",
            str(spec.channels),
            spec.summary,
            ", ".join(spec.dials),
        )
    RichConsole(width=None if sys.stdout.isatty() else 160).print(table)


def examine_machine(console: Console) -> None:
    from weft.cli.doctor import examine

    findings = examine()
    for finding in findings:
        mark = "ok  " if finding.ok else "FAIL" if finding.needed else "-   "
        console.say(f"{mark} {finding.name:<22} {finding.detail}")
    console.result({"findings": [asdict(f) for f in findings]})
    if any(f.needed and not f.ok for f in findings):
        raise SystemExit(1)


def run_recipe(recipe: Path, arguments: list[str]) -> None:
    """Run a recipe as if it were started by hand: its own flags, its own output, its own exit status."""
    if not recipe.is_file():
        near = ", ".join(sorted(p.name for p in recipe.parent.glob("train_*.py"))) or "none there"
        raise UserError(f"no recipe at {recipe}; recipes in {recipe.parent}: {near}")
    try:
        before, sys.argv = sys.argv, [str(recipe), *arguments]
        runpy.run_path(str(recipe), run_name="__main__")
    except ModuleNotFoundError as error:
        raise MissingExtra(f"{recipe.name} (no module {error.name})", "train") from error
    finally:
        sys.argv = before


def sample_world(
    console: Console, folder: Path, *, domain: str, count: int, seed: int, duration: float, force: bool
) -> None:
    shards = _world("weft world sample")
    for path in shards.sample(
        folder, domain=domain, count=count, seed=seed, duration=duration, overwrite=force
    ):
        console.say(str(path))


def build_world(
    console: Console, folder: Path, *, split: str, count: int, domains: list[str], workers: int
) -> None:
    shards = _world("weft world build")
    with console.progress() as progress:
        made = shards.build(
            domains, split=split, count=count, folder=folder, workers=workers, progress=progress
        )
    console.say(f"{folder}: {len(made)} shards")


def draw(path: Path, sheet: CueSheet, video: Video, audio: Any, force: bool) -> None:
    """Draw the timeline of a sheet, with the take's sound if given (`[2, N]`)."""
    from weft.cues.timeline import draw_timeline

    count = 12
    fps = count / video.duration
    height = 120
    frames = video.frames(fps, (max(2, round(height * video.width / video.height)), height))
    times = [n / fps for n in range(len(frames))]
    draw_timeline(path, sheet, frames=frames, frame_times=times, audio=audio, overwrite=force)


def _world(command: str) -> Any:
    try:
        import mujoco  # noqa: F401
        import webdataset  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtra(command, "world") from error
    from weft.world import shards

    return shards


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
        return take.scene.path.with_suffix(".rerun" + take.scene.path.suffix)
    return sidecar.with_suffix(".rerun.wav")


def _output(clip: Path | None, output: Path | None, out_dir: Path | None, number: int | None) -> Path:
    if output is None:
        assert clip is not None
        output = clip.with_suffix(".weft" + clip.suffix)
    path = output
    if out_dir is not None:
        path = out_dir / path.name
    return path if number is None else path.with_suffix(f".{number}{path.suffix}")


def _family(path: Path, timeline: bool, *, guided: bool) -> dict[str, Path]:
    """Every file that belongs to the result at `path`."""
    family = {"output": path, "cues": path.with_suffix(".cues.json"), "sidecar": path.with_suffix(".json")}
    family |= {"timeline": path.with_suffix(".png")} if timeline else {}
    return family | ({"guide": path.with_suffix(".guide.png")} if guided else {})


def _asked(kind: str | None, **settings: Any) -> Guidance | None:
    from weft.systems.guide import Guidance

    if kind is not None:
        return Guidance(kind=kind, **settings)
    for name, value in settings.items():
        if value is not None:
            raise UserError(f"--guide-{name} {value:g} changes nothing without --guide; give --guide volume")
    return None


def _original(word: str) -> Original:
    from weft.media.mixing import Original

    for known in get_args(Original):
        if word == known:
            return known
    raise UserError(f"--original {word!r} is unknown; give {', '.join(get_args(Original))}")


def _keep(take: Take, path: Path, *, original: Original, timeline: bool, force: bool) -> dict[str, Any]:
    from weft.media import Video

    guided = take.provenance["guide"]
    files = _family(path, timeline, guided=guided is not None)
    take.save(path, original=original, overwrite=force)
    if timeline and isinstance(take.scene, Video):
        draw(files["timeline"], take.sheet, take.scene, take.audio, force)
    if guided is not None:
        from weft.systems.guide_log import draw_guided

        draw_guided(files["guide"], guided, overwrite=force)
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
