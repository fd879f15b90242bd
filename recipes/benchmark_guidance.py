"""What guidance costs: one clip of 10 s at AudioLDM's true size on random weights, guided over unguided.

    python recipes/benchmark_guidance.py
    python recipes/benchmark_guidance.py --seconds 2      # and processor seconds of its steps: 10 GB of memory

All on audioldm-m-full's sizes, 30 DDIM steps, classifier-free guidance (batch 2). *Reference*: as Seeing & Hearing's
code does it, guided at steps 7 to 29 through autoencoder and vocoder into ImageBind's sound branch (ten clips of 1 s),
with its picture branch run anew on ten pairs of frames and its text branch at every step. *MDG*: the same with BEATs
on one chunk of 10 s; GRAM's pictures and words, embedded once, are not counted. *Ours*: `--guide volume` as AudioLDM
plays it, by mel, a stretch of 3 s a step, a line search whose first trial is taken (the least), and one that halves
its step three times (the most).

Processor seconds are measured step by step, the parts in turns on one thread; a take is put together from them (steps
times seconds, and the decoding at its end), none was run whole.

Operations are those of matrix products and convolutions, counted by torch on the meta device: nothing is computed. The
Kaldi banks, norms and activations are not in them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from weft.alignment.presets import PRESETS
from weft.codecs.audio_ldm import FRONT, AudioLdmCodec, AudioLdmCodecConfig
from weft.codecs.mel_bridge import MelBridge
from weft.codecs.mel_layout import of_front
from weft.diffusion.step_rules import LineSearch
from weft.encoders.beats import banks, chunks
from weft.encoders.beats_net import BeatsConfig, BeatsNet
from weft.encoders.imagebind_net import HUGE, ImageBindNet
from weft.encoders.kaldi import fbank
from weft.encoders.log_mel import layout
from weft.encoders.own import WeftAudio
from weft.generators.audio_ldm import AudioLdmConfig, AudioLdmNet
from weft.systems.audio_ldm import STEPS, STRETCH_S

FRAMES = 250
"""Latent frames of 10 s."""
UNET = "UNet, batch 2"
SLOPE = "by mel, a stretch and back"
TRIAL = "by mel, a stretch"
END = "autoencoder and vocoder, 10 s"
SOUND = "autoencoder and vocoder, 10 s and back"
BEATS = "BEATs and back"
BIND = "ImageBind's sound, 10 clips and back"
PICTURES = "ImageBind's pictures, 10 pairs"
WORDS = "ImageBind's words"
DEAR = (END, SOUND, PICTURES)
"""What runs long enough that fetching memory is little of it."""
GIGA = 1e9


def counted(run: Callable[[], Any]) -> float:
    """GFLOP of a call."""
    with FlopCounterMode(display=False) as counter:
        run()
    print(".", end="", flush=True)
    return counter.get_total_flops() / GIGA


def there_and_back(net: Callable[[Tensor], Tensor], given: Tensor) -> tuple[float, float]:
    """GFLOP of a pass forward, and of one forward and back to what was given; no weight gets a gradient."""
    leaf = given.detach().requires_grad_()

    def both() -> None:
        net(leaf).sum().backward()  # the counter does not follow torch.autograd.grad

    with torch.no_grad():
        forward = counted(lambda: net(given))
    return forward, counted(both)


def still(net: nn.Module) -> Any:
    return net.eval().requires_grad_(False)


def parts(device: str) -> tuple[Any, Any]:
    """AudioLDM's UNet and codec at their true size, on random weights."""
    with torch.device(device):
        return still(AudioLdmNet.build(AudioLdmConfig())), still(AudioLdmCodec.build(AudioLdmCodecConfig()))


