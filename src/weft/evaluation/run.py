"""`evaluate`: pair, measure what the cache lacks, score."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from weft.errors import MissingExtra, UserError
from weft.evaluation import clips as tracked
from weft.evaluation import leaving_out
from weft.evaluation.clips import Clip, Side
from weft.evaluation.embedders import embedder
from weft.evaluation.embedding import OUTPUTS, EmbedderSpec, asked_of, feature
from weft.evaluation.features import FEATURES, Feature
from weft.evaluation.kept import Kept
from weft.evaluation.leaking import leaks_of
from weft.evaluation.measuring import Outcome, measure
from weft.evaluation.pairing import pair
from weft.evaluation.protocols import DEFAULT, Protocol, planned, protocol
from weft.evaluation.result import ClipResult, Evaluation, Score
from weft.evaluation.scoring import Board, score
from weft.evaluation.shelf import Shelf
from weft.evaluation.table import Metric, Row, metric, rows
from weft.media.caching import Cache, folder
from weft.media.pruning import in_use, limit_gb, prune
from weft.progress import Progress, silent

EXTRA = ("librosa", "mir_eval", "sklearn")


def evaluate(
    reference: str | Path,
    predicted: str | Path | None = None,
    *,
    by: str | Protocol = DEFAULT,
    metrics: Sequence[str | Metric] | None = None,
    embedders: Sequence[str | EmbedderSpec] | None = None,
    jobs: int = 1,
    cache: Path | None = None,
    cache_limit_gb: float | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Score every predicted sound against its reference.

    reference, predicted: as `pairing.pair` takes them. by: a protocol, or its name. metrics, embedders: in place of
    the protocol's. jobs: worker processes. cache: where features are kept; cache_limit_gb: how much of it stays when
    this is done, as `pruning.limit_gb` takes it. A clip that cannot be read or measured is reported in the result and
    the others are scored.

    Raises UserError (nothing pairs; unknown protocol, metric or embedder; a metric asked for by name that cannot be
    had), MissingExtra without the [eval] extra, WeightsError for an embedder asked for by name without its file.
    """
    if jobs < 1:
        raise UserError(f"{jobs} jobs: give 1 or more")
    if any(importlib.util.find_spec(name) is None for name in EXTRA):
        raise MissingExtra("weft eval", "eval")
    limit = limit_gb(cache_limit_gb)
    store = Cache(root=cache or folder())
    with in_use(store.root):
        found = _evaluated(
            Path(reference),
            None if predicted is None else Path(predicted),
            protocol(by) if isinstance(by, str) else by,
            metrics=metrics,
            embedders=embedders,
            jobs=jobs,
            store=store,
            progress=progress,
        )
    prune(store.root, limit)
    return found


def _evaluated(
    reference: Path,
    predicted: Path | None,
    plan: Protocol,
    *,
    metrics: Sequence[str | Metric] | None,
    embedders: Sequence[str | EmbedderSpec] | None,
    jobs: int,
    store: Cache,
    progress: Progress,
) -> Evaluation:
    clock = _Clock()
    chosen = [metric(m) if isinstance(m, str) else m for m in (plan.metrics if metrics is None else metrics)]
    specs = [
        embedder(e) if isinstance(e, str) else e for e in (plan.embedders if embedders is None else embedders)
    ]
    uses = plan.uses if embedders is None else {}
    plan = replace(
        plan, metrics=tuple(m.name for m in chosen), embedders=tuple(e.name for e in specs), uses=uses
    )
    hashes, missing = leaving_out.hashes(specs, strict=embedders is not None)
    every, left_out = leaving_out.without_file(planned(rows(chosen, specs), plan), missing)
    left_out += leaving_out.without_embedder(chosen, [*every, *left_out])
    every, more = leaving_out.fit_for(every, plan)
    left_out += more
    with clock("pair"):
        pairing = pair(reference, predicted)
    wanted = _wanted(every, hashes)
    with clock("read"):
        clips = tracked.identified(
            pairing.pairs,
            plan.window,
            store,
            also={side for side, features in wanted.items() if features},
            jobs=jobs,
            progress=progress,
        )
    with clock("measure"):
        todo, had = tracked.tasks(clips, wanted, plan.window, store)
        outcomes = measure(todo, store.root, jobs=jobs, progress=progress)
        tracked.settle(clips, outcomes)
        kept = Kept(cache=store, window=plan.window)
        kept.know(tracked.contents(clips, plan.window).values(), outcomes)
        tracked.look_at_facts(clips, FEATURES["facts"], plan.window, kept)
        shelf = Shelf(clips=clips, features=wanted, kept=kept)
        lengths = [c.seconds for c in shelf.clips]
        quiet = tracked.silences(lengths, wanted["predicted"], plan.window, store)
        unheard = measure([t for t in quiet if t.features], store.root, jobs=jobs)
        kept.know(quiet, unheard)
    with clock("score"):
        board = score(every, len(shelf.clips), shelf.load, shelf.others(), progress=progress)
    rates = _rates(shelf)
    scores = [_told(s, plan, hashes, every, rates, shelf) for s in board.scores]
    left_out += leaving_out.unscored(every, scores, clips)
    there = {s.name.partition("/")[0] for s in scores}
    hopeless = next((m for m in left_out if m.why != leaving_out.UNMEASURED and m.metric not in there), None)
    if metrics is not None and hopeless is not None:
        raise UserError(f"{hopeless.name} cannot be computed: {hopeless.why}")
    return Evaluation(
        protocol=plan,
        scores=tuple(scores),
        left_out=tuple(left_out),
        clips=_clip_results(clips, shelf, board),
        only_reference=pairing.only_reference,
        only_predicted=pairing.only_predicted,
        rates=rates,
        work={"measured": sum(len(t.features) for t in (*todo, *quiet)), "cached": had},
        seconds=clock.seconds,
        worker_seconds=_spent([*outcomes, *unheard]),
        versions=_versions(),
        leaks=leaks_of(pairing.pairs),
    )


