"""The procedural audio-visual world: scenes drawn from a seed, pictures by MuJoCo, sound by `weft.synthesis`."""

from weft.world.clip import WorldClip, render_clip, revoice
from weft.world.scene import DOMAINS, MIX, SPLITS, Scene, sample_scene, split_seed

__all__ = [
    "DOMAINS",
    "MIX",
    "SPLITS",
    "Scene",
    "WorldClip",
    "render_clip",
    "revoice",
    "sample_scene",
    "split_seed",
]