def operations() -> dict[str, float]:
    """GFLOP of each part."""
    made: dict[str, float] = {}
    with torch.device("meta"):
        net, codec = parts("meta")
        latent, words = torch.zeros(1, FRAMES, 128), torch.zeros(2, 512)
        level = torch.zeros(2, dtype=torch.long)
        with torch.no_grad():
            made["UNet, batch 2"] = counted(lambda: net(latent.expand(2, -1, -1), level, words))
        stretch = torch.zeros(1, round(STRETCH_S * codec.latent_rate), 128)
        for name, given in (("10 s", latent), ("stretch", stretch)):
            pair = there_and_back(codec.decode_mel, given)
            made[f"autoencoder, {name}"], made[f"autoencoder and back, {name}"] = pair
        pair = there_and_back(codec.vocoder, torch.zeros(1, 4 * FRAMES, 64))
        made["vocoder, 10 s"], made["vocoder and back, 10 s"] = pair
        bind = still(ImageBindNet(HUGE))
        pair = there_and_back(lambda x: bind("audio", x), torch.zeros(10, 1, 128, 204))
        made["ImageBind's sound, 10 clips"], made["ImageBind's sound and back"] = pair
        with torch.no_grad():
            frames = torch.zeros(10, 3, 2, 224, 224)
            made["ImageBind's pictures, 10 pairs"] = counted(lambda: bind("vision", frames))
            pieces = torch.zeros(1, HUGE.context, dtype=torch.long)
            made["ImageBind's words"] = counted(lambda: bind("text", pieces))
        beats = still(BeatsNet(BeatsConfig()))
        pair = there_and_back(beats, torch.zeros(1, 1024, 64))
        made["BEATs, 1 chunk"], made["BEATs and back"] = pair
    ear = WeftAudio.load()
    still(ear.net)
    bridge = MelBridge(of_front(FRONT), layout())
    for name, frames in (("10 s", 4 * FRAMES), ("stretch", 4 * stretch.shape[1])):
        pair = there_and_back(lambda mel: ear.felt_mel(bridge(mel)), torch.zeros(1, frames, 64))
        made[f"bridge and weft's ear, {name}"], made[f"bridge and weft's ear and back, {name}"] = pair
    return made


def recipes(made: dict[str, float]) -> dict[str, dict[str, float]]:
    """GFLOP of a whole take, guided over unguided, and of one guided step over an unguided one."""
    unet = STEPS * made["UNet, batch 2"]
    unguided = unet + made["autoencoder, 10 s"] + made["vocoder, 10 s"]
    by_sound = made["autoencoder and back, 10 s"] + made["vocoder and back, 10 s"]
    published = len(PRESETS["mdg"].window.steps(STEPS))
    preset = PRESETS["volume"]
    own = len(preset.window.steps(STEPS))
    assert isinstance(preset.rule, LineSearch)
    trial = made["autoencoder, stretch"] + made["bridge and weft's ear, stretch"]
    slope = made["autoencoder and back, stretch"] + made["bridge and weft's ear and back, stretch"]
    reading = made["autoencoder, 10 s"] + made["vocoder, 10 s"]  # V of what came out
    anew = made["ImageBind's pictures, 10 pairs"] + made["ImageBind's words"]
    steps = {
        "reference (Seeing & Hearing's code)": (
            published,
            by_sound + made["ImageBind's sound and back"] + anew,
            0.0,
        ),
        "MDG": (
            published,
            by_sound + made["BEATs and back"],
            0.0,
        ),
        "ours, the first trial taken": (own, slope + trial, reading),
        "ours, every step halved to the last": (own, slope + (1 + preset.rule.halvings) * trial, reading),
        "ours, without a stretch": (
            own,
            made["autoencoder and back, 10 s"]
            + made["autoencoder, 10 s"]
            + made["bridge and weft's ear, 10 s"]
            + made["bridge and weft's ear and back, 10 s"],
            reading,
        ),
    }
    told = {"unguided": {"GFLOP": round(unguided)}}
    for name, (count, step, once) in steps.items():
        whole = unguided + count * step + once
        told[name] = {
            "GFLOP": round(whole),
            "guided steps": count,
            "GFLOP a guided step adds": round(step),
            "guided / unguided": round(whole / unguided, 2),
        }
    return told


def seconds(rounds: int) -> dict[str, list[float]]:
    """Processor seconds of each part of a step, on random weights, `rounds` times in turns after one that does not
    count: the first call also fetches memory. AudioLDM's are gone before ImageBind's are there."""
    found: dict[str, list[float]] = {}
    for calls in (of_audio_ldm, of_imagebind):
        timed = calls()
        for turn in range(rounds + 1):
            for name, call in timed.items():
                if turn == 0 and name in DEAR:
                    continue
                clock = time.process_time()
                with torch.set_grad_enabled("back" in name):
                    call()
                spent = round(time.process_time() - clock, 2)
                if turn:
                    found.setdefault(name, []).append(spent)
                print(turn, name, spent, flush=True)
    return found


