"""The grammar as a JSON Schema (draft-07), for editors. What a schema cannot say, such as the syntax of a guard, the reader checks."""

from __future__ import annotations

import json
from typing import TypeAlias

from outlast.language.grammar import CLAUSE_LIST, RECORDS
from outlast.language.shapes import (
    CLAUSE,
    DESCRIPTOR,
    FILE,
    INSTANCE,
    NAME,
    PATH,
    VALUE_NAME,
    AtMostOne,
    Blocks,
    Condition,
    Duration,
    Either,
    Excludes,
    Flag,
    Many,
    Name,
    Needs,
    OneOf,
    OneOrMany,
    Pattern,
    Record,
    Rule,
    Shape,
    Table,
    Text,
    Use,
    Value,
    Whole,
)

Schema: TypeAlias = dict[str, object]

_FLAGS = {key.name for record in RECORDS.values() for key in record.keys if isinstance(key.shape, Flag)}
_NAMES = {
    NAME: "name",
    VALUE_NAME: "value-name",
    PATH: "path",
    DESCRIPTOR: "descriptor",
    CLAUSE: "clause-id",
    INSTANCE: "instance",
    FILE: "file-name",
}
_FILES = ("machine", "scenario", "system")


def schema() -> Schema:
    """The schema of every file of a system: machine, system, scenario, and list of clauses."""
    choices: Schema = {"$ref": "#/definitions/machine"}
    for name in reversed(_FILES[1:]):
        choices = {"if": {"required": [name]}, "then": {"$ref": f"#/definitions/{name}"}, "else": choices}
    definitions = {name: _record(record) for name, record in RECORDS.items()}
    definitions |= {name: _pattern(pattern) for pattern, name in _NAMES.items()}
    definitions |= {"condition": _CONDITION, "value": _VALUE, "said": _SAID}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Outlast",
        "description": "A machine, a system, a scenario, or a list of clauses.",
        "if": {"type": "array"},
        "then": _shape(CLAUSE_LIST),
        "else": choices,
        "definitions": definitions,
    }


