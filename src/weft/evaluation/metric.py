"""What a metric and a row of the result are: plain data; the entries stand in the files of `table.py`.

`made` and `true` name the features (`features.py`) that are read off the predicted sound and off the reference; a name
that ends in "@" is an embedder's output (`embedders.py`), and the metric then gives one row for each embedder that has
it. On the reference side there are also "flow peaks" (of a picture), "video@", "text@", "without audio@" (of the take
without its negative prompt), "negative text@" (of that prompt), "like audio@" (of the recording it was to sound like),
and what a cue sheet says (`cue_truth.py`); where a clip has a cue sheet, its onsets stand in for those of the reference
sound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from weft.evaluation.comparisons import Measured
from weft.evaluation.embedding import EmbedderSpec, loaded
from weft.metrics.result import Result

Better = Literal["higher", "lower", "nearer"]
Baseline = Literal["silence", "shuffled", "reference"]
ALL: tuple[Baseline, ...] = ("silence", "shuffled", "reference")
OTHERS: tuple[Baseline, ...] = (
    "silence",
    "shuffled",
)  # where the reference against itself is 0, or 1, by definition


@dataclass(frozen=True, kw_only=True)
class Metric:
    """`clip` compares two sounds. Without `pool` it gives a number and the row is their mean; with it, a digest, and
    `pool` makes the set's number of all of them.

    `better`: "nearer" means nearer to what the reference itself scores. `baselines`: what is put in the predicted
    sound's place, silence, another clip's reference, or the clip's own. `chance` (of each clip, averaged) gives further
    baselines by name. `told` gives the family's own result of all digests, whose baselines and parts stand in the row;
    its interval is left to the scoring, which draws it of `pool`.
    `least`, `most`: its range. `rate`: that at which it reads the sound, when it is not the protocol's.
    `floor`: also score random halves of the reference against each other. `rows_per_d`: the value is flagged when it
    rests on fewer rows than this many times the dimensions. `in_step`: only for embedders whose windows of sound and
    picture are the same. `materials`: only for those whose classes are the 17 materials. `judged`: `clip` takes the
    embedder as a third argument, as its network looks at sound and picture together. `stereo`: reads where a sound is.
    `size` (of a digest): the rows of reference and estimate and their dimensions, where these are not those of one
    embedding. `halves`: how many random halves an interval is drawn from, where not as many as usual.
    """

    name: str
    title: str
    unit: str
    better: Better
    made: tuple[str, ...]
    true: tuple[str, ...]
    clip: Callable[..., Any]
    pool: Callable[[Sequence[Any]], float] | None = None
    told: Callable[[Sequence[Any]], Result] | None = None
    chance: Callable[[Measured, Measured], dict[str, float]] | None = None
    baselines: tuple[Baseline, ...] = ALL
    least: float = -math.inf
    most: float = math.inf
    rate: int | None = None
    floor: bool = False
    rows_per_d: float = 0.0
    in_step: bool = False
    materials: bool = False
    judged: bool = False
    stereo: bool = False
    size: Callable[[Any], tuple[int, int, int]] | None = None
    halves: int | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """A metric, with the embedder that completes it if it needs one; `name` is unique in a result."""

    metric: Metric
    embedder: EmbedderSpec | None = None

    @property
    def name(self) -> str:
        return f"{self.metric.name}/{self.embedder.name}" if self.embedder else self.metric.name

    def features(self, side: Literal["made", "true"]) -> dict[str, str]:
        """What the metric calls a feature -> its full name."""
        asked = self.metric.made if side == "made" else self.metric.true
        own = self.embedder.name if self.embedder else ""
        return {name: name + own if name.endswith("@") else name for name in asked}

    def compare(self, made: Measured, true: Measured) -> Any:
        """What the metric says of one clip. Raises ValueError as its comparison does."""
        if self.metric.judged:
            assert self.embedder is not None
            return self.metric.clip(made, true, loaded(self.embedder))
        return self.metric.clip(made, true)


def compared(
    name: str,
    title: str,
    unit: str,
    better: Better,
    feature: str,
    clip: Callable[[Measured, Measured], float],
    baselines: tuple[Baseline, ...] = OTHERS,
) -> Metric:
    """A metric that reads one feature off both sounds, and is the mean over clips."""
    return Metric(
        name=name,
        title=title,
        unit=unit,
        better=better,
        made=(feature,),
        true=(feature,),
        clip=clip,
        baselines=baselines,
    )
