"""Zones against an explorer that lets time pass a microsecond at a time: the same states, the same verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random

import attrs
import pytest

from outlast import catalog, loading
from outlast.errors import LimitExceeded
from outlast.plan import Plan, under
from outlast.proofs.timed import composed, successors
from outlast.proofs.timed.composed import Composed, compose
from outlast.proofs.timed.prospects import hopeless as hopeless_by_zones
from outlast.proofs.timed.search import Observer, Search, Watch
from outlast.proofs.timed.successors import Successors
from outlast.proofs.timed.zones import size
from outlast.run import System
from tests.proofs.random_systems import STATES, random_system
from tests.proofs.ticks import SHORT, Graph, State, graph, hopeless, longest, points, zone_points

MOST = 400


@pytest.fixture(autouse=True, scope="module")
def _soon_endless() -> Iterator[None]:
    """What goes on for long at one instant is not compared, and need not go on for long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composed, "LIMITS", SHORT)
        patch.setattr(successors, "LIMITS", SHORT)
        yield


def small(plan: Plan) -> tuple[Composed, Graph] | None:
    """The composition `all` and its states; None if they are too many."""
    try:
        found = compose(plan, plan.compositions["all"])
        system = System(plan, terms=SHORT)
        found.begin(system)
        states = graph(plan, tuple(instance.snapshot for instance in system.instances), found.said, MOST)
    except LimitExceeded:
        return None
    return (found, states) if states is not None else None


@cache
def systems() -> dict[int, tuple[Composed, Graph]]:
    """Random systems with something to see in them, by seed."""
    found = {seed: small(random_system(seed)) for seed in range(170)}
    return {seed: pair for seed, pair in found.items() if pair and len(pair[1]) >= 12}


def test_states_are_the_same() -> None:
    """The points of all zones are the states that can be reached, neither more nor fewer."""
    different = [
        seed
        for seed, (found, states) in systems().items()
        if zone_points(Successors(found.plan, found.snapshots, found.said)) != points(states)
    ]

    assert different == []
    assert len(systems()) >= 30


def test_bounds_are_the_same() -> None:
    """How long a state can last, to the microsecond."""
    different = []
    for seed, (found, states) in systems().items():
        for state in STATES[:2]:

            def holds(location: State, state: str = state) -> bool:
                return state in location[0].configuration

            class Lasting:
                def bound(self, location: State, running: int | None) -> int | None:
                    return (running if running is not None else 6) if holds(location) else None  # used at once

            ticks = longest(states, holds, 6)
            if by_watch(found, Lasting()) != (ticks is None):
                different.append((seed, state))

    assert different == []


def by_watch(found: Composed, observer: Observer) -> bool:
    """Whether a bound of 6 can be exceeded."""
    search = Search(Successors(found.plan, found.snapshots, found.said))
    for _ in search:
        pass
    return any(node.limit is not None and node.zone[-size(node.zone)] > node.limit for node in Watch(search, observer))


@attrs.frozen
class Everywhere:
    """What is to be possible wherever one is."""

    that: Callable[[State], bool]

    @staticmethod
    def since(_: State) -> bool:
        """Here as well."""
        return True


def test_prospects_are_the_same() -> None:
    """From where the third state of the first instance can still be reached."""
    different = []
    for seed, (found, states) in systems().items():
        for state in STATES:

            def goal(location: State, state: str = state) -> bool:
                return state in location[0].configuration

            search = Search(Successors(found.plan, found.snapshots, found.said), edges=True)
            for _ in search:
                pass
            lost = hopeless_by_zones(search, {"": Everywhere(goal)})
            if (lost is None) != (hopeless(states, goal) == set()):
                different.append((seed, state))

    assert different == []


REPLACED = {
    "shortest-session:            {value: 15m": "shortest-session:            {value: 1us",
    "session-step:                {value: 1m": "session-step:                {value: 1us",
    "min: 1s, step: 1s": "min: 1us, step: 1us",
}
SAID = (
    "identity-center acme: disable-background",
    "identity-center acme: enable-background",
    "studio-domain ds: disable-tip",
    "interactive-session ana: sign-out",
    "interactive-session ana: sign-in",
    "job train: write-checkpoint",
    "job train: restart",
    "job train: fail",
    "background-session train.background: revoke",
)


def sagemaker(seed: int, folder: Path) -> Plan:
    """The shipped system with a few microseconds for every duration, any reading, and few things said."""
    random = Random(seed)
    background, interactive, runtime = (random.randint(1, 3) for _ in range(3))
    grace = f"grace:                       {{value: {random.randint(0, 2)}us"
    said = random.sample(SAID, 4)
    for source in sorted(catalog.bundled()["sagemaker"].glob("*.yaml")):
        text = source.read_text("utf-8")
        for old, new in {**REPLACED, "grace:                       {value: 15m": grace}.items():
            text = text.replace(old, new)
        if source.name == "system.yaml":
            text = (
                text[: text.index("\ncompositions:")]
                + f"""
compositions:
  all:
    given:
      identity-center acme: {{background-duration: {background}us, interactive-duration: {interactive}us}}
      studio-application studio: {{}}
      studio-domain ds: {{state: tip-enabled, center: acme, application: studio}}
      interactive-session ana: {{state: signed-in, center: acme}}
      job train: {{kind: training, max-runtime: {runtime}us, domain: ds, session: ana}}
    only: [{{job train: start}}, {", ".join("{" + one + "}" for one in said)}]
"""
            )
        (folder / source.name).write_text(text, encoding="utf-8")
    plan = loading.load(folder)
    return under(plan, dict([random.choice(plan.alternatives)])) if seed % 2 else plan


@pytest.mark.parametrize("seed", range(30))
def test_jobs_and_sessions(seed: int, tmp_path: Path) -> None:
    """The shipped system comes to the same states either way, whatever its durations and readings are."""
    plan = sagemaker(seed, tmp_path)
    found = compose(plan, plan.compositions["all"])
    system = System(plan, terms=SHORT)
    found.begin(system)
    states = graph(plan, tuple(instance.snapshot for instance in system.instances), found.said, 100_000)

    assert states is not None
    assert zone_points(Successors(plan, found.snapshots, found.said)) == points(states)
