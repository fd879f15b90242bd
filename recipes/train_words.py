"""Train the prompt reader (weft.encoders.reader) and add it to src/weft/weights/weft-text.safetensors.

    python recipes/train_words.py --wordnet .../dict        # see recipes/distill_text.py; 5 minutes on one core

What is learnt from: the nouns of `weft.world.lexicon` (by hand, full weight) and the nouns below WordNet synsets that
mostly are of one material (`ROOTS`, noisy, small weight); sentences from `weft.world.captions` and from the grammar
below, their nouns exchanged at random, so that the marks go by grammar. Every word of `lexicon.HELD_OUT` that training
captions lack is kept out of all of it. Widths, weights and the number of steps were chosen by leaving out an eighth of
the lexicon's nouns at a time (`--check`); `MORE_OBJECTS` was added after the held-out list had been measured once
(results/words.json says what that means).
"""

from __future__ import annotations

import argparse
import random
import re
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from weft import weights
from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.encoders.reader import PromptReader, ReaderConfig, phrase_features
from weft.encoders.text import TextEncoder
from weft.world import lexicon
from weft.world.captions import captions

SILENT = len(MATERIALS)  # the class "it does not say"

# WordNet synsets ("lemma.sense") whose hyponyms are mostly of one material.
ROOTS = {
    "glass": "glass.1 glassware.0 mirror.0 bottle.0 glass.0 window.0 lens.1 flask.0 jar.0 crystal.2",
    "metal": "metallic_element.0 alloy.0 cutlery.0 cutlery.1 pan.0 pan.2 pot.0 hardware.1 weapon.0 bell.0 gong.0 "
    "coin.0 chain.2 edge_tool.0 sword.0 hand_tool.0 brass.1 cymbal.0 nail.1 lock.0 hinge.0 wheel.0 can.0 stove.0 "
    "helmet.0 fastener.0 pipe.1 railing.0 bracket.0 blade.4 car.0 engine.0 kitchen_appliance.0 white_goods.0",
    "cloth": "fabric.0 garment.0 bedclothes.0 curtain.0 cushion.2 towel.0 pillow.0 scarf.0 bandage.0 cloak.1 "
    "stocking.0 hat.0 glove.1 linen.0 seat.3 sofa.0 mattress.0 sail.0 tent.0",
    "paper": "paper.0 book.1 newspaper.1 magazine.0 card.0 wallpaper.0 envelope.0 cardboard.0 letter.0 notebook.0 "
    "ticket.0 poster.0 manuscript.0 periodical.0 reference_book.0 stationery.0 page.0 map.0",
    "wood": "wood.0 furniture.0 door.0 board.1 table.1 chair.0 cabinet.0 desk.0 log.0 stick.0 bench.0 crate.0 "
    "plywood.0 trunk.0 stringed_instrument.0 floorboard.0 beam.1 bed.0 chest.1 boat.0",
    "rock": "rock.0 rock.1 stone.1 brick.0 concrete.0 pavement.0 cliff.0 mineral.0 gravestone.0 monument.0 gem.0 "
    "masonry.0 paving_stone.0",
    "gravel": "gravel.0 pebble.0 rubble.0 shingle.1",
    "leaf": "leaf.0 shrub.0 vine.0 fern.0 foliage.0 bramble.0 salad_green.0 herb.1 hedge.0",
    "grass": "grass.0 lawn.0 meadow.0 turf.0 grassland.0 field.0 cereal.0 sedge.0 hay.0",
    "dirt": "soil.1 earth.1 mud.0 sand.0 clay.0 dust.0 sediment.0 beach.0 ridge.0",
    "water": "body_of_water.0 water.0 pool.2 puddle.0 bath.1 swimming_pool.0 fountain.1 wetland.0 bathtub.0",
    "ceramic": "ceramic.0 crockery.0 pottery.0 china.1 porcelain.0 bowl.0 bowl.2 cup.0 plate.6 vase.0 teapot.0 "
    "jug.0 earthenware.0 toilet.1 pitcher.1 saucer.1 mug.3 urn.0",
    "plastic": "plastic.0 polymer.0 toy.1 synthetic_resin.0 rubber.0 keyboard.0 computer_keyboard.0 peripheral.0",
    "plastic-bag": "plastic_bag.0",
    "carpet": "rug.0 mat.0 doormat.0 mat.2",
    "tile": "tile.0 tile.1 mosaic.0 bathroom.0 linoleum.0 kitchen.0 lavatory.0",
    "drywall": "drywall.0 plasterboard.0 partition.0 ceiling.0 plaster.0 stucco.0 wall.0 bedroom.0",
}
# A noun whose gloss has just one material's words is likely of it ("a flat plastic disc ...").
GLOSS_WORDS = {
    "carpet": "carpet rug mat",
    "ceramic": "ceramic earthenware porcelain stoneware pottery",
    "cloth": "cloth fabric garment cotton wool woven silk linen leather clothing",
    "dirt": "soil mud sand sandy muddy",
    "drywall": "plaster plasterboard",
    "glass": "glass",
    "grass": "grass grassy grasses",
    "gravel": "gravel pebbles",
    "leaf": "leaves foliage shrub bush",
    "metal": "metal metallic steel iron brass bronze blade gun copper",
    "paper": "paper book printed cardboard pages",
    "plastic": "plastic nylon vinyl synthetic",
    "rock": "stone stones rock rocks marble concrete brick",
    "tile": "tile tiles",
    "water": "water river lake sea stream",
    "wood": "wood wooden furniture board lumber timber",
}
GLOSS_FILES = ("06", "17", "27")
# Further everyday nouns, by hand: a reader's schoolbook, wider than what captions use. Words of the held-out list are
# dropped on reading.
MORE_OBJECTS = {
    "carpet": "floor rug, mat, welcome rug, coir mat, bath rug, tapestry rug, gym mat, wrestling mat, dojo mat, "
    "prayer rug, car mat, broadloom, shag, runner, red carpet, cinema floor, theatre aisle, hotel "
    "hallway, felt mat, judo mat, carpeted steps, soft floor, rugs, carpets, berber, wall-to-wall carpet",
    "ceramic": "cup, bowl, dish, mug, jug, plates, dishes, cups, sink, toilet, bidet, vase, tea cup, cookie jar, "
    "soup plate, casserole dish, stein, ginger jar, crock, terracotta, clay figurine, flowerpot, "
    "statuette, insulator, chinaware, tea set, milk jug, egg cup, clay jar, glazed bowl, pots and plates, "
    "salt shaker, candle holder, fruit bowl",
    "cloth": "clothes, mitten, gloves, hat, cap, sweatshirt, pajamas, robe, gown, skirt, cape, flag, banner, sail, "
    "tent, parachute, napkin, handkerchief, rag, mop, burlap sack, hessian, felt, wool, leather sofa, "
    "recliner, loveseat, chaise, footstool, seat cushion, car seat, teddy bear, puppet, bedspread, "
    "comforter, bedding, pillowcase, washcloth, kimono, sari, uniform, vest, socks, purse, bandage, "
    "boxing bag, stool cushion, leather armchair",
    "dirt": "earth mound, anthill, clay, dusty road, footpath, country lane, arena sand, rodeo ground, racetrack, "
    "ditch, grave, burrow, peat, humus, mulch, silt, farmland, dirt track, excavation, embankment, beach "
    "sand, dried mud, mound, furrow, sandbox, garden bed, muddy field, horse track, playground dirt, "
    "swampy ground, crater, hillside trail, digging site",
    "drywall": "plaster, walls, ceiling, house wall, partition, plaster ceiling, classroom wall, dorm wall, waiting "
    "room wall, interior partition, cubicle wall, plaster panel, whitewashed wall, nursery wall, dining "
    "room wall, bare wall, studio wall, false ceiling, wall of the room",
    "glass": "lantern, spectacles, eyeglasses, beaker, tumbler, decanter, crystal ball, cocktail glass, whiskey "
    "bottle, pint glass, flask, showcase, display case, stained glass, light fixture, thermometer, hand "
    "mirror, lens, terrarium, snow globe, bulb, vial, ampoule, ketchup bottle, glazing, bottles, glasses, "
    "windows, vodka bottle, candle glass, phone screen, television screen, magnifying glass, crystal, "
    "glassware, jar, medicine bottle, sherry glass",
    "grass": "hay, haystack, wheat, corn field, oats, barley, reed bed, fairway, backyard, park, football field, "
    "cricket pitch, rugby pitch, picnic lawn, grass blades, fodder, hillside, dandelions, clover, moss, "
    "alfalfa, rye, sugarcane, cornstalks, bulrushes, pampas, steppe, weedy lot, sedge, playing field, "
    "field, grasses, hay bale, horse field",
    "gravel": "stones, loose rocks, scattered stones, driveway, railway tracks, track bed, crushed brick, crushed "
    "concrete, aquarium stones, lava rock, grit path, ballast bed, chippings, heap of stones, shale, "
    "riprap, cobbles, zen garden, quarry floor, dry riverbed, stream bed, stony beach, rocky path, road "
    "stones, coarse sand, stony slope, crushed granite, little rocks, gravel heap, tiny stones",
    "leaf": "branches, plants, underbrush, bushes, hedge row, shrubbery, greenery, frond, treetop, ivy wall, "
    "holly, herbs, basil, mint, tea leaves, cabbage, kale, autumn foliage, corn husks, flower, petals, "
    "roses, thorn bush, berry bush, aloe, lily pad, wreath, garland, bouquet, vine, jungle plants, forest "
    "undergrowth litter, nettles, ferns, palm fronds, salad, tree branches, flower bush, tropical plants, "
    "woodland floor leaves",
    "metal": "bolt, pot, trumpet, saxophone, bicycle, bike frame, engine, tank, wheel rim, rail, railway track, "
    "crane, shovel, spade, rake, pitchfork, axe, saw blade, scissors, fork, tin, tin roof, gutter, "
    "drainpipe, cage, safe, vault door, fridge, washing machine, oven, stove, trash can, dumpster, "
    "shopping cart, steel cable, wire fence, hinge, doorknob, knife, teaspoon, tray, tongs, thermos, "
    "armour, helmet, shield, dagger, triangle, cowbell, vibraphone, tuning fork, medal, bracelet, keys, "
    "elevator door, locker, garage door, truck, car, van, ship hull, airplane wing, drum cymbals stand, "
    "pickaxe, chisel, pliers",
    "paper": "book cover, paperback, hardcover, novel, textbook, diary, journal, calendar, menu, leaflet, "
    "brochure, catalogue, comic, manuscript, scroll, invoice, bill, banknote, ticket, label, sticker, "
    "wallpaper, shoebox, pizza box, cereal box, parcel, paper airplane, confetti, tissue, kraft paper, "
    "newsprint, folder, binder, index card, business card, greeting card, stamp, paper lantern, kite, "
    "drawing, blueprint, photo, photograph, atlas, bible, songbook, deck of cards, pages, stationery",
    "plastic": "toothbrush, comb, hose, lunchbox, cassette, doll, action figure, rubber duck, syringe, cooler box, "
    "kiddie pool, dustpan, coat hanger, clipboard, telephone, joystick, tape dispenser, bottle cap, water "
    "tank, polystyrene, bucket lid, toy truck, toy, toys, building blocks, pump bottle, spray bottle, jug "
    "of milk, canister, petrol can, drainage pipe, hairdryer, calculator, printer, mouse pad, printer "
    "case, phone case, pill box, plastic, nylon rope, safety cone, barrier, skateboard wheel, cup lid, "
    "food tub, yogurt cup, disposable cup, recycling bin, kayak, whistle, shower head, light switch",
    "plastic-bag": "bag, bags, sack, packet, plastic pouch, wrapper, chips bag, crisps, snack wrapper, foil wrapper, "
    "tarp, tarpaulin, plastic cover, food wrap, clingfilm, plastic sleeve, dust sheet, cereal bag, refuse "
    "sack, garbage sack, litter bag, crinkly wrapper, bag of crisps, bread wrapper, frozen food bag, "
    "plastic gift bag, plastic curtain, candy bag, sweet wrapper, chip packet, packing film, rubbish sack",
    "rock": "boulders, curb, bedrock, castle wall, temple steps, concrete wall, street, road surface, marble "
    "floor, marble, granite counter, slate roof, bricks, chimney, statue, obelisk, dolmen, pillar, "
    "column, cave, cavern, cliff face, canyon wall, paving slab, terrace, pyramid, flint, chalk cliff, "
    "lava, meteorite, mountain, rocks, church wall, stone stairs, parapet, plaza, stalactite, ruins, "
    "crypt, stone block, garage floor",
    "tile": "bathroom wall, changing room floor, lobby floor, mall floor, pool deck, locker room floor, "
    "checkerboard floor, ceramic floor, hearth, fireplace surround, station wall, vinyl floor, laundry "
    "room floor, foyer, shower floor, washroom floor, toilet floor, supermarket floor, school corridor, "
    "clinic floor, kitchen backwall, glazed brick, shower wall, canteen floor, tiling, stone tile, "
    "linoleum floor, marble hallway, museum floor",
    "water": "rain, raindrops, sea water, waterfall, aquarium water, hot tub, bubble bath, kitchen sink water, "
    "basin, lakeside, harbor, bay, reservoir, moat, birdbath, well, rapids, wave, dishwater, glass of "
    "water, water bucket, flood, paddling pool, fjord, estuary, marsh, wetland, spring, ripples, "
    "shallows, river bank, dock water, liquid, bath tub, cove, ocean surface, flooded cellar, pool of "
    "water",
    "wood": "oak, pine, stick, stool, chair, nightstand, violin, cello, guitar, ukulele, drumstick, baseball bat, "
    "hockey stick, broom handle, fence, fence post, telegraph pole, branch, trunk, stump, kindling, "
    "firewood, lumber, beam, rafters, porch, veranda, pier, jetty, dock, raft, barrel, cask, treasure "
    "chest, coffin, cabin, shed, rolling pin, clog, xylophone, picture frame, bed frame, headboard, "
    "banister, staircase, pew, altar, lectern, throne, carriage, wagon, sled, skis, hutch, birdhouse, "
    "kennel, bookcase, sideboard, side table, dining table, oar, boat, stair, shutters",
}
# Said before any noun they decide what it is made of.
ADJECTIVES = {
    "carpet": "carpeted",
    "ceramic": "ceramic porcelain earthenware stoneware",
    "cloth": "cloth fabric cotton velvet linen woollen leather",
    "dirt": "muddy earthen sandy dirt",
    "drywall": "drywall plasterboard",
    "glass": "glass crystal",
    "grass": "grassy grass",
    "gravel": "gravel gravelly",
    "leaf": "leafy leaf",
    "metal": "metal metallic steel iron brass copper aluminium tin bronze silver",
    "paper": "paper cardboard",
    "plastic": "plastic vinyl acrylic nylon",
    "rock": "stone granite concrete marble brick slate",
    "tile": "tiled tile",
    "wood": "wooden wood oak pine timber plywood",
}
NEUTRAL = "big small old new large tiny heavy light red blue green black white dark round long short thick thin wet "
NEUTRAL += (
    "dry dusty clean broken empty full rusty shiny flat hollow hard soft smooth rough nearby neighbour's my"
)
# Verbs beside the lexicon's, by action: "it ___s".
MORE_VERBS = {
    "hit": "clinks against, touches, slaps, pounds, thumps, flicks, slams into, thwacks, clicks on, punches, kicks, "
    "stabs, hammers on, chips at, clanks against, bumps, crashes into, rings, plays, presses, pats, strums, smashes, "
    "jabs, nudges, chops, whips, lashes, impacts, drums against, batters, hacks at, clangs on, dings",
    "scratch": "rakes, saws, files, wipes, polishes, strokes, claws at, combs, scrubs, sands, carves, scours, ploughs, "
    "rasps, grates against, skids over, slides over, sweeps, moves along, stirs, crumples, rustles, rips, tears",
    "step": "treads on, stomps on, climbs, trots on, gallops over, stamps on, hikes along, wades through, "
    "strides over, tramples, paces on, sprints across, creeps over, trudges through, dances on, hurries down, "
    "wanders over, skips on",
    "bounce": "falls onto, drops on, lands in, tumbles on, crashes onto, plops into, is dropped on, is thrown at, "
    "jumps into, dives into, splashes into, spills onto, rains on, drips onto, scatters over",
    "roll": "wheels over, coasts along, spins across, drives over, cycles along, is pushed across, is rolled over",
}
# {s} struck, {t} tool or doer, {v} third person, {g} -ing, {n} noun of the action, {x} something beside the point.
GRAMMAR = (
    "{t} {v} {s}",
    "{t} {v} {s} {m}",
    "{t} {v} {s} {p}",
    "someone {v} {s} with {t}",
    "a person {v} {s} using {t} {p}",
    "he {v} {s} with {t} {m}",
    "she {v} {s}",
    "{g} {s}",
    "{g} {s} with {t}",
    "{g} {s} {p}",
    "{s} is hit with {t}",
    "{s} being struck by {t} {p}",
    "{s} getting scratched with {t}",
    "{n} on {s}",
    "{n} of {t} on {s}",
    "{n} against {s} {p}",
    "{s} {n}",
    "{s}, {n}",
    "{n}, {s}",
    "{s}",
    "{s} {p}",
    "sound of {s}",
    "the sound of {t} {g} {s}",
    "hitting {s} and then {g} {s}",
    "{t} {v} {s}, then {v} {s}",
    "first {t} {v} {s}, and after that {t} {v} {s}",
    "{s} and {s}",
    "{g} {s}, not {x}",
    "{t} {v} {s}, no {x}",
    "{t} and {t} {v} {s}",
    "{x} in the background while {t} {v} {s}",
    "{t} made of {x} {v} {s}",
    "{t} {v} {s} next to {x}",
    "{t} {v} {s} near {x}",
    "wearing {x}, someone {v} {s}",
)
SILENT_SENTENCES = (
    "something happens {p}",
    "a sound {p}",
    "loud noise",
    "make it louder {m}",
    "nice and {m}",
    "foley",
    "sound effect",
    "please add the sound",
    "what a day",
    "a person {p}",
    "hello",
    "silence",
    "ambience {p}",
    "{p}",
    "{m}",
)


