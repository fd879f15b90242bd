"""The cue sheet as a picture: one PNG, one time axis, from the film strip down to the spectrum of the take."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from weft.cues import timeline_rows as rows
from weft.cues import timeline_sound as sound_rows
from weft.cues.sheet import CueSheet
from weft.errors import CueError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, DPI = 1600, 100
LEFT, RIGHT, TOP, BOTTOM, GAP = 190, 36, 96, 44, 14
STRIP, ONSETS, WORDS, ENVELOPE, TRAJECTORY, WAVEFORM, SPECTRUM = 118, 118, 30, 84, 104, 104, 168
MOST_GUIDES = 60


@dataclass(frozen=True, kw_only=True)
class _Row:
    name: str
    note: str
    height: int
    draw: Callable[[Axes], None]
    guides: bool = True


def draw_timeline(
    path: str | Path,
    sheet: CueSheet,
    *,
    frames: NDArray[np.uint8] | Sequence[NDArray[np.uint8]] | None = None,
    frame_times: NDArray[Any] | Sequence[float] | None = None,
    audio: NDArray[np.floating] | None = None,
    rate: int = 44100,
    overwrite: bool = False,
) -> None:
    """Write the timeline of `sheet` to `path`, a PNG 1600 pixels wide.

    `frames` are uint8 [T, H, W, 3] shown at `frame_times` [T] s (spread evenly over the clip when not given);
    `audio`, [N] or [C, N] at `rate` Hz, is the take. Rows for what is not there are left out. Raises
    `CueError` for frames, times or sound of a shape that cannot be drawn and `MediaError` when `path` cannot
    be written (or exists, without `overwrite`).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from weft.media.atomic import written_aside

    plan = _rows(sheet, _pictures(frames, frame_times, sheet.clip.duration), _sound(audio), rate)
    height = TOP + sum(row.height for row in plan) + GAP * (len(plan) - 1) + BOTTOM
    figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        _header(figure, sheet, height)
        _stack(figure, plan, sheet, height)
        with written_aside(path, overwrite) as aside:
            figure.savefig(
                aside, format="png", dpi=DPI, metadata={"Software": "weft"}, pil_kwargs={"compress_level": 3}
            )


def _rows(
    sheet: CueSheet,
    pictures: tuple[Sequence[NDArray[np.uint8]], NDArray[np.float64]] | None,
    sound: NDArray[np.floating] | None,
    rate: int,
) -> list[_Row]:
    when, where, what = sheet.when, sheet.where, sheet.what
    width = WIDTH - LEFT - RIGHT
    plan = []
    if pictures is not None:
        shown, times = pictures
        plan.append(_Row(name="Picture", note=_size(sheet), height=STRIP, guides=False,
                         draw=lambda axes: rows.film_strip(axes, shown, times, sheet, (width, STRIP))))  # fmt: skip
    note = f"from {_named(when.source)}" if when.source else "not given"
    plan.append(
        _Row(name="Onsets", note=note, height=ONSETS, draw=lambda axes: rows.onsets(axes, sheet, width))
    )
    if what.segments:
        plan.append(_Row(name="Words", note="", height=WORDS, guides=False,
                         draw=lambda axes: rows.segments(axes, sheet, width)))  # fmt: skip
    if when.envelope is not None or sound is not None:
        given = when.envelope
        note = "of the take" if given is None else f"from {_named(when.source)}"
        seen = when.source in ("spotter", "motion")  # and so says nothing of loudness

        def level(axes: Axes) -> None:
            sound_rows.envelope(axes, given, sound, rate, width, shape=seen)

        plan.append(_Row(name="Envelope", note=note, height=ENVELOPE, draw=level))
    if where.tracks:
        plan.append(_Row(name="Place", note=f"from {_named(where.source)}", height=TRAJECTORY,
                         draw=lambda axes: rows.trajectory(axes, sheet, width)))  # fmt: skip
    if sound is not None:
        plan.append(_Row(name="Take", note="stereo" if len(sound) > 1 else "mono", height=WAVEFORM,
                         draw=lambda axes: sound_rows.waveform(axes, sound, rate, width)))  # fmt: skip
        plan.append(_Row(name="Spectrum", note="of the take", height=SPECTRUM, guides=False,
                         draw=lambda axes: sound_rows.spectrum(axes, sound, rate, (width, SPECTRUM))))  # fmt: skip
    return plan


