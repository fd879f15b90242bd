"""Falling bodies: MuJoCo simulates them, and the bursts of contact force become blows and rolls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from weft.world.plan import Contact
from weft.world.props import Array, Prop
from weft.world.stage import load_mujoco

STEP_S = 0.002
STAIRS = (
    ((-0.75, 0.0, 0.2), (0.3, 0.7, 0.2)),
    ((-0.25, 0.0, 0.1), (0.2, 0.7, 0.1)),
    ((0.1, 0.0, 0.04), (0.15, 0.7, 0.04)),
)


@dataclass(frozen=True, kw_only=True)
class Body:
    """One thing that falls: collision geometry (MuJoCo kind and size), how it looks, when and how it is let go."""

    kind: str
    size: tuple[float, ...]
    looks: tuple[Prop, ...]
    radius: float
    material: str
    bounce: float
    released: float
    start: Array
    velocity: Array
    spin: Array
    rot: Array
    held: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Flight:
    """What the simulation found, every STEP_S. clock [M] s; pos [M, n, 3], rot [M, n, 3, 3] of the n bodies; force
    [M, n]: contact force over weight; spot [M, n, 3]: the last contact point."""

    clock: Array
    pos: Array
    rot: Array
    force: Array
    spot: Array


def simulate(bodies: list[Body], ground: str, duration: float, stairs: bool) -> Flight:
    """Run MuJoCo from before the clip to its end. A body stands still until it is released."""
    mj = load_mujoco()
    parts = []
    for k, b in enumerate(bodies):
        zeta = -np.log(b.bounce) / np.hypot(np.pi, np.log(b.bounce))
        dims = " ".join(f"{s:.5f}" for s in b.size)
        spring = f'solref="{0.0025 / zeta:.6f} {zeta:.6f}" solimp="0.95 0.95 0.001"'
        parts.append(
            f'<body pos="0 0 {5 + k}"><freejoint/><geom type="{b.kind}" size="{dims}" mass="0.2" priority="1" '
            f'condim="6" friction="0.55 0.008 0.0012" {spring}/></body>'
        )
    if stairs:
        for p, s in STAIRS:
            parts.append(f'<geom type="box" size="{s[0]} {s[1]} {s[2]}" pos="{p[0]} {p[1]} {p[2]}"/>')
    level = -0.5 if ground == "water" else 0.0
    model = mj.MjModel.from_xml_string(
        f'<mujoco><option timestep="{STEP_S}"/><worldbody><geom type="plane" size="9 9 .1" pos="0 0 {level}"/>'
        f"{''.join(parts)}</worldbody></mujoco>"
    )
    data = mj.MjData(model)
    steps = int((duration + 0.3) / STEP_S)
    n = len(bodies)
    pos, rot = np.zeros((steps, n, 3)), np.zeros((steps, n, 3, 3))
    force, spot = np.zeros((steps, n)), np.zeros((steps, n, 3))
    weight = 0.2 * 9.81
    quat = np.zeros(4)
    geom_body = model.geom_bodyid
    buffer = np.zeros(6)
    free = [False] * n
    clock = np.arange(steps) * STEP_S - 0.1
    for m in range(steps):
        for k, b in enumerate(bodies):
            if clock[m] < b.released:
                q, v = data.qpos[7 * k : 7 * k + 7], data.qvel[6 * k : 6 * k + 6]
                mj.mju_mat2Quat(quat, np.ascontiguousarray(b.rot).ravel())
                q[:3], q[3:], v[:] = b.start, quat, 0
            elif not free[k]:
                free[k] = True
                data.qvel[6 * k : 6 * k + 3], data.qvel[6 * k + 3 : 6 * k + 6] = b.velocity, b.spin
            if ground == "water" and data.qpos[7 * k + 2] < 0:
                data.qvel[6 * k : 6 * k + 6] *= 0.96
        mj.mj_step(model, data)
        pos[m], rot[m] = data.xpos[1:], data.xmat[1:].reshape(n, 3, 3)
        for i in range(data.ncon):
            c = data.contact[i]
            mj.mj_contactForce(model, data, i, buffer)
            for g in (c.geom1, c.geom2):
                k = geom_body[g] - 1
                if k >= 0:
                    force[m, k] += buffer[0] / weight
                    spot[m, k] = c.pos
    if ground == "water":
        _splashes(pos, force, spot, bodies)
    return Flight(clock=clock, pos=pos, rot=rot, force=force, spot=spot)


def _splashes(pos: Array, force: Array, spot: Array, bodies: list[Body]) -> None:
    """Water has no contact forces here: a body's crossing of the surface counts as its blow."""
    force[:] = 0
    for k, b in enumerate(bodies):
        under = pos[:, k, 2] < 0.5 * b.radius
        for m in np.flatnonzero(under[1:] & ~under[:-1]):
            speed = abs(pos[m + 1, k, 2] - pos[m, k, 2]) / STEP_S
            force[m + 1, k] = 1.3 * speed / (9.81 * STEP_S)
            spot[m + 1, k] = pos[m, k] * (1, 1, 0)


