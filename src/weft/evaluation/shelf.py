"""The measured clips of a set, in the order in which they are scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from weft.evaluation.clips import Clip, Side, silence_content, silence_s
from weft.evaluation.comparisons import Measured
from weft.evaluation.features import Feature
from weft.evaluation.kept import Kept


@dataclass(kw_only=True)
class Shelf:
    """The measured features of clips that can be compared, in an order that only their samples decide: neither names
    nor what else is in a file, such as when it was written."""

    clips: list[Clip]
    features: Mapping[Side, Sequence[Feature]]
    kept: Kept

    def __post_init__(self) -> None:
        self.clips = sorted(
            (c for c in self.clips if c.alive),
            key=lambda c: (c.samples["reference"], c.samples["predicted"], c.content.get("text", "")),
        )
        self._of = lru_cache(maxsize=8)(self._read)

    def others(self) -> list[int | None]:
        """For each clip the next one with another reference, None where there is none."""
        n = len(self.clips)
        own = [c.samples["reference"] for c in self.clips]
        return [next((k % n for k in range(i + 1, i + n) if own[k % n] != own[i]), None) for i in range(n)]

    def load(self, i: int, which: Literal["made", "true", "silence"]) -> Measured:
        """The features of one side of clip i by full name, those that could be made."""
        clip = self.clips[i]
        if which == "silence":
            return self._of(silence_content(silence_s(clip.seconds)), "predicted")
        if which == "made":
            return self._of(clip.content["predicted"], "predicted")
        found = dict(self._of(clip.content["reference"], "reference"))
        for side in ("video", "text"):
            if side in clip.content:
                found |= self._of(clip.content[side], side)
        for side in ("without", "like", "negative"):
            if side in clip.content:
                found |= {f"{side} {name}": v for name, v in self._of(clip.content[side], side).items()}
        return found | clip.cues

    def _read(self, content: str, side: Side) -> Measured:
        found = {f.name: self.kept.load(content, f) for f in self.features[side]}
        return {name: arrays for name, arrays in found.items() if arrays is not None}
