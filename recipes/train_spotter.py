"""Train weft's spotter: measure the motion of the training clips, learn, write the weights.

    python recipes/train_spotter.py measure --out MEASURED --first 20000 --count 2000 --scribbles 8
    python recipes/train_spotter.py measure --out MEASURED --split val --count 200
    python recipes/train_spotter.py train --data MEASURED --run RUN --minutes 60
    python recipes/train_spotter.py train --part appearance --data MEASURED --run LOOK
    python recipes/train_spotter.py train --part outline --data MEASURED --run OUTLINE --minutes 30
    python recipes/train_spotter.py train --data MEASURED --run SECOND --start RUN --plain-from 2700
    python recipes/train_spotter.py export --run SECOND --first RUN --look LOOK --outline OUTLINE \
        --threshold T --share S --sure E

Motion, appearance and outline share no weights, so each is trained by itself; the outline on the boxes that the shipped
motion part finds.

Clips of the world are drawn, measured as a whole and through closer views, and let go of. Measuring may go on while
training runs: it takes in what is new.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch

import weft.weights
from weft.metrics import boxes, onset
from weft.metrics.envelope import correlation
from weft.spotting.network import SpotterConfig, SpotterNet
from weft.spotting.reader import Reader, embedded
from weft.spotting.readings import pick
from weft.training import examples, outline, spotter, variations
from weft.training.loop import LoopConfig, ema_weights, train

SCRIBBLES_PER_PART, PER_PART = 50, 25
VIEWS = 2  # closer ones, of every clip
WORLDS, DRAWINGS = 7, 1
PLAIN = 0.6  # share of the examples that are left as measured, late in a run
PICTURES = 128  # in a step of the appearance branch
APPEARANCE = ("look.", "material.")
OUTLINE = ("outline.",)
APART = (*APPEARANCE, *OUTLINE)  # what the motion part's training leaves alone
BOXES = 48  # in a step of the outline
OUTLINE_VAL = 5  # the last parts of the training clips, held out of the outline's training
YOUNG = ("close.", "box_shift.")  # parts that a run to start from may lack: they begin as nothing
LOOKS_TRIED = (  # noise on the descriptions, dropout, weight decay, learning rate
    (0.5, 0.4, 0.3, 2e-3),
    (0.3, 0.4, 0.1, 1e-3),
)
REFRESH = 100  # steps between looks for newly measured parts
SHIPPED = Path(__file__).parents[1] / "src/weft/weights/weft-spotter.safetensors"


def measure(out: Path, split: str, first: int, count: int, scribbles: int) -> None:
    """Draw and measure what is not there yet: clips `first` to `first + count` of a split, and parts of scribbles."""
    out.mkdir(parents=True, exist_ok=True)
    for part in range(first // PER_PART, (first + count) // PER_PART):
        if not (out / f"{split}-{part:05d}").is_dir():
            clips = range(part * PER_PART, (part + 1) * PER_PART)
            drawn = examples.from_world(split, clips, np.random.default_rng((part, 31)), views=VIEWS)
            drawn.save(out / f"{split}-{part:05d}")
            print("measured", part, flush=True)
    for part in range(scribbles):
        if not (out / f"drawn-{part:04d}").is_dir():
            seeds = range(part * SCRIBBLES_PER_PART, (part + 1) * SCRIBBLES_PER_PART)
            examples.from_scribbles(seeds).save(out / f"drawn-{part:04d}")


class Pool:
    """The measured examples, read again when more have appeared."""

    def __init__(self, data: Path, plain_from: int | None = None) -> None:
        self.data = data
        self.plain_from = plain_from
        self.seen: list[str] = []
        self.world: list[examples.Examples] = []
        self.drawn: list[examples.Examples] = []

    def refresh(self, step: int) -> None:
        if step % REFRESH == 0 or not self.world:
            found = sorted(p.name for p in self.data.glob("[!.]*"))
            if found != self.seen:
                self.seen = found
                self.world = examples.parts(self.data, "train")
                self.drawn = examples.parts(self.data, "drawn")

    def batch(self, step: int) -> dict[str, torch.Tensor]:
        """The batch of a step: a pure function of it once the data have stopped growing."""
        self.refresh(step)
        rng = np.random.default_rng((step, 77))
        plain = PLAIN if self.plain_from is not None and step >= self.plain_from else 0.0
        return variations.batch(self.world, self.drawn, rng, worlds=WORLDS, drawings=DRAWINGS, plain=plain)


def learn(
    data: Path, run: Path, minutes: float, steps: int, start: Path | None, plain_from: int | None
) -> None:
    """Train the motion part; with `start`, from the moving average of an earlier run."""
    torch.manual_seed(0)
    net = SpotterNet(SpotterConfig())
    val = examples.parts(data, "val")
    if start is not None:
        _take_motion(net, start)
        print("the start", start, flush=True)
        validate(net, val)
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(not name.startswith(APART))
    pool = Pool(data, plain_from)
    config = LoopConfig(
        steps=steps,
        minutes=minutes,
        learning_rate=1.5e-3,
        bf16=True,
        optimiser="muon",
        ema=0.995,
        warmup=100,
        log_every=25,
    )
    train(net, lambda given, _: spotter.losses(net, given), pool.batch, config, run)
    _take_motion(net, run)
    validate(net, val)


def _take_motion(net: SpotterNet, run: Path) -> None:
    """Put the moving average of a run's motion part, or that of a file of weights, into `net`."""
    kept = {k: v.float() for k, v in _weights(run).items() if not k.startswith(APART)}
    missing = [k for k in net.state_dict() if k not in kept and not k.startswith((*APART, *YOUNG))]
    if missing:
        raise SystemExit(f"{run} has not {missing}")
    net.load_state_dict(net.state_dict() | kept)


