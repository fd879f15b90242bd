"""Score the codec on the world's test split and on a folder of real clips: what comes back of what went in?

    python recipes/evaluate_codec.py --clips CLIPS --out results/codec.json

Rows: the codec; and, for scale, the sound of the next clip in its place (chance). 95% bootstrap intervals over clips.
Nothing of the codec was chosen by the real clips, nor by the test split.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch

from weft import weights
from weft.codecs.stft_vae import StftVae
from weft.errors import MediaError
from weft.media.audio import read_audio
from weft.metrics import envelope, interval, space, spectrum
from weft.world.clip import render_sound
from weft.world.scene import DOMAINS, sample_scene, split_seed

DURATION = 4.0
VIDEO = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".wav", ".flac", ".mp3"}


def world_sounds(count: int) -> Iterator[tuple[str, np.ndarray]]:
    """The sounds of the first `count` test clips, the domains in turn."""
    for index in range(count):
        domain = DOMAINS[index % len(DOMAINS)]
        yield (
            f"{domain}-{index}",
            render_sound(sample_scene(domain, split_seed("test", index), duration=DURATION)),
        )


def real_sounds(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    """The whole sound of every clip in `folder` that has any."""
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in VIDEO):
        try:
            sound = read_audio(path, channels=2)
        except MediaError as error:
            print(f"left out: {error}")
            continue
        if np.abs(sound).max() > 1e-3:
            yield path.stem, sound


def score(made: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """The table's three numbers, and the mel error where there is sound."""
    return {
        "mel_error_db": spectrum.mel_error(made, true),
        "mel_error_active_db": spectrum.mel_error_active(made, true),
        "envelope_r": envelope.agreement(made, true),
        "ild_error_db": space.ild_error(made, true),
    }


def rendition(codec: StftVae, sound: np.ndarray) -> np.ndarray:
    """Encode and decode a sound, the decoding in blocks."""
    with torch.no_grad():
        latent = codec.encode(torch.from_numpy(sound)[None])
        return torch.cat(list(codec.decode_blocks(latent, sound.shape[1])), -1)[0].numpy()


def table(codec: StftVae, sounds: Iterable[tuple[str, np.ndarray]], *, each: bool) -> dict[str, object]:
    """Score every sound; `each` keeps the clips' own numbers beside the means."""
    rows: dict[str, dict[str, float]] = {}
    chance: list[dict[str, float]] = []
    last: np.ndarray | None = None
    for name, sound in sounds:
        rows[name] = score(rendition(codec, sound), sound)
        if last is not None:
            n = min(last.shape[1], sound.shape[1])
            chance.append(score(last[:, :n], sound[:, :n]))
        last = sound
        if len(rows) % 50 == 0:
            print(f"{len(rows)} clips", flush=True)
    out: dict[str, object] = {"codec": summary(list(rows.values())), "chance": summary(chance)}
    if each:
        out["clips"] = {name: {k: round(v, 3) for k, v in row.items()} for name, row in rows.items()}
    return out


def summary(rows: list[dict[str, float]]) -> dict[str, dict[str, float | int]]:
    return {key: interval.bootstrap([row[key] for row in rows]).to_json() for key in rows[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codec", default="weft-codec", help="embedded name or .safetensors path")
    parser.add_argument("--clips", type=Path, help="folder of real clips")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--out", type=Path, default=Path("results/codec.json"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    codec = StftVae.load(args.codec)
    result: dict[str, object] = {
        "codec": {
            "sha256": weights.sha256(args.codec),
            "parameters": sum(p.numel() for p in codec.parameters()),
        },
        "metrics": "weft.metrics: mel 64 bands 2048/512 floor -90 dB; RMS 1024/512; ILD in frames over -50 dB",
    }
    if args.clips is not None:
        result["real"] = table(codec, real_sounds(args.clips), each=True)
        print(json.dumps(result["real"]["codec"]))  # type: ignore[index]
    result["world"] = table(codec, world_sounds(args.count), each=False)
    print(json.dumps(result["world"]["codec"]))  # type: ignore[index]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