def find_contacts(
    flight: Flight, bodies: list[Body], spoken: str | None, ground: str, duration: float, seed: int
) -> list[Contact]:
    """Blows (bursts of contact force, strength by the change of velocity) and rolls (steady contact while moving)."""
    found: list[Contact] = []
    for k, b in enumerate(bodies):
        material = spoken or b.material
        size = float(np.clip(np.log(b.radius / 0.02) / np.log(0.3 / 0.02), 0, 1))
        f = flight.force[:, k]
        # change of velocity over the next 12 ms, m/s
        gained = np.convolve(np.maximum(f - 1, 0), np.ones(6), "full")[5:][: len(f)] * 9.81 * STEP_S
        last = -1.0
        m = 0
        while m < len(f):
            t = flight.clock[m]
            if f[m] > 2.5 and (m == 0 or f[m - 1] < f[m]) and gained[m] > 0.3 and t - last > 0.045:
                if 0 <= t < duration:
                    strength = float(np.clip((gained[m] / 6.5) ** 0.8, 0.03, 1))
                    found.append(
                        Contact(
                            t=float(t),
                            strength=strength,
                            material=material,
                            action="bounce",
                            where=flight.spot[m, k].copy(),
                            size=size,
                            track=f"thing{seed}-{k}",
                        )
                    )
                last = t
                m += 12
            else:
                m += 1
        if b.kind in ("sphere", "cylinder", "ellipsoid") and ground != "water":
            found += _rolls(flight, k, b, material, size, duration, seed)
    return sorted(found, key=lambda c: c.t)


def _rolls(
    flight: Flight, k: int, b: Body, material: str, size: float, duration: float, seed: int
) -> list[Contact]:
    f = np.convolve(flight.force[:, k], np.ones(25) / 25, "same")
    v = np.gradient(flight.pos[:, k, :2], STEP_S, axis=0)
    speed = np.convolve(np.linalg.norm(v, axis=1), np.ones(25) / 25, "same")
    jolts = np.convolve((flight.force[:, k] > 4).astype(float), np.ones(60), "same") > 0
    on = (f > 0.5) & (f < 1.8) & (speed > 0.12) & ~jolts & (flight.clock >= 0) & (flight.clock < duration)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(int), [0]])))
    found = []
    for a, z in zip(edges[0::2], edges[1::2], strict=True):
        if (z - a) * STEP_S < 0.25:
            continue
        pick = np.linspace(a, z - 1, 24).astype(int)
        curve = np.clip(speed[pick] / 1.6, 0, 1)
        found.append(
            Contact(
                t=float(flight.clock[a]),
                strength=float(np.clip(curve.max(), 0.05, 1)),
                material=material,
                action="roll",
                where=flight.pos[pick, k] * (1, 1, 0),
                duration=float((z - a) * STEP_S),
                size=size,
                gain_curve=curve,
                track=f"thing{seed}-{k}",
            )
        )
    return found
