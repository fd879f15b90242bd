"""What the plans of all domains hold, whatever happens in them."""

from __future__ import annotations

from dataclasses import dataclass

from weft.world.camera import Operator
from weft.world.lens import Lens
from weft.world.plan import Contact
from weft.world.props import Array, Lamp, Prop


@dataclass(kw_only=True, eq=False)
class Planned:
    """The fields that weft.world.plan.Plan asks for, and the set around the action.

    still: props that stay where they are. away: unit vector [3] from the action to the (first) camera.
    distractors: how many things move about and make no sound. seed: what the posing draws from.
    """

    material: str
    action: str
    contacts: list[Contact]
    operator: Operator
    lens: Lens
    lamps: list[Lamp]
    floor: float | None
    seed: int
    still: list[Prop]
    away: Array
    distractors: int
