"""Values as a caller writes them, made into the values of fields and payloads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TypeAlias

from outlast.errors import MisuseError, UnknownName
from outlast.expr import Value
from outlast.moments import parse_duration
from outlast.plan import tables

Given: TypeAlias = Value | timedelta
"""A value as a caller writes it: durations as `7d`, a timedelta, or an int of microseconds."""


def as_duration(value: str | int | timedelta) -> int:
    """Microseconds. Raises MisuseError for text that is no duration."""
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except ValueError as error:
            raise MisuseError(str(error)) from error
    return value // timedelta(microseconds=1) if isinstance(value, timedelta) else value


def as_value(field: tables.Field, value: Given) -> Value:
    """A caller's value as the field keeps it; text and timedeltas become durations where one is wanted."""
    if field.type.kind == "duration" and isinstance(value, str | timedelta):
        return as_duration(value)
    if isinstance(value, timedelta):
        raise MisuseError(f"`{field.name}` is {field.type}, not a duration")
    return value


def as_payload(declared: tables.Event, given: Mapping[str, Given]) -> tuple[tuple[str, Value], ...]:
    """A payload with the defaults of what is not given. Raises UnknownName."""
    for name in given:
        if name not in declared.payload:
            raise UnknownName(f"value of the event {declared.name}", name, declared.payload)
    return tuple(
        (name, as_value(field, given[name]) if name in given else field.default)
        for name, field in declared.payload.items()
    )