@dataclass(frozen=True, kw_only=True)
class Config:
    reader: ReaderConfig = field(default_factory=ReaderConfig)
    phrase_steps: int = 1500
    phrase_batch: int = 256
    grammar_steps: int = 1500
    batch: int = 96
    weak: float = 0.1
    noise: float = 0.03
    seed: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wordnet", type=Path, required=True, help="folder with data.noun and index.noun")
    parser.add_argument("--weights", type=Path, default=Path("src/weft/weights/weft-text.safetensors"))
    parser.add_argument(
        "--check", action="store_true", help="leave nouns out in turn, print accuracy, write nothing"
    )
    arguments = parser.parse_args()
    config = Config()
    tensors, metadata = weights.load(arguments.weights)
    encoder = TextEncoder(tensors, metadata)
    weak, silent = wordnet_nouns(arguments.wordnet)
    print(
        f"{len(weak)} nouns from WordNet {dict(Counter(weak.values()).most_common())}, {len(silent)} that say nothing"
    )
    curated = [(noun, m) for m in MATERIALS for noun in (*lexicon.OBJECTS[m], *lexicon.NAMES[m])]
    curated += more_objects({noun for noun, _ in curated})
    if arguments.check:
        check(encoder, curated, weak, silent, config)
        return
    torch.manual_seed(config.seed)
    reader = PromptReader(config.reader)
    train_phrases(reader, encoder, phrases(curated, weak, silent, config), config)
    train_grammar(reader, encoder, [*weak, *(n for n, _ in curated)], silent, config)
    kept = {k: v for k, v in tensors.items() if not k.startswith("reader.")}
    kept["scale"], kept["weight"] = kept["scale"].half(), kept["weight"].half()
    kept |= {f"reader.{k}": v.half() for k, v in reader.state_dict().items()}
    weights.save(arguments.weights, kept, {**metadata, "reader": asdict(config.reader)})
    print(f"{arguments.weights}: {arguments.weights.stat().st_size / 2**20:.2f} MiB")


