"""How each material takes light and blows: its finish (gloss, transparency) and how far it gives way."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Finish:
    """Gloss and behaviour of a surface. All 0..1 unless said.

    specular, shininess: OpenGL highlight strength and sharpness. alpha: opacity. give: metres a blow dents it.
    rebound: restitution of a stick. grains: loose pieces thrown up by a blow. bumps: relief of the ground, m.
    """

    specular: float = 0.1
    shininess: float = 0.2
    alpha: float = 1.0
    give: float = 0.0
    rebound: float = 0.4
    grains: int = 0
    bumps: float = 0.0


FINISH: dict[str, Finish] = {
    "carpet": Finish(specular=0.0, give=0.006, rebound=0.25),
    "ceramic": Finish(specular=0.9, shininess=0.8, rebound=0.5),
    "cloth": Finish(specular=0.02, give=0.035, rebound=0.1, bumps=0.012),
    "dirt": Finish(specular=0.0, give=0.01, rebound=0.08, grains=8, bumps=0.010),
    "drywall": Finish(specular=0.03, rebound=0.4),
    "glass": Finish(specular=1.0, shininess=0.95, alpha=0.4, rebound=0.55),
    "grass": Finish(specular=0.05, give=0.02, rebound=0.1, grains=3, bumps=0.012),
    "gravel": Finish(specular=0.08, give=0.012, rebound=0.12, grains=14, bumps=0.012),
    "leaf": Finish(specular=0.15, shininess=0.4, give=0.03, rebound=0.1, grains=12, bumps=0.02),
    "metal": Finish(specular=1.0, shininess=0.7, rebound=0.65),
    "paper": Finish(specular=0.03, give=0.012, rebound=0.2, bumps=0.004),
    "plastic": Finish(specular=0.6, shininess=0.5, give=0.003, rebound=0.5),
    "plastic-bag": Finish(specular=0.9, shininess=0.6, alpha=0.85, give=0.03, rebound=0.08, bumps=0.02),
    "rock": Finish(specular=0.06, rebound=0.6, bumps=0.015),
    "tile": Finish(specular=0.8, shininess=0.85, rebound=0.6),
    "water": Finish(specular=1.0, shininess=0.9, alpha=0.9, give=0.06, rebound=0.0, bumps=0.004),
    "wood": Finish(specular=0.2, shininess=0.4, rebound=0.5),
}


def finish(material: str, rng: np.random.Generator) -> Finish:
    """The material's finish with this object's own gloss."""
    base = FINISH[material]
    gloss = float(rng.uniform(0.6, 1.3))
    return replace(base, specular=min(1.0, base.specular * gloss), shininess=min(1.0, base.shininess * gloss))
