"""Score weft-mini on the world's test split: does it sound when, where and as what the cue sheet says?

    python recipes/evaluate_generator.py --out results/generator.json

Rows: the true sounds (what the detectors can find at all), the codec's rendition of them (the ceiling), weft-mini,
weft-physical, and the true sounds of other clips (chance). Then each dial off or shuffled, a material forced
against the cue sheet, and words never seen in training. Written after every row; 95% bootstrap intervals over clips.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from weft import weights
from weft.cues.sheet import CueSheet, Onset, Track, Where
from weft.cues.vocabulary import MATERIALS
from weft.diffusion.sampler import frame_noise
from weft.generators.conditions import Conditions
from weft.metrics import envelope, onset, space, spectrum
from weft.metrics.interval import bootstrap
from weft.metrics.material import MaterialClassifier, features
from weft.systems.desk import ride
from weft.systems.performer import Request
from weft.systems.weft_mini import GUIDANCE, STEPS, WeftMini
from weft.systems.weft_physical import WeftPhysical
from weft.training.listener import listener
from weft.training.patterns import trajectory
from weft.world.captions import template
from weft.world.clip import render_clip, revoice
from weft.world.lexicon import HELD_OUT, HELD_OUT_PROMPTS
from weft.world.scene import DOMAINS, sample_scene, split_seed

DURATION = 4.0
BATCH = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A clip of the test split and all that is true of it."""

    index: int
    sheet: CueSheet
    audio: np.ndarray
    times: np.ndarray
    blows: np.ndarray  # times of the blows that can be placed in the true sound, and their pan
    pan: np.ndarray
    material: str
    action: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Score:
    """One sound against its case."""

    onset_f1: float
    envelope_r: float
    mel_db: float
    pan: tuple[np.ndarray, np.ndarray]
    vector: np.ndarray


def case(index: int) -> Case:
    scene = sample_scene(DOMAINS[index % 3], split_seed("test", index), duration=DURATION)
    clip = render_clip(scene, picture=False)
    assert clip.audio is not None
    # Where the events are heard, not where the sounding thing is seen: the true cue, off screen too.
    where = Where(tracks=trajectory(clip.events), source="world")
    struck = [e for e in clip.events if not e.sustained]
    blows = np.array([e.t for e in struck])
    plain = space.stands_out(clip.audio, blows)
    return Case(
        index=index,
        sheet=replace(clip.sheet, where=where),
        audio=clip.audio,
        times=np.array([e.t for e in clip.events]),
        blows=blows[plain],
        pan=np.array([e.pan for e in struck])[plain],
        material=clip.material,
        action=clip.action,
    )


def score(audio: np.ndarray, case: Case) -> Score:
    """Onsets are looked for at one level for all, as the detector's floor is absolute and many clips are faint."""
    loud = audio * (0.5 / max(float(np.abs(audio).max()), 1e-4))
    return Score(
        onset_f1=onset.scores(onset.detect(loud)[0], case.times).f1,
        envelope_r=envelope.agreement(audio, case.audio),
        mel_db=spectrum.mel_error(audio, case.audio),
        pan=(space.blow_pan(audio, case.blows), case.pan),
        vector=features(audio),
    )


def summary(scores: list[list[Score]], materials: list[str], listener: MaterialClassifier) -> dict[str, Any]:
    """The numbers of one row from a clip's scores by seed; accuracy is of `materials`, whatever they were meant to be.

    A clip counts by the mean of its seeds; intervals are over clips.
    """
    right = recognised(scores, materials, listener)
    picks = np.arange(len(scores), dtype=float)
    pooled = bootstrap(
        picks, lambda i: space.pan_correlation([s.pan for k in i for s in scores[int(k)]]), draws=200
    )
    row = {
        name: bootstrap(np.array([np.mean([getattr(s, name) for s in some]) for some in scores])).to_json()
        for name in ("onset_f1", "envelope_r", "mel_db")
    }
    return row | {"pan_r": pooled.to_json(), "material": bootstrap(right).to_json()}


def recognised(scores: list[list[Score]], materials: list[str], listener: MaterialClassifier) -> np.ndarray:
    """Per clip, the share of its seeds in which `materials` is heard."""
    heard = iter(listener.predict([s.vector for some in scores for s in some]))
    return np.array(
        [np.mean([next(heard) == m for _ in some]) for some, m in zip(scores, materials, strict=True)]
    )


