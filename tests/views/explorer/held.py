"""The walker under Node beside the engine: what a `System` was told is told to the walker too, and both are asked what happened."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import pytest

from outlast.errors import LimitExceeded, MisuseError, RefusedInstance
from outlast.plan import Plan
from outlast.run import Explanation, Snapshot, Step, System, Terms, explain
from outlast.run.given import as_value
from outlast.views.explorer.page import shortened
from outlast.views.explorer.program import WALKER, source
from outlast.views.explorer.tables import obstacle, tables_of

JsonObject = dict[str, Any]


@cache
def program() -> str:
    """The walker as the page carries it, shortened, with a harness behind it."""
    return "".join(shortened(source(name)) for name in (*WALKER, "source.js")) + Path(__file__).with_name(
        "harness.js"
    ).read_text("utf-8")


def asked(folder: Path, questions: Iterable[JsonObject]) -> list[Any]:
    """The walker's answers, from one process."""
    file = folder / "walker.js"
    file.write_text("'use strict';\n" + program(), "utf-8")
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    done = subprocess.run(
        ["node", str(file)], input=lines, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


# ---- what the engine did, in the words of the harness


def told(step: Step) -> JsonObject:
    """One step."""
    return {
        "instance": step.instance,
        "cause": step.cause,
        "event": str(step.event) if step.event else None,
        "timer": step.timer,
        "refusal": step.refusal,
        "faults": list(step.faults),
        "micro": [
            [micro.event, list(micro.transitions), list(micro.exited), list(micro.entered)] for micro in step.microsteps
        ],
        "effects": [[effect.name, dict(effect.payload)] for effect in step.effects],
    }


def state(plan: Plan, it: Snapshot) -> JsonObject:
    """One instance."""
    machine = plan.machines[it.machine]
    return {
        "id": it.id,
        "machine": it.machine,
        "configuration": list(it.configuration),
        "values": list(it.values),
        "refs": dict(zip(machine.refs, it.refs, strict=True)),
        "history": {name: list(states) for name, states in it.history},
        "timers": [[timer.key, timer.armed, timer.due, timer.latest] for timer in it.timers],
        "delayed": [[item.due, item.turn, item.to, item.event.name, dict(item.event.payload)] for item in it.delayed],
        "children": dict(it.children),
        "spawned": dict(it.spawned),
        "parent": list(it.parent) if it.parent else None,
        "done": it.done,
    }


def why(found: Explanation) -> list[str | None]:
    """An explanation."""
    return [found.refusal, *map(str, found.candidates)]


def questions(system: System) -> list[JsonObject]:
    """What could be said to every instance, and why or why not."""
    return [
        {
            "id": instance.id,
            "offers": [[offer.event, list(offer.transitions), offer.depends] for offer in system.enabled(instance)],
            "why": [
                [event.name, why(system.explain(instance, event.name))]
                for event in instance.machine.events.values()
                if not event.internal
            ],
        }
        for instance in system.instances
    ]


# ---- what a system is told, kept


@attrs.define(eq=False)
class Record:
    """What one system was told, and what it answered."""

    system: System
    whole: bool = True
    """Whether nothing happened before or beside what is noted."""
    inputs: list[JsonObject] = attrs.field(factory=list)
    answers: list[JsonObject] = attrs.field(factory=list)

    def question(self) -> JsonObject:
        """What to ask the walker."""
        plan, terms = self.system.plan, self.system.terms
        limits = {name: getattr(terms, name) for name in ("microsteps", "cascade", "generations")}
        return {
            "what": "run", "tables": tables_of(plan), "readings": dict(plan.readings), "policy": terms.resolve,
            "limits": limits, "inputs": self.inputs,
        }  # fmt: skip

    def keep(self, told_it: JsonObject, act: Callable[[], Any], steps: Callable[[Any], Iterable[Step]]) -> Any:
        """Do what was asked for, and note question and answer."""
        try:
            answer = act()
        except (LimitExceeded, RefusedInstance) as error:
            self.note(told_it, {"error": "Limit" if isinstance(error, LimitExceeded) else "Refused"})
            raise
        except MisuseError:  # the walker is told no names that are not there
            self.whole = False
            raise
        found = list(steps(answer))
        refused = [why(explain(step)) for step in found if step.refusal]
        self.note(told_it, {"steps": [told(step) for step in found], "refused": refused})
        return answer

    def note(self, told_it: JsonObject, answer: JsonObject) -> None:
        """Both, with the world as it is then."""
        system = self.system
        world = [state(system.plan, instance.snapshot) for instance in system.instances]
        self.inputs.append(told_it)
        self.answers.append({**answer, "now": system.now, "world": world})


def part(plan: Plan, machine: str, name: str, values: JsonObject, state_: str | None) -> JsonObject:
    """An instance to be made."""
    known = plan.machines[machine]
    fields = {key: as_value(known.fields[key], value) for key, value in values.items() if key in known.fields}
    refs = {key: getattr(value, "id", value) for key, value in values.items() if key in known.refs}
    return {
        "machine": machine,
        "instance": name,
        "fields": fields,
        "refs": refs,
        **({"state": state_} if state_ else {}),
    }


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Record]]:
    """Whatever any system is told meanwhile, from its beginning, in ways the walker knows; the list is filled at the end."""
    records: dict[int, Record] = {}
    inside: list[str] = []
    whole = {name: getattr(System, name) for name in ("begin", "make", "send", "advance_to")}

    def kept(name: str, told_by: Callable[..., JsonObject], steps: Callable[[Any], Iterable[Step]]) -> None:
        def method(self: System, *args: Any, **kwargs: Any) -> Any:
            def act() -> Any:
                return whole[name](self, *args, **kwargs)

            if inside:
                return act()
            record = records.setdefault(id(self), Record(self, whole=not self.world and not self.now))
            inside.append(name)
            try:
                return record.keep(told_by(self, *args, **kwargs), act, steps)
            finally:
                inside.pop()

        monkeypatch.setattr(System, name, method)

    def spoiled(name: str) -> None:
        act = getattr(System, name)

        def method(self: System, *args: Any, **kwargs: Any) -> Any:
            records.setdefault(id(self), Record(self)).whole = False
            return act(self, *args, **kwargs)

        monkeypatch.setattr(System, name, method)

    for name in ("hasten", "reset", "remove"):
        spoiled(name)
    kept(
        "begin",
        lambda self, given: {"begin": [part(self.plan, *_given(name, one)) for name, one in given.items()]},
        list,
    )
    kept(
        "make",
        lambda self, machine, id_, given, state=None: {"make": part(self.plan, machine, id_, dict(given), state)},
        lambda made: made.began,
    )
    kept("send", _send, lambda step: (*step.preceded, step, *step.caused))
    kept("advance_to", lambda self, instant: {"advance": instant}, list)  # noqa: ARG005
    found: list[Record] = []
    yield found
    found += [record for record in records.values() if _comparable(record)]