def held_out_words() -> set[str]:
    """Return the words of the held-out list (and their plurals) that no training caption contains."""
    known: set[str] = set()
    for table in (lexicon.NAMES, lexicon.OBJECTS, lexicon.SOUNDS):
        known |= {word for nouns in table.values() for noun in nouns for word in _split(noun)}
    for things in (lexicon.TOOLS, lexicon.THINGS, lexicon.SHOES, lexicon.WALKERS):
        known |= {word for thing in things for word in _split(thing)}
    words = {w for nouns in lexicon.HELD_OUT.values() for noun in nouns for w in _split(noun)}
    return {form for w in words if not _forms(w) & known for form in _forms(w)}


@lru_cache(maxsize=1)
def _barred() -> frozenset[str]:
    return frozenset(held_out_words())


def allowed(noun: str) -> bool:
    """Return whether `noun` has nothing of the held-out list in it."""
    phrases = (phrase.lower() for nouns in lexicon.HELD_OUT.values() for phrase in nouns)
    return not (set(_split(noun)) & _barred() or any(phrase in noun for phrase in phrases))


def more_objects(known: set[str]) -> list[tuple[str, str]]:
    """Return the (noun, material) of `MORE_OBJECTS` that are allowed and not in `known`."""
    listed = [(noun.strip(), m) for m, nouns in MORE_OBJECTS.items() for noun in nouns.split(",")]
    return [(noun, m) for noun, m in listed if allowed(noun) and noun not in known]