def _stack(figure: Figure, plan: list[_Row], sheet: CueSheet, height: int) -> None:
    """The rows under one another, times aligned; hairlines at the ticks, fainter ones at the onsets."""
    duration = sheet.clip.duration
    onsets = sheet.when.onsets or ()
    ticks = rows.time_ticks(duration)
    top = TOP
    for row in plan:
        axes = figure.add_axes(
            (
                LEFT / WIDTH,
                1 - (top + row.height) / height,
                (WIDTH - LEFT - RIGHT) / WIDTH,
                row.height / height,
            )
        )
        axes.set_facecolor(rows.PANEL)
        for side in axes.spines.values():
            side.set_visible(False)
        axes.tick_params(length=0, labelsize=8.5, labelcolor=rows.MUTED, pad=6)
        axes.set_yticks([])
        axes.set_xlim(0, duration)
        row.draw(axes)
        axes.set_xlim(0, duration)
        axes.set_xticks(ticks, [rows.clock(t, ticks) for t in ticks] if row is plan[-1] else [])
        if row.guides:
            axes.grid(axis="x", color=rows.HAIR, linewidth=0.8)
            if len(onsets) <= MOST_GUIDES and row.name != "Onsets":
                axes.vlines(
                    [o.t for o in onsets],
                    *axes.get_ylim(),
                    color=rows.INK,
                    alpha=0.13,
                    linewidth=0.8,
                    zorder=0.9,
                )
        axes.set_axisbelow(True)
        middle = 1 - (top + row.height / 2) / height
        lift = 7.5 / height if row.note else 0.0
        figure.text(
            24 / WIDTH, middle + lift, row.name, fontsize=11, color=rows.INK, va="center", weight="bold"
        )
        figure.text(24 / WIDTH, middle - 10 / height, row.note, fontsize=8, color=rows.MUTED, va="center")
        top += row.height + GAP
    if len(ticks):
        axes.tick_params(axis="x", pad=7)


def _header(figure: Figure, sheet: CueSheet, height: int) -> None:
    what = sheet.what
    spoken = rows.one_line(what.prompt or "")
    title = spoken or ("No words: the picture decides" if what.prompt is None else "No words, on purpose")
    text = figure.text(24 / WIDTH, 1 - 34 / height, title, fontsize=18, va="center", parse_math=False,
                       family=rows.families(), color=rows.INK if spoken else rows.MUTED)  # fmt: skip
    rows.fit(text, WIDTH - 48)
    clip = sheet.clip
    facts = [f"{clip.duration:g} s" if clip.duration < 90 else rows.clock(clip.duration, [0.0, 60.0])]
    if clip.start:
        facts[0] += f" from {clip.start:g} s"
    if clip.fps:
        facts.append(f"{clip.fps:.4g} frames/s")
    if sheet.when.onsets is not None:
        count = len(sheet.when.onsets)
        facts.append(f"{count} onset{'' if count == 1 else 's'}")
    if what.source:
        facts.append(f"words from {_named(what.source)}")
    if what.negative:
        facts.append(f"without: {rows.one_line(what.negative)}")
    if what.reference:
        facts.append(f"like: {rows.one_line(Path(what.reference).name)}")
    note = figure.text(24 / WIDTH, 1 - 64 / height, "   ·   ".join(facts), fontsize=9.5, va="center",
                       color=rows.MUTED, parse_math=False, family=rows.families())  # fmt: skip
    rows.fit(note, WIDTH - 48)


def _named(source: str | None) -> str:
    """ "person+spotter" as a reader says it: "person + spotter"."""
    return " + ".join((source or "").split("+"))


def _size(sheet: CueSheet) -> str:
    clip = sheet.clip
    return f"{clip.width} × {clip.height}" if clip.width and clip.height else ""


def _pictures(
    frames: Any, times: Any, duration: float
) -> tuple[Sequence[NDArray[np.uint8]], NDArray[np.float64]] | None:
    if frames is None or len(frames) == 0:
        return None
    shape = np.shape(frames[0])
    if len(shape) != 3 or shape[2] != 3 or 0 in shape:
        raise CueError(f"frames: pictures of shape {shape}; give uint8 [T, H, W, 3]")
    if times is None:
        times = (np.arange(len(frames)) + 0.5) * duration / len(frames)
    times = np.asarray(times, dtype=np.float64)
    if times.shape != (len(frames),):
        raise CueError(f"frame_times: {times.size} times for {len(frames)} frames; give one per frame")
    return frames, times


def _sound(audio: NDArray[np.floating] | None) -> NDArray[np.floating] | None:
    """[C, N] with one channel or two, or None when there is nothing to hear."""
    if audio is None or np.size(audio) == 0:
        return None
    sound = np.atleast_2d(np.asarray(audio))
    if sound.ndim != 2 or len(sound) > 2:
        raise CueError(f"audio: an array of shape {sound.shape}; give [N] or [2, N]")
    if not np.isfinite(sound.sum()):
        raise CueError("audio: holds samples that are not finite numbers")
    return sound
