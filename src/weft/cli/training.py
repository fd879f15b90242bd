"""`weft train RECIPE.toml`: joint training of MMAudio's networks on embedded clips."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from weft.cli import STOPPED
from weft.cli.console import Console
from weft.errors import WeftError

if TYPE_CHECKING:
    from weft.training.joint_recipe import JointRecipe


def train_toml(console: Console, path: Path, arguments: list[str]) -> None:
    """Read the recipe and its data, then train, or only say with --check what would be trained."""
    given = _parsed(path, arguments)
    from weft.training.joint_recipe import NETWORK, JointRecipe, run
    from weft.training.loop import NotFinite
    from weft.training.processes import started

    recipe = JointRecipe.load(path)
    if given.check:
        _say(console, recipe, given.pictured, given.heard)
        return
    across = started()
    if across.first:
        logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        outcome = run(recipe, given.run, pictured=given.pictured, heard=given.heard, across=across)
    except NotFinite as error:
        raise WeftError(f"{error}; lower loop.learning_rate and go on from it with another --run") from error
    if not outcome.finished:
        console.note(
            f"stopped at step {outcome.step} of {recipe.loop.steps}; the same command goes on from there"
        )
        raise SystemExit(STOPPED)
    if across.first:
        console.say(f"{given.run / NETWORK}: the average of width {recipe.width:g} at step {outcome.step}")


def _parsed(path: Path, arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"weft train {path}", description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs") / path.stem, help="folder of the run")
    parser.add_argument(
        "--pictured", type=Path, action="append", default=[], help="folder of shards with pictures"
    )
    parser.add_argument(
        "--heard", type=Path, action="append", default=[], help="folder of shards without pictures"
    )
    parser.add_argument("--check", action="store_true", help="say what would be trained, and end")
    return parser.parse_args(arguments)


def _say(console: Console, recipe: JointRecipe, pictured: list[Path], heard: list[Path]) -> None:
    import torch

    from weft.generators.mmdit import MMDiT
    from weft.training.embedded import Embedded

    with torch.device("meta"):
        count = sum(p.numel() for p in MMDiT(recipe.network).parameters())
    seen, told = (len(Embedded(given)) if given else 0 for given in (pictured, heard))
    epoch = recipe.data.repeat * seen + told
    copies = 4 + len(recipe.loop.averages)  # weights, gradients, AdamW's two, averages; float32
    console.say(
        f"network       {count / 1e6:.1f} M parameters, {4 * copies * count / 2**30:.1f} GiB to train, less activations"
    )
    console.say(f"examples      {seen} with pictures x {recipe.data.repeat}, {told} without")
    if epoch:
        rounds = recipe.loop.steps * recipe.data.batch / epoch
        console.say(f"steps         {recipe.loop.steps} of {recipe.data.batch}: {rounds:.1f} epochs")
    console.say(f"rate          {recipe.loop.learning_rate:g}, {recipe.loop.schedule}")
