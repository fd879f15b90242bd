"""What each material looks like, and what stands behind the action: procedural textures.

Every texture is a fresh draw from its material's family: 128 x 128, tileable, uint8. Families keep what tells
materials apart at a glance (grout, grain, weave, pebbles, creases) and vary all else (colour, scale, dirt).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from weft.world.colours import hsv, ramp
from weft.world.fields import Field, N, axes, cells, fractal, unit

Image = NDArray[np.uint8]


def texture(material: str, rng: np.random.Generator) -> Image:
    """One texture of `material`'s family, uint8 [128, 128, 3], tileable."""
    image = FAMILIES[material](rng)
    return np.clip(image * 255.0, 0, 255).astype(np.uint8)


def backdrop(rng: np.random.Generator, outdoors: bool) -> Image:
    """Something behind the action: a wall with things on it, or trees, fields and sky. uint8 [N, N, 3]."""
    x, y = axes()
    if outdoors:
        horizon = rng.uniform(0.35, 0.7)
        sky = ramp(y, hsv(0.58, rng.uniform(0.1, 0.6), rng.uniform(0.6, 1.0)), hsv(0.57, 0.1, 1.0))
        hue = rng.uniform(0.18, 0.36)
        trees = ramp(
            unit(fractal(rng, 0.8) * 1.3), hsv(hue, 0.5, 0.08), hsv(hue, 0.5, 0.3), hsv(hue, 0.4, 0.55)
        )
        edge = horizon + 0.05 * fractal(rng, 1.6, sx=0.7)
        image = np.where((y > edge)[..., None], trees, sky)
    else:
        wall = hsv(rng.random(), rng.uniform(0, 0.6), rng.uniform(0.2, 0.95))
        image = np.broadcast_to(wall, (N, N, 3)) * (1 + 0.02 * fractal(rng, 1.0)[..., None])
        for _ in range(int(rng.integers(0, 12))):
            x0, y0, w, h = rng.random(), rng.random(), rng.uniform(0.03, 0.35), rng.uniform(0.03, 0.45)
            inside = (x > x0) & (x < x0 + w) & (y > y0) & (y < y0 + h)
            fill = hsv(rng.random(), rng.uniform(0, 0.9), rng.uniform(0.05, 1.0)) * (
                1 + rng.uniform(0, 0.4) * fractal(rng, rng.uniform(0.4, 1.6))[..., None]
            )
            image = np.where(inside[..., None], fill, image)
        if rng.random() < 0.3:
            image = image * (0.75 + 0.25 * unit(fractal(rng, 2.2) * 2))[..., None]
    return np.clip(image * 255, 0, 255).astype(np.uint8)


