"""Make the bank of rooms in src/weft/synthesis/rooms: stereo impulse responses without the direct sound
(pyroomacoustics).

Run: python recipes/make_rooms.py. Needs the [world] extra. Each room is a shoebox with frequency-dependent
walls (image sources with randomised positions, against the sweeping echoes of perfect boxes) and an ORTF-like
pair of cardioids looking at the source. The response is normalised so that the direct sound at 1 m would be
1, so the bank keeps each room's own loudness.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyroomacoustics as pra
import soundfile

RATE = 44100
OUT = Path(__file__).parents[1] / "src/weft/synthesis/rooms"
BANDS = [125, 250, 500, 1000, 2000, 4000, 8000]
# Absorption by octave 125 Hz .. 8 kHz, typical handbook values (e.g. Vorländer 2008, appendix).
WALLS = {
    "sky": [0.985] * 7,
    "hedge": [0.80, 0.85, 0.88, 0.90, 0.92, 0.94, 0.95],
    "soil": [0.15, 0.25, 0.40, 0.55, 0.60, 0.60, 0.60],
    "asphalt": [0.02, 0.03, 0.03, 0.04, 0.05, 0.06, 0.07],
    "brick": [0.03, 0.03, 0.03, 0.04, 0.05, 0.07, 0.07],
    "plaster": [0.14, 0.10, 0.07, 0.06, 0.06, 0.07, 0.07],
    "wood": [0.15, 0.11, 0.10, 0.08, 0.08, 0.11, 0.12],
    "furnished": [0.20, 0.28, 0.34, 0.38, 0.42, 0.45, 0.48],
    "carpet": [0.08, 0.12, 0.25, 0.40, 0.50, 0.60, 0.65],
    "panels": [0.45, 0.60, 0.70, 0.72, 0.72, 0.72, 0.72],
    "tiles": [0.01, 0.01, 0.02, 0.02, 0.03, 0.04, 0.05],
    "metal": [0.12, 0.09, 0.07, 0.07, 0.06, 0.07, 0.08],
}


@dataclass(frozen=True, kw_only=True)
class Room:
    size: tuple[float, float, float]
    walls: str
    floor: str
    ceiling: str
    distance: float = 1.6
    longest_s: float = 0.6
    order: int = 30


ROOMS = {
    "field": Room(size=(30, 40, 18), walls="sky", floor="soil", ceiling="sky", order=3, longest_s=0.15),
    "garden": Room(size=(12, 15, 10), walls="hedge", floor="soil", ceiling="sky", order=5, longest_s=0.2),
    "street": Room(size=(9, 30, 14), walls="brick", floor="asphalt", ceiling="sky", order=10, longest_s=0.55),
    "yard": Room(size=(7, 8, 9), walls="brick", floor="asphalt", ceiling="sky", order=12, longest_s=0.45),
    "booth": Room(
        size=(2.1, 2.6, 2.3), walls="panels", floor="carpet", ceiling="panels", distance=0.9, longest_s=0.15
    ),
    "studio": Room(size=(4.6, 6.2, 2.9), walls="panels", floor="wood", ceiling="panels", longest_s=0.25),
    "bedroom": Room(
        size=(3.4, 4.2, 2.5), walls="furnished", floor="carpet", ceiling="plaster", longest_s=0.35
    ),
    "living-room": Room(
        size=(5.1, 6.3, 2.6), walls="furnished", floor="carpet", ceiling="plaster", longest_s=0.45
    ),
    "office": Room(size=(4.2, 5.4, 2.8), walls="furnished", floor="carpet", ceiling="panels", longest_s=0.4),
    "kitchen": Room(size=(3.2, 4.4, 2.5), walls="wood", floor="tiles", ceiling="plaster", longest_s=0.55),
    "workshop": Room(size=(6.5, 9.1, 3.6), walls="wood", floor="brick", ceiling="wood", longest_s=0.8),
    "corridor": Room(size=(1.9, 14, 2.7), walls="plaster", floor="tiles", ceiling="panels", longest_s=0.7),
    "bathroom": Room(
        size=(2.1, 2.9, 2.4),
        walls="tiles",
        floor="tiles",
        ceiling="plaster",
        distance=1.1,
        longest_s=0.9,
        order=40,
    ),
    "garage": Room(
        size=(4.3, 6.4, 2.6), walls="brick", floor="asphalt", ceiling="wood", longest_s=0.9, order=36
    ),
    "stairwell": Room(
        size=(3.3, 5.2, 11), walls="plaster", floor="tiles", ceiling="plaster", longest_s=1.2, order=32
    ),
    "hall": Room(
        size=(14, 22, 8), walls="wood", floor="wood", ceiling="plaster", distance=3.0, longest_s=1.4, order=26
    ),
}


def impulse_responses(room: Room, seed: int) -> tuple[np.ndarray, float]:
    """-> [2, n] without the direct sound, direct level at 1 m = 1; and T60 in seconds (fit of the decay)."""
    np.random.seed(seed)  # pyroomacoustics draws its image displacements from the global state
    rng = np.random.default_rng(seed)
    x, y, z = room.size
    names = {"east": room.walls, "west": room.walls, "north": room.walls, "south": room.walls}
    names |= {"floor": room.floor, "ceiling": room.ceiling}
    walls = {
        side: pra.Material(
            {"coeffs": WALLS[name], "center_freqs": BANDS}, {"coeffs": [0.15] * 7, "center_freqs": BANDS}
        )
        for side, name in names.items()
    }
    head = np.array([x * rng.uniform(0.42, 0.58), y * rng.uniform(0.25, 0.35), min(1.5, 0.6 * z)])
    source = head + np.array([0.0, room.distance, -0.4])
    waves = []
    for order in (room.order, 0):
        box = pra.ShoeBox(
            room.size,
            fs=RATE,
            materials=walls,
            max_order=order,
            air_absorption=True,
            use_rand_ism=True,
            max_rand_disp=0.08,
        )
        box.add_source(source)
        for side in (-1, 1):
            angle = np.pi / 2 - side * np.deg2rad(55)
            pattern = pra.directivities.Cardioid(
                pra.directivities.DirectionVector(azimuth=angle, colatitude=np.pi / 2, degrees=False)
            )
            box.add_microphone(head + np.array([side * 0.085, 0, 0]), directivity=pattern)
        box.compute_rir()
        waves.append([np.asarray(box.rir[m][0]) for m in range(2)])
    n = int(room.longest_s * RATE)
    full, direct = (
        np.stack([np.pad(w, (0, max(0, n + 4000 - len(w))))[: n + 4000] for w in pair]) for pair in waves
    )
    arrival = int(np.argmax(np.abs(direct).max(axis=0)))
    unit = np.abs(direct).max() * np.linalg.norm(source - head)
    late = (full - direct)[:, arrival : arrival + n] / unit
    late *= np.minimum(1, np.arange(n) / 30)
    fade = n // 5
    late[:, -fade:] *= np.cos(np.linspace(0, np.pi / 2, fade)) ** 2
    energy = np.cumsum((late**2).sum(axis=0)[::-1])[::-1]
    level = 10 * np.log10(energy / energy[0] + 1e-12)
    span = (level < -5) & (level > -25)
    slope = np.polyfit(np.flatnonzero(span) / RATE, level[span], 1)[0]
    return late, -60 / slope


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.glob("*.flac"):
        old.unlink()
    for seed, (name, room) in enumerate(ROOMS.items()):
        wave, t60 = impulse_responses(room, seed)
        path = OUT / f"{name}-{round(t60 * 1000):d}ms.flac"
        peak = np.abs(wave).max()
        soundfile.write(path, (wave / max(1.0, peak * 1.01)).T, RATE, subtype="PCM_16")
        energy = 10 * np.log10((wave**2).sum(axis=1).mean())
        print(
            f"{path.name:28s} {path.stat().st_size / 1024:7.0f} kB  T60 {t60:.2f} s  "
            f"energy {energy:6.1f} dB  peak {peak:.2f}"
        )
    total = sum(path.stat().st_size for path in OUT.glob("*.flac"))
    print(f"{len(ROOMS)} rooms, {total / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
