"""What a person would type about a clip: FoleyGRAM's template, everyday paraphrases, and keywords."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.world import lexicon


def template(material: str, action: str, count: int) -> str:
    """FoleyGRAM's caption of a Greatest Hits clip.

    "A person {hit|scratch} {once|multiple times} on {material} with a wooden stick."; its grammar is kept.
    """
    verb = "scratch" if action in ("scratch", "roll") else "hit"
    times = "once" if count == 1 else "multiple times"
    return f"A person {verb} {times} on {material} with a wooden stick."


def captions(
    material: str,
    action: str,
    count: int,
    rng: np.random.Generator | random.Random,
    *,
    number: int = 6,
) -> list[str]:
    """Return `number` distinct captions of a clip where `action` happens `count` times on `material`.

    The first is FoleyGRAM's template (for steps, bounces and rolls a plain sentence of the same build); the
    others are paraphrases naming open-vocabulary objects made of the material, some only keywords. The
    same state of `rng` gives the same captions. No phrase of `lexicon.HELD_OUT` occurs.

    Raises ValueError for an unknown material or action, or a count below 1.
    """
    if material not in MATERIALS:
        raise ValueError(f"unknown material {material!r}; one of {', '.join(MATERIALS)}")
    if action not in ACTIONS:
        raise ValueError(f"unknown action {action!r}; one of {', '.join(ACTIONS)}")
    if count < 1:
        raise ValueError(f"count is {count}, but a captioned clip has at least one event")
    draw = random.Random(_seed(rng))
    found = [
        template(material, action, count) if action in ("hit", "scratch") else _plain(material, action, count)
    ]
    makers = _MAKERS[action]
    while len(found) < number:
        text = draw.choice(makers)(material, action, count, draw)
        if text not in found:
            found.append(text)
    return found


def noun_phrase(noun: str, draw: random.Random) -> str:
    """Return `noun` with a fitting article: "an oak door", "the gravel", "fallen leaves"."""
    head = noun.split(" of ")[0].split(" in ")[0].split(" and ")[0].split()[-1]
    if head in lexicon.MASS or head in lexicon.PLURAL:
        return draw.choice(("the ", "", "some ")) + noun
    if draw.random() < 0.4:
        return "the " + noun
    return ("an " if noun[0] in "aeiou" and not noun.startswith("u") else "a ") + noun


def struck(material: str, action: str, draw: random.Random) -> str:
    """Draw an object (or the bare name) made of `material` that `action` can happen on, without article."""
    return draw.choice(lexicon.NAMES[material] if draw.random() < 0.3 else _pool(material, action == "step"))


@lru_cache(maxsize=64)
def _pool(material: str, ground: bool) -> tuple[str, ...]:
    if not ground:
        return lexicon.OBJECTS[material]
    return (
        tuple(o for o in lexicon.OBJECTS[material] if o.split()[-1] in lexicon.GROUND)
        or lexicon.NAMES[material]
    )


def _seed(rng: np.random.Generator | random.Random) -> int:
    if isinstance(rng, random.Random):
        return rng.getrandbits(62)
    return int(rng.integers(2**62))


def _plain(material: str, action: str, count: int) -> str:
    return {
        "step": f"A person {'takes a step' if count == 1 else 'walks'} on {material}.",
        "bounce": f"An object {'falls' if count == 1 else 'bounces multiple times'} on {material}.",
        "roll": f"A ball rolls over {material}.",
    }[action]


def _who(action: str, draw: random.Random) -> tuple[str, bool]:
    """Return (subject, is it plural) that performs `action`."""
    if action == "step":
        if draw.random() < 0.5:
            shoes = draw.choice(lexicon.SHOES)
            return shoes, True
        return draw.choice(lexicon.WALKERS), False
    if action in ("bounce", "roll"):
        return "a " + draw.choice([t for t in lexicon.THINGS if t[0] not in "aeiou"]), False
    tool = draw.choice(lexicon.TOOLS)
    return noun_phrase(tool, draw), tool in lexicon.PLURAL


def _base(third: str) -> str:
    """Turn "knocks on" into "knock on"."""
    verb, _, rest = third.partition(" ")
    if verb.endswith(("ches", "shes", "sses", "zzes")):
        verb = verb[:-2]
    elif verb.endswith("s"):
        verb = verb[:-1]
    return f"{verb} {rest}".strip()


def _times(action: str, count: int, draw: random.Random) -> str:
    if action in ("step", "roll"):
        return ""
    if count == 1:
        return draw.choice(("", "", " once", " a single time"))
    if count == 2:
        return draw.choice(("", " twice", " two times"))
    return draw.choice(("", "", " repeatedly", " several times", " many times", " multiple times"))


def _tail(draw: random.Random) -> str:
    roll = draw.random()
    if roll < 0.25:
        return " " + draw.choice(lexicon.MANNERS)
    if roll < 0.45:
        return " " + draw.choice(lexicon.PLACES)
    return ""


def _sentence(material: str, action: str, count: int, draw: random.Random) -> str:
    third, _, _ = draw.choice(lexicon.VERBS[action])
    who, plural = _who(action, draw)
    verb = _base(third) if plural else third
    what = noun_phrase(struck(material, action, draw), draw)
    return _finish(f"{who} {verb} {what}{_times(action, count, draw)}{_tail(draw)}", draw)


def _gerund(material: str, action: str, count: int, draw: random.Random) -> str:
    _, gerund, _ = draw.choice(lexicon.VERBS[action])
    what = noun_phrase(struck(material, action, draw), draw)
    tool = ""
    if action in ("hit", "scratch") and draw.random() < 0.4:
        tool = " with " + noun_phrase(draw.choice(lexicon.TOOLS), draw)
    return _finish(f"{gerund} {what}{tool}{_times(action, count, draw)}{_tail(draw)}", draw)


def _passive(material: str, action: str, count: int, draw: random.Random) -> str:
    done = draw.choice(
        ("struck", "hit", "tapped", "beaten") if action == "hit" else ("scratched", "scraped", "rubbed")
    )
    what = noun_phrase(struck(material, action, draw), draw)
    tool = noun_phrase(draw.choice(lexicon.TOOLS), draw)
    return _finish(f"{what} being {done} with {tool}{_times(action, count, draw)}{_tail(draw)}", draw)


def _keywords(material: str, action: str, count: int, draw: random.Random) -> str:
    _, _, noun = draw.choice(lexicon.VERBS[action])
    what = struck(material, action, draw)
    if action == "hit" and draw.random() < 0.4:
        return f"{what} {draw.choice(lexicon.SOUNDS[material])}"
    return draw.choice((f"{noun} on {what}", f"{what} {noun}", f"{noun}, {what}", f"{what}, {noun}"))


def _sound_of(material: str, action: str, count: int, draw: random.Random) -> str:
    _, gerund, _ = draw.choice(lexicon.VERBS[action])
    what = noun_phrase(struck(material, action, draw), draw)
    lead = draw.choice(("the sound of", "recording of", "close recording of", "we hear"))
    who, _ = _who(action, draw)
    return _finish(f"{lead} {who} {gerund} {what}{_tail(draw)}", draw)


def _made_of(material: str, action: str, count: int, draw: random.Random) -> str:
    _, gerund, _ = draw.choice(lexicon.VERBS[action])
    name = draw.choice(lexicon.NAMES[material])
    return _finish(f"{gerund} something made of {name}{_times(action, count, draw)}{_tail(draw)}", draw)


def _finish(text: str, draw: random.Random) -> str:
    text = " ".join(text.split())
    if draw.random() < 0.35:
        text = text[0].upper() + text[1:] + ("." if draw.random() < 0.7 else "")
    return text


_DONE = {"hit": ("struck", "hit", "tapped", "beaten"), "scratch": ("scratched", "scraped", "rubbed")}
_Maker = Callable[[str, str, int, random.Random], str]
_COMMON: tuple[_Maker, ...] = (_sentence, _sentence, _gerund, _keywords, _sound_of)
_MAKERS: dict[str, tuple[_Maker, ...]] = {
    "hit": (*_COMMON, _passive, _made_of),
    "scratch": (*_COMMON, _passive, _made_of),
    "step": _COMMON,
    "bounce": _COMMON,
    "roll": _COMMON,
}
