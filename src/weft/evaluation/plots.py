"""Small drawings of a result as SVG text: a row's interval among its baselines, and clips as a cloud of points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from weft.evaluation.result import Score

WIDTH, HEIGHT = 320, 26
COLOURS = {"silence": "#8a8f98", "shuffled": "#c26a1b", "reference": "#2a8f5b"}
POINT, BAR = "#2457c5", "#a9c1f5"
OTHER = "#8650b5"


def interval(score: Score, values: Sequence[float]) -> str:
    """Draw one score: faint dots for `values` of the clips, a bar for the 95% interval, a dot for the value, a tick
    for each baseline and for the floor."""
    ticks = {k: v for k, v in score.baselines.items() if math.isfinite(v)}
    if score.floor is not None and math.isfinite(score.floor):
        ticks["floor"] = score.floor
    told = [v for v in (score.value, score.low, score.high, *ticks.values(), *values) if math.isfinite(v)]
    if not told:
        return ""
    low, high = min(told), max(told)
    if high - low < 1e-12:
        low, high = low - 0.5, high + 0.5

    def x(value: float) -> float:
        return round(8 + (value - low) / (high - low) * (WIDTH - 16), 1)

    parts = [f'<line x1="8" x2="{WIDTH - 8}" y1="13" y2="13" stroke="#e3e5e9"/>']
    parts += [
        f'<circle cx="{x(v)}" cy="{13 + (k % 5 - 2) * 2.2:.1f}" r="1.6" fill="{POINT}" fill-opacity=".22"/>'
        for k, v in enumerate(values)
        if math.isfinite(v)
    ]
    if math.isfinite(score.low):
        width = max(x(score.high) - x(score.low), 1)
        parts.append(f'<rect x="{x(score.low)}" y="9" width="{width:.1f}" height="8" rx="2" fill="{BAR}"/>')
    for name, value in ticks.items():
        colour = COLOURS.get(name, OTHER)
        parts.append(
            f'<line x1="{x(value)}" x2="{x(value)}" y1="3" y2="23" stroke="{colour}" stroke-width="2">'
            f"<title>{escape(name)} {value:.4g}</title></line>"
        )
    if math.isfinite(score.value):
        parts.append(
            f'<circle cx="{x(score.value)}" cy="13" r="4" fill="{POINT}"><title>{score.value:.4g}</title></circle>'
        )
    return f'<svg class="row" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg>'


def scatter(
    points: Mapping[str, tuple[float, float]], across: str, up: str, marked: Mapping[str, str]
) -> str:
    """Draw clips (name -> x, y) with axes named `across` and `up`; those `marked` (name -> anchor) are red links."""
    known = {k: p for k, p in points.items() if all(map(math.isfinite, p))}
    if not known:
        return "<p>No clip has both numbers.</p>"
    size, edge = 400, 58
    (left, right), (low, high) = (_span([p[k] for p in known.values()]) for k in (0, 1))
    inner = size - edge - 12

    def place(p: tuple[float, float]) -> tuple[float, float]:
        x = edge + (p[0] - left) / (right - left) * inner
        return round(x, 1), round(12 + (high - p[1]) / (high - low) * inner, 1)

    parts = []
    for tick, said in _ticks(left, right):
        at = place((tick, low))[0]
        parts.append(f'<line x1="{at}" x2="{at}" y1="12" y2="{12 + inner}" stroke="#eceef1"/>')
        parts.append(f'<text x="{at}" y="{26 + inner}" text-anchor="middle">{said}</text>')
    for tick, said in _ticks(low, high):
        at = place((left, tick))[1]
        parts.append(f'<line x1="{edge}" x2="{edge + inner}" y1="{at}" y2="{at}" stroke="#eceef1"/>')
        parts.append(f'<text x="{edge - 6}" y="{at + 3.5}" text-anchor="end">{said}</text>')
    for name, point in sorted(known.items(), key=lambda item: item[0] in marked):
        cx, cy = place(point)
        said = f"<title>{escape(name)}: {across} {point[0]:.3g}, {up} {point[1]:.3g}</title>"
        bad = name in marked
        colour = "#c62f2f" if bad else POINT
        dot = f'<circle cx="{cx}" cy="{cy}" r="{4.5 if bad else 3.5}" fill="{colour}" fill-opacity=".7">{said}</circle>'
        parts.append(f'<a href="#{marked[name]}">{dot}</a>' if bad else dot)
    middle = edge + inner / 2
    parts.append(f'<text x="{middle}" y="{size}" text-anchor="middle" class="axis">{escape(across)}</text>')
    parts.append(
        f'<text transform="translate(11 {12 + inner / 2}) rotate(-90)" text-anchor="middle" class="axis">'
        f"{escape(up)}</text>"
    )
    return f'<svg class="scatter" viewBox="0 0 {size} {size + 6}" role="img">{"".join(parts)}</svg>'


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = (high - low) * 0.05 or 0.5
    return low - margin, high + margin


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Round numbers within a span, four to eight of them, each with as many figures as tell it from the others."""
    rough = (high - low) / 5
    unit = 10 ** math.floor(math.log10(rough))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= rough * 0.8)
    found = [round(k * step, 12) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
    figures = next((f for f in range(3, 12) if len({f"{t:.{f}g}" for t in found}) == len(found)), 12)
    return [(t, f"{t:.{figures}g}") for t in found]


def marks(times: Sequence[float], seconds: float, colour: str) -> str:
    """Draw onsets as ticks along a picture of `seconds`, to lie over a spectrogram; a dark edge lets them stand out
    where that is bright."""
    lines = "".join(
        f'<line x1="{at}" x2="{at}" y1="0" y2="{long}" stroke="{edge}" stroke-width="{width}"/>'
        for at in (f"{1000 * t / seconds:.1f}" for t in times if 0 <= t <= seconds)
        for edge, width, long in (("#000000", 7, 11), (colour, 3, 10))
    )
    return f'<svg class="marks" viewBox="0 0 1000 100" preserveAspectRatio="none">{lines}</svg>'
