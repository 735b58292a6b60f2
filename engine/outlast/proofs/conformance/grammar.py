"""The form of a suite, as one table in the vocabulary of the language's own grammar, and the JSON Schema made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from outlast.language.grammar import RECORDS
from outlast.language.shapes import (
    CLAUSE,
    INSTANCE,
    PATH,
    VALUE_NAME,
    AtMostOne,
    Condition,
    Duration,
    Either,
    Excludes,
    Flag,
    Key,
    Many,
    Name,
    Needs,
    OneOf,
    OneOrMany,
    Pattern,
    Record,
    Shape,
    Table,
    Text,
    Use,
    Value,
    Whole,
)
from outlast.proofs.conformance.cases import LEVELS

_CHILD = Pattern(VALUE_NAME.regex + r"(?:\.[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*)*", "the name of an instance")
_NAME, _PATH, _VALUE_NAME = Name(), Name(PATH), Name(VALUE_NAME)
_STATES = OneOrMany(_NAME, "a state or a list of states")
_VALUES = Table(_VALUE_NAME, Value(), "a mapping of names to values")
_CLAUSES = OneOrMany(Name(CLAUSE), "a clause id or a list of them")
_UNDER = Key("under", Table(_NAME, _NAME, "a mapping of assumptions to readings", least=1), "The readings it presumes.")
_CONSTANTS = Key("constants", _VALUES, "Constants that have other values here.")
_LEVEL = Key("level", OneOf(LEVELS), "How binding it is; `contested`: it follows from one reading only.")
_BOUNDS = Key("bounds", OneOf(("latest", "earliest")), "When `within` rows happen here; at any moment, when absent.")
_TOLERANCE = Key("tolerance", Duration(), "How far a deadline may be off.")
_GIVEN = Table(Name(INSTANCE), Use("given"), "a mapping of instances to what they start with")
_EVENT = Either(
    _PATH,
    Table(_PATH, _VALUES, "one event with its payload", least=1, most=1),
    "an event, or an event with its payload",
)
_EFFECT = Either(
    _NAME,
    Table(_NAME, _VALUES, "one effect with its payload", least=1, most=1),
    "an effect, or an effect with its payload",
)

_RECORDS = (
    Record(
        "suite",
        "a suite",
        "A table of cases: what the document says, for any implementation.",
        (
            Key("suite", _NAME, "The name of the suite.", required=True),
            Key("title", Text(), "A title for people."),
            Key("about", Text(), "What it is for, in a sentence or two."),
            Key("system", _NAME, "The system it is about; only needed outside the system's own conformance/ folder."),
            _LEVEL,
            _UNDER,
            _CONSTANTS,
            _BOUNDS,
            _TOLERANCE,
            Key("given", _GIVEN, "What every case starts with, unless it says otherwise."),
            Key("cases", Many(Use("case"), "a list of cases", least=1), "The cases.", required=True, section=True),
        ),
        "block",
    ),
    Record(
        "case",
        "a case",
        "One row of the table.",
        (
            Key("id", Name(CLAUSE), "Stable and never reused.", required=True),
            Key("title", Text(), "What it shows, in a few words."),
            Key("because", _CLAUSES, "The clauses it follows from.", required=True),
            _LEVEL,
            _UNDER,
            _CONSTANTS,
            _BOUNDS,
            _TOLERANCE,
            Key("given", _GIVEN, "What it starts with, over what the suite gives."),
            Key("steps", Many(Use("case-step"), "a list of steps", least=1), "What happens, and what must be seen then.", required=True),
        ),
        "block",
    ),
    Record(
        "case-step",
        "a step",
        "Time goes on until `at`, something is said or nothing, and the claims hold.",
        (
            Key("at", Duration(), "When, counted from the start.", required=True),
            Key("send", Table(Name(INSTANCE), _EVENT, "an instance and the event it hears", least=1, most=1), "Says an event to an instance."),
            Key("new", Table(Name(INSTANCE), Use("given"), "one instance with what it starts with", least=1, most=1), "Makes an instance."),
            Key("happen", Table(Name(INSTANCE), _NAME, "one instance and its `within` row", least=1, most=1), "The moment a `within` row stood for."),
            Key("by", _NAME, "The actor who says it."),
            Key("refused", Flag(), "Whether it must be refused."),
            Key("then", Use("then"), "What must be true now."),
        ),
        "row",
        (
            AtMostOne(("send", "new", "happen"), "two-events", "a step says or tells one thing at most"),
            Needs("by", ("send",), "misplaced-key", "`by` is who says the event: there is none"),
            Needs("refused", ("send", "new"), "misplaced-key", "nothing is said that could be refused"),
        ),
    ),
    Record(
        "then",
        "what must be true",
        "Claims about instances, effects, and instances that are not there.",
        (
            Key("effects", Many(_EFFECT, "a list of effects"), "All effects since the step before, in order."),
            Key("absent", Many(Name(_CHILD), "a list of instances", least=1), "Instances that must not be there."),
        ),
        "row",
        others=Table(Name(INSTANCE), Either(_NAME, Use("claim"), "a state, or a mapping of claims"), "instances and what is true of them"),
    ),
    Record(
        "claim",
        "a claim",
        "What must be true of one instance; the rest may be as it likes.",
        (
            Key("state", _STATES, "A state that is active, or a list of them."),
            Key("either", _STATES, "States of which one is active."),
            Key("not", _STATES, "States that are not active."),
            Key("deadlines", Table(_NAME, Duration(), "a mapping of rows to durations"), "Running timers, by row, counted from the start."),
            Key("unarmed", OneOrMany(_NAME, "a row or a list of rows"), "Timers that do not run."),
            Key("absent", OneOrMany(_NAME, "a name or a list of names"), "Fields and refs without a value."),
            Key("within", Many(Duration(), "two durations, from and to", least=2), "When `state` was entered, both ends included."),
            Key("why", Use("why"), "What brought it here, an optional claim."),
        ),
        "row",
        (
            Excludes("either", ("state", "within"), "misplaced-key", "`either` claims the state already"),
            Needs("within", ("state",), "missing-key", "`within` needs `state`, whose moment it bounds"),
        ),
        others=_VALUES,
    ),
    Record(
        "why",
        "a reason",
        "The row and the clause that led here.",
        (Key("transition", _NAME, "The id of the row."), Key("clause", Name(CLAUSE), "A clause it cites.")),
        "row",
    ),
)  # fmt: skip

CASE_RECORDS = {record.name: record for record in _RECORDS}


# ---- the JSON Schema


def schema() -> dict[str, object]:
    """The JSON Schema (2020-12) of a suite in YAML or JSON."""
    return schema_of("Outlast conformance suite", "suite", CASE_RECORDS)


def schema_of(title: str, root: str, records: Mapping[str, Record]) -> dict[str, object]:
    """The JSON Schema (2020-12) of files with the record `root`, made of `records` and those of the language."""
    used: dict[str, object] = {}
    pending = [root]
    while pending:
        name = pending.pop()
        if name not in used:
            used[name] = _record(records.get(name) or RECORDS[name], pending)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "$ref": f"#/$defs/{root}",
        "$defs": {name: used[name] for name in sorted(used)},
    }


def conformance_schema_text() -> str:
    """The schema as it is kept beside the specifications."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _record(record: Record, pending: list[str]) -> dict[str, object]:
    properties = {key.name: {**_shape(key.shape, pending), "description": key.about} for key in record.keys}
    found: dict[str, object] = {"description": record.about, "type": "object", "properties": properties}
    if required := [key.name for key in record.keys if key.required]:
        found["required"] = required
    if not record.others:
        return {**found, "additionalProperties": False}
    names = {"anyOf": [{"enum": list(properties)}, {"pattern": _anchored(record.others.key)}]}
    return {**found, "propertyNames": names, "additionalProperties": _shape(record.others.value, pending)}


