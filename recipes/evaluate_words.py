"""Ask the text side for the material of words it never saw: writes results/words.json.

    python recipes/evaluate_words.py

Each held-out noun of `weft.world.lexicon` stands alone and in three sentences; a noun counts as right when the largest
of the 17 scores is its material. Chance is 1/17. The strict part is the nouns none of whose words occurs in any
training noun. Intervals: 95% bootstrap over nouns.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from weft import weights
from weft.cues.vocabulary import MATERIALS
from weft.encoders.words import action_scores, material_scores
from weft.metrics.interval import bootstrap
from weft.world import lexicon

TEMPLATES = ("{}", "someone hits the {} with a wooden stick", "scratching the {}", "a spoon taps a {}")
ACTION_PROMPTS = {
    "hit": ("whacking a barrel thrice", "a mallet thumping a gong", "she clobbers the fence"),
    "scratch": ("nails clawing at a blackboard", "sanding a board", "a rake dragged through soil"),
    "step": ("hikers tramping up the trail", "high heels clacking down a corridor", "soldiers march past"),
    "bounce": ("a dropped pot lid bouncing", "apples tumble onto the floor", "hail falls on a roof"),
    "roll": (
        "a barrel rolls down the ramp",
        "a skateboard wheels along the pavement",
        "a coin spinning to rest",
    ),
}

NOTE = (
    "The list was fixed before training and no word of it was trained on. It was measured twice: 0.659 with the "
    "captions' nouns and WordNet, then, the training nouns widened by hand where classes were small, the figure here. "
    "Only the first is blind; the second list of nouns was written by someone who had seen the first figures "
    "by material."
)


def best(scores: dict[str, float]) -> str:
    return max(scores, key=scores.__getitem__)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("results/words.json"))
    arguments = parser.parse_args()

    seen = {
        w for table in (lexicon.NAMES, lexicon.OBJECTS) for v in table.values() for n in v for w in _split(n)
    }
    nouns = [(noun, material) for material in MATERIALS for noun in lexicon.HELD_OUT[material]]
    guesses = {
        template: [best(material_scores(template.format(n))) for n, _ in nouns] for template in TEMPLATES
    }
    right = {
        template: [g == m for g, (_, m) in zip(found, nouns, strict=True)]
        for template, found in guesses.items()
    }
    alone = right[TEMPLATES[0]]
    strict = [ok for ok, (noun, _) in zip(alone, nouns, strict=True) if not set(_split(noun)) & seen]
    prompts = [(p, m, best(material_scores(p))) for m, ps in lexicon.HELD_OUT_PROMPTS.items() for p in ps]
    actions = [(p, a, best(action_scores(p))) for a, ps in ACTION_PROMPTS.items() for p in ps]
    result = {
        "what": "right material, of 17, for words in no training caption",
        "chance": round(1 / len(MATERIALS), 4),
        "must_reach": 0.5,
        "aim": 0.7,
        "note": NOTE,
        "weights_sha256": weights.sha256("weft-text"),
        "held_out_nouns_alone": bootstrap(alone).to_json(),
        "no_word_ever_seen": bootstrap(strict).to_json(),
        "in_sentences": {t: bootstrap(right[t]).to_json() for t in TEMPLATES[1:]},
        "held_out_prompts": bootstrap([m == g for _, m, g in prompts]).to_json(),
        "unseen_action_prompts": bootstrap([a == g for _, a, g in actions]).to_json(),
        "by_material": {
            m: f"{sum(ok for ok, (_, t) in zip(alone, nouns, strict=True) if t == m)} of {len(lexicon.HELD_OUT[m])}"
            for m in MATERIALS
        },
        "nouns": {
            m: {n: g for (n, t), g in zip(nouns, guesses["{}"], strict=True) if t == m} for m in MATERIALS
        },
        "prompts": {p: {"true": m, "heard": g} for p, m, g in prompts},
        "actions": {p: {"true": a, "heard": g} for p, a, g in actions},
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    for key in ("held_out_nouns_alone", "no_word_ever_seen", "held_out_prompts", "unseen_action_prompts"):
        print(f"{key}: {result[key]}")
    print(result["by_material"])


def _split(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


if __name__ == "__main__":
    main()
