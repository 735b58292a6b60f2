"""The form of a mapping, as one table in the vocabulary of the language's own grammar, and the JSON Schema made of it."""

from __future__ import annotations

import json

from outlast.language.shapes import (
    INSTANCE,
    PATH,
    VALUE_NAME,
    AtMostOne,
    Duration,
    Either,
    Key,
    Many,
    Name,
    Needs,
    OneOf,
    OneOrMany,
    Pattern,
    Record,
    Table,
    Text,
    Use,
)
from outlast.moments import UNITS
from outlast.proofs.conformance.grammar import schema_of

POINTER = Pattern(
    r"(?:/(?:[^/~\s]|~[01])(?:[^/~]|~[01])*)+", "a JSON Pointer (RFC 6901) into the line, like `/detail/status`"
)
PART = Pattern(r"(?!/).+|" + POINTER.regex, "a JSON Pointer into the line, like `/data/job`, or a word")
_NAME, _PATH, _VALUE_NAME = Name(), Name(PATH), Name(VALUE_NAME)
_PART = Either(Name(PART), Use("part"), "a JSON Pointer, a word, or a mapping with `at` and `unit`")
_PARTS = Table(_VALUE_NAME, _PART, "a mapping of names to where their values stand")
_GIVEN = Table(Name(INSTANCE), Use("given"), "a mapping of instances to what they start with")

_RECORDS = (
    Record(
        "audit",
        "a mapping",
        "What the lines of a log say about the instances of a system.",
        (
            Key("audit", _NAME, "The name of the mapping.", required=True),
            Key("title", Text(), "A title for people."),
            Key("about", Text(), "Which logs it is for, in a sentence or two."),
            Key("tolerance", Duration(), "How far the time of a line may be off; nothing, when absent."),
            Key("reorder", Duration(), "How much later than its successors a line may come; 5m when absent."),
            Key("wait", Duration(), "How long after its last moment something is waited for before it is missing; 1h when absent."),
            Key("remember", Duration(), "How long ids of lines, and instances that are done, are kept; 1d when absent."),
            Key("idle", Duration(), "How long other instances are kept that nobody speaks of; 7d when absent."),
            Key("complete", OneOrMany(_NAME, "a machine or a list of machines"), "Machines whose every change of state the log tells."),
            Key("given", _GIVEN, "The instances that are there from the beginning."),
            Key("adopt", Table(_NAME, Use("given"), "a mapping of machines to what is presumed"), "What is presumed of an instance whose beginning the log does not tell."),
            Key("ignore", Many(Text(), "a list of types of lines", least=1), "Types of lines that say nothing here; `*` stands for anything."),
            Key("rules", Many(Use("rule"), "a list of rules", least=1), "What a line says: the first rule that fits.", required=True, section=True),
        ),
        "block",
    ),
    Record(
        "rule",
        "a rule",
        "What one kind of line says about one instance: that it is new, that it heard an event, or in which state it was seen.",
        (
            Key("type", Text(), "The type of a CloudEvent, or the detail-type of an EventBridge event.", required=True),
            Key("source", Text(), "Only lines of this source."),
            Key("when", Table(Name(POINTER), Either(Name(PART), Many(Text(), "a list of texts", least=1), "a text or a list of texts"), "a mapping of JSON Pointers to texts"), "Only lines with one of these texts there."),
            Key("machine", _NAME, "The machine of the instance.", required=True),
            Key("id", _PART, "Where the instance's name stands.", required=True),
            Key("ref", _NAME, "Meant is the instance this ref leads to."),
            Key("time", _PART, "Where the time stands, if not in the envelope."),
            Key("new", _PARTS, "The fields and refs of an instance that begins, or is met for the first time."),
            Key("event", Either(_PATH, Table(_PATH, _PARTS, "one event with its payload", least=1, most=1), "an event, or an event with its payload"), "The event it heard."),
            Key("by", _NAME, "The actor who said the event."),
            Key("state", OneOrMany(_NAME, "a state or a list of states"), "The states it may be in, seen from outside."),
            Key("via", Many(Either(_PATH, Many(_PATH, "a list of events", least=1), "an event, or several in order"), "a list of events", least=1), "Events nobody logs that may have led to these states."),
            Key("as", _NAME, "The state it is taken to be in when this was not expected; the first of `state` when absent."),
        ),
        "row",
        (
            AtMostOne(("event", "via"), "two-events", "an event is told or inferred, not both"),
            Needs("by", ("event",), "misplaced-key", "`by` is who says the event: there is none"),
            Needs("via", ("state",), "misplaced-key", "`via` says how a state was reached: there is no `state`"),
            Needs("as", ("state",), "misplaced-key", "`as` is one of the states that were seen: there is no `state`"),
        ),
    ),
    Record(
        "part",
        "a value",
        "Where a number stands, and of what it is one.",
        (
            Key("at", Name(POINTER), "The JSON Pointer to it.", required=True),
            Key("unit", OneOf(tuple(UNITS)), "The unit of a duration, or of a time since 1970.", required=True),
        ),
        "row",
    ),
)  # fmt: skip

AUDIT_RECORDS = {record.name: record for record in _RECORDS}


def audit_schema_text() -> str:
    """The JSON Schema (2020-12) of a mapping, as it is kept beside the specifications."""
    schema = schema_of("Outlast audit mapping", "audit", AUDIT_RECORDS)
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
