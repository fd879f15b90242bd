"""A joint training run as settings (which network, how it is asked, how it learns), and the run itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from weft import weights
from weft.errors import UserError
from weft.generators.mmaudio import VARIANTS
from weft.generators.mmdit import MMDiT, MMDiTConfig
from weft.training.averages import synthesised
from weft.training.embedded import Embedded, statistics
from weft.training.joint import JointConfig, JointLesson, begun, informed
from weft.training.loop import AVERAGES, LoopConfig, Outcome, train
from weft.training.mixture import Ahead, Mixture
from weft.training.processes import ALONE, Processes
from weft.training.tables import filled, read_toml

RECIPE = "recipe.json"
NETWORK = "network.safetensors"


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """batch: examples of a step, over all processes. repeat: how often an epoch has each example with pictures. ahead:
    steps whose examples are read beforehand, by `threads` threads."""

    batch: int = 512
    repeat: int = 5
    ahead: int = 8
    threads: int = 4


@dataclass(frozen=True, kw_only=True)
class JointRecipe:
    """Everything that decides the outcome but the examples. `width`: of the average that is kept in the end."""

    network: MMDiTConfig
    data: DataConfig = field(default_factory=DataConfig)
    lesson: JointConfig = field(default_factory=JointConfig)
    loop: LoopConfig = field(default_factory=lambda: LoopConfig(steps=300_000))
    width: float = 0.05

    @classmethod
    def load(cls, path: Path) -> JointRecipe:
        """Read a TOML file; its [network] is `size = "small_16k"` (or another published size), or all sizes.

        Raises UserError in one line for what is wrong with it.
        """
        table = read_toml(path)
        network = table.get("network")
        if isinstance(network, dict) and "size" in network:
            size, more = network["size"], sorted(network.keys() - {"size"})
            if size not in VARIANTS:
                raise UserError(f"{path.name}.network.size is {size!r}; use {', '.join(VARIANTS)}")
            if more:
                raise UserError(f"{path.name}.network: {more[0]!r} beside size; a published size has its own")
            table["network"] = asdict(VARIANTS[size].config)
        recipe = filled(cls, table, path.name)
        if not recipe.loop.averages:
            raise UserError(f"{path.name}.loop.averages is missing; give two widths, such as [0.05, 0.1]")
        return recipe


def run(
    recipe: JointRecipe,
    folder: Path,
    *,
    pictured: Sequence[Path] = (),
    heard: Sequence[Path] = (),
    across: Processes = ALONE,
    on_checkpoint: Callable[[int], None] | None = None,
) -> Outcome:
    """Train in `folder` on folders of shards with and without pictures, or go on there; finished, write NETWORK.

    Raises UserError: no data, data for another network, or a folder where another recipe was begun; NotFinite.
    """
    films, sounds = (Embedded(list(given)) if given else None for given in (pictured, heard))
    known = next((one for one in (films, sounds) if one is not None), None)
    if known is None:
        raise UserError("nothing to train on: name folders of shards with --pictured, --heard or both")
    for one in (films, sounds):
        if one is not None:
            _fits(recipe.network, one.made_of)
    _claim(folder, recipe, across)
    generator = torch.Generator().manual_seed(recipe.loop.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.loop.seed)
        net = begun(MMDiT(recipe.network), generator)
    mean, std = statistics(films or known, recipe.lesson.statistics)
    informed(net, mean, std, known.no_words())
    lesson = JointLesson(net, recipe.lesson)
    mixture = Mixture(
        films,
        sounds,
        batch=recipe.data.batch,
        repeat=recipe.data.repeat,
        seed=recipe.loop.seed,
        rank=across.rank,
        processes=across.count,
    )
    ahead = Ahead(mixture, recipe.data.ahead, recipe.data.threads)
    try:
        outcome = train(
            lesson,
            lesson,
            ahead.at,
            replace(recipe.loop, ema=None),
            folder,
            on_checkpoint=on_checkpoint,
            across=across,
        )
    finally:
        ahead.close()
    if outcome.finished and across.first:
        tensors = learnt(folder, recipe.width)
        weights.save(folder / NETWORK, tensors, {"network": asdict(recipe.network), "step": outcome.step})
    return outcome


def learnt(folder: Path, width: float, step: int | None = None) -> dict[str, Tensor]:
    """The network's tensors, under the published keys, of the average of `width` (at `step`) of a run in `folder`."""
    found = synthesised(folder / AVERAGES, width, step)
    return {key.removeprefix("net."): value for key, value in found.items()}


def _fits(network: MMDiTConfig, made_of: dict[str, Any]) -> None:
    shapes = made_of["shapes"]
    wanted = {
        "latent_dim": (network.latent_dim, shapes["mean"][1]),
        "clip_dim": (network.clip_dim, shapes["clip"][1]),
        "sync_dim": (network.sync_dim, shapes["sync"][1]),
        "text_dim": (network.text_dim, shapes["text"][1]),
        "text_length": (network.text_length, shapes["text"][0]),
    }
    for name, (own, given) in wanted.items():
        if own != given:
            raise UserError(
                f"the network's {name} is {own}, but the shards ({made_of['kind']}) have {given}: "
                "embed with the encoders of this network"
            )


def _claim(folder: Path, recipe: JointRecipe, across: Processes) -> None:
    """Keep the recipe in the run's folder. Raises UserError when another was begun there."""
    path, own = folder / RECIPE, json.loads(json.dumps(asdict(recipe)))
    if path.is_file():
        before = json.loads(path.read_text())
        for part, value in own.items():
            if before.get(part) != value and part != "width":
                raise UserError(
                    f"{folder} holds a run with another [{part}]: go on with the recipe in {path}, or name "
                    "another folder"
                )
    elif across.first:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(own, indent=1) + "\n")
    across.wait()
