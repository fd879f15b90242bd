"""Which examples make which step: sound with pictures, repeated, and sound without, shuffled together each epoch.

MMAudio (Cheng et al. 2024, supplement H) repeats its 180k examples with pictures 5 times (3 in its larger sizes) beside
951k without, for about as many of each. Which examples a step takes is a function of the seed and the step alone.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from weft.errors import UserError
from weft.training.embedded import PARTS, Embedded
from weft.training.joint import Batch


class Mixture:
    """Batches out of examples with pictures (each `repeat` times an epoch) and without; either may be None."""

    def __init__(
        self,
        pictured: Embedded | None,
        heard: Embedded | None,
        *,
        batch: int,
        repeat: int = 5,
        seed: int = 0,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        """Raises UserError for too few examples for one batch, repeats below 1, or a batch that the processes cannot
        share alike."""
        if batch < 1 or batch % processes:
            raise UserError(
                f"a batch of {batch} cannot be shared alike by {processes} processes; give a multiple"
            )
        if repeat < 1:
            raise UserError(f"examples with pictures repeated {repeat} times; give 1 or more")
        self.parts = [part for part in (pictured, heard) if part is not None]
        self.counts = [0 if pictured is None else repeat * len(pictured), 0 if heard is None else len(heard)]
        self.pictured, self.heard, self.batch, self.seed = pictured, heard, batch, seed
        self.rank, self.share = rank, batch // processes
        self.steps = sum(self.counts) // batch  # of an epoch; its tail is left out
        if self.steps < 1:
            raise UserError(
                f"{sum(self.counts)} examples make no batch of {batch}: embed more, or take a smaller one"
            )
        self._order: tuple[int, NDArray[np.int64]] | None = None

    def picks(self, step: int) -> NDArray[np.int64]:
        """Numbers `[batch]` of the examples of a step: first those with pictures, repeated, then those without."""
        epoch, place = divmod(step, self.steps)
        order = (
            self._order
        )  # kept in hand: threads at the turn of an epoch may each put their own in its place
        if order is None or order[0] != epoch:
            order = epoch, np.random.default_rng([self.seed, epoch]).permutation(sum(self.counts))
            self._order = order
        return order[1][place * self.batch : (place + 1) * self.batch]

    def at(self, step: int) -> dict[str, Tensor | int]:
        """This process's share of a step, as `Batch` says."""
        first = self.rank * self.share
        rows, pictured = [], []
        for number in self.picks(step)[first : first + self.share]:
            seen = number < self.counts[0]
            source = self.pictured if seen else self.heard
            assert source is not None
            rows.append(source[int(number % len(source)) if seen else int(number - self.counts[0])])
            pictured.append(bool(seen))
        shapes = self.parts[0].made_of["shapes"]
        for row in rows:  # nobody looks at what stands where there are no pictures
            row.setdefault("clip", torch.zeros(shapes["clip"]))
            row.setdefault("sync", torch.zeros(shapes["sync"]))
        stacked = {name: torch.stack([row[name] for row in rows]) for name in PARTS}
        return Batch(pictured=torch.tensor(pictured), first=first, total=self.batch, **stacked).to_dict()


class Ahead:
    """The batches of a function of the step, made by threads while earlier ones are learnt from."""

    def __init__(self, make: Mixture, depth: int = 8, threads: int = 4) -> None:
        self._make, self._depth = make, depth
        self._pool = ThreadPoolExecutor(threads)
        self._waiting: dict[int, Future[dict[str, Tensor | int]]] = {}

    def at(self, step: int) -> dict[str, Tensor | int]:
        """The batch of a step; those of the next few are begun."""
        for n in range(step, step + self._depth):
            if n not in self._waiting:
                self._waiting[n] = self._pool.submit(self._make.at, n)
        for n in [n for n in self._waiting if n < step]:
            del self._waiting[n]
        return self._waiting.pop(step).result()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)
