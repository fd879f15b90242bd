"""Several takes of one request: together where the system plays them so, else one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from weft.cues.sheet import CueSheet
from weft.systems.performer import Ensemble, Request
from weft.systems.scene import Scene
from weft.systems.take import Take

if TYPE_CHECKING:
    from weft.systems.table import SystemSpec

TOGETHER = 8
"""Takes in one batch; more are made in turns, for memory grows with each."""


def record_takes(
    spec: SystemSpec, requests: Sequence[Request], scene: Scene, *, sheet: CueSheet, lufs: float | None
) -> Iterator[Take]:
    """Yield the finished take of each request, in order; see `Take.record`."""
    performer = spec.load()
    turn = TOGETHER if isinstance(performer, Ensemble) else 1
    for first in range(0, len(requests), turn):
        now = requests[first : first + turn]
        numbers = [request.take for request in now] if len(now) > 1 else []
        if isinstance(performer, Ensemble):
            sounds = performer.perform_together(now)
        else:
            sounds = [performer.perform(request) for request in now]
        for request, sound in zip(now, sounds, strict=True):
            yield Take.record(
                spec, performer, request, sound, scene, sheet=sheet, lufs=lufs, together=numbers
            )
