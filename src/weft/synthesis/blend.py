"""Things made of more than one material: a glass jar with a metal lid, a plank on gravel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from weft.errors import UserError
from weft.synthesis.materials import TABLE, Friction
from weft.synthesis.voice import Voice, build_voice


def blend(weights: Mapping[str, float], *, seed: int, size: float = 0.5, track: str = "") -> Voice:
    """One voice of several materials, `weights` (>= 0, not all 0; their scale does not matter) -> Voice for
    `render(reference=)`.

    The modes of all ring side by side, their levels weighted; bodies, contact, friction and level are
    weighted means; grains and bubbles come from the heaviest material that has them. A single material gives
    `build_voice` itself. Raises UserError for an unknown material or weights without weight.
    """
    for name, weight in weights.items():
        if name not in TABLE:
            raise UserError(f"unknown material {name!r}: use one of {', '.join(TABLE)}")
        if not (np.isfinite(weight) and weight >= 0):
            raise UserError(f"weight {weight} of {name} must be 0 or more")
    total = sum(weights.values())
    if total <= 0:
        raise UserError("all weights of the blend are 0: give one material some weight")
    parts = sorted(((weight / total, name) for name, weight in weights.items() if weight > 0), reverse=True)
    voices = [(weight, build_voice(TABLE[name], size, seed, track)) for weight, name in parts]
    if len(voices) == 1:
        return voices[0][1]
    grainy = next(((w, v) for w, v in voices if v.grains is not None), None)
    bubbly = next(((w, v) for w, v in voices if v.bubbles is not None), None)
    hz, decay, gain, modes_db = _modes(voices)
    body_hz, body_db, body_t60, body_total_db = _bodies(voices)

    def mean(of: str) -> float:
        return float(sum(weight * getattr(voice, of) for weight, voice in voices))

    return Voice(
        name="+".join(name for _, name in parts),
        mode_hz=hz,
        mode_decay=decay,
        mode_gain=gain,
        modes_db=modes_db,
        body_hz=body_hz,
        body_db=body_db,
        body_t60=body_t60,
        body_total_db=body_total_db,
        contact_s=float(np.exp(sum(weight * np.log(voice.contact_s) for weight, voice in voices))),
        level_db=mean("level_db"),
        stick_db=mean("stick_db"),
        friction=_friction(voices),
        grains=grainy
        and grainy[1].grains
        and replace(grainy[1].grains, level_db=_louder(grainy[1].grains.level_db, grainy[0])),
        bubbles=bubbly
        and bubbly[1].bubbles
        and replace(bubbly[1].bubbles, level_db=_louder(bubbly[1].bubbles.level_db, bubbly[0])),
    )


def _louder(db: float, weight: float) -> float:
    return db + 20 * float(np.log10(weight))


def _modes(voices: list[tuple[float, Voice]]) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    ringing = [
        (weight * 10 ** (voice.modes_db / 20), voice) for weight, voice in voices if len(voice.mode_hz)
    ]
    if not ringing:
        return np.zeros(0), np.zeros(0), np.zeros(0), -200.0
    gain = np.concatenate(
        [share * voice.mode_gain / np.linalg.norm(voice.mode_gain) for share, voice in ringing]
    )
    hz = np.concatenate([voice.mode_hz for _, voice in ringing])
    decay = np.concatenate([voice.mode_decay for _, voice in ringing])
    return hz, decay, gain, 20 * float(np.log10(sum(share for share, _ in ringing)))


def _bodies(voices: list[tuple[float, Voice]]) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    anchors = np.geomspace(60.0, 14000.0, 9)
    power, t60, loud = np.zeros(len(anchors)), np.zeros(len(anchors)), 0.0
    for weight, voice in voices:
        level = np.interp(np.log(anchors), np.log(voice.body_hz), voice.body_db - voice.body_db.max())
        outside = np.maximum(0, np.log2(voice.body_hz[0] / anchors)) + np.maximum(
            0, np.log2(anchors / voice.body_hz[-1])
        )
        share = weight**2 * 10 ** ((voice.body_total_db + level - 24 * outside) / 10)
        t60 += share * np.log(np.interp(np.log(anchors), np.log(voice.body_hz), voice.body_t60))
        power += share
        loud += weight * 10 ** (voice.body_total_db / 20)
    return anchors, 10 * np.log10(power / power.max()), np.exp(t60 / power), 20 * float(np.log10(loud))


def _friction(voices: list[tuple[float, Voice]]) -> Friction:
    def mean(of: str) -> float:
        return float(sum(weight * getattr(voice.friction, of) for weight, voice in voices))

    slow, fast = (float(np.exp(sum(w * np.log(v.friction.hz[k]) for w, v in voices))) for k in (0, 1))
    return Friction(
        hz=(slow, fast),
        roughness=mean("roughness"),
        noise_db=mean("noise_db"),
        octaves=mean("octaves"),
        through_modes_db=mean("through_modes_db"),
        level_db=mean("level_db"),
    )
