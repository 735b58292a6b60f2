"""Equal instances that change places: the same verdicts as without, and the same states up to who has whose place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import permutations, product
from pathlib import Path
from typing import TypeAlias

import pytest

from outlast import loading
from outlast.errors import LimitExceeded
from outlast.plan import Plan
from outlast.proofs.timed import Verdict, check, composed, successors, symmetry
from outlast.proofs.timed.composed import Composed, compose
from outlast.proofs.timed.locations import Location, renamed, under
from outlast.proofs.timed.orbits import Orbits
from outlast.proofs.timed.search import Search
from outlast.proofs.timed.successors import Successors
from outlast.proofs.timed.symmetry import families
from tests.proofs.equals import equal_system
from tests.proofs.ticks import SHORT, as_point, is_inside

MOST = 300
MANY = 7**2
"""The size of a zone of six clocks."""


@pytest.fixture(autouse=True, scope="module")
def _soon_endless() -> Iterator[None]:
    """What goes on for long at one instant is not compared, and need not go on for long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composed, "LIMITS", SHORT)
        patch.setattr(successors, "LIMITS", SHORT)
        yield


def whole(search: Search) -> bool:
    """Run a search to its end; no, if that is far, or there are many clocks, which are delayed sends that become ever more."""
    try:
        for number, node in enumerate(search):
            if number > MOST or len(node.zone) > MANY:
                return False
    except LimitExceeded:
        return False
    return True


def settled(search: Search, names: Sequence[Mapping[str, str]]) -> set[object]:
    """Every point of a search at which nothing is due, under all of these names; who was made first is left aside."""
    found: set[object] = set()
    for location in search.reached:
        nodes = [node for key, known in search.passed.items() if key[0] == id(location) for node in known]
        caps = [clock.cap for clock in search.system.places.clocks(location)]
        called = [tuple(_called(location, one)) for one in names]
        for times in product(*(range(cap) for cap in caps)):
            if any(is_inside(node.zone, (0, *times)) for node in nodes):
                found |= {frozenset(as_point(one, times)) for one in called}
    return found


def _called(location: Location, names: Mapping[str, str]) -> Location:
    return tuple(renamed(snapshot, lambda id_: under(names, id_)) for snapshot in location)


def exchanges(composed: Composed) -> list[dict[str, str]]:
    """Every way in which blocks can change places."""
    ways: list[list[dict[str, str]]] = []
    for family in families(composed):
        ways.append([])
        for order in permutations(family):
            ways[-1].append(
                {old: new for one, two in zip(family, order, strict=True) for old, new in zip(one, two, strict=True)}
            )
    return [{old: new for one in way for old, new in one.items()} for way in product(*ways)]


Pair: TypeAlias = tuple[Composed, Search]


@cache
def systems(seeds: range = range(200)) -> dict[int, Pair]:
    """Random systems with something to see in them, and a search of each without exchanges."""
    found = {}
    for seed in seeds:
        plan = equal_system(seed)
        try:
            all_ = compose(plan, plan.compositions["all"])
        except LimitExceeded:
            continue
        if families(all_):
            search = Search(Successors(all_.plan, all_.snapshots, all_.said))
            if whole(search) and search.locations >= 8 and max(len(node.zone) for node in search.nodes) < MANY:
                found[seed] = (all_, search)
    return found


def test_states_are_the_same_but_for_places() -> None:
    """All that is reached without exchanges is reached with them, by somebody, and nothing else."""
    different = []
    for seed, (all_, plain) in systems().items():
        roots = [part.name for part in all_.parts]
        search = Search(plain.system, orbits=Orbits(plain.system.places, families(all_), roots))
        if not whole(search) or settled(search, exchanges(all_)) != settled(plain, [{}]):
            different.append(seed)

    assert different == []
    assert len(systems()) >= 25


def seen(verdict: Verdict) -> object:
    """What a check says, as far as it does not depend on how it was found out."""
    trace = verdict.trace
    return (
        verdict.id,
        verdict.outcome,
        verdict.reason,
        trace and [(item.at, item.instance, item.name) for item in trace.happenings],
    )


