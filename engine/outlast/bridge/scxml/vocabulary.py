"""The one table of the `conf:` vocabulary, in which the W3C's tests are written, in terms of our expressions.

The tests say `conf:idVal="1=2"` where a document would say, in its data model's language, `Var1 == 2`. Three columns: templates
that are conditions, templates that are values, templates that are places to put a value. Each is given the attribute's text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from outlast.expr import ANY, INT, STRING, Expr, tree
from outlast.expr.tree import Compare, Comparison, Faulty, Known, Literal, Name, Not, Payload, Present

PROCESSOR = "http://www.w3.org/TR/scxml/#SCXMLEventProcessor"
CONTENT = "content"
"""The payload that `<content>` becomes."""
ABSENT = Literal(None, ANY)
ORIGIN_TYPE = Name(("_event", "origintype"))
"""Stands for a choice, which an expression cannot make: `PROCESSOR` for what was sent, absent for what was raised."""
ARRAY, SOME = "[1, 2, 3]", 123

Template: TypeAlias = Callable[[str], Expr]


def variable(number: str) -> str:
    """The name the tests give to a numbered variable."""
    return f"Var{number.strip()}"


def read(number: str) -> Name:
    """The value of a numbered variable."""
    return Name((variable(number),))


def payload(name: str) -> Payload:
    """A value that came with the event."""
    return Payload(name, ANY, optional=True)


def literal(text: str) -> Literal:
    """A number, a quoted text, a truth value; anything else is a text."""
    text = text.strip()
    if re.fullmatch(r"-?\d{1,18}", text):
        return Literal(int(text), INT)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return Literal(text[1:-1], STRING)
    return Literal(" ".join(text.split()), STRING)


def quoted(text: str) -> Literal:
    """A text."""
    return Literal(text, STRING)


def faulty(reason: str) -> Template:
    """What cannot be evaluated."""
    return lambda text: Faulty(f"`{text}`: {reason}" if text else reason)


def system_variable(name: str) -> Expr:
    """`_sessionid`, `_name`, `_event`, `_ioprocessors`; for the tests, a structure is as good as its name."""
    match name:
        case "_sessionid":
            return Known("own id")
        case "_event":
            return Known("event name")
        case "_ioprocessors":
            return quoted(PROCESSOR)
        case "_name":
            return Name(("_name",))
    return Faulty(f"there is no system variable `{name}`")


_FIELDS: dict[str, Expr] = {
    "name": Known("event name"),
    "type": Known("event kind"),
    "sendid": Known("send id"),
    "origin": Known("event sender"),
    "invokeid": Known("event child"),
    "data": payload(CONTENT),
    "origintype": ORIGIN_TYPE,
}


def event_field(name: str) -> Expr:
    """A field of `_event`."""
    return _FIELDS.get(name, Faulty(f"`_event` has no field `{name}`"))


def _pair(text: str, sign: str = "=") -> tuple[str, str]:
    left, _, right = text.partition(sign)
    return left, right


def _equals(left: Callable[[str], Expr], right: Callable[[str], Expr], sign: str = "=") -> Template:
    def template(text: str) -> Expr:
        one, two = _pair(text, sign)
        return Compare("==", left(one), right(two))

    return template


def _compared(text: str) -> Expr:
    for sign in ("<=", ">=", "==", "!=", "<", ">"):
        if sign in text:
            one, two = _pair(text, sign)
            op: Comparison = sign
            return Compare(op, read(one), read(two))
    return Faulty(f"`{text}` compares nothing")


def _has_no_value(field: str) -> Expr:
    found = event_field(field)
    return Not(Present(Known("event sender") if found == ORIGIN_TYPE else found))


CONDITIONS: Mapping[str, Template] = {
    "true": lambda _: tree.TRUE,
    "false": lambda _: Not(tree.TRUE),
    "nonBoolean": faulty("not a condition"),
    "inState": lambda state: tree.Inside((), None, (state,)),
    "idVal": _equals(read, literal),
    "namelistIdVal": _equals(read, literal),
    "idQuoteVal": _equals(read, quoted),
    "idSomeVal": lambda number: Compare("==", read(number), Literal(SOME, INT)),
    "idSystemVarVal": _equals(read, system_variable),
    "nameVarVal": lambda text: Compare("==", system_variable("_name"), quoted(text)),
    "compareIDVal": _compared,
    "VarEqVar": _equals(read, read, " "),
    "VarEqVarStruct": _equals(read, read, " "),
    "isBound": lambda number: Present(read(number)),
    "noValue": lambda number: Not(Present(read(number))),
    "unboundVar": lambda number: Not(Present(read(number))),
    "systemVarIsBound": lambda name: Present(system_variable(name)),
    "eventNameVal": lambda text: Compare("==", Known("event name"), quoted(text)),
    "eventvarVal": _equals(lambda number: payload(variable(number)), literal),
    "eventdataVal": lambda text: Compare("==", payload(CONTENT), literal(text)),
    "eventdataSomeVal": lambda _: Compare("==", payload(CONTENT), Literal(SOME, INT)),
    "eventFieldHasNoValue": _has_no_value,
    "eventFieldsAreBound": lambda _: Present(Known("event name")),
    "originTypeEq": lambda text: (
        Present(Known("event sender")) if text == PROCESSOR else Faulty(f"nothing comes from `{text}`")
    ),
}
"""Conditions. `varPrefix` and `emptyEventData` need to know the document: see `lower`."""

VALUES: Mapping[str, Template] = {
    "expr": literal,
    "quoteExpr": quoted,
    "varExpr": read,
    "varChildExpr": read,
    "arrayVar": read,
    "arrayTextVar": read,
    "eventExpr": read,
    "targetExpr": read,
    "targetVar": read,
    "typeExpr": read,
    "srcExpr": read,
    "sendIDExpr": read,
    "delayFromVar": read,
    "delay": lambda seconds: quoted(f"{seconds}s"),
    "illegalExpr": faulty("an illegal expression"),
    "illegalArray": lambda _: Literal(7, INT),
    "illegalTarget": lambda _: quoted("!invalid"),
    "unreachableTarget": lambda _: quoted("#_scxml_nobody"),
    "invalidSendType": lambda _: quoted("no such processor"),
    "invalidSendTypeExpr": lambda _: quoted("no such processor"),
    "invalidSessionID": lambda _: quoted("nobody"),
    "scxmlEventIOLocation": lambda _: Known("own id"),
    "systemVarExpr": system_variable,
    "eventField": event_field,
    "eventName": lambda _: event_field("name"),
    "eventType": lambda _: event_field("type"),
    "eventSendid": lambda _: event_field("sendid"),
    "eventRaw": lambda _: event_field("name"),
    "eventDataFieldValue": payload,
    "eventDataParamValue": payload,
    "eventDataNamelistValue": lambda number: payload(variable(number)),
    "varNonexistentStruct": lambda _: ABSENT,
    "targetpass": lambda _: quoted("pass"),
    "targetfail": lambda _: quoted("fail"),
}

PLACES: Mapping[str, Callable[[str], str | Faulty]] = {
    "id": variable,
    "name": variable,
    "item": variable,
    "index": variable,
    "location": variable,
    "idlocation": variable,
    "namelist": lambda numbers: " ".join(variable(number) for number in numbers.split()),
    "invalidLocation": lambda _: Faulty("no place to put a value"),
    "invalidNamelist": lambda _: Faulty("a name that is not there"),
    "illegalItem": lambda _: Faulty("no name of a variable"),
    "systemVarLocation": lambda name: Faulty(f"`{name}` cannot be changed"),
}

CHILDREN: Mapping[str, Literal] = {
    "array123": quoted(ARRAY),
    "someInlineVal": Literal(SOME, INT),
    "contentFoo": quoted("foo"),
}
"""Elements that are a value."""
