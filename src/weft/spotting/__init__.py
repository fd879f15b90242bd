"""Video to cues: what moves, when it sounds, where it is, and what it is made of."""

from weft.spotting.spot import spot

__all__ = ["spot"]