def test_verdicts_are_the_same() -> None:
    """Every kind of property: the same verdict, and a run as short and as early."""
    different = [
        seed
        for seed in systems()
        for plan in [equal_system(seed)]
        if [*map(seen, check(plan, slicing=False))] != [*map(seen, check(plan, slicing=False, exchanging=False))]
    ]

    assert different == []


# ---- by hand

LAMP = """
machine: lamp
refs: {house: house}
fields: {count: {type: int, default: 0}}
events: {press: {by: hand}, kick: {by: hand}}
states: {dark: {}, lit: {}, dim: {}, broken: {}}
transitions:
  - {id: on, from: dark, event: press, to: lit}
  - {id: off, from: lit, event: press, to: dark}
  - {id: fade, from: lit, after: 5m, to: dim}
  - {id: out, from: dim, within: 2m, to: dark}
  - {id: kicked, from: [lit, dim], event: kick, to: broken}
"""
HOUSE = """
machine: house
events: {call: {internal: true}, cut: {by: hand}}
states: {quiet: {}, called: {}}
transitions:
  - {id: called, from: quiet, event: call, to: called}
  - {id: again, from: called, after: 1m, to: quiet}
"""
THREE = "house h: {}, lamp a: {house: h}, lamp b: {house: h}, lamp c: {house: h}"


def planned(folder: Path, claims: str, *, given: str = THREE, lamp: str = LAMP, house: str = HOUSE) -> Plan:
    """Equal lamps in a house."""
    (folder / "lamp.yaml").write_text(lamp, encoding="utf-8")
    (folder / "house.yaml").write_text(house, encoding="utf-8")
    (folder / "system.yaml").write_text(
        "system: lamps\nmachines: [house, lamp]\nactors: {hand: {}}\n"
        f"compositions: {{all: {{given: {{{given}}}}}}}\nproperties:\n{claims}",
        encoding="utf-8",
    )
    return loading.load(folder)


CLAIMS = [  # claim, outcome
    ("never: self is broken", "refuted"),
    ("never: count > 0", "proved"),
    ("from: self is dim, never: self is broken", "refuted"),
    ("from: self is dark, never: self is broken", "proved"),
    ("while: self is lit, never-longer-than: 5m", "proved"),
    ("while: self is lit, never-longer-than: 4m 59s", "refuted"),
    ("while: {self: [lit, dim]}, never-longer-than: 7m", "proved"),
    ("while: {self: [lit, dim]}, never-longer-than: 6m 59s", "refuted"),
    ("while: {self: [lit, dim, broken]}, never-longer-than: 7m", "refuted"),
    ("reachable: self is dim", "proved"),
    ("reachable: self is dim and count > 0", "refuted"),
    ("can-always: self is lit", "refuted"),
    ("from: self is not broken, can-always: self is lit", "proved"),
]


@pytest.mark.parametrize(("claim", "outcome"), CLAIMS, ids=[row[0] for row in CLAIMS])
def test_lamps_change_places(tmp_path: Path, claim: str, outcome: str) -> None:
    """Fewer states, the same verdict, the same run."""
    plan = planned(tmp_path, f"  - {{id: p, of: lamp, {claim}, says: So.}}")
    (with_,), (without,) = check(plan, slicing=False), check(plan, slicing=False, exchanging=False)

    assert with_.outcome == outcome
    assert seen(with_) == seen(without)
    if outcome == "proved" and "reachable" not in claim:
        assert with_.statistics.locations < with_.statistics.stands_for


ONCE = """
machine: lamp
refs: {house: house}
events: {press: {by: hand}, kick: {by: hand}}
states: {dark: {}, lit: {}, dim: {}, glowing: {}, broken: {}}
transitions:
  - {id: on, from: dark, event: press, to: lit}
  - {id: kicked, from: lit, event: kick, when: house is quiet, to: broken, do: [{send: {event: call, to: house}}]}
  - {id: fade, from: lit, event: press, to: dim}
  - {id: glow, from: dim, event: press, to: glowing}
  - {id: out, from: glowing, event: press, to: dark}
"""


