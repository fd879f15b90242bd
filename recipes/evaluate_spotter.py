"""Measure the spotter: world test clips and real clips, beside chance and the classical detector.

    python recipes/evaluate_spotter.py choose --world CACHE --chosen BAR      (on the world's validation clips)
    python recipes/evaluate_spotter.py report --world CACHE --chosen BAR --clips ../shared/clips

CACHE holds val-* and test-* (`recipes/build_world_cache.py`). Everything is chosen on val-*; test-* and the real
clips are only reported. The onsets of real clips are pseudo-labels: librosa.onset.onset_detect on the real sound, at
its defaults, as for the baseline of the design; sounds from off screen count as missed. Five of them are scored once
more against `impacts_by_eye.json`, what can be seen to strike.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.media.audio import read_audio
from weft.media.video import Video
from weft.metrics import boxes, onset
from weft.metrics.envelope import correlation
from weft.metrics.interval import bootstrap
from weft.spotting import observe, watch
from weft.spotting.motion import RATE
from weft.spotting.reader import Reader, embedded
from weft.spotting.readings import Readings, pick
from weft.training.cache import Drawn, drawn
from weft.training.examples import READINGS

SECONDS = READINGS / RATE
LEAST = 0.02
SHARES = (0.0, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8)
NEAR_BEST = 0.002  # of F1 minus chance: less than the draws of chance make
LAGS = np.arange(-0.2, 0.201, 0.02)
RESULTS = Path(__file__).parents[1] / "results" / "spotter.json"
REAL = (
    "chopping",
    "hitting_metal",
    "drum",
    "drum_closeup",
    "gun",
    "hammer",
    "badminton",
    "walking_dog",
    "dog_vertical",
    "dog_14.96fps",
)
BY_EYE = Path(__file__).with_name("impacts_by_eye.json")
BARKS = ("dog_vertical", "dog_14.96fps")


@dataclass(frozen=True, kw_only=True)
class Bar:
    """What evidence makes an onset, as `readings.pick` takes it."""

    threshold: float
    share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was read of a clip, and its true onsets."""

    readings: Readings
    true: np.ndarray
    duration: float
    own: Bar | None = None  # where the clip was timed by another detector, its bar

    def times(self, bar: Bar) -> np.ndarray:
        """The onsets that `bar` lets through, s; the clip's own bar where it has one."""
        bar = self.own or bar
        return np.sort(pick(self.readings, bar.threshold, self.duration, share=bar.share)[0])

    def detections(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(times, evidence, true), for average precision."""
        times, evidence, _ = pick(self.readings, LEAST, self.duration)
        return times, evidence, self.true

    def late(self, bar: Bar, tolerance: float) -> tuple[float, float, float]:
        """The lag of the sound behind the picture that suits the detections best (s, of -0.2 .. 0.2), F1 at that lag,
        and that of as many random onsets, each draw at the lag that suits it best."""
        kept = self.times(bar)
        rng = np.random.default_rng(len(kept))

        def best(times: np.ndarray) -> tuple[float, float]:
            moved = [(float(lag), np.sort(np.clip(times + lag, 0, None))) for lag in LAGS]
            scored = [(onset.scores(t, self.true, tolerance).f1, lag) for lag, t in moved]
            return max(scored, key=lambda pair: (pair[0], -abs(pair[1])))

        luck = [best(np.sort(rng.uniform(0, self.duration, len(kept))))[0] for _ in range(30)]
        f1, lag = best(kept)
        return lag, f1, float(np.mean(luck))

    def f1(self, bar: Bar, tolerance: float, draws: int = 100) -> tuple[float, float]:
        """F1 and that of as many onsets placed at random."""
        kept = self.times(bar)
        rng = np.random.default_rng(len(kept))
        return (
            onset.scores(kept, self.true, tolerance).f1,
            onset.chance(len(kept), self.true, self.duration, tolerance, rng=rng, draws=draws),
        )


def found(readings: Readings, true: np.ndarray, duration: float, own: Bar | None = None) -> Found:
    return Found(readings=readings, true=true[true < duration], duration=duration, own=own)


def read_world(clips: list[Drawn], reader: Reader) -> tuple[list[Found], list[Found], dict[str, list[Any]]]:
    """Detections of the network and of the classical detector, and what else the network says, per clip."""
    always = Reader(reader.net, {})  # sure of every clip
    net, old = [], []
    rest: dict[str, list[Any]] = {
        "iou": [],
        "box": [],
        "envelope": [],
        "material": [],
        "action": [],
        "depth": [],
    }
    for clip in clips:
        readings = watch(clip.pictures(), SECONDS, reader=always).readings
        bare = watch(clip.pictures(), SECONDS, by_motion=True).readings
        net.append(found(readings, clip.onsets(), SECONDS))
        old.append(found(bare, clip.onsets(), SECONDS))
        box = np.clip(clip.at_readings("boxes", RATE), 0, 1)
        known = np.isfinite(box).all(1)
        rest["iou"].append(boxes.mean_iou(readings.box[known], box[known]) if known.any() else np.nan)
        rest["box"].append(box[known])
        rest["envelope"].append(correlation(readings.level, clip.rms()))
        rest["material"].append(MATERIALS[int(readings.material.mean(0).argmax())] == clip.label["material"])
        events = clip.events()
        near = [int(np.clip(round(t * RATE), 0, READINGS - 1)) for t in events[:, 0]]
        if near:
            said = readings.action[near].argmax(1)
            rest["action"].append(float((said == events[:, 2]).mean()))
        depth = clip.at_readings("depth", RATE)
        rest["depth"].append(float(np.abs(readings.depth - depth)[np.isfinite(depth)].mean()))
    return net, old, rest


def best_bar(clips: list[Found], shares: tuple[float, ...], tolerance: float = 0.1) -> tuple[Bar, float]:
    """Of the bars within `NEAR_BEST` of the largest mean F1 minus chance, the highest threshold, so that a long quiet
    stretch stays quiet (validation clips are of 4 s and full of onsets), and that bar's difference."""
    clips = [c for c in clips if len(c.true)]
    table = []
    for share in shares:
        for threshold in np.arange(0.15, 0.85, 0.05):
            bar = Bar(threshold=round(float(threshold), 3), share=share)
            scores = np.array([c.f1(bar, tolerance, 10) for c in clips])
            table.append((float((scores[:, 0] - scores[:, 1]).mean()), bar))
    best = max(gain for gain, _ in table)
    gain, bar = max(
        (row for row in table if row[0] >= best - NEAR_BEST), key=lambda row: (row[1].threshold, row[0])
    )
    return bar, gain


def rows(clips: list[Found], bar: Bar) -> dict[str, Any]:
    """F1 at both tolerances, chance and the difference, with intervals over clips."""
    clips = [c for c in clips if len(c.true)]
    out: dict[str, Any] = asdict(bar) | {"clips": len(clips)}
    for tolerance in (0.05, 0.1):
        scores = np.array([c.f1(bar, tolerance) for c in clips])
        name = f"f1@{round(tolerance * 1000)}"
        out[name] = bootstrap(scores[:, 0]).to_json()
        out[f"{name} chance"] = round(float(scores[:, 1].mean()), 4)
        out[f"{name} minus chance"] = bootstrap(scores[:, 0] - scores[:, 1]).to_json()
    return out


def precision(clips: list[Found], tolerance: float) -> dict[str, Any]:
    """Average precision over all clips with its interval (200 draws of clips)."""
    table = [c.detections() for c in clips]
    index = np.arange(len(clips), dtype=float)
    return bootstrap(
        index, lambda picked: onset.average_precision([table[int(k)] for k in picked], tolerance), draws=200
    ).to_json()


def world(clips: list[Drawn], reader: Reader, bar: Bar, old_bar: Bar) -> dict[str, Any]:
    net, old, rest = read_world(clips, reader)
    every = np.concatenate([b for b in rest["box"] if len(b)])
    constant = np.broadcast_to(every.mean(0), every.shape)
    return {
        "clips": len(net),
        "onset AP@50": precision(net, 0.05),
        "onset AP@100": precision(net, 0.1),
        "motion baseline AP@50": precision(old, 0.05),
        "motion baseline AP@100": precision(old, 0.1),
        "spotter": rows(net, bar),
        "motion baseline": rows(old, old_bar),
        "envelope r (30 Hz, 60 ms windows)": bootstrap(rest["envelope"]).to_json(),
        "box IoU": bootstrap(rest["iou"]).to_json(),
        "box IoU of the mean box": round(boxes.mean_iou(constant, every), 4),
        "material accuracy": bootstrap(np.array(rest["material"], float)).to_json(),
        "material accuracy / chance": round(float(np.mean(rest["material"])) * len(MATERIALS), 2),
        "action accuracy at true onsets": bootstrap(rest["action"]).to_json(),
        "action chance": round(1 / len(ACTIONS), 3),
        "depth mean absolute error": bootstrap(rest["depth"]).to_json(),
    }


def real(folder: Path, bar: Bar, old_bar: Bar) -> dict[str, Any]:
    """Ten real clips through the whole spotter; pseudo-labels from their own sound."""
    import librosa

    by: dict[str, list[Found]] = {"spotter": [], "motion baseline": []}
    eyed: dict[str, list[Found]] = {"spotter": [], "motion baseline": []}
    by_eye = json.loads(BY_EYE.read_text())["clips"]
    clips: dict[str, Any] = {}
    for name in REAL:
        path = folder / f"{name}.mp4"
        video = Video.open(path)
        sound = read_audio(path, 44100).mean(0)
        true = librosa.onset.onset_detect(y=sound, sr=44100, units="time")
        begun = time.process_time()
        seen = observe(video)
        spent = time.process_time() - begun
        bare = observe(video, by_motion=True)
        own = Bar(threshold=seen.threshold, share=seen.share) if seen.source == "motion" else None
        mine = found(seen.readings, true, video.duration, own)
        his = found(bare.readings, true, video.duration)
        by["spotter"].append(mine)
        by["motion baseline"].append(his)
        if name in by_eye:
            at = np.array(by_eye[name]) / video.fps
            eyed["spotter"].append(found(seen.readings, at, video.duration, own))
            eyed["motion baseline"].append(found(bare.readings, at, video.duration))
        clips[name] = {
            "source": seen.source,
            "true": len(mine.true),
            "found": len(mine.times(bar)),
            "spotter f1@50, chance": [round(v, 3) for v in mine.f1(bar, 0.05)],
            "spotter f1@100, chance": [round(v, 3) for v in mine.f1(bar, 0.1)],
            "spotter, its best lag (s), f1@100 there, chance there": [
                round(v, 3) for v in mine.late(bar, 0.1)
            ],
            "motion f1@100, chance": [round(v, 3) for v in his.f1(old_bar, 0.1)],
            "spotter f1@50, chance, by eye": [round(v, 3) for v in eyed["spotter"][-1].f1(bar, 0.05)]
            if name in by_eye
            else None,
            "cpu s, decoding and spotting": round(spent, 2),
        }
    barks = [REAL.index(n) for n in BARKS]
    struck = [c for i, c in enumerate(by["spotter"]) if i not in barks]
    return {
        "labels": "librosa.onset.onset_detect on the real sound, defaults, 44.1 kHz",
        "clips": clips,
        "spotter, ten clips": rows(by["spotter"], bar),
        "spotter, without the two barking dogs": rows(struck, bar),
        "motion baseline, ten clips": rows(by["motion baseline"], old_bar),
        "spotter, impacts by eye": rows(eyed["spotter"], bar),
        "motion baseline, impacts by eye": rows(eyed["motion baseline"], old_bar),
    }


def choose(val: list[Drawn], reader: Reader) -> dict[str, Any]:
    """The bars of both detectors, and below which strongest evidence a clip is left to motion."""
    net, old, _ = read_world(val, reader)
    chosen: dict[str, Any] = {}
    for name, clips, shares in (("spotter", net, SHARES), ("motion", old, (0.0,))):
        bar, gain = best_bar(clips, shares)
        chosen[name] = asdict(bar) | {"F1@100 minus chance": round(gain, 3)}
    sure = float(np.quantile([c.readings.onset.max() for c in net if len(c.true)], 0.05))
    return chosen | {"sure": round(sure, 3), "clips": len(net)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("choose", "report"))
    parser.add_argument("--world", type=Path, required=True)
    parser.add_argument("--chosen", type=Path, required=True, help="written by choose, read by report")
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--weights", default=None, help="a file in place of the embedded weights")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    reader = Reader.load(given.weights) if given.weights else embedded()
    if given.what == "choose":
        given.chosen.write_text(json.dumps(choose(drawn(given.world, "val"), reader), indent=1) + "\n")
        print(given.chosen.read_text())
        return
    chosen = json.loads(given.chosen.read_text())
    old_bar = Bar(threshold=chosen["motion"]["threshold"])
    mine = Bar(threshold=reader.threshold, share=reader.share)
    result = {
        "chosen on world val": chosen,
        "world test": world(drawn(given.world, "test"), reader, mine, old_bar),
    }
    given.out.parent.mkdir(exist_ok=True)
    given.out.write_text(json.dumps(result, indent=1) + "\n")
    if given.clips:
        result["real clips"] = real(given.clips, mine, old_bar)
        given.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
