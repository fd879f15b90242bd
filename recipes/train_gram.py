"""Does the volume make a better space than cosines? Trains GRAM in miniature by each loss, and compares the spaces.

    python recipes/train_encoders.py draw --data DATA --kind films --first 10000 --count 1900
    python recipes/train_gram.py train --data DATA --run RUN
    python recipes/train_gram.py measure --run RUN --cache CACHE
    python recipes/train_gram.py train --data DATA --run FIRST --loss pairwise --seed 1 --steps 500
    python recipes/train_gram.py train --data DATA --run LONG --start FIRST --seed 1 --steps 500
    python recipes/train_gram.py ship --run LONG

DATA holds films-train-*; CACHE holds test-* (`recipes/build_world_cache.py`). `train` makes one run for each loss and
seed, each resumable: call it again and it goes on. All start from the same networks and see the same batches; only
the loss differs. `measure` asks every finished run for the test clips, writes results/gram.json, and says which won.
With `--start`, every run goes on from what FIRST learnt pairwise with its seed, as GRAM's own training starts from
encoders that were learnt so; `ship` writes runs as files beside their checkpoints, for `recipes/evaluate_guidance.py`.

A caption tells material and action and little more, so beside "the clip itself" it is asked for any clip of its kind.
"""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import asdict
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from weft.alignment.losses import AlignmentConfig, measure
from weft.encoders.audio_net import AudioNetConfig
from weft.encoders.text import TextEncoder
from weft.encoders.text_net import TextNetConfig
from weft.encoders.video_net import VideoNetConfig
from weft.metrics import gap, retrieval, volume
from weft.metrics.interval import bootstrap
from weft.training import pairs
from weft.training.cache import drawn
from weft.training.gram import Miniature, MiniatureConfig, batch_of
from weft.training.loop import CHECKPOINT, LoopConfig, ema_weights, train
from weft.training.shipping import ship
from weft.training.triples import Triples, of_drawn, of_pairs

SEEDS = (1, 2, 3)
LOSSES = {
    "pairwise": AlignmentConfig(form="pairwise", every_pair=True),
    "gram": AlignmentConfig(form="volume"),
    "gram + cosine": AlignmentConfig(form="volume", cosine=0.5),
    "area": AlignmentConfig(form="area"),
}
COMPARED = ("pairwise", "gram")
RANKS = (1, 10)
MODALITIES = ("text", "video", "audio")
OUT = Path(__file__).parents[1] / "results/gram.json"


def config_of(loss: str) -> MiniatureConfig:
    """Small enough for half an hour of one core for all runs."""
    return MiniatureConfig(
        audio=AudioNetConfig(channels=(8, 16, 32, 48), width=96),
        video=VideoNetConfig(channels=(24, 32), width=96, depth=2),
        text=TextNetConfig(width=64),
        loss=LOSSES[loss],
        clips=64,
    )


def loop_of(seed: int, steps: int) -> LoopConfig:
    return LoopConfig(
        steps=steps,
        learning_rate=2e-3,
        betas=(0.9, 0.98),
        weight_decay=0.02,
        warmup=40,
        ema=0.98,
        seed=seed,
        log_every=20,
        checkpoint_minutes=3,
    )


def network(loss: str, seed: int) -> Miniature:
    torch.manual_seed(seed)
    return Miniature(config_of(loss))


def films(data: Path) -> Triples:
    """All films of the training split, each once."""
    found = Triples.joined([of_pairs(p) for p in pairs.parts(data, "films-train")])
    first = np.unique(found.index, return_index=True)[1]
    return Triples(**{name: getattr(found, name)[first] for name in vars(found)})


def learn(
    data: Path, run: Path, losses: list[str], seeds: list[int], steps: int, start: Path | None = None
) -> None:
    """Train every loss with every seed, seed by seed, so that an early stop leaves whole comparisons."""
    clips, text = films(data), TextEncoder.load()
    print(f"{len(clips)} films", flush=True)
    for seed in seeds:
        for loss in losses:
            module, folder = network(loss, seed), run / f"{loss}-{seed}"
            if start is not None:
                module.load_state_dict(ema_weights(start / f"pairwise-{seed}"))

            def batch_at(
                step: int, seed: int = seed, config: MiniatureConfig = module.config
            ) -> dict[str, Tensor]:
                return batch_of(clips, text, config, np.random.default_rng([seed, step]))

            ended = train(module, module.losses, batch_at, loop_of(seed, steps), folder)
            print(f"{folder.name}: {ended}", flush=True)
            if not ended.finished:
                return
            told = {"films": len(clips), "of": [int(clips.index.min()), int(clips.index.max())]}
            if start is not None:
                told["pairwise before, steps"] = _steps(start / f"pairwise-{seed}")
            (folder / "told.json").write_text(json.dumps(told) + "\n")