def _weights(run: Path) -> dict[str, torch.Tensor]:
    return weft.weights.load(run)[0] if run.is_file() else ema_weights(run)


def validate(net: SpotterNet, val: list[examples.Examples]) -> None:
    """Print scores on the validation clips."""
    reader = Reader(net, {})
    detections, ious, levels = [], [], []
    for part, i in ((p, i) for p in val for i in range(len(p))):
        readings = reader.read(part.motion(i), part.pictures[i])
        times, evidence, _ = pick(readings, 0.02, 4.0)
        detections.append((times, evidence, part.onsets(i)))
        known = np.isfinite(part.box[i]).all(1)
        ious.append(boxes.mean_iou(readings.box[known], part.box[i][known]) if known.any() else np.nan)
        levels.append(correlation(readings.level, np.power(10.0, part.level[i] / 20)))
    for tolerance in (0.05, 0.1):
        print(f"AP@{tolerance}: {onset.average_precision(detections, tolerance):.3f}", flush=True)
    print(f"box IoU {np.nanmean(ious):.3f}, envelope r {np.mean(levels):.3f}")


def learn_look(data: Path, run: Path, minutes: float, steps: int) -> None:
    """Train the appearance branch at several strengths of regularisation; the best on the validation clips stays."""
    pool = Pool(data)
    pool.refresh(0)
    described, material = spotter.looked(pool.world, np.random.default_rng(78), times=3)
    val = examples.parts(data, "val")
    held, held_material = spotter.looked(val, np.random.default_rng(79), times=4)
    print("described", tuple(described.shape), tuple(held.shape), flush=True)

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        picked = torch.randperm(len(material), generator=torch.Generator().manual_seed(step))[:PICTURES]
        return described[picked], material[picked]

    scores = {}
    for k, (noise, drop, decay, rate) in enumerate(LOOKS_TRIED):
        torch.manual_seed(1)
        net = SpotterNet(SpotterConfig())
        for name, parameter in net.named_parameters():
            parameter.requires_grad_(name.startswith(APPEARANCE))
        net.look.mean.copy_(described.mean(0))
        net.look.spread.copy_(described.std(0) + 1e-2)
        net.look.drop.p = drop
        config = LoopConfig(
            steps=steps,
            minutes=minutes,
            learning_rate=rate,
            weight_decay=decay,
            ema=0.995,
            warmup=50,
            log_every=100,
        )
        train(net, partial(_look_step, net, noise), batch, config, run / str(k))
        net.load_state_dict(ema_weights(run / str(k)))
        with torch.inference_mode():
            told = net.eval().material(net.look.learn(held)).log_softmax(1)
        clips = told.unflatten(0, (sum(map(len, val)), -1)).mean(1).argmax(1)
        single = float((told.argmax(1) == held_material).float().mean())
        scores[k] = float(
            (clips == torch.from_numpy(np.concatenate([p.material for p in val]).astype(np.int64)))
            .float()
            .mean()
        )
        print(f"{k} {LOOKS_TRIED[k]}: picture {single:.3f} clip {scores[k]:.3f}", flush=True)
    best = max(scores, key=lambda k: scores[k])
    print("best:", run / str(best), flush=True)


def _look_step(
    net: SpotterNet, noise: float, given: tuple[torch.Tensor, torch.Tensor], generator: torch.Generator
) -> dict[str, torch.Tensor]:
    return spotter.look_loss(net, *given, generator, noise=noise)