def schema_text() -> str:
    """The schema as it is kept beside the specifications."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


_EXPRESSION: Schema = {"type": "string", "minLength": 1}
_VALUE: Schema = {"description": "A value or an expression.", "type": ["string", "integer", "boolean"], "minLength": 1}
_CONDITION: Schema = {
    "description": "A condition: text, a mapping that is `and` over its keys, or a list that is `and` over its items.",
    "anyOf": [
        {"type": "boolean"},
        _EXPRESSION,
        {"type": "array", "items": {"$ref": "#/definitions/condition"}, "minItems": 1},
        {
            "type": "object",
            "minProperties": 1,
            "properties": {
                "all": {"type": "array", "items": {"$ref": "#/definitions/condition"}, "minItems": 1},
                "any": {"type": "array", "items": {"$ref": "#/definitions/condition"}, "minItems": 1},
                "not": {"$ref": "#/definitions/condition"},
            },
            "additionalProperties": {"$ref": "#/definitions/said"},
        },
    ],
}
_SAID: Schema = {
    "description": "What a structured condition says of one name.",
    "anyOf": [
        {"$ref": "#/definitions/value"},
        {"type": "array", "items": {"$ref": "#/definitions/value"}, "minItems": 1},
        {
            "type": "object",
            "minProperties": 1,
            "properties": {
                "not": {"$ref": "#/definitions/said"},
                "at-least": {"$ref": "#/definitions/value"},
                "at-most": {"$ref": "#/definitions/value"},
                "above": {"$ref": "#/definitions/value"},
                "below": {"$ref": "#/definitions/value"},
                "is": {"enum": ["present", "absent"]},
            },
            "additionalProperties": False,
        },
    ],
}


def _shape(shape: Shape) -> Schema:
    match shape:
        case Text():
            return {"type": "string", "pattern": r"\S"}
        case Name(pattern=pattern):
            return {"$ref": f"#/definitions/{_NAMES[pattern]}"}
        case Flag():
            return {"type": "boolean"}
        case Whole():
            return {"type": "integer"}
        case OneOf(words=words):
            return {"enum": list(words)}
        case Duration():
            return {"type": "string", "pattern": "[a-zA-Z]"}
        case Value(duration=True):
            return {"type": "string", "pattern": r"[^\d\s]"}
        case Value():
            return {"$ref": "#/definitions/value"}
        case Condition():
            return {"$ref": "#/definitions/condition"}
        case Use(record=record):
            return {"$ref": f"#/definitions/{record}"}
        case Either(short=short, long=long, key=key):
            if key:
                return {"if": {"type": "object", "required": [key]}, "then": _shape(long), "else": _shape(short)}
            kind = "array" if isinstance(long, Many) else "object"
            return {"if": {"type": kind}, "then": _shape(long), "else": _shape(short)}
        case OneOrMany(item=item, unique=unique):
            several = _shape(Many(item, "", least=1, unique=unique))
            return {"if": {"type": "array"}, "then": several, "else": _shape(item)}
        case Many(item=item, least=least, unique=unique):
            few: Schema = {"minItems": least} if least else {}
            return {"type": "array", "items": _shape(item), **few, **({"uniqueItems": True} if unique else {})}
        case Blocks():
            block = _shape(Many(Use("action"), ""))
            return {"anyOf": [block, {"type": "array", "items": block}]}
        case Table():
            return _table(shape)


def _pattern(pattern: Pattern) -> Schema:
    regex = pattern.regex.replace(" +", " {1,8}")
    found: Schema = {"description": pattern.said, "type": "string", "pattern": f"^(?:{regex})$"}
    return found | ({"not": {"enum": sorted(pattern.reserved)}} if pattern.reserved else {})


def _table(shape: Table) -> Schema:
    limits: Schema = {"minProperties": shape.least} if shape.least else {}
    if shape.most is not None:
        limits["maxProperties"] = shape.most
    return {"type": "object", "propertyNames": _shape(shape.key), "additionalProperties": _shape(shape.value), **limits}


def _record(record: Record) -> Schema:
    properties: dict[str, object] = {}
    for key in record.keys:
        inner = _shape(key.shape)
        # Draft-07 ignores whatever stands beside a $ref.
        said = {"allOf": [inner]} if "$ref" in inner else inner
        properties[key.name] = {"description": key.about, **said}
    found: Schema = {"description": record.about, "type": "object", "properties": properties}
    if required := [key.name for key in record.keys if key.required]:
        found["required"] = required
    if record.others is None:
        found["additionalProperties"] = False
    else:
        found["propertyNames"] = {"anyOf": [{"enum": list(properties)}, _shape(record.others.key)]}
        found["additionalProperties"] = _shape(record.others.value)
    if rules := [rule for each in record.rules for rule in _rule(each)]:
        found["allOf"] = rules
    if record.name in ("step", "expectation"):  # of an instance, and when
        found["minProperties"] = 2
    return found


def _says(key: str) -> Schema:
    """A mapping that has this key; a flag must also be set."""
    if key in _FLAGS:
        return {"required": [key], "properties": {key: {"const": True}}}
    return {"required": [key]}


def _rule(rule: Rule) -> list[Schema]:
    match rule:
        case AtMostOne(keys=keys, missing=missing):
            pairs = [(one, two) for at, one in enumerate(keys) for two in keys[at + 1 :]]
            never: list[Schema] = [{"not": {"allOf": [_says(one), _says(two)]}} for one, two in pairs]
            return [*never, {"anyOf": [{"required": [key]} for key in keys]}] if missing else never
        case Excludes(key=key, others=others):
            return [{"not": {"allOf": [_says(key), _says(other)]}} for other in others]
        case Needs(key=key, others=others):
            return [{"if": _says(key), "then": {"anyOf": [_says(other) for other in others]}}]
