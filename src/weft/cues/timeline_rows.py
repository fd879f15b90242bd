"""The rows of the timeline that show cues, its colours and its type; each draws into an axes that spans the clip."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from weft.cues.sheet import CueSheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

INK, MUTED, HAIR, PANEL = "#1c2733", "#6b7988", "#e8ecf0", "#f7f9fa"
SEA, SEA_PALE, DEEP = "#14746f", "#a9d3cd", "#2f4b66"
UNNAMED = "#4a5563"
MATERIAL_COLOURS = {
    "carpet": "#8e4585",
    "ceramic": "#c8553d",
    "cloth": "#d8708f",
    "dirt": "#6b4423",
    "drywall": "#b39b72",
    "glass": "#29a9bd",
    "grass": "#4c9a2a",
    "gravel": "#8c8c8c",
    "leaf": "#9aac1b",
    "metal": "#4a6fb5",
    "paper": "#d9a514",
    "plastic": "#f07f2e",
    "plastic-bag": "#c2359c",
    "rock": "#54545f",
    "tile": "#2f8f7f",
    "water": "#1f77d0",
    "wood": "#96602c",
}
ACTION_MARKS = {None: "o", "hit": "o", "scratch": "s", "step": "^", "bounce": "D", "roll": "p"}
KEY: dict[str, Any] = {
    "frameon": False, "fontsize": 8.5, "labelcolor": INK, "borderaxespad": 0.1, "handlelength": 1.4,
    "handletextpad": 0.6, "columnspacing": 1.4,
}  # fmt: skip

Floats = NDArray[np.float64]


def film_strip(
    axes: Axes, frames: Sequence[NDArray[np.uint8]], times: Floats, sheet: CueSheet, size: tuple[int, int]
) -> None:
    """Whole pictures side by side, each the frame nearest the middle of its stretch, the tracked boxes on them."""
    from matplotlib.patches import Rectangle
    from PIL import Image

    width, height = size
    duration = sheet.clip.duration
    tall, wide = frames[0].shape[:2]
    count = int(np.clip(round(width / (height * wide / tall)), 1, 40))
    edges = np.round(np.linspace(0, width, count + 1)).astype(int)
    strip = np.full((height, width, 3), 255, dtype=np.uint8)
    for left, right in pairwise(edges):
        t = (left + right) / 2 / width * duration
        frame = frames[int(np.argmin(np.abs(times - t)))]
        room = right - left - 2
        scale = max(room / wide, height / tall)
        shown_w, shown_h = max(room, round(wide * scale)), max(height, round(tall * scale))
        x, y = (shown_w - room) // 2, (shown_h - height) // 2
        small = Image.fromarray(np.ascontiguousarray(frame)).resize((shown_w, shown_h), Image.Resampling.BOX
                if scale < 0.5 else Image.Resampling.BILINEAR)  # fmt: skip
        strip[:, left + 1 : right - 1] = np.asarray(small)[y : y + height, x : x + room]
        for track in sheet.where.tracks or ():
            if track.t[0] <= t <= track.t[-1]:
                box = [np.interp(t, track.t, track.box[:, i]) for i in range(4)]
                across = np.clip(np.array(box[0::2]) * shown_w - x, 1, room - 1) + left + 1
                down = np.clip(np.array(box[1::2]) * shown_h - y, 1, height - 1)
                if across[1] > across[0] and down[1] > down[0]:
                    corner = (across[0] / width * duration, down[0])
                    for colour, thickness in (("black", 2.6), ("white", 1.2)):
                        axes.add_patch(Rectangle(corner, (across[1] - across[0]) / width * duration, down[1] - down[0],
                                                 fill=False, edgecolor=colour, linewidth=thickness,
                                                 alpha=0.35 if colour == "black" else 1.0))  # fmt: skip
    axes.imshow(strip, extent=(0, duration, height, 0), aspect="auto", interpolation="none")
    axes.set_ylim(height, 0)


def onsets(axes: Axes, sheet: CueSheet, width: int) -> None:
    """A stem per onset, as tall as it is strong, in its material's colour; a sustained one is a bar as long."""
    axes.set_ylim(0, 1.3)
    found = sheet.when.onsets
    if not found:
        said = "not given: they will be spotted" if found is None else "none, on purpose"
        axes.text(
            0.5, 0.5, said, transform=axes.transAxes, ha="center", va="center", fontsize=10, color=MUTED
        )
        return
    crowd = min(1.0, 90 / len(found))
    for material in sorted({o.material for o in found}, key=lambda m: m or ""):
        colour = MATERIAL_COLOURS.get(material or "", UNNAMED)
        group = [o for o in found if o.material == material]
        held = [o for o in group if o.duration > 0]
        axes.bar([o.t for o in held], [o.strength for o in held], [o.duration for o in held], align="edge",
                 color=colour, alpha=0.32, linewidth=0)  # fmt: skip
        axes.vlines([o.t for o in group], 0, [o.strength for o in group], color=colour,
                    linewidth=0.6 + 1.6 * crowd, alpha=0.45 + 0.55 * crowd)  # fmt: skip
        for action, mark in ACTION_MARKS.items():
            heads = [o for o in group if o.action == action]
            axes.scatter([o.t for o in heads], [o.strength for o in heads], s=7 + 45 * crowd, marker=mark,
                         color=colour, edgecolors="white", linewidths=0.9 * crowd, zorder=3, clip_on=False)  # fmt: skip
    _legend(axes, sheet)


