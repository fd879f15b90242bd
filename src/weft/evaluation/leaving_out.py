"""Which metrics of a protocol cannot be had here, and the line that says why; all others still run."""

from __future__ import annotations

from collections.abc import Sequence

from weft.errors import WeightsError
from weft.evaluation.clips import Clip, Side
from weft.evaluation.embedders import OUTPUTS, EmbedderSpec
from weft.evaluation.protocols import Protocol
from weft.evaluation.result import LeftOut, Score
from weft.evaluation.table import Metric, Row

_OUTPUT_WORDS = {
    "audio@": "embeddings of sound",
    "logits@": "classes of sound",
    "video@": "embeddings of pictures",
    "text@": "embeddings of text",
}
_REFERENCE_ONLY: dict[str, tuple[Side, str]] = {
    "flow peaks": ("video", "no clip has a picture: give films, or a CSV with a video column"),
    "video@": ("video", "no clip has a picture: give films, or a CSV with a video column"),
    "text@": ("text", "no clip has words: give a CSV with a text column, or shards with .txt members"),
}
UNMEASURED = "no clip could be measured for it"
_NO_TRACKS = "no clip has a cue sheet with a track: give a CSV with a cues column"


def hashes(specs: Sequence[EmbedderSpec], *, strict: bool) -> tuple[dict[str, str], list[LeftOut]]:
    """SHA-256 of each embedder's weights; those whose file is missing are left out, unless asked for by name."""
    found, missing = {}, []
    for spec in specs:
        try:
            found[spec.name] = spec.sha256()
        except WeightsError as error:
            if strict:
                raise
            missing.append(LeftOut(name=f"all of {spec.name}", why=str(error)))
    return found, missing


def without_embedder(chosen: Sequence[Metric], every: Sequence[Row]) -> list[LeftOut]:
    """Metrics that no embedder given can complete."""
    there = {r.metric.name for r in every}
    out = []
    for m in chosen:
        if m.name not in there:
            asked = sorted({_OUTPUT_WORDS[n] for n in (*m.made, *m.true) if n in OUTPUTS})
            out.append(LeftOut(name=m.name, why=f"no embedder here gives {' and '.join(asked)}"))
    return out


def fit_for(every: Sequence[Row], plan: Protocol) -> tuple[list[Row], list[LeftOut]]:
    """Rows that read the place of a sound need two channels."""
    if plan.window.channels == 2:
        return list(every), []
    kept = [r for r in every if "pan" not in r.metric.made]
    return kept, [
        LeftOut(name=r.name, why=f"the protocol {plan.name} is mono") for r in every if r not in kept
    ]


def unscored(every: Sequence[Row], scores: Sequence[Score], clips: Sequence[Clip]) -> list[LeftOut]:
    """Rows without a score once all is measured, and what was missing."""
    there = {s.name for s in scores}
    out = []
    for row in every:
        if row.name in there:
            continue
        why = UNMEASURED
        for asked in row.metric.true:
            side = _REFERENCE_ONLY.get(asked)
            if side is not None and not any(side[0] in c.content for c in clips):
                why = side[1]
            if asked == "tracks" and not any("tracks" in c.cues for c in clips):
                why = _NO_TRACKS
        out.append(LeftOut(name=row.name, why=why))
    return out
