"""Snapshots as JSON and back, without loss: of one instance, and of a whole system at rest.

Durations, instants and timers are integers of microseconds. Everything is by name, so a saved snapshot can be read by people; it
belongs to the specification whose hash it carries and is refused by any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import attrs

from outlast.errors import SnapshotError
from outlast.expr import Value
from outlast.plan import Machine, Plan
from outlast.run.snapshot import Delayed, Event, Snapshot, Timer

FORMAT = 1

JsonObject: TypeAlias = dict[str, Any]  # as json.load gives it; every use below checks
T = TypeVar("T")


@attrs.frozen
class SystemSnapshot:
    """A system at rest: which specification and readings, the instant, and every instance in the order they were made."""

    system: str
    hash: str
    readings: tuple[tuple[str, str], ...]
    now: int
    resolve: str
    instances: tuple[Snapshot, ...]

    def to_json(self, plan: Plan) -> JsonObject:
        """Plain data for `json.dump`."""
        return {
            "format": FORMAT,
            "system": self.system,
            "hash": self.hash,
            "readings": dict(self.readings),
            "now": self.now,
            "resolve": self.resolve,
            "instances": [instance_to_json(plan.machines[item.machine], item) for item in self.instances],
        }

    @classmethod
    def from_json(cls, plan: Plan, data: JsonObject) -> SystemSnapshot:
        """The snapshot again. Raises SnapshotError if it is damaged or belongs to another specification or reading."""
        reader = _Reader("the snapshot")
        if (found := reader.get(data, "format", int)) != FORMAT:
            raise SnapshotError(f"the snapshot has format {found}, this version reads {FORMAT}")
        if reader.get(data, "hash", str) != plan.hash:
            raise SnapshotError(f"the snapshot was made under another version of `{plan.name}`")
        readings = reader.get(data, "readings", dict)
        if readings != dict(plan.readings):
            raise SnapshotError("the snapshot was made under other readings")
        items = reader.get(data, "instances", list)
        return cls(
            reader.get(data, "system", str),
            plan.hash,
            tuple(readings.items()),
            reader.get(data, "now", int),
            reader.get(data, "resolve", str),
            tuple(instance_from_json(plan, item) for item in items),
        )


def instance_to_json(machine: Machine, snapshot: Snapshot) -> JsonObject:
    """One instance as plain data; empty parts are left out."""
    data: JsonObject = {
        "id": snapshot.id,
        "machine": snapshot.machine,
        "configuration": list(snapshot.configuration),
        "fields": dict(zip(machine.fields, snapshot.values, strict=True)),
        "refs": dict(zip(machine.refs, snapshot.refs, strict=True)),
        "history": {name: list(states) for name, states in snapshot.history},
        "timers": [attrs.asdict(timer) for timer in snapshot.timers],
        "delayed": [
            {"due": item.due, "turn": item.turn, "to": item.to, "event": _event_to_json(item.event)}
            for item in snapshot.delayed
        ],
        "turn": snapshot.turn,
        "children": dict(snapshot.children),
        "spawned": dict(snapshot.spawned),
        "parent": list(snapshot.parent) if snapshot.parent else None,
        "done": snapshot.done,
    }
    return {key: value for key, value in data.items() if value or key in ("id", "machine", "configuration")}


def instance_from_json(plan: Plan, data: JsonObject) -> Snapshot:
    """The instance again. Raises SnapshotError."""
    outer = _Reader("an instance")
    id_ = outer.get(data, "id", str)
    reader = _Reader(f"the instance `{id_}`")
    name = reader.get(data, "machine", str)
    if name not in plan.machines:
        raise SnapshotError(f"the instance `{id_}` is of an unknown machine `{name}`")
    machine = plan.machines[name]
    fields = reader.known(reader.get(data, "fields", dict, {}), machine.fields, "field")
    refs = reader.known(reader.get(data, "refs", dict, {}), machine.refs, "ref")
    history = reader.get(data, "history", dict, {})
    parent = reader.get(data, "parent", list, [])
    values = tuple(_value(fields.get(field)) for field in machine.fields)
    for field, value in zip(machine.fields.values(), values, strict=True):
        if objection := field.objection(value):
            raise SnapshotError(f"the instance `{id_}` is damaged: {objection}")
    return Snapshot(
        id=id_,
        machine=name,
        configuration=_configuration(reader, machine, reader.get(data, "configuration", list)),
        values=values,
        refs=tuple(refs.get(ref) for ref in machine.refs),
        history=tuple(
            (reader.one_of(key, machine.numbers, "state"), reader.all_of(states, machine.numbers, "state"))
            for key, states in sorted(history.items())
        ),
        timers=tuple(_timer(reader, machine, item) for item in reader.get(data, "timers", list, [])),
        delayed=tuple(_delayed(reader, item) for item in reader.get(data, "delayed", list, [])),
        turn=reader.get(data, "turn", int, 0),
        children=tuple(sorted(reader.get(data, "children", dict, {}).items())),
        spawned=tuple(sorted(reader.get(data, "spawned", dict, {}).items())),
        parent=(str(parent[0]), str(parent[1])) if len(parent) == 2 else None,
        done=reader.get(data, "done", bool, False),
    )


def _configuration(reader: _Reader, machine: Machine, names: Sequence[object]) -> tuple[str, ...]:
    """The active states, which must be a legal configuration (SCXML 3.11)."""
    found = reader.all_of(names, machine.numbers, "state")
    active = {machine.numbers[name] for name in found}
    tops = [index for index in active if machine.states[index].parent < 0]
    legal = len(tops) == 1 and list(found) == [machine.states[index].name for index in sorted(active)]
    for index in active:
        state = machine.states[index]
        children = [child for child in state.children if child in active]
        legal &= state.parent < 0 or state.parent in active
        legal &= len(children) == {"composite": 1, "parallel": len(state.children)}.get(state.kind, 0)
        legal &= not state.is_history
    if not legal:
        raise SnapshotError(f"{reader.what} is damaged: {list(found)} is no configuration of `{machine.name}`")
    return found


def _timer(reader: _Reader, machine: Machine, data: JsonObject) -> Timer:
    key = reader.one_of(reader.get(data, "key", str), machine.arrows, "transition")
    return Timer(key, reader.get(data, "armed", int), reader.get(data, "due", int), reader.get(data, "latest", int))


def _delayed(reader: _Reader, data: JsonObject) -> Delayed:
    event = _event_from_json(reader, reader.get(data, "event", dict))
    return Delayed(reader.get(data, "due", int), reader.get(data, "turn", int), reader.get(data, "to", str), event)


def _event_to_json(event: Event) -> JsonObject:
    return {**attrs.asdict(event), "payload": dict(event.payload)}


def _event_from_json(reader: _Reader, data: JsonObject) -> Event:
    payload = tuple((str(name), _value(value)) for name, value in reader.get(data, "payload", dict, {}).items())
    return Event(reader.get(data, "name", str), payload, data.get("sender"), data.get("by"), data.get("send_id"))


def _value(value: object) -> Value:
    if value is None or isinstance(value, bool | int | str):
        return value
    raise SnapshotError(f"{value!r} is no value of a field")


@attrs.frozen
class _Reader:
    """Reads plain data that may be anything, and says what is wrong with it."""

    what: str

    def get(self, data: object, key: str, kind: type[T], default: T | None = None) -> T:
        if not isinstance(data, Mapping):
            raise SnapshotError(f"{self.what} is damaged: expected an object, found {type(data).__name__}")
        value = data.get(key, default)
        right = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
        if value is None and default is not None:
            return default
        if not right:
            raise SnapshotError(f"{self.what} is damaged: `{key}` is not {kind.__name__}")
        return value  # type: ignore[no-any-return]  # checked above

    def one_of(self, name: object, known: Iterable[str], kind: str) -> str:
        if not isinstance(name, str) or name not in known:
            raise SnapshotError(f"{self.what} is damaged: no {kind} is called `{name}`")
        return name

    def all_of(self, names: Iterable[object], known: Iterable[str], kind: str) -> tuple[str, ...]:
        return tuple(self.one_of(name, known, kind) for name in names)

    def known(self, data: JsonObject, known: Iterable[str], kind: str) -> JsonObject:
        for name in data:
            self.one_of(name, known, kind)
        return data
