"""Score weft's performers with `weft eval`: the world's test clips, their true cue sheets performed.

    python recipes/evaluate_takes.py --clips 100 --out results/takes.json

Of each of two domains, `--clips` clips of the test split: their true sounds are the reference, and what each performer
makes of them is the prediction, under the protocol of the domain. A clip is performed once, with seed 0, 1 or 2 by
turns. The negative prompt is asked apart, as it needs each take twice: the first `--negated` clips of hits, their
onsets without a material, by a prompt of two materials, once with the second one as negative prompt and once without.
Everything `weft eval` needs lies in WORK (kept if given, so that it can be called on it again).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from weft import weights
from weft.cues.sheet import What, Where
from weft.cues.vocabulary import MATERIALS
from weft.evaluation.run import evaluate
from weft.systems.performer import Performer, Request
from weft.systems.weft_mini import WeftMini
from weft.systems.weft_physical import WeftPhysical
from weft.training.patterns import trajectory
from weft.world.clip import RATE, render_clip
from weft.world.scene import sample_scene, split_seed

SECONDS = 4.0
SEEDS = 3
NEGATED = ("obey-negative", "obey-spared")
PROTOCOLS = {"hits": "world-hits", "walks": "world-walks"}


def write(folder: Path, domain: str, count: int, performers: dict[str, Performer]) -> None:
    """Draw and perform what is not there yet, one folder a side and one table a performer."""
    for side in ("true", "cues", *performers):
        (folder / side).mkdir(parents=True, exist_ok=True)
    rows = []
    for k in range(count):
        name = f"{k:04d}"
        clip = render_clip(sample_scene(domain, split_seed("test", k), duration=SECONDS), picture=False)
        assert clip.audio is not None
        if not clip.events:
            continue
        where = Where(tracks=trajectory(clip.events), source="world")
        sheet = replace(clip.sheet, where=where, what=What(prompt=clip.captions[0], source="world"))
        sheet.save(folder / "cues" / f"{name}.json", overwrite=True)
        _save(folder / "true" / f"{name}.wav", clip.audio)
        for side, performer in performers.items():
            if not (folder / side / f"{name}.wav").is_file():
                request = Request(sheet=sheet, duration=SECONDS, seed=k % SEEDS, take=k)
                _save(folder / side / f"{name}.wav", np.concatenate(list(performer.perform(request)), 1))
        rows.append((name, clip.captions[0].replace(",", "")))
    for side in performers:
        lines = [f"true/{n}.wav,{side}/{n}.wav,cues/{n}.json,{words}" for n, words in rows]
        (folder / f"{side}.csv").write_text("\n".join(["reference,predicted,cues,text", *lines]) + "\n")


def write_negated(folder: Path, count: int, performers: dict[str, Performer]) -> None:
    """Perform what is not there yet of takes told to stay away from a material, and of the same not told so."""
    for side in ("cues", *(f"{p}{how}" for p in performers for how in ("", "-without"))):
        (folder / side).mkdir(parents=True, exist_ok=True)
    names = []
    for k in range(count):
        scene = sample_scene("hits", split_seed("test", k), duration=SECONDS)
        clip = render_clip(scene, picture=False)
        if not clip.events:
            continue
        rng = np.random.default_rng([scene.seed, 91])
        other = str(rng.choice([m for m in MATERIALS if m != scene.material]))
        onsets = tuple(replace(o, material=None) for o in clip.sheet.when.onsets or ())
        where = Where(tracks=trajectory(clip.events), source="world")
        asked = What(prompt=f"a stick hits {scene.material} and {other}", source="person")
        without = replace(clip.sheet, when=replace(clip.sheet.when, onsets=onsets), where=where, what=asked)
        told = replace(without, what=replace(asked, negative=other))
        told.save(folder / "cues" / f"{k:04d}.json", overwrite=True)
        for side, performer in performers.items():
            for sheet, how in ((told, ""), (without, "-without")):
                path = folder / f"{side}{how}" / f"{k:04d}.wav"
                if not path.is_file():
                    request = Request(sheet=sheet, duration=SECONDS, seed=k % SEEDS, take=k)
                    _save(path, np.concatenate(list(performer.perform(request)), 1))
        names.append(f"{k:04d}.wav")
    for side in performers:
        for how in ("", "-without"):
            lines = [f"../hits/true/{n},{side}{how}/{n},cues/{n[:4]}.json,{side}-without/{n}" for n in names]
            table = "\n".join(["reference,predicted,cues,without", *lines]) + "\n"
            (folder / f"{side}{how}.csv").write_text(table)


def _save(path: Path, audio: np.ndarray) -> None:
    aside = path.with_suffix(".part")
    soundfile.write(aside, audio.T, RATE, subtype="FLOAT", format="WAV")
    aside.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=100, help="of each domain")
    parser.add_argument("--negated", type=int, default=50, help="clips told to stay away from a material")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("results/takes.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    performers: dict[str, Performer] = {"weft-mini": WeftMini.load(), "weft-physical": WeftPhysical()}
    if given.negated > given.clips:
        parser.error(
            f"--negated {given.negated} is more than --clips {given.clips}, whose true sounds it takes"
        )
    with tempfile.TemporaryDirectory() as scratch:
        work = given.work or Path(scratch)
        result: dict[str, Any] = {
            "clips": given.clips,
            "weights": {n: weights.sha256(n) for n in ("weft-mini", "weft-codec", "weft-encoders")},
        }
        for domain, protocol in PROTOCOLS.items():
            write(work / domain, domain, given.clips, performers)
            result[domain] = {}
            for side in performers:
                table = work / domain / f"{side}.csv"
                found = evaluate(table, by=protocol, jobs=given.jobs, cache=work / "features").to_json()
                result["protocol"] = {**result.get("protocol", {}), domain: found["protocol"]}
                result[domain][side] = {
                    "ok": found["ok"],
                    "left out": found["left_out"],
                    "scores": {
                        s["name"]: {k: v for k, v in s.items() if k != "name"} for s in found["scores"]
                    },
                }
                given.out.write_text(json.dumps(result, indent=1) + "\n")
                short = {s["name"]: s["value"] for s in found["scores"]}
                print(domain, side, {k: round(v, 3) for k, v in short.items() if v is not None}, flush=True)
        write_negated(work / "negated", given.negated, performers)
        result["negated"] = {}
        for side in performers:
            for how, what in (("", "told"), ("-without", "not told")):
                table = work / "negated" / f"{side}{how}.csv"
                found = evaluate(table, metrics=NEGATED, jobs=given.jobs, cache=work / "features").to_json()
                rows = {s["name"]: {k: v for k, v in s.items() if k != "name"} for s in found["scores"]}
                result["negated"].setdefault(side, {})[what] = {"ok": found["ok"], "scores": rows}
                print("negated", side, what, {k: round(v["value"], 3) for k, v in rows.items()}, flush=True)
        given.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