def _legend(axes: Axes, sheet: CueSheet) -> None:
    from matplotlib.lines import Line2D

    found = sheet.when.onsets or ()
    blank: dict[str, Any] = {"color": "none", "markeredgecolor": "white", "markersize": 8}
    entries = [
        Line2D([], [], marker="o", markerfacecolor=MATERIAL_COLOURS[m], label=m, **blank)
        for m in sorted({o.material for o in found if o.material})
    ]
    if any(o.material is None for o in found):
        entries.append(Line2D([], [], marker="o", markerfacecolor=UNNAMED, label="unnamed", **blank))
    actions = [a for a in ACTION_MARKS if a and any(o.action == a for o in found)]
    if len(actions) > 1 or actions == ["step"]:
        for action in actions:
            entries.append(Line2D([], [], marker=ACTION_MARKS[action], markerfacecolor="#aab4bf", label=action,
                                  **(blank | {"markersize": 6.5 if action == "bounce" else 8})))  # fmt: skip
    axes.legend(handles=entries, loc="upper right", ncols=len(entries), frameon=False, fontsize=8.5, labelcolor=INK,
                handletextpad=0.1, columnspacing=1.0, borderaxespad=0.1, handlelength=1.2)  # fmt: skip


def segments(axes: Axes, sheet: CueSheet, width: int) -> None:
    """The prompts of single stretches, each in a band over its time."""
    from matplotlib.patches import Rectangle

    axes.set_ylim(0, 1)
    for segment in sheet.what.segments:
        end = min(segment.end, sheet.clip.duration)
        axes.add_patch(Rectangle((segment.start, 0), end - segment.start, 1, facecolor="#dfeeec", edgecolor="white",
                                 linewidth=2))  # fmt: skip
        room = (end - segment.start) / sheet.clip.duration * width - 16
        at = segment.start + 8 / width * sheet.clip.duration
        text = axes.text(
            at, 0.47, one_line(segment.prompt), fontsize=9, color=INK, va="center", parse_math=False
        )
        fit(text, room)


def trajectory(axes: Axes, sheet: CueSheet, width: int) -> None:
    """Pan over time, left up: thick and dark where near, thin and pale where far."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patheffects import withStroke

    shades = LinearSegmentedColormap.from_list("near to far", [SEA, "#7fbdb5", "#c3dcd8"])
    axes.set_ylim(1.12, -1.12)
    axes.set_yticks([-1, 0, 1], ["left", "centre", "right"])
    axes.axhline(0, color=HAIR, linewidth=0.8, zorder=0.9)
    tracks = sheet.where.tracks or ()
    duration = sheet.clip.duration
    for track in tracks[:12]:
        count = int(np.clip((track.t[-1] - track.t[0]) / duration * width, 2, width))
        t = np.linspace(track.t[0], max(track.t[-1], track.t[0] + duration / width), count)
        pan, depth = track.pan_at(t), track.depth_at(t)
        points = np.column_stack([t, pan])
        pieces = np.stack([points[:-1], points[1:]], axis=1)
        middle = (depth[:-1] + depth[1:]) / 2
        axes.add_collection(
            LineCollection(
                list(pieces), linewidths=7.0 - 5.6 * middle, colors=shades(middle), capstyle="round", zorder=2
            )
        )
        if track.label and len(tracks) > 1:
            at = min(max(t[0], 0.0) + 6 / width * duration, duration)
            axes.text(at, pan[0] - 0.22 if pan[0] > -0.7 else pan[0] + 0.3, one_line(track.label)[:24], fontsize=8,
                      color=INK, va="center", parse_math=False, zorder=3, family=families(),
                      path_effects=[withStroke(linewidth=2.5, foreground=PANEL)])  # fmt: skip
    if any(track.depth is not None for track in tracks):
        _depth_key(axes, shades)


def _depth_key(axes: Axes, shades: Any) -> None:
    from matplotlib.lines import Line2D

    entries = [
        Line2D([], [], color=shades(depth), linewidth=7.0 - 5.6 * depth, label=label, solid_capstyle="butt")
        for label, depth in (("near", 0.1), ("far", 0.9))
    ]
    axes.legend(handles=entries, loc="upper right", ncols=2, **KEY)


def time_ticks(duration: float) -> Floats:
    """Some ten round times from 0 to the end, s."""
    steps = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
    step = next((s for s in steps if duration / s <= 16), duration / 10)
    return np.arange(int(duration / step + 1e-6) + 1, dtype=np.float64) * step


def clock(t: float, ticks: Sequence[float] | Floats) -> str:
    """A time as its neighbours need it: "0.25", "3 s", "1:30", "1:02:00"."""
    if max(ticks[-1], t) >= 90:
        minutes, seconds = divmod(round(t), 60)
        return (
            f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
            if minutes >= 60
            else f"{minutes}:{seconds:02d}"
        )
    return f"{t:.4g} s" if len(ticks) < 2 or t == 0 or ticks[1] - ticks[0] >= 1 else f"{t:.4g}"


def one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def families() -> list[str]:
    """Fonts for what people write: the bundled one, then any installed that knows the world's other scripts."""
    from matplotlib.font_manager import fontManager

    wider = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans Arabic", "Noto Sans Devanagari", "Arial Unicode MS",
             "Microsoft YaHei", "Hiragino Sans", "WenQuanYi Zen Hei")  # fmt: skip
    known = {font.name for font in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in wider if name in known)]


def fit(text: Text, pixels: float) -> None:
    """Shorten the text with an ellipsis until it is at most `pixels` wide."""
    whole = text.get_text()
    if text.get_window_extent().width <= pixels:
        return
    low, high = 0, len(whole)
    while low < high:
        middle = (low + high + 1) // 2
        text.set_text(whole[:middle].rstrip() + "…")
        low, high = (middle, high) if text.get_window_extent().width <= pixels else (low, middle - 1)
    text.set_text(whole[:low].rstrip() + "…" if low else "")
