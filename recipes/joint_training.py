"""Does sound with words help a network that has few pictures to learn from? MMAudio's central claim, in small.

    python recipes/joint_training.py --data DATA --runs RUNS [--clips CLIPS]

Two arms of the same network (recipes/mmaudio_mini.toml), as many steps of as many examples: one learns from windows of
200 films of the world alone, the other shares its steps between them and windows of sounds that have words but no
picture. Both are asked to sound windows of films of the test split, from pictures and words, pictures alone and words
alone. The pictures are read by weft's video encoder, which was trained beside the sound encoder of `fad_weft`: so
`fad_mel` stands beside it, and the listener and the onsets know nothing of either.

CLIPS holds the clips that `recipes/train_generator.py` encoded (stages `sounds` and `encode`); `--families` of them are
made here if there are none.

Everything is kept as it is made (films, shards, checkpoints, judged sounds), so a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from weft.codecs.stft_vae import StftVae
from weft.cues.controls import CHANNELS
from weft.diffusion.guidance import ClassifierFree
from weft.diffusion.sampler import frame_noise
from weft.encoders.eye import FPS
from weft.encoders.log_mel_statistics import LogMelStatistics
from weft.encoders.own import WeftAudio
from weft.generators.conditions import Conditions
from weft.generators.mmdit import MMDiT
from weft.generators.sampling import latents
from weft.metrics import frechet, onset
from weft.metrics.interval import bootstrap
from weft.metrics.material import MaterialClassifier, features
from weft.training.embedded import Example, claim, write_shard
from weft.training.extractors import OwnExtractor
from weft.training.films import draw_films, read_films
from weft.training.generator import encode_sounds, examples, write_sounds
from weft.training.joint_recipe import JointRecipe, learnt, run
from weft.training.listener import listener

FILMS = {"train": range(90_000, 90_200), "test": range(160)}
CAPTIONS = 3  # of each window of a film, as examples of their own
SEEDS = (0, 1)
ARMS = ("pictures only", "joint")
ASKED = ("pictures and words", "pictures", "words")
EMBEDDERS = {"fad_weft": "weft", "fad_mel": "mel"}  # weft's own sound encoder, and plain log-mel statistics
HELD = ("each", "found")  # what a row holds for comparing, and does not show
STEPS, GUIDANCE, AT_ONCE = 16, 3.0, 16  # of the sampler; weft-mini's guidance, not chosen here
LISTENER = 1020  # clips of the training split that the listener hears
HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """Two seconds of a test film: frames, true sound `[2, N]`, and what is true of it."""

    item: int
    frames: np.ndarray
    audio: np.ndarray
    onsets: np.ndarray
    caption: str
    material: str


def cuts(seconds: float = 4.0, window: float = 2.0) -> list[tuple[float, slice, slice]]:
    """Start, pictures and latent frames of each window of a clip."""
    pictures, frames = round(window * FPS), int(window * 44100 / 1024)
    return [
        (k * window, slice(k * pictures, (k + 1) * pictures), slice(k * frames, (k + 1) * frames))
        for k in range(int(seconds / window))
    ]


def embed_films(own: OwnExtractor, parts: list[Path], folder: Path) -> None:
    """Shards of the windows of films in which something sounds, each with some of its captions."""
    claim(folder, own.made_of, own.words(""))
    for part in parts:
        shard = folder / f"{part.stem}.tar"
        if not shard.exists():
            print(f"{shard.name}: {write_shard(shard, film_examples(own, part))} examples", flush=True)


def film_examples(own: OwnExtractor, part: Path) -> Iterator[Example]:
    for film in read_films([part]):
        with torch.no_grad():
            latent = own.codec.encode(torch.from_numpy(film.audio)[None])[0]
        for k, (start, pictures, frames) in enumerate(cuts()):
            if not ((film.onsets >= start) & (film.onsets < start + own.seconds)).any():
                continue
            clip, sync = own.seen(film.frames[pictures])
            for c, caption in enumerate(film.captions[:CAPTIONS]):
                yield Example(
                    key=f"{film.name}-{k}-{c}",
                    mean=latent[frames],
                    std=torch.zeros_like(latent[frames]),
                    text=own.words(caption),
                    clip=clip,
                    sync=sync,
                    caption=caption,
                    source={"film": film.name, "start": start},
                )


def embed_sounds(own: OwnExtractor, clips: Path, families: int, folder: Path) -> None:
    """Shards of the windows of encoded clips in which something is struck, a caption each and no picture."""
    if not sorted(clips.glob("clips-*.npz")):
        clips.mkdir(parents=True, exist_ok=True)
        for first in range(0, families, 40):
            sounds = clips / f"sounds-{first:06d}.npz"
            write_sounds(examples(20261121, range(first, min(first + 40, families))), sounds)
            encode_sounds(own.codec.encode, sounds, clips / f"clips-{first:06d}.npz")
            sounds.unlink()
    claim(folder, own.made_of, own.words(""))
    for path in sorted(clips.glob("clips-*.npz")):
        shard = folder / f"{path.stem}.tar"
        if not shard.exists():
            print(f"{shard.name}: {write_shard(shard, sound_examples(own, path))} examples", flush=True)


def sound_examples(own: OwnExtractor, path: Path) -> Iterator[Example]:
    with np.load(path) as part:
        latents_, controls = part["latent"], part["controls"]
        captions = json.loads(str(part["captions"]))
    rng = np.random.default_rng([7, int(path.stem.split("-")[1])])
    for i, (latent, control, texts) in enumerate(zip(latents_, controls, captions, strict=True)):
        for k, (start, _, frames) in enumerate(cuts()):
            if not control[frames, CHANNELS["onset"]].any():
                continue
            mean, caption = torch.from_numpy(latent[frames].astype(np.float32)), str(rng.choice(texts))
            yield Example(
                key=f"{path.stem}-{i}-{k}",
                mean=mean,
                std=torch.zeros_like(mean),
                text=own.words(caption),
                caption=caption,
                source={"clips": path.name, "number": i, "start": start},
            )


def windows(parts: list[Path], most: int) -> list[Window]:
    """Windows of test films in which the picture shows something sound."""
    found = []
    for film in read_films(parts):
        for k, (start, pictures, _) in enumerate(cuts()):
            inside = (film.onsets >= start) & (film.onsets < start + 2.0)
            if (inside & film.visible).any():
                sample = round(start * 44100)
                found.append(
                    Window(
                        item=2 * int(film.name.split("-")[1]) + k,
                        frames=film.frames[pictures],
                        audio=film.audio[:, sample : sample + 88200],
                        onsets=film.onsets[inside] - start,
                        caption=film.captions[0],
                        material=film.material,
                    )
                )
    return found[:: max(1, len(found) // most)][:most]


def sounded(
    net: MMDiT, own: OwnExtractor, codec: StftVae, some: list[Window], asked: str, seed: int
) -> list[np.ndarray]:
    """The network's sound `[2, 88200]` of each window, told what `asked` says."""
    out: list[np.ndarray] = []
    for at in range(0, len(some), AT_ONCE):
        batch = some[at : at + AT_ONCE]
        seen = [own.seen(w.frames) for w in batch] if "pictures" in asked else None
        told = torch.stack([own.words(w.caption) for w in batch]) if "words" in asked else None
        tokens, rows = own.made_of["shapes"]["clip"][0], own.made_of["shapes"]["sync"][0]
        cond = Conditions(
            clip=None if seen is None else torch.stack([c for c, _ in seen]),
            sync=None if seen is None else torch.stack([s for _, s in seen]),
            text=told,
            clip_tokens=tokens,
            sync_tokens=rows,
        )
        nothing = Conditions(clip_tokens=tokens, sync_tokens=rows)
        noise = torch.stack([frame_noise(seed, w.item, 0, own.frames, 64) for w in batch])
        made = latents(net, noise, {"cond": cond, "uncond": nothing}, ClassifierFree(scale=GUIDANCE), STEPS)
        with torch.no_grad():
            waves = codec.decode(net.unnormalised(made)).numpy()
        out += [np.pad(w, ((0, 0), (0, 88200 - w.shape[1]))) for w in waves]
    return out


