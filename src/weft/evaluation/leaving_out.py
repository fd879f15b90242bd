"""Which metrics of a protocol cannot be had here, and the line that says why; all others still run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from weft.errors import WeightsError
from weft.evaluation.clips import Clip, Side
from weft.evaluation.embedding import OUTPUTS, EmbedderSpec, asked_of
from weft.evaluation.protocols import Protocol
from weft.evaluation.published_files import lacking
from weft.evaluation.result import LeftOut, Score
from weft.evaluation.table import Metric, Row

_OUTPUT_WORDS = {
    "audio@": "embeddings of sound",
    "eight-bit@": "embeddings of sound in 8 bits",
    "logits@": "classes of sound",
    "bare-logits@": "classes of sound without their bias",
    "video@": "embeddings of pictures",
    "text@": "embeddings of text",
}
_REFERENCE_ONLY: dict[str, tuple[Side, str]] = {
    "flow peaks": ("video", "no clip has a picture: give films, or a CSV with a video column"),
    "video@": ("video", "no clip has a picture: give films, or a CSV with a video column"),
    "text@": ("text", "no clip has words: give a CSV with a text column, or shards with .txt members"),
    "without audio@": (
        "without",
        "no clip brings its take without the negative prompt: give a CSV with a column without",
    ),
    "like audio@": (
        "like",
        "no clip brings the recording it was to sound like: give a CSV with a column like",
    ),
}
UNMEASURED = "no clip could be measured for it"
NO_SHEET = "no clip has a cue sheet: give a CSV with a cues column, or shards with world labels"
_SHEET = "no clip has a cue sheet with {}: give a CSV with a cues column, or shards with world labels"
_CUE_WORDS = {
    "cues": _SHEET.format("onsets"),
    "tracks": _SHEET.format("a track"),
    "asked pan": _SHEET.format("onsets and a track"),
    "asked depth": _SHEET.format("onsets and a track with depths"),
    "asked envelope": _SHEET.format("an envelope"),
    "asked material": _SHEET.format("onsets that all name one material"),
    "asked prompt": _SHEET.format("a prompt that names one material"),
    "asked away": _SHEET.format("a negative prompt that names one material"),
    "negative": _SHEET.format("a negative prompt"),
    "maps": "no clip brings saliency maps: give a CSV with columns maps and predicted_maps, or shards with .maps.npy",
}


def hashes(specs: Sequence[EmbedderSpec], *, strict: bool) -> tuple[dict[str, str], dict[str, str]]:
    """SHA-256 of each embedder's weights, and why there is none: which files to get, from where, under which licence.
    Raises WeightsError for the first when `strict`, as for embedders asked for by name."""
    found, missing = {}, {}
    for spec in specs:
        try:
            found[spec.name] = spec.sha256()
        except WeightsError as error:
            why = lacking(spec.name) or str(error)
            if strict:
                raise WeightsError(why) from error
            missing[spec.name] = why
    return found, missing


def without_file(every: Sequence[Row], missing: Mapping[str, str]) -> tuple[list[Row], list[LeftOut]]:
    """Rows whose embedder lies here, and those that wait for its file."""
    lost = [r for r in every if r.embedder is not None and r.embedder.name in missing]
    why = [LeftOut(name=r.name, why=missing[r.embedder.name]) for r in lost if r.embedder is not None]
    return [r for r in every if r not in lost], why


def without_embedder(chosen: Sequence[Metric], every: Sequence[Row | LeftOut]) -> list[LeftOut]:
    """Metrics that no embedder given can complete, nor could with its file."""
    there = {r.name.partition("/")[0] for r in every}
    out = []
    for m in chosen:
        if m.name not in there:
            outputs = {asked_of(n)[1] for n in (*m.made, *m.true)}
            asked = sorted(_OUTPUT_WORDS[n] for n in outputs if n in OUTPUTS)
            out.append(LeftOut(name=m.name, why=f"no embedder here gives {' and '.join(asked)}"))
    return out


def fit_for(every: Sequence[Row], plan: Protocol) -> tuple[list[Row], list[LeftOut]]:
    """Rows that read the place of a sound need two channels."""
    if plan.window.channels == 2:
        return list(every), []
    kept = [r for r in every if not r.metric.stereo and "pan" not in r.metric.made]
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
            if asked in _CUE_WORDS and not any(asked in c.cues for c in clips):
                broken = asked == "maps" and any(c.pair.maps and c.pair.predicted_maps for c in clips)
                sheet = asked == "maps" or any(c.pair.cues for c in clips)
                why = why if broken else _CUE_WORDS[asked] if sheet else NO_SHEET
        out.append(LeftOut(name=row.name, why=why))
    return out
