"""Turn results/mmaudio_speed.json into the tables of docs/mmaudio.md: no number is typed by hand.

python recipes/mmaudio_speed_table.py          # writes them between the page's two marks
python recipes/mmaudio_speed_table.py --check  # exit 1 when the page says something else
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE, FILE = ROOT / "docs" / "mmaudio.md", ROOT / "results" / "mmaudio_speed.json"
BEGIN, END = "<!-- speed -->", "<!-- /speed -->"
NAMES = {
    "video": "video in and out, 1080p",
    "video_in": "video in: decode and resize",
    "video_out": "video out",
    "clip": "CLIP, 64 pictures",
    "sync": "Synchformer, 24 segments",
    "sampler": "sampler, 25 steps",
    "sampler_small_16k": "sampler, small-16k",
    "sampler_large_44k_v2": "sampler, large-44k-v2",
    "decoder": "mel decoder",
    "decoder_16k": "mel decoder, 16k",
    "decoder_44k": "mel decoder, 44k",
    "vocoder": "vocoder",
    "vocoder_16k": "vocoder, 16k",
    "vocoder_44k": "vocoder, 44k",
    "cold": "cold start to the first step, small-16k",
    "loaded": "start, load and first step",
}
MUST = {"video": 8.0, "sampler_small_16k": 1.2, "vocoder_44k": 2.0, "cold": 5.0}
SECOND = {"small_16k": 8.0, "large_44k_v2": 3.0}
FIRST, PEAK, MEMORY = 1.2, 0.65, 1 / 3


def verdict(value: float, must: float, *, low: bool = False) -> str:
    return "reached" if (value <= must if low else value >= must) else "**not reached**"


def _median(values: list[float]) -> float:
    kept = sorted(values)
    half = len(kept) // 2
    return kept[half] if len(kept) % 2 else (kept[half - 1] + kept[half]) / 2


def _row(key: str, one: dict[str, Any]) -> str:
    spent, ratio = one["processor"], one["processor"]["times_faster"]
    of = f"{ratio['median']:.2f} ({ratio['lowest']:.2f} to {ratio['highest']:.2f}, n = {one['pairs']})"
    must = MUST.get(key)
    held = ["", ""] if must is None else [f"{must:g}", verdict(ratio["median"], must)]
    name = NAMES[key.removesuffix("_fp32")] + (", both float32" if key.endswith("_fp32") else "")
    share = "" if one["share"] == 1 else f"{one['share']:.3g} of it"
    cells = [name, share, f"{_median(spent['theirs']):.2f}", f"{_median(spent['ours']):.2f}", of, *held]
    return f"| {' | '.join(cells)} |"


def _whole(size: str, one: dict[str, Any]) -> list[str]:
    name, second = size.replace("_", "-"), one["second_take"]
    first = one["first_run_times_faster"]
    both = one["processor"]
    return [
        f"| first run, {name} | sum of its stages | {both['theirs']['total']:.0f} | {both['ours']['total']:.0f} | "
        f"{first:.2f} | {FIRST:g} | {verdict(first, FIRST)} |",
        f"| second take, {name} | ours {second['ours_is']}; theirs the sum | {second['theirs']:.0f} | "
        f"{second['ours']:.1f} | {second['times_faster']:.1f} | {SECOND[size]:g} | "
        f"{verdict(second['times_faster'], SECOND[size])} |",
    ]


def _shares(size: str, one: dict[str, Any]) -> list[str]:
    lines = [f"| {size.replace('_', '-')} | theirs, s | share | ours, s | share |", "|---|---|---|---|---|"]
    for stage in one["share"]["ours"]:
        cells = [NAMES[stage]]
        for side in ("theirs", "ours"):
            cells += [f"{one['processor'][side][stage]:.2f}", f"{100 * one['share'][side][stage]:.1f} %"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def tables(found: dict[str, Any]) -> str:
    """What stands between the page's marks."""
    rows = found["rows"]
    lines = [
        "| stage | computed | theirs, s | ours, s | times faster | must | |",
        "|---|---|---|---|---|---|---|",
        *(_row(key, one) for key, one in rows.items() if key.removesuffix("_fp32") in NAMES),
    ]
    for size, one in found.get("whole", {}).items():
        lines += _whole(size, one)
    if "memory_1080p" in rows:
        one = rows["memory_1080p"]
        peak = one["peak_gb"]
        lines.append(
            f"| peak memory, video in and out, 1080p, GB | | {peak['theirs']:.2f} | {peak['ours']:.2f} | "
            f"{one['of_theirs']:.2f} of theirs | 0.33 | {verdict(one['of_theirs'], MEMORY, low=True)} |"
        )
    if "sampler_small_16k" in rows:
        one = rows["sampler_small_16k"]
        lines.append(
            f"| sampler of small-16k, part of the matrix product's peak | {one['gflop']:.0f} GFLOP | | | "
            f"{one['of_matmul_peak']:.2f} | {PEAK:g} | {verdict(one['of_matmul_peak'], PEAK)} |"
        )
    for size, one in found.get("whole", {}).items():
        lines += ["", *_shares(size, one)]
    return "\n".join(lines)


def page(text: str, found: dict[str, Any]) -> str:
    """The page with its tables replaced."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{tables(found)}\n{END}{rest.split(END)[1]}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wanted = page(PAGE.read_text(), json.loads(FILE.read_text()))
    if check:
        sys.exit(f"{PAGE.name} is not what {FILE.name} says" if PAGE.read_text() != wanted else 0)
    PAGE.write_text(wanted)


if __name__ == "__main__":
    main()
