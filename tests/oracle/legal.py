"""What makes a machine well formed, beyond its grammar (SCXML 3.10, 3.11, 3.13): said once, without regard to speed.

The random machines must all be legal, and `tests.oracle.smaller` never leaves what is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.oracle.appendix_d import Machine, asList, childrenOf, kindOf


def complaints(machine: Machine) -> Iterator[str]:
    """Say everything that is wrong with a machine; nothing, when it is well formed."""
    states = {"": {"states": machine["states"]} | _initial(machine)} | dict(_all_states(machine["states"]))
    parents = {child: name for name, data in states.items() for child in childrenOf(data)}
    kinds = {name: kindOf(data) for name, data in states.items()} | {"": "scxml"}

    def above(name: str) -> list[str]:
        return [] if name == "" else [parents[name], *above(parents[name])]

    def specification(targets: list[str]) -> Iterator[str]:
        """3.11: targets stand in different regions of one parallel state; a history stands for something in its parent."""
        for at, one in enumerate(targets):
            for other in targets[at + 1 :]:
                places = [parents[name] if kinds[name] == "history" else name for name in (one, other)]
                first, second = ([place, *above(place)] for place in places)
                common = next(name for name in first if name in second)
                if common in places or kinds[common] != "parallel":
                    yield f"{one} and {other} are not in different regions"

    def inside(targets: list[str], parent: str, what: str) -> Iterator[str]:
        yield from specification(targets)
        yield from (
            f"{what} of {parent or 'the machine'} leads out to {name}" for name in targets if parent not in above(name)
        )

    named = [data["initial-transition"]["to"] for data in states.values() if "initial-transition" in data]
    named += [data["to"] for data in states.values() if "history" in data]
    named += [row.get(key) for row in machine.get("transitions", []) for key in ("from", "to", "done")]
    if unknown := {name for names in named for name in asList(names)} - {*states}:
        yield f"nothing is called {sorted(unknown)}"
        return
    for name, data in states.items():
        children = [child for child in childrenOf(data) if kinds[child] != "history"]
        marked = [child for child in children if states[child].get("initial")]
        if ("states" in data or "regions" in data) and not children:
            yield f"{name} has no child that is a state"
        if kinds[name] == "parallel":
            yield from (f"{child} cannot be a region" for child in children if kinds[child] == "final")
            if len(children) < 2:
                yield f"{name} has one region only"
            if marked:
                yield f"a region of {name} is marked initial"
        if len(marked) + ("initial-transition" in data) > 1 or ("initial-transition" in data and "states" not in data):
            yield f"{name} says too much about its initial state"
        if "initial-transition" in data:
            yield from inside(asList(data["initial-transition"]["to"]), name, "the initial transition")
        if kinds[name] == "history":
            targets = asList(data["to"])
            yield from inside(targets, parents[name], "a history")
            yield from (f"{name} leads to a history" for target in targets if kinds[target] == "history")
    for row in machine.get("transitions", []):
        sources, targets = asList(row["from"]), asList(row.get("to"))
        yield from specification(targets)
        yield from (f"{name} cannot be left" for name in sources if kinds[name] in {"final", "history"})
        yield from (f"{name} is never done" for name in asList(row.get("done")) if not childrenOf(states[name]))
        if row.get("internal") and not all(
            targets and kinds[name] == "state" and all(name in above(target) for target in targets) for name in sources
        ):
            yield f"{row['id']} is not internal"
        if not sources or row.get("to") == []:
            yield f"{row['id']} has an empty list"
    events = {*machine.get("events", {}), "*", "error", "error.execution", "done.state"}
    for key, value in _items(machine):
        if key == "self" and (value not in kinds or kinds[value] == "history"):
            yield f"a guard asks for {value}"
        if key in {"event", "raise"}:
            yield from (f"{event} is not declared" for event in asList(value) if event not in events)


def not_a_configuration(machine: Machine, configuration: tuple[str, ...]) -> Iterator[str]:
    """Say why a set of states cannot be active together (3.11): the rules of a legal configuration."""
    states = {"": {"states": machine["states"]}} | dict(_all_states(machine["states"]))
    active = {"", *configuration}
    for name, data in states.items():
        children = {child for child, inner in childrenOf(data).items() if kindOf(inner) != "history"}
        among = children & active
        if name not in active:
            yield from (f"{child} is active outside {name}" for child in among)
        elif "regions" in data and among != children:
            yield f"a region of {name} is not active"
        elif "states" in data and len(among) != 1:
            yield f"{len(among)} children of {name or 'the machine'} are active"
    yield from (f"{name} is a history" for name in configuration if kindOf(states[name]) == "history")


def _initial(machine: Machine) -> Machine:
    return {key: value for key, value in machine.items() if key == "initial-transition"}


def _all_states(states: Machine) -> Iterator[tuple[str, Machine]]:
    for name, data in states.items():
        yield name, data
        yield from _all_states(childrenOf(data))


def _items(data: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield key, value
            yield from _items(value)
    elif isinstance(data, list):
        for each in data:
            yield from _items(each)