class Stage:
    """The performers, and the results so far."""

    def __init__(self, out: Path, cache: Path, trees: int) -> None:
        self.out, self.begun = out, time.time()
        self.mini, self.physical = WeftMini.load(), WeftPhysical()
        self.listener = listener(cache, trees, DURATION)
        self.results: dict[str, Any] = {}
        if out.is_file() and (old := json.loads(out.read_text())).get("weights") == weights.sha256(
            "weft-mini"
        ):
            self.results = old
        self.results["weights"] = weights.sha256("weft-mini")

    def write(self, group: str, name: str, row: Any) -> None:
        self.results.setdefault(group, {})[name] = row
        self.out.parent.mkdir(parents=True, exist_ok=True)
        self.out.write_text(json.dumps(self.results, indent=1) + "\n")
        print(f"{(time.time() - self.begun) / 60:5.1f} min  {group}/{name}: {brief(row)}", flush=True)

    def play(
        self,
        sheets: list[CueSheet],
        items: list[int],
        seed: int,
        *,
        steps: int = STEPS,
        scale: float = GUIDANCE,
        references: list[np.ndarray] | None = None,
        desk: bool = True,
    ) -> list[np.ndarray]:
        """weft-mini on clips of one length, in batches; item k's noise is (seed, items[k])'s."""
        mini, sounds = self.mini, []
        samples = round(DURATION * mini.rate)
        frames = -(-samples // mini.codec.hop)
        for at in range(0, len(sheets), BATCH):
            told = [mini.conditions(sheet, 0, frames) for sheet in sheets[at : at + BATCH]]
            if references is not None:
                tokens = [mini.reference_tokens(wave) for wave in references[at : at + BATCH]]
                told = [replace(c, reference=t) for c, t in zip(told, tokens, strict=True)]
            noise = torch.stack([frame_noise(seed, k, 0, frames, 64) for k in items[at : at + BATCH]])
            latent = mini.sample(stacked(told), noise, steps, scale)
            waves = list(mini.codec.decode(latent, samples).numpy())
            if desk:
                waves = [ride(w, 0, s) for w, s in zip(waves, sheets[at : at + BATCH], strict=True)]
            sounds += waves
        return sounds

    def play_physical(self, sheets: list[CueSheet], seed: int) -> list[np.ndarray]:
        return [
            np.concatenate(
                list(self.physical.perform(Request(sheet=s, duration=DURATION, seed=seed, take=k))), 1
            )
            for k, s in enumerate(sheets)
        ]


def stacked(told: list[Conditions]) -> Conditions:
    """One batch of conditions, each its own null where it is not given."""
    fields: dict[str, Any] = {
        "clip_tokens": told[0].clip_tokens,
        "reference_tokens": told[0].reference_tokens,
    }
    for name in ("sync", "text", "reference", "clip"):
        found = [getattr(c, name) for c in told]
        some = next((f for f in found if f is not None), None)
        if some is not None:
            fields[name] = torch.cat([torch.zeros_like(some) if f is None else f for f in found])
            fields[f"{name}_given"] = torch.tensor([f is not None for f in found])
    return Conditions(**fields)


# What a person does to a cue sheet


def with_material(
    sheet: CueSheet, material: str | None, prompt: str | None, *, action: bool = True
) -> CueSheet:
    onsets = tuple(
        replace(o, material=material, action=o.action if action else None) for o in sheet.when.onsets or ()
    )
    return replace(
        sheet, when=replace(sheet.when, onsets=onsets), what=replace(sheet.what, prompt=prompt, segments=())
    )


def without_envelope(sheet: CueSheet) -> CueSheet:
    return replace(sheet, when=replace(sheet.when, envelope=None))


def without_onsets(sheet: CueSheet) -> CueSheet:
    return replace(sheet, when=replace(sheet.when, onsets=None))


def without_place(sheet: CueSheet) -> CueSheet:
    return replace(sheet, where=replace(sheet.where, tracks=None))


def mirrored(sheet: CueSheet) -> CueSheet:
    def flip(track: Track) -> Track:
        x1, y1, x2, y2 = track.box.T
        return replace(track, box=np.stack([1 - x2, y1, 1 - x1, y2], axis=1))

    return replace(sheet, where=replace(sheet.where, tracks=tuple(map(flip, sheet.where.tracks or ()))))


def timed_as(sheet: CueSheet, other: CueSheet, material: str, action: str) -> CueSheet:
    """The times, strengths and envelope of another clip, on this clip's material."""
    onsets: tuple[Onset, ...] = tuple(
        replace(o, material=material, action=action if o.duration == 0 else o.action)
        for o in other.when.onsets or ()
    )
    return replace(sheet, when=replace(other.when, onsets=onsets))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("results/generator.json"))
    parser.add_argument("--clips", type=int, default=402)
    parts = ("rows", "forced", "words", "dials")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts, help="added to --out's results")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ablate", type=int, default=134, help="clips of each dial's row")
    parser.add_argument("--forced", type=int, default=8, help="clips of each forced material")
    parser.add_argument(
        "--listener", type=Path, default=Path(tempfile.gettempdir()) / "weft-listener.joblib", help="cache"
    )
    parser.add_argument("--listener-clips", type=int, default=2040)
    options = parser.parse_args()
    torch.set_num_threads(1)
    stage = Stage(options.out, options.listener, options.listener_clips)
    cases = [c for c in map(case, range(options.clips)) if c.times.size]
    seeds = range(options.seeds)
    stage.results["clips"] = {
        "seconds each": DURATION,
        "steps": STEPS,
        "guidance": GUIDANCE,
        "seeds of each": list(seeds),
    }
    if "rows" in options.parts:
        table(stage, cases, seeds)
    if "forced" in options.parts:
        forced(stage, cases, options.forced, seeds)
    if "words" in options.parts:
        unseen_words(stage, cases, seeds)
    if "dials" in options.parts:
        dials(stage, cases[: options.ablate], seeds)


