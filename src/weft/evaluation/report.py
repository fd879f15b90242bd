"""The report: one HTML file to open in a browser, and beside it a folder with the sounds of its worst clips."""

from __future__ import annotations

import math
from html import escape
from pathlib import Path

from weft.errors import MediaError, WeftError
from weft.evaluation import plots
from weft.evaluation.players import Shown, film, show
from weft.evaluation.report_page import number, page
from weft.evaluation.result import ClipResult, Evaluation, Score
from weft.media.atomic import refuse_unwritable, write_fault, written_aside
from weft.progress import Progress, silent

WORST = 6


def write_report(
    found: Evaluation, path: Path, *, overwrite: bool = False, progress: Progress = silent
) -> list[Path]:
    """Write the report at `path` (.html) and its sounds to the folder `STEM_files` beside it; return all files.

    Raises MediaError: it exists and not `overwrite`, the folder cannot be written.
    """
    refuse_report(path, overwrite=overwrite)
    folder = _folder(path)
    worst = worst_clips(found)
    blocks: list[str] = []
    made: list[Path] = []
    if worst:
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise write_fault(error, folder) from error
    for k, clip in enumerate(worst):
        progress("report", k / len(worst))
        block, files = _clip(found, clip, k, folder)
        blocks.append(block)
        made += files
    with written_aside(path, overwrite) as aside:
        aside.write_text(page(found, _headline(found), worst, blocks), encoding="utf-8")
    progress("report", 1.0)
    return [path, *made]


def refuse_report(path: Path, *, overwrite: bool = False) -> None:
    """Raise MediaError when a report could not be written at `path`: to ask before the clips are measured."""
    refuse_unwritable(path, overwrite)
    if _folder(path).exists() and not overwrite:
        raise MediaError(f"{_folder(path)} exists already; choose another name or allow overwriting")


def _folder(path: Path) -> Path:
    return path.with_name(f"{path.stem}_files")


def worst_clips(found: Evaluation) -> list[ClipResult]:
    """The clips to look at first: by the protocol's headline metric, or the first metric that has one number a clip."""
    by = _headline(found)
    if by is None:
        return []
    best = by.baselines.get("reference", 0.0)
    away = {"higher": -1.0, "lower": 1.0}.get(by.better)

    def badness(clip: ClipResult) -> float:
        value = clip.values[by.name]
        return away * value if away is not None else abs(value - best)

    scored = [c for c in found.clips if math.isfinite(c.values.get(by.name, math.nan))]
    return sorted(scored, key=badness, reverse=True)[:WORST]


def _headline(found: Evaluation) -> Score | None:
    a_clip = {name for c in found.clips for name in c.values}
    given = [s for s in found.scores if s.name in a_clip]
    return next((s for s in given if s.name == found.protocol.headline), given[0] if given else None)


def _clip(found: Evaluation, clip: ClipResult, k: int, folder: Path) -> tuple[str, list[Path]]:
    plan, files = found.protocol, []
    told = ", ".join(f"{name} {number(v)}" for name, v in _first(found, clip))
    notes = "".join(f"<p class=quiet>{escape(n)}</p>" for n in clip.notes)
    try:
        sides = show(clip, plan.window, folder)
        files = [s.audio for s in sides]
        cells = [_side(t, s, folder) for t, s in zip(("reference", "predicted"), sides, strict=True)]
    except WeftError as error:
        cells = [f'<p class="bad">{escape(str(error))}</p>']
    try:
        moving = film(clip, plan.window, folder)
    except WeftError as error:
        moving = None
        notes += f'<p class="bad">no picture: {escape(str(error))}</p>'
    if moving is not None:
        files.append(moving)
        address = f"{folder.name}/{moving.name}"
        cells.append(
            f'<div><p>picture, predicted sound</p><video controls preload="metadata" src="{address}">'
        )
        cells[-1] += "</video></div>"
    three = " three" if moving is not None else ""
    return (
        f'<div class="clip" id="worst-{k}"><h3>{escape(clip.name)}</h3><p class=quiet>{escape(told)}</p>{notes}'
        f'<div class="sides{three}">{"".join(cells)}</div></div>'
    ), files


def _first(found: Evaluation, clip: ClipResult) -> list[tuple[str, float]]:
    wanted = [found.protocol.headline, *found.protocol.scatter, *clip.values]
    return [(name, clip.values[name]) for name in dict.fromkeys(wanted) if name in clip.values][:6]


def _side(title: str, shown: Shown, folder: Path) -> str:
    ticks = plots.marks(shown.onsets, shown.seconds, "#ffffff")
    return (
        f'<div><p>{title}</p><div class="pic"><img alt="spectrogram of the {title}" src="{shown.png}">{ticks}</div>'
        f'<div class="times"><span>0</span><span>{shown.seconds / 2:.3g}</span><span>{shown.seconds:.3g} s</span></div>'
        f'<audio controls preload="none" src="{folder.name}/{shown.audio.name}"></audio></div>'
    )
