"""The protocol of conformance tables, answered by the store: every case in a database of its own, in memory, gone when it is told.

See `outlast.proofs.conformance.protocol` for what is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from outlast.errors import OutlastError, RefusedInstance
from outlast.plan import Plan, under
from outlast.proofs.conformance.protocol import (
    CAPABILITIES,
    VERSION,
    Happening,
    Observation,
    observation_to_json,
)
from outlast.proofs.conformance.runners import seen
from outlast.run import Terms
from outlast.service.bodies import Json
from outlast.service.problems import Refused
from outlast.store.engine import Engine
from outlast.store.journal import decode_snapshot
from outlast.store.records import Decision

JsonObject: TypeAlias = dict[str, Any]  # as json.load gives it; whatever is wrong in it is answered, not raised
ABLE = tuple(name for name in CAPABILITIES if name not in ("happen", "constants"))
"""A store has one plan, and settles the moment of a `within` row when it arms its timer."""
STEPS = 10_000
"""Steps of one case, and instances in one step, at most."""


def answer(plan: Plan, message: Json) -> JsonObject:
    """The answer to one command. Raises Refused for what is no command."""
    if not isinstance(message, dict):
        raise Refused("bad-request", "a command is an object with `cmd` and `seq`")
    echo: JsonObject = {"seq": message.get("seq")}
    match message.get("cmd"):
        case "start":
            about = {"name": "outlast service", "language": "Python"}
            return echo | {"ready": True, "version": VERSION, "implementation": about, "capabilities": [*ABLE]}
        case "run":
            return echo | _told(plan, message.get("case"))
        case "stop":
            return echo
        case _:
            raise Refused("bad-request", "`cmd` is start, run or stop", path="/cmd")


def _told(plan: Plan, case: Json) -> JsonObject:
    try:
        data: JsonObject = dict(case) if isinstance(case, dict) else {}
        if data["system"] != plan.name:
            return {"unimplemented": f"this is `{plan.name}`"}
        return {"observations": [observation_to_json(item) for item in run(plan, data)]}
    except OutlastError as error:
        return {"error": str(error)}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return {"error": f"this is no case: {type(error).__name__} {error}"}


def run(plan: Plan, case: Mapping[str, Any]) -> list[Observation]:
    """One observation for each step of a case, as `protocol.script` writes it. Raises OutlastError, and what a case that is none provokes."""
    read = under(plan, case["readings"])
    terms = Terms(resolve=case.get("bounds") or "latest")
    steps = case["steps"]
    if len(steps) > STEPS:
        raise ValueError(f"more than {STEPS} steps")
    with Engine.open("sqlite://", read, terms=terms, clock=lambda: 0, leap=None) as engine:
        if case["given"]:
            engine.begin(_parts(case["given"]), at=0)
        after = _last(engine)
        found = []
        for step in steps:
            engine.run_timers(step["at"])
            accepted, refusal = _act(engine, step)
            engine.run_timers(step["at"])
            happened = [*_since(engine, after)]
            after = happened[-1].seq if happened else after
            found.append(
                Observation(
                    accepted, refusal, seen(read, _everybody(engine)), tuple(_happening(row) for row in happened)
                )
            )
        return found


def _parts(parts: list[JsonObject]) -> dict[str, tuple[str, Mapping[str, Any], str | None]]:
    return {
        part["instance"]: (part["machine"], {**part.get("fields", {}), **part.get("refs", {})}, part.get("state"))
        for part in parts
    }


def _act(engine: Engine, step: JsonObject) -> tuple[bool | None, str | None]:
    if "new" in step:
        try:
            engine.begin(_parts([step["new"]]), at=step["at"])
        except RefusedInstance as error:
            return False, str(error)
        return True, None
    if "send" in step:
        say = step["send"]
        done = engine.send(say["instance"], say["event"], say.get("payload"), by=say.get("by"), at=step["at"])
        return done.accepted, done.refusal
    return None, None


def _last(engine: Engine) -> int:
    with engine.backend.reading() as reading:
        last = reading.last()
    return last.seq if last else -1


def _since(engine: Engine, after: int) -> Iterator[Decision]:
    while found := engine.decisions(after=after):
        yield from (row for row in found if row.cause != "sent")
        after = found[-1].seq


def _everybody(engine: Engine) -> Iterator[Any]:
    """Every instance, in the order they were made."""
    with engine.backend.reading() as reading:
        rows = [row for row in reading.everybody("", STEPS) if row.snapshot is not None]
    return (decode_snapshot(engine.plan, row.snapshot or "") for row in sorted(rows, key=lambda row: row.made))


def _happening(row: Decision) -> Happening:
    said = row.said
    entered = tuple(name for micro in said.get("microsteps", ()) for name in micro[3])
    effects = tuple((name, dict(payload)) for name, payload in said.get("effects", ()))
    return Happening(row.at, row.instance, row.transitions, row.clauses, entered, effects)
