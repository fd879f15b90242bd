"""Where a blow's sound is said to come from: the whole thing that is struck, as it stands in the picture."""

from __future__ import annotations

import numpy as np
import pytest

from weft.world import hits, things
from weft.world.plan import Contact
from weft.world.props import RINGS, SPOKES, Prop, turn


def extent(points: np.ndarray) -> tuple[list[float], list[float]]:
    return points.min(0).round(6).tolist(), points.max(0).round(6).tolist()


@pytest.mark.parametrize(
    ("prop", "low", "high"),
    [
        (Prop(kind="box", size=(0.1, 0.2, 0.3)), [-0.1, -0.2, -0.3], [0.1, 0.2, 0.3]),
        (Prop(kind="plane", size=(0.1, 0.2, 0.3)), [-0.1, -0.2, 0.0], [0.1, 0.2, 0.0]),
        (Prop(kind="sphere", size=(0.1, 9, 9)), [-0.1] * 3, [0.1] * 3),
        (Prop(kind="ellipsoid", size=(0.1, 0.2, 0.3)), [-0.1, -0.2, -0.3], [0.1, 0.2, 0.3]),
        (Prop(kind="cylinder", size=(0.1, 0.1, 0.3)), [-0.1, -0.1, -0.3], [0.1, 0.1, 0.3]),
        (Prop(kind="capsule", size=(0.1, 0.1, 0.3)), [-0.1, -0.1, -0.4], [0.1, 0.1, 0.4]),
    ],
)
def test_a_props_outline_spans_it(prop: Prop, low: list[float], high: list[float]) -> None:
    assert extent(prop.outline()) == (low, high)


def test_an_outline_is_posed_as_the_prop_is() -> None:
    quarter = turn(np.array([0.0, 0, 1]), np.array([np.pi / 2]))[0]
    prop = Prop(kind="box", size=(0.1, 0.2, 0.3), pos=np.array([1.0, 2.0, 3.0]), rot=quarter)
    assert extent(prop.outline()) == ([0.8, 1.9, 2.7], [1.2, 2.1, 3.3])
    mesh = np.random.default_rng(0).uniform(-1, 1, (RINGS * SPOKES, 3))
    lathe = Prop(kind="lathe", size=(1, 2, 3), mesh=mesh, pos=np.array([1.0, 0, 0]))
    np.testing.assert_allclose(lathe.outline(), mesh * [1, 2, 3] + [1, 0, 0])


def plan(material: str, form: str | None, seed: int = 0) -> hits.Hits:
    """A plan on a thing of one form, looked for among seeds."""
    for k in range(400):
        found = hits.plan(np.random.default_rng(seed + k), seed + k, 4.0, material=material)
        lone = len(found.thing.props) == 1 and found.thing.props[0].kind == "box" if form == "slab" else True
        if lone and bool(found.thing.props) == (form is not None) and found.contacts:
            return found
    raise AssertionError("no such plan")


def test_of_several_alike_the_struck_one_is_shown() -> None:
    rng = np.random.default_rng(3)
    thing = things.make("ceramic", rng, "bowl")
    things.repeat(thing, rng)
    assert len(thing.spots) > 1
    assert len(thing.outlines()) == len(thing.spots)
    found = plan("wood", "slab")
    found.thing = thing
    at = [np.array([[x, y, 0.0]]) @ found.frame.T + found.origin for x, y in thing.spots]
    found.contacts = [
        Contact(
            t=k + 0.5, strength=1.0, material="wood", action="hit", where=w, duration=0.0, size=0.5,
            gain_curve=None, track="",
        )
        for k, w in enumerate(at)
    ]  # fmt: skip
    shown = found.region(np.arange(len(at)) + 0.4)
    for k, (points, outline) in enumerate(zip(shown, thing.outlines(), strict=True)):
        np.testing.assert_allclose(points, outline @ found.frame.T + found.origin, err_msg=str(k))


def test_a_floor_shows_the_region_of_impact() -> None:
    found = plan("grass", None)
    t = np.array([found.contacts[0].t])
    points = found.region(t)
    assert points.shape == (1, 6, 3)
    where = np.atleast_2d(found.contacts[0].where).mean(0)
    np.testing.assert_allclose(points[0].mean(0), where, atol=1e-9)
    np.testing.assert_allclose(np.ptp(points[0], axis=0), 0.28)


def test_what_has_no_end_in_sight_shows_the_region_of_impact() -> None:
    found = plan("wood", "slab")
    found.thing.props[0].size = (0.6, 0.1, 0.02)
    assert found.region(np.array([1.0])).shape == (1, 6, 3)
    found.thing.props[0].size = (0.3, 0.1, 0.02)
    assert found.region(np.array([1.0])).shape == (1, 8, 3)
