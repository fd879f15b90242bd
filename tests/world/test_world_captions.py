"""Captions: the template, their variety, and the wall between training words and held-out words."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.world import lexicon
from weft.world.captions import captions, template


def test_template_is_foleygrams() -> None:
    assert template("metal", "hit", 2) == "A person hit multiple times on metal with a wooden stick."
    assert template("gravel", "scratch", 1) == "A person scratch once on gravel with a wooden stick."
    assert captions("metal", "hit", 2, np.random.default_rng(0))[0] == template("metal", "hit", 2)


def test_lexicon_covers_every_material_and_action() -> None:
    for table in (lexicon.NAMES, lexicon.OBJECTS, lexicon.HELD_OUT, lexicon.SOUNDS):
        assert set(table) == set(MATERIALS)
    assert set(lexicon.VERBS) == set(ACTIONS)
    for material in MATERIALS:
        assert len(lexicon.HELD_OUT[material]) >= 6
        assert len(lexicon.OBJECTS[material]) >= 25
        assert len(set(lexicon.OBJECTS[material])) == len(lexicon.OBJECTS[material])


def test_no_object_belongs_to_two_materials() -> None:
    owner: dict[str, str] = {}
    for material in MATERIALS:
        for noun in (*lexicon.OBJECTS[material], *lexicon.HELD_OUT[material]):
            assert owner.setdefault(noun, material) == material, noun


def test_no_held_out_word_in_any_training_caption() -> None:
    vocabulary = [
        noun
        for table in (lexicon.NAMES, lexicon.OBJECTS, lexicon.SOUNDS)
        for v in table.values()
        for noun in v
    ]
    vocabulary += [
        *lexicon.TOOLS,
        *lexicon.THINGS,
        *lexicon.SHOES,
        *lexicon.WALKERS,
        *lexicon.PLACES,
        *lexicon.MANNERS,
    ]
    vocabulary += [form for verbs in lexicon.VERBS.values() for forms in verbs for form in forms]
    rng = np.random.default_rng(0)
    for material in MATERIALS:
        for action in ACTIONS:
            for count in (1, 2, 5):
                vocabulary += captions(material, action, count, rng, number=20)
    text = " | ".join(vocabulary).lower()
    for nouns in lexicon.HELD_OUT.values():
        for noun in nouns:
            assert not re.search(rf"\b{re.escape(noun)}s?\b", text), noun
    assert "wine" not in text
    for prompts in lexicon.HELD_OUT_PROMPTS.values():
        assert not any(prompt in text for prompt in prompts)


@pytest.mark.parametrize("action", ACTIONS)
def test_captions_are_distinct_and_repeatable(action: str) -> None:
    first = captions("wood", action, 3, np.random.default_rng(5), number=8)
    assert first == captions("wood", action, 3, np.random.default_rng(5), number=8)
    assert first != captions("wood", action, 3, np.random.default_rng(6), number=8)
    assert len(set(first)) == len(first) == 8
    assert captions("wood", action, 3, random.Random(1)) == captions("wood", action, 3, random.Random(1))


def test_once_never_says_many() -> None:
    rng = np.random.default_rng(1)
    for material in MATERIALS:
        for text in captions(material, "hit", 1, rng, number=12):
            assert not re.search(r"multiple|several|twice|repeatedly|many times", text), text


def test_refuses_unknown_words() -> None:
    with pytest.raises(ValueError, match="unknown material 'cheese'"):
        captions("cheese", "hit", 1, random.Random(0))
    with pytest.raises(ValueError, match="unknown action 'sing'"):
        captions("wood", "sing", 1, random.Random(0))
    with pytest.raises(ValueError, match="count is 0"):
        captions("wood", "hit", 0, random.Random(0))
