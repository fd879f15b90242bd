"""Measured features as metrics read them: from the cache, and measured again where the cache has lost them.

A feature may go between measuring and scoring: the folder was removed, a file is damaged, another process pruned it.
Then it is made again, so that no number ever rests on fewer clips for that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from weft.errors import WeftError
from weft.evaluation.cache import key
from weft.evaluation.features import Arrays, Feature, Of
from weft.evaluation.measuring import Outcome, Task, measure
from weft.evaluation.reading import Window
from weft.media.caching import Cache


@dataclass(frozen=True, kw_only=True)
class Kept:
    """`tasks` say where each content lies, by its SHA-256 and what it is of; `failed` the features that could not be
    made of it, which are not tried again."""

    cache: Cache
    window: Window
    tasks: dict[tuple[str, Of], Task] = field(default_factory=dict)
    failed: set[tuple[str, Of, str]] = field(default_factory=set)

    def know(self, tasks: Iterable[Task], outcomes: Iterable[Outcome]) -> None:
        """Add contents, and what went wrong in measuring them."""
        self.tasks.update({(t.content, t.of): t for t in tasks})
        self.failed.update((o.content, o.of, name) for o in outcomes for name in o.failed)

    def load(self, content: str, feature: Feature) -> Arrays | None:
        """Return a feature of the content whose SHA-256 is `content`; None when it could not be made.

        Raises WeftError when the cache has lost it and it cannot be made again: its file has gone or changed.
        """
        name = key(content, feature, self.window)
        found = self.cache.load(name)
        place = (content, feature.of)
        if found is not None or (*place, feature.name) in self.failed or place not in self.tasks:
            return found
        (again,) = measure([replace(self.tasks[place], features=(feature,))], self.cache.root)
        found = self.cache.load(name)
        if found is None:
            why = again.unread or again.failed.get(feature.name) or "it was removed again"
            raise WeftError(
                f"{feature.name} of {self.tasks[place].source} went from the cache: {why}; run again"
            )
        return found
