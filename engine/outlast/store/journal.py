"""Decisions: from a step to a row of the journal and back, and the chain of hashes that holds the rows together."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted

from outlast.errors import StoreError
from outlast.plan import Plan
from outlast.run import Delayed, Effect, Event, Microstep, Snapshot, Step, Terms, Timer
from outlast.run.saved import instance_to_json
from outlast.store.records import Decision, JsonObject

START = "0" * 32
"""What stands in place of a predecessor's hash in an instance's first decision."""

compact = json.JSONEncoder(separators=(",", ":")).encode
"""JSON in ASCII without blanks."""


def seal(
    previous: str,
    seq: int,
    instance: str,
    machine: str,
    version: int,
    at: int,
    cause: str,
    spec: int,
    source: str | None,
    id_: str | None,
    body: str,
    snapshot: str,
) -> str:
    """The hash of a row: BLAKE2b, 128 bits, over its predecessor's hash and every column."""
    last = f"{source}\x1f{id_}\x1f{body}\x1f{snapshot}"
    return digest(f"{previous}\x1f{seq}\x1f{instance}\x1f{machine}\x1f{version}\x1f{at}\x1f{cause}\x1f{spec}\x1f{last}")


def digest(text: str) -> str:
    """BLAKE2b, 128 bits."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def sealed(decision: Decision) -> str:
    """The hash a row should have."""
    row = decision
    return seal(
        row.previous,
        row.seq,
        row.instance,
        row.machine,
        row.version,
        row.at,
        row.cause,
        row.spec,
        row.source,
        row.id,
        row.body,
        row.snapshot,
    )


def encode_snapshot(plan: Plan, snapshot: Snapshot) -> str:
    """An instance as text: what `instance_to_json` gives, put together quickly where it is of the plain kind."""
    machine = plan.machines[snapshot.machine]
    if snapshot.delayed or snapshot.turn or snapshot.parent or snapshot.children or snapshot.spawned:
        return compact(instance_to_json(machine, snapshot))
    text = f'{{"id":{quoted(snapshot.id)},{_whereabouts(machine.name, snapshot.configuration)}'
    if machine.fields:
        fields = [f"{quoted(name)}:{_json(v)}" for name, v in zip(machine.fields, snapshot.values, strict=True)]
        text += f',"fields":{{{",".join(fields)}}}'
    if machine.refs:
        refs = [f"{quoted(name)}:{_json(v)}" for name, v in zip(machine.refs, snapshot.refs, strict=True)]
        text += f',"refs":{{{",".join(refs)}}}'
    if history := snapshot.history:
        text += _history(history)
    if timers := snapshot.timers:
        listed = [
            f'{{"key":{quoted(item.key)},"armed":{item.armed},"due":{item.due},"latest":{item.latest}}}'
            for item in timers
        ]
        text += f',"timers":[{",".join(listed)}]'
    return text + (',"done":true}' if snapshot.done else "}")


def _json(value: object) -> str:
    """As `compact`, but quick for what there is most of."""
    kind = type(value)
    return quoted(value) if kind is str else f"{value}" if kind is int else "null" if value is None else compact(value)  # type: ignore[arg-type]  # a str


@lru_cache(maxsize=10_000)
def _history(history: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    return f',"history":{compact(dict(history))}'


@lru_cache(maxsize=10_000)
def _whereabouts(machine: str, configuration: tuple[str, ...]) -> str:
    return f'"machine":{quoted(machine)},"configuration":{compact(configuration)}'


def decode_snapshot(plan: Plan, text: str) -> Snapshot:
    """The instance again, from what this store has written: it is trusted, and `verify` is who looks closely. Raises StoreError."""
    try:
        data = json.loads(text)
        machine = plan.machines[data["machine"]]
        fields, refs, parent = data.get("fields", {}), data.get("refs", {}), data.get("parent")
        return Snapshot(
            data["id"],
            machine.name,
            tuple(data["configuration"]),
            tuple([fields[name] for name in machine.fields]),
            tuple([refs[name] for name in machine.refs]),
            tuple([(name, tuple(states)) for name, states in data["history"].items()]) if "history" in data else (),
            tuple([Timer(**item) for item in data["timers"]]) if "timers" in data else (),
            tuple([_delayed(item) for item in data["delayed"]]) if "delayed" in data else (),
            data.get("turn", 0),
            tuple(data["children"].items()) if "children" in data else (),
            tuple(data["spawned"].items()) if "spawned" in data else (),
            (parent[0], parent[1]) if parent else None,
            data.get("done", False),
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise StoreError(f"a stored snapshot is damaged: {error}") from error


def _delayed(data: JsonObject) -> Delayed:
    return Delayed(data["due"], data["turn"], data["to"], event_from_json(data["event"]))


def describe(step: Step, others: list[object], **more: object) -> str:
    """The body of a decision: what happened, without what is in the snapshots before and after. Empty parts are left out."""
    parts = [f"{quoted(name)}:{_json(value)}" for name, value in more.items()]
    if step.event is not None and step.cause == "event":
        parts.append(f'"event":{compact(event_to_json(step.event))}')
    if step.timer is not None:
        parts.append(f'"timer":{quoted(step.timer)}')
    if effects := step.effects:
        parts.append(f'"effects":{compact([(effect.name, dict(effect.payload)) for effect in effects])}')
    if step.refusal is not None:
        parts.append(f'"refusal":{quoted(step.refusal)}')
    if step.faults:
        parts.append(f'"faults":{compact(step.faults)}')
    if others:
        seen = [f"[{quoted(item[0])},{item[1]}]" if isinstance(item, tuple) else _json(item) for item in others]
        parts.append(f'"others":[{",".join(seen)}]')
    if course := _course(step):
        parts.append(course)
    return f"{{{','.join(parts)}}}"


_courses: OrderedDict[int, tuple[object, str]] = OrderedDict()


def _course(step: Step) -> str:
    """The microsteps as text. Compiled steps that went the same way share theirs, so most are known already."""
    microsteps = step.microsteps
    if not microsteps:
        return ""
    known = _courses.get(id(microsteps))
    if known is not None and known[0] is microsteps:
        return known[1]
    course: JsonObject = {
        "microsteps": [(micro.event, micro.transitions, micro.exited, micro.entered) for micro in microsteps]
    }
    if taken := step.taken:
        course |= {"transitions": taken, "clauses": step.clauses}
    text = compact(course)[1:-1]
    _courses[id(microsteps)] = (microsteps, text)
    if len(_courses) > 4_096:
        _courses.popitem(last=False)
    return text


def event_to_json(event: Event) -> JsonObject:
    """An event as plain data; empty parts are left out."""
    data: JsonObject = {"name": event.name}
    if event.payload:
        data["payload"] = dict(event.payload)
    for name in ("sender", "by", "send_id"):
        if (value := getattr(event, name)) is not None:
            data[name] = value
    return data


def event_from_json(data: JsonObject) -> Event:
    """The event again."""
    return Event(
        data["name"], tuple(data.get("payload", {}).items()), data.get("sender"), data.get("by"), data.get("send_id")
    )


def step_again(plan: Plan, decision: Decision, find: Callable[[str, int], Decision | None]) -> Step:
    """The step a decision was, from the journal alone, as far as it can be explained. `find` gives a decision by instance and version.

    Raises StoreError where the journal has no snapshot of what the step saw.
    """

    def version(id_: str, number: int) -> Snapshot:
        row = find(id_, number)
        if row is None:
            raise StoreError(f"the journal lacks version {number} of `{id_}`")
        return decode_snapshot(plan, row.snapshot)

    def other(item: object) -> Snapshot | None:
        match item:
            case None:
                return None
            case [str(id_), int(number)]:
                return version(id_, number)
            case _:
                return decode_snapshot(plan, compact(item))

    if decision.cause == "migrated":
        raise StoreError("the store was moved to another version here: nothing was decided")
    said = decision.said
    after = decode_snapshot(plan, decision.snapshot)
    before = (
        version(decision.instance, decision.version - 1)
        if decision.cause != "start"
        else Snapshot(after.id, after.machine, values=after.values, refs=after.refs)
    )
    event = event_from_json(said["event"]) if "event" in said else None
    if timer := said.get("timer"):
        event = Event(plan.machines[decision.machine].arrows[timer].trigger)
    return Step(
        plan=plan,
        before=before,
        after=after,
        at=decision.at,
        cause="event" if decision.cause == "sent" else decision.cause,
        event=event,
        timer=timer,
        microsteps=tuple(Microstep(name, *map(tuple, rest)) for name, *rest in said.get("microsteps", ())),
        effects=tuple(Effect(name, tuple(payload.items())) for name, payload in said.get("effects", ())),
        faults=tuple(said.get("faults", ())),
        refusal=said.get("refusal"),
        others=tuple(other(item) for item in said.get("others", (None,) * len(plan.machines[decision.machine].slots))),
    )


def specification(plan: Plan, terms: Terms) -> Mapping[str, str]:
    """What decisions were made under: the columns of a row of the table `spec`, its digest last."""
    limits = {
        "resolve": terms.resolve,
        "microsteps": terms.microsteps,
        "cascade": terms.cascade,
        "generations": terms.generations,
    }
    row = {"system": plan.name, "hash": plan.hash, "readings": compact(dict(plan.readings)), "terms": compact(limits)}
    return {**row, "digest": digest_of(row)}


def digest_of(row: Mapping[str, str]) -> str:
    """The digest a row of the table `spec` should have."""
    return digest("\x1f".join(("", row["system"], row["hash"], row["readings"], row["terms"])))
