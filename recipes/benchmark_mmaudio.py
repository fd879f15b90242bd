"""Time MMAudio, stage by stage, beside its reference implementation; writes results/mmaudio_speed.json.

    python recipes/benchmark_mmaudio.py --reference MMAUDIO --pairs 3

MMAUDIO is a checkout of github.com/hkchengrex/MMAudio, which stays outside this project; it needs open_clip_torch,
timm, einops, torchdiffeq, omegaconf, colorlog (installed, or on PYTHONPATH) and librosa. Both sides hold the same
random weights of the published layout and are given the same; they take turns, and who begins changes from pair to
pair. A ratio is of one pair. Processor seconds (user and system) are the figure of record, for they bear other work
on the machine better than wall seconds do; how busy it was is kept beside them. Both compute in bfloat16, the
reference's default (`--dtype float32`: rows of their own). What a stage's share says was computed, of 8 s; the table
of the whole scales it up. Each stage has a process of its own; `--only` measures some again and leaves the others as
they are.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

SECONDS, STEPS, SCALE = 8.0, 25, 4.5
SHARES = {
    "clip": Fraction(4, 64),
    "sync": Fraction(2, 24),
    "sampler_small_16k": Fraction(5, STEPS),
    "sampler_large_44k_v2": Fraction(1, STEPS),
}
IN_ONE = (*SHARES, "decoder_16k", "decoder_44k", "vocoder_16k", "vocoder_44k")
APART = ("video", "cold", "second")
WHOLE = ("video_in", "clip", "sync", "sampler", "decoder", "vocoder", "video_out")
Times = tuple[float, float]


def drawn(shapes: dict[str, Any], seed: int = 0) -> dict[str, Tensor]:
    """Random weights: matrices keep the scale of what they are given."""
    draw, found = torch.Generator().manual_seed(seed), {}
    for key, shape in shapes.items():
        value = torch.randn(shape, generator=draw)
        if key in ("latent_mean", "latent_std", "data_mean", "data_std"):
            value = torch.full(shape, float(key.endswith("std")))
        elif value.ndim > 1 and "empty" not in key and "pos_emb" not in key:
            value /= value[0].numel() ** 0.5
        elif not key.endswith(("alpha", "beta")):
            value = 0.1 * value + float(key.endswith("weight"))
        else:
            value = 0.1 * value
        found[key] = value
    return found


def shapes_of(build: Callable[[], torch.nn.Module]) -> dict[str, Any]:
    with torch.device("meta"):
        return {key: value.shape for key, value in build().state_dict().items()}


def used() -> Times:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), spent.ru_utime + spent.ru_stime


def timed(do: Callable[[], Any]) -> tuple[Times, Any]:
    before = used()
    found = do()
    after = used()
    return (after[0] - before[0], after[1] - before[1]), found


def in_turns(
    sides: dict[str, Callable[[], Any]], pairs: int
) -> tuple[dict[str, list[Times]], dict[str, Any]]:
    seconds: dict[str, list[Times]] = {name: [] for name in sides}
    found: dict[str, Any] = {}
    for pair in range(pairs):
        for name in list(sides) if pair % 2 == 0 else list(sides)[::-1]:
            spent, found[name] = timed(sides[name])
            seconds[name].append(spent)
            print(f"  {name}: {spent[0]:.2f} s wall, {spent[1]:.2f} s processor", file=sys.stderr, flush=True)
    return seconds, found


def row(seconds: dict[str, list[Times]], share: Fraction = Fraction(1), **more: Any) -> dict[str, Any]:
    """Seconds of both, and how many times faster we are: median, least and most over the pairs."""
    made: dict[str, Any] = {"share": float(share), "pairs": len(seconds["ours"])}
    for which, name in enumerate(("wall", "processor")):
        made[name] = {side: [round(s[which], 3) for s in spent] for side, spent in seconds.items()}
        ratios = [t[which] / o[which] for o, t in zip(seconds["ours"], seconds["theirs"], strict=True)]
        ends = {"median": statistics.median(ratios), "lowest": min(ratios), "highest": max(ratios)}
        made[name]["times_faster"] = {key: round(value, 3) for key, value in ends.items()}
    return made | more


def apart(ours: Tensor, theirs: Tensor) -> float:
    """Relative difference, root mean square."""
    return float((ours.float() - theirs.float()).norm() / theirs.float().norm())


def of_clip(share: Fraction, dtype: torch.dtype, folder: Path) -> dict[str, Callable[[], Tensor]]:
    import mmaudio_reference as reference
    from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg

    from weft.encoders.dfn_clip import DfnClip
    from weft.encoders.dfn_clip_net import DfnClipConfig, TowerConfig, build, from_open_clip

    vision = CLIPVisionCfg(layers=32, width=1280, head_width=80, patch_size=14, image_size=378)
    text = CLIPTextCfg(context_length=77, vocab_size=16, width=64, heads=1, layers=1)
    weights = {
        key: value.to(dtype)
        for key, value in drawn(shapes_of(lambda: CLIP(1024, vision, text, quick_gelu=True))).items()
    }
    net = build(DfnClipConfig(text=TowerConfig(width=64, depth=1, heads=1), vocabulary=16))
    net.load_state_dict(from_open_clip(weights), assign=True)
    ours, theirs = DfnClip(net.requires_grad_(False), ""), reference.eyes(weights, 32)
    count = round(64 * share)
    frames = torch.randint(0, 256, (count, 384, 384, 3), dtype=torch.uint8)
    given = (frames.permute(0, 3, 1, 2).float() / 255).to(dtype)
    return {"ours": lambda: ours.embed_video(frames.numpy()), "theirs": lambda: theirs(given)}


def of_sync(share: Fraction, dtype: torch.dtype, folder: Path) -> dict[str, Callable[[], Tensor]]:
    import mmaudio_reference as reference

    from weft.encoders.synchformer_visual import SynchformerVisual, VisualConfig

    net = SynchformerVisual(VisualConfig()).eval().requires_grad_(False)
    weights = drawn({key: value.shape for key, value in net.state_dict().items()})
    net.load_state_dict(weights)
    theirs = reference.synchformer(weights, dtype)
    net.to(dtype)
    count = round(24 * share)
    frames = torch.randint(0, 256, (16 + 8 * (count - 1), 224, 224, 3), dtype=torch.uint8)
    levels = ((frames.permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.5).to(dtype)
    segments = torch.stack([levels[8 * i : 8 * i + 16] for i in range(count)])[:, None]
    return {
        "ours": lambda: net.encode(frames.numpy()).flatten(0, 1),
        "theirs": lambda: theirs(segments).flatten(0, 2),
    }


def of_sampler(size: str) -> Callable[..., dict[str, Callable[[], Tensor]]]:
    def made(share: Fraction, dtype: torch.dtype, folder: Path) -> dict[str, Callable[[], Tensor]]:
        import mmaudio_reference as reference

        from weft.diffusion.guidance import ClassifierFree
        from weft.generators.mmaudio import VARIANTS, network
        from weft.generators.mmdit import MMDiT
        from weft.generators.sampling import latents
        from weft.weights.published import Published

        variant = VARIANTS[size]
        eight, config = variant.lengths(SECONDS, compat=True), variant.config
        weights = drawn(shapes_of(lambda: MMDiT(config)))
        theirs = reference.flow(size, weights, dtype)
        nowhere = Published(file="random weights", url="nowhere", licence="none")
        net = network(config, weights, nowhere, dtype)
        draw = torch.Generator().manual_seed(1)
        told = {
            "clip": torch.randn(1, eight.clip, config.clip_dim, generator=draw) / 32,
            "sync": torch.randn(1, eight.sync, config.sync_dim, generator=draw),
            "text": torch.randn(1, config.text_length, config.text_dim, generator=draw) / 32,
            "negative": torch.randn(1, config.text_length, config.text_dim, generator=draw) / 32,
        }
        noise = torch.randn(1, eight.latent, config.latent_dim, generator=draw)
        ours = {
            "cond": eight.conditions(clip=told["clip"], sync=told["sync"], text=told["text"]),
            "uncond": eight.conditions(text=told["negative"]),
        }
        low = {key: value.to(dtype) for key, value in told.items()}
        steps = round(STEPS * share)
        return {
            "ours": lambda: latents(net, noise, ours, ClassifierFree(scale=SCALE), steps),
            "theirs": lambda: reference.played(theirs, low, noise.to(dtype), SCALE, steps),
        }

    return made


def of_decoder(kind: str) -> Callable[..., dict[str, Callable[[], Tensor]]]:
    def made(share: Fraction, dtype: torch.dtype, folder: Path) -> dict[str, Callable[[], Tensor]]:
        import mmaudio_reference as reference

        from weft.codecs.mel_codec import CONFIGS
        from weft.codecs.mel_vae import MelVae, folded

        config = CONFIGS[kind].vae  # type: ignore[index]
        net = MelVae(config).eval().requires_grad_(False)
        weights = drawn({key: value.shape for key, value in net.state_dict().items()})
        net.load_state_dict(folded(weights))
        theirs = reference.autoencoder(kind, weights, dtype)
        latent = torch.randn(1, config.latent, 250 if kind == "16k" else 345)
        return {"ours": lambda: net.decode(latent), "theirs": lambda: theirs.decode(latent.to(dtype))}

    return made


def of_vocoder(kind: str) -> Callable[..., dict[str, Callable[[], Tensor]]]:
    def made(share: Fraction, dtype: torch.dtype, folder: Path) -> dict[str, Callable[[], Tensor]]:
        import mmaudio_reference as reference

        from weft.codecs.big_vgan import BigVgan
        from weft.codecs.mel_codec import BLOCK, CONFIGS

        config = CONFIGS[kind].vocoder  # type: ignore[index]
        net = BigVgan(config).eval().requires_grad_(False)
        weights = drawn({key: v.shape for key, v in net.state_dict().items() if not key.endswith("filter")})
        weights = {key: weights.get(key, value) for key, value in net.state_dict().items()}
        net.load_state_dict(weights)
        theirs = reference.vocoder(kind, folder, weights, dtype)
        mel = torch.randn(1, config.bands, round((500 if kind == "16k" else 690) * share)) - 3
        ours = net.lowered(dtype)
        return {
            "ours": lambda: torch.cat(list(ours.blocks(mel, BLOCK)), -1),
            "theirs": lambda: theirs(mel.to(dtype)),
        }

    return made


STAGES: dict[str, Callable[..., dict[str, Callable[[], Tensor]]]] = {
    "clip": of_clip,
    "sync": of_sync,
    "sampler_small_16k": of_sampler("small_16k"),
    "sampler_large_44k_v2": of_sampler("large_44k_v2"),
    "decoder_16k": of_decoder("16k"),
    "decoder_44k": of_decoder("44k"),
    "vocoder_16k": of_vocoder("16k"),
    "vocoder_44k": of_vocoder("44k"),
}


def matmul_peak(dtype: torch.dtype, size: int = 1024) -> float:
    """Thousand million operations a processor second of the machine's matrix product at this moment: best of five."""
    a, b = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
    return max(2e-9 * size**3 / max(timed(lambda: a @ b)[0][1], 1e-9) for _ in range(5))


