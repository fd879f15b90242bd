"""GRAM's miniature: batches are what they say, one flag changes the loss alone, and it learns and resumes."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from weft.alignment.losses import AlignmentConfig
from weft.cues.vocabulary import ACTIONS
from weft.encoders.audio_net import AudioNetConfig
from weft.encoders.text import TextEncoder
from weft.encoders.text_net import TextNetConfig
from weft.encoders.video_net import VideoNetConfig
from weft.training.cache import Drawn
from weft.training.gram import Miniature, MiniatureConfig, batch_of
from weft.training.loop import LoopConfig, train
from weft.training.pairs import Pairs
from weft.training.triples import Triples, of_drawn, of_pairs


def small(form: str = "volume", clips: int = 8) -> MiniatureConfig:
    return MiniatureConfig(
        audio=AudioNetConfig(channels=(4, 4, 8, 8), width=16, depth=1, d=16),
        video=VideoNetConfig(channels=(6, 6), width=16, depth=1, d=16),
        text=TextNetConfig(width=8, d=16),
        loss=AlignmentConfig(form=form),  # type: ignore[arg-type]
        clips=clips,
    )


def drawn(n: int = 12, seed: int = 0) -> Triples:
    """Clips whose sound and picture both tell their kind, i: a band that is loud, a channel that is bright."""
    rng = np.random.default_rng(seed)
    mel = rng.normal(-60, 2, (n, 400, 64)).astype(np.float16)
    cells = rng.normal(0.3, 0.02, (n, 50, 9, 9, 12)).astype(np.float16)
    for i in range(n):
        mel[i, :, 5 * i : 5 * i + 5] += 40
        cells[i, :, :3, i % 9] += 0.6
    kinds = np.arange(n)
    return Triples(
        mel=mel,
        cells=cells,
        material=kinds.astype(np.int8),
        action=np.zeros(n, np.int8),
        count=np.full(n, 2, np.int16),
        index=kinds,
    )


def test_a_batch_is_of_clips_whose_parts_belong_together() -> None:
    clips, text = drawn(), TextEncoder.load()
    batch = batch_of(clips, text, small(), np.random.default_rng(1))
    assert {k: tuple(v.shape) for k, v in batch.items()} == {
        "mel": (8, 400, 64),
        "cells": (8, 50, 9, 9, 12),
        "tokens": (8, 32, text.dim),
        "mask": (8, 32),
        "kind": (8,),
    }
    kinds = batch["kind"] // len(ACTIONS)
    assert len(set(kinds.tolist())) == 8
    loud = (batch["mel"] > -40).float().mean(1).argmax(1) // 5
    assert loud.tolist() == kinds.tolist()
    again = batch_of(clips, text, small(), np.random.default_rng(1))
    assert all(torch.equal(batch[k], again[k]) for k in batch)
    other = batch_of(clips, text, small(), np.random.default_rng(2))
    assert not torch.equal(batch["kind"], other["kind"])


def test_forms_share_networks_and_differ_in_the_loss_alone() -> None:
    nets = []
    for form in ("volume", "pairwise", "area"):
        torch.manual_seed(3)
        nets.append(Miniature(small(form)))
    states = [net.state_dict() for net in nets]
    assert all(torch.equal(states[0][k], s[k]) for s in states for k in s)
    batch = batch_of(drawn(), TextEncoder.load(), small(), np.random.default_rng(1))
    losses = [float(net.losses(batch, torch.Generator().manual_seed(0))["loss"].detach()) for net in nets]
    assert len({round(x, 3) for x in losses}) == 3


@pytest.mark.parametrize("form", ["volume", "pairwise"])
def test_it_learns_a_batch_by_heart(form: str) -> None:
    batch = batch_of(drawn(), TextEncoder.load(), small(form), np.random.default_rng(1))
    batch |= {"mel": batch["mel"][:, :160], "cells": batch["cells"][:, :20]}
    torch.manual_seed(5)
    module = Miniature(small(form)).train()
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-2)
    said = []
    for step in range(24):
        loss = module.losses(batch, torch.Generator().manual_seed(step))["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        said.append(float(loss.detach()))
    assert sum(said[-4:]) < 0.75 * sum(said[:4])
    with torch.inference_mode():
        vectors = (
            module.read(batch["tokens"], batch["mask"]),
            module.see(batch["cells"]),
            module.hear(batch["mel"]),
        )
    for x in vectors:
        torch.testing.assert_close(x.norm(dim=1), torch.ones(8))


def test_a_resumed_run_ends_in_the_same_bits(tmp_path: Path) -> None:
    clips, text, config = drawn(), TextEncoder.load(), small(clips=4)

    def run(folder: Path, *stops: int) -> Miniature:
        for stop in stops:
            torch.manual_seed(5)
            module = Miniature(config)
            loop = LoopConfig(steps=4, learning_rate=4e-3, warmup=2, ema=0.9)

            def batch_at(step: int, stop: int = stop) -> dict[str, torch.Tensor]:
                if step == stop:
                    signal.raise_signal(signal.SIGINT)  # a run that somebody stops: it ends after this step
                return batch_of(clips, text, config, np.random.default_rng([7, step]))

            ended = train(module, module.losses, batch_at, loop, folder)
            assert ended.step == min(stop + 1, 4)
        return module

    whole, parts = run(tmp_path / "whole", 4).state_dict(), run(tmp_path / "parts", 1, 4).state_dict()
    assert all(torch.equal(v, parts[k]) for k, v in whole.items())


def test_pairs_give_their_own_sound_and_drawn_clips_the_same_features() -> None:
    rng = np.random.default_rng(0)
    pairs = Pairs(
        mel=rng.normal(size=(3, 2, 400, 64)).astype(np.float16),
        material=np.array([[1, 2], [3, 4], [5, 6]], np.int8),
        action=np.array([0, 1, 2], np.int8),
        count=np.array([1, 2, 3], np.int16),
        onsets=np.zeros((3, 48), np.float32),
        index=np.arange(3),
        cells=np.zeros((3, 50, 9, 9, 12), np.float16),
        looks=np.zeros((3, 9, 72, 96, 3), np.uint8),
        box=np.zeros((3, 9, 4), np.float32),
    )
    found = of_pairs(pairs)
    assert np.array_equal(found.mel, pairs.mel[:, 0])
    assert found.material.tolist() == [1, 3, 5]
    assert found.kinds().tolist() == [len(ACTIONS), 3 * len(ACTIONS) + 1, 5 * len(ACTIONS) + 2]
    label = {"fps": 25.0, "material": "glass", "action": "bounce", "events": [], "index": 4}
    clip = Drawn(
        frames=rng.integers(0, 255, (100, 96, 128, 3), dtype=np.uint8),
        audio=(3000 * rng.normal(size=(2, 176400))).astype(np.int16),
        label=label,
    )
    one = of_drawn([clip])
    assert (one.mel.shape, one.cells.shape, len(one)) == ((1, 400, 64), (1, 50, 9, 9, 12), 1)
    assert int(one.count[0]) == 1
    assert float(one.mel.astype(np.float32).std()) > 1


def test_one_space_is_asked_for() -> None:
    with pytest.raises(ValueError, match="D is 128, 128 and 64, but must be one space's"):
        MiniatureConfig(text=TextNetConfig(d=64))
