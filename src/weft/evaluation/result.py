"""What an evaluation found: every number with what it rests on, every clip, everything that went wrong."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from weft.evaluation.pairs import Pair
from weft.evaluation.protocols import Protocol
from weft.metrics.result import Result
from weft.metrics.splits import Leaks

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Score(Result):
    """A metric's result over the clips of a set, with the metric's `name`, `title`, `unit`, and whether a higher, a
    lower or a nearer value is better; `windows` says how the embedder cuts time."""

    name: str
    title: str
    unit: str
    better: str
    windows: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the row as plain data, its name first."""
        named = ("name", "title", "unit", "better")
        return {key: getattr(self, key) for key in named} | asdict(self)


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A metric of the protocol that could not be computed for any clip, and why."""

    name: str
    why: str

    @property
    def metric(self) -> str:
        """Its name without the embedder's."""
        return self.name.partition("/")[0]


@dataclass(frozen=True, kw_only=True)
class ClipResult:
    """One pair: its values by metric, what a reader should know of it (`notes`), and what failed."""

    pair: Pair
    reference_sha256: str | None
    predicted_sha256: str | None
    seconds: float = math.nan
    values: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What the pair is called."""
        return self.pair.name

    def to_json(self) -> dict[str, Any]:
        """Return the clip as plain data, its sources as text."""
        named = {
            "name": self.name,
            "reference": str(self.pair.reference),
            "predicted": str(self.pair.predicted),
        }
        fields = {k: v for k, v in vars(self).items() if k != "pair"}
        return {**named, "video": str(self.pair.video) if self.pair.video else None, **fields}


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The whole result. `rates` counts clips by native rate and channels on either side; `work` says how many
    features were measured and how many came from the cache; `seconds` are wall time by stage; `leaks` what published
    splits trained on, where names of the set are recognised."""

    protocol: Protocol
    scores: tuple[Score, ...]
    left_out: tuple[LeftOut, ...]
    clips: tuple[ClipResult, ...]
    only_reference: tuple[str, ...]
    only_predicted: tuple[str, ...]
    rates: dict[str, dict[str, int]]
    work: dict[str, int]
    seconds: dict[str, float]
    worker_seconds: dict[str, float]
    versions: dict[str, str]
    leaks: Leaks | None = None

    @property
    def failed(self) -> tuple[ClipResult, ...]:
        """The clips with a failure."""
        return tuple(c for c in self.clips if c.failures)

    @property
    def ok(self) -> bool:
        """Whether every clip found a partner and every metric a number for it."""
        return not (self.failed or self.only_reference or self.only_predicted)

    @property
    def why_left_out(self) -> dict[str, list[str]]:
        """Each reason, and the rows that were left out for it: a missing file costs several rows one reason."""
        by: dict[str, list[str]] = {}
        for row in self.left_out:
            by.setdefault(row.why, []).append(row.name)
        return by

    def score(self, name: str) -> Score:
        """Return the row called `name`; raises KeyError."""
        return {s.name: s for s in self.scores}[name]

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain data that is valid JSON: no NaN, no infinity, None in their place."""
        return clean(
            {
                "evaluation": FORMAT,
                "protocol": self.protocol.to_json(),
                "ok": self.ok,
                "scores": [s.to_json() for s in self.scores],
                "left_out": [asdict(s) for s in self.left_out],
                "clips": [c.to_json() for c in self.clips],
                "unpaired": {
                    "reference": list(self.only_reference),
                    "predicted": list(self.only_predicted),
                },
                "rates": self.rates,
                "work": self.work,
                "seconds": self.seconds,
                "worker_seconds": self.worker_seconds,
                "versions": self.versions,
                "trained_on": None
                if self.leaks is None
                else {leak.split: list(leak.recordings) for leak in self.leaks.leaks},
            }
        )


def clean(value: Any) -> Any:
    """Return `value` with tuples as lists and what JSON cannot say as None."""
    if isinstance(value, dict):
        return {k: clean(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
