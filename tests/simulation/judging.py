"""What must hold at the end of every run, whatever went wrong. Nothing here asks the engine what it thinks of itself, but for `verify`."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator

from outlast.run import System
from outlast.store.engine import Engine
from outlast.store.records import Decision
from tests.simulation.run import Made, Run


def judge(run: Run, engine: Engine) -> None:
    """Hold everything against everything. Raises AssertionError."""
    decisions = engine.decisions(limit=1_000_000)
    for claim in (
        each_input_once(run, decisions),
        each_deadline_once(run, decisions),
        every_effect(run, engine, decisions),
        followed(run, engine, decisions),
    ):
        for failure in claim:
            raise AssertionError(failure)
    verified = engine.verify()
    assert verified.ok, f"not whole: {verified.findings[0]}"
    assert verified.replayed
    in_memory(run, engine, decisions)


def each_input_once(run: Run, decisions: list[Decision]) -> Iterator[str]:
    """Everything that was answered is there once, as it was answered, and nothing that nobody said."""
    said = Counter((decision.source, decision.id) for decision in decisions if decision.id is not None)
    known = {item.key for item in run.mail}
    rows = {decision.seq: decision for decision in decisions}
    yield from (f"{key} is there {count} times" for key, count in said.items() if count > 1)
    yield from (f"nobody said {key}" for key in said if key not in known)
    for key, receipt in run.answers.items():
        if any(rows.get(decision.seq) != decision for decision in receipt.decisions):
            yield f"the answer to {key} is lost"


def each_deadline_once(run: Run, decisions: list[Decision]) -> Iterator[str]:
    """Every timer and delayed event happens at its own instant, and nothing is decided on a state that should have ended."""
    before: dict[str, Decision] = {}
    for decision in decisions:
        past, where = before.get(decision.instance), f"{decision.instance} version {decision.version}"
        before[decision.instance] = decision
        if past is None:
            continue
        if decision.at < past.at:
            yield f"{where}: time went back"
        due = dues(past)
        match decision.cause:
            case "timer":
                happened = due.pop(("timer", decision.timer), None)
            case "sent":
                happened = due.pop(("sent", decision.said["number"]), None)
            case _:
                happened = decision.at
        if happened != decision.at:
            yield f"{where}: {decision.cause} at {decision.at}, due at {happened}"
        bound = decision.at if decision.is_input and decision.cause == "event" else decision.at - 1
        yield from (f"{where}: {name} is overdue" for name, at in due.items() if at <= bound)
    for id_, decision in before.items():
        if decision.cause != "stop":
            yield from (f"{id_}: {name} never happened" for name, at in dues(decision).items() if at <= run.end)


def dues(decision: Decision) -> dict[tuple[str, object], int]:
    """What was to happen by itself after a decision."""
    data = json.loads(decision.snapshot)
    timers = {("timer", item["key"]): item["due"] for item in data.get("timers", ())}
    return timers | {("sent", item["turn"]): item["due"] for item in data.get("delayed", ())}


def every_effect(run: Run, engine: Engine, decisions: list[Decision]) -> Iterator[str]:
    """The outbox holds what was decided, in order; everything was handled, and of each instance in order."""
    decided = [effect for decision in decisions for effect in decision.effects]
    if engine.effects(limit=1_000_000) != decided:
        yield "the outbox is not what was decided"
    yield from (f"effect {effect.id} never left" for effect in decided if effect.id not in run.handled)
    yield from (f"effect {id_} was never decided" for id_ in run.handled - {effect.id for effect in decided})
    first = {id_: place for place, id_ in reversed(list(enumerate(run.attempts)))}
    order: dict[str, list[int]] = defaultdict(list)
    for effect in decided:
        order[effect.instance].append(first.get(effect.id, -1))
    yield from (f"effects of {id_} left out of order" for id_, places in order.items() if places != sorted(places))


def followed(run: Run, engine: Engine, decisions: list[Decision]) -> Iterator[str]:
    """Whoever read on in the journal now and then has got all of it, in order."""
    while run.follow(engine):
        pass
    if run.read != decisions:
        yield f"of {len(decisions)} decisions, whoever followed has {len({*run.read} & {*decisions})}"


def in_memory(run: Run, engine: Engine, decisions: list[Decision]) -> None:
    """A system in memory that is told the same inputs at the instants at which they took effect comes to the same end."""
    inputs = {item.key: item for item in run.mail}
    system = System(engine.plan)
    for decision in sorted((row for row in decisions if row.id is not None), key=lambda row: (row.at, row.seq)):
        item = inputs[decision.source or "", decision.id or ""]
        system.advance_to(decision.at)
        if isinstance(item, Made):
            system.make(item.machine, item.instance, item.refs)
        else:
            system.send(item.instance, item.event, item.payload)
    system.advance_to(max(system.now, *(decision.at for decision in decisions)))
    for id_, snapshot in system.world.items():
        assert engine.get(id_).snapshot == snapshot, f"`{id_}` is otherwise in memory"
    alive = {row.instance for row in decisions} - {row.instance for row in decisions if row.cause == "stop"}
    assert alive <= {*system.world}, "somebody lives who is not in memory"
