"""What guidance does to weft-mini's sounds: unguided, by two cosines, by the volume; on the world's test clips.

    python recipes/evaluate_guidance.py --run RUN --listener LISTENER --pairwise PAIRWISE --gram GRAM
    python recipes/evaluate_guidance.py ... --generator audio-ldm-mini --weights OUT

PAIRWISE and GRAM are the files of encoders that `recipes/train_gram.py ship` writes: learnt from the same films by
pairwise cosines and by the volume. LISTENER is as `evaluate_generator.py` fitted it. It, the onset detector and weft's
own encoders, by which V, δ, the Fréchet distance and KL are told here, have no part in any guide. Three cases:

- told: the true sheet and a caption of the clip; the guide has that caption and the picture.
- guide alone: nothing says what sounds but the guide.
- wrong words: sheet and guide have the caption of another material; picture and moments are the clip's.

With `--generator audio-ldm-mini` the same is asked of AudioLDM's miniature (OUT is where train_audio_ldm_mini.py wrote
it). It hears words alone, nothing of the sheet's moments, is guided by mel, and plays mono at 16 kHz: the true sounds
are brought to that before anything is compared with them, and all is brought back to 44.1 kHz to be judged.

Every take is kept in RUN as it is made, seed by seed, so a run that was stopped goes on; several may share the clips,
each from its `--first` on in a RUN of its own, whose lines are then put together. `--measure` makes no more takes and
tells of those there are. Scores are means over a clip's
seeds, intervals over clips, and differences from unguided are paired.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soxr
import torch

from weft import weights
from weft.cues.sheet import CueSheet
from weft.cues.vocabulary import MATERIALS
from weft.encoders.own import WeftEncoders
from weft.metrics import divergence, frechet, onset, sound, volume
from weft.metrics.interval import bootstrap
from weft.metrics.material import MaterialClassifier, features
from weft.systems import audio_ldm_mini
from weft.systems.guide import Guidance, Guide
from weft.systems.performer import Request
from weft.systems.weft_mini import WeftMini
from weft.training.mono_sounds import mono_at
from weft.world.clip import WorldClip, render_clip, render_frames, revoice
from weft.world.scene import DOMAINS, sample_scene, split_seed

DURATION = 4.0
UNGUIDED = "unguided"
ARMS = {
    UNGUIDED: None,
    "pairwise by pairwise encoders": ("pairwise", "pairwise"),
    "pairwise by GRAM's encoders": ("gram", "pairwise"),
    "volume by GRAM's encoders": ("gram", "volume"),
}
CASES = ("told", "guide alone", "wrong words")
GENERATORS = {"weft-mini": "guidance.json", "audio-ldm-mini": "guidance_audio_ldm.json"}
"""What is guided, and the file of what came of it."""
FRAME = 441
"""Samples of the frames, 10 ms, whose levels say how loud the noise between the events is."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Generator:
    """What is guided. play: a request to sound [2, N] at 44.1 kHz. true: a clip's own sound [2, N] as this generator
    could at best make it. weights: files by name."""

    play: Callable[[Request], np.ndarray]
    true: Callable[[np.ndarray], np.ndarray]
    weights: dict[str, str | Path]