@torch.inference_mode()
def in_one(stage: str, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """A stage whose two sides share a process."""
    dtype: torch.dtype = getattr(torch, options.dtype)
    share = options.share or SHARES.get(stage, Fraction(1))
    sides = STAGES[stage](share, dtype, folder)
    more: dict[str, Any] = {"dtype": options.dtype}
    if stage.startswith("sampler"):
        from torch.utils.flop_counter import FlopCounterMode

        with FlopCounterMode(display=False) as counted:
            sides["ours"]()
        more["gflop"] = round(counted.get_total_flops() / 1e9, 1)
        peak = [matmul_peak(dtype)]
    seconds, found = in_turns(sides, options.pairs)
    if stage.startswith("sampler"):
        peak.append(matmul_peak(dtype))
        best = min(spent[1] for spent in seconds["ours"])
        more |= {"matmul_gflops": round(max(peak), 1), "of_matmul_peak": more["gflop"] / best / max(peak)}
    return row(seconds, share, difference=apart(found["ours"], found["theirs"].flatten(0, 0)), **more)


def make_clip(path: Path, width: int = 1920, height: int = 1080, rate: int = 30) -> None:
    """8 s of a textured ground that pans under a moving bar, H.264 with the encoder's own settings."""
    import av
    import numpy as np

    tiles = np.random.default_rng(0).integers(0, 200, (height // 12, 260, 3), dtype=np.uint8)
    ground = np.kron(tiles, np.ones((12, 12, 1), np.uint8))
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for n in range(round(SECONDS * rate)):
            frame = ground[:height, 3 * n % 1000 : 3 * n % 1000 + width].copy()
            y = int(height / 3 * abs(np.cos(n / rate * 5))) + 100
            frame[y : y + 80, 500:700] = (230, 200, 40)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())


def child_video(side: str, folder: Path) -> dict[str, Any]:
    """Reading pictures at 1080p, writing the video with a sound; and the most memory that it took."""
    import numpy as np

    clip, out = folder / "clip.mp4", folder / f"{side}.mp4"
    sound = (0.1 * np.random.default_rng(0).standard_normal((2, 352_800))).astype(np.float32)
    if side == "ours":
        from weft.encoders.mmaudio_pictures import read_pictures
        from weft.media import Video
        from weft.media.mux import mux

        video = Video.open(clip)
        first, _ = timed(lambda: read_pictures(video))
        second, _ = timed(lambda: mux(video, sound, out, overwrite=True))
    else:
        from mmaudio.eval_utils import load_video, make_video

        first, seen = timed(lambda: load_video(clip, SECONDS))
        mono = torch.from_numpy(sound[:1])
        second, _ = timed(lambda: make_video(seen, out, mono, 44100))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"in": first, "out": second, "peak_gb": peak}


def write_checkpoints(folder: Path) -> None:
    """small-16k's files in the published layout. CLIP and Synchformer are small ones: no row loads them."""
    import mmaudio_reference as reference

    from weft.codecs.big_vgan import BigVgan
    from weft.codecs.mel_vae import MelVae
    from weft.encoders.dfn_clip_net import build
    from weft.encoders.synchformer_visual import SynchformerVisual
    from weft.generators.mmdit import MMDiT

    one = small_eyed()
    torch.save(drawn(shapes_of(lambda: MMDiT(one.flow.config))), folder / one.flow_file.file)
    torch.save(drawn(shapes_of(lambda: MelVae(one.codec.vae))), folder / one.codec_files.vae.file)
    with torch.device("meta"):
        state = BigVgan(one.codec.vocoder)
    weights = drawn(shapes_of(lambda: state)) | {k: v for k, v in BigVgan(one.codec.vocoder).named_buffers()}
    torch.save({"generator": reference.with_weight_norm(weights)}, folder / one.codec_files.vocoder.file)
    (folder / one.clip_file.file).parent.mkdir(exist_ok=True)
    torch.save(drawn(open_clip_layout(build(one.clip).state_dict())), folder / one.clip_file.file)
    seen = drawn(shapes_of(lambda: SynchformerVisual(one.sync)))
    torch.save({f"vfeat_extractor.{key}": value for key, value in seen.items()}, folder / one.sync_file.file)


def open_clip_layout(library: dict[str, Tensor]) -> dict[str, Any]:
    """open_clip's keys and shapes of a network with one block a tower."""
    from weft.encoders.dfn_clip_net import library_names

    found: dict[str, Any] = {}
    towers = [("", "ln_final"), ("visual.", "visual.ln_pre"), ("visual.", "visual.ln_post")]
    names = [f"{norm}.{which}" for _, norm in towers for which in ("weight", "bias")]
    for stem in ("", "visual."):
        block = f"{stem}transformer.resblocks.0."
        parts = ("ln_1", "ln_2", "attn.out_proj", "mlp.c_fc", "mlp.c_proj")
        names += [f"{block}{part}.{which}" for part in parts for which in ("weight", "bias")]
        names += [f"{block}attn.in_proj_{which}" for which in ("weight", "bias")]
    names += ["token_embedding.weight", "positional_embedding", "text_projection", "logit_scale"]
    names += [f"visual.{k}" for k in ("class_embedding", "positional_embedding", "conv1.weight", "proj")]
    for name in names:
        one, *others = library_names(name)
        shape = list(library[one].shape)
        if others:
            shape[0] *= 3
        found[name] = shape[::-1] if name in ("text_projection", "visual.proj") else shape
    return found


def small_eyed() -> Any:
    """small-16k, seeing through eyes of one block: what they say is in the cache before anything is timed."""
    from weft.encoders.dfn_clip_net import DfnClipConfig, TowerConfig
    from weft.encoders.synchformer_visual import VisualConfig
    from weft.systems.mmaudio_parts import parts

    tower = TowerConfig(width=32, depth=1, heads=2)
    clip = DfnClipConfig(visual=tower, text=tower, vocabulary=514)
    return replace(parts("small_16k"), clip=clip, sync=VisualConfig(depth=1))


def child_cold(side: str, folder: Path, begun: Times) -> dict[str, Any]:
    """From the start of the process to the end of the first step, small-16k; and until the codec is loaded too, which
    we do after the steps and the reference before them. Without CLIP and Synchformer on either side."""
    one = small_eyed()
    eight, config = one.flow.lengths(SECONDS, compat=True), one.flow.config
    dtype, noise = torch.bfloat16, torch.randn(1, eight.latent, config.latent_dim)
    if side == "ours":
        from weft.diffusion.guidance import ClassifierFree
        from weft.generators.sampling import latents

        net = one.load_flow("bf16")
        told = {"cond": eight.conditions(), "uncond": eight.conditions()}
        latents(net, noise, told, ClassifierFree(scale=SCALE), 1)
        first = used()
        one.load_codec("bf16")
    else:
        import mmaudio_reference as reference
        from mmaudio.model.networks import get_my_mmaudio
        from mmaudio.model.utils.features_utils import FeaturesUtils

        flow, vae, vocoder = (
            folder / one.flow_file.file,
            folder / one.codec_files.vae.file,
            folder / one.codec_files.vocoder.file,
        )
        for file in (flow, vae, vocoder):
            hashlib.md5(file.read_bytes()).hexdigest()
        net = get_my_mmaudio("small_16k").to("cpu", dtype).eval()
        net.load_weights(torch.load(flow, map_location="cpu", weights_only=True))
        FeaturesUtils(
            tod_vae_ckpt=vae,
            enable_conditions=False,
            mode="16k",
            bigvgan_vocoder_ckpt=vocoder,
            need_vae_encoder=False,
        ).to("cpu", dtype).eval()
        zeros = {
            "clip": torch.zeros(1, 64, 1024),
            "sync": torch.zeros(1, 192, 768),
            "text": torch.zeros(1, 77, 1024),
            "negative": torch.zeros(1, 77, 1024),
        }
        low = {key: value.to(dtype) for key, value in zeros.items()}
        reference.played(net, low, noise.to(dtype), SCALE, 1)
        first = used()
    last = used()
    return {"cold": (first[0] - begun[0], first[1]), "loaded": (last[0] - begun[0], last[1])}


def child_second(folder: Path, seed: int, begun: Times) -> dict[str, Any]:
    """Our whole second take, small-16k, from the start of the process to the finished file."""
    from weft.cues.sheet import Clip, CueSheet
    from weft.media import Video
    from weft.media.caching import Cache
    from weft.media.mux import mux
    from weft.systems.mmaudio import MMAudio
    from weft.systems.mmaudio_seeing import Seeing, View
    from weft.systems.performer import Request

    video, one = Video.open(folder / "clip.mp4"), small_eyed()
    cache = Cache(root=folder / "features")
    if seed == 0:
        view = View(scene=video, duration=video.duration)
        Seeing(parts=one, cache=cache, precision="bf16").encode([view], ("clip", "sync"), [])
        return {}
    request = Request(
        sheet=CueSheet(clip=Clip(duration=video.duration)),
        duration=video.duration,
        scene=video,
        seed=seed,
        precision="bf16",
    )
    seconds: dict[str, float] = {}
    told = replace(request, progress=lambda stage, done: seconds.setdefault(stage, used()[1]))
    mux(video, MMAudio(parts=one, cache=cache).perform(told), folder / f"second-{seed}.mp4", overwrite=True)
    if "encode" in seconds:
        raise RuntimeError("the second take looked at the clip again")
    now = used()
    return {"second": (now[0] - begun[0], now[1])}


def spawned(options: argparse.Namespace, folder: Path, *child: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--reference", str(options.reference), "--folder", str(folder)]
    command += ["--pairs", str(options.pairs), "--dtype", options.dtype, "--child", *child]
    command += ["--share", str(options.share)] if options.share else []
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def with_children(stage: str, options: argparse.Namespace, folder: Path) -> dict[str, dict[str, Any]]:
    """A stage whose sides are processes of their own, in turns."""
    if stage == "video":
        make_clip(folder / "clip.mp4")
    if stage == "second":
        make_clip(folder / "clip.mp4", 640, 360)
    if stage != "video":
        write_checkpoints(folder)
    if stage == "second":
        spawned(options, folder, "second", "0")
        runs = [spawned(options, folder, "second", str(1 + n))["second"] for n in range(options.pairs)]
        return {
            "second_small_16k": {"ours": {"wall": [r[0] for r in runs], "processor": [r[1] for r in runs]}}
        }
    found: dict[str, list[Any]] = {"ours": [], "theirs": []}
    for pair in range(options.pairs):
        for side in list(found) if pair % 2 == 0 else list(found)[::-1]:
            found[side].append(spawned(options, folder, stage, side))
            print(f"  {side}: {found[side][-1]}", file=sys.stderr, flush=True)
    if stage == "cold":
        return {
            key: row({side: [r[key] for r in runs] for side, runs in found.items()})
            for key in ("cold", "loaded")
        }
    both = {
        f"video_{which}": row({side: [r[which] for r in runs] for side, runs in found.items()})
        for which in ("in", "out")
    }
    total = {
        side: [tuple(a + b for a, b in zip(r["in"], r["out"], strict=True)) for r in runs]
        for side, runs in found.items()
    }
    peak = {side: round(max(r["peak_gb"] for r in runs), 2) for side, runs in found.items()}
    ratio = round(peak["ours"] / peak["theirs"], 3)
    return both | {"video": row(total), "memory_1080p": {"peak_gb": peak, "of_theirs": ratio}}  # type: ignore[arg-type]


def composed(rows: dict[str, Any], size: str, codec: str) -> dict[str, Any] | None:
    """A whole run as the sum of its stages, each scaled from its share: seconds of the processor, and its parts."""
    named = {"sampler": f"sampler_{size}", "decoder": f"decoder_{codec}", "vocoder": f"vocoder_{codec}"}
    stages = {stage: rows.get(named.get(stage, stage)) for stage in WHOLE}
    if any(one is None for one in stages.values()):
        return None
    seconds = {
        side: {
            stage: statistics.median(one["processor"][side]) / one["share"]  # type: ignore[index]
            for stage, one in stages.items()
        }
        for side in ("ours", "theirs")
    }
    if "loaded" in rows:
        for side, spent in seconds.items():
            spent["loaded"] = statistics.median(rows["loaded"]["processor"][side])
    total = {side: sum(spent.values()) for side, spent in seconds.items()}
    second = total["ours"] - sum(seconds["ours"][s] for s in ("video_in", "clip", "sync"))
    whole = rows.get("second_small_16k") if size == "small_16k" else None
    ran = statistics.median(whole["ours"]["processor"]) if whole else None
    return {
        "processor": {
            side: {k: round(v, 2) for k, v in (spent | {"total": total[side]}).items()}
            for side, spent in seconds.items()
        },
        "share": {
            side: {k: round(v / total[side], 4) for k, v in spent.items()} for side, spent in seconds.items()
        },
        "first_run_times_faster": round(total["theirs"] / total["ours"], 3),
        "second_take": {
            "ours": round(ran or second, 2),
            "ours_is": "run whole" if ran else "composed",
            "theirs": round(total["theirs"], 2),
            "times_faster": round(total["theirs"] / (ran or second), 2),
        },
    }


def child(options: argparse.Namespace, folder: Path, begun: Times) -> dict[str, Any]:
    stage, *more = options.child
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    if stage in IN_ONE or more[0] == "theirs":
        import mmaudio_reference as reference

        reference.stub(options.reference)
    os.environ |= {"WEFT_WEIGHTS": str(folder), "WEFT_CACHE": str(folder / "kept"), "WEFT_UNCHECKED": "1"}
    torch.manual_seed(0)
    if stage in IN_ONE:
        return in_one(stage, options, folder)
    with torch.inference_mode():
        if stage == "video":
            return child_video(more[0], folder)
        return (
            child_cold(more[0], folder, begun)
            if stage == "cold"
            else child_second(folder, int(more[0]), begun)
        )


def main() -> None:
    begun = used()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reference", type=Path, required=True, help="a checkout of MMAudio")
    parser.add_argument("--only", nargs="+", choices=(*IN_ONE, *APART), default=(*APART, *IN_ONE))
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--dtype", choices=("bfloat16", "float32"), default="bfloat16")
    parser.add_argument("--share", type=Fraction, help="compute this share of a stage, as 1/25")
    parser.add_argument("--out", type=Path, default=Path("results/mmaudio_speed.json"))
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(options, options.folder, begun)))
        return
    if not (options.reference / "mmaudio").is_dir():
        parser.error(f"no mmaudio package in {options.reference}; give a checkout of the reference")
    import mmaudio_reference as reference

    result = json.loads(options.out.read_text()) if options.out.exists() else {"rows": {}}
    result["what"] = "MMAudio beside its reference, 8 s, one take, guidance 4.5, 25 steps; random weights"
    result["stubbed"] = reference.STUBBED
    result["machine"] = {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "torch": torch.__version__,
    }
    rows = result["rows"]
    for stage in options.only:
        print(stage, file=sys.stderr, flush=True)
        load = os.getloadavg()[0]
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            folder = Path(name)
            alone = stage in IN_ONE
            found = (
                {stage: spawned(options, folder, stage)} if alone else with_children(stage, options, folder)
            )
        suffix = "_fp32" if options.dtype == "float32" and alone else ""
        for key, one in found.items():
            rows[key + suffix] = one | {"threads": int(os.environ.get("OMP_NUM_THREADS", "1")), "load": load}
        for size, codec in (("small_16k", "16k"), ("large_44k_v2", "44k")):
            whole = composed(rows, size, codec)
            if whole is not None:
                result.setdefault("whole", {})[size] = whole
        options.out.parent.mkdir(exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