@pytest.mark.parametrize(
    ("since", "outcome"), [("self is lit or self is broken", "refuted"), ("self is dim", "proved")]
)
def test_who_is_who_on_the_way(tmp_path: Path, since: str, outcome: str) -> None:
    """One lamp is broken for ever, and only one: what the others can still bring about is not its hope."""
    claims = f"  - {{id: p, of: lamp, from: {since}, can-always: self is glowing, says: So.}}"
    house = HOUSE.replace("  - {id: again, from: called, after: 1m, to: quiet}\n", "")
    plan = planned(tmp_path, claims, lamp=ONCE, house=house)
    (verdict,) = check(plan, slicing=False)

    assert verdict.outcome == outcome
    assert verdict.statistics.locations < verdict.statistics.stands_for


ALOUD = ", do: [{send: {event: call, to: house}}]}\n"
FAMILIES = [  # rows of the lamp, who is there, how many can change places
    ("", THREE, 3),
    (f"  - {{id: ring, from: dark, event: ring{ALOUD}", THREE, 3),
    (f"  - {{id: ring, from: dark, after: 1m{ALOUD}", THREE, 0),
    (f"  - {{id: ring, from: dark, event: house.called{ALOUD}", THREE, 0),
    (f"  - {{id: ring, from: dark, event: told{ALOUD}", THREE, 0),
    ("  - {id: ring, from: dark, event: ring, do: [{send: {event: call, to: house, after: 1m}}]}\n", THREE, 0),
    ("", THREE.replace("lamp c: {", "lamp c: {count: 1, "), 2),
    ("", THREE.replace("lamp c: {", "lamp c: {state: lit, "), 2),
    ("", "house h: {}, lamp a: {house: h}, house i: {}, lamp b: {house: h}", 0),
    ("", "house h: {}, house i: {}, lamp a: {house: h}, lamp b: {house: i}", 2),
    ("", "house h: {}, house i: {}, lamp a: {house: h}, lamp b: {house: h}, lamp c: {house: i}", 2),
]
EVENTS = "events: {press: {by: hand}, ring: {by: hand}, told: {by: hand}, "


@pytest.mark.parametrize(("rows", "given", "count"), FAMILIES)
def test_who_can_change_places(tmp_path: Path, rows: str, given: str, count: int) -> None:
    """Equal, and told apart by nobody; nor by the order in which they were made, when they speak at one instant."""
    lamp = (LAMP + rows).replace("events: {press: {by: hand}, ", EVENTS)
    if "told" in rows:
        lamp += "  - {id: tell, from: lit, after: 1m, do: [{send: {event: told}}]}\n"
    plan = planned(tmp_path, "  []", given=given, lamp=lamp)
    found = families(compose(plan, plan.compositions["all"]))

    assert sum(map(len, found)) == count


FIRST = "  - {id: first, from: dark, after: 1us, when: house is quiet, to: broken, do: [{send: {event: call, to: house}}]}\n"


def test_who_comes_first_matters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the first of an instant takes what there is, the second never has it: exchanged, it would seem to."""
    given, house = "house h: {}, lamp a: {house: h}, lamp b: {house: h}", HOUSE.replace("1m", "3us")
    plan = planned(tmp_path, "  []", given=given, lamp=LAMP + FIRST, house=house)
    all_ = compose(plan, plan.compositions["all"])
    quiet = Successors(all_.plan, all_.snapshots, ())
    plain = Search(quiet)
    assert whole(plain)

    assert families(all_) == ()
    monkeypatch.setattr(symmetry, "_keeps_to_itself", lambda *_: True)
    forced = Search(quiet, orbits=Orbits(quiet.places, families(all_), ["h", "a", "b"]))
    assert whole(forced)
    assert settled(forced, exchanges(all_)) != settled(plain, [{}])


def test_two_lamps_in_two_houses_change_places_with_them(tmp_path: Path) -> None:
    """Who is bound to somebody comes along."""
    plan = planned(tmp_path, "  []", given="house h: {}, house i: {}, lamp a: {house: h}, lamp b: {house: i}")

    assert families(compose(plan, plan.compositions["all"])) == ((("h", "a"), ("i", "b")),)
