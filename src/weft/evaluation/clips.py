"""A pair on its way through an evaluation: known by content, measured once, with what went wrong on the way."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Literal

from weft.errors import WeftError
from weft.evaluation.cache import key
from weft.evaluation.cue_truth import kept_truth, read_maps
from weft.evaluation.features import Arrays, Feature, Of
from weft.evaluation.kept import Kept
from weft.evaluation.measuring import Outcome, Task
from weft.evaluation.pairs import Pair
from weft.evaluation.reading import SLACK_S, Window
from weft.evaluation.sources import Source
from weft.media.caching import Cache
from weft.progress import Progress

Side = Literal["reference", "predicted", "video", "text", "without", "like", "negative"]
OF: dict[Side, Of] = {
    "reference": "sound",
    "predicted": "sound",
    "video": "picture",
    "text": "text",
    "without": "sound",
    "like": "sound",
    "negative": "text",
}


@dataclass(kw_only=True)
class Clip:
    """`content` holds the SHA-256 of each side that could be read, `samples` that of the sounds in it; a clip with
    `failures` whose sounds are there is still scored on what it has."""

    pair: Pair
    content: dict[Side, str] = field(default_factory=dict)
    samples: dict[Side, str] = field(default_factory=dict)
    cues: dict[str, Arrays] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    seconds: float = math.nan

    @property
    def alive(self) -> bool:
        """Whether both sounds can be compared."""
        return "reference" in self.content and "predicted" in self.content

    @property
    def words(self) -> dict[Side, str | None]:
        """What is said of the clip: its text, and the negative prompt in its cue sheet."""
        said = self.cues.get("negative")
        return {
            "text": self.pair.text,
            "negative": None if said is None else said["words"].tobytes().decode(),
        }

    def lose(self, side: Side, why: str) -> None:
        """Give a side up."""
        self.content.pop(side, None)
        self.failures.append(why if side == "text" else f"{side}: {why}")


def identified(
    pairs: Sequence[Pair], window: Window, cache: Cache, *, also: Set[Side], jobs: int, progress: Progress
) -> list[Clip]:
    """Hash what the pairs name, and read their cue sheets. `also`: the sides that are wanted beside the two sounds."""
    clips = [Clip(pair=p) for p in pairs]
    wanted: dict[Source, str | WeftError] = {}
    for p in pairs:
        more: dict[Side, Source | None] = {"video": p.video, "without": p.without, "like": p.like}
        places = (p.reference, p.predicted, *(place for side, place in more.items() if side in also))
        wanted |= {s: "" for s in places if s}
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        for done, (source, found) in enumerate(zip(wanted, pool.map(_hashed, wanted), strict=True)):
            wanted[source] = found
            progress("read", (done + 1) / len(wanted))
    for clip in clips:
        p = clip.pair
        named: dict[Side, Source | None] = {
            "reference": p.reference,
            "predicted": p.predicted,
            "video": p.video,
            "without": p.without,
            "like": p.like,
        }
        for side, place in named.items():
            known = wanted.get(place) if place else None
            if isinstance(known, WeftError):
                clip.lose(side, str(known))
            elif known:
                clip.content[side] = known
        if p.cues is not None:
            try:
                clip.cues = kept_truth(p.cues, window, cache)
            except WeftError as error:
                clip.failures.append(f"cues: {error}")
        for side, words in clip.words.items():
            if words is not None:
                clip.content[side] = hashlib.sha256(words.encode()).hexdigest()
        if p.maps is not None and p.predicted_maps is not None:
            try:
                clip.cues["maps"] = {"true": read_maps(p.maps), "made": read_maps(p.predicted_maps)}
            except WeftError as error:
                clip.failures.append(f"maps: {error}")
    return clips


def _hashed(source: Source) -> str | WeftError:
    try:
        return source.sha256()
    except WeftError as error:
        return error


def tasks(
    clips: Sequence[Clip], wanted: Mapping[Side, Sequence[Feature]], window: Window, cache: Cache
) -> tuple[list[Task], int]:
    """Return what the cache lacks of the features `wanted` of each side, a task for each content, and how many
    features it has."""
    asked: dict[tuple[str, Of], dict[str, Feature]] = {}
    for clip in clips:
        for side, content in clip.content.items():
            asked.setdefault((content, OF[side]), {}).update({f.name: f for f in wanted[side]})
    whole = contents(clips, window)
    out, had = [], 0
    for place, features in asked.items():
        lacking = [f for f in features.values() if not cache.holds(key(place[0], f, window))]
        had += len(features) - len(lacking)
        if lacking:
            out.append(replace(whole[place], features=tuple(lacking)))
    return out, had


def contents(clips: Iterable[Clip], window: Window) -> dict[tuple[str, Of], Task]:
    """Return a task without features for each content, by its SHA-256 and what it is of: where its bytes lie."""
    out: dict[tuple[str, Of], Task] = {}
    for clip in clips:
        sources: dict[Side, Source | None] = {
            "reference": clip.pair.reference,
            "predicted": clip.pair.predicted,
            "video": clip.pair.video,
            "without": clip.pair.without,
            "like": clip.pair.like,
        }
        words = clip.words
        for side, content in clip.content.items():
            out[content, OF[side]] = Task(
                content=content,
                of=OF[side],
                features=(),
                window=window,
                source=sources.get(side),
                text=words.get(side),
            )
    return out


def silences(
    lengths: Iterable[float], features: Sequence[Feature], window: Window, cache: Cache
) -> list[Task]:
    """Return a task for silence of each length in whole seconds, with what the cache lacks of the features."""
    out = []
    for seconds in sorted({silence_s(length) for length in lengths}):
        content = silence_content(seconds)
        lacking = tuple(f for f in features if not cache.holds(key(content, f, window)))
        out.append(Task(content=content, of="sound", features=lacking, window=window, silence_s=seconds))
    return out


def silence_s(length: float) -> float:
    """How long a silence stands beside a clip of `length` s: whole seconds, so that few have to be measured."""
    return float(max(1, math.ceil(round(length, 3))))


def silence_content(seconds: float) -> str:
    """What stands for a content hash of so much silence."""
    return f"silence {seconds:g} s"


def settle(clips: Iterable[Clip], outcomes: Iterable[Outcome]) -> None:
    """Write what went wrong in measuring onto the clips it concerns."""
    by = {(o.content, o.of): o for o in outcomes}
    for clip in clips:
        for side, content in list(clip.content.items()):
            outcome = by.get((content, OF[side]))
            if outcome is None:
                continue
            if outcome.unread is not None:
                clip.lose(side, outcome.unread)
            clip.failures += [f"{side}: {name}: {why}" for name, why in outcome.failed.items()]


def look_at_facts(clips: Iterable[Clip], facts: Feature, window: Window, kept: Kept) -> None:
    """Compare what the two files of each clip are: keep what their samples are called, note what a reader should know,
    refuse lengths that differ."""
    for clip in clips:
        if not clip.alive:
            continue
        sides: dict[Side, Arrays] = {}
        for side in ("reference", "predicted"):
            found = kept.load(clip.content[side], facts)
            if found is None:
                clip.lose(side, "what it is could not be measured")
            else:
                sides[side] = found
                clip.samples[side] = found["samples"].tobytes().hex()
        if len(sides) < 2:
            continue
        for side, fact in sides.items():
            if window.channels == 2 and int(fact["channels"]) == 1:
                clip.notes.append(f"{side} is mono: played on both channels")
            if float(fact["peak"]) == 0:
                clip.notes.append(f"{side} is silent")
            short = float(fact["measured_s"]) - (float(fact["seconds"]) - window.start_s)
            if short > SLACK_S:
                clip.notes.append(f"{side} is filled with {short:.2f} s of silence")
        rates = {side: int(fact["rate"]) for side, fact in sides.items()}
        if rates["reference"] != rates["predicted"]:
            clip.notes.append(
                f"reference at {rates['reference']} Hz, predicted at {rates['predicted']} Hz: what lies above "
                f"{min(rates.values()) // 2} Hz is on one side only"
            )
        true, made = (float(sides[s]["measured_s"]) for s in ("reference", "predicted"))
        clip.seconds = true
        if abs(true - made) > SLACK_S + 1e-6:
            clip.lose(
                "predicted",
                f"{made:.2f} s long, but its reference {true:.2f} s: more than {SLACK_S:g} s apart; cut both to one "
                "length, or use a protocol with a window",
            )