def _anchored(name: Name) -> str:
    return f"^(?:{name.pattern.regex})$"


def _shape(shape: Shape, pending: list[str]) -> dict[str, object]:
    match shape:
        case Use(record=record):
            pending.append(record)
            return {"$ref": f"#/$defs/{record}"}
        case Name():
            return {"type": "string", "pattern": _anchored(shape)}
        case OneOf(words=words):
            return {"enum": list(words)}
        case Flag():
            return {"type": "boolean"}
        case Whole():
            return {"type": "integer"}
        case Many(item=item, least=least):
            return {"type": "array", "items": _shape(item, pending), "minItems": least}
        case OneOrMany(item=item):
            one = _shape(item, pending)
            return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}
        case Table(key=key, value=value, least=least, most=most):
            bounds = {"minProperties": least} | ({"maxProperties": most} if most is not None else {})
            inner = {"patternProperties": {_anchored(key): _shape(value, pending)}, "additionalProperties": False}
            return {"type": "object", **inner, **bounds}
        case Either(short=short, long=long):
            return {"anyOf": [_shape(short, pending), _shape(long, pending)]}
        case Value():
            return {"type": ["string", "integer", "boolean"]}
        case Condition():
            return {"type": ["string", "object", "array", "boolean"]}
        case _:
            return {"type": "string"}
