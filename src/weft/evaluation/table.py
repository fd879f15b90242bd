"""The one table of metrics: every family's entries by name, and the rows that embedders make of them.

Adding a metric is one entry in the file of its family.
"""

from __future__ import annotations

from collections.abc import Sequence

from weft.cues.words import closest
from weft.errors import UserError
from weft.evaluation.embedding import EmbedderSpec, asked_of
from weft.evaluation.metric import Baseline, Better, Metric, Row
from weft.evaluation.table_meaning import MEANING
from weft.evaluation.table_obedience import OBEDIENCE
from weft.evaluation.table_sets import CLASSES, DISTANCES
from weft.evaluation.table_sound import ITSELF, SPECTRUM
from weft.evaluation.table_space import SPACE
from weft.evaluation.table_time import TIME

__all__ = ["METRICS", "Baseline", "Better", "Metric", "Row", "metric", "rows"]

METRICS = {m.name: m for m in (*TIME, *SPECTRUM, *SPACE, *DISTANCES, *MEANING, *CLASSES, *ITSELF, *OBEDIENCE)}


def metric(name: str) -> Metric:
    """Return the entry called `name`; raises UserError naming the closest known metric."""
    if name not in METRICS:
        near = closest(name, METRICS)
        hint = f"did you mean {near}?" if near else f"known: {', '.join(METRICS)}"
        raise UserError(f"unknown metric {name!r}; {hint} (weft eval --list prints all)")
    return METRICS[name]


def rows(metrics: Sequence[Metric], embedders: Sequence[EmbedderSpec]) -> list[Row]:
    """Every metric, those that need an embedder once for each embedder that gives all it asks for."""
    out = []
    for m in metrics:
        asked = {asked_of(name)[1] for name in (*m.made, *m.true) if name.endswith("@")}
        if not asked:
            out.append(Row(metric=m))
            continue
        out += [Row(metric=m, embedder=e) for e in embedders if asked <= set(e.gives) and _suits(m, e)]
    return out


def _suits(m: Metric, e: EmbedderSpec) -> bool:
    if (e.only or m.judged) and m.name not in e.only:
        return False
    return (e.in_step or not m.in_step) and (e.materials or not m.materials)