def learn_outline(data: Path, run: Path, minutes: float, steps: int, start: Path | None) -> None:
    """Train the outline, with `start` from the moving average of an earlier run; what the shipped motion part finds on
    the training clips is kept under `run`/found."""
    folders = []
    for part in sorted(data.glob("train-*")):
        kept = run / "found" / part.name
        if not kept.is_dir():
            kept.parent.mkdir(parents=True, exist_ok=True)
            outline.found(examples.Examples.load(part), embedded()).save(kept)
            print("found", part.name, flush=True)
        folders.append(kept)
    learnt, held = outline.read(folders[:-OUTLINE_VAL]), outline.read(folders[-OUTLINE_VAL:])
    print("boxes", len(learnt), len(held), flush=True)
    torch.manual_seed(2)
    net = SpotterNet(SpotterConfig()).outline
    if start is not None:
        net.load_state_dict(ema_weights(start))
    config = LoopConfig(
        steps=steps,
        minutes=minutes,
        learning_rate=2e-3,
        weight_decay=0.02,
        bf16=True,
        ema=0.998,
        warmup=100,
        log_every=100,
    )

    def batch(step: int) -> dict[str, torch.Tensor]:
        return outline.batch(learnt, np.random.default_rng((step, 83)), BOXES)

    def tell(step: int) -> None:
        averaged = SpotterNet(SpotterConfig()).outline
        averaged.load_state_dict(ema_weights(run))
        before, after = outline.score(averaged, held, 2)
        print(f"step {step}, held-out parts: IoU {before:.3f} found, {after:.3f} outlined", flush=True)

    train(net, lambda given, _: outline.losses(net, given), batch, config, run, on_checkpoint=tell)


def export(
    run: Path, first: Path | None, look: Path, edges: Path, out: Path, note: str, bar: dict[str, float]
) -> None:
    """Write the moving averages as float16, configuration beside: motion from `run`, appearance from `look`, the
    outline from `edges`.

    With `first`, the run it started from, motion is half way between the two: what was learnt later without what
    it cost elsewhere (Wortsman et al. 2022, robust fine-tuning of zero-shot models).
    """
    net = SpotterNet(SpotterConfig())
    tensors = {k: v for k, v in _weights(run).items() if not k.startswith(APART)}
    if first is not None:
        young = {k: v for k, v in tensors.items() if k.startswith(YOUNG)}
        begun = {
            k: torch.zeros_like(v) if k.startswith("box_shift.") or ".out." in k else v
            for k, v in young.items()
        }
        before = begun | {k: v.float() for k, v in _weights(first).items()}
        tensors = {k: torch.lerp(before[k], v, 0.5) for k, v in tensors.items()}
    tensors |= {k: v for k, v in _weights(look).items() if k.startswith(APPEARANCE)}
    own = edges.is_file()  # a file of the whole spotter's weights
    tensors |= {
        k if own else OUTLINE[0] + k: v
        for k, v in _weights(edges).items()
        if k.startswith(OUTLINE) or not own
    }
    net.load_state_dict(tensors)
    half = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    weft.weights.save(out, half, {"config": asdict(net.config), "trained": note} | bar)
    print(out, f"{out.stat().st_size / 2**20:.1f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    m = commands.add_parser("measure")
    m.add_argument("--out", type=Path, required=True)
    m.add_argument("--split", default="train")
    m.add_argument("--first", type=int, default=0, help="number of the first clip, a multiple of 25")
    m.add_argument("--count", type=int, default=2000)
    m.add_argument("--scribbles", type=int, default=0, help="parts of 50 drawn clips")
    t = commands.add_parser("train")
    t.add_argument("--data", type=Path, required=True)
    t.add_argument("--run", type=Path, required=True)
    t.add_argument("--minutes", type=float, default=60.0)
    t.add_argument("--start", type=Path, help="an earlier run, or a file of weights, to go on from")
    t.add_argument("--plain-from", type=int, help="the step from which most examples are left as measured")
    t.add_argument("--part", choices=("motion", "appearance", "outline"), default="motion")
    t.add_argument("--steps", type=int, default=None, help="default: 20000; of appearance, 1500")
    e = commands.add_parser("export")
    e.add_argument("--run", type=Path, required=True)
    e.add_argument("--first", type=Path, help="the run or file it started from: ship what lies half way")
    e.add_argument("--out", type=Path, default=SHIPPED)
    e.add_argument("--note", default="")
    e.add_argument("--look", type=Path, default=SHIPPED, help="a run, or a file of weights")
    e.add_argument("--outline", type=Path, default=SHIPPED, help="a run, or a file of weights")
    e.add_argument("--threshold", type=float, required=True, help="by `evaluate_spotter.py choose`")
    e.add_argument("--share", type=float, required=True, help="so is this")
    e.add_argument("--sure", type=float, default=0.0, help="below this evidence motion times the clip")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    if given.command == "measure":
        measure(given.out, given.split, given.first, given.count, given.scribbles)
    elif given.command == "train":
        if given.part == "motion":
            learn(given.data, given.run, given.minutes, given.steps or 20000, given.start, given.plain_from)
        elif given.part == "outline":
            learn_outline(given.data, given.run, given.minutes, given.steps or 20000, given.start)
        else:
            learn_look(given.data, given.run, given.minutes, given.steps or 1500)
    else:
        bar = {"threshold": given.threshold, "share": given.share, "sure": given.sure}
        export(given.run, given.first, given.look, given.outline, given.out, given.note, bar)


if __name__ == "__main__":
    main()
