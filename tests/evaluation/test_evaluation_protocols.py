"""A protocol is a promise: its content may not change under its version."""

from __future__ import annotations

import hashlib
import json

import pytest

from weft.evaluation.embedders import EMBEDDERS
from weft.evaluation.protocols import DEFAULT, PROTOCOLS, planned
from weft.evaluation.reading import Window
from weft.evaluation.result import clean
from weft.evaluation.table import METRICS, rows

PROMISED = {
    ("plain", 1): "e2792ece786c",
    ("greatest-hits", 1): "0d85a9a6ead0",
    ("vggsound", 1): "b1bb20a891af",
    ("av-benchmark", 1): "99094df641b7",
    ("world-hits", 1): "7c6883b50cb1",
    ("world-walks", 1): "5bcfe4e202d8",
    ("plain", 2): "355f5c467ae8",
    ("greatest-hits", 2): "853d92816517",
    ("vggsound", 2): "3a2b0b810969",
    ("av-benchmark", 2): "e70020c92dcf",
    ("world-hits", 2): "5365bd80657b",
    ("world-walks", 2): "8db3e15dfd14",
    ("plain", 3): "178d5f9a0619",
    ("greatest-hits", 3): "c732425309b9",
    ("world-hits", 3): "dac9cdd566f5",
    ("world-walks", 3): "058f54dea5fc",
    ("greatest-hits", 4): "1219f9229933",
    ("vggsound", 3): "991021485ce6",
    ("av-benchmark", 3): "3a37e8005a9d",
    ("greatest-hits", 5): "d264ef71ffaa",
    ("vggsound", 4): "4cd9352ad24d",
}
"""(name, version) -> the start of the SHA-256 of all the protocol says. A change of it needs a new version."""


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_is_what_its_version_promises(name: str) -> None:
    plan = PROTOCOLS[name]
    text = json.dumps(clean(plan.to_json()), sort_keys=True)
    assert PROMISED[name, plan.version] == hashlib.sha256(text.encode()).hexdigest()[:12]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_names_what_there_is(name: str) -> None:
    plan = PROTOCOLS[name]
    assert plan.name == name
    assert set(plan.metrics) <= set(METRICS) and len(set(plan.metrics)) == len(plan.metrics)
    assert set(plan.embedders) <= set(EMBEDDERS)
    assert set(plan.uses) <= set(plan.embedders)
    assert all(set(used) <= set(plan.metrics) for used in plan.uses.values())
    given = rows([METRICS[m] for m in plan.metrics], [EMBEDDERS[e] for e in plan.embedders])
    meant = {r.name for r in planned(given, plan)}
    named = {f"{m}/{e}" for e, used in plan.uses.items() for m in used}
    assert named <= meant  # an embedder can do all that it is there for, and does no more
    assert {n for n in meant if n.partition("/")[2] in plan.uses} == named
    assert {plan.headline, *plan.scatter} <= set(plan.metrics)
    assert all(METRICS[m].pool is None for m in (plan.headline, *plan.scatter))


def test_the_five_of_the_field_and_a_plain_one_by_default() -> None:
    assert list(PROTOCOLS) == [
        "plain",
        "greatest-hits",
        "vggsound",
        "av-benchmark",
        "world-hits",
        "world-walks",
    ]
    assert DEFAULT == "plain" and PROTOCOLS[DEFAULT].window == Window()
