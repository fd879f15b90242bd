"""Time MMAudio's sampler beside its reference implementation; writes results/mmaudio_sampler_speed.json.

    OMP_NUM_THREADS=2 python recipes/benchmark_mmaudio_sampler.py --reference MMAUDIO --pairs 5

MMAUDIO is a checkout of github.com/hkchengrex/MMAudio, which stays outside this project; its network imports einops
and torchdiffeq, so both must be installed (or lie on PYTHONPATH). Both sides hold the same random weights, are told the
same and start from the same noise, in one process and in turns, so that a drift of the machine meets both; who begins
changes from pair to pair. Timed: conditions projected, then all Euler steps with guidance 4.5, for one take of 8 s. A
ratio is of one pair; its median and range are kept. Wall seconds need an idle machine, processor seconds bear others.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from weft.diffusion.guidance import ClassifierFree
from weft.generators.mmaudio import VARIANTS, network
from weft.generators.mmdit import MMDiT
from weft.generators.sampling import latents
from weft.weights.published import Published

SCALE = 4.5
DRAWN = Published(file="random weights", url="nowhere", licence="none")


def drawn(name: str, seed: int = 0) -> dict[str, Tensor]:
    """Random weights of a published size: matrices keep the scale of what they are given."""
    draw = torch.Generator().manual_seed(seed)
    with torch.device("meta"):
        state = MMDiT(VARIANTS[name].config).state_dict()
    weights = {}
    for key, like in state.items():
        value = torch.randn(like.shape, generator=draw)
        if like.dim() > 1 and "empty" not in key and "pos_emb" not in key:
            weights[key] = value / like[0].numel() ** 0.5
        else:
            weights[key] = 0.1 * value + float(key.endswith("weight"))
    weights["latent_mean"], weights["latent_std"] = (
        torch.zeros_like(weights["latent_mean"]),
        torch.ones_like(weights["latent_std"]),
    )
    return weights


def ours(
    name: str, weights: dict[str, Tensor], inputs: dict[str, Tensor], dtype: torch.dtype
) -> Callable[[int], Tensor]:
    net = network(VARIANTS[name].config, weights, DRAWN, dtype)
    lengths = VARIANTS[name].lengths(8.0, compat=True)
    told = {
        "cond": lengths.conditions(clip=inputs["clip"], sync=inputs["sync"], text=inputs["text"]),
        "uncond": lengths.conditions(text=inputs["negative"]),
    }
    return lambda steps: latents(net, inputs["noise"], told, ClassifierFree(scale=SCALE), steps)


def theirs(
    name: str, weights: dict[str, Tensor], inputs: dict[str, Tensor], dtype: torch.dtype
) -> Callable[[int], Tensor]:
    from mmaudio.model.flow_matching import FlowMatching
    from mmaudio.model.networks import get_my_mmaudio

    net = get_my_mmaudio(name).to(dtype).eval()
    net.load_weights(dict(weights))
    given = {key: value.to(dtype) for key, value in inputs.items()}

    @torch.no_grad()
    def play(steps: int) -> Tensor:
        told = net.preprocess_conditions(given["clip"], given["sync"], given["text"])
        nothing = net.get_empty_conditions(1, negative_text_features=given["negative"])
        flow = FlowMatching(min_sigma=0, inference_mode="euler", num_steps=steps)
        return flow.to_data(lambda t, x: net.ode_wrapper(t, x, told, nothing, SCALE), given["noise"])

    return play


def matmul_gflops(dtype: torch.dtype, size: int = 1024) -> float:
    """What the machine's matrix product reaches at this moment, per second of processor: the best of five."""
    a, b = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
    best = 0.0
    for _ in range(5):
        begun = time.process_time()
        a @ b
        best = max(best, 2 * size**3 / 1e9 / max(time.process_time() - begun, 1e-9))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reference", type=Path, required=True, help="a checkout of MMAudio")
    parser.add_argument("--size", choices=VARIANTS, default="small_16k")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--out", type=Path, default=Path("results/mmaudio_sampler_speed.json"))
    options = parser.parse_args()
    if not (options.reference / "mmaudio").is_dir():
        parser.error(f"no mmaudio package in {options.reference}; give a checkout of the reference")
    sys.path.insert(0, str(options.reference))
    dtype: torch.dtype = getattr(torch, options.dtype)
    variant = VARIANTS[options.size]
    eight, config = variant.lengths(8.0, compat=True), variant.config
    draw = torch.Generator().manual_seed(1)
    inputs = {
        "clip": torch.randn(1, eight.clip, config.clip_dim, generator=draw) / 32,
        "sync": torch.randn(1, eight.sync, config.sync_dim, generator=draw),
        "text": torch.randn(1, config.text_length, config.text_dim, generator=draw) / 32,
        "negative": torch.randn(1, config.text_length, config.text_dim, generator=draw) / 32,
        "noise": torch.randn(1, eight.latent, config.latent_dim, generator=draw),
    }
    weights = drawn(options.size)
    sides = {side.__name__: side(options.size, weights, inputs, dtype) for side in (ours, theirs)}
    del weights
    out = {name: play(1).float() for name, play in sides.items()}  # and both are warm
    apart = float((out["ours"] - out["theirs"]).abs().max() / out["theirs"].square().mean().sqrt())
    print(f"after one step they differ by {apart:.2g} of the root mean square", flush=True)
    before, seconds = os.getloadavg()[0], {name: [] for name in sides}
    peak = [matmul_gflops(dtype)]
    for pair in range(options.pairs):
        order = list(sides) if pair % 2 == 0 else list(sides)[::-1]
        for name in order:
            wall, cpu = time.perf_counter(), time.process_time()
            sides[name](options.steps)
            seconds[name].append((time.perf_counter() - wall, time.process_time() - cpu))
        (wall_o, cpu_o), (wall_t, cpu_t) = seconds["ours"][-1], seconds["theirs"][-1]
        print(f"pair {pair + 1}: wall {wall_t / wall_o:.2f}, processor {cpu_t / cpu_o:.2f}", flush=True)
        peak.append(matmul_gflops(dtype))

    def ratios(which: int) -> dict[str, float]:
        found = [t[which] / o[which] for o, t in zip(seconds["ours"], seconds["theirs"], strict=True)]
        named = {"median": statistics.median(found), "lowest": min(found), "highest": max(found)}
        return {name: round(value, 3) for name, value in named.items()}

    result = {
        "what": f"MMAudio {options.size}: conditions and {options.steps} Euler steps with guidance, 8 s, one take",
        "machine": {
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "load_average": [round(before, 2), round(os.getloadavg()[0], 2)],
        },
        "dtype": options.dtype,
        "pairs": options.pairs,
        "difference_after_one_step": apart,
        "matmul_gflops_per_processor_second": round(max(peak), 1),
        "seconds": {
            name: {"wall": [round(w, 3) for w, _ in s], "processor": [round(c, 3) for _, c in s]}
            for name, s in seconds.items()
        },
        "times_faster": {"wall": ratios(0), "processor": ratios(1)},
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result["times_faster"]))


if __name__ == "__main__":
    main()
