"""What guidance does to weft-mini's sounds: unguided, by two cosines, by the volume; on the world's test clips.

    python recipes/evaluate_guidance.py --listener LISTENER --clips 40 --seeds 1

LISTENER is as `evaluate_generator.py` fitted it; it and the onset detector know nothing of the encoders that guide. V
and δ are by those encoders, and so only say how well the guide was obeyed. Each clip is played from its true sheet and
the first caption; scores are means over a clip's seeds, intervals over clips, and differences from unguided are paired.
Written after every clip. The seconds of an unguided take hold the readings too: it is guided by steps of no length.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from weft import weights
from weft.encoders.own import WeftEncoders
from weft.metrics import onset
from weft.metrics.interval import bootstrap
from weft.metrics.material import MaterialClassifier, features
from weft.systems.guide import Guidance, Guide
from weft.systems.guide_log import READINGS, GuideLog
from weft.systems.performer import Request
from weft.systems.weft_mini import WeftMini
from weft.world.clip import WorldClip, render_clip, render_frames
from weft.world.scene import DOMAINS, sample_scene, split_seed

DURATION = 4.0
UNGUIDED = "unguided"
STILL = 1e-9
"""The length of a step that changes nothing: the unguided take, read by the same encoders."""


def world_clip(index: int, net: WeftEncoders) -> tuple[WorldClip, np.ndarray]:
    """A test clip's sound and truth, and its pictures as the encoder looks at them."""
    scene = sample_scene(DOMAINS[index % 3], split_seed("test", index), duration=DURATION)
    which = np.arange(0, DURATION, 1 / net.fps) * scene.fps
    pictures = render_frames(
        scene, net.size, np.minimum(which.round().astype(np.int64), scene.frame_count - 1)
    )
    return render_clip(scene, picture=False), pictures


def played(
    mini: WeftMini, clip: WorldClip, guide: Guide, seed: int, index: int
) -> tuple[np.ndarray, dict[str, float]]:
    """A take `[2, N]`, and the readings of what came out."""
    log = GuideLog()
    request = Request(sheet=clip.sheet, duration=DURATION, seed=seed, take=index, guide=guide, log=log)
    audio = np.concatenate(list(mini.perform(request)), 1)
    return audio, {name: float(np.mean([row[name] for row in log.after])) for name in READINGS}


def score(audio: np.ndarray, clip: WorldClip, listener: MaterialClassifier) -> dict[str, float]:
    """What the guiding encoders have no part in."""
    loud = audio * (0.5 / max(float(np.abs(audio).max()), 1e-4))
    times = np.array([e.t for e in clip.events])
    return {
        "material": float(listener.predict([features(audio)])[0] == clip.material),
        "onset F1@50": onset.scores(onset.detect(loud)[0], times).f1,
        "peak dB": 20 * float(np.log10(max(float(np.abs(audio).max()), 1e-6))),
    }


def summary(rows: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Means with intervals, and paired differences from the unguided takes."""
    out: dict[str, Any] = {}
    for name, clips in rows.items():
        out[name] = {key: bootstrap([row[key] for row in clips]).to_json() for key in clips[0]}
        if name != UNGUIDED:
            pairs = list(zip(clips, rows[UNGUIDED], strict=True))
            out[name]["minus unguided"] = {
                key: bootstrap([a[key] - b[key] for a, b in pairs]).to_json() for key in clips[0]
            }
    return out


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--listener", type=Path, required=True, help="as evaluate_generator.py fitted it")
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--guides", nargs="+", default=["pairwise", "volume"])
    parser.add_argument("--scale", type=float, default=None, help="guide scale [the preset's]")
    parser.add_argument("--out", type=Path, default=Path("results/guidance.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    listener, net, mini = MaterialClassifier.load(given.listener), WeftEncoders.load(), WeftMini.load()
    asked = {UNGUIDED: Guidance(kind="volume", scale=STILL)}
    asked |= {kind: Guidance(kind=kind, scale=given.scale) for kind in given.guides}
    rows: dict[str, list[dict[str, float]]] = defaultdict(list)
    seconds: dict[str, float] = defaultdict(float)
    for index in range(given.clips):
        clip, pictures = world_clip(index, net)
        vectors = net.embed_video(pictures).clone(), net.embed_text([clip.captions[0]]).clone()
        for name, guidance in asked.items():
            guide = Guide(asked=guidance, ear=net.audio, pictures=vectors[0], texts=vectors[1])
            takes = []
            for seed in range(given.seeds):
                clock = time.process_time()
                audio, readings = played(mini, clip, guide, seed, index)
                seconds[name] += time.process_time() - clock
                takes.append(readings | score(audio, clip, listener))
            rows[name].append({key: float(np.mean([take[key] for take in takes])) for key in takes[0]})
        result = {
            "clips": index + 1,
            "seeds": given.seeds,
            "scale": given.scale,
            "weights": {n: weights.sha256(n) for n in ("weft-mini", "weft-codec", "weft-encoders")},
            "cpu seconds a take": {k: round(v / (index + 1) / given.seeds, 2) for k, v in seconds.items()},
            "rows": summary(rows),
        }
        given.out.write_text(json.dumps(result, indent=1) + "\n")
        print(index + 1, {n: {k: round(v[-1][k], 3) for k in v[-1]} for n, v in rows.items()}, flush=True)


if __name__ == "__main__":
    main()
