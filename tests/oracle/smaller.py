r"""Make a counterexample small: leave out, one by one, the events, rows, states and actions it does not need.

A test says what a failure is, and lets `smaller` shrink it instead of Hypothesis:

    def differs(machine: Machine, events: list[str]) -> bool: ...

    @settings(phases=[Phase.explicit, Phase.reuse, Phase.generate], deadline=None)
    @given(runs())
    def test_they_agree(drawn: Run) -> None:
        if differs(*drawn):
            machine, events = smaller(*drawn, differs)
            pytest.fail(f"{to_yaml(machine)}\n{events}")
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from typing import Any

import yaml

from tests.oracle.appendix_d import Machine, asList, childrenOf
from tests.oracle.legal import complaints
from tests.oracle.machines import Run, declared, to_yaml, words

Edit = Callable[[Machine, list[str]], None]
"""Changes a copy of a run in place; raises `LookupError` when there is nothing left to change."""


def smaller(machine: Machine, events: list[str], fails: Callable[[Machine, list[str]], bool]) -> Run:
    """Give a run that is as small as can be, is legal and still `fails`."""
    least = (machine, events)
    size = -1
    while size != (size := len(repr(least))):
        at = 0
        while at < len(edits := list(all_edits(*least))):
            candidate = edited(*least, edits[at])
            if candidate != least and is_legal(candidate[0]) and fails(*candidate):
                least = candidate
            else:
                at += 1
    tidy = (renumbered(least[0]), least[1])
    return tidy if fails(*tidy) else least


def renumbered(machine: Machine) -> Machine:
    """Give states, histories and rows consecutive numbers again."""
    names = [place[-1] for place in state_places(machine["states"], [])]
    names += [row["id"] for row in machine.get("transitions", [])]
    new = {name: f"{name[0]}{[n for n in names if n[0] == name[0]].index(name) + 1}" for name in names}
    text = re.sub(r"\b[sht]\d+\b", lambda found: new.get(found[0], found[0]), to_yaml(machine))
    again: Machine = yaml.safe_load(text)
    return again


def is_legal(machine: Machine) -> bool:
    """Say whether an edit left a well-formed machine, in which nothing is missing."""
    try:
        return not any(complaints(machine))
    except LookupError:
        return False


def edited(machine: Machine, events: list[str], edit: Edit) -> Run:
    """Give the run after an edit, with no declaration it does not need; the same run, if the edit does not fit."""
    machine, events = deepcopy(machine), list(events)
    try:
        edit(machine, events)
    except LookupError:
        return machine, events
    said = {key: value for key, value in machine.items() if key in {"initial-transition", "states", "transitions"}}
    mentioned = {*words(said), *events}
    return declared(said, [event for event in machine.get("events", {}) if event in mentioned]), events


def all_edits(machine: Machine, events: list[str]) -> Iterator[Edit]:
    """Propose every way to make a run smaller, the boldest first."""
    for at in range(len(events)):
        yield partial(drop_event, at)
    for at in reversed(range(len(machine.get("transitions", [])))):
        yield partial(drop, ["transitions", at])
    places = list(state_places(machine["states"], ["states"]))
    for place in places:
        yield partial(drop_state, place)
    for place in places:
        yield partial(keep_children_only, place)
        yield partial(make_composite, place)
    for path, key in list(pieces(machine, [])):
        yield partial(drop, [*path, key])
        yield partial(take_one, [*path, key])
        yield partial(unwrap, [*path, key])


def state_places(states: Machine, path: list[Any]) -> Iterator[list[Any]]:
    """List where the states stand, outer ones first."""
    for name, data in states.items():
        yield [*path, name]
        for key in ("states", "regions"):
            if key in data:
                yield from state_places(data[key], [*path, name, key])


def pieces(data: Any, path: list[Any]) -> Iterator[tuple[list[Any], Any]]:
    """List the places of everything optional in rows and states: keys, actions, parts of guards, names in lists."""
    if isinstance(data, dict):
        for key, value in data.items():
            if not path and key not in {"initial-transition", "states", "transitions"}:
                continue
            if key not in {"states", "regions", "transitions"} and path[-1:] not in (["states"], ["regions"]):
                yield path, key
            yield from pieces(value, [*path, key])
    elif isinstance(data, list):
        for at in reversed(range(len(data))):
            yield path, at
            yield from pieces(data[at], [*path, at])


def find(data: Any, path: list[Any]) -> Any:
    """Walk to a place."""
    for key in path:
        data = data[key]
    return data


# The edits ------------------------------------------------------------------------------------------------------------


def drop_event(at: int, machine: Machine, events: list[str]) -> None:  # noqa: ARG001
    """Leave out something said from outside."""
    del events[at]


def drop(path: list[Any], machine: Machine, events: list[str]) -> None:  # noqa: ARG001
    """Leave out a row, a key, an action or a name in a list; not what the language asks for."""
    *inner, key = path
    holder = find(machine, inner)
    needed = {"from", "id", "history", "set", "emit", "raise", "if", *([] if "id" in holder else ["to"])}
    is_state = inner[-2:-1] in (["states"], ["regions"])
    if key in needed or (len(holder) == 1 and inner != ["transitions"] and not is_state):
        raise LookupError(key)
    if "if" in holder and key == "do":
        raise LookupError(key)
    del holder[key]


def take_one(path: list[Any], machine: Machine, events: list[str]) -> None:  # noqa: ARG001
    """Write one name for a list of one, and the last of several conditions for all of them."""
    *inner, key = path
    holder = find(machine, inner)
    if key not in {"from", "to", "event", "all", "any"} or not isinstance(holder[key], list):
        raise LookupError(key)
    one = holder[key][-1]
    if key in {"all", "any"}:
        del holder[key]
        holder.update(one)
    else:
        holder[key] = one


def unwrap(path: list[Any], machine: Machine, events: list[str]) -> None:  # noqa: ARG001
    """Put in place of an `if` what it leads to."""
    *inner, at = path
    block = find(machine, inner)
    if not isinstance(block, list) or not isinstance(block[at], dict) or "if" not in block[at]:
        raise LookupError(at)
    block[at : at + 1] = block[at].get("do") or block[at]["else"]


def drop_state(path: list[Any], machine: Machine, events: list[str]) -> None:  # noqa: ARG001
    """Leave out a state with all that is in it and everything that speaks of it."""
    *inner, name = path
    siblings = find(machine, inner)
    gone = {name, *(place[-1] for place in state_places({name: siblings[name]}, []))}
    del siblings[name]
    if not siblings or all("history" in data for data in siblings.values()):
        gone |= set(siblings)
        del find(machine, inner[:-1])[inner[-1]]
    forget(machine, gone)


def keep_children_only(path: list[Any], machine: Machine, events: list[str]) -> None:  # noqa: ARG001
    """Put in place of a state its children; what spoke of it speaks of the first of them."""
    *inner, name = path
    siblings = find(machine, inner)
    children = {child: data for child, data in childrenOf(siblings[name]).items() if "history" not in data}
    if not children:
        raise LookupError(name)
    lost = set(childrenOf(siblings[name])) - set(children)
    put = [pair for other in siblings for pair in (children.items() if other == name else [(other, siblings[other])])]
    siblings.clear()
    siblings.update(put)
    forget(machine, lost)
    rename(machine, name, next(iter(children)))


def make_composite(path: list[Any], machine: Machine, events: list[str]) -> None:  # noqa: ARG001
    """Turn regions into children of which one is active."""
    data = find(machine, path)
    data["states"] = data.pop("regions")


def forget(machine: Machine, gone: set[str]) -> None:
    """Take every mention of some states out of a machine, and what makes no sense without it."""

    def kept(holder: Machine, key: str) -> bool:
        """Whether a list of names has any left."""
        if key not in holder:
            return True
        left = [name for name in asList(holder[key]) if name not in gone]
        holder[key] = left[0] if len(left) == 1 else left
        return bool(left)

    def clean(data: Any) -> None:
        if isinstance(data, list):
            for each in data:
                clean(each)
            return
        if not isinstance(data, dict):
            return
        for key, value in list(data.items()):
            if isinstance(value, dict) and "history" in value and not kept(value, "to"):
                gone.add(key)
                del data[key]
            elif (key == "initial-transition" and not kept(value, "to")) or (key == "self" and value in gone):
                del data[key]
            else:
                clean(value)

    before: set[str] = set()
    while before != gone:
        before = set(gone)
        clean(machine)
        machine["transitions"] = [
            row
            for row in machine.get("transitions", [])
            if kept(row, "from") and kept(row, "to") and row.get("done") not in gone
        ]


def rename(data: Any, old: str, new: str) -> None:
    """Let everything that named one state name another."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key in {"from", "to", "done", "self"} and isinstance(value, (str, list)):
                names = [new if name == old else name for name in asList(value)]
                data[key] = names if isinstance(value, list) else names[0]
            else:
                rename(value, old, new)
    elif isinstance(data, list):
        for each in data:
            rename(each, old, new)
