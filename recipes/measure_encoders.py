"""What weft's own encoders tell apart, on clips they were not trained on: writes results/encoders.json.

    python recipes/measure_encoders.py --cache CACHE --split test --clips 200

CACHE holds test-* (`recipes/build_world_cache.py`). Asked: do sound, picture and words find each other; are materials
and actions heard, by the heads; are materials heard and seen, by the nearest of one plain prompt a material; does the
score fall, step by step, as a sound is spoilt or shifted against its picture. A clip's score with its picture is the
mean cosine of windows at the same time, with its sound before spoiling likewise; with its caption (a paraphrase, not
the template) the cosine with the windows' mean direction. Intervals: 95% bootstrap over clips.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.signal import butter, sosfilt
from scipy.special import gammaln
from torch import Tensor

from weft import weights
from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.encoders.own import WeftAudio, WeftText, WeftVideo
from weft.encoders.steps import summary
from weft.metrics import divergence, frechet
from weft.metrics.interval import bootstrap
from weft.training.cache import Drawn, drawn
from weft.training.pairs import at_pictures
from weft.world import render_clip, revoice, sample_scene

RATE = 44100
SNRS_DB = (30, 20, 10, 0)
CUTOFFS_HZ = (8000, 4000, 2000)
SHIFTS_S = (0.08, 0.16, 0.32, 0.64)
RANKS = (1, 5, 10)
FIRST = 3  # materials that may be named


def wave_of(clip: Drawn) -> np.ndarray:
    """Mono, float64 `[N]`."""
    return np.asarray((clip.audio.astype(np.float64) / 32767).mean(0))


def spoilt(clip: Drawn, k: int) -> dict[str, np.ndarray]:
    """The clip's sound in every way it is spoilt, mild to harsh. Noise is white, its level re the sound's RMS."""
    own = wave_of(clip)
    noise = np.random.default_rng([k, 71]).standard_normal(len(own)) * np.sqrt(np.square(own).mean())
    out = {"as it is": own}
    out |= {f"noise, SNR {snr} dB": own + noise * 10 ** (-snr / 20) for snr in SNRS_DB}
    for hertz in CUTOFFS_HZ:
        out[f"low-pass {hertz} Hz"] = sosfilt(butter(6, hertz, fs=RATE, output="sos"), own)
    out |= {f"late by {s} s": np.roll(own, round(s * RATE)) for s in SHIFTS_S}
    out["10 dB quieter"] = own * 10**-0.5
    label = clip.label
    scene = sample_scene(label["domain"], label["seed"], duration=label["duration"])
    rng = np.random.default_rng([k, 72])
    wrong = str(rng.choice([m for m in MATERIALS if m != scene.material]))
    twin = render_clip(revoice(scene, wrong), picture=False).audio
    assert twin is not None
    out["same contacts, other material"] = twin.mean(0).astype(np.float64)
    out["silence"] = np.zeros_like(own)
    return out


def chance(relevant: np.ndarray, rank: int) -> float:
    """How often a random order has one of each query's `relevant` `[Q]` keys, out of as many keys, among the first."""
    n, m = len(relevant), relevant.astype(float)
    free = np.maximum(n - m, 0)
    none = np.where(
        free >= rank,
        np.exp(
            gammaln(free + 1)
            - gammaln(np.maximum(free - rank, 0) + 1)
            - gammaln(n + 1)
            + gammaln(n - rank + 1)
        ),
        0.0,
    )
    return float((1 - none).mean())