def of_audio_ldm() -> dict[str, Callable[[], Any]]:
    """What a step of 10 s runs of AudioLDM, of weft's ear and of BEATs."""
    net, codec = parts("cpu")
    ear = WeftAudio.load()
    still(ear.net)
    bridge = MelBridge(of_front(FRONT), layout())
    generator = torch.Generator().manual_seed(0)
    latent = 0.5 * torch.randn(1, FRAMES, 128, generator=generator)
    stretch = latent[:, : round(STRETCH_S * codec.latent_rate)]
    words, level = torch.ones(2, 512) / 512**0.5, torch.full((2,), 500)
    beats = still(BeatsNet(BeatsConfig()))
    sound = 0.1 * torch.randn(1, FRAMES * codec.hop, generator=generator)

    def by_mel(z: Tensor) -> Tensor:
        return ear.felt_mel(bridge(codec.decode_mel(z)))

    return {
        UNET: lambda: net(latent.expand(2, -1, -1), level, words),
        SLOPE: lambda: slope(by_mel, stretch),
        TRIAL: lambda: by_mel(stretch),
        END: lambda: codec.decode(latent),
        SOUND: lambda: slope(codec.decode, latent),
        BEATS: lambda: slope(lambda x: beats(chunks(banks(x))[:, 0]), sound),
    }


def of_imagebind() -> dict[str, Callable[[], Any]]:
    """What Seeing & Hearing's code runs of ImageBind at a guided step."""
    bind = still(ImageBindNet(HUGE))
    clips = 0.1 * torch.randn(10, 16000, generator=torch.Generator().manual_seed(0))

    def heard(wave: Tensor) -> Tensor:
        found = fbank(wave, rate=16000, n_mels=128, window="hanning")
        return bind("audio", torch.nn.functional.pad(found.mT, (0, 204 - found.shape[1]))[:, None])

    return {
        BIND: lambda: slope(heard, clips),
        PICTURES: lambda: bind("vision", torch.zeros(10, 3, 2, 224, 224)),
        WORDS: lambda: bind("text", torch.zeros(1, HUGE.context, dtype=torch.long)),
    }


def slope(embed: Callable[[Tensor], Tensor], z: Tensor) -> None:
    leaf = z.clone().requires_grad_()
    torch.autograd.grad(embed(leaf).sum(), leaf)


def in_turns(found: dict[str, list[float]]) -> dict[str, Any]:
    """Of each recipe: what one guided step costs in unguided ones, and a take of 30 steps put together from its steps,
    guided over unguided; the mean over rounds, and each round."""
    own, published = (len(PRESETS[k].window.steps(STEPS)) for k in ("volume", "mdg"))
    rule = PRESETS["volume"].rule
    assert isinstance(rule, LineSearch)
    added = {
        "ours, the first trial taken": (own, (SLOPE, TRIAL), 1),
        "ours, every step halved to the last": (own, (SLOPE, *(TRIAL,) * (1 + rule.halvings)), 1),
        "MDG": (published, (SOUND, BEATS), 0),
        "reference (Seeing & Hearing's code)": (published, (SOUND, BIND, PICTURES, WORDS), 0),
    }
    told = {}
    for name, (count, calls, readings) in added.items():
        steps, takes = [], []
        for turn in range(len(found[UNET])):
            unet, end = found[UNET][turn], found[END][turn]
            more = sum(found[call][turn] for call in calls)
            plain = STEPS * unet + end
            steps.append((unet + more) / unet)
            takes.append((plain + count * more + readings * end) / plain)
        told[name] = {
            "guided steps": count,
            "guided step / unguided step": round(sum(steps) / len(steps), 2),
            "by round": [round(x, 2) for x in steps],
            "take, guided / unguided": round(sum(takes) / len(takes), 2),
            "takes by round": [round(x, 2) for x in takes],
        }
    return told


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=0, metavar="ROUNDS", help="also time steps, so often")
    parser.add_argument("--out", type=Path, default=Path("results/guidance_cost.json"))
    given = parser.parse_args()
    made = operations()
    result: dict[str, Any] = {
        "clip": "10 s",
        "steps": STEPS,
        "stretch s": STRETCH_S,
        "sizes": asdict(AudioLdmConfig()),
        "GFLOP": {name: round(value, 1) for name, value in made.items()},
        "a take": recipes(made),
    }
    if given.seconds:
        torch.set_num_threads(1)
        found = seconds(given.seconds)
        result["processor seconds"] = {"threads": 1, "rounds": given.seconds, "parts": found}
        result["processor seconds"] |= {"a step, and a take put together of steps": in_turns(found)}
    given.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result["a take"], indent=1))


if __name__ == "__main__":
    main()
