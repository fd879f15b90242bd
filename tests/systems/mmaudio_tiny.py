"""MMAudio with little in it: the published classes, files of the published layout and names, values drawn at random."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor, nn

from weft.codecs.big_vgan import BigVgan, BigVganConfig
from weft.codecs.mel_codec import FILES, TINY_MEL_CODEC, MelCodecConfig
from weft.codecs.mel_front import MEL_FRONT_44K
from weft.codecs.mel_vae import MelVae, MelVaeConfig
from weft.cues.sheet import Clip, CueSheet
from weft.encoders.dfn_clip_net import CONTEXT, DfnClipConfig, TowerConfig
from weft.encoders.synchformer_visual import SynchformerVisual, VisualConfig
from weft.generators.mmaudio import Variant
from weft.generators.mmdit import MMDiT, MMDiTConfig
from weft.systems.mmaudio_parts import Parts, parts
from weft.systems.performer import Request
from weft.systems.scene import Scene

FLOW = MMDiTConfig(latent_dim=20, hidden=64, heads=1, joint=2, fused=1, clip_dim=24, sync_dim=16, text_dim=32)
CLIP = DfnClipConfig(
    visual=TowerConfig(width=32, depth=1, heads=2),
    text=TowerConfig(width=32, depth=1, heads=2),
    size=42,
    vocabulary=514,
    joint=24,
)
SYNC = VisualConfig(width=16, depth=1, heads=2, patch=56)
CODEC_44K = MelCodecConfig(
    front=MEL_FRONT_44K,
    vae=MelVaeConfig(bands=128, latent=40, width=16),
    vocoder=BigVganConfig(
        bands=128,
        rates=(8, 8, 8),
        kernels=(16, 16, 16),
        width=32,
        block_kernels=(3, 5),
        dilations=(1, 3),
        tanh=False,
        final_bias=False,
    ),
)
TINY_16K: Parts = replace(
    parts("small_16k"),
    flow=Variant(config=FLOW, rate_hz=16000, hop=512),
    codec=TINY_MEL_CODEC,
    clip=CLIP,
    sync=SYNC,
)
TINY_44K: Parts = replace(
    parts("large_44k_v2"),
    flow=Variant(config=replace(FLOW, latent_dim=40, v2=True), rate_hz=44100, hop=1024),
    codec=CODEC_44K,
    codec_files=FILES["44k"],
    clip=CLIP,
    sync=SYNC,
)


def write_files(folder: Path, *several: Parts) -> None:
    """Put every file of `several` into `folder`."""
    torch.manual_seed(0)
    for one in several:
        _save(_stirred(MMDiT(one.flow.config)), folder / one.flow_file.file)
        _save(MelVae(one.codec.vae).state_dict(), folder / one.codec_files.vae.file)
        vocoder = {"generator": _with_weight_norm(BigVgan(one.codec.vocoder).state_dict())}
        torch.save(vocoder, folder / one.codec_files.vocoder.file)
        _save(_open_clip(one.clip), folder / one.clip_file.file)
        seen = {f"vfeat_extractor.{k}": v for k, v in _stirred(SynchformerVisual(one.sync)).items()}
        _save({**seen, "afeat_extractor.stray": torch.zeros(1)}, folder / one.sync_file.file)
        (folder / one.tokens_file.file).write_bytes(gzip.compress(b"#version: 0.2\n"))


def write_clip(
    path: Path, seconds: float, rate: Fraction | int = 25, *, variable: bool = False, size: int = 32
) -> Path:
    """A silent clip in which a bright square wanders; `variable`: pictures come at uneven times."""
    count = max(1, round(seconds * rate))
    base = Fraction(1, 90000)
    with av.open(str(path), "w") as sink:
        stream = sink.add_stream("libx264", rate=Fraction(rate))
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = base
        stream.codec_context.options = {"preset": "ultrafast"}
        for k, t in enumerate(_times(count, Fraction(rate), variable)):
            image = np.full((size, size, 3), 40, np.uint8)
            at = k * 3 % (size - 8)
            image[8:16, at : at + 8] = 220
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = round(t / base), base
            sink.mux(stream.encode(frame))
        sink.mux(stream.encode(None))
    return path


def _times(count: int, rate: Fraction, variable: bool) -> Iterator[Fraction]:
    for k in range(count):
        yield (k + (Fraction(2, 5) if variable and k % 3 == 1 else 0)) / rate


def request(scene: Scene, **asked: object) -> Request:
    """A request with nothing written, of two steps."""
    sheet = CueSheet(clip=Clip(duration=scene.duration))
    return Request(**{"sheet": sheet, "duration": scene.duration, "scene": scene, "steps": 2, **asked})  # type: ignore[arg-type]


def _save(tensors: dict[str, Tensor], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(tensors, path)


def _stirred(net: nn.Module) -> dict[str, Tensor]:
    """Its own beginning with something added, for parts of it begin at zero."""
    return {
        k: v + 0.1 * torch.randn_like(v) if v.is_floating_point() and k != "latent_std" else v
        for k, v in net.state_dict().items()
    }


def _with_weight_norm(state: dict[str, Tensor]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for key, value in state.items():
        if key.endswith(".weight"):
            stem = key.removesuffix("weight")
            found[stem + "weight_v"] = value
            found[stem + "weight_g"] = value.flatten(1).norm(dim=1)[:, None, None]
        else:
            found[key] = value
    return found


def _open_clip(config: DfnClipConfig) -> dict[str, Tensor]:
    """A file in open_clip's layout."""
    t, v = config.text.width, config.visual.width
    shapes = {
        "positional_embedding": (CONTEXT, t),
        "text_projection": (t, config.joint),
        "logit_scale": (),
        "token_embedding.weight": (config.vocabulary, t),
        "visual.class_embedding": (v,),
        "visual.positional_embedding": (1 + (config.size // config.patch) ** 2, v),
        "visual.proj": (v, config.joint),
        "visual.conv1.weight": (v, 3, config.patch, config.patch),
    }
    norms = {"ln_final": t, "visual.ln_pre": v, "visual.ln_post": v}
    for stem, tower in (("", config.text), ("visual.", config.visual)):
        for layer in range(tower.depth):
            block, w = f"{stem}transformer.resblocks.{layer}.", tower.width
            norms |= {block + "ln_1": w, block + "ln_2": w}
            shapes |= {
                block + "attn.in_proj_weight": (3 * w, w),
                block + "attn.in_proj_bias": (3 * w,),
                block + "attn.out_proj.weight": (w, w),
                block + "attn.out_proj.bias": (w,),
                block + "mlp.c_fc.weight": (4 * w, w),
                block + "mlp.c_fc.bias": (4 * w,),
                block + "mlp.c_proj.weight": (w, 4 * w),
                block + "mlp.c_proj.bias": (w,),
            }
    for norm, width in norms.items():
        shapes |= {f"{norm}.weight": (width,), f"{norm}.bias": (width,)}
    return {key: 0.2 * torch.randn(shape) for key, shape in shapes.items()}
