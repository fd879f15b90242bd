"""Moving shapes: cheap pictures whose motion is as varied as we can make it and whose impacts are known.

The spotter must know an impact by how things move, whatever they look like. Here sticks, limbs, balls and blocks of
random texture strike, bounce, step, recoil and stop before random backgrounds and an unsteady camera, next to things
that move and make no sound. Nothing here looks like anything; that is the point.
"""

from weft.training.scribbles.drawing import Scribble, draw

__all__ = ["Scribble", "draw"]
