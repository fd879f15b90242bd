"""Draw and measure the sounds of the world.

Run: python recipes/show_materials.py. Writes docs/pictures/materials.png (spectrograms of the 17 materials: two hits, a
scratch and a step of one object each, in a small dry room) and results/materials.json (how long, how bright and how
inharmonic hits of many objects measure, beside published values).
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib
import numpy as np
from scipy.signal import stft

from weft.cues.vocabulary import MATERIALS
from weft.synthesis import SoundEvent, render
from weft.synthesis.materials import TABLE
from weft.synthesis.published import PUBLISHED, measure_centroid, measure_inharmonicity, measure_t60
from weft.synthesis.voice import build_voice

RATE = 44100
ROOT = Path(__file__).parents[1]
PICTURE, RESULTS = ROOT / "docs/pictures/materials.png", ROOT / "results/materials.json"
OBJECTS = 24
DURATION_S = 3.0


def phrase(material: str) -> list[SoundEvent]:
    """Two hits, a scratch, a step."""
    curve = np.array([0.2, 1.0, 0.7, 1.0, 0.2])
    return [
        SoundEvent(t=0.10, material=material, strength=0.9),
        SoundEvent(t=0.75, material=material, strength=0.4),
        SoundEvent(t=1.40, material=material, action="scratch", duration=0.7, gain_curve=curve, strength=0.8),
        SoundEvent(t=2.35, material=material, action="step", strength=0.8),
    ]


def spread(values: list[float]) -> list[float]:
    """10th, 50th and 90th percentile, three digits."""
    return [float(f"{value:.3g}") for value in np.percentile(values, [10, 50, 90])]


def measured(material: str) -> dict[str, object]:
    """Anechoic hits of strength 1 on objects of all sizes."""
    t60, centroid, inharmonicity = [], [], []
    for seed in range(OBJECTS):
        size = (seed % 5) / 4
        wave = render([SoundEvent(t=0, material=material, size=size)], 3.0, seed=seed, room=None)[0]
        t60.append(measure_t60(wave, RATE))
        centroid.append(measure_centroid(wave, RATE))
        partials = build_voice(TABLE[material], size, seed, "").mode_hz[:8]
        if len(partials):
            inharmonicity.append(measure_inharmonicity(partials))
    published = PUBLISHED[material]
    modes = TABLE[material].modes
    return {
        "t60_s": spread(t60),
        "t60_published_s": published.t60,
        "centroid_hz": spread(centroid),
        "centroid_published_hz": published.centroid,
        "inharmonicity": spread(inharmonicity) if inharmonicity else None,
        "loss_factor": modes.loss if modes else None,
        "loss_factor_published": published.loss,
        "source": published.source,
    }


def draw(out: Path) -> None:
    """The spectrograms -> a PNG file."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(6, 3, figsize=(13, 15), sharex=True, sharey=True, layout="constrained")
    for axis, material in zip(axes.flat, MATERIALS, strict=False):
        wave = render(phrase(material), DURATION_S, seed=11, room="studio").mean(axis=0)
        hz, t, spectrum = stft(wave, RATE, nperseg=1024, noverlap=1024 - 192, boundary="zeros")
        bands = np.geomspace(60, 18000, 160)
        power = np.abs(spectrum[np.clip(np.searchsorted(hz, bands), 0, len(hz) - 1)])
        axis.pcolormesh(
            t, bands, 20 * np.log10(power + 1e-7), vmin=-100, vmax=-30, cmap="magma", rasterized=True
        )
        axis.set(yscale="log", title=material, xlim=(0, DURATION_S), ylim=(60, 18000))
        axis.set_yticks([100, 300, 1000, 3000, 10000], ["100", "300", "1k", "3k", "10k"])
    axes.flat[-1].axis("off")
    axes.flat[-1].text(
        0.02,
        0.5,
        "each: a hard and a soft hit, a scratch, a step\none object, one stick, room 'studio'\n"
        "Hz against seconds; 70 dB from black to white",
        transform=axes.flat[-1].transAxes,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=68, pil_kwargs={"optimize": True})
    print(f"{out} {out.stat().st_size / 1024:.0f} kB")


def main() -> None:
    draw(PICTURE)
    table = {material: measured(material) for material in MATERIALS}
    for material, row in table.items():
        print(f"{material:12s} T60 {row['t60_s']} of {row['t60_published_s']}", end="; ")
        print(f"centroid {row['centroid_hz']} of {row['centroid_published_hz']}")
    note = f"10th, 50th, 90th percentile of {OBJECTS} anechoic hits, strength 1, sizes 0..1"
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"what": note, "materials": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