def recalls(similarity: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """Recall at each rank of `similarity` `[Q, K]`, where `right` `[Q, K]` says which keys answer a query."""
    order = np.argsort(-similarity, axis=1, kind="stable")
    found = np.take_along_axis(right, order, 1)
    return {
        f"R@{rank}": bootstrap(found[:, :rank].any(1).astype(float)).to_json()
        | {"chance": round(chance(right.sum(1), rank), 4)}
        for rank in RANKS
    }


def between(one: Tensor, other: Tensor) -> np.ndarray:
    """Mean cosine of windows at the same time, of all clips with all: `[N, M]` of `[N, T, D]` and `[M, T, D]`."""
    return np.asarray(torch.einsum("ntd,mtd->nm", one, other) / one.shape[1])


def retrieval(sound: Tensor, picture: Tensor, said: Tensor, kinds: np.ndarray) -> dict[str, Any]:
    """Each of the three asks for each other one: the clip itself, and any clip of its material and action."""
    itself, alike = np.eye(len(kinds), dtype=bool), kinds[:, None] == kinds[None]
    texts = {"sound": np.asarray(summary(sound) @ said.T), "picture": np.asarray(summary(picture) @ said.T)}
    pairs = {"text → sound": texts["sound"].T, "sound → text": texts["sound"]}
    pairs |= {"text → picture": texts["picture"].T, "picture → text": texts["picture"]}
    seen = between(picture, sound)
    pairs |= {"picture → sound": seen, "sound → picture": seen.T}
    return {
        name: {"the clip itself": recalls(s, itself), "its material and action": recalls(s, alike)}
        for name, s in pairs.items()
    }


def named_right(logits: np.ndarray, material: np.ndarray) -> dict[str, Any]:
    """How often the best of `logits` `[N, 17]` is right, and how often one of the best three."""
    order = np.argsort(-logits, 1, kind="stable") == material[:, None]
    out: dict[str, Any] = {}
    for what, count in (("material right", 1), (f"one of the first {FIRST}", FIRST)):
        hit = bootstrap(order[:, :count].any(1).astype(float)).to_json()
        out[what] = hit | {"chance": round(count / len(MATERIALS), 4)}
    return out


def by_box(logits: np.ndarray, material: np.ndarray, clips: list[Drawn]) -> dict[str, Any]:
    """Materials right among the third of clips whose sounding thing is smallest, and so on; mean box, shares."""
    areas = []
    for clip in clips:
        boxes = np.array([b for b in clip.label["boxes"] if b is not None]).reshape(-1, 4)
        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        areas.append(area.mean() if len(area) else 0.0)
    out = {}
    for name, part in zip(("small", "middling", "large"), np.array_split(np.argsort(areas), 3), strict=True):
        right = (logits.argmax(1) == material)[part].astype(float)
        out[name] = bootstrap(right).to_json() | {"largest box": round(float(np.array(areas)[part].max()), 4)}
    return out


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--weights", default="weft-encoders")
    parser.add_argument("--out", type=Path, default=Path("results/encoders.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    audio, video = WeftAudio.load(given.weights), WeftVideo.load(given.weights)
    text = WeftText.load(given.weights)
    clips = drawn(given.cache, given.split)[: given.clips]
    heard: dict[str, list[Tensor]] = {}
    named: dict[str, list[Tensor]] = {}
    acts, sights = [], []
    for k, clip in enumerate(clips):
        sounds = spoilt(clip, k)
        waves = torch.from_numpy(np.stack(list(sounds.values()))).float()
        for name, e, x in zip(sounds, audio.embed(waves, RATE), audio.logits(waves, RATE), strict=True):
            heard.setdefault(name, []).append(e)
            named.setdefault(name, []).append(x)
        acts.append(audio.actions(waves[:1], RATE)[0])
        sights.append(video.embed_video(at_pictures(clip.frames, clip.label["fps"])))
        if k % 20 == 19:
            print(k + 1, "clips", flush=True)
    sound = {name: torch.stack(rows) for name, rows in heard.items()}
    logits = {name: torch.stack(rows).numpy() for name, rows in named.items()}
    own, picture = sound["as it is"], torch.stack(sights)
    said = text.embed_text([c.label["captions"][1] for c in clips])
    prompts = text.embed_text([f"a stick hits {m}" for m in MATERIALS])
    seen = (summary(picture) @ prompts.T).numpy()
    material = np.array([MATERIALS.index(c.label["material"]) for c in clips])
    action = np.array([ACTIONS.index(c.label["action"]) for c in clips])
    right = logits["as it is"].argmax(1) == material
    did = torch.stack(acts).numpy().argmax(1) == action
    others = np.roll(np.arange(len(clips)), 7)
    sound["the sound of another clip"], logits["the sound of another clip"] = (
        own[others],
        logits["as it is"][others],
    )
    apart = (material[others] != material).mean()
    result: dict[str, Any] = {
        "what": given.split + " clips of the world, 4 s each; sha256 of the weights; chance beside each",
        "weights": weights.sha256(given.weights),
        "clips": len(clips),
        "audio": {
            "material right": bootstrap(right.astype(float)).to_json()
            | {"chance": round(1 / len(MATERIALS), 4)},
            "action right": bootstrap(did.astype(float)).to_json()
            | {"always the commonest": round(float(np.bincount(action).max() / len(action)), 4)},
            "inception score": round(divergence.inception_score(logits["as it is"]).value, 3),
            "by words": named_right((summary(own) @ prompts.T).numpy(), material),
        },
        "picture": named_right(seen, material)
        | {
            "always the commonest": round(float(np.bincount(material).max() / len(material)), 4),
            "by the size of what sounds": by_box(seen, material, clips),
        },
        "retrieval": retrieval(own, picture, said, material * len(ACTIONS) + action),
        "another clip is of another material": round(float(apart), 3),
        "spoilt": {name: row(sound, logits, picture, said, name) for name in sound},
    }
    result["falls at every step"] = steps(result["spoilt"])
    given.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    print(given.out, result["audio"], result["picture"], result["falls at every step"])


def row(
    sound: dict[str, Tensor], logits: dict[str, np.ndarray], picture: Tensor, said: Tensor, name: str
) -> dict[str, Any]:
    """What the encoders make of one way of spoiling, beside the sound as it is."""
    own, now = sound["as it is"], sound[name]
    seen, seen_now = ((picture * x).sum(-1).mean(1).numpy() for x in (own, now))
    told = (summary(now) * said).sum(-1).numpy()
    fd = frechet.evaluate(own.flatten(0, 1), now.flatten(0, 1), halves=0)
    out: dict[str, Any] = {
        "cosine with the sound as it is": bootstrap((own * now).sum(-1).mean(1).numpy()).to_json(),
        "cosine with the picture": bootstrap(seen_now).to_json(),
        "cosine with the caption": bootstrap(told).to_json(),
        "KL of materials": bootstrap(divergence.kl(logits["as it is"], logits[name])).to_json(),
        "Fréchet distance": {
            "value": round(fd.value, 5),
            "floor": round(fd.floor, 5),
            "n": fd.rows[0],
            "d": fd.d,
        },
    }
    if name != "as it is":
        out["picture prefers the sound as it is"] = bootstrap((seen > seen_now).astype(float)).to_json() | {
            "chance": 0.5
        }
    return out


def steps(spoilt: dict[str, Any]) -> dict[str, dict[str, bool]]:
    """For each family, from mild to harsh: does every step move every score the right way?"""
    families = {
        "noise": [f"noise, SNR {s} dB" for s in SNRS_DB],
        "low-pass": [f"low-pass {h} Hz" for h in CUTOFFS_HZ],
        "late": [f"late by {s} s" for s in SHIFTS_S],
    }
    signs = {"cosine with the sound as it is": -1, "cosine with the picture": -1, "Fréchet distance": 1}
    out: dict[str, dict[str, bool]] = {}
    for family, names in families.items():
        out[family] = {}
        for score, sign in signs.items():
            if family == "late" and score == "Fréchet distance":
                continue  # a shifted sound is as good a sound
            values = [spoilt[n][score]["value"] for n in ("as it is", *names)]
            out[family][score] = bool((sign * np.diff(values) > 0).all())
    return out


if __name__ == "__main__":
    main()