def measured(sounds: list[np.ndarray], some: list[Window]) -> dict[str, np.ndarray]:
    """What is kept of sounds: onset F1 `[n]`, the listener's features, embeddings of both embedders per window."""
    audio, mel = WeftAudio.load(), LogMelStatistics()
    loud = [s * (0.5 / max(float(np.abs(s).max()), 1e-4)) for s in sounds]
    mono = torch.from_numpy(np.stack(loud)).mean(1)
    return {
        "onset": np.array(
            [onset.scores(onset.detect(s)[0], w.onsets).f1 for s, w in zip(loud, some, strict=True)]
        ),
        "features": np.stack([features(s) for s in sounds]),
        "weft": audio.embed(mono, 44100).numpy(),
        "mel": mel.embed(mono, 44100).numpy(),
    }


def row(
    found: dict[str, np.ndarray], true: dict[str, np.ndarray], some: list[Window], ear: MaterialClassifier
) -> dict[str, Any]:
    """Numbers, of shares with intervals over windows; a Frechet distance has none, as drawing windows again and again
    makes a set look further off than it is. Of the arms' difference it has: see `compared`."""
    right = [h == w.material for h, w in zip(ear.predict(found["features"]), some, strict=True)]
    numbers: dict[str, Any] = {
        "onset_f1": bootstrap(found["onset"]).to_json(),
        "material": bootstrap(np.array(right, float)).to_json(),
    }
    everything = np.arange(len(some))
    numbers |= {name: round(distance(true, found, name, everything), 4) for name in EMBEDDERS}
    return numbers | {
        "each": {"onset_f1": found["onset"], "material": np.array(right, float)},
        "found": found,
    }


