"""Turn the files in results/ into docs/results.md and the table of the README: no number is typed by hand.

    python recipes/results_table.py          # writes both
    python recipes/results_table.py --check  # exit 1 when either is not what the files say

Every row stands beside what it must reach and what is aimed at; where a number is not reached, the row says so.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- results -->", "<!-- /results -->"
COMMANDS = {
    "codec": "python recipes/evaluate_codec.py --clips CLIPS",
    "generator": "python recipes/evaluate_generator.py",
    "words": "python recipes/evaluate_words.py",
    "spotter": "python recipes/evaluate_spotter.py report --world CACHE --chosen BAR --clips CLIPS",
    "silent": "python recipes/evaluate_silent.py --world CACHE --listener LISTENER",
    "speed": "python recipes/benchmark.py --runs 5",
    "takes": "python recipes/evaluate_takes.py",
    "encoders": "python recipes/measure_encoders.py --cache CACHE --split test --clips 200",
    "eval_speed": "python recipes/benchmark_eval.py --clips 200 --seconds 8 --jobs 2",
    "frechet_speed": "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python recipes/benchmark_frechet.py --repeats 3",
    "gram": "python recipes/train_gram.py measure --run RUN --cache CACHE",
    "gram_started": "python recipes/train_gram.py measure --run LONG --cache CACHE --out results/gram_started.json",
    "mel_bridge": "python recipes/measure_mel_bridge.py CLIPS",
    "guidance_cost": "python recipes/benchmark_guidance.py --seconds 1",
    "guidance": "python recipes/evaluate_guidance.py --run RUN --listener LISTENER --pairwise P --gram G --seeds 1",
    "mmaudio_speed": "OMP_NUM_THREADS=1 python recipes/benchmark_mmaudio.py --reference MMAUDIO --pairs 3",
    "joint_training": "python recipes/joint_training.py --data DATA --runs RUNS",
}


def results() -> dict[str, Any]:
    """Every results file by name; a file that is missing leaves its rows out."""
    return {p.stem: json.loads(p.read_text()) for p in sorted((ROOT / "results").glob("*.json"))}


def shown(value: Any) -> str:
    """A number, or a mean with its interval, as the table prints it."""
    if isinstance(value, dict) and "value" in value:
        return f"{value['value']:.3g} [{value['low']:.3g}, {value['high']:.3g}]"
    return f"{value:.3g}" if isinstance(value, (int, float)) else str(value)


def number(value: Any) -> float:
    return float(value["value"] if isinstance(value, dict) else value)


@dataclass(frozen=True)
class Row:
    """One promise: where its number lies, what it must reach, what is aimed at; `low` when less is better."""

    what: str
    source: str
    find: Callable[[dict[str, Any]], Any]
    must: float | None
    aim: float | None
    low: bool = False
    beside: Callable[[dict[str, Any]], str] | None = None

    def cells(self, found: dict[str, Any]) -> list[str] | None:
        if self.source not in found:
            return None
        value = self.find(found[self.source])
        got = number(value)
        verdict = ""
        if self.must is not None and self.aim is not None:
            better = (lambda a, b: a <= b) if self.low else (lambda a, b: a >= b)
            verdict = (
                "aim" if better(got, self.aim) else "reached" if better(got, self.must) else "**not reached**"
            )
        beside = self.beside(found[self.source]) if self.beside else ""
        bounds = ["" if x is None else f"{x:g}" for x in (self.must, self.aim)]
        return [self.what, shown(value), *bounds, verdict, beside]


def table(found: dict[str, Any], rows: list[Row]) -> list[str]:
    lines = ["| what | measured [95%] | must | aim | | beside it |", "|---|---|---|---|---|---|"]
    for row in rows:
        cells = row.cells(found)
        if cells is not None:
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def at(*keys: str) -> Callable[[dict[str, Any]], Any]:
    """Look `keys` up one inside the other."""

    def find(tree: dict[str, Any]) -> Any:
        for key in keys:
            tree = tree[key]
        return tree

    return find


def beside(**keys: tuple[str, ...]) -> Callable[[dict[str, Any]], str]:
    """Other numbers of the same file, named, as one cell."""
    return lambda tree: "; ".join(
        f"{name.replace('_', ' ')} {shown(at(*k)(tree))}" for name, k in keys.items()
    )


def compared(metric: str) -> Callable[[dict[str, Any]], str]:
    rows = {
        "weft-physical": ("rows", "weft-physical", metric),
        "codec": ("rows", "codec", metric),
        "true_sounds": ("rows", "true sounds", metric),
        "chance": ("rows", "chance (sounds of other clips)", metric),
    }
    return beside(**rows)


CODEC = [
    Row("mel error, world, dB", "codec", at("world", "codec", "mel_error_db"), 2.0, 1.2, True,
        beside(other_clip=("world", "chance", "mel_error_db"))),
    Row("mel error, real clips, dB", "codec", at("real", "codec", "mel_error_db"), 3.5, 2.5, True,
        beside(other_clip=("real", "chance", "mel_error_db"))),
    Row("envelope r, world", "codec", at("world", "codec", "envelope_r"), 0.95, 0.98),
    Row("envelope r, real clips", "codec", at("real", "codec", "envelope_r"), 0.92, 0.95),
    Row("level-difference error, world, dB", "codec", at("world", "codec", "ild_error_db"), 1.0, 0.5, True),
]  # fmt: skip


def performer(name: str) -> list[Row]:
    ratio = lambda key: at("ratios", name, key)  # noqa: E731
    return [
        Row(f"{name}: onset F1@50 ms ÷ true sounds'", "generator", ratio("onset F1 / true sounds"), 0.95, 1.0,
            beside=compared("onset_f1")),
        Row(f"{name}: envelope r", "generator", ratio("envelope r"), 0.93, 0.97, beside=compared("envelope_r")),
        Row(f"{name}: pan r", "generator", ratio("pan r"), 0.92, 0.97, beside=compared("pan_r")),
        Row(f"{name}: pan r, trajectory mirrored", "generator", ratio("pan r, trajectory mirrored"), None, None),
        Row(f"{name}: material accuracy ÷ true sounds'", "generator", ratio("material / true sounds"), 0.75, 0.9,
            beside=compared("material")),
    ]  # fmt: skip


PERFORMERS = [*performer("weft-mini"), *performer("weft-physical")]

WHAT = [
    Row("weft-mini: forced other material heard", "generator",
        at("forced material", "weft-mini, envelope dropped", "mean"), 0.5, 0.7,
        beside=beside(envelope_of_the_old_sound_kept=(
            "forced material", "weft-mini, envelope of the old sound kept", "mean"))),
    Row("weft-physical: forced other material heard", "generator",
        at("forced material", "weft-physical, envelope dropped", "mean"), 0.5, 0.7),
    Row("weft-mini: words never seen, right material heard", "generator", at("unseen words", "weft-mini"), 0.5, 0.7,
        beside=beside(read_right=("unseen words", "read by the text encoder"))),
    Row("weft-physical: words never seen, right material heard", "generator", at("unseen words", "weft-physical"),
        0.5, 0.7),
]  # fmt: skip

SPOTTER = [
    Row("spotter, world: onset AP@50 ms", "spotter", at("world test", "onset AP@50"), 0.92, 0.96,
        beside=beside(motion_detector=("world test", "motion baseline AP@50"))),
    Row("spotter, world: envelope r", "spotter", at("world test", "envelope r (30 Hz, 60 ms windows)"), 0.7, 0.8),
    Row("spotter, world: box IoU", "spotter", at("world test", "box IoU"), 0.5, 0.7,
        beside=beside(mean_box=("world test", "box IoU of the mean box"))),
    Row("spotter, world: material from the picture ÷ chance", "spotter",
        at("world test", "material accuracy / chance"), 5, 10),
    Row("spotter, ten real clips, by their own sound: onset F1@100 ms minus chance", "spotter",
        at("real clips", "spotter, ten clips", "f1@100 minus chance"), 0.25, 0.4,
        beside=beside(motion_detector=("real clips", "motion baseline, ten clips", "f1@100 minus chance"))),
    Row("spotter, five of them, impacts labelled by eye: onset F1@100 ms minus chance", "spotter",
        at("real clips", "spotter, impacts by eye", "f1@100 minus chance"), 0.25, 0.4,
        beside=beside(motion_detector=("real clips", "motion baseline, impacts by eye", "f1@100 minus chance"))),
]  # fmt: skip

SILENT = [
    Row("silent world video alone → sound, weft-physical: onset F1@50 ms", "silent",
        at("weft-physical, from the picture", "onset F1@50"), 0.8, 0.9,
        beside=beside(true_sheet=("weft-physical, true sheet (seed 0)", "onset F1@50"),
                      true_sounds=("true sounds", "onset F1@50"),
                      motion_detector=("weft-physical, by the motion baseline (seed 0)", "onset F1@50"),
                      chance=("chance (sounds of other clips)", "onset F1@50"))),
    Row("silent world video alone → sound, weft-mini: onset F1@50 ms", "silent",
        at("weft-mini, from the picture", "onset F1@50"), 0.8, 0.9),
]  # fmt: skip


def dials(found: dict[str, Any]) -> list[str]:
    """Each dial off or another clip's, weft-mini: its number falls, the others hold."""
    rows = found.get("generator", {}).get("dials", {})
    if not rows:
        return []
    columns = ("onset_f1", "envelope_r", "pan_r", "material")
    lines = ["", "weft-mini, each dial off or taken from another clip:", ""]
    lines += ["| dials | onset F1@50 ms | envelope r | pan r | material |", "|---|---|---|---|---|"]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(shown(row[c]) if c in row else "" for c in columns) + " |")
    return lines


