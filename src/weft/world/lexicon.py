"""Everyday words by material: what can be struck, walked on or dropped, and what strikes it.

`OBJECTS[material]` are the nouns captions are written with; the encoder's material head learns from them.
`HELD_OUT[material]` was fixed before any training and occurs in no training caption (a test checks it): it
measures whether words nobody showed the model still find their material.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


# Names of the bare material as prose says them; the first is FoleyGRAM's own word.
NAMES: dict[str, tuple[str, ...]] = {
    "carpet": _words("carpet, thick carpet, carpeting"),
    "ceramic": _words("ceramic, porcelain, earthenware, pottery"),
    "cloth": _words("cloth, fabric, cotton, textile"),
    "dirt": _words("dirt, soil, earth, bare ground"),
    "drywall": _words("drywall, plasterboard, gypsum board"),
    "glass": _words("glass, clear glass, plate glass"),
    "grass": _words("grass, long grass, green grass"),
    "gravel": _words("gravel, loose gravel, small stones"),
    "leaf": _words("leaf, leaves, dry leaves, foliage"),
    "metal": _words("metal, steel, iron, brass, aluminium, copper"),
    "paper": _words("paper, crumpled paper, sheets of paper"),
    "plastic": _words("plastic, hard plastic, acrylic, vinyl"),
    "plastic-bag": _words("plastic bag, plastic-bag, crinkly plastic bag, thin plastic film"),
    "rock": _words("rock, stone, granite, solid rock"),
    "tile": _words("tile, tiles, floor tile, glazed tiles"),
    "water": _words("water, shallow water, still water"),
    "wood": _words("wood, solid wood, hardwood, timber"),
}

OBJECTS: dict[str, tuple[str, ...]] = {
    "carpet": _words(
        "living room carpet, carpeted floor, shag carpet, wool carpet, carpeted stairs, hallway carpet, "
        "hotel carpet, rug, bath mat, doormat, hearth rug, area rug, fluffy rug, bedside rug, carpet "
        "runner, carpet roll, floor mat, rubber-backed mat, office carpet, carpet square, tufted rug, "
        "woollen rug, woven mat, pile carpet, yoga mat, car floor mat, carpet underlay, prayer mat, "
        "welcome mat, rag rug, oriental carpet"
    ),
    "ceramic": _words(
        "coffee mug, teacup, saucer, dinner plate, ceramic bowl, soup bowl, flower pot, clay pot, ceramic "
        "vase, porcelain cup, toilet bowl, ceramic dish, plate, cereal bowl, porcelain figurine, piggy "
        "bank, ceramic jar, salad bowl, stoneware jug, porcelain doll, sugar bowl, crockery, china plate, "
        "terracotta pot, pitcher, ceramic mug, bathroom sink, pottery bowl, clay pitcher, gravy boat, "
        "serving platter, cup and saucer, china cup"
    ),
    "cloth": _words(
        "cushion, pillow, sofa, curtain, towel, t-shirt, jacket, coat, blanket, mattress, tablecloth, bed "
        "sheet, couch, armchair, canvas bag, denim jeans, jeans, shirt, sweater, scarf, dish towel, "
        "backpack, duvet, stuffed toy, velvet drape, linen sheet, wool coat, hammock, upholstered chair, "
        "trousers, dress, sock, sleeping bag, silk scarf, gym bag, cotton sheet, flannel shirt, punching "
        "bag, beanbag"
    ),
    "dirt": _words(
        "dirt road, garden soil, forest floor, flower bed, mud, muddy track, potting soil, dusty ground, "
        "ploughed field, clay soil, sand, sandy beach, dirt path, topsoil, mound of earth, ground, "
        "trench, dry mud, construction site, molehill, sandpit, wet sand, dust, dry earth, vegetable "
        "garden, trail, earthen floor, dirt pile, desert floor, compost, farm field, clay ground"
    ),
    "drywall": _words(
        "drywall, plaster wall, bedroom wall, painted wall, office wall, interior wall, hollow wall, "
        "partition wall, plasterboard panel, hallway wall, apartment wall, gypsum panel, stud wall, white "
        "wall, living room wall, wall panel, plastered wall, thin wall, wallboard, room divider wall, "
        "kitchen wall, wall, papered wall, closet wall, unfinished wall, plasterboard sheet, corridor "
        "wall, wall between two rooms"
    ),
    "glass": _words(
        "window, window pane, glass bottle, glass jar, drinking glass, glass door, beer bottle, mirror, "
        "glass tumbler, shop window, windshield, glass table, crystal vase, jam jar, light bulb, "
        "aquarium, glass bowl, glass cup, pane of glass, crystal glass, test tube, milk bottle, glass "
        "pitcher, glass shelf, watch glass, glass sphere, shower screen, glass vase, pickle jar, perfume "
        "bottle, glass ashtray, car window, glass panel, water glass, shot glass, skylight, greenhouse "
        "pane, empty bottle, picture glass, hourglass"
    ),
    "grass": _words(
        "lawn, meadow, grassy field, football pitch, mown grass, tall grass, grass in the park, pasture, "
        "turf, grass verge, overgrown garden, hayfield, backyard lawn, wet grass, blades of grass, golf "
        "green, grassland, grassy hill, prairie, grassy bank, clover field, sports field, weeds, reeds, "
        "fresh-cut lawn, garden lawn, tuft of grass, grass patch, sod, wheat field, village green, "
        "ornamental grass, grassy slope"
    ),
    "gravel": _words(
        "gravel path, gravel driveway, gravel road, loose stones, pile of gravel, gravel walkway, gravel "
        "pit, crushed stone, gravel garden, railway ballast, gravel yard, gravel bed, stony path, heap of "
        "small stones, gravel track, gravel car park, crushed rock, grit, gravel lane, rubble, gravel "
        "courtyard, stony ground, loose chippings, roadside gravel, coarse gravel, pea gravel, gravel "
        "trail, rail bed, gravelly soil, stone chippings, gravelled drive"
    ),
    "leaf": _words(
        "autumn leaves, fallen leaves, pile of leaves, dry leaf, bush, hedge, shrub, tree leaves, "
        "branches and leaves, ivy, fern, houseplant, palm leaf, dead leaves, leafy branch, leaf litter, "
        "oak leaves, banana leaf, plant, rustling leaves, bay leaves, cabbage leaf, tree canopy, leafy "
        "plant, vine leaves, maple leaves, rose bush, laurel hedge, lettuce leaf, twigs and leaves, "
        "withered leaves, leaf heap, leafy ground"
    ),
    "metal": _words(
        "frying pan, saucepan, steel pipe, iron railing, metal bowl, tin can, car door, bell, metal "
        "fence, radiator, metal gate, filing cabinet, manhole cover, metal pole, lamp post, oil drum, "
        "aluminium ladder, steel beam, metal sheet, metal tray, chain, anvil, brass plate, copper pot, "
        "cooking pot, kettle, iron bar, wrench, spanner, metal locker, barrel, metal box, toolbox, "
        "mailbox, bucket, steel door, metal lid, pan lid, hub cap, key, coin, metal grate, steel drum, "
        "gong, handrail, soda can, fire escape, metal roof, iron stove, screw, nail"
    ),
    "paper": _words(
        "newspaper, book, magazine, notebook, sheet of paper, envelope, paper bag, cardboard box, stack "
        "of paper, phone book, wrapping paper, paper cup, letter, poster, map, tissue paper, notepad, "
        "paper towel, carton, cardboard, pages of a book, brown paper, tracing paper, document, exam "
        "paper, paper roll, comic book, telephone directory, receipt, paper plate, cardboard tube, "
        "printer paper, pile of letters, wallpaper roll, file folder, egg carton"
    ),
    "plastic": _words(
        "plastic bottle, plastic bucket, plastic cup, plastic box, plastic chair, plastic container, "
        "keyboard, toy brick, plastic crate, garbage bin, plastic lid, plastic tray, plastic toy, laundry "
        "basket, plastic table, food container, computer mouse, lunch box, plastic drum, plastic pipe, "
        "storage bin, plastic plate, water bottle, detergent bottle, shampoo bottle, plastic barrel, "
        "plastic ruler, remote control, wheelie bin, plastic tub, yoghurt pot, frisbee, acrylic sheet, "
        "garden chair, hard hat, plastic spoon, credit card, plastic jug, game controller"
    ),
    "plastic-bag": _words(
        "shopping bag, grocery bag, carrier bag, bin bag, garbage bag, sandwich bag, plastic wrap, cling "
        "film, bag of chips, freezer bag, rubbish bag, plastic sack, supermarket bag, plastic sheet, "
        "crisp packet, candy wrapper, plastic wrapper, bread bag, plastic packaging, snack bag, plastic "
        "tarp, shrink wrap, polythene bag, plastic film, black bin bag, rustling bag, zip bag, plastic "
        "shopping bag, crinkling bag, dry-cleaning bag, plastic foil, bag of sweets"
    ),
    "rock": _words(
        "boulder, stone wall, rock face, cliff, stone steps, paving stone, concrete floor, concrete, "
        "brick, brick wall, cobblestone, granite block, stone slab, kerb, cave wall, rocky shore, "
        "concrete block, marble block, flagstone, stone floor, mountain rock, pavement, sidewalk, "
        "gravestone, stone bench, slate, sandstone, stone bridge, river stone, stone pillar, asphalt, "
        "concrete stairs, limestone, big stone, stone statue, cement floor, rocky ground, basalt, stone "
        "path"
    ),
    "tile": _words(
        "tiled floor, bathroom tile, kitchen tiles, tiled wall, floor tiles, shower tiles, ceramic tile, "
        "roof tile, bathroom floor, kitchen floor, tiled step, marble tile, tiled corridor, wall tile, "
        "swimming pool tiles, porcelain tile, tiled hallway, terracotta tile, tiled counter, tiled patio, "
        "white tiles, subway tiles, checkered tile floor, tile floor, tiled bathroom, tiled kitchen, "
        "loose tile, cracked tile, tiled surface, tiled lobby, tiled shower, grouted tiles"
    ),
    "water": _words(
        "puddle, lake, river, swimming pool, bathtub, stream, pond, bucket of water, sea, bowl of water, "
        "ocean, pool, shallow stream, fountain, water surface, wet puddle, bath, sink full of water, "
        "waves, flooded street, creek, rain puddle, water tank, fish pond, tub of water, shore of a lake, "
        "basin of water, waterhole, canal, water trough, surf, soup, harbour water, muddy water"
    ),
    "wood": _words(
        "wooden table, oak door, wooden floor, wooden door, tree trunk, log, wooden box, wooden chair, "
        "desk, plank, hardwood floor, wooden fence, wooden crate, park bench, bookshelf, cupboard, "
        "chopping board, wooden stairs, drawer, wooden gate, pine board, picnic table, wooden bowl, deck, "
        "piano lid, guitar body, wardrobe, parquet, wooden pallet, plywood sheet, door, table, tree "
        "stump, wooden beam, cabinet, tree, wooden bridge, tabletop, floorboards, wooden spoon, chair "
        "leg, school desk, wooden barrel, bench, boardwalk, workbench"
    ),
}

# Fixed on 2026-11-21, before any caption was learnt from. Never edit to flatter a result.
HELD_OUT: dict[str, tuple[str, ...]] = {
    "carpet": _words("persian rug, tatami mat, stair runner, sheepskin, exercise mat, kilim, moquette"),
    "ceramic": _words("teapot, ramekin, espresso cup, amphora, tureen, urn, butter dish"),
    "cloth": _words("quilt, hoodie, bathrobe, futon, tweed blazer, apron, ottoman"),
    "dirt": _words("baseball infield, sand dune, riverbank mud, loam, clay court, earthworks, dusty trail"),
    "drywall": _words("sheetrock, stucco wall, attic wall, hotel room wall, ceiling panel, basement wall"),
    "glass": _words("wine glass, goblet, champagne flute, monocle, chandelier, fishbowl, porthole, carafe"),
    "grass": _words("savanna, soccer field, straw, paddock, bamboo grass, putting green, marsh grass"),
    "gravel": _words("pebbles, shingle beach, pebble path, scree, limestone chips, cinder track, aggregate"),
    "leaf": _words(
        "undergrowth, eucalyptus foliage, thicket, jungle vegetation, spinach, willow branches, bramble"
    ),
    "metal": _words("crowbar, horseshoe, cymbal, skillet, scaffolding, church bell, wok, padlock, sword"),
    "paper": _words(
        "postcard, dictionary, origami crane, parchment, ledger, sketchbook, playing cards, encyclopedia"
    ),
    "plastic": _words(
        "lego, tupperware, pvc pipe, jerrycan, hula hoop, hairbrush, styrofoam cup, traffic cone"
    ),
    "plastic-bag": _words(
        "trash bag, ziploc bag, cellophane, bubble wrap, bin liner, potato chip bag, saran wrap"
    ),
    "rock": _words(
        "curbstone, stalagmite, monolith, quarry wall, cathedral steps, obsidian, tombstone, masonry"
    ),
    "tile": _words(
        "backsplash, mosaic floor, terrazzo, restroom floor, linoleum tile, hospital floor, quarry tile"
    ),
    "water": _words("jacuzzi, lagoon, swamp, brook, whirlpool, rain barrel, washbasin, tide"),
    "wood": _words(
        "mahogany dresser, barn door, canoe paddle, birch bark, coffee table, rowing boat, pulpit, bamboo "
        "pole"
    ),
}

# Whole prompts nobody trained on: the struck object is named after a tool of another material.
HELD_OUT_PROMPTS: dict[str, tuple[str, ...]] = {
    "glass": ("a spoon taps a wine glass", "a fork clinks against a champagne flute"),
    "metal": ("a drumstick strikes a cymbal", "a broom handle hits the skillet"),
    "wood": ("a steel mallet pounds a barn door", "knuckles rap on a coffee table"),
    "ceramic": ("a spoon stirs and touches the teapot", "a fork scrapes a ramekin"),
    "rock": ("a chisel chips at the monolith", "high heels climb the cathedral steps"),
    "gravel": ("sneakers run over pebbles", "a horse trots on a cinder track"),
    "water": ("a paddle slaps the lagoon", "kids jump into the jacuzzi"),
    "paper": ("a ruler slaps a dictionary", "someone flicks through an encyclopedia"),
    "cloth": ("a carpet beater whacks a quilt", "a fist punches the futon"),
    "plastic": ("a metal rod whacks a traffic cone", "a stick drums on tupperware"),
}

# What hits, by itself of some material that must not be taken for the struck object's.
TOOLS: tuple[str, ...] = _words(
    "wooden stick, stick, hammer, metal spoon, spoon, fork, knife, rubber mallet, drum stick, fist, hand, "
    "knuckles, fingertips, fingernail, steel rod, broomstick, plastic ruler, pen, pencil, iron bar, "
    "stone, wooden mallet, cane, glass rod, umbrella, baseball bat, bamboo stick, metal pipe, twig, "
    "chopstick, screwdriver, golf club, ring, palm"
)
THINGS: tuple[str, ...] = _words(
    "ball, marble, coin, rubber ball, steel ball, tennis ball, wooden block, can, nut, "
    "dice, toy car, box, small stone, glass marble, ping pong ball, cube, acorn, bolt, football, bead, "
    "wooden ball, golf ball"
)
SHOES: tuple[str, ...] = _words(
    "boots, shoes, high heels, bare feet, sandals, heavy boots, running shoes, hooves, slippers, leather "
    "shoes, feet"
)
WALKERS: tuple[str, ...] = _words(
    "a man, a woman, someone, a person, a child, a dog, a horse, a hiker, a runner, a soldier"
)

# verb as "it ___s", "___ing" and a noun for keyword prompts
VERBS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "hit": (
        ("hits", "hitting", "hit"),
        ("taps", "tapping", "tap"),
        ("strikes", "striking", "strike"),
        ("knocks on", "knocking on", "knock"),
        ("bangs on", "banging on", "bang"),
        ("beats", "beating", "beat"),
        ("smacks", "smacking", "smack"),
        ("pounds on", "pounding on", "thud"),
        ("raps on", "rapping on", "rap"),
        ("drums on", "drumming on", "impact"),
        ("pokes", "poking", "poke"),
        ("whacks", "whacking", "whack"),
    ),
    "scratch": (
        ("scratches", "scratching", "scratch"),
        ("scrapes", "scraping", "scrape"),
        ("rubs", "rubbing", "rub"),
        ("drags across", "dragging across", "friction"),
        ("brushes over", "brushing over", "brushing"),
        ("slides along", "sliding along", "slide"),
        ("grinds against", "grinding against", "grinding"),
        ("sweeps over", "sweeping over", "swish"),
    ),
    "step": (
        ("walks on", "walking on", "footsteps"),
        ("runs over", "running over", "running steps"),
        ("steps on", "stepping on", "steps"),
        ("crunches along", "crunching along", "footfalls"),
        ("strolls across", "strolling across", "slow footsteps"),
        ("marches over", "marching over", "marching"),
        ("shuffles across", "shuffling across", "shuffling feet"),
        ("jogs over", "jogging over", "jogging"),
        ("tiptoes across", "tiptoeing across", "quiet steps"),
    ),
    "bounce": (
        ("bounces on", "bouncing on", "bounce"),
        ("drops onto", "dropping onto", "drop"),
        ("falls on", "falling on", "fall"),
        ("lands on", "landing on", "landing"),
        ("clatters onto", "clattering onto", "clatter"),
        ("tumbles onto", "tumbling onto", "tumble"),
        ("hops on", "hopping on", "bouncing"),
    ),
    "roll": (
        ("rolls across", "rolling across", "rolling"),
        ("rolls over", "rolling over", "roll"),
        ("rolls down", "rolling down", "rumbling"),
        ("spins on", "spinning on", "spinning"),
        ("trundles along", "trundling along", "wheels"),
    ),
}

# The word a sound designer types beside a material: "metal clang".
SOUNDS: dict[str, tuple[str, ...]] = {
    "carpet": _words("muffled thump, soft thud, dull thump"),
    "ceramic": _words("clink, chink, china rattle"),
    "cloth": _words("flap, rustle, soft pat"),
    "dirt": _words("dull thud, crumble, thump"),
    "drywall": _words("hollow knock, hollow thump, knock"),
    "glass": _words("clink, ting, tinkle, chime"),
    "grass": _words("swish, rustle, soft crunch"),
    "gravel": _words("crunch, rattle, crunching"),
    "leaf": _words("rustle, crackle, rustling"),
    "metal": _words("clang, clank, ring, clatter, ping"),
    "paper": _words("rustle, crinkle, flutter, crumple"),
    "plastic": _words("clack, click, hollow tap"),
    "plastic-bag": _words("crinkle, crackle, rustle"),
    "rock": _words("clack, chip, knock"),
    "tile": _words("click, clack, sharp tap"),
    "water": _words("splash, splosh, slosh, drip, plop"),
    "wood": _words("knock, thunk, creak, tock"),
}

PLACES: tuple[str, ...] = _words(
    "in a quiet room, outdoors, in the garden, in the kitchen, in a large hall, at night, in the "
    "distance, close up, in an empty house, on a windy day, during the day, in the workshop"
)
MANNERS: tuple[str, ...] = _words(
    "gently, softly, hard, loudly, quickly, slowly, lightly, firmly, again and again, carefully, with "
    "force, steadily"
)

# The last word of objects one can walk on.
GROUND: tuple[str, ...] = _words(
    "floor, path, road, ground, field, lawn, stairs, steps, step, lane, track, driveway, carpet, rug, "
    "mat, trail, leaves, litter, mud, sand, soil, beach, meadow, pitch, turf, park, garden, yard, "
    "walkway, stones, stone, pavement, sidewalk, concrete, asphalt, tiles, tile, deck, floorboards, "
    "bridge, boardwalk, parquet, puddle, stream, creek, street, surf, shore, grate, roof, cover, sheet, "
    "cardboard, gravel, rubble, ballast"
)

# Last words that take no indefinite article: several things,
PLURAL: tuple[str, ...] = _words(
    "leaves, stones, tiles, stairs, steps, floorboards, jeans, trousers, pages, waves, weeds, reeds, "
    "chippings, blades, branches, sweets, letters, chips, sheets, twigs, knuckles, fingertips"
)

# and stuff that is not counted.
MASS: tuple[str, ...] = _words(
    "mud, sand, turf, gravel, grit, rubble, cardboard, concrete, asphalt, cement, sod, crockery, "
    "carpeting, topsoil, compost, dust, slate, limestone, sandstone, basalt, surf, soup, ivy, plaster, "
    "carpet, grass, water, dirt, soil, earth, paper, cloth, fabric, cotton, textile, wood, hardwood, "
    "timber, metal, steel, iron, brass, aluminium, copper, glass, plastic, acrylic, vinyl, rock, granite, "
    "ceramic, porcelain, earthenware, pottery, drywall, plasterboard, foliage, ground, packaging, wrap, "
    "film, parquet, underlay, sea, ocean, ballast, grassland, litter, pavement, board"
)