def _stripes(rng: np.random.Generator, pick: Callable[[], Field], bands: int) -> Field:
    """Random bands of colour across x, [N, N, 3]."""
    edges = np.sort(rng.random(bands))
    colours = np.stack([pick() for _ in range(max(2, bands // 2))])
    index = np.searchsorted(edges, np.arange(N) / N) % len(colours)
    return np.broadcast_to(colours[index][None], (N, N, 3)).astype(np.float32)


def _carpet(rng: np.random.Generator) -> Field:
    h, s, v = rng.random(), rng.uniform(0.1, 0.7), rng.uniform(0.25, 0.7)

    def pick() -> Field:
        return hsv((h + rng.normal(0, 0.12)) % 1, s * rng.uniform(0.5, 1.2), v * rng.uniform(0.5, 1.4))

    kind = rng.integers(0, 4)
    if kind == 0:
        base = np.broadcast_to(pick(), (N, N, 3))
    elif kind == 1:
        base = _stripes(rng, pick, 8)
    elif kind == 2:
        x, y = axes()
        n = rng.integers(2, 5)
        flower = np.sin(2 * np.pi * n * x) * np.sin(2 * np.pi * n * y) + 0.3 * np.cos(4 * np.pi * n * (x + y))
        base = ramp(unit(flower * 3), pick(), pick(), pick())
    else:
        base = ramp(unit(fractal(rng, 1.5) * 2), pick(), pick())
    fibre = fractal(rng, 0.1, low=10)
    return base * (0.8 + 0.28 * fibre[..., None]) + 0.03 * rng.standard_normal((N, N, 3)).astype(np.float32)


def _ceramic(rng: np.random.Generator) -> Field:
    glaze = hsv(rng.random(), rng.uniform(0, 0.25), rng.uniform(0.82, 1.0))
    if rng.random() < 0.25:
        glaze = hsv(rng.random(), rng.uniform(0.4, 0.8), rng.uniform(0.3, 0.8))
    image = np.broadcast_to(glaze, (N, N, 3)) * (1 + 0.015 * fractal(rng, 1.5)[..., None])
    _, y = axes()
    if rng.random() < 0.6:
        band = np.abs((y * rng.integers(1, 4)) % 1 - 0.5) < rng.uniform(0.03, 0.12)
        image = np.where(
            band[..., None], hsv(rng.choice([0.6, 0.0, 0.08, 0.4]), 0.7, rng.uniform(0.3, 0.7)), image
        )
    return image.astype(np.float32)


def _cloth(rng: np.random.Generator) -> Field:
    h = rng.random()

    def pick() -> Field:
        return hsv((h + rng.normal(0, 0.1)) % 1, rng.uniform(0, 0.8), rng.uniform(0.3, 0.95))

    x, y = axes()
    kind = rng.integers(0, 4)
    if kind == 0:
        a, b = _stripes(rng, pick, 8), _stripes(rng, pick, 8).transpose(1, 0, 2)
        base = 0.5 * a + 0.5 * b
    elif kind == 1:
        base = _stripes(rng, pick, 10)
    elif kind == 2:
        dots = (((x * 10) % 1 - 0.5) ** 2 + ((y * 10) % 1 - 0.5) ** 2) < 0.06
        base = np.where(dots[..., None], pick(), pick())
    else:
        base = np.broadcast_to(pick(), (N, N, 3))
    weave = np.sin(2 * np.pi * 42 * x) * np.sin(2 * np.pi * 42 * y)
    folds = fractal(rng, 2.0, sx=rng.uniform(0.6, 2.5))
    return base * (0.86 + 0.1 * weave + 0.12 * folds)[..., None]


def _dirt(rng: np.random.Generator) -> Field:
    h, s = rng.uniform(0.05, 0.1), rng.uniform(0.3, 0.6)
    soil = unit(fractal(rng, 0.9) + 0.5 * fractal(rng, 0.2))
    image = ramp(soil, hsv(h, s, 0.14), hsv(h, s, 0.34), hsv(h, s * 0.8, rng.uniform(0.45, 0.62)))
    stones = cells(rng, 90)
    pebble = (stones[0] < 0.22) & (rng.random(90)[stones[2]] < 0.25)
    return np.where(pebble[..., None], image * 0.4 + np.asarray([0.3, 0.27, 0.24], np.float32), image)


def _drywall(rng: np.random.Generator) -> Field:
    paint = hsv(rng.random(), rng.uniform(0, 0.12), rng.uniform(0.78, 0.97))
    image = np.broadcast_to(paint, (N, N, 3)) * (
        1 + 0.018 * fractal(rng, 0.5)[..., None] + 0.02 * fractal(rng, 2.0)[..., None]
    )
    x, y = axes()
    if rng.random() < 0.7:
        image = image * (1 - 0.18 * (np.abs(x - rng.random()) < 0.008)[..., None])
        screws = (np.abs(x - rng.random()) < 0.014) & (np.abs((y * 4) % 1 - 0.5) < 0.05)
        image = image * (1 - 0.3 * screws[..., None])
    return image.astype(np.float32)


def _glass(rng: np.random.Generator) -> Field:
    x, y = axes()
    tint = hsv(rng.uniform(0.42, 0.58), rng.uniform(0.05, 0.3), rng.uniform(0.8, 1.0))
    sheen = np.sin(2 * np.pi * (x + y + 0.02 * fractal(rng, 2.0)) * rng.integers(1, 3)) * 1.5 + 0.5 * fractal(
        rng, 2.2
    )
    return tint * (0.62 + 0.45 * unit(sheen * 2 - 1))[..., None]


def _grass(rng: np.random.Generator) -> Field:
    h, s = rng.uniform(0.2, 0.32), rng.uniform(0.45, 0.8)
    blades = unit(fractal(rng, 0.35, sx=0.45, sy=2.4, low=4) * 1.2 + 0.5 * fractal(rng, 1.4))
    return ramp(
        blades,
        hsv(h, s, 0.08),
        hsv(h, s, rng.uniform(0.3, 0.42)),
        hsv(h - 0.04, s * 0.8, rng.uniform(0.55, 0.75)),
    )


def _gravel(rng: np.random.Generator) -> Field:
    count = int(rng.integers(110, 300))
    d, gap, index = cells(rng, count)
    tone = rng.uniform(0.35, 0.95, count).astype(np.float32)[index]
    warm = np.asarray([1.0, rng.uniform(0.92, 1.0), rng.uniform(0.8, 1.0)], np.float32)
    shade = np.clip(gap * 3.5, 0, 1) ** 0.6 * (1.1 - 0.55 * d)
    return (
        tone[..., None]
        * shade[..., None]
        * warm
        * rng.uniform(0.65, 1.0)
        * (1 + 0.07 * fractal(rng, 0.3)[..., None])
    )


def _leaf(rng: np.random.Generator) -> Field:
    autumn = rng.random() < 0.5
    image = np.zeros((N, N, 3), np.float32) + hsv(0.09 if autumn else 0.28, 0.5, 0.1)
    y, x = np.mgrid[-16:16, -16:16].astype(np.float32)
    for _ in range(110):
        angle, length, width = rng.uniform(0, np.pi * 2), rng.uniform(9, 15), rng.uniform(0.3, 0.5)
        u = x * np.cos(angle) + y * np.sin(angle)
        v = -x * np.sin(angle) + y * np.cos(angle)
        blade = np.abs(v) < width * length * (1 - (u / length) ** 2)
        hue = rng.uniform(0.0, 0.14) if autumn else rng.uniform(0.2, 0.36)
        colour = hsv(hue, rng.uniform(0.45, 0.85), rng.uniform(0.25, 0.75))
        lit = colour * (0.75 + 0.25 * np.sign(v) + 0.35 * (np.abs(v) < 0.7))[..., None]
        rows, cols = (np.arange(32) + rng.integers(0, N)) % N, (np.arange(32) + rng.integers(0, N)) % N
        patch = image[np.ix_(rows, cols)]
        image[np.ix_(rows, cols)] = np.where((blade & (np.abs(u) < length))[..., None], lit, patch)
    return image


def _metal(rng: np.random.Generator) -> Field:
    _, y = axes()
    tone = rng.uniform(0.4, 0.75)
    tint = np.asarray([1, 1, 1], np.float32)
    pick = rng.random()
    if pick < 0.15:
        tint = np.asarray([1.05, 0.85, 0.5], np.float32)
    elif pick < 0.25:
        tint = np.asarray([1.0, 0.65, 0.45], np.float32)
    brushed = 0.09 * fractal(rng, 0.25, sx=12.0, low=2)
    sky = 0.22 * np.tanh(3 * np.sin(2 * np.pi * (y * rng.integers(1, 3) + 0.05 * fractal(rng, 2.2))))
    image = (tone + brushed + sky)[..., None] * tint
    if rng.random() < 0.3:
        rust = unit(fractal(rng, 1.1) * 2.5 - rng.uniform(0.8, 2.5))[..., None]
        image = image * (1 - rust) + rust * hsv(0.06, 0.75, 0.35)
    return image.astype(np.float32)


def _paper(rng: np.random.Generator) -> Field:
    x, y = axes()
    kind = rng.integers(0, 3)
    sheet = hsv(rng.uniform(0.08, 0.15), rng.uniform(0, 0.12), rng.uniform(0.88, 1.0))
    if kind == 2:
        sheet = hsv(0.09, rng.uniform(0.3, 0.45), rng.uniform(0.55, 0.75))
    image = np.broadcast_to(sheet, (N, N, 3)).copy()
    if kind == 0 or (kind == 1 and rng.random() < 0.5):
        rows = int(rng.integers(12, 20))
        line = np.abs((y * rows) % 1 - 0.5) < 0.24
        words = np.repeat(rng.random((rows, 32)) < 0.78, 4, axis=1)[(np.arange(N) * rows // N)]
        ink = line & words & (x > 0.08) & (x < 0.92) & (rng.random((N, N)) < 0.75)
        image = np.where(ink[..., None], rng.uniform(0.1, 0.35), image)
    if kind == 1:
        _, gap, index = cells(rng, 34)
        facet = rng.uniform(0.72, 1.04, 34).astype(np.float32)[index]
        image = image * (facet - 0.16 * (gap < 0.05))[..., None]
    return (image * (1 + 0.015 * fractal(rng, 0.4)[..., None])).astype(np.float32)


def _plastic(rng: np.random.Generator) -> Field:
    colour = hsv(rng.random(), rng.uniform(0.55, 1.0), rng.uniform(0.5, 1.0))
    if rng.random() < 0.15:
        colour = hsv(0, 0, rng.choice([0.12, 0.9]))
    image = np.broadcast_to(colour, (N, N, 3)) * (1 + 0.012 * fractal(rng, 1.2)[..., None])
    _, y = axes()
    if rng.random() < 0.5:
        ribs = np.sin(2 * np.pi * y * rng.integers(4, 14))
        image = image * (1 + 0.14 * np.tanh(3 * ribs))[..., None]
    elif rng.random() < 0.4:
        label = np.abs(y - 0.5) < rng.uniform(0.1, 0.2)
        image = np.where(label[..., None], hsv(rng.random(), rng.uniform(0, 0.9), 0.95), image)
    return image.astype(np.float32)


def _plastic_bag(rng: np.random.Generator) -> Field:
    tint = hsv(rng.random(), rng.choice([0.0, 0.06, 0.5]), rng.uniform(0.75, 1.0))
    if rng.random() < 0.2:
        tint = np.full(3, 0.12, np.float32)
    creases = np.exp(-3.5 * np.abs(fractal(rng, 1.2))) + 0.7 * np.exp(-5 * np.abs(fractal(rng, 0.9, low=3)))
    dark = np.exp(-5 * np.abs(fractal(rng, 1.3, low=2)))
    return (tint * (0.66 - 0.35 * dark)[..., None] + 0.5 * (creases**1.5)[..., None]).astype(np.float32)


def _rock(rng: np.random.Generator) -> Field:
    h, s = rng.uniform(0.03, 0.14), rng.uniform(0.0, 0.22)
    strata = unit(fractal(rng, 1.15, sx=rng.uniform(1, 2.5)) * 1.3 + 0.35 * fractal(rng, 0.1))
    image = ramp(strata, hsv(h, s, 0.18), hsv(h, s, 0.45), hsv(h, s * 0.7, rng.uniform(0.6, 0.8)))
    crack = np.exp(-22 * np.abs(fractal(rng, 1.6)))
    return image * (1 - 0.65 * crack[..., None])


def _tile(rng: np.random.Generator) -> Field:
    x, y = axes()
    n = int(rng.choice([2, 4, 4, 8]))
    m = n if rng.random() < 0.7 else max(1, n // 2)
    u, v = x * n, y * m
    if m != n:
        u = u + 0.5 * (np.floor(v) % 2)
    one = hsv(rng.random(), rng.uniform(0, 0.5), rng.uniform(0.5, 1.0))
    two = one if rng.random() < 0.6 else hsv(rng.random(), rng.uniform(0, 0.6), rng.uniform(0.3, 1.0))
    check = ((np.floor(u) + np.floor(v)) % 2)[..., None]
    own = rng.uniform(0.9, 1.06, (m, n + 1)).astype(np.float32)[
        np.floor(v).astype(int) % m, np.floor(u).astype(int) % n
    ]
    image = (one * check + two * (1 - check)) * (own + 0.07 * ((u % 1) - (v % 1)) + 0.02 * fractal(rng, 1.5))[
        ..., None
    ]
    width = 0.012 * n
    grout = (np.minimum(u % 1, 1 - u % 1) < width * 0.8) | (
        np.minimum(v % 1, 1 - v % 1) < width * 0.8 * m / n
    )
    return np.where(grout[..., None], rng.choice([0.2, 0.45, 0.85]), image).astype(np.float32)


def _water(rng: np.random.Generator) -> Field:
    h, s = rng.uniform(0.45, 0.62), rng.uniform(0.35, 0.75)
    ripple = fractal(rng, 1.3, sx=rng.uniform(0.7, 1.8), low=2)
    caustic = np.exp(-3.5 * np.abs(ripple)) + 0.5 * np.exp(-6 * np.abs(fractal(rng, 1.5, low=3)))
    depth = ramp(unit(fractal(rng, 2.0)), hsv(h, s, 0.2), hsv(h, s, rng.uniform(0.4, 0.7)))
    return depth + 0.36 * (caustic**1.6)[..., None] * np.asarray([0.85, 1, 1], np.float32)


def _wood(rng: np.random.Generator) -> Field:
    _, y = axes()
    h, s, v = rng.uniform(0.05, 0.1), rng.uniform(0.35, 0.7), rng.uniform(0.35, 0.9)
    planks = int(rng.choice([1, 2, 4]))
    plank = np.floor(y * planks)
    shift = rng.random(planks).astype(np.float32)[plank.astype(int) % planks]
    warp = 0.05 * fractal(rng, 2.0, sx=4.0) + 0.01 * fractal(rng, 0.8, sx=8.0)
    rings = np.sin(2 * np.pi * (rng.integers(3, 8) * (y + warp) + 5 * shift))
    grain = fractal(rng, 0.3, sx=16.0, low=3)
    tone = unit(rings * 0.9 + 0.45 * grain)
    image = ramp(tone, hsv(h, s, v * 0.55), hsv(h, s, v * 0.85), hsv(h + 0.01, s * 0.8, v))
    image = image * (0.86 + 0.24 * shift)[..., None]
    if planks > 1:
        image = np.where(((y * planks) % 1 < 0.03)[..., None], image * 0.35, image)
    return image.astype(np.float32)


FAMILIES: dict[str, Callable[[np.random.Generator], Field]] = {
    "carpet": _carpet,
    "ceramic": _ceramic,
    "cloth": _cloth,
    "dirt": _dirt,
    "drywall": _drywall,
    "glass": _glass,
    "grass": _grass,
    "gravel": _gravel,
    "leaf": _leaf,
    "metal": _metal,
    "paper": _paper,
    "plastic": _plastic,
    "plastic-bag": _plastic_bag,
    "rock": _rock,
    "tile": _tile,
    "water": _water,
    "wood": _wood,
}
