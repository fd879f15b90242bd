"""What there is to ask `weft eval` for: metrics, embedders and protocols by name, as plain data."""

from __future__ import annotations

from typing import Any

from weft.evaluation.embedders import EMBEDDERS
from weft.evaluation.protocols import PROTOCOLS, protocol
from weft.evaluation.published_files import FILES
from weft.evaluation.table import METRICS, Metric

Listing = dict[str, list[dict[str, Any]]]


def listing(by: str | None = None) -> Listing:
    """Return "metrics", "embedders" and "protocols", a dict for each entry in the order of its table.

    by: only what this protocol asks for. Raises UserError for an unknown one.
    """
    plans = list(PROTOCOLS.values()) if by is None else [protocol(by)]
    asked = {name for plan in plans for name in plan.metrics} if by else set(METRICS)
    heard = {name for plan in plans for name in plan.embedders} if by else set(EMBEDDERS)
    return {
        "metrics": [_metric(m) for name, m in METRICS.items() if name in asked],
        "embedders": [
            {"name": name, "summary": e.summary, "needs_file": name in FILES}
            for name, e in EMBEDDERS.items()
            if name in heard
        ],
        "protocols": [
            {
                "name": plan.name,
                "version": plan.version,
                "summary": plan.summary,
                "metrics": list(plan.metrics),
                "embedders": list(plan.embedders),
            }
            for plan in plans
        ],
    }


def _metric(m: Metric) -> dict[str, Any]:
    return {
        "name": m.name,
        "title": m.title,
        "unit": m.unit,
        "better": m.better,
        "by_embedder": any(name.endswith("@") for name in (*m.made, *m.true)),
    }