class _Clock:
    """Wall seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = time.perf_counter() - start


def _wanted(every: Sequence[Row], hashes: dict[str, str]) -> dict[Side, list[Feature]]:
    """The features each side is measured for; references also stand in for predictions as baselines."""
    made: dict[str, Feature] = {"facts": FEATURES["facts"]}
    true: dict[str, Feature] = dict(made)
    others: dict[Side, dict[str, Feature]] = {"without": {}, "like": {}, "negative": {}}
    for row in every:
        for side, into in (("made", made), ("true", true)):
            for name, full in row.features(side).items():  # type: ignore[arg-type]
                whose, output = asked_of(name)
                if output in OUTPUTS and row.embedder is not None:
                    what = feature(row.embedder, output, hashes[row.embedder.name])
                    (others[whose] if whose else into)[what.name] = what  # type: ignore[index]
                elif name in FEATURES:
                    into[full] = FEATURES[name]
    of_sound = {n: f for n, f in (made | true).items() if f.of == "sound"}
    return {
        "predicted": list(made.values()),
        "reference": list(of_sound.values()),
        "video": [f for f in true.values() if f.of == "picture"],
        "text": [f for f in true.values() if f.of == "text"],
        **{whose: list(features.values()) for whose, features in others.items()},
    }


def _rates(shelf: Shelf) -> dict[str, dict[str, int]]:
    """How many clips of either side have which native rate and channels."""
    out = {}
    for side in ("reference", "predicted"):
        count: Counter[str] = Counter()
        for clip in shelf.clips:
            facts = shelf.kept.load(clip.content[side], FEATURES["facts"])  # type: ignore[index]
            if facts is not None:
                count[f"{int(facts['rate'])} Hz, {int(facts['channels'])} ch"] += 1
        out[side] = dict(sorted(count.items()))
    return out


def _told(
    made: Score,
    plan: Protocol,
    hashes: dict[str, str],
    every: Sequence[Row],
    rates: dict[str, dict[str, int]],
    shelf: Shelf,
) -> Score:
    """Complete a score with the embedder's SHA-256 and the sampling-rate path."""
    row = next(r for r in every if r.name == made.name)
    native = sorted({int(k.split()[0]) for side in rates.values() for k in side})
    to = row.metric.rate or plan.window.rate
    channels = "mono" if row.metric.rate or plan.window.channels == 1 else "stereo"
    if row.embedder is not None:
        heard = [full for name, full in row.features("made").items() if OUTPUTS.get(name) == "sound"]
        if not heard:
            return replace(made, sha256=hashes[row.embedder.name])  # pictures and text have no rate
        to, channels = int(shelf.load(0, "made").get(heard[0], {}).get("rate", to)), "mono"
    path = f"{'/'.join(map(str, native))} → {to} Hz {channels}"
    return replace(made, rate=path, sha256=hashes[row.embedder.name] if row.embedder else None)


def _clip_results(clips: Sequence[Clip], shelf: Shelf, board: Board) -> tuple[ClipResult, ...]:
    place = {id(c): i for i, c in enumerate(shelf.clips)}
    out = []
    for clip in clips:
        i = place.get(id(clip))
        more = [] if i is None else board.failures[i]
        out.append(
            ClipResult(
                pair=clip.pair,
                reference_sha256=clip.content.get("reference"),
                predicted_sha256=clip.content.get("predicted"),
                seconds=clip.seconds,
                values={} if i is None else board.values[i],
                notes=tuple(clip.notes),
                failures=(*clip.failures, *more),
            )
        )
    return tuple(sorted(out, key=lambda c: c.name))


def _spent(outcomes: Sequence[Outcome]) -> dict[str, float]:
    spent: Counter[str] = Counter()
    for outcome in outcomes:
        spent.update(outcome.seconds)
    return dict(spent)


def _versions() -> dict[str, str]:
    from weft import __version__

    names = ("numpy", "scipy", "librosa", "mir_eval", "soxr", "soundfile", "torch")
    return {"weft": __version__} | {name: importlib.metadata.version(name) for name in names}
