"""Video to cues: what moves, when it sounds, where it is, and what it is made of."""

from weft.spotting.features import picture_tokens
from weft.spotting.observe import Observation, observe, watch
from weft.spotting.spot import spot

__all__ = ["Observation", "observe", "picture_tokens", "spot", "watch"]