def _steps(folder: Path) -> int:
    return int(torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)["counters"][0])


@torch.inference_mode()
def embeddings(
    folder: Path, loss: str, clips: Triples, said: list[str], text: TextEncoder
) -> dict[str, Tensor]:
    """Unit vectors `[N, D]` of each modality, by the moving average of a run's weights."""
    net = network(loss, 0)
    net.load_state_dict(ema_weights(folder))
    net.eval()
    tokens, mask = text.tokens(said, net.config.text.length)
    parts = range(0, len(clips), 100)
    return {
        "text": net.read(tokens, mask),
        "video": torch.cat(
            [net.see(torch.from_numpy(np.array(clips.cells[i : i + 100], "f4"))) for i in parts]
        ),
        "audio": torch.cat(
            [net.hear(torch.from_numpy(np.array(clips.mel[i : i + 100], "f4"))) for i in parts]
        ),
    }


def tables(found: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """Likeness `[N, N]` of queries (rows) and keys, by name: text and both others, and every pair both ways; by the
    cosine, and by the volume, which of a pair is the sine of its angle and blind to signs."""
    t, v, a = (found[m] for m in MODALITIES)
    out = {}
    for name, config in (("cosine", LOSSES["pairwise"]), ("volume", LOSSES["gram"])):
        both = -measure(config, t, v, a).numpy()
        out |= {f"text → audio+video, by {name}": both, f"audio+video → text, by {name}": both.T}
        for one, other in permutations(MODALITIES, 2):
            out[f"{one} → {other}, by {name}"] = -measure(config, found[one], found[other]).numpy()
    return out


def recalls(found: dict[str, Tensor], kinds: np.ndarray) -> dict[str, np.ndarray]:
    """1 where a query found its key, else 0, `[N]`, by question."""
    answers = {"itself": np.eye(len(kinds), dtype=bool), "its kind": kinds[:, None] == kinds[None]}
    return {
        f"{name}, {what}, R@{rank}": retrieval.hits(table, right, rank).astype(float)
        for name, table in tables(found).items()
        for what, right in answers.items()
        for rank in RANKS
    }


def geometry(found: dict[str, Tensor]) -> dict[str, float]:
    """The gaps between modalities, the mean cosines of clips' own pairs, and V of own and of shuffled clips."""
    arrays = {m: found[m].numpy() for m in MODALITIES}
    out: dict[str, float] = {}
    for one, other in (("text", "video"), ("text", "audio"), ("video", "audio")):
        out[f"gap {one}-{other}"] = gap.modality_gap(arrays[one], arrays[other])
        out[f"cosine {one}-{other}"] = float((arrays[one] * arrays[other]).sum(1).mean())
    spanned = volume.evaluate(arrays["video"], arrays["audio"], arrays["text"])
    return {k: round(v, 4) for k, v in (out | {"V": spanned.value, "V shuffled": spanned.shuffled}).items()}


def judge(run: Path, cache: Path, split: str, out: Path) -> None:
    """Measure all finished runs and write `out`."""
    drawings = drawn(cache, split)
    kept = run / f"{split}-triples"
    if not kept.is_dir():
        of_drawn(drawings).save(kept)
    clips, text = Triples.load(kept), TextEncoder.load()
    said = [clip.label["captions"][1] for clip in drawings]
    kinds = clips.kinds()
    hit: dict[str, list[dict[str, np.ndarray]]] = {}
    shape: dict[str, list[dict[str, float]]] = {}
    runs = []
    for folder in sorted(p for p in run.glob("*-[0-9]*") if (p / "told.json").is_file()):
        loss, seed = folder.name.rsplit("-", 1)
        step, minutes, _ = torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)["counters"]
        found = embeddings(folder, loss, clips, said, text)
        hit.setdefault(loss, []).append(recalls(found, kinds))
        shape.setdefault(loss, []).append(geometry(found))
        told = json.loads((folder / "told.json").read_text())
        runs.append({"loss": loss, "seed": int(seed), "steps": step, "minutes": round(minutes, 1)} | told)
        print(f"{folder.name}: measured", flush=True)
    report = {
        "what": "GRAM in miniature: one space learnt by each loss from the same films, batches and first weights; "
        "R@k over the clips of the split, mean over seeds, 95% bootstrap interval over clips",
        "split": split,
        "clips": len(clips),
        "config": {k: v for k, v in asdict(config_of("gram")).items() if k != "loss"},
        "losses": {loss: asdict(LOSSES[loss]) for loss in hit},
        "runs": runs,
        "chance": chances(kinds),
        "retrieval": {loss: summed(rows) for loss, rows in hit.items()},
        "geometry": {loss: {k: [r[k] for r in rows] for k in rows[0]} for loss, rows in shape.items()},
        "against pairwise": {loss: differences(hit, loss) for loss in hit if loss != "pairwise"},
    }
    report["verdict"] = verdict(report)
    out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    print(report["verdict"], flush=True)


