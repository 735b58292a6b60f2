"""What is said to an implementation and what it answers: plain data, the same for one in this process, behind a pipe or behind HTTP.

Three commands, each a JSON object with a number `seq` that the answer echoes:

    {"cmd": "start", "seq": 1, "version": 1}
        -> {"seq": 1, "ready": true, "implementation": {"name": …, "language": …}, "capabilities": ["clock", …]}
    {"cmd": "run", "seq": 2, "case": {"id": …, "system": …, "readings": {…}, "constants": {…}, "bounds": "latest" | null,
                               "given": […], "steps": […]}}
        -> {"seq": 2, "observations": [one for each step]}   or {"seq": 2, "unimplemented": "why"}   or {"seq": 2, "error": "what"}
    {"cmd": "stop", "seq": 3}
        -> {"seq": 3}, and it ends

A step has `at` and one at most of `send`, `new` and `happen`: `{"machine": "job", "instance": "train", "row": "grace-over"}` is a `within` row that
goes off at `at` and at no other moment; the `accepted` of its observation says whether it did. `bounds` is about the others. `constants` has those whose
values differ from the specification. Instants and durations are integers of microseconds, instants counted from the start of the case. Claims are never sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeAlias

import attrs

from outlast import model
from outlast.expr import Value, tree
from outlast.proofs.conformance.reading import FittedCase
from outlast.run.staging import Part
from outlast.values import frozen

VERSION = 1
JsonObject: TypeAlias = dict[str, Any]  # as json.load gives it; every use below checks

CAPABILITIES = {
    "state-import": "instances can begin in any state",
    "clock": "time is told, not waited for",
    "effects": "observations hold effects",
    "deadlines": "observations hold running timers",
    "moments": "observations say when each state was entered",
    "readings": "runs under other readings than the default",
    "bounds": "can be told when all `within` rows happen: as early or as late as they can",
    "happen": "can be told the moment of one `within` row",
    "constants": "can be told other values of constants",
    "why": "observations name rows and clauses",
}
"""What an implementation may be able to do. A case that needs more is UNIMPLEMENTED; a `why` it cannot answer is left out."""


class Unimplemented(Exception):
    """The implementation says that it cannot do this."""


class Broken(Exception):
    """The implementation did not answer as it should."""


@frozen
class Seen:
    """One instance as it is seen."""

    machine: str
    states: tuple[str, ...]
    fields: Mapping[str, Value] = attrs.field(factory=dict)
    refs: Mapping[str, str | None] = attrs.field(factory=dict)
    deadlines: Mapping[str, int] = attrs.field(factory=dict)


@frozen
class Happening:
    """Something one instance did: when, by which rows, on which clauses, entering what, with which effects."""

    at: int
    instance: str
    transitions: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    entered: tuple[str, ...] = ()
    effects: tuple[tuple[str, Mapping[str, Value]], ...] = ()


@frozen
class Observation:
    """What there is after a step, and what happened since the one before.

    `accepted` is None where nothing was said; where a `within` row is to happen, whether it does.
    """

    accepted: bool | None
    refusal: str | None
    instances: Mapping[str, Seen]
    happened: tuple[Happening, ...] = ()


class Runner(Protocol):
    """Any implementation."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def capabilities(self) -> frozenset[str]:
        """What it can do."""

    def run(self, case: FittedCase, bounds: str | None) -> list[Observation]:
        """One observation for each step. Raises Unimplemented, Broken."""

    def close(self) -> None:
        """No more cases will come."""


# ---- as JSON


def script(case: FittedCase, bounds: str | None) -> JsonObject:
    """A case as an implementation gets it: without claims."""
    cues = iter(case.stage.cues)
    return {
        "id": str(case.case.id),
        "system": case.plan.name,
        "readings": dict(case.plan.readings),
        "constants": {str(name): _constant(case, name) for name, _ in case.case.constants},
        "bounds": bounds,
        "given": [_part(case, part) for part in case.given],
        "steps": [{"at": step.at, **(_cue(case, next(cues)) if step.cue else {})} for step in case.case.steps],
    }