def _split(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def _forms(word: str) -> set[str]:
    return {word, word + "s", word + "es", word.removesuffix("s"), word.removesuffix("es")}


def wordnet_nouns(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Return (nouns with a likely material, nouns that say nothing: people, animals, acts, times, thoughts)."""
    members: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    file_of: dict[str, str] = {}
    gloss_of: dict[str, str] = {}
    for line in (folder / "data.noun").read_text("utf8").splitlines():
        if line.startswith(" "):
            continue
        head, gloss = line.split(" | ", 1)
        fields = head.split()
        gloss_of[fields[0]] = gloss.split("; ")[0].lower()
        after = 4 + 2 * int(fields[3], 16)
        members[fields[0]], file_of[fields[0]] = fields[4:after:2], fields[1]
        pointers = fields[after + 1 :]
        below[fields[0]] = [
            pointers[i + 1] for i in range(0, 4 * int(fields[after]), 4) if pointers[i] in ("~", "~i")
        ]
    senses: dict[str, list[str]] = {}
    for line in (folder / "index.noun").read_text("utf8").splitlines():
        if not line.startswith(" "):
            fields = line.split()
            senses[fields[0]] = [f for f in fields if re.fullmatch(r"\d{8}", f)]

    depth: dict[str, dict[str, int]] = defaultdict(dict)
    for material, roots in ROOTS.items():
        for root in roots.split():
            lemma, sense = root.split(".")
            layer, seen = {senses[lemma][int(sense)]}, set[str]()
            for level in range(6):
                seen |= layer
                for synset in layer:
                    for name in members[synset]:
                        if synset in senses.get(name.lower(), [])[:2] and re.fullmatch(r"[a-z_'-]{3,}", name):
                            noun = name.replace("_", " ")
                            depth[noun][material] = min(level, depth[noun].get(material, level))
                layer = {child for synset in layer for child in below[synset] if child in members} - seen

    weak: dict[str, str] = {}
    for noun, found in depth.items():
        nearest = [m for m, d in found.items() if d == min(found.values())]
        if len(nearest) == 1 and allowed(noun):
            weak[noun] = nearest[0]
    for lemma, offsets in senses.items():
        named = {
            m
            for m, words in GLOSS_WORDS.items()
            if set(words.split()) & set(_split(gloss_of.get(offsets[0], "")))
        }
        noun = lemma.replace("_", " ")
        common = lemma in members.get(offsets[0], ())
        if (
            len(named) == 1
            and common
            and file_of[offsets[0]] in GLOSS_FILES
            and noun not in weak
            and allowed(noun)
        ):
            weak[noun] = named.pop()
    taken = {w for nouns in lexicon.OBJECTS.values() for noun in nouns for w in _split(noun)}
    abstract = ("18", "05", "09", "04", "28", "10", "07", "12")
    silent = [
        lemma
        for lemma, offsets in senses.items()
        if re.fullmatch(r"[a-z]{3,}", lemma)
        and all(file_of[o] in abstract for o in offsets)
        and lemma in {m for o in offsets for m in members[o]}
        and lemma not in weak
        and lemma not in taken
        and allowed(lemma)
    ]
    return weak, sorted(silent)


Labelled = list[tuple[str, int, float]]


def phrases(
    curated: list[tuple[str, str]], weak: dict[str, str], silent: list[str], config: Config
) -> Labelled:
    """Return (phrase, class, weight): curated, weak, adjective + noun, neutral adjective + noun, and silent ones."""
    draw = random.Random(config.seed)
    known = {noun for noun, _ in curated}
    count, many = Counter(m for _, m in curated), Counter(weak.values())
    out: Labelled = [(noun, MATERIALS.index(m), 40 / count[m]) for noun, m in curated]
    out += [
        (noun, MATERIALS.index(m), config.weak * min(1.0, 300 / many[m]))
        for noun, m in weak.items()
        if noun not in known
    ]
    for noun, m in curated:
        out.append((f"{draw.choice(NEUTRAL.split())} {noun}", MATERIALS.index(m), 20 / count[m]))
    nouns = [*weak, *(n for n, _ in curated), *draw.sample(silent, 300)]
    for m, words in ADJECTIVES.items():
        for _ in range(120):
            out.append((f"{draw.choice(words.split())} {draw.choice(nouns)}", MATERIALS.index(m), 0.15))
    out += [(noun, SILENT, 0.03) for noun in draw.sample(silent, 3000)]
    out += [
        (word, SILENT, 1.0)
        for word in ("thing", "object", "something", "it", "surface", "item", "stuff", "material")
    ]
    owners = Counter(sound for sounds in lexicon.SOUNDS.values() for sound in sounds)
    out += [(s, MATERIALS.index(m), 0.3) for m, ss in lexicon.SOUNDS.items() for s in ss if owners[s] == 1]
    return out


def features(encoder: TextEncoder, texts: list[str]) -> torch.Tensor:
    rows = []
    for text in texts:
        numbers = [n for n in encoder.tokenizer.numbers(text) if n != encoder.tokenizer.unknown]
        rows.append(phrase_features(encoder.vectors(numbers), encoder.weight(numbers)))
    return torch.stack(rows)


def train_phrases(reader: PromptReader, encoder: TextEncoder, data: Labelled, config: Config) -> None:
    """Fit `reader.plain` and `reader.deep` on phrases drawn by weight: noise on the vectors, dropout, weight decay."""
    x = features(encoder, [text for text, _, _ in data])
    y = torch.tensor([label for _, label, _ in data])
    w = torch.tensor([weight for _, _, weight in data])
    modules = (reader.plain, reader.deep)
    optimiser = torch.optim.AdamW([p for m in modules for p in m.parameters()], lr=4e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.phrase_steps)
    reader.train()
    for _ in range(config.phrase_steps):
        picked = torch.multinomial(w, config.phrase_batch, replacement=True)
        noisy = x[picked] + config.noise * torch.randn(config.phrase_batch, x.shape[1])
        loss = F.cross_entropy(reader.material(noisy), y[picked], label_smoothing=0.05)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    reader.eval()


def check(
    encoder: TextEncoder,
    curated: list[tuple[str, str]],
    weak: dict[str, str],
    silent: list[str],
    config: Config,
) -> None:
    """Print the accuracy on the lexicon's nouns, an eighth left out at a time."""
    order = list(range(len(curated)))
    random.Random(1).shuffle(order)
    right: list[bool] = []
    wrong: list[str] = []
    asked: list[tuple[str, str]] = []
    for fold in range(8):
        test = [curated[i] for i in order[fold::8]]
        asked += test
        names = {noun for noun, _ in test}
        train = [pair for pair in curated if pair[0] not in names]
        data = phrases(train, {n: m for n, m in weak.items() if n not in names}, silent, config)
        torch.manual_seed(fold)
        reader = PromptReader(config.reader)
        train_phrases(reader, encoder, [d for d in data if d[0] not in names], config)
        with torch.inference_mode():
            best = reader.material(features(encoder, [noun for noun, _ in test]))[:, :SILENT].argmax(1)
        for (noun, material), guess in zip(test, best.tolist(), strict=True):
            right.append(MATERIALS[guess] == material)
            wrong += [] if right[-1] else [f"{noun}: {MATERIALS[guess]}, not {material}"]
    by_material = {m: [r for r, (_, t) in zip(right, asked, strict=True) if t == m] for m in MATERIALS}
    print(f"left-out nouns: {np.mean(right):.3f} of {len(right)}", *wrong[:40], sep="\n  ")
    print({m: round(float(np.mean(r)), 2) for m, r in by_material.items()})


@dataclass(frozen=True)
class Sentence:
    numbers: list[int]
    marks: list[float]
    action: int


class Grammar:
    """Sentences with their struck things marked; nouns drawn from everywhere, so that only the grammar tells."""

    def __init__(self, encoder: TextEncoder, nouns: list[str], silent: list[str], seed: int) -> None:
        self.encode = encoder.tokenizer.numbers
        self.unknown = encoder.tokenizer.unknown
        self.objects = [noun for nouns in lexicon.OBJECTS.values() for noun in nouns]
        self.nouns, self.silent = nouns, silent
        self.draw = random.Random(seed)
        self.verbs = {
            a: [*(v for v, _, _ in lexicon.VERBS[a]), *(v.strip() for v in MORE_VERBS[a].split(","))]
            for a in ACTIONS
        }

    def sentence(self) -> Sentence:
        roll = self.draw.random()
        if roll < 0.06:
            text = self.draw.choice(SILENT_SENTENCES).format(p=self._place(), m=self._manner())
            return self._marked([(text, False)], len(ACTIONS))
        if roll < 0.12:
            sound = self.draw.choice([s for sounds in lexicon.SOUNDS.values() for s in sounds])
            before = self.draw.choice(("a ", "", "loud ", "a soft ", "the ", "a sudden "))
            tail = self.draw.choice(("", "", self._place()))
            return self._marked([(before, False), (sound, True), (" " + tail, False)], len(ACTIONS))
        if roll < 0.34:
            return self._caption()
        template = self.draw.choice(GRAMMAR)
        action = self.draw.choice(ACTIONS)
        said = "{v}" in template or "{g}" in template or "{n}" in template
        parts: list[tuple[str, bool]] = []
        for bit in re.split(r"(\{.\})", template):
            parts.append(self._fill(bit, action))
        if not said:
            action_class = len(ACTIONS)
            if "struck" in template or "hit" in template:
                action_class = ACTIONS.index("hit")
            if "scratched" in template:
                action_class = ACTIONS.index("scratch")
            return self._marked(parts, action_class)
        if template.startswith("hitting"):
            return self._marked(parts, -1)  # two actions
        return self._marked(parts, ACTIONS.index(action))

    def _fill(self, bit: str, action: str) -> tuple[str, bool]:
        verb = self.draw.choice(self.verbs[action])
        if bit == "{s}":
            return self._noun_phrase(), True
        if bit in ("{t}", "{x}"):
            pool = (lexicon.TOOLS, lexicon.THINGS, lexicon.SHOES, self.nouns, self.silent)
            return self._article(self.draw.choice(self.draw.choice(pool))), False
        if bit == "{v}":
            return (verb if self.draw.random() < 0.8 else re.sub(r"s\b", "", verb, count=1)), False
        if bit == "{g}":
            return _gerund(verb), False
        if bit == "{n}":
            return self.draw.choice(lexicon.VERBS[action])[2], False
        return (self._place() if bit == "{p}" else self._manner() if bit == "{m}" else bit), False

    def _noun_phrase(self) -> str:
        noun = self.draw.choice(self.objects if self.draw.random() < 0.5 else self.nouns)
        roll = self.draw.random()
        if roll < 0.2:
            noun = f"{self.draw.choice(NEUTRAL.split())} {noun}"
        elif roll < 0.4:
            adjectives = self.draw.choice(list(ADJECTIVES.values())).split()
            noun = f"{self.draw.choice(adjectives)} {noun}"
        elif roll < 0.45:
            noun = f"{self.draw.choice(('piece', 'pile', 'heap', 'sheet', 'stack'))} of {noun}"
        return self._article(noun)

    def _article(self, noun: str) -> str:
        return (
            self.draw.choice(
                ("the ", "a ", "an " if noun[0] in "aeiou" else "a ", "", "some ", "his ", "two ")
            )
            + noun
        )

    def _place(self) -> str:
        return self.draw.choice(lexicon.PLACES)

    def _manner(self) -> str:
        return self.draw.choice(lexicon.MANNERS)

    def _caption(self) -> Sentence:
        """A caption of the world's; its struck noun is the last mention of an object of its material."""
        material, action = self.draw.choice(MATERIALS), self.draw.choice(ACTIONS)
        text = self.draw.choice(captions(material, action, self.draw.randint(1, 5), self.draw)).lower()
        # What follows "with" or "by" is the tool; of the rest the last and longest mention is what is struck.
        spaced = " " + re.sub(r"[^a-z-]", " ", re.split(r" (?:with|by) ", text)[0]) + " "
        nouns = (*lexicon.OBJECTS[material], *lexicon.NAMES[material])
        _, at, noun = max(
            (spaced.rfind(f" {n} ") + len(n), spaced.rfind(f" {n} "), n) for n in nouns if f" {n} " in spaced
        )
        parts = [(text[:at], False), (noun, True), (text[at + len(noun) :], False)]
        return self._marked(parts, ACTIONS.index(action))

    def _marked(self, parts: list[tuple[str, bool]], action: int) -> Sentence:
        numbers: list[int] = []
        marks: list[float] = []
        for text, struck in parts:
            article, bare = re.match(r"((?:the |a |an |some |his |two )?)(.*)", text, re.S).groups()  # type: ignore[union-attr]
            for piece, on in ((article, False), (bare, struck)):
                found = [n for n in self.encode(piece) if n != self.unknown]
                numbers += found
                marks += [float(on)] * len(found)
        return Sentence(numbers, marks, action)


def _gerund(verb: str) -> str:
    first, _, rest = verb.partition(" ")
    if first == "is":
        return f"being {rest}"
    stem = re.sub(r"(?<=[sxz])es$|(?<=[cs]h)es$|s$", "", first)
    short = re.fullmatch(r"[^aeiou]*[aeiou][bdgmnprt]", stem)
    stem = stem + stem[-1] if short else stem.removesuffix("e") if not stem.endswith("ee") else stem
    return f"{stem}ing {rest}".strip()


def train_grammar(
    reader: PromptReader, encoder: TextEncoder, nouns: list[str], silent: list[str], config: Config
) -> None:
    """Fit the GRU, its marks and the action classes on fresh sentences."""
    source = Grammar(encoder, nouns, silent, config.seed)
    modules = (reader.narrow, reader.grammar, reader.mark, reader.attend, reader.action)
    optimiser = torch.optim.AdamW([p for m in modules for p in m.parameters()], lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.grammar_steps)
    reader.train()
    for step in range(config.grammar_steps):
        batch = [s for s in (source.sentence() for _ in range(config.batch)) if s.numbers]
        width = max(len(s.numbers) for s in batch)
        vectors = torch.zeros(len(batch), width, encoder.dim)
        mask = torch.zeros(len(batch), width, dtype=torch.bool)
        target = torch.zeros(len(batch), width)
        for i, s in enumerate(batch):
            vectors[i, : len(s.numbers)] = encoder.vectors(s.numbers)
            mask[i, : len(s.numbers)] = True
            target[i, : len(s.numbers)] = torch.tensor(s.marks)
        vectors = nn.functional.dropout(vectors + 0.02 * torch.randn_like(vectors), 0.1) * mask[..., None]
        marks, actions = reader.read(vectors, mask)
        loss = F.binary_cross_entropy_with_logits(marks[mask], target[mask])
        loss = loss + 0.3 * F.cross_entropy(
            actions, torch.tensor([s.action for s in batch]), ignore_index=-1, label_smoothing=0.05
        )
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([p for m in modules for p in m.parameters()], 1.0)
        optimiser.step()
        schedule.step()
        if step % 250 == 0 or step == config.grammar_steps - 1:
            right = ((marks > 0).float() == target)[mask].float().mean()
            print(f"step {step}: loss {loss.item():.3f}, marks {right.item():.3f}", flush=True)
    reader.eval()


if __name__ == "__main__":
    main()