def generator_of(given: argparse.Namespace) -> Generator:
    if given.generator == "weft-mini":
        mini = WeftMini.load()
        return Generator(
            play=lambda request: np.concatenate(list(mini.perform(request)), 1),
            true=lambda audio: audio,
            weights={name: name for name in ("weft-mini", "weft-codec")},
        )
    small = audio_ldm_mini.load(given.weights)

    def spread_out(mono: np.ndarray) -> np.ndarray:
        wave = soxr.resample(mono.astype(np.float64), small.rate, 44100, quality="VHQ").astype(np.float32)
        return np.stack([wave, wave])

    return Generator(
        play=lambda request: spread_out(small.play(request).numpy()),
        true=lambda audio: spread_out(mono_at(audio, 44100, round(DURATION * small.rate))),
        weights={
            "audio-ldm-mini": given.weights / audio_ldm_mini.FILE,
            audio_ldm_mini.WORDS: audio_ldm_mini.WORDS,
        },
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A test clip: its truth, its pictures as the encoders look at them, and another material's caption."""

    clip: WorldClip
    pictures: np.ndarray
    wrong: str
    wrong_material: str

    def sheet(self, case: str) -> CueSheet:
        """What the generator is told."""
        told = self.clip.sheet
        if case == "told":
            return told
        onsets = tuple(replace(o, material=None, action=None) for o in told.when.onsets or ())
        prompt = self.wrong if case == "wrong words" else None
        return replace(
            told,
            when=replace(told.when, onsets=onsets),
            what=replace(told.what, prompt=prompt, segments=()),
        )

    def words(self, case: str) -> str:
        """What the guide is told."""
        return self.wrong if case == "wrong words" else self.clip.captions[0]


def case_of(index: int, net: WeftEncoders) -> Case:
    scene = sample_scene(DOMAINS[index % 3], split_seed("test", index), duration=DURATION)
    which = np.arange(0, DURATION, 1 / net.fps) * scene.fps
    at = np.minimum(which.round().astype(np.int64), scene.frame_count - 1)
    clip = render_clip(scene, picture=False)
    others = [m for m in MATERIALS if m != clip.material]
    other = others[int(np.random.default_rng([7, index]).integers(len(others)))]
    return Case(
        clip=clip,
        pictures=render_frames(scene, net.size, at),
        wrong=render_clip(revoice(scene, other), picture=False).captions[0],
        wrong_material=other,
    )


@torch.inference_mode()
def score(
    audio: np.ndarray, case: Case, words: str, judge: WeftEncoders, listener: MaterialClassifier
) -> dict[str, Any]:
    """What the guiding encoders have no part in; `windows` and `logits` are kept for what is told of whole sets."""
    peak = max(float(np.abs(audio).max()), 1e-4)
    levels = 20 * np.log10(
        np.sqrt(np.square(audio[:, : audio.shape[1] // FRAME * FRAME]).mean(0).reshape(-1, FRAME).mean(1))
        + 1e-6
    )
    wave = torch.from_numpy(audio.mean(0, dtype=np.float32))[None]
    windows, logits = judge.embed(wave, 44100)[0], judge.logits(wave, 44100)[0]
    heard = torch.nn.functional.normalize(windows.mean(0), dim=-1)
    seen = torch.nn.functional.normalize(judge.embed_video(case.pictures).mean(0), dim=-1)
    said, true = judge.embed_text([words, case.clip.captions[0]])
    found = listener.predict([features(audio)])[0]
    times = np.array([e.t for e in case.clip.events])
    return {
        "V": float(volume.volume(seen[None].numpy(), heard[None].numpy(), said[None].numpy())[0]),
        "δ words": 1 - float(heard @ said),
        "δ picture": 1 - float(heard @ seen),
        "δ true words": 1 - float(heard @ true),
        "material": float(found == case.clip.material),
        "material of the wrong words": float(found == case.wrong_material),
        "onset F1@50": onset.scores(onset.detect(audio * (0.5 / peak))[0], times).f1,
        "peak, dB": 20 * float(np.log10(peak)),
        "level between events, dB": float(np.quantile(levels, 0.1)),
        "flatness": sound.flatness(audio),
        "windows": windows.numpy().round(4).tolist(),
        "logits": logits.numpy().round(4).tolist(),
    }


def play(run: Path, given: argparse.Namespace) -> None:
    """Make every take that is not there yet, the first seed of all clips first."""
    torch.set_num_threads(1)
    listener, judge = MaterialClassifier.load(given.listener), WeftEncoders.load()
    generator = generator_of(given)
    ears = {"gram": WeftEncoders.load(given.gram), "pairwise": WeftEncoders.load(given.pairwise)}
    kept = run / "takes.jsonl"
    done = {(r["index"], r["seed"], r["case"], r["arm"]) for r in rows_of(kept)}
    for seed in range(given.seeds):
        for index in range(given.first, given.clips):
            wanted = [
                (case, arm)
                for case in CASES
                if case == "told" or (index < given.others and seed == 0)
                for arm in ARMS
                if (index, seed, case, arm) not in done
            ]
            if not wanted:
                continue
            one = case_of(index, judge)
            pictures = {name: ear.embed_video(one.pictures).clone() for name, ear in ears.items()}
            with kept.open("a", encoding="utf-8") as out:
                if seed == 0 and (index, 0, "told", "true sound") not in done:
                    true = {"index": index, "seed": 0, "case": "told", "arm": "true sound", "seconds": 0.0}
                    scored = score(generator.true(one.clip.audio), one, one.words("told"), judge, listener)
                    out.write(json.dumps(true | scored) + "\n")
                for case, arm in wanted:
                    guide = None
                    if (named := ARMS[arm]) is not None:
                        ear = ears[named[0]]
                        guide = Guide(
                            asked=Guidance(kind=named[1], scale=given.scale),
                            ear=ear.audio,
                            pictures=pictures[named[0]],
                            texts=ear.embed_text([one.words(case)]).clone(),
                        )
                    request = Request(
                        sheet=one.sheet(case), duration=DURATION, seed=seed, take=index, guide=guide
                    )
                    clock = time.process_time()
                    audio = generator.play(request)
                    told = {"index": index, "seed": seed, "case": case, "arm": arm}
                    told["seconds"] = round(time.process_time() - clock, 3)
                    out.write(json.dumps(told | score(audio, one, one.words(case), judge, listener)) + "\n")
            print(f"seed {seed}, clip {index}", flush=True)


def rows_of(kept: Path) -> list[dict[str, Any]]:
    """The takes of a file; a last line that was cut short does not count."""
    rows = []
    for line in kept.read_text(encoding="utf-8").splitlines() if kept.is_file() else ():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def told_of(rows: list[dict[str, Any]], true: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """One arm of a case: means by clip over its seeds, and what is told of the whole set."""
    by_clip: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_clip[row["index"]].append(row)
    for index, takes in by_clip.items():
        for take in takes:
            take["KL"] = float(divergence.kl([true[index]["logits"]], [take["logits"]])[0])
    names = [k for k, v in rows[0].items() if isinstance(v, float)]
    return {
        name: np.array([np.mean([t[name] for t in by_clip[i]]) for i in sorted(by_clip)]) for name in names
    }


def distance(rows: list[dict[str, Any]], true: dict[int, dict[str, Any]], picked: np.ndarray) -> float:
    """The Fréchet distance of the first seed's windows to the true sounds', over clips `picked` (with repeats)."""
    made = {r["index"]: r["windows"] for r in rows if r["seed"] == 0}
    order = sorted(made)
    return frechet.distance(
        np.concatenate([true[order[k]]["windows"] for k in picked]),
        np.concatenate([made[order[k]] for k in picked]),
    )


def measure(run: Path, out: Path, given: argparse.Namespace) -> None:
    """Write what the takes in RUN say: clips that have every arm and every seed asked for."""
    rows = rows_of(run / "takes.jsonl")
    true = {r["index"]: r for r in rows if r["arm"] == "true sound"}
    what = __doc__.split("\n\n")[0].replace("weft-mini", given.generator)
    report: dict[str, Any] = {"what": what, "cases": {}}
    for case in CASES:
        arms = {arm: [r for r in rows if r["case"] == case and r["arm"] == arm] for arm in ARMS}
        seeds = given.seeds if case == "told" else 1
        whole = set.intersection(
            *({i for i in true if sum(r["index"] == i for r in a) >= seeds} for a in arms.values())
        )
        arms = {arm: [r for r in a if r["index"] in whole and r["seed"] < seeds] for arm, a in arms.items()}
        if whole:
            report["cases"][case] = {"clips": len(whole), "seeds": seeds} | summary(arms, true)
    told = [r for r in true.values() if r["index"] < given.clips]
    report["true sounds"] = {
        k: bootstrap([r[k] for r in told]).to_json() for k, v in told[0].items() if isinstance(v, float)
    }
    report["scale"] = given.scale
    files = generator_of(given).weights | {"weft-encoders": "weft-encoders"}
    files |= {name: getattr(given, name) for name in ("pairwise", "gram")}
    report["weights"] = {name: weights.sha256(file) for name, file in files.items()}
    out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def summary(arms: dict[str, list[dict[str, Any]]], true: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """Every arm's means with intervals, and paired differences from the unguided takes."""
    told = {arm: told_of(rows, true) for arm, rows in arms.items()}
    count = len(next(iter(told[UNGUIDED].values())))
    out: dict[str, Any] = {}
    for arm, rows in arms.items():
        out[arm] = {name: bootstrap(values).to_json() for name, values in told[arm].items()}
        out[arm]["Fréchet"] = spread(lambda p, rows=rows: distance(rows, true, p), count)
        if arm != UNGUIDED:
            apart = {k: bootstrap(v - told[UNGUIDED][k]).to_json() for k, v in told[arm].items()}
            apart["Fréchet"] = spread(
                lambda p, rows=rows: distance(rows, true, p) - distance(arms[UNGUIDED], true, p), count
            )
            out[arm]["minus unguided"] = apart
    return out


def spread(value: Callable[[np.ndarray], float], count: int, draws: int = 200) -> dict[str, float]:
    """A figure of a whole set with its 95% bootstrap interval over clips. That of a Fréchet distance lies too high:
    clips drawn twice make a narrower set."""
    rng = np.random.default_rng(0)
    drawn = [value(rng.integers(count, size=count)) for _ in range(draws)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {
        "value": round(value(np.arange(count)), 5),
        "low": round(float(low), 5),
        "high": round(float(high), 5),
        "n": count,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="where takes are kept")
    parser.add_argument("--listener", type=Path, required=True, help="as evaluate_generator.py fitted it")
    parser.add_argument("--pairwise", type=Path, required=True, help="encoders learnt pairwise")
    parser.add_argument("--gram", type=Path, required=True, help="encoders learnt by the volume")
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="leave out the clips before this one")
    parser.add_argument("--measure", action="store_true", help="make no more takes")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--others", type=int, default=100, help="clips of the other two cases, one seed")
    parser.add_argument("--scale", type=float, default=None, help="guide scale [the preset's]")
    parser.add_argument("--generator", choices=tuple(GENERATORS), default="weft-mini")
    parser.add_argument("--weights", type=Path, help="folder of audio-ldm-mini's weights")
    parser.add_argument("--out", type=Path, help="[results/guidance.json, or guidance_audio_ldm.json]")
    given = parser.parse_args()
    if given.generator == "audio-ldm-mini" and given.weights is None:
        parser.error(
            "audio-ldm-mini is not in the package: give --weights, where train_audio_ldm_mini.py wrote it"
        )
    given.out = given.out or Path("results") / GENERATORS[given.generator]
    given.run.mkdir(parents=True, exist_ok=True)
    if not given.measure:
        play(given.run, given)
    measure(given.run, given.out, given)


if __name__ == "__main__":
    main()
