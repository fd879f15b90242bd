"""What each of the 17 materials is, as plain data: how it rings, thuds, crackles and rubs.

Decay. A mode at f loses amplitude at d(f) = support + pi f loss (1/s), so T60 = 6.91 / d. `loss` is the loss
factor (tan phi, the shape-invariant material property of Wildes & Richards 1988 and van den Doel & Pai 1998),
`support` what the holding hand, the floor and radiation add. Orders of `loss`: Cremer, Heckl & Petersson 2005
(Structure-Borne Sound, ch. 3: metals 1e-4..1e-3, glass about 1e-3, concrete and brick about 1e-2, wood about
1e-2, plasterboard about 1e-2, plastics 2e-2..1e-1, sand 1e-1), taken at and above the upper end for metal,
glass and ceramic because mounted everyday objects lose more than bare ones. The order metal > glass > ceramic
> wood > plastic of ringing is the one by which listeners name a material (Klatzky, Pai & Krotkov 2000;
Giordano & McAdams 2006; Aramaki et al. 2011).

Contact. A raised-cosine force pulse, shorter on harder bodies: 0.1 ms stone to 10 ms carpet (Hertz; Halmrast
et al. 2010).

Body. What is too dense in modes to be heard as pitches (soft grounds, walls, the blow itself), as level per
octave (dB) and T60 (s) against frequency. Bubbles: Minnaert 1933, f = 3.26 / radius (Hz, m), with the damping
of van den Doel 2005. Grains: impacts with power-law sizes (crumpled paper: Houle & Sethna 1996; gravel and
other loose grounds: Cook 1997, Fontana & Bresin 2003).
"""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Modes:
    """Modes one can hear as pitches. `lowest_hz` of objects of middle size; `tilt_db` per octave above the
    lowest.
    """

    lowest_hz: Range
    shapes: tuple[str, ...]
    loss: Range
    support: Range
    count: int = 32
    tilt_db: float = -3.0
    level_db: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Band:
    """One anchor of a body's spectrum: level per octave (dB) and T60 (s) at `hz`; between anchors, straight
    lines over log f.
    """

    hz: float
    db: float
    t60: float


@dataclass(frozen=True, kw_only=True)
class Grains:
    """A shower of tiny impacts: `rate` per second when densest, dying away over `spread` seconds after a
    blow.
    """

    hz: Range
    t60: Range
    rate: float
    spread: Range
    exponent: float = 2.0
    level_db: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Bubbles:
    """Bubbles of `radius_mm`, `count` after a full blow, over `spread` seconds."""

    radius_mm: Range
    count: int
    spread: Range
    level_db: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Friction:
    """Rubbing: noise around `hz` (slow, fast), `roughness` micro-impacts per second at full speed, share
    through the modes.
    """

    hz: Range
    roughness: float
    noise_db: float = -1.0
    octaves: float = 1.6
    through_modes_db: float = 0.0
    level_db: float = -16.0


@dataclass(frozen=True, kw_only=True)
class Material:
    """`level_db`: peak of a hit of strength 1 at depth 0.2, dBFS. `stick_db`: the drumstick's own click
    against that peak.
    """

    name: str
    level_db: float
    contact_ms: Range
    stick_db: float
    friction: Friction
    modes: Modes | None = None
    body: tuple[Band, ...] = ()
    body_db: float = -12.0
    grains: Grains | None = None
    bubbles: Bubbles | None = None


def _bands(*rows: tuple[float, float, float]) -> tuple[Band, ...]:
    return tuple(Band(hz=hz, db=db, t60=t60) for hz, db, t60 in rows)


