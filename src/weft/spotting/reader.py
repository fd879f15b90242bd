"""The trained spotter at work: windows of motion and pictures in, readings out."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.ndimage import uniform_filter1d
from torch import Tensor

import weft.weights
from weft.cues.vocabulary import MATERIALS
from weft.spotting import outline
from weft.spotting.motion import RATE, Motion
from weft.spotting.network import PICTURE_RATE, Seen, SpotterConfig, SpotterNet
from weft.spotting.readings import Readings

EMBEDDED = "weft-spotter"
SILENT = 1.2e-3
_FLIP = torch.tensor([-1.0, 1.0, -1.0, 1.0])
MATERIAL_S = 4.0  # a material is judged over the pictures of so long


class Reader:
    """A network with its weights, for reading. `threshold` and `share` (see `readings.pick`) were chosen on the world's
    validation clips."""

    def __init__(self, net: SpotterNet, metadata: dict[str, Any]) -> None:
        self.net = net.eval()
        self.threshold = float(metadata.get("threshold", 0.4))
        self.share = float(metadata.get("share", 0.0))
        self.sure = float(metadata.get("sure", 0.0))

    @classmethod
    def load(cls, name: str | Path = EMBEDDED) -> Reader:
        """Load embedded or local weights. Raises WeightsError when they are missing or do not fit."""
        tensors, metadata = weft.weights.load(name)
        given = dict(metadata["config"])
        given["dilations"] = tuple(given["dilations"])
        net = SpotterNet(SpotterConfig(**given))
        weft.weights.check_keys(set(tensors), set(net.state_dict()), str(weft.weights.path_of(name)))
        net.load_state_dict(tensors)
        return cls(net, metadata)

    @torch.inference_mode()
    def read(self, motion: Motion, pictures: np.ndarray) -> Readings:
        """Read one window: its motion, and pictures uint8 `[S, 96, 128, 3]` each 1 / PICTURE_RATE s from its start.

        The window and its mirror image are read and averaged, so that a mirrored clip reads the same, mirrored.
        """
        looked = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 255
        out = self.net(_with_mirror(motion), torch.stack([looked, looked.flip(-1)]))
        material = out["material"].mean(0).softmax(-1).numpy()
        material = uniform_filter1d(material, int(MATERIAL_S * PICTURE_RATE) + 1, axis=0, mode="nearest")
        at = np.minimum(
            np.round(np.arange(len(motion)) * (PICTURE_RATE / RATE)).astype(int), len(material) - 1
        )
        return _readings(out, material[at])

    @torch.inference_mode()
    def read_motion(self, motion: Motion) -> Readings:
        """Read one window by its motion alone, as `read` does; the material stays unknown."""
        return _readings(
            self.net.read(_with_mirror(motion)), np.zeros((len(motion), len(MATERIALS)), np.float32)
        )

    def outline(
        self, readings: Readings, at: np.ndarray, pictures: np.ndarray, change: np.ndarray
    ) -> Readings:
        """Readings of a stretch with their boxes drawn to the edges in its pictures, uint8 `[S, 96, 128, 3]` of its
        readings `at` `[S]`; `change` int8 `[T, 96, 128]` as in `motion.Motion`."""
        changes = outline.changed(change, readings.onset, at)
        return replace(readings, box=outline.redrawn(self.net.outline, readings.box, at, pictures, changes))


def _readings(out: dict[str, Tensor], material: np.ndarray) -> Readings:
    """What the network says of a window and its mirror image, as one."""
    box = torch.cat([out["box"][:1], out["box"][1:, :, [2, 1, 0, 3]] * _FLIP + (1 - _FLIP) / 2])
    given = {
        k: out[k].mean(0).numpy() for k in ("onset", "offset", "strength", "level", "sustained", "depth")
    }
    return Readings(
        onset=_probability(given["onset"]),
        offset=given["offset"],
        strength=given["strength"],
        level=np.where(given["level"] > SILENT, given["level"], 0.0).astype(np.float32),
        sustained=_probability(given["sustained"]),
        box=np.clip(box.mean(0).numpy(), 0, 1),
        depth=given["depth"],
        material=material,
        action=out["action"].mean(0).softmax(-1).numpy(),
    )


def _with_mirror(motion: Motion) -> Seen:
    """A batch of a window and its mirror image."""
    one = seen(motion)
    other = _mirrored(one)
    return Seen(**{f.name: torch.cat([getattr(one, f.name), getattr(other, f.name)]) for f in fields(Seen)})


def seen(motion: Motion) -> Seen:
    """One window of motion as the network takes it."""
    return Seen(
        cells=torch.from_numpy(motion.cells.astype(np.float32))[None],
        overall=torch.from_numpy(motion.overall.astype(np.float32))[None],
        grey=torch.from_numpy(motion.grey)[None],
        change=torch.from_numpy(motion.change)[None],
        clock=torch.from_numpy(motion.clock)[None],
    )


def _mirrored(one: Seen) -> Seen:
    """As if left were right."""
    across = torch.ones(one.cells.shape[2])
    across[[0, 2]] = -1  # flow x, fastest x
    return replace(
        one,
        cells=one.cells.flip(-1) * across[:, None, None],
        overall=one.overall * torch.tensor([1.0, 1.0, -1.0, 1.0, 1.0]),  # camera x
        grey=one.grey.flip(-1),
        change=one.change.flip(-1),
    )


@cache
def embedded() -> Reader:
    """The reader with the embedded weights, loaded once."""
    return Reader.load()


def _probability(logit: np.ndarray) -> np.ndarray:
    return (1.0 / (1.0 + np.exp(-logit))).astype(np.float32)
