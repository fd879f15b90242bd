"""weft: sound for silent video, held by three dials: when, where and what."""

__version__ = "0.1.0"
