"""The structural difference of two plans: what was added, removed and changed, in the authors' words and with both places.

Two things are the same thing when they have the same kind, machine and name; a renamed one is one removed and one added, since
nobody can know more. What is compared is what the authors wrote, key by key, as the canonical form would write it, so that a key of
the language cannot be forgotten here: `difference(old, new)` is empty exactly when both plans have the same hash.

A row may change its meaning while its words stay: because a named guard or a constant it uses has changed. Those are `affected`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

import attrs

from outlast import model
from outlast.language import nodes, unbuild
from outlast.language.layout import quoted
from outlast.language.nodes import Node
from outlast.place import Place, place_of
from outlast.plan.states import flatten
from outlast.plan.tables import Plan
from outlast.plan.unused import names_said
from outlast.values import frozen

Kind: TypeAlias = Literal[
    "system", "actor", "clause", "constant", "assumption",
    "machine", "field", "ref", "event", "effect", "guard", "requirement", "state", "transition",
]  # fmt: skip
Fate: TypeAlias = Literal["added", "removed", "changed"]

WORDS = frozenset(
    {
        "title",
        "about",
        "because",
        "role",
        "document",
        "question",
        "confidence",
        "section",
        "line",
        "reason",
        "reference",
        "moved",
    }
)
"""Parts that readers see and runs do not."""
ORDER = "order of "
"""How the name of a part begins that is no key but an order: of states, transitions, fields …"""

_SECTIONS: dict[str, Kind] = {
    "fields": "field", "refs": "ref", "events": "event", "effects": "effect", "guards": "guard", "requires": "requirement",
    "transitions": "transition", "actors": "actor", "clauses": "clause", "constants": "constant", "assumptions": "assumption",
}  # fmt: skip
"""Key of a file -> the kind of thing that is listed under it."""
_SHORT: dict[Kind, str] = {"field": "type", "ref": "machine", "guard": "that"}
"""The key that a short form leaves out."""


@frozen
class Part:
    """One key of a thing, as it was and as it is, each as an author would write it; empty where the key was not given.

    `name` is the key of the language: of a transition `from`, `event`, `after`, `within`, `done`, `when`, `to`, `internal`, `do`, `refuse`,
    `about`, `because`. Besides those: `in`, the state a state stands in; `kind` of a state; `order of …`, the names of what a machine, a
    state or the system lists, from the first that moved to the last.
    """

    name: str
    old: str
    new: str


@frozen
class Change:
    """What became of one thing. Something added has no old words, something removed no new ones.

    What a machine contains that is itself new or gone is not listed thing by thing.
    """

    fate: Fate
    kind: Kind
    machine: str | None
    name: str
    parts: tuple[Part, ...] = ()
    old_place: Place | None = attrs.field(default=None, eq=False)
    new_place: Place | None = attrs.field(default=None, eq=False)

    @property
    def behaves(self) -> bool:
        """Whether a run could notice: more than words, clauses and roles differ. Clauses themselves never do anything."""
        said = self.fate != "changed" or any(part.name not in WORDS for part in self.parts)
        return said and self.kind not in ("clause", "actor")

    def part(self, name: str) -> Part | None:
        """The part of that name, if it differs."""
        return next((part for part in self.parts if part.name == name), None)

    def __str__(self) -> str:
        return f"{self.fate} {self.kind} {f'{self.machine}:' if self.machine else ''}{self.name}"


@frozen
class Affected:
    """Something whose words are the same while what they stand for has changed: `through` names the guards and constants."""

    kind: Kind
    machine: str | None
    name: str
    through: tuple[str, ...]
    old_place: Place | None = attrs.field(default=None, eq=False)
    new_place: Place | None = attrs.field(default=None, eq=False)


@attrs.frozen(eq=False)
class Difference:
    """Two plans, and what leads from the old to the new.

    The system comes first, then machine by machine, in the order of the new files; what is gone comes after what it stood behind.
    """

    old: Plan
    new: Plan
    changes: tuple[Change, ...]
    affected: tuple[Affected, ...]

    def __bool__(self) -> bool:
        return bool(self.changes)

    def of(self, kind: Kind, machine: str | None = None) -> Mapping[str, Change]:
        """Name -> change, of one kind, in one machine or (None) in the system."""
        return {change.name: change for change in self.changes if (change.kind, change.machine) == (kind, machine)}

    @property
    def behaves(self) -> bool:
        """Whether a run could notice anything."""
        return any(change.behaves for change in self.changes)


def difference(old: Plan, new: Plan) -> Difference:
    """Compare what two plans were compiled from; their readings do not matter.

    Raises MisuseError for what only a translator from another language can have made, and no specification can say.
    """
    before, after = _things(old.source), _things(new.source)
    changes = tuple(_changes(before, after))
    return Difference(old, new, changes, tuple(_affected(before, after, changes)))


# ---- what there is


_Key: TypeAlias = tuple[Kind, "str | None", str]


@frozen
class _Thing:
    """One thing of a system: its keys in words, the names in the order of each list it holds, and the value it was read as."""

    said: Mapping[str, str]
    value: object = None
    place: Place | None = None
    lists: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)


def _things(system: model.System) -> dict[_Key, _Thing]:
    """Everything of a system, in the order of the files."""
    keys = dict(_pairs(unbuild.system(system, "")))
    lists = {**_lists(system), "machines": _names(system.machines)}
    said = {key: _words(node) for key, node in keys.items() if key not in (*_SECTIONS, "machines")}
    found: dict[_Key, _Thing] = {("system", None, "system"): _Thing(said, None, system.place, lists)}
    keys["clauses"] = unbuild.clauses(system.clauses)
    found |= _listed(system, keys, None)
    for machine in system.machines:
        found |= _machine(machine)
    return found


def _machine(machine: model.Machine) -> dict[_Key, _Thing]:
    name, keys = str(machine.name), dict(_pairs(unbuild.machine(machine)))
    said = {key: _words(node) for key, node in keys.items() if key not in (*_SECTIONS, "machine", "states")}
    lists = {**_lists(machine), "states": _names(machine.states)}
    found: dict[_Key, _Thing] = {("machine", None, name): _Thing(said, machine.default, machine.place, lists)}
    declared = _listed(machine, keys, name)
    found |= {key: thing for key, thing in declared.items() if key[0] != "transition"}
    written = dict(_state_nodes(keys["states"])) if "states" in keys else {}
    for state, parent in flatten(machine):
        own = {key: _words(node) for key, node in written[state.name].items() if key not in _OF_KIND}
        said = {"in": str(parent.name) if parent else "", "kind": state.kind, **own}
        alone = attrs.evolve(state, children=())
        found["state", name, str(state.name)] = _Thing(said, alone, state.place, {"states": _names(state.children)})
    return found | {key: thing for key, thing in declared.items() if key[0] == "transition"}


_OF_KIND = ("states", "regions", "final", "history")
"""Keys of a state that say of which kind it is, and what it contains."""


def _state_nodes(node: Node) -> Iterator[tuple[str, Mapping[str, Node]]]:
    """Every state with its keys, however deep."""
    for name, state in _pairs(node):
        keys = dict(_pairs(state))
        yield name, keys
        for key in ("states", "regions"):
            yield from _state_nodes(keys[key]) if key in keys else ()


def _listed(owner: model.System | model.Machine, keys: Mapping[str, Node], machine: str | None) -> dict[_Key, _Thing]:
    """What stands under the keys of a file that list things."""
    found: dict[_Key, _Thing] = {}
    for section, kind in _SECTIONS.items():
        for item, node in zip(getattr(owner, section, ()), _entries(keys.get(section)), strict=True):
            said = dict(_pairs(node)) or ({_SHORT[kind]: node} if kind in _SHORT else {})
            name = _name(item)
            place = getattr(item, "place", None) or place_of(name)
            words = {key: _words(value) for key, value in said.items() if key != "id"}
            found[kind, machine, str(name)] = _Thing(words, item, place)
    return found


def _lists(owner: model.System | model.Machine) -> dict[str, tuple[str, ...]]:
    return {section: _names(getattr(owner, section, ())) for section in _SECTIONS}


def _names(items: Iterable[object]) -> tuple[str, ...]:
    return tuple(str(_name(item)) for item in items)


def _name(item: object) -> str:
    """The name or id of something in the model."""
    name = getattr(item, "name", None) or getattr(item, "id", None)
    assert isinstance(name, str)
    return name


# ---- nodes as words


def _pairs(node: Node | None) -> Iterator[tuple[str, Node]]:
    for key, value in node.pairs if isinstance(node, nodes.Mapping) else ():
        yield key.text, value


def _entries(node: Node | None) -> Iterable[Node]:
    return node.items if isinstance(node, nodes.Sequence) else (value for _, value in _pairs(node))


def _words(node: Node) -> str:
    """What an author would write after the key: a single word or text without quotes, anything else in braces."""
    return node.text if isinstance(node, nodes.Scalar) else _flow(node)


def _flow(node: Node) -> str:
    match node:
        case nodes.Scalar(text=text, plain=plain):
            return text if plain else quoted(text, flow=True)
        case nodes.Sequence(items=items):
            return f"[{', '.join(map(_flow, items))}]"
        case nodes.Mapping(pairs=pairs):
            return "{" + ", ".join(f"{quoted(key.text, flow=True)}: {_flow(value)}" for key, value in pairs) + "}"
        case _:
            return ""


# ---- what became of it


def _changes(before: Mapping[_Key, _Thing], after: Mapping[_Key, _Thing]) -> Iterator[Change]:
    for key in _merged(tuple(before), tuple(after)):
        kind, machine, name = key
        home: _Key = ("machine", None, machine or "")
        if machine and (home not in before or home not in after):
            continue
        old, new = before.get(key), after.get(key)
        places = old.place if old else None, new.place if new else None
        if old and new:
            parts = (*_parts(old.said, new.said), *_orders(old.lists, new.lists))
            if parts:
                yield Change("changed", kind, machine, name, parts, *places)
        elif old:
            yield Change("removed", kind, machine, name, tuple(_parts(old.said, {})), *places)
        elif new:
            yield Change("added", kind, machine, name, tuple(_parts({}, new.said)), *places)


def _merged(old: tuple[_Key, ...], new: tuple[_Key, ...]) -> list[_Key]:
    """The new order, with everything that is gone behind what it stood behind."""
    merged, kept = list(new), set(new)
    for index, key in enumerate(old):
        if key not in kept:
            merged.insert(merged.index(old[index - 1]) + 1 if index else 0, key)
    return merged


def _parts(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Part]:
    for key in dict.fromkeys((*old, *new)):
        if old.get(key, "") != new.get(key, ""):
            yield Part(key, old.get(key, ""), new.get(key, ""))


def _orders(old: Mapping[str, tuple[str, ...]], new: Mapping[str, tuple[str, ...]]) -> Iterator[Part]:
    """Lists whose common names stand in another order: from the first that moved to the last."""
    for name in old:
        was = [each for each in old[name] if each in new[name]]
        now = [each for each in new[name] if each in old[name]]
        moved = [index for index, pair in enumerate(zip(was, now, strict=True)) if pair[0] != pair[1]]
        if moved:
            span = slice(moved[0], moved[-1] + 1)
            yield Part(ORDER + name, ", ".join(was[span]), ", ".join(now[span]))


_UNTOUCHED: frozenset[Kind] = frozenset({"system", "actor", "clause", "assumption", "ref"})
"""Kinds of things in which no expression stands."""


def _affected(
    before: Mapping[_Key, _Thing], after: Mapping[_Key, _Thing], changes: Iterable[Change]
) -> Iterator[Affected]:
    """What uses a guard or a constant that has another meaning now; guards and constants pass it on."""
    changes = tuple(changes)
    touched = {(each.kind, each.machine, each.name) for each in changes if each.part("value") or each.part("that")}
    worded = {(each.kind, each.machine, each.name) for each in changes}
    refs = {(machine, name): thing.said["machine"] for (kind, machine, name), thing in after.items() if kind == "ref"}
    same = {key: thing for key, thing in after.items() if key in before and key[0] not in _UNTOUCHED}
    said = {key: tuple(sorted(names_said(thing.value))) for key, thing in same.items()}
    found: dict[_Key, tuple[str, ...]] = {}
    grown = True
    while grown:
        grown = False
        for key, names in said.items():
            through = tuple(name for name in names if _meant(key[1] or key[2], name, refs) & touched)
            if through != found.get(key, ()):
                found[key] = through
                if key[0] in ("guard", "constant") and key not in touched:
                    touched.add(key)
                    grown = True
    for key, through in found.items():
        if through and key not in worded:
            yield Affected(*key, through, before[key].place, after[key].place)


def _meant(machine: str, name: str, refs: Mapping[tuple[str | None, str], str]) -> set[_Key]:
    """What a name in an expression of a machine may stand for: a constant, its own guard, or that of a machine a ref leads to."""
    *chain, last = name.split(".")
    for ref in chain:
        machine = refs.get((machine, ref), "")
    guard: _Key = ("guard", machine, last)
    constant: _Key = ("constant", None, last)
    return {guard} if chain else {guard, constant}
