"""Material and action scores of prompts; the held-out list is the issue's own yardstick."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.encoders.reader import PromptReader, ReaderConfig, spans
from weft.encoders.words import action_scores, material_scores
from weft.world import lexicon


def best(scores: dict[str, float]) -> str:
    return max(scores, key=scores.__getitem__)


@pytest.mark.parametrize(
    ("prompt", "material"),
    [
        ("a spoon taps a wine glass", "glass"),
        ("a metal spoon taps a wooden table", "wood"),
        ("A person hit multiple times on metal with a wooden stick.", "metal"),
        ("A person scratch once on gravel with a wooden stick.", "gravel"),
        ("hammer on a stone wall", "rock"),
        ("metal clang", "metal"),
        ("footsteps on gravel", "gravel"),
        ("boots crunch along the gravel path", "gravel"),
        ("knocking on an oak door", "wood"),
        ("a stick hits water", "water"),
        ("rustling a plastic bag", "plastic-bag"),
        ("a glass bottle rolls over a wooden floor", "wood"),
        ("WALKING THROUGH DRY LEAVES", "leaf"),
        ("wood", "wood"),
    ],
)
def test_everyday_prompts_find_their_material(prompt: str, material: str) -> None:
    scores = material_scores(prompt)
    assert best(scores) == material, sorted(scores.items(), key=lambda s: -s[1])[:3]
    assert scores[material] > 0.4


@pytest.mark.parametrize("material", MATERIALS)
def test_foleygrams_template_names_every_material(material: str) -> None:
    for verb in ("hit once", "scratch multiple times"):
        assert best(material_scores(f"A person {verb} on {material} with a wooden stick.")) == material


def test_held_out_words_find_their_material() -> None:
    right = [best(material_scores(n)) == m for m, nouns in lexicon.HELD_OUT.items() for n in nouns]
    assert np.mean(right) >= 0.65, np.mean(right)


@pytest.mark.parametrize("prompt", ["", "  ", "木の机を叩く", "🥁", "something happens", "?!"])
def test_prompts_without_material_score_alike(prompt: str) -> None:
    scores = material_scores(prompt)
    assert list(scores) == list(MATERIALS)
    assert sum(scores.values()) == pytest.approx(1)
    assert max(scores.values()) < 0.3


def test_two_clauses_give_both() -> None:
    scores = material_scores("hits wood, then scratches gravel")
    assert scores["wood"] + scores["gravel"] > 0.7
    assert min(scores["wood"], scores["gravel"]) > 0.25


def test_negative_prompt_takes_its_material_away() -> None:
    prompt = "hits wood, then scratches gravel"
    kept = material_scores(prompt, "gravel")
    assert best(kept) == "wood"
    assert kept["gravel"] < 0.2 * material_scores(prompt)["gravel"]
    assert sum(kept.values()) == pytest.approx(1)
    assert material_scores(prompt, "") == material_scores(prompt)
    assert material_scores(prompt, "loud") == pytest.approx(material_scores(prompt), abs=0.1)


@pytest.mark.parametrize(
    ("prompt", "action"),
    [
        ("a hammer hits a pipe", "hit"),
        ("scratching on slate", "scratch"),
        ("footsteps on gravel", "step"),
        ("a man walks over the lawn", "step"),
        ("a ball bounces on the floor", "bounce"),
        ("a marble rolls across the table", "roll"),
    ],
)
def test_actions(prompt: str, action: str) -> None:
    scores = action_scores(prompt)
    assert list(scores) == list(ACTIONS)
    assert sum(scores.values()) == pytest.approx(1)
    assert best(scores) == action


def test_action_is_open_where_none_is_named() -> None:
    assert max(action_scores("").values()) == pytest.approx(0.2)
    assert max(action_scores("木").values()) == pytest.approx(0.2)


def test_very_long_prompts_are_read_from_their_start() -> None:
    scores = material_scores("a spoon taps a wine glass " + "and so on " * 2000)
    assert all(math.isfinite(p) for p in scores.values())
    assert best(scores) == "glass"


def test_spans_are_runs() -> None:
    assert spans(torch.tensor([1, 1, 0, 1], dtype=torch.bool)) == [(0, 2), (3, 4)]
    assert spans(torch.zeros(3, dtype=torch.bool)) == []


def test_reading_does_not_depend_on_padding() -> None:
    reader = PromptReader(ReaderConfig(dim=8, grammar=4, hidden=4)).eval()
    x = torch.randn(1, 3, 8)
    padded = torch.cat([x, torch.randn(1, 5, 8)], 1)
    mask = torch.tensor([[True] * 3 + [False] * 5])
    marks, actions = reader.read(x, mask[:, :3])
    wide, same = reader.read(padded, mask)
    assert torch.allclose(wide[:, :3], marks, atol=1e-6)
    assert torch.allclose(same, actions, atol=1e-6)
