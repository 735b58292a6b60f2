"""An envelope -> what happened: the first rule that fits, and the values it points at."""

from __future__ import annotations

from collections.abc import Iterable

from outlast.expr import Value
from outlast.moments import parse_duration, parse_instant
from outlast.plan import tables
from outlast.proofs.audit.envelopes import Envelope, Unusable
from outlast.proofs.audit.mapping import Mapping, Part, Parts, Rule, pointer_text
from outlast.values import frozen

FURTHEST = 1 << 62
"""Instants are smaller, either way."""


@frozen(eq=False)
class Happening:
    """What a line says: at which instant (microseconds since the epoch), by which rule, of which instance."""

    at: int
    line: int
    rule: Rule
    instance: str
    given: tuple[tuple[str, Value], ...] = ()
    payload: tuple[tuple[str, Value], ...] = ()


class Decoder:
    """Reads envelopes by the rules of a mapping."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.rules: dict[str, list[Rule]] = {}
        for rule in mapping.rules:
            self.rules.setdefault(rule.type, []).append(rule)

    def happening(self, envelope: Envelope) -> Happening | None:
        """What a line says; None for a type that is to be ignored. Raises Unusable."""
        rules = self.rules.get(envelope.type)
        rule = next((rule for rule in rules if _fits(rule, envelope)), None) if rules else None
        if rule is None:
            if any(pattern.fullmatch(envelope.type) for pattern in self.mapping.ignore):
                return None
            raise Unusable(
                f"no rule fits this line of type `{envelope.type}`"
                if rules
                else f"no rule knows the type `{envelope.type}`"
            )
        at = envelope.time if rule.time is None else _instant(rule.time, envelope)
        if at is None:
            raise Unusable("it has no `time`")
        instance = _looked_up(rule.id, envelope)
        if not isinstance(instance, str) or not instance:
            raise Unusable(f"`{rule.id}`, the name of the instance, is no text")
        given = _values(rule.new or (), envelope)
        if rule.begins:
            self._check_whole(rule, given)
        return Happening(at, envelope.line, rule, instance, given, _values(rule.payload, envelope))

    def _check_whole(self, rule: Rule, given: tuple[tuple[str, Value], ...]) -> None:
        """What an instance cannot begin without must stand in the line, or be presumed."""
        presumed = self.mapping.adopt.get(rule.machine.name)
        there = {name for name, _ in given} | set(presumed.values if presumed else ())
        where = {target.name: part for target, part in rule.new or ()}
        needed = [field.name for field in rule.machine.fields.values() if field.required]
        needed += [ref.name for ref in rule.machine.refs.values() if not ref.optional]
        if missing := next((name for name in needed if name not in there), None):
            raise Unusable(
                f"`{missing}` is missing" + (f": there is no `{where[missing]}`" if missing in where else "")
            )


def _fits(rule: Rule, envelope: Envelope) -> bool:
    if rule.source and rule.source != envelope.source:
        return False
    return all(_word(_at(envelope, pointer)) in words for pointer, words in rule.when)


def _word(value: object) -> str | None:
    """A JSON value as a mapping writes it: `true`, `17`, a text; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else None


def _at(envelope: Envelope, pointer: Iterable[str]) -> object:
    """The value a JSON Pointer leads to; None if it leads nowhere."""
    value: object = envelope.body
    for token in pointer:
        if isinstance(value, dict):
            value = value.get(token)
        elif isinstance(value, list) and token.isdecimal() and token.isascii() and len(token) < 9:
            value = value[int(token)] if int(token) < len(value) else None
        else:
            return None
    return value


def _looked_up(part: Part, envelope: Envelope) -> object:
    return part.word if part.pointer is None else _at(envelope, part.pointer)


def _values(parts: Parts, envelope: Envelope) -> tuple[tuple[str, Value], ...]:
    """The values a line has, by name; those it has not are left out."""
    found: list[tuple[str, Value]] = []
    for target, part in parts:
        value = _looked_up(part, envelope)
        if value is not None:
            found.append((target.name, _value(target, part, value)))
    return tuple(found)


def _value(target: tables.Field | tables.Ref, part: Part, value: object) -> Value:
    kind = target.type.kind if isinstance(target, tables.Field) else "string"
    text = value if isinstance(value, str) else None
    match kind:
        case "duration":
            return _duration(part, value)
        case "bool" if isinstance(value, bool) or text in ("true", "false"):
            return value is True or text == "true"
        case "int" if isinstance(value, int) and not isinstance(value, bool):
            return value
        case "int" if text is not None and text.removeprefix("-").isdecimal() and len(text) < 19:
            return int(text)
        case "string" | "enum" if text:
            return text
        case _:
            raise Unusable(f"`{part}` is no value for `{target.name}`")


def _duration(part: Part, value: object) -> int:
    number = _number(value) if part.scale is not None else None
    if number is not None and part.scale is not None and abs(number) * part.scale < FURTHEST:
        return number * part.scale
    if isinstance(value, str) and part.scale is None:
        try:
            return parse_duration(value)
        except ValueError:
            pass
    said = "a whole number" if part.scale is not None else "a duration like `15m` or `PT15M`"
    raise Unusable(f"`{part}` is not {said}")


def _number(value: object) -> int | None:
    """A whole number, also where it is written as a text, as some services do."""
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < 19:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _instant(part: Part, envelope: Envelope) -> int:
    value = _looked_up(part, envelope)
    if value is None:
        raise Unusable(f"there is no `{pointer_text(part.pointer or ())}`, where its time stands")
    if part.scale is not None:
        return _duration(part, value)
    try:
        return parse_instant(value if isinstance(value, str) else "")
    except ValueError as error:
        raise Unusable(f"`{part}` is no date and time") from error
