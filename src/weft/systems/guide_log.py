"""What was read of a guided take: V and δ at each guided step, and of what came out; for the sidecar and the plot.

δ = 1 - cos (MDG, eq. 11). The encoders that read are those that guided, so the numbers say that the guide was obeyed
and not that the sound is better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from weft.diffusion.steering import Guided

if TYPE_CHECKING:
    from weft.systems.guide import Guide

READINGS = {
    "volume": "V",
    "text_audio": "δ text, sound",
    "video_audio": "δ picture, sound",
    "text_video": "δ text, picture",
}


@dataclass(kw_only=True)
class GuideLog:
    """What was read, by window of the performance: at each guided step before its push, and of what came out."""

    steps: list[dict[str, float]] = field(default_factory=list)
    after: list[dict[str, float]] = field(default_factory=list)
    by: str = "sound"
    """What the ear heard at the guided steps: "sound", or the decoder's "mel" without a vocoder."""

    def guided(self, window: int, item: int = 0) -> Callable[[Guided], None]:
        """What to call at a guided step of window number `window`; this performance is number `item` of the batch."""

        def note(seen: Guided) -> None:
            told = {name: values[item] for name, values in seen.readings.items()}
            self.steps.append(
                {"window": window, "step": seen.step, "t": seen.then, **told, "moved": seen.moved[item]}
            )

        return note

    def finish(self, window: int, readings: Mapping[str, Tensor], item: int = 0) -> None:
        """Note the readings [B] of what came out of a window."""
        told = {name: float(values[item]) for name, values in readings.items()}
        self.after.append({"window": window, **told})

    def summary(self, guide: Guide) -> dict[str, Any]:
        """For the sidecar: what was asked, and means over windows before the first push and after the last step."""
        first = [s for s in self.steps if s["step"] == min(r["step"] for r in self.steps)]
        return {
            **asdict(guide.asked),
            "encoders": {guide.encoders: guide.sha256},
            "by": self.by,
            "before": _means(first),
            "after": _means(self.after),
            "steps": [_rounded(s) for s in self.steps],
            "windows": [_rounded(s) for s in self.after],
        }


def _means(rows: list[dict[str, float]]) -> dict[str, float] | None:
    if not rows:
        return None
    return {name: round(float(np.mean([row[name] for row in rows])), 6) for name in READINGS}


def _rounded(row: dict[str, float]) -> dict[str, float]:
    return {name: value if isinstance(value, int) else round(value, 6) for name, value in row.items()}


def draw_guided(path: Path, told: dict[str, Any], *, overwrite: bool = False) -> None:
    """Draw V and δ over the steps of a take as PNG, from what its sidecar says of the guide: one line a reading, means
    over the windows of the performance; what came out stands at the end. Raises MediaError where `path` cannot be
    written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    from weft.media.atomic import written_aside

    figure = Figure(figsize=(8, 4.5), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    steps = sorted({row["step"] for row in told["steps"]})
    for key, name in READINGS.items():
        values = [np.mean([row[key] for row in told["steps"] if row["step"] == step]) for step in steps]
        line = axes.plot(steps, values, marker="o", label=name, linewidth=2.2 if key == "volume" else 1.2)[0]
        if told["after"] is not None:
            end = max(steps, default=0) + 1
            axes.plot([*steps[-1:], end], [*values[-1:], told["after"][key]], ":", color=line.get_color())
            axes.plot([end], [told["after"][key]], marker="s", color=line.get_color())
    axes.set(xlabel="sampler step (the square: what came out)", ylabel="less is nearer", ylim=(0, None))
    axes.set_title(f"guided by {told['kind']}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside lower center", ncols=len(READINGS), fontsize=8)
    axes.grid(alpha=0.3)
    with written_aside(path, overwrite) as aside:
        figure.savefig(aside, format="png")
