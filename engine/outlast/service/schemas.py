"""JSON Schemas (2020-12) of everything that is said and answered; those of events come from the plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from outlast.plan import Machine, Plan, tables
from outlast.service.problems import CODES
from outlast.service.settings import Limits

Schema: TypeAlias = dict[str, object]

TEXT: Schema = {"type": "string"}
WORD: Schema = {"type": "string", "minLength": 1, "maxLength": 500}
WHOLE: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
INSTANT: Schema = {"type": "integer", "description": "microseconds since 1970 (UTC)"}
VALUE: Schema = {"type": ["string", "integer", "boolean", "null"]}
VALUES: Schema = {"type": "object", "additionalProperties": VALUE}


def ref(name: str) -> Schema:
    """That it is the component of this name."""
    return {"$ref": f"#/components/schemas/{name}"}


def many(item: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": item}


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def record(required: dict[str, Schema], optional: dict[str, Schema] | None = None, *, closed: bool = False) -> Schema:
    """An object; a closed one has nothing else."""
    made: Schema = {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": [*required],
    }
    return made | ({"additionalProperties": False} if closed else {})


# ---- what is answered

_EFFECT = {"id": WORD, "instance": TEXT, "name": TEXT, "payload": VALUES, "at": INSTANT}
_DEADLINE = {"transition": TEXT, "armed": INSTANT, "due": INSTANT, "latest": INSTANT}
_OFFER = {"event": TEXT, "transitions": many(TEXT), "payload": many(TEXT), "by": many(TEXT), "depends": FLAG}
_RECEIPT = {
    "instance": TEXT,
    "version": WHOLE,
    "at": INSTANT,
    "accepted": FLAG,
    "refusal": maybe(TEXT),
    "repeated": FLAG,
    "transitions": many(TEXT),
    "clauses": many(TEXT),
    "decisions": many(ref("Decision")),
}

ANSWERS: dict[str, Schema] = {
    "Problem": record(
        {
            "type": TEXT,
            "title": TEXT,
            "status": WHOLE,
            "code": {"enum": sorted(CODES)},
            "detail": TEXT,
            "request": TEXT,
        },
        {"pointer": {"type": "string", "description": "a JSON Pointer to what is wrong in the body"}},
    ),
    "Instance": record(
        {
            "instance": TEXT,
            "machine": TEXT,
            "version": WHOLE,
            "state": TEXT,
            "states": many(TEXT),
            "fields": VALUES,
            "refs": {"type": "object", "additionalProperties": maybe(TEXT)},
            "deadlines": many(record(_DEADLINE)),
            "done": FLAG,
        }
    ),
    "Instances": record({"instances": many(ref("Instance")), "next": maybe(TEXT)}),
    "Effect": record(_EFFECT),
    "Effects": record(
        {
            "effects": many(
                record(
                    _EFFECT | {"state": {"enum": ["pending", "done", "dead"]}, "attempts": WHOLE, "error": maybe(TEXT)}
                )
            ),
            "next": maybe(TEXT),
        }
    ),
    "Decision": record(
        {
            "seq": WHOLE,
            "instance": TEXT,
            "machine": TEXT,
            "version": WHOLE,
            "at": INSTANT,
            "stamp": maybe(INSTANT),
            "cause": {"enum": ["start", "event", "timer", "sent", "stop"]},
            "input": FLAG,
            "source": maybe(TEXT),
            "id": maybe(TEXT),
            "event": maybe(record({"name": TEXT, "by": maybe(TEXT), "sender": maybe(TEXT), "payload": VALUES})),
            "timer": maybe(TEXT),
            "transitions": many(TEXT),
            "clauses": many(TEXT),
            "states": many(TEXT),
            "refusal": maybe(TEXT),
            "faults": many(TEXT),
            "effects": many(ref("Effect")),
            "hash": TEXT,
        }
    ),
    "Decisions": record({"decisions": many(ref("Decision")), "next": maybe(WHOLE)}),
    "Receipt": record(_RECEIPT),
    "Receipts": many(ref("Receipt")),
    "Offers": record({"offers": many(record(_OFFER))}),
    "Explanation": record(
        {
            "instance": TEXT,
            "event": TEXT,
            "accepted": FLAG,
            "refusal": maybe(TEXT),
            "candidates": many(
                record(
                    {
                        "transition": TEXT,
                        "from": TEXT,
                        "to": many(TEXT),
                        "verdict": TEXT,
                        "guard": maybe(TEXT),
                        "decided": many(
                            record(
                                {
                                    "condition": TEXT,
                                    "holds": FLAG,
                                    "saw": {"type": "object", "additionalProperties": TEXT},
                                }
                            )
                        ),
                        "by": maybe(TEXT),
                        "clauses": many(TEXT),
                    }
                )
            ),
            "offers": many(record(_OFFER)),
            "text": TEXT,
        }
    ),
    "Deadlines": record(
        {
            "deadlines": many(record({"at": INSTANT, "instance": TEXT, "transition": maybe(TEXT)})),
            "next_due": maybe(INSTANT),
        }
    ),
    "Time": record(
        {"now": INSTANT, "next_due": maybe(INSTANT), "stuck": {"type": "object", "additionalProperties": TEXT}}
    ),
    "Fired": record({"until": INSTANT, "turns": WHOLE, "stuck": {"type": "object", "additionalProperties": TEXT}}),
    "Acknowledged": record({"acknowledged": many(TEXT), "ignored": many(TEXT)}),
    "Revived": record({"revived": many(TEXT), "ignored": many(TEXT)}),
    "Health": record({"status": {"enum": ["ok", "failing"]}, "version": TEXT}),
    "System": record(
        {
            "system": TEXT,
            "title": TEXT,
            "hash": TEXT,
            "readings": {"type": "object", "additionalProperties": TEXT},
            "actors": {"type": "object", "additionalProperties": TEXT},
            "machines": many(
                record(
                    {"machine": TEXT, "title": TEXT, "states": many(TEXT), "events": many(TEXT), "effects": many(TEXT)}
                )
            ),
        }
    ),
    "Story": {"type": "object"},
}

# ---- what is said


def said(plan: Plan, limits: Limits) -> dict[str, Schema]:
    """The components of requests. An envelope is one of the plan's events: `event.MACHINE.NAME`."""
    events = {
        f"event.{machine.name}.{event.name}": _event(plan, machine, event)
        for machine in plan.machines.values()
        for event in machine.events.values()
        if not event.internal
    }
    made = {f"new.{machine.name}": _new(machine) for machine in plan.machines.values()}
    identity: dict[str, Schema] = {"source": WORD, "id": WORD, "at": INSTANT}
    return {
        **events,
        **made,
        "Event": {"anyOf": [ref(name) for name in events]} if events else record({}),
        "Events": {"type": "array", "items": ref("Event"), "minItems": 1, "maxItems": limits.batch},
        "NewInstances": record(
            {
                "instances": {
                    "type": "array",
                    "items": {"anyOf": [ref(name) for name in made]},
                    "minItems": 1,
                    "maxItems": limits.batch,
                }
            },
            identity,
            closed=True,
        ),
        "Question": record({"event": WORD}, {"payload": VALUES, "by": WORD}, closed=True),
        "Until": record({}, {"until": INSTANT}, closed=True),
        "Payload": {**VALUES, "description": "the payload of an event whose attributes are headers `ce-…`"},
        "EffectIds": record(
            {
                "effects": {
                    "type": "array",
                    "items": {**WORD, "pattern": "^[0-9]+-[0-9]+$"},
                    "minItems": 1,
                    "maxItems": limits.batch,
                }
            },
            closed=True,
        ),
        "Command": {"type": "object"},
        "CommandAnswer": {"type": "object"},
    }