def real(found: dict[str, Any]) -> list[str]:
    """Each real clip, strictly and at the lag that suits it: some files' own sound lies behind their picture."""
    clips = found.get("spotter", {}).get("real clips", {}).get("clips", {})
    if not clips:
        return []
    lines = [
        "",
        "Spotter on real clips: onset F1@100 ms against librosa's onsets of the file's own sound, chance with as many",
        "onsets in brackets. Lag: how far that sound lies behind the picture where the two agree best, within 0.2 s;",
        "then F1 and chance there (chance may choose its own lag). By eye: F1@50 ms against the impacts that can be",
        "seen (`recipes/impacts_by_eye.json`), without any lag. These five clips are not wholly blind: a second run",
        "alone scored less on them, which is why it and the third were shipped half way from the run before; the",
        "fourth was shipped whole and the fifth half way, by validation clips; each was asked only not to fall by",
        "more than .05 here (`results/spotter_training.json`).",
        "",
        "| clip | labels | found | timed by | F1 | lag, s | F1 at that lag | motion detector F1 | F1@50 ms by eye |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in clips.items():
        f1, luck = row["spotter f1@100, chance"]
        lag, late, late_luck = row["spotter, its best lag (s), f1@100 there, chance there"]
        motion, motion_luck = row["motion f1@100, chance"]
        cells = [name, row["true"], row["found"], row["source"], f"{f1:.2f} ({luck:.2f})", f"{lag + 0:.2f}"]
        cells += [f"{late:.2f} ({late_luck:.2f})", f"{motion:.2f} ({motion_luck:.2f})"]
        eyed = row["spotter f1@50, chance, by eye"]
        cells.append(f"{eyed[0]:.2f} ({eyed[1]:.2f})" if eyed else "")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


TAKEN = {
    "onset-f1@50": "onset F1@50 ms",
    "envelope-r": "envelope r",
    "pan-r": "pan r",
    "mel": "mel error, dB",
    "kl/weft": "KL of materials, nats",
    "frechet/weft": "Fréchet distance",
    "cosine-aa/weft": "cosine to the true sound",
}


def takes(found: dict[str, Any]) -> list[str]:
    """What `weft eval` says of the performers: each number beside silence, another clip's sound and the true one."""
    if "takes" not in found:
        return []
    report = found["takes"]
    lines = ["", "By `weft eval` on the world's test clips, true cue sheets performed (protocols "]
    lines[-1] += ", ".join(f"{p['name']} v{p['version']}" for p in report["protocol"].values())
    lines[-1] += f"; {report['clips']} clips each, seeds 0, 1 and 2 in turn):"
    lines += [
        "",
        "| protocol | system | " + " | ".join(TAKEN.values()) + " |",
        "|---" * (len(TAKEN) + 2) + "|",
    ]
    for domain, plan in report["protocol"].items():
        for name, row in report[domain].items():
            scored = [row["scores"][key] for key in TAKEN]
            cells = [shown(s if s["low"] is not None else s["value"]) for s in scored]
            lines.append(f"| {plan['name']} | {name} | " + " | ".join(cells) + " |")
        for kind in ("reference", "shuffled", "silence"):
            scores = next(iter(report[domain].values()))["scores"]
            cells = [shown(scores[k]["baselines"].get(kind, "")) for k in TAKEN]
            named = {"reference": "true sounds", "shuffled": "sounds of other clips", "silence": "silence"}
            lines.append(f"| | {named[kind]} | " + " | ".join(cells) + " |")
        cells = [shown(scores[k]["floor"]) if scores[k]["floor"] is not None else "" for k in TAKEN]
        lines.append("| | halves of the true sounds | " + " | ".join(cells) + " |")
    lines += _negated(report.get("negated", {}))
    lines += [
        "",
        "The rows of weft-mini and weft-physical in `docs/results.md` are of 402 clips of three domains and read",
        "otherwise: there onsets are a share of what the true sounds score, here they are counted against the whole",
        "cue sheet; pan is told there at blows that stand out, against the sheet, and here wherever the true sound",
        "sounds, against that; and materials are told apart here by encoders that no generator was chosen with.",
    ]
    return lines


def _negated(takes: dict[str, Any]) -> list[str]:
    """The negative prompt: whether takes told of it stay away from it, and what takes not told do."""
    if not takes:
        return []
    lines = [
        "",
        "The negative prompt: two materials prompted, one of them also negative. Less like its words than the same",
        "take not told, by weft's encoders; and not named so by weft's listener (`obey-negative`, `obey-spared`). A",
        "take that stays as it was counts a half: weft-physical plays one of two materials, often the other anyway.",
        "",
        "| system | less like its words | less like other clips' | not named so | not told | other clips' materials |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in takes.items():
        fell, spared = (row["told"]["scores"][f"{key}/weft"] for key in ("obey-negative", "obey-spared"))
        cells = [name, shown(fell), shown(fell["baselines"]["ignored"]), shown(spared)]
        cells += [shown(row["not told"]["scores"]["obey-spared/weft"]), shown(spared["baselines"]["ignored"])]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def speed(found: dict[str, Any]) -> list[str]:
    """The whole command, cold."""
    if "speed" not in found:
        return []
    report = found["speed"]
    lines = [
        "",
        f"{report['what']}; {report['machine']['cores']} cores, median of {report['runs']} runs (must: 8 s and"
        f" 1.5 GB; aim: 4 s and 1 GB; load average {report['load_average']:.1f} while measuring):",
        "",
        "| system | seconds | peak MB | start | spot | perform | finish | write |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in report["systems"].items():
        stages = [f"{row['stages_s'][s]:.2f}" for s in ("start", "spot", "perform", "finish", "write")]
        cells = [name, f"{row['wall_s']['median']:.2f}", f"{row['peak_mb']['median']:.0f}", *stages]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def document(found: dict[str, Any]) -> str:
    """docs/results.md, whole."""
    lines = [
        "# Results",
        "",
        "Made by `python recipes/results_table.py` from the files in `results/`; do not edit. World numbers are of the",
        "held-out test seeds, real numbers of clips that nothing was trained or tuned on. Intervals are 95% bootstrap",
        "over clips. Commands:",
        "",
        *[f"- `results/{name}.json`: `{command}`" for name, command in COMMANDS.items() if name in found],
        "",
        *table(found, CODEC + PERFORMERS + WHAT + SPOTTER + SILENT),
        *takes(found),
        *dials(found),
        *real(found),
        *speed(found),
        "",
        *[f"- {note}" for note in found.get("generator", {}).get("notes", [])],
    ]
    return "\n".join(lines) + "\n"


def readme(text: str, found: dict[str, Any]) -> str:
    """The README with its table replaced."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    block = "\n".join([*table(found, CODEC + WHAT + SPOTTER + SILENT), *takes(found), *speed(found)])
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    found = results()
    page, front = ROOT / "docs" / "results.md", ROOT / "README.md"
    wanted = {page: document(found), front: readme(front.read_text(), found)}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if check:
        sys.exit(f"not what results/ says: {', '.join(p.name for p in stale)}" if stale else 0)
    for path, text in wanted.items():
        path.write_text(text)


if __name__ == "__main__":
    main()
