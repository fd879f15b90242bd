"""Sounds of the world as AudioLDM hears them: mono at 16 kHz, with captions, on disk; no pictures.

Every scene is heard twice: as it is, and as the same contacts on another material, so that materials come evenly and
what words change is heard apart from when it sounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from weft.codecs.audio_ldm import AudioLdmCodec
from weft.cues.vocabulary import ACTIONS, MATERIALS
from weft.training.arrays import Arrays
from weft.world import MIX, render_clip, revoice, sample_scene, split_seed
from weft.world.clip import WorldClip

DURATION = 4.0
SAMPLES = round(DURATION * AudioLdmCodec.rate)
CAPTIONS = 6
_RATE = 44100


@dataclass(frozen=True, kw_only=True)
class MonoSounds(Arrays):
    """N sounds of 4 s. wave int16 `[N, 64000]`, of 32767; captions str `[N, 6]`; material and action int8 `[N]`; index
    int64 `[N]` of the scene in its split. Two neighbours are one scene on two materials."""

    wave: np.ndarray
    captions: np.ndarray
    material: np.ndarray
    action: np.ndarray
    index: np.ndarray

    def __len__(self) -> int:
        return len(self.wave)


def heard(split: str, indices: Iterable[int]) -> MonoSounds:
    """Hear scenes of a split of the world, each twice: 2 sounds an index."""
    rows = []
    for i in indices:
        scene = sample_scene(MIX[i % len(MIX)], split_seed(split, i), duration=DURATION)
        rng = np.random.default_rng([scene.seed, 59])
        other = str(rng.choice([m for m in MATERIALS if m != scene.material]))
        rows += [_row(render_clip(one, picture=False), i) for one in (scene, revoice(scene, other))]
    return MonoSounds.stacked(rows)


def parts(data: Path) -> Iterator[MonoSounds]:
    """The parts under `data` that are whole, in order."""
    return (MonoSounds.load(p) for p in sorted(data.glob("mono-*")))


def mono_at(audio: NDArray[np.float32], rate: int, samples: int) -> NDArray[np.float32]:
    """Sound `[C, N]` at `rate` Hz as AudioLDM's: channels mixed, at 16 kHz, `[samples]`, silence after its end."""
    wave = soxr.resample(audio.mean(0, dtype=np.float64), rate, AudioLdmCodec.rate, quality="VHQ")[:samples]
    return np.pad(wave, (0, samples - len(wave))).astype(np.float32)


def _row(clip: WorldClip, index: int) -> MonoSounds:
    assert clip.audio is not None
    wave = mono_at(clip.audio, _RATE, SAMPLES)
    told = [clip.captions[k % len(clip.captions)] for k in range(CAPTIONS)]
    return MonoSounds(
        wave=np.round(wave.clip(-1, 1) * 32767).astype(np.int16),
        captions=np.array(told),
        material=np.array(MATERIALS.index(clip.material), np.int8),
        action=np.array(ACTIONS.index(clip.action), np.int8),
        index=np.array(index),
    )