_ALL = (
    Material(
        name="carpet",
        level_db=-15.0,
        contact_ms=(5.0, 9.0),
        stick_db=-40.0,
        body=_bands(
            (45, -13, 0.08),
            (90, -3, 0.075),
            (220, 0, 0.055),
            (600, -7, 0.035),
            (1800, -20, 0.025),
            (7000, -42, 0.015),
        ),
        body_db=0.0,
        friction=Friction(hz=(900, 2200), roughness=500, octaves=1.4, level_db=-20.0),
    ),
    Material(
        name="ceramic",
        level_db=-9.0,
        contact_ms=(0.12, 0.25),
        stick_db=-24.0,
        modes=Modes(
            lowest_hz=(950, 2400),
            shapes=("shell",),
            loss=(0.003, 0.007),
            support=(10, 22),
            count=18,
            tilt_db=-2.0,
        ),
        body=_bands((500, -14, 0.02), (2500, -3, 0.012), (6000, 0, 0.01), (14000, -5, 0.006)),
        body_db=-12.0,
        friction=Friction(hz=(3000, 6500), roughness=700, through_modes_db=-2.0, level_db=-20.0),
    ),
    Material(
        name="cloth",
        level_db=-19.0,
        contact_ms=(3.0, 6.0),
        stick_db=-44.0,
        body=_bands(
            (80, -14, 0.06),
            (250, -2, 0.06),
            (700, 0, 0.05),
            (1600, -5, 0.045),
            (4000, -15, 0.04),
            (12000, -32, 0.03),
        ),
        body_db=0.0,
        grains=Grains(
            hz=(600, 2600), t60=(0.004, 0.01), rate=900, spread=(0.015, 0.035), exponent=3.5, level_db=-7.0
        ),
        friction=Friction(hz=(1200, 3500), roughness=1500, noise_db=-2.0, octaves=2.0, level_db=-16.0),
    ),
    Material(
        name="dirt",
        level_db=-12.0,
        contact_ms=(2.5, 5.0),
        stick_db=-38.0,
        body=_bands(
            (50, -12, 0.07),
            (110, -2, 0.065),
            (240, 0, 0.05),
            (500, -4, 0.035),
            (1500, -13, 0.025),
            (6000, -26, 0.015),
        ),
        body_db=0.0,
        grains=Grains(
            hz=(700, 3200), t60=(0.003, 0.009), rate=420, spread=(0.018, 0.05), exponent=1.8, level_db=-6.0
        ),
        friction=Friction(hz=(700, 2600), roughness=350, noise_db=-6.0, octaves=1.8, level_db=-17.0),
    ),
    Material(
        name="drywall",
        level_db=-9.0,
        contact_ms=(0.6, 1.2),
        stick_db=-30.0,
        modes=Modes(
            lowest_hz=(85, 190),
            shapes=("plate",),
            loss=(0.012, 0.025),
            support=(24, 44),
            count=30,
            tilt_db=-3.5,
        ),
        body=_bands(
            (70, -5, 0.2),
            (160, 0, 0.18),
            (400, -4, 0.09),
            (1200, -5, 0.035),
            (3500, -8, 0.016),
            (9000, -17, 0.01),
        ),
        body_db=-5.0,
        friction=Friction(hz=(1800, 4200), roughness=260, through_modes_db=-6.0, octaves=2.2, level_db=-17.0),
    ),
    Material(
        name="glass",
        level_db=-8.0,
        contact_ms=(0.08, 0.18),
        stick_db=-26.0,
        modes=Modes(
            lowest_hz=(1500, 3600),
            shapes=("shell", "plate"),
            loss=(0.0007, 0.002),
            support=(9, 20),
            count=20,
            tilt_db=-0.5,
        ),
        body=_bands((1500, -9, 0.02), (5000, 0, 0.014), (12000, -2, 0.008)),
        body_db=-16.0,
        friction=Friction(hz=(2500, 8000), roughness=160, through_modes_db=4.0, octaves=1.2, level_db=-22.0),
    ),
    Material(
        name="grass",
        level_db=-18.0,
        contact_ms=(3.0, 6.0),
        stick_db=-46.0,
        body=_bands(
            (60, -13, 0.07),
            (150, -9, 0.06),
            (500, -17, 0.05),
            (2000, -9, 0.07),
            (5000, 0, 0.09),
            (9000, 0, 0.08),
            (16000, -8, 0.05),
        ),
        body_db=-3.0,
        grains=Grains(
            hz=(3200, 8500), t60=(0.003, 0.008), rate=800, spread=(0.04, 0.09), exponent=2.6, level_db=-2.0
        ),
        friction=Friction(hz=(4000, 7500), roughness=900, noise_db=-4.0, octaves=1.6, level_db=-15.0),
    ),
    Material(
        name="gravel",
        level_db=-10.0,
        contact_ms=(0.4, 0.9),
        stick_db=-34.0,
        body=_bands(
            (120, -10, 0.04), (400, -7, 0.03), (1800, -4, 0.025), (4500, 0, 0.02), (11000, -8, 0.012)
        ),
        body_db=-7.0,
        grains=Grains(
            hz=(1600, 6500), t60=(0.006, 0.018), rate=260, spread=(0.035, 0.09), exponent=1.4, level_db=0.0
        ),
        friction=Friction(hz=(2000, 4500), roughness=170, noise_db=-14.0, octaves=1.6, level_db=-12.0),
    ),
    Material(
        name="leaf",
        level_db=-16.0,
        contact_ms=(1.0, 2.5),
        stick_db=-44.0,
        body=_bands(
            (300, -22, 0.03), (1200, -7, 0.04), (3000, 0, 0.04), (6500, -5, 0.035), (14000, -18, 0.02)
        ),
        body_db=-7.0,
        grains=Grains(
            hz=(2000, 6000), t60=(0.002, 0.006), rate=200, spread=(0.035, 0.10), exponent=1.5, level_db=0.0
        ),
        friction=Friction(hz=(2000, 4500), roughness=130, noise_db=-12.0, octaves=1.3, level_db=-14.0),
    ),
    Material(
        name="metal",
        level_db=-6.0,
        contact_ms=(0.10, 0.30),
        stick_db=-26.0,
        modes=Modes(
            lowest_hz=(260, 1000),
            shapes=("bar", "plate", "plate"),
            loss=(0.0003, 0.0011),
            support=(2.0, 6.0),
            count=48,
            tilt_db=-1.2,
        ),
        body=_bands((800, -9, 0.03), (4000, 0, 0.03), (12000, -3, 0.02)),
        body_db=-16.0,
        friction=Friction(hz=(2500, 7000), roughness=320, through_modes_db=6.0, level_db=-20.0),
    ),
    Material(
        name="paper",
        level_db=-15.0,
        contact_ms=(0.4, 1.0),
        stick_db=-36.0,
        body=_bands(
            (120, -16, 0.05),
            (330, 0, 0.055),
            (800, -2, 0.04),
            (2200, -6, 0.02),
            (6000, -10, 0.012),
            (13000, -20, 0.008),
        ),
        body_db=-2.0,
        grains=Grains(
            hz=(1200, 8000), t60=(0.001, 0.003), rate=160, spread=(0.025, 0.06), exponent=1.5, level_db=-2.0
        ),
        friction=Friction(hz=(1600, 4200), roughness=240, noise_db=-7.0, octaves=2.4, level_db=-14.0),
    ),
    Material(
        name="plastic",
        level_db=-10.0,
        contact_ms=(0.3, 0.7),
        stick_db=-28.0,
        modes=Modes(
            lowest_hz=(260, 640),
            shapes=("membrane",),
            loss=(0.02, 0.04),
            support=(9, 20),
            count=28,
            tilt_db=-2.0,
        ),
        body=_bands((250, -9, 0.05), (700, 0, 0.04), (2000, -4, 0.02), (6000, -12, 0.01)),
        body_db=-17.0,
        friction=Friction(hz=(1400, 3600), roughness=200, through_modes_db=2.0, octaves=1.4, level_db=-18.0),
    ),
    Material(
        name="plastic-bag",
        level_db=-13.0,
        contact_ms=(0.5, 1.2),
        stick_db=-44.0,
        body=_bands(
            (300, -20, 0.03), (1500, -9, 0.04), (5000, 0, 0.04), (10000, -1, 0.03), (17000, -8, 0.02)
        ),
        body_db=-9.0,
        grains=Grains(
            hz=(3800, 12000), t60=(0.0015, 0.004), rate=520, spread=(0.04, 0.12), exponent=1.35, level_db=0.0
        ),
        friction=Friction(hz=(5000, 9000), roughness=380, noise_db=-10.0, octaves=1.3, level_db=-12.0),
    ),
    Material(
        name="rock",
        level_db=-8.0,
        contact_ms=(0.10, 0.2),
        stick_db=-26.0,
        modes=Modes(
            lowest_hz=(1200, 2900),
            shapes=("block",),
            loss=(0.005, 0.012),
            support=(40, 90),
            count=28,
            tilt_db=-2.0,
        ),
        body=_bands((400, -10, 0.018), (1500, 0, 0.014), (4500, -2, 0.009), (12000, -13, 0.005)),
        body_db=-14.0,
        friction=Friction(hz=(2200, 5000), roughness=420, through_modes_db=-3.0, octaves=2.0, level_db=-17.0),
    ),
    Material(
        name="tile",
        level_db=-9.0,
        contact_ms=(0.15, 0.3),
        stick_db=-24.0,
        modes=Modes(
            lowest_hz=(550, 1250),
            shapes=("plate",),
            loss=(0.010, 0.02),
            support=(35, 65),
            count=30,
            tilt_db=-1.0,
        ),
        body=_bands((110, -5, 0.06), (260, -3, 0.05), (900, -5, 0.03), (3000, 0, 0.014), (9000, -5, 0.008)),
        body_db=-4.0,
        friction=Friction(hz=(2400, 5200), roughness=500, through_modes_db=-2.0, octaves=1.8, level_db=-19.0),
    ),
    Material(
        name="water",
        level_db=-11.0,
        contact_ms=(1.0, 2.5),
        stick_db=-46.0,
        body=_bands(
            (120, -14, 0.06),
            (500, -5, 0.10),
            (1500, 0, 0.14),
            (4000, -3, 0.18),
            (9000, -10, 0.14),
            (16000, -22, 0.1),
        ),
        body_db=0.0,
        bubbles=Bubbles(radius_mm=(1.0, 5.5), count=26, spread=(0.1, 0.22), level_db=-2.0),
        friction=Friction(hz=(900, 2400), roughness=60, noise_db=-8.0, octaves=2.4, level_db=-19.0),
    ),
    Material(
        name="wood",
        level_db=-8.0,
        contact_ms=(0.3, 0.8),
        stick_db=-26.0,
        modes=Modes(
            lowest_hz=(240, 580),
            shapes=("bar", "plate"),
            loss=(0.009, 0.02),
            support=(11, 26),
            count=26,
            tilt_db=-2.5,
        ),
        body=_bands(
            (120, -6, 0.06), (400, 0, 0.05), (1200, -4, 0.03), (4000, -13, 0.012), (10000, -24, 0.007)
        ),
        body_db=-18.0,
        friction=Friction(hz=(1100, 3000), roughness=330, through_modes_db=0.0, level_db=-18.0),
    ),
)

TABLE: dict[str, Material] = {material.name: material for material in _ALL}

STICK = Modes(
    lowest_hz=(1100, 1500), shapes=("bar",), loss=(0.012, 0.02), support=(60, 110), count=5, tilt_db=-2.0
)
"""The wooden drumstick every hit and scratch is played with: short, a little bright, always quiet."""
