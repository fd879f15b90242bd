"""Randomness by name: every object and every event draws from its own stream, so editing one moves no other."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *keys: str | int) -> np.random.Generator:
    """A generator that depends on `seed` and `keys` only (not on call order, process or machine)."""
    text = "\x1f".join(str(key) for key in (int(seed), *keys))
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.SFC64(int.from_bytes(digest, "little")))


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A draw whose logarithm is uniform between `low` and `high` (both > 0)."""
    return float(low * (high / low) ** rng.random())