def keep(run: Path, seed: int) -> None:
    """Write the moving averages of the seed's runs into their folders."""
    for loss in COMPARED:
        folder, net = run / f"{loss}-{seed}", network(loss, 0)
        out = folder / "encoders.safetensors"
        net.load_state_dict(ema_weights(folder))
        step, minutes, _ = torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)["counters"]
        told = json.loads((folder / "told.json").read_text())
        ship(
            net,
            out,
            trained="recipes/train_gram.py",
            loss=loss,
            seed=seed,
            steps=step,
            minutes=round(minutes, 1),
            **told,
        )
        print(f"{out}: {out.stat().st_size / 2**20:.2f} MiB, step {step}", flush=True)


def chances(kinds: np.ndarray) -> dict[str, float]:
    alike = kinds[:, None] == kinds[None]
    return {f"its kind, R@{r}": round(retrieval.chance(alike, r), 4) for r in RANKS} | {
        f"itself, R@{r}": round(retrieval.chance(np.eye(len(kinds), dtype=bool), r), 4) for r in RANKS
    }


def summed(rows: list[dict[str, np.ndarray]]) -> dict[str, Any]:
    """Each question's recall over clips and seeds, and each seed's own."""
    return {
        name: bootstrap(np.mean([r[name] for r in rows], axis=0)).to_json()
        | {"seeds": [round(float(r[name].mean()), 4) for r in rows]}
        for name in rows[0]
    }


def own_measure(loss: str) -> str:
    return "cosine" if loss == "pairwise" else "volume"


def differences(hit: dict[str, list[dict[str, np.ndarray]]], loss: str) -> dict[str, Any]:
    """The loss's recall less the pairwise one's, clip by clip, over the seeds both have: each by its own measure, and
    both by cosines; and each seed's own difference. {} when there is no pairwise run."""
    pairs_of_runs = list(zip(hit[loss], hit.get("pairwise", []), strict=False))
    out: dict[str, Any] = {}
    for name in hit[loss][0] if pairs_of_runs else ():
        if ", by cosine" in name:
            own = name.replace("by cosine", f"by {own_measure(loss)}")
            for told, asked in ((name, name), (name.replace("by cosine", "each by its own"), own)):
                apart = [one[asked] - other[name] for one, other in pairs_of_runs]
                seeds = [round(float(x.mean()), 4) for x in apart]
                out[told] = bootstrap(np.mean(apart, axis=0)).to_json() | {"seeds": seeds}
    return out


def verdict(report: dict[str, Any]) -> str:
    """Say in a sentence whether GRAM's loss won: by the intervals over clips of its difference to the pairwise one, of
    which only those count where every seed says the same."""
    found = report["against pairwise"].get("gram", {})
    asked = {k: v for k, v in found.items() if "each by its own" in k}
    if not asked:
        return "no run of both losses yet: nothing is compared"
    better = sum(v["low"] > 0 and min(v["seeds"]) > 0 for v in asked.values())
    worse = sum(v["high"] < 0 and max(v["seeds"]) < 0 for v in asked.values())
    seeds = len(next(iter(asked.values()))["seeds"])
    word = "GRAM wins" if better > worse else "GRAM does not win"
    word = word if seeds >= len(SEEDS) else "too few seeds to say who wins"
    return (
        f"{word}: of {len(asked)} recalls its volume is better than pairwise cosines in {better}, worse in {worse}, "
        f"not told apart in {len(asked) - better - worse} (95% over clips, paired, and all of {seeds} seed(s) agreeing)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stage", choices=("train", "measure", "ship"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--run", type=Path, default=Path("run"))
    parser.add_argument("--cache", type=Path, default=Path("cache"))
    parser.add_argument("--split", default="test")
    parser.add_argument("--loss", nargs="+", choices=sorted(LOSSES), default=list(COMPARED))
    parser.add_argument("--seed", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--start", type=Path, help="pairwise runs to go on from")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    torch.set_num_threads(1)
    logging.basicConfig(level=logging.WARNING)
    if given.stage == "train":
        learn(given.data, given.run, given.loss, given.seed, given.steps, given.start)
    elif given.stage == "ship":
        keep(given.run, given.seed[0])
    else:
        judge(given.run, given.cache, given.split, given.out)


if __name__ == "__main__":
    main()