def distance(
    true: dict[str, np.ndarray], found: dict[str, np.ndarray], name: str, which: np.ndarray
) -> float:
    """The Frechet distance of the windows `which` from all true ones."""
    key = EMBEDDERS[name]
    wide = true[key].shape[-1]
    return frechet.distance(true[key].reshape(-1, wide), found[key][which].reshape(-1, wide))


def compared(rows: dict[str, Any], asked: str, count: int) -> dict[str, Any]:
    """Joint less pictures only, means over seeds, with intervals over windows that both arms are asked for alike."""

    def mean(arm: str, number: Callable[[dict[str, Any]], Any]) -> Any:
        return np.mean([number(rows[f"{arm}, seed {s}, {asked}"]) for s in SEEDS], axis=0)

    out = {}
    for name in ("onset_f1", "material"):
        each = [mean(arm, lambda one, name=name: one["each"][name]) for arm in ARMS]  # type: ignore[misc]
        out[name] = bootstrap(each[1] - each[0]).to_json()
    true = rows["true sounds"]["found"]
    for name in EMBEDDERS:

        def further(draw: np.ndarray, name: str = name) -> float:
            which = draw.astype(int)
            arms = [mean(arm, lambda one: distance(true, one["found"], name, which)) for arm in ARMS]
            return float(arms[1] - arms[0])

        out[name] = bootstrap(np.arange(count, dtype=float), further, draws=200).to_json()
    return out


