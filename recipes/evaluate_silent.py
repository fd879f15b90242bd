"""From a silent picture alone to its sound: the whole chain, scored on the world's test clips.

    python recipes/evaluate_silent.py --world CACHE --listener LISTENER

CACHE holds test-* (`recipes/build_world_cache.py`), LISTENER is as `evaluate_generator.py` fitted it. Each clip is
spotted from its picture, performed from that sheet alone, and the sound's own onsets are held against the true ones
that the picture shows. Beside it: the sheet of the classical motion detector, the true sheet, the true sound, and the
sounds of other clips (chance). Every clip with every seed; scores are means over the seeds of a clip, intervals over
clips.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from weft import weights
from weft.cues.sheet import Clip, CueSheet
from weft.cues.vocabulary import MATERIALS
from weft.metrics import envelope, onset, space
from weft.metrics.interval import bootstrap
from weft.metrics.material import MaterialClassifier, features
from weft.spotting import picture_tokens, watch
from weft.spotting.readings import sheet_from
from weft.systems.performer import Request
from weft.systems.weft_mini import WeftMini
from weft.systems.weft_physical import WeftPhysical
from weft.training.cache import Drawn, drawn
from weft.world.clip import render_clip
from weft.world.scene import sample_scene

DURATION = 4.0
Play = Callable[[CueSheet, int, int], np.ndarray]


class Truth:
    """What is true of a clip: its sound, its visible onsets and the blows that can be placed by ear."""

    def __init__(self, shown: Drawn) -> None:
        label = shown.label
        clip = render_clip(sample_scene(label["domain"], label["seed"], duration=DURATION), picture=False)
        assert clip.audio is not None
        self.audio, self.sheet, self.material = clip.audio, clip.sheet, clip.material
        self.onsets = shown.onsets()
        heard = [e for e, seen in zip(clip.events, clip.visible, strict=True) if seen and not e.sustained]
        times = np.array([e.t for e in heard])
        plain = space.stands_out(clip.audio, times)
        self.blows, self.pan = times[plain], np.array([e.pan for e in heard])[plain]

    def score(self, audio: np.ndarray) -> dict[str, Any]:
        loud = audio * (0.5 / max(float(np.abs(audio).max()), 1e-4))
        heard = onset.detect(loud)[0]
        return {
            "onset F1@50": onset.scores(heard, self.onsets, 0.05).f1,
            "onset F1@100": onset.scores(heard, self.onsets, 0.1).f1,
            "envelope r": envelope.agreement(audio, self.audio),
            "pan": (space.blow_pan(audio, self.blows), self.pan),
            "vector": features(audio),
        }


def spotted(shown: Drawn, *, by_motion: bool = False) -> tuple[CueSheet, np.ndarray | None]:
    """The sheet and the picture tokens that the picture alone gives, as a performer gets them."""
    clip = Clip(duration=DURATION, width=256, height=192, fps=25.0)
    seen = watch(shown.pictures(), DURATION, by_motion=by_motion)
    sheet = sheet_from(seen.readings, seen.threshold, clip, seen.source, share=seen.share)
    return _bare(sheet), None if by_motion else picture_tokens(seen.readings)


def _bare(sheet: CueSheet) -> CueSheet:
    """As `generate` plays it: a spotted envelope yields to the onsets beside it."""
    return replace(sheet, when=replace(sheet.when, envelope=None)) if sheet.when.onsets else sheet


def row(
    clips: list[list[dict[str, Any]]], truths: list[Truth], listener: MaterialClassifier
) -> dict[str, Any]:
    """Numbers of `clips`, each a list of one score per seed."""
    out: dict[str, Any] = {}
    for name in ("onset F1@50", "onset F1@100", "envelope r"):
        out[name] = bootstrap(np.array([np.mean([s[name] for s in some]) for some in clips])).to_json()
    heard = [listener.predict([s["vector"] for s in some]) for some in clips]
    right = [np.mean([h == t.material for h in some]) for some, t in zip(heard, truths, strict=True)]
    out["material"] = bootstrap(np.array(right)).to_json()
    pairs = [[s["pan"] for s in some] for some in clips]
    out["pan r"] = bootstrap(
        np.arange(len(clips), dtype=float),
        lambda picked: space.pan_correlation([p for k in picked for p in pairs[int(k)]]),
        draws=200,
    ).to_json()
    return out


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--world", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--listener", type=Path, required=True, help="as evaluate_generator.py fitted it")
    parser.add_argument("--systems", nargs="+", default=["weft-physical", "weft-mini"])
    parser.add_argument("--out", type=Path, default=Path("results/silent.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    listener = MaterialClassifier.load(given.listener)
    clips = [c for c in drawn(given.world, given.split)[: given.clips] if len(c.onsets())]
    truths = [Truth(c) for c in clips]
    result: dict[str, Any] = {
        "clips": len(clips),
        "seeds": given.seeds,
        "weights": {n: weights.sha256(n) for n in ("weft-spotter", "weft-mini")},
    }

    def write(name: str, sounds: list[list[dict[str, Any]]]) -> None:
        result[name] = row(sounds, truths, listener)
        given.out.write_text(json.dumps(result, indent=1) + "\n")
        print(name, {k: v["value"] for k, v in result[name].items()}, flush=True)

    write("true sounds", [[t.score(t.audio)] for t in truths])
    others = truths[7:] + truths[:7]
    write("chance (sounds of other clips)", [[t.score(o.audio)] for t, o in zip(truths, others, strict=True)])
    looked = [spotted(c) for c in clips]
    seen, pictures = [sheet for sheet, _ in looked], [picture for _, picture in looked]
    moved = [spotted(c, by_motion=True)[0] for c in clips]
    found = [np.array([o.t for o in s.when.onsets or ()]) for s in seen]
    f1 = [onset.scores(np.sort(k), t.onsets, 0.05).f1 for k, t in zip(found, truths, strict=True)]
    result["onset F1@50 of the spotted sheets"] = bootstrap(np.array(f1)).to_json()
    named = [_material(s) == t.material for s, t in zip(seen, truths, strict=True)]
    result["material of the spotted sheets, times chance"] = round(float(np.mean(named)) * len(MATERIALS), 2)
    physical = WeftPhysical()

    def played(play: Play, sheets: list[CueSheet], seeds: int = given.seeds) -> list[list[dict[str, Any]]]:
        return [
            [t.score(play(s, seed, k)) for seed in range(seeds)]
            for k, (s, t) in enumerate(zip(sheets, truths, strict=True))
        ]

    def by_hand(sheet: CueSheet, seed: int, k: int) -> np.ndarray:
        request = Request(sheet=sheet, duration=DURATION, seed=seed, take=k)
        return np.concatenate(list(physical.perform(request)), 1)

    if "weft-physical" in given.systems:
        write("weft-physical, from the picture", played(by_hand, seen))
        write("weft-physical, by the motion baseline (seed 0)", played(by_hand, moved, 1))
        write("weft-physical, true sheet (seed 0)", played(by_hand, [t.sheet for t in truths], 1))
    if "weft-mini" in given.systems:
        mini = WeftMini.load()

        def learned(sheet: CueSheet, seed: int, k: int) -> np.ndarray:
            request = Request(sheet=sheet, duration=DURATION, seed=seed, take=k, picture=pictures[k])
            return np.concatenate(list(mini.perform(request)), 1)

        write("weft-mini, from the picture", played(learned, seen))
        pictures = [None] * len(clips)
        write("weft-mini, from the sheet without picture tokens (seed 0)", played(learned, seen, 1))


def _material(sheet: CueSheet) -> str | None:
    said = [o.material for o in sheet.when.onsets or () if o.material]
    return max(set(said), key=said.count) if said else None


if __name__ == "__main__":
    main()