def _constant(case: FittedCase, name: str) -> Value:
    found = case.plan.constants[name].expr
    assert isinstance(found, tree.Literal)
    return found.value


def _cue(case: FittedCase, cue: Any) -> JsonObject:
    if cue.part is not None:
        return {"new": _part(case, cue.part)}
    if isinstance(cue.source, model.Happen):
        row = cue.source
        return {"happen": {"machine": str(row.machine), "instance": str(row.name), "row": str(row.row)}}
    say = cue.source
    assert isinstance(say, model.Say)
    said = {"machine": str(say.machine), "instance": str(say.name), "event": str(say.event), "payload": cue.payload}
    return {"send": said | ({"by": str(say.by)} if say.by else {})}


def _part(case: FittedCase, part: Part) -> JsonObject:
    machine = case.plan.machines[part.machine]
    fields = {name: value for name, value in part.values.items() if name in machine.fields}
    refs = {name: value for name, value in part.values.items() if name in machine.refs}
    state = {"state": part.state} if part.state else {}
    return {"machine": part.machine, "instance": part.name, **state, "fields": fields, "refs": refs}


def observation_to_json(observation: Observation) -> JsonObject:
    """Plain data for `json.dump`."""
    return {
        "accepted": observation.accepted,
        "refusal": observation.refusal,
        "instances": {name: attrs.asdict(seen) for name, seen in observation.instances.items()},
        "happened": [
            {
                **attrs.asdict(item),
                "effects": [{"name": name, "payload": dict(payload)} for name, payload in item.effects],
            }
            for item in observation.happened
        ],
    }


def observation_from_json(data: object) -> Observation:
    """The observation again; everything but `instances` may be left out. Raises Broken."""
    whole = _object(data, "an observation")
    accepted = whole.get("accepted")
    instances = {name: _seen(name, item) for name, item in _object(whole.get("instances"), "`instances`").items()}
    happened = tuple(_happening(item) for item in _list(whole.get("happened", []), "`happened`"))
    refusal = whole.get("refusal")
    return Observation(
        accepted if isinstance(accepted, bool) else None, str(refusal) if refusal else None, instances, happened
    )


def _seen(name: str, data: object) -> Seen:
    item = _object(data, f"the instance `{name}`")
    deadlines = {str(key): _instant(at) for key, at in _object(item.get("deadlines", {}), "`deadlines`").items()}
    fields, refs = (_object(item.get(key, {}), f"`{key}`") for key in ("fields", "refs"))
    return Seen(str(item.get("machine", "")), _words(item.get("states")), fields, refs, deadlines)


def _happening(data: object) -> Happening:
    item = _object(data, "something that happened")
    effects = [_object(effect, "an effect") for effect in _list(item.get("effects", []), "`effects`")]
    return Happening(
        _instant(item.get("at")),
        str(item.get("instance", "")),
        _words(item.get("transitions", [])),
        _words(item.get("clauses", [])),
        _words(item.get("entered", [])),
        tuple((str(effect.get("name")), _object(effect.get("payload", {}), "`payload`")) for effect in effects),
    )


def _object(data: object, what: str) -> JsonObject:
    if not isinstance(data, dict):
        raise Broken(f"{what} is not an object: {data!r:.60}")
    return data


def _list(data: object, what: str) -> list[object]:
    if not isinstance(data, list):
        raise Broken(f"{what} is not a list: {data!r:.60}")
    return data


def _words(data: object) -> tuple[str, ...]:
    return tuple(map(str, _list(data, "a list of names")))


def _instant(data: object) -> int:
    if not isinstance(data, int) or isinstance(data, bool):
        raise Broken(f"an instant is an integer of microseconds: {data!r:.60}")
    return data


def count_of(observations: Iterable[object], case: FittedCase) -> None:
    """Check that there is one for each step. Raises Broken."""
    if (got := len(list(observations))) != (wanted := len(case.case.steps)):
        raise Broken(f"{got} observations for {wanted} steps")
