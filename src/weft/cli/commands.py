"""What each command does once its flags are read."""

from __future__ import annotations

import runpy
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weft.cli.console import Console
from weft.errors import MissingExtra, UserError

if TYPE_CHECKING:
    from weft.cues.sheet import CueSheet
    from weft.media import Video


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
    from weft.media.atomic import refuse_unwritable, written_aside
    from weft.systems.cueing import cue, open_clip

    output = output or clip.with_suffix(".cues.json")
    picture = output.with_suffix(".png") if timeline else None
    video = open_clip(clip, start, duration)
    for path in filter(None, (output, csv, picture)):
        refuse_unwritable(path, overwrite=force)
    with console.progress() as progress:
        sheet = cue(video, cues, progress=progress)
    with ExitStack() as stack:  # all of them appear, or none
        aside = stack.enter_context(written_aside(output, overwrite=force))
        aside.write_text(sheet.to_json(), encoding="utf-8")
        if csv is not None:
            from weft.cues.onsets_csv import save_csv

            listed = stack.enter_context(written_aside(csv, overwrite=force))
            save_csv(sheet.when.onsets or (), listed, overwrite=True)
        if picture is not None:
            draw(stack.enter_context(written_aside(picture, overwrite=force)), sheet, video, None, True)
    onsets = sheet.when.onsets or ()
    console.say(f"{output}: {len(onsets)} onsets ({sheet.when.source}) in {sheet.clip.duration:.2f} s")
    console.say(f"what: {sheet.what.prompt or 'nothing said'}")
    console.result({"cues": str(output), "onsets": len(onsets), "source": sheet.when.source})


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
