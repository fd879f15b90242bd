"""The procedural audio-visual world: scenes drawn from a seed, pictures by MuJoCo, sound by `weft.synthesis`."""

from weft.world.clip import WorldClip, render_clip, revoice
from weft.world.scene import DOMAINS, SPLITS, Scene, sample_scene, split_seed

__all__ = ["DOMAINS", "SPLITS", "Scene", "WorldClip", "render_clip", "revoice", "sample_scene", "split_seed"]
