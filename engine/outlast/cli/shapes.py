"""The JSON forms of what the commands answer; docs/command-line.md describes them.

Instants and durations are integers of microseconds; in a story they count from its beginning. Lists keep the order of the author or
of time. Keys are only ever added.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from outlast import model
from outlast.cli import subjects
from outlast.cli.render.words import block_text
from outlast.expr import tree
from outlast.place import Place
from outlast.plan import Machine, Plan, State, Transition, citations, clause_coverage, tables
from outlast.run import Moment, Run, Timer, Verdict

Data = dict[str, object]


# ---- stories


def run(run: Run) -> Data:
    """A story told once."""
    return {
        **_heading(run),
        "readings": dict(run.plan.readings),
        "ok": run.ok,
        "moments": [_moment(moment) for moment in run.moments],
        "expectations": [_verdict(verdict) for verdict in run.verdicts],
    }


def every_reading(runs: Sequence[Run]) -> Data:
    """A story under its default readings (first) and under each other one; `changed` is what a run reads differently."""
    return {
        **_heading(runs[0]),
        "ok": all(run.ok for run in runs),
        "contested": sum(len(run.contested) for run in runs),
        "runs": [
            {
                "changed": {
                    name: reading
                    for name, reading in run.plan.readings.items()
                    if reading != run.plan.assumptions[name].default
                },
                "ok": run.ok,
                "expectations": [_verdict(verdict) for verdict in run.verdicts],
            }
            for run in runs
        ],
    }


def _heading(run: Run) -> Data:
    return {
        "scenario": str(run.scenario.name),
        "title": run.scenario.title,
        "system": run.plan.name,
        "hash": run.plan.hash,
        "resolve": run.system.terms.resolve,
    }


def _moment(moment: Moment) -> Data:
    step = moment.step
    machine = step.plan.machines[step.after.machine]
    event = step.event
    return {
        "at": moment.at,
        "instance": step.instance,
        "machine": machine.name,
        "cause": step.cause,
        "said": moment.said is not None,
        "event": event and {"name": event.name, "payload": dict(event.payload), "sender": event.sender, "by": event.by},
        "timer": step.timer and machine.arrows[step.timer].id,
        "before": list(step.before.configuration),
        "after": list(step.after.configuration),
        "transitions": list(step.taken),
        "clauses": list(step.clauses),
        "fields": dict(zip(machine.fields, step.after.values, strict=True)),
        "effects": [{"name": effect.name, "payload": dict(effect.payload)} for effect in step.effects],
        "deadlines": [_timer(machine.arrows[timer.key].id, timer) for timer in step.deadlines],
        "faults": list(step.faults),
        "refusal": step.refusal,
    }


def _timer(transition: str, timer: Timer) -> Data:
    return {"transition": transition, "armed": timer.armed, "due": timer.due, "latest": timer.latest}


def _verdict(verdict: Verdict) -> Data:
    return {
        "at": verdict.at,
        "about": verdict.about,
        "status": verdict.status,
        "wanted": verdict.wanted,
        "seen": verdict.seen,
        **standing(verdict.place),
    }


def standing(place: Place | None) -> Data:
    """Where something stands, if it stands in a file."""
    return {"file": place.file, "line": place.line, "column": place.column} if place else {}


# ---- systems and what is in them


def summary(name: str, plan: Plan, stories: int) -> Data:
    """One line of the list of systems."""
    return {
        "system": name,
        "title": plan.title,
        "machines": len(plan.machines),
        "scenarios": stories,
        "clauses": len(plan.clauses),
        "hash": plan.hash,
    }


def scenarios(stories: Iterable[model.Scenario]) -> list[Data]:
    """The scenarios of a system."""
    return [{"scenario": str(story.name), "title": story.title, "about": story.about} for story in stories]


def overview(plan: Plan, stories: Iterable[str]) -> Data:
    """A system and what it consists of."""
    return {
        "system": plan.name,
        "title": plan.title,
        "about": plan.about,
        "hash": plan.hash,
        "machines": [
            {
                "machine": machine.name,
                "title": machine.title,
                "states": [state.name for state in machine.states],
                "transitions": list(dict.fromkeys(row.id for row in machine.transitions)),
            }
            for machine in plan.machines.values()
        ],
        "assumptions": [_assumption(item) for item in plan.assumptions.values()],
        "coverage": coverage(plan),
        "scenarios": list(stories),
    }


def coverage(plan: Plan) -> list[Data]:
    """How the clauses are accounted for, by namespace."""
    return [
        {
            "namespace": space.namespace,
            "total": space.total,
            "cited": list(space.cited),
            "referenced": list(space.referenced),
            "open": list(space.open),
        }
        for space in clause_coverage(plan)
    ]


def explanation(plan: Plan, found: Iterable[subjects.Subject]) -> Data:
    """What a name stands for: usually one subject, several where a machine uses a word twice."""
    return {"system": plan.name, "subjects": [_subject(plan, item) for item in found]}


def _subject(plan: Plan, item: subjects.Subject) -> Data:
    machine = plan.machines.get(item.machine or "")
    return {"kind": item.kind, "name": item.name, "machine": item.machine, **_thing(plan, machine, item.thing)}


def _thing(plan: Plan, machine: Machine | None, thing: subjects.Thing) -> Data:
    match thing:
        case Machine():
            return {
                "title": thing.title,
                "about": thing.about,
                "fields": [_field(field) for field in thing.fields.values()],
                "refs": [
                    {"name": ref.name, "machine": ref.machine, "optional": ref.optional} for ref in thing.refs.values()
                ],
                "events": list(thing.events),
                "effects": list(thing.effects),
                "states": [_state(thing, state) for state in thing.states],
                "transitions": [_row(thing, row) for row in thing.transitions],
            }
        case State():
            assert machine
            rows = machine.transitions
            return _state(machine, thing) | {
                "about": thing.about,
                "because": list(thing.because),
                "in": [_row(machine, row) for row in rows if thing.index in row.targets],
                "out": [_row(machine, row) for row in rows if row.source in (thing.index, *thing.ancestors)],
            }
        case tuple():
            assert machine
            return {"transitions": [_row(machine, row) for row in thing]}
        case tables.Clause():
            found = citations(plan).get(thing.id, ())
            cited = [{"kind": item.kind, "machine": item.machine, "name": item.name} for item in found]
            return {
                "says": thing.says,
                "section": thing.section,
                "line": thing.line,
                "reason": thing.reason,
                "reference": thing.reference,
                "cited-by": cited,
            }
        case tables.Assumption():
            return _assumption(thing)
        case tables.Event():
            payload = [_field(field) for field in thing.payload.values()]
            facts: Data = {"payload": payload, "by": list(thing.by), "internal": thing.internal}
            return facts | {"about": thing.about, "because": list(thing.because)}
        case tables.Effect():
            payload = [_field(field) for field in thing.payload.values()]
            return {"payload": payload, "about": thing.about, "because": list(thing.because)}
        case tables.Field():
            return _field(thing)
        case tables.Ref():
            return {"to": thing.machine, "optional": thing.optional, "about": thing.about}
        case tables.Requirement():
            return {"that": str(thing.that), "says": thing.says, "because": list(thing.because)}
        case tables.Property():
            return {"of": thing.machine, "claim": thing.claim, "says": thing.says, "because": list(thing.because)}
        case tables.Computed(expr=tree.Literal(value=value, type=type_)):
            return {"value": value, "type": type_.kind}
        case tables.Computed():
            return {"that": str(thing)}
        case str():
            return {"about": thing}


def _assumption(item: tables.Assumption) -> Data:
    return {
        "assumption": item.id,
        "question": item.question,
        "readings": dict(item.readings),
        "default": item.default,
        "confidence": item.confidence,
        "because": list(item.because),
    }


def _field(field: tables.Field) -> Data:
    return {
        "name": field.name,
        "type": field.type.kind,
        "words": list(field.type.words),
        "default": field.default,
        "required": field.required,
        "min": field.minimum,
        "max": field.maximum,
        "step": field.step,
        "about": field.about,
        "because": list(field.because),
    }


def _state(machine: Machine, state: State) -> Data:
    parent = machine.states[state.parent].name if state.parent >= 0 else None
    return {"state": state.name, "type": state.kind, "parent": parent}


def _row(machine: Machine, row: Transition) -> Data:
    return {
        "id": row.id,
        "from": machine.states[row.source].name,
        "to": [machine.states[target].name for target in row.targets],
        "kind": row.kind,
        "trigger": row.trigger,
        "guard": str(row.guard) if row.guard else None,
        "do": block_text(row.actions),
        "refuse": row.refuse,
        "because": list(row.because),
        **standing(row.place),
    }