def judge(
    own: OwnExtractor, runs: Path, some: list[Window], recipe: JointRecipe, seconds: dict[str, float]
) -> dict:  # type: ignore[type-arg]
    """Rows of all arms, seeds and ways of asking, and of the true sounds; what was measured is kept in `runs`."""
    ear = listener(runs / "listener.joblib", LISTENER, 2.0)
    rows: dict[str, Any] = {}

    def kept(name: str, make: Any) -> dict[str, np.ndarray]:
        path = runs / f"judged-{name.replace(', ', '-').replace(' ', '_')}.npz"
        if not path.exists():
            found = measured(make(), some)
            aside = path.with_name(f".{path.name}")
            np.savez(aside, **found)  # type: ignore[arg-type]
            aside.replace(path)
        with np.load(path) as held:
            return {key: held[key] for key in held.files}

    true = kept("true sounds", lambda: [w.audio for w in some])
    rows["true sounds"] = row(true, true, some, ear)
    others = some[5:] + some[:5]
    rows["chance (other windows)"] = row(kept("chance", lambda: [w.audio for w in others]), true, some, ear)
    for name in EMBEDDERS:  # of the true set from itself
        del rows["true sounds"][name], rows["chance (other windows)"][name]
    for asked in ASKED:
        for seed in SEEDS:
            for arm in ARMS:
                name = f"{arm}, seed {seed}, {asked}"
                net = MMDiT(recipe.network)
                net.load_state_dict(learnt(runs / f"{arm.replace(' ', '_')}-{seed}", recipe.width))
                net.eval()
                found = kept(name, lambda net=net, asked=asked: sounded(net, own, own.codec, some, asked, 0))
                rows[name] = row(found, true, some, ear)
                brief = {
                    k: v["value"] if isinstance(v, dict) else v
                    for k, v in rows[name].items()
                    if k not in HELD
                }
                print(f"{name}: {brief}", flush=True)
    differences = {asked: compared(rows, asked, len(some)) for asked in ASKED}
    for one in rows.values():
        del one["each"], one["found"]
    return {"rows": rows, "joint less pictures only": differences, "minutes of training": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="films and shards")
    parser.add_argument("--runs", type=Path, required=True, help="checkpoints and what was judged")
    parser.add_argument("--clips", type=Path, help="encoded clips of recipes/train_generator.py [DATA/clips]")
    parser.add_argument("--families", type=int, default=1600, help="of clips to make when there are none")
    parser.add_argument("--windows", type=int, default=96, help="test windows that are judged")
    parser.add_argument("--recipe", type=Path, default=HERE / "mmaudio_mini.toml")
    parser.add_argument("--out", type=Path, default=HERE.parent / "results/joint_training.json")
    given = parser.parse_args()
    torch.set_num_threads(1)
    recipe, own = JointRecipe.load(given.recipe), OwnExtractor.load()
    parts = {split: draw_films(given.data / "films", split, span, print) for split, span in FILMS.items()}
    films, sounds = given.data / "pictured", given.data / "heard"
    embed_films(own, parts["train"], films)
    embed_sounds(own, given.clips or given.data / "clips", given.families, sounds)
    minutes = {}
    for seed in SEEDS:
        for arm in ARMS:
            folder = given.runs / f"{arm.replace(' ', '_')}-{seed}"
            seeded = replace(recipe, loop=replace(recipe.loop, seed=seed))
            done = run(seeded, folder, pictured=[films], heard=[sounds] if arm == "joint" else [])
            minutes[f"{arm}, seed {seed}"] = round(done.minutes, 1)
            print(f"{time.strftime('%H:%M')} {folder.name}: {done}", flush=True)
            if not done.finished:
                return
    result = judge(own, given.runs, windows(parts["test"], given.windows), recipe, minutes)
    facts = {
        "films": len(FILMS["train"]),
        "examples with pictures": sum(1 for _ in examples_in(films)),
        "examples without": sum(1 for _ in examples_in(sounds)),
        "steps": recipe.loop.steps,
        "batch": recipe.data.batch,
        "parameters": sum(p.numel() for p in MMDiT(recipe.network).parameters()),
        "sampler": {"steps": STEPS, "guidance": GUIDANCE, "average": recipe.width},
        "windows judged": given.windows,
    }
    given.out.write_text(json.dumps({"setting": facts, **result}, indent=1) + "\n")
    print(json.dumps(result["joint less pictures only"], indent=1))


def examples_in(folder: Path) -> Iterator[int]:
    from weft.training.embedded import Embedded

    yield from range(len(Embedded([folder])))


if __name__ == "__main__":
    main()
