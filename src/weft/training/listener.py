"""The listener: a classifier of materials fitted on true sounds of the world, apart from every generator it judges."""

from __future__ import annotations

from pathlib import Path

from weft.cues.vocabulary import MATERIALS
from weft.metrics.material import MaterialClassifier, features

FIRST = 500_000  # of the training split's clips it hears: no generator, codec or encoder is trained on these
TREES = 300


def listener(cache: Path, count: int, duration: float) -> MaterialClassifier:
    """The classifier fitted on the sounds of `count` clips of `duration` seconds, each material alike; kept in `cache`,
    and taken from there once it is. Needs the [world] extra."""
    if cache.is_file():
        return MaterialClassifier.load(cache)
    from weft.world import DOMAINS, render_clip, revoice, sample_scene, split_seed

    vectors, materials = [], []
    for k in range(count):
        material = MATERIALS[k % len(MATERIALS)]
        scene = sample_scene(DOMAINS[k % 3], split_seed("train", FIRST + k), duration=duration)
        clip = render_clip(revoice(scene, material), picture=False)
        if clip.events and clip.audio is not None:
            vectors.append(features(clip.audio))
            materials.append(material)
    fitted = MaterialClassifier(trees=TREES).fit(vectors, materials)
    fitted.save(cache)
    return fitted
