"""The page of a report as HTML text: what it says of the whole set, and of every clip."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from html import escape

from weft.evaluation import plots
from weft.evaluation.result import ClipResult, Evaluation, Score
from weft.metrics.splits import Leaks

LISTED = 300
_ARROWS = {"higher": "↑", "lower": "↓", "nearer": "≈"}
_STYLE = """
:root{color-scheme:light}*{box-sizing:border-box}
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;color:#1c2128;background:#fff;
max-width:1080px;margin:0 auto;padding:28px 24px 80px}
h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:40px 0 10px}h3{font-size:16px;margin:0 0 6px}
p{margin:6px 0}.quiet{color:#5b6470}.bad{color:#b42318}code{font:13px ui-monospace,"DejaVu Sans Mono",monospace}
table{border-collapse:collapse;width:100%}th{text-align:left;font-weight:600;font-size:13px;color:#5b6470}
td,th{padding:4px 8px;border-bottom:1px solid #eceef1;vertical-align:middle}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}td.name{white-space:nowrap}
td small{display:block;line-height:1.35}td.name small{white-space:normal;max-width:330px}
td small:not(.bad){color:#5b6470}svg.row{width:320px;height:26px;display:block}
svg.scatter{width:420px;max-width:100%}svg text{font-size:10px;fill:#5b6470}svg text.axis{font-size:12px;fill:#1c2128}
.clip{border:1px solid #e3e5e9;border-radius:8px;padding:14px 16px;margin:14px 0}
.sides{display:grid;grid-template-columns:1fr 1fr;gap:16px}.sides.three{grid-template-columns:1fr 1fr .8fr}
.pic{position:relative;height:150px;background:#000}.pic img,.pic svg{position:absolute;inset:0;width:100%;height:100%}
.pic img{image-rendering:auto}audio,video{width:100%;margin-top:6px}video{max-height:190px;background:#000;margin:0}
.times{display:flex;justify-content:space-between;font-size:11px;color:#5b6470}
.key span{display:inline-block;margin-right:14px}.key i{display:inline-block;width:10px;height:10px;margin-right:5px}
details{margin:10px 0}summary{cursor:pointer}pre{font-size:12px;background:#f6f7f9;padding:12px;overflow:auto}
@media(max-width:760px){.sides,.sides.three{grid-template-columns:1fr}}
"""


def page(found: Evaluation, by: Score | None, worst: Sequence[ClipResult], blocks: Sequence[str]) -> str:
    """Return the whole page. `blocks` is the HTML of the `worst` clips, chosen `by` that score, in the same order."""
    plan = found.protocol
    title = f"weft eval: {plan.name} v{plan.version}"
    failed = len(found.failed)
    alone = len(found.only_reference) + len(found.only_predicted)
    state = counted(len(found.clips), "clip") + (
        f', <span class="bad">{failed} failed</span>' if failed else ""
    )
    state += f', <span class="bad">{alone} without a partner</span>' if alone else ""
    rates = "; ".join(
        f"{side}: " + ", ".join(f"{n} × {what}" for what, n in counts.items())
        for side, counts in found.rates.items()
        if counts
    )
    body = [
        f"<h1>{escape(plan.name)} <span class=quiet>v{plan.version}</span></h1>",
        f"<p>{escape(plan.summary)}</p><p>{state}. <span class=quiet>{escape(rates)}</span></p>",
        "" if found.leaks is None else f"<p>{escape(heard_before(found.leaks))}.</p>",
        "<h2>Scores</h2>",
        _key(),
        _scores(found),
        _cloud(found, worst),
    ]
    if blocks and by is not None:
        body.append(f"<h2>Worst clips <span class=quiet>by {escape(by.name)}</span></h2>")
        body.append(
            "<p class=quiet>White ticks: the onsets of the reference (of its cue sheet, where there is "
        )
        body.append("one) and those heard in the prediction. Both pictures share one scale of 70 dB.</p>")
        body += blocks
    body += [_failures(found), _notes(found), _listing(found), _small_print(found)]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style>'
        f"<body>{''.join(body)}</body></html>\n"
    )


def _key() -> str:
    names = {"silence": "silence", "shuffled": "another clip's sound", "reference": "the reference itself"}
    items = [f'<span><i style="background:{plots.COLOURS[k]}"></i>{v}</span>' for k, v in names.items()]
    value = (
        f'<span><i style="background:{plots.POINT};border-radius:50%"></i>value, bar its 95% interval</span>'
    )
    rest = f'<span><i style="background:{plots.OTHER}"></i>noise floor, others</span><span>faint dots: clips</span>'
    return f'<p class="key quiet">{value}{"".join(items)}{rest}</p>'


def _scores(found: Evaluation) -> str:
    lines = []
    for s in found.scores:
        values = [c.values[s.name] for c in found.clips if s.name in c.values]
        notes = "".join(f'<small class="bad">{escape(flag)}</small>' for flag in s.flags)
        if s.embedder is not None and s.rows is not None:
            notes = f"<small>{escape(sized(s))} by {escape(heard_by(s))}</small>{notes}"
        span = f"{number(s.low)} … {number(s.high)}" if math.isfinite(s.low) else ""
        told = s.baselines | ({} if s.floor is None else {"floor": s.floor}) | s.parts
        others = "; ".join(f"{k} {number(v)}" for k, v in told.items() if not math.isnan(v))
        lines.append(
            f'<tr><td class="name"><b>{escape(s.name)}</b> {_ARROWS[s.better]}<small>{escape(s.title)}</small></td>'
            f'<td class="n"><b>{number(s.value)}</b> {escape(s.unit)}</td>'
            f'<td class="n" title="{escape(s.interval)}">{span}</td>'
            f'<td class="n">{s.n}</td><td>{plots.interval(s, values)}'
            f"<small class=quiet>{escape(others)}</small>{notes}</td></tr>"
        )
    head = (
        '<tr><th>metric</th><th class="n">value</th><th class="n">95%</th><th class="n">n</th><th></th></tr>'
    )
    out = f"<table>{head}{''.join(lines)}</table>"
    left = "".join(
        f"<li><b>{escape(', '.join(names))}</b>: {escape(why)}</li>"
        for why, names in found.why_left_out.items()
    )
    ways = sorted({s.interval for s in found.scores if s.interval and math.isfinite(s.low)})
    out += f'<p class="quiet">Intervals: {escape("; ".join(ways))}.</p>' if ways else ""
    return out + (f"<p>Left out:</p><ul>{left}</ul>" if left else "")


def _cloud(found: Evaluation, worst: Sequence[ClipResult]) -> str:
    names = {name for c in found.clips for name in c.values}
    across, up = found.protocol.scatter
    if across not in names or up not in names:
        if len(names) < 2:
            return ""
        across, up = [s.name for s in found.scores if s.name in names][:2]
    points = {
        c.name: (c.values.get(across, math.nan), c.values.get(up, math.nan)) for c in found.clips if c.values
    }
    marked = {c.name: f"worst-{k}" for k, c in enumerate(worst)}
    told = "<p class=quiet>A dot is a clip; red ones are shown below.</p>" if marked else ""
    return f"<h2>Clip by clip</h2>{told}{plots.scatter(points, across, up, marked)}"


def _failures(found: Evaluation) -> str:
    lines = [f"<li><b>{escape(c.name)}</b>: {escape(why)}</li>" for c in found.failed for why in c.failures]
    lines += [f"<li><b>{escape(n)}</b>: only in the reference</li>" for n in found.only_reference]
    lines += [f"<li><b>{escape(n)}</b>: only in the prediction</li>" for n in found.only_predicted]
    return f"<h2>What failed</h2><ul>{''.join(lines)}</ul>" if lines else ""


def _notes(found: Evaluation) -> str:
    lines = "".join(f"<li>{escape(line)}</li>" for line in noted(found))
    return f"<h2>Worth knowing</h2><ul>{lines}</ul>" if lines else ""


def _listing(found: Evaluation) -> str:
    names = [s.name for s in found.scores if any(s.name in c.values for c in found.clips)][:12]
    some = found.clips[:LISTED]
    head = "<th>clip</th>" + "".join(f'<th class="n">{escape(n)}</th>' for n in names)
    lines = [
        f"<tr><td>{escape(c.name)}</td>"
        + "".join(f'<td class="n">{number(c.values.get(n, math.nan))}</td>' for n in names)
        + "</tr>"
        for c in some
    ]
    more = (
        "" if len(some) == len(found.clips) else f"<p>The first {LISTED}; the JSON result has them all.</p>"
    )
    return (
        f"<h2>Every clip</h2><details><summary>{counted(len(found.clips), 'clip')}</summary>"
        f'<div style="overflow:auto"><table><tr>{head}</tr>{"".join(lines)}</table></div>{more}</details>'
    )


def _small_print(found: Evaluation) -> str:
    told = {"protocol": found.protocol.to_json(), "versions": found.versions, "seconds": found.seconds}
    text = json.dumps(told, indent=1, ensure_ascii=False)
    return (
        f"<details><summary>The protocol in full, and versions</summary><pre>{escape(text)}</pre></details>"
    )


def noted(found: Evaluation) -> list[str]:
    """What a reader should know of clips that did not fail, a line for each note: what, of how many, of which first."""
    by: dict[str, list[str]] = {}
    for clip in found.clips:
        for note in clip.notes:
            by.setdefault(note, []).append(clip.name)
    return [
        f"{note}: {names[0]}" + (f" and {len(names) - 1} more" if len(names) > 1 else "")
        for note, names in sorted(by.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def heard_before(leaks: Leaks) -> str:
    """One line on what published splits trained on clips of the set."""
    counts = ", ".join(f"{leak.split} {len(leak.recordings)}" for leak in leaks.leaks)
    some = "1 recording" if leaks.n == 1 else f"{leaks.n} recordings"
    return (
        f"{some} of Greatest Hits, of which the training part of published splits has: {counts}. "
        "A system trained on one of those has heard them (weft leaks says which)"
    )


def counted(n: int, what: str) -> str:
    """1 clip, 2 clips."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def sized(s: Score) -> str:
    """How many rows a score of an embedder rests on, and their dimensions."""
    assert s.rows is not None
    true, made = s.rows
    both = f"{true} reference and {made} predicted rows" if true else counted(made, "predicted row")
    return f"{both} of {s.d}"


def heard_by(s: Score) -> str:
    """Which weights a score rests on, by which sampling rates the sound came to them and how they cut time."""
    path = f"; {s.rate}" if s.rate else ""
    return f"{s.embedder} (sha256 {(s.sha256 or '')[:12]}{path}; {s.windows})"


def number(value: float | None) -> str:
    """A number for a person: three figures, nothing for none."""
    if value is None or math.isnan(value):
        return ""
    return f"{value:.3g}" if abs(value) >= 1e-4 or value == 0 else f"{value:.0e}"
