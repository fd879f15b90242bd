"""Who trained on what: the published splits of the Greatest Hits data set, and what of a test set lies in them.

Conventions: a recording is named by when it was made, 2015-03-28-19-45-24, with a further number where one long take
was cut into several, 2015-09-23-16-13-51-97. All names of such a take share the first six numbers. The lists stand in
`lists/greatest_hits.csv`, a row for each of the 977 recordings, and are facts taken from the repositories named in
`SPLITS`, except `by_day`, which is ours.

In every published split each test recording was made on a day that training saw as well, the same things in the same
room, and about half (47 to 63%) are pieces of a take whose other pieces trained. `by_day` keeps days apart, and joins
days where a session runs past midnight or goes on within six hours.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

PARTS = ("train", "val", "test")
SPLITS = {
    "official": "the data set's own (Owens et al. 2016): 733 / 244; as SonyResearch/SVG_baseline lists it",
    "by_day": "ours: 735 / 242, no recording session on both sides, 18 to 40% of every material's blows in test",
    "syncfusion": "SyncFusion (Comunità et al. 2024): 683 / 98 / 196, random; mcomunita/syncfusion",
    "condfoleygen": "CondFoleyGen (Du et al. 2023): 830 / 50 / 97, random; XYPB/CondFoleyGen",
    "video_foley": "Video-Foley (Lee et al. 2024): 731 / 242, the official one less four; jnwnlee/video-foley",
}
_NAME = re.compile(r"(?<!\d)\d{4}(?:-\d{2}){5}(?:-\d+)?(?!\d)")


@dataclass(frozen=True, kw_only=True)
class Leak:
    """What a test set shares with the training part of the published split `split`: `recordings` the names in both,
    `same_take` further ones cut from a take that training has a piece of, `same_day` further ones of a day that
    training has. Each name stands in one list only."""

    split: str
    recordings: tuple[str, ...]
    same_take: tuple[str, ...]
    same_day: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Leaks:
    """`given` maps each recording that was recognised to the names that spoke of it, `n` counts them; `unknown` names
    were not recognised; `leaks` holds one entry for each published split."""

    given: Mapping[str, tuple[str, ...]]
    unknown: tuple[str, ...]
    leaks: tuple[Leak, ...]

    @property
    def n(self) -> int:
        """How many recordings were recognised."""
        return len(self.given)


def recording(name: str) -> str | None:
    """Return the recording a file or segment name speaks of, such as 2015-02-16-16-49-06 for
    clips/2015-02-16-16-49-06_denoised_003.wav; None when it holds no such name."""
    found = _NAME.findall(name)
    return found[-1] if found else None


def names(split: str, part: str) -> tuple[str, ...]:
    """Return the recordings of a part of a split, sorted. Raises ValueError for a name that is not known."""
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}: there are {', '.join(SPLITS)}")
    if part not in PARTS:
        raise ValueError(f"no part {part!r}: there are {', '.join(PARTS)}")
    return tuple(sorted(row["name"] for row in _rows() if row[split] == part))


def leaks(test: Iterable[str]) -> Leaks:
    """Say what of a test set each published split trained on.

    `test` holds names of recordings, files or segments; several segments of one recording count once. Raises
    ValueError when none is a Greatest Hits recording.
    """
    known = {row["name"] for row in _rows()}
    given: dict[str, list[str]] = {}
    unknown = []
    for name in test:
        found = recording(name)
        if found in known:
            given.setdefault(found, []).append(name)
        else:
            unknown.append(name)
    if not given:
        raise ValueError(f"none of {len(unknown)} names is a recording of Greatest Hits, 2015-02-16-16-49-06")
    return Leaks(
        given={found: tuple(given[found]) for found in sorted(given)},
        unknown=tuple(unknown),
        leaks=tuple(_leak(split, sorted(given)) for split in SPLITS),
    )


def take(name: str) -> str:
    """Return the uncut take of a recording: its name without the number of the piece."""
    return "-".join(name.split("-")[:6])


def day(name: str) -> str:
    """Return the day of a recording, 2015-02-16."""
    return name[:10]


def _leak(split: str, given: list[str]) -> Leak:
    train = set(names(split, "train"))
    takes, days = {take(n) for n in train}, {day(n) for n in train}
    shared = [n for n in given if n in train]
    same_take = [n for n in given if n not in train and take(n) in takes]
    same_day = [n for n in given if n not in train and take(n) not in takes and day(n) in days]
    return Leak(split=split, recordings=tuple(shared), same_take=tuple(same_take), same_day=tuple(same_day))


@lru_cache(maxsize=1)
def _rows() -> list[dict[str, str]]:
    text = files("weft.metrics").joinpath("lists/greatest_hits.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
