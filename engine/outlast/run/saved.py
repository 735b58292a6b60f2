"""Snapshots as JSON and back, without loss: of one instance, and of a whole system at rest.

Durations, instants and timers are integers of microseconds. Everything is by name, so a saved snapshot can be read by people; it
belongs to the specification whose hash it carries and is refused by any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import attrs

from outlast.errors import MisuseError, SnapshotError
from outlast.expr import Value
from outlast.plan import Machine, Plan
from outlast.run.snapshot import Delayed, Event, Snapshot, Timer
from outlast.run.terms import Terms
from outlast.values import frozen

FORMAT = 1

JsonObject: TypeAlias = dict[str, Any]  # as json.load gives it; every use below checks
T = TypeVar("T")


@frozen
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
        resolve = reader.get(data, "resolve", str)
        try:
            Terms(resolve=resolve)
        except MisuseError as error:
            raise SnapshotError(f"the snapshot is damaged: {error}") from error
        items = reader.get(data, "instances", list)
        now = reader.get(data, "now", int)
        instances = tuple(instance_from_json(plan, item) for item in items)
        _check_together(plan, instances, now)
        return cls(
            reader.one_of(reader.get(data, "system", str), (plan.name,), "system"),
            plan.hash,
            tuple(plan.readings.items()),
            now,
            resolve,
            instances,
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
    parent = reader.texts(reader.get(data, "parent", list, []))
    if len(parent) not in (0, 2):
        raise SnapshotError(f"the instance `{id_}` is damaged: `parent` is an instance and its ref")
    children = reader.known(reader.get(data, "children", dict, {}), machine.refs, "ref")
    spawned = reader.known(reader.get(data, "spawned", dict, {}), machine.refs, "ref")
    turn = reader.get(data, "turn", int, 0)
    values = tuple(_value(fields.get(field)) for field in machine.fields)
    for field, value in zip(machine.fields.values(), values, strict=True):
        if objection := field.objection(value):
            raise SnapshotError(f"the instance `{id_}` is damaged: {objection}")
    configuration = _configuration(reader, machine, reader.get(data, "configuration", list))
    timers = [_timer(reader, machine, configuration, item) for item in reader.get(data, "timers", list, [])]
    delayed = [_delayed(reader, turn, item) for item in reader.get(data, "delayed", list, [])]
    reader.once([timer.key for timer in timers], "a timer")
    reader.once([item.turn for item in delayed], "a delayed send")
    done = reader.get(data, "done", bool, False)
    if done != any(machine.state(state).parent < 0 and machine.state(state).kind == "final" for state in configuration):
        raise SnapshotError(f"the instance `{id_}` is damaged: it is done exactly when it is in a final state")
    return Snapshot(
        id=id_,
        machine=name,
        configuration=configuration,
        values=values,
        refs=tuple(reader.get(refs, ref, str) if refs.get(ref) is not None else None for ref in machine.refs),
        history=_history(reader, machine, reader.get(data, "history", dict, {})),
        timers=tuple(timers),
        delayed=tuple(delayed),
        turn=turn,
        children=tuple(sorted((ref, reader.get(children, ref, str)) for ref in children)),
        spawned=tuple(sorted((ref, reader.get(spawned, ref, int)) for ref in spawned)),
        parent=(parent[0], parent[1]) if parent else None,
        done=done,
    )


def _check_together(plan: Plan, instances: tuple[Snapshot, ...], now: int) -> None:
    """What no instance can tell alone: names are unique, refs lead to the right machine, nothing is overdue."""
    _Reader("the snapshot").once([item.id for item in instances], "an instance")
    machines = {item.id: item.machine for item in instances}
    for item in instances:
        reader = _Reader(f"the instance `{item.id}`")
        for ref, bound in zip(plan.machines[item.machine].refs.values(), item.refs, strict=True):
            if bound in machines and machines[bound] != ref.machine:
                raise SnapshotError(f"{reader.what} is damaged: its ref `{ref.name}` leads to a {machines[bound]}")
        for _, child in item.children:
            reader.one_of(child, machines, "instance")
        due = item.next_due
        if due is not None and due < now:
            raise SnapshotError(f"{reader.what} is damaged: something of it is overdue")


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


def _history(reader: _Reader, machine: Machine, data: JsonObject) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found = []
    for name in sorted(data):
        state = machine.state(
            reader.one_of(name, [state.name for state in machine.states if state.is_history], "history")
        )
        parent = machine.states[state.parent]
        inside = [other.name for other in machine.states if parent.holds(other.index) and not other.is_history]
        found.append((name, reader.all_of(reader.get(data, name, list), inside, "state")))
    return tuple(found)


def _timer(reader: _Reader, machine: Machine, configuration: Sequence[str], data: JsonObject) -> Timer:
    running = [
        key for key, row in machine.arrows.items() if row.delay and machine.states[row.source].name in configuration
    ]
    timer = Timer(
        reader.one_of(reader.get(data, "key", str), running, "running timer"),
        reader.get(data, "armed", int),
        reader.get(data, "due", int),
        reader.get(data, "latest", int),
    )
    if not timer.armed <= timer.due <= timer.latest:
        raise SnapshotError(f"{reader.what} is damaged: the timer `{timer.key}` is not due between its bounds")
    return timer


def _delayed(reader: _Reader, turn: int, data: JsonObject) -> Delayed:
    event = _event_from_json(reader, reader.get(data, "event", dict))
    item = Delayed(reader.get(data, "due", int), reader.get(data, "turn", int), reader.get(data, "to", str), event)
    if not 0 <= item.turn < turn:
        raise SnapshotError(f"{reader.what} is damaged: a delayed send has no turn")
    return item


def _event_to_json(event: Event) -> JsonObject:
    return {**attrs.asdict(event), "payload": dict(event.payload)}


def _event_from_json(reader: _Reader, data: JsonObject) -> Event:
    payload = tuple((str(name), _value(value)) for name, value in reader.get(data, "payload", dict, {}).items())
    sender, by, send_id = (
        reader.get(data, key, str) if data.get(key) is not None else None for key in ("sender", "by", "send_id")
    )
    return Event(reader.get(data, "name", str), payload, sender, by, send_id)


def _value(value: object) -> Value:
    if value is None or isinstance(value, bool | int | str):
        return value
    raise SnapshotError(f"{value!r} is no value of a field")


@frozen
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

    def texts(self, items: Sequence[object]) -> list[str]:
        if not all(isinstance(item, str) for item in items):
            raise SnapshotError(f"{self.what} is damaged: {list(items)} are no names")
        return [str(item) for item in items]

    def once(self, names: Sequence[str | int], kind: str) -> None:
        if len(set(names)) < len(names):
            raise SnapshotError(f"{self.what} is damaged: it holds {kind} twice")

    def known(self, data: JsonObject, known: Iterable[str], kind: str) -> JsonObject:
        for name in data:
            self.one_of(name, known, kind)
        return data