def by_seed(sounds: list[list[np.ndarray]], cases: list[Case]) -> list[list[Score]]:
    """Scores per clip and seed of sounds per seed and clip."""
    return [[score(one[k], c) for one in sounds] for k, c in enumerate(cases)]


def table(stage: Stage, cases: list[Case], seeds: range) -> None:
    def rate(
        sounds: list[list[np.ndarray]], against: list[Case] = cases
    ) -> tuple[dict[str, Any], list[list[Score]]]:
        scores = by_seed(sounds, against)
        return summary(scores, [c.material for c in against], stage.listener), scores

    stage.write("rows", "true sounds", rate([[c.audio for c in cases]])[0])
    others = cases[7:] + cases[:7]
    stage.write("rows", "chance (sounds of other clips)", rate([[c.audio for c in others]])[0])
    codec = stage.mini.codec

    def coded(audio: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return codec.decode(codec.encode(torch.from_numpy(audio)[None]), audio.shape[1])[0].numpy()

    stage.write("rows", "codec", rate([[coded(c.audio) for c in cases]])[0])
    true = stage.results["rows"]["true sounds"]
    sheets, items = [c.sheet for c in cases], [c.index for c in cases]
    players: dict[str, Callable[[list[CueSheet], list[int], int], list[np.ndarray]]] = {
        "weft-mini": stage.play,
        "weft-physical": lambda sheets, items, seed: stage.play_physical(sheets, seed),
    }
    for name, play in players.items():
        row, scores = rate([play(sheets, items, seed) for seed in seeds])
        stage.write("rows", name, row)
        for k in seeds:
            alone = summary([[some[k]] for some in scores], [c.material for c in cases], stage.listener)
            stage.write("seeds", f"{name}, seed {k}", alone)
        value = {k: row[k]["value"] for k in row}
        ratios = {
            "onset F1 / true sounds": round(value["onset_f1"] / true["onset_f1"]["value"], 4),
            "envelope r": value["envelope_r"],
            "pan r": value["pan_r"],
            "material / true sounds": round(value["material"] / true["material"]["value"], 4),
        }
        turned, _ = rate([play([mirrored(s) for s in sheets], items, 0)])
        stage.write("rows", f"{name}, trajectory mirrored (seed 0)", turned)
        stage.write("ratios", name, ratios | {"pan r, trajectory mirrored": turned["pan_r"]["value"]})
    bare, _ = rate([stage.play(sheets, items, 0, desk=False)])
    stage.write("rows", "weft-mini without its desk (seed 0)", bare)


def forced(stage: Stage, cases: list[Case], each: int, seeds: range) -> None:
    """Another material than the clip's, by onset and prompt; with the envelope of the old sound, and without."""

    def edited(keep_envelope: bool) -> tuple[list[CueSheet], list[str], list[int]]:
        sheets, targets, items = [], [], []
        for m, material in enumerate(MATERIALS):
            others = [c for c in cases if c.material != material][m * each :][:each]
            for c in others:
                sheet = with_material(c.sheet, material, template(material, "hit", len(c.times)))
                sheets.append(sheet if keep_envelope else without_envelope(sheet))
                targets.append(material)
                items.append(c.index)
        return sheets, targets, items

    def heard(sounds: list[list[np.ndarray]], targets: list[str]) -> dict[str, Any]:
        said = [stage.listener.predict([features(s) for s in one]) for one in sounds]
        right = np.mean([[h == t for h, t in zip(one, targets, strict=True)] for one in said], axis=0)
        each = {m: round(float(right[[t == m for t in targets]].mean()), 3) for m in dict.fromkeys(targets)}
        return {"mean": bootstrap(right).to_json(), "each": each}

    for keep, name in (
        (True, "weft-mini, envelope of the old sound kept"),
        (False, "weft-mini, envelope dropped"),
    ):
        sheets, targets, items = edited(keep)
        sounds = [stage.play(sheets, items, seed) for seed in seeds]
        stage.write("forced material", name, heard(sounds, targets))
    sounds = [stage.play_physical(sheets, seed) for seed in seeds]
    stage.write("forced material", "weft-physical, envelope dropped", heard(sounds, targets))


def unseen_words(stage: Stage, cases: list[Case], seeds: range) -> None:
    """Prompts of words no training caption has, on onsets that say no material: right material heard."""
    from weft.encoders.words import material_scores

    prompts = [(f"a stick hits the {word}", m) for m, words in HELD_OUT.items() for word in words]
    prompts += [(prompt, m) for m, some in HELD_OUT_PROMPTS.items() for prompt in some]
    hits = [c for c in cases if c.index % 3 == 0]
    sheets = [
        without_envelope(with_material(hits[k % len(hits)].sheet, None, prompt, action=False))
        for k, (prompt, _) in enumerate(prompts)
    ]
    read = [max(s, key=lambda m: s[m]) for s in (material_scores(p) for p, _ in prompts)]
    truth = [m for _, m in prompts]
    items = list(range(len(prompts)))

    def heard(sounds: list[list[np.ndarray]]) -> dict[str, Any]:
        said = [stage.listener.predict([features(s) for s in one]) for one in sounds]
        return share(np.mean([[h == t for h, t in zip(one, truth, strict=True)] for one in said], axis=0))

    def share(right: np.ndarray) -> dict[str, Any]:
        return bootstrap(right).to_json()

    found = np.array([r == t for r, t in zip(read, truth, strict=True)], float)
    stage.write("unseen words", "read by the text encoder", share(found))
    stage.write("unseen words", "weft-mini", heard([stage.play(sheets, items, seed) for seed in seeds]))
    stage.write("unseen words", "weft-physical", heard([stage.play_physical(sheets, s) for s in seeds]))


def dials(stage: Stage, cases: list[Case], seeds: range) -> None:
    """Each dial off or another clip's: its number should fall to chance, the others hold."""
    others = cases[5:] + cases[:5]
    items = [c.index for c in cases]
    edits: dict[str, Callable[[Case, Case], CueSheet]] = {
        "all dials": lambda c, o: c.sheet,
        "when off": lambda c, o: without_onsets(without_envelope(c.sheet)),
        "when of another clip": lambda c, o: timed_as(c.sheet, o.sheet, c.material, c.action),
        "envelope off": lambda c, o: without_envelope(c.sheet),
        "onsets off, envelope on": lambda c, o: without_onsets(c.sheet),
        "where off": lambda c, o: without_place(c.sheet),
        "where of another clip": lambda c, o: replace(c.sheet, where=o.sheet.where),
        "where mirrored": lambda c, o: mirrored(c.sheet),
        "what off": lambda c, o: with_material(c.sheet, None, None, action=False),
        "what of another clip": lambda c, o: with_material(c.sheet, o.material, o.sheet.what.prompt),
        "what by words alone": lambda c, o: with_material(c.sheet, None, c.sheet.what.prompt, action=False),
    }
    for name, edit in edits.items():
        sheets = [edit(c, o) for c, o in zip(cases, others, strict=True)]
        scores = by_seed([stage.play(sheets, items, seed) for seed in seeds], cases)
        stage.write("dials", name, summary(scores, [c.material for c in cases], stage.listener))
    by_reference(stage, cases, seeds)


def by_reference(stage: Stage, cases: list[Case], seeds: range) -> None:
    """A reference sound of the clip's material, from another scene, and no word of it anywhere."""
    sheets, references = [], []
    for c in cases:
        scene = sample_scene("hits", split_seed("val", c.index), duration=2.0)
        wave = render_clip(revoice(scene, c.material), picture=False).audio
        assert wave is not None
        references.append(wave)
        sheets.append(without_envelope(with_material(c.sheet, None, None)))
    items = [c.index for c in cases]
    sounds = [stage.play(sheets, items, seed, references=references) for seed in seeds]
    scores = by_seed(sounds, cases)
    row = summary(scores, [c.material for c in cases], stage.listener)
    stage.write("dials", "what by a reference sound alone, envelope off", row)


def brief(row: Any) -> str:
    if isinstance(row, dict) and "value" in row:
        return f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
    if isinstance(row, dict):
        return ", ".join(f"{k} {brief(v)}" for k, v in row.items() if k != "each")
    return str(row)


if __name__ == "__main__":
    main()
