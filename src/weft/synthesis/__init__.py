"""Physical sound: modal, friction and granular sources by material, placed in rooms. No networks, no
pictures.
"""

from weft.synthesis.event import SoundEvent
from weft.synthesis.render import render, render_blocks

__all__ = ["SoundEvent", "render", "render_blocks"]
