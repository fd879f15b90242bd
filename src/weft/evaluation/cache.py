"""What measured features are kept under: what they were made of, never a file's name or place.

A key is the SHA-256 of the content's own SHA-256, the feature's identity (for an embedder its name, the SHA-256 of
its weights and its windowing) and the window of the clip. So a renamed file keeps its features, a changed byte or
another embedder finds none. `weft.media.caching` keeps them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import lru_cache

from weft.evaluation.features import Feature
from weft.evaluation.reading import Window

FORMAT = 2


def key(content: str, feature: Feature, window: Window) -> str:
    """Return the hexadecimal name of a feature of the content whose SHA-256 is `content`."""
    said = "\n".join((str(FORMAT), content, feature.identity, _told(window)))
    return hashlib.sha256(said.encode()).hexdigest()


@lru_cache(maxsize=8)
def _told(window: Window) -> str:
    return json.dumps(asdict(window), sort_keys=True)