def _event(plan: Plan, machine: Machine, event: tables.Event) -> Schema:
    """The envelope of one event of one machine."""
    about = " ".join([event.about, *(f"({clause})" for clause in event.because)]).strip()
    actors: Schema = {"enum": [*(event.by or plan.actors)]} if event.by or plan.actors else WORD
    made = record(
        {
            "specversion": {"const": "1.0"},
            "source": WORD,
            "id": WORD,
            "type": {"const": event.name},
            "subject": {**WORD, "description": f"an instance of {machine.name}"},
        },
        {
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "data": _payload(event.payload.values()),
            "actor": actors,
            "expect": WHOLE,
        },
    )
    return made | ({"description": about} if about else {})


def _payload(fields: Iterable[tables.Field]) -> Schema:
    fields = list(fields)
    return record(
        {item.name: field(item) for item in fields if item.required},
        {item.name: field(item) for item in fields if not item.required},
        closed=True,
    )


def _new(machine: Machine) -> Schema:
    """A new instance of a machine."""
    fields = [*machine.fields.values()]
    refs = record(
        {item.name: WORD for item in machine.refs.values() if not item.optional},
        {item.name: WORD for item in machine.refs.values() if item.optional},
        closed=True,
    )
    required: dict[str, Schema] = {"instance": WORD, "machine": {"const": machine.name}}
    optional: dict[str, Schema] = {"state": {"enum": list(_enterable(machine))}}
    (required if any(item.required for item in fields) else optional)["fields"] = _payload(fields)
    (required if refs["required"] else optional)["refs"] = refs
    return record(required, optional, closed=True)


def _enterable(machine: Machine) -> Iterator[str]:
    return (state.name for state in machine.states if not state.is_history)


def field(item: tables.Field) -> Schema:
    """What a value of a field or payload must be."""
    bounds = {
        name: value
        for name, value in (("minimum", item.minimum), ("maximum", item.maximum), ("multipleOf", item.step))
        if value is not None and not (name == "multipleOf" and (item.minimum or 0) % value)
    }
    made: Schema
    match item.type.kind:
        case "duration":
            made = {"anyOf": [{"type": "integer", **bounds}, {"type": "string", "description": "like 15m or PT15M"}]}
        case "int":
            made = {"type": "integer", **bounds}
        case "bool":
            made = dict(FLAG)
        case "enum":
            made = {"enum": list(item.type.words)}
        case "string":
            made = dict(TEXT)
        case _:
            made = dict(VALUE)
    made = maybe(made) if item.optional else made
    return made | ({"description": item.about} if item.about else {})
