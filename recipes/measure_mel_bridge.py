"""How near an ear's vector by the mel bridge is to its vector by the sound, on the sound of real clips.

    python recipes/measure_mel_bridge.py ../shared/clips
    python recipes/measure_mel_bridge.py ../shared/clips --mini OUT

A clip's own sound (its first 10 s) stands for what a perfect vocoder would make: it is heard as sound at the
generator's rate, and by the bridge from the mel spectrogram that the generator's codec has of it. Cosines are of the
ear that guides; "whole" is of the mean of its windows, which is what guidance steers. Nothing here was fitted to these
clips. No published decoder or vocoder takes part.

With `--mini` (where train_audio_ldm_mini.py wrote its weights) the same is asked of what a trained decoder makes: test
clips of the world, encoded and decoded, and takes of their captions, heard by the bridge from the decoded mel and as
what the miniature's own vocoder makes of it. "by its own mel" is the bridge from the mel of that very sound: what is
lost between the two is the vocoder's doing, which plays not quite what it is told.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import soxr
import torch
import torch.nn.functional as F

from weft import media
from weft.codecs.audio_ldm import FRONT
from weft.codecs.mel_bridge import MelBridge
from weft.codecs.mel_front import MEL_FRONT_16K, MEL_FRONT_44K, MelFront
from weft.codecs.mel_front import log_mel as front_mel
from weft.codecs.mel_layout import of_front
from weft.diffusion.sampler import frame_noise
from weft.encoders.log_mel import RATE, log_mel
from weft.encoders.own import WeftAudio
from weft.errors import MediaError
from weft.systems import audio_ldm_mini
from weft.systems.audio_ldm import GUIDANCE, STEPS
from weft.systems.guide import ENCODERS, at_rate
from weft.training.audio_ldm import latents_of
from weft.training.mono_sounds import mono_at
from weft.world.clip import render_clip
from weft.world.scene import DOMAINS, sample_scene, split_seed

FRONTS = {"AudioLDM": FRONT, "MMAudio 16 kHz": MEL_FRONT_16K, "MMAudio 44.1 kHz": MEL_FRONT_44K}
LONGEST_S, MINI_S = 10.0, 4.0


@torch.no_grad()
def measured(wave: np.ndarray, front: MelFront, bridge: MelBridge, ear: WeftAudio) -> dict[str, float]:
    """Cosines of mono sound [N] at 44.1 kHz, and how far apart the two spectrograms are."""
    there = soxr.resample(wave, RATE, front.rate, quality="VHQ") if front.rate != RATE else wave
    there = there[: len(there) // (4 * front.hop) * 4 * front.hop]
    back = soxr.resample(there, front.rate, RATE, quality="VHQ") if front.rate != RATE else there
    by_sound = log_mel(torch.from_numpy(back)[None])
    by_mel = bridge(front_mel(torch.from_numpy(there)[None], front).mT)
    frames = min(by_sound.shape[1], by_mel.shape[1])
    by_sound, by_mel = by_sound[:, :frames], by_mel[:, :frames]
    one, other = (ear.felt_mel(x)[0] for x in (by_sound, by_mel))
    windows = (one * other).sum(-1)
    whole = F.cosine_similarity(one.mean(0), other.mean(0), dim=0)
    apart = by_mel - by_sound
    return {
        "whole": round(float(whole), 4),
        "windows, mean": round(float(windows.mean()), 4),
        "windows, least": round(float(windows.min()), 4),
        "dB too loud, mean": round(float(apart.mean()), 2),
        "dB, deviation": round(float(apart.std()), 2),
    }


@torch.no_grad()
def of_mini(folder: Path, clips: int, ear: WeftAudio) -> dict[str, dict[str, float]]:
    """Cosines on the miniature's decodings, of clips of the test split and of takes of their captions."""
    small = audio_ldm_mini.load(folder)
    bridge = MelBridge(of_front(FRONT), ear.mel)
    found: dict[str, list[dict[str, float]]] = {"decoded from true sounds": [], "made of captions": []}
    for index in range(clips):
        scene = sample_scene(DOMAINS[index % 3], split_seed("test", index), duration=MINI_S)
        clip = render_clip(scene, picture=False)
        wave = torch.from_numpy(mono_at(clip.audio, RATE, round(MINI_S * small.rate)))[None]
        told = small.words.embed_text([clip.captions[0], ""])
        noise = frame_noise(0, index, 0, small.codec.latent_frames(wave.shape[1]), 128)[None]
        latents = (
            latents_of(small.codec, wave) * small.codec.scaling,
            small.sample(noise, told[:1], told[1:], STEPS, GUIDANCE),
        )
        for rows, latent in zip(found.values(), latents, strict=True):
            mel = small.codec.decode_mel(latent)
            sound = small.codec.vocoder(mel)
            whole = [
                x.mean(1)[0]
                for x in (
                    ear.felt(at_rate(sound, small.rate, RATE)),
                    ear.felt_mel(bridge(mel)),
                    ear.felt_mel(bridge(front_mel(sound, FRONT).mT)),
                )
            ]
            by_mel, by_own = (float(F.cosine_similarity(whole[0], x, dim=0)) for x in whole[1:])
            rows.append({"whole": by_mel, "by its own mel": by_own})
        print(index, {name: round(rows[-1]["whole"], 4) for name, rows in found.items()}, flush=True)
    return {
        name: {
            "n": len(rows),
            "whole": round(float(np.mean([r["whole"] for r in rows])), 4),
            "whole, least": round(min(r["whole"] for r in rows), 4),
            "whole, a tenth below": round(float(np.quantile([r["whole"] for r in rows], 0.1)), 4),
            "by its own mel": round(float(np.mean([r["by its own mel"] for r in rows])), 4),
        }
        for name, rows in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path, help="a folder of clips; those without sound are passed over")
    parser.add_argument("--mini", type=Path, help="folder of mini-AudioLDM's weights")
    parser.add_argument("--takes", type=int, default=60, help="test clips it is asked for")
    parser.add_argument("--out", type=Path, default=Path("results/mel_bridge.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    ear = WeftAudio.load(ENCODERS)
    bridges = {name: MelBridge(of_front(front), ear.mel) for name, front in FRONTS.items()}
    clips: dict[str, dict[str, Any]] = {}
    for path in sorted(given.clips.glob("*.mp4")):
        try:
            wave = media.read_audio(path, RATE, channels=1)[0][: round(LONGEST_S * RATE)]
        except MediaError as error:
            print(error)
            continue
        clips[path.stem] = {
            name: measured(wave, FRONTS[name], bridge, ear) for name, bridge in bridges.items()
        }
        print(path.stem, {name: row["whole"] for name, row in clips[path.stem].items()}, flush=True)
    means = {
        name: {
            key: round(float(np.mean([rows[name][key] for rows in clips.values()])), 4)
            for key in next(iter(clips.values()))[name]
        }
        for name in FRONTS
    }
    result: dict[str, Any] = {"ear": ENCODERS, "sha256": ear.sha256, "clips": len(clips), "means": means}
    if given.mini is not None:
        result["mini-AudioLDM"] = of_mini(given.mini, given.takes, ear)
        print(json.dumps(result["mini-AudioLDM"], indent=1))
    result["by clip"] = clips
    given.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(means, indent=1))


if __name__ == "__main__":
    main()
