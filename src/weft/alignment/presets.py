"""Guidance as published and as ours: which loss, how far a step goes, and which steps of the sampler are guided."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from weft.alignment.objective import Loss
from weft.diffusion.steering import Window
from weft.diffusion.step_rules import FreshAdam, LineSearch, StepRule


@dataclass(frozen=True, kw_only=True)
class GuidePreset:
    """Settings of `weft.diffusion.steering.Steering` and of its objective. `reference_level` repeats the references'
    use of the noise level before the step on the mixture after it. `cosine`: see `Together`. `thrifty`: hear a mel
    spectrogram in place of the sound, and a stretch of it, where the generator has them (`weft.systems.hearing`)."""

    loss: Loss
    rule: StepRule = field(default_factory=lambda: LineSearch(rate=RATE))
    window: Window = field(default_factory=Window)
    on: Literal["mixture", "data"] = "data"
    reference_level: bool = False
    cosine: float = 0.0
    thrifty: bool = True

    @property
    def rate(self) -> float:
        """The length of a step."""
        return float(getattr(self.rule, "rate", 0.0))

    def at(
        self,
        *,
        rate: float | None = None,
        start: float | None = None,
        stop: float | None = None,
        every: int | None = None,
    ) -> GuidePreset:
        """The same with what is not None in place of its own. Raises ValueError for an empty window."""
        window = Window(
            start=self.window.start if start is None else start,
            stop=self.window.stop if stop is None else stop,
            every=self.window.every if every is None else every,
            beyond=self.window.beyond,
        )
        rule = self.rule if rate is None else replace(self.rule, rate=rate)  # type: ignore[type-var]
        return replace(self, rule=rule, window=window)


RATE = 0.1
"""Root mean square of one step of ours, in the data's units: codecs' latents have about unit variance."""
_PUBLISHED = Window(start=0.2, stop=1.0, beyond=True)

PRESETS = {
    "volume": GuidePreset(loss="volume"),
    "pairwise": GuidePreset(loss="pairwise"),
    # Xing et al. 2024, the code's settings for video to sound: a fresh Adam each step, lr .1, from i > int(.2 n).
    "seeing-hearing": GuidePreset(
        loss="pairwise",
        rule=FreshAdam(),
        window=_PUBLISHED,
        on="mixture",
        reference_level=True,
        thrifty=False,
    ),
    # Grassucci et al. 2025, section 3.2: "all hyperparameters are adopted from" the former.
    "mdg": GuidePreset(
        loss="volume",
        rule=FreshAdam(),
        window=_PUBLISHED,
        on="mixture",
        reference_level=True,
        thrifty=False,
    ),
}