def _given(name: str, one: tuple[str, JsonObject, str | None]) -> tuple[str, str, JsonObject, str | None]:
    machine, values, state_ = one
    return machine, name, values, state_


def _send(
    self: System, instance: Any, event: str, payload: Any = None, *, by: str | None = None, at: int | None = None
) -> JsonObject:
    name = getattr(instance, "id", instance)
    snapshot = self.world.get(name)
    declared = self.plan.machines[snapshot.machine].events[event].payload if snapshot else {}
    given = {key: as_value(declared[key], value) for key, value in (payload or {}).items() if key in declared}
    more = {"by": by} if by else {}
    return {"send": {"instance": name, "event": event, "payload": given, **more, **({"at": at} if at else {})}}


def _comparable(record: Record) -> bool:
    terms = record.system.terms
    usual = not terms.resolve.startswith("seed") and terms.instances == Terms().instances
    return record.whole and bool(record.inputs) and usual and obstacle(record.system.plan) is None


def same(folder: Path, records: list[Record]) -> None:
    """Assert that the walker does what the engine did, and says the same of all that could be said in the end."""
    answers = asked(folder, [record.question() for record in records])
    for record, walked in zip(records, answers, strict=True):
        *steps, asked_last = walked
        for told_it, ours, theirs in zip(record.inputs, record.answers, steps, strict=True):
            assert ours == theirs, (record.system.plan.name, told_it)
        assert questions(record.system) == asked_last, record.system.plan.name
