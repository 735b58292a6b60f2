"""A system as JSON, value by value, and back: for what a program has made and no text of the language says.

A translation from another language may hold values of any type, or hear what a child hears. Whatever the model can hold is carried, so the
system that is read is the one that was written. For authors there is the language.
"""

from __future__ import annotations

import json
from typing import Any, cast

import attrs

from outlast import model
from outlast.expr import tree

KINDS: dict[str, type] = {
    f"{home}.{name}": kind
    for home, module in (("model", model), ("expr", tree))
    for name, kind in vars(module).items()
    if isinstance(kind, type) and attrs.has(kind) and kind.__module__ == module.__name__
}
"""Every class of the model by its name."""
_NAMES = {kind: name for name, kind in KINDS.items()}


def write_values(system: model.System) -> str:
    """A whole system as JSON; places are left out, and fields that have their default."""
    return json.dumps(_data(system), separators=(",", ":"))


def read_values(text: str) -> model.System:
    """The system again. Raises ValueError for a text that is none."""
    try:
        match _value(json.loads(text)):
            case model.System() as system:
                return system
    except (LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"this is no system: {error}") from error
    raise ValueError("this is no system")


def _data(value: Any) -> object:
    if isinstance(value, tuple):
        return [_data(item) for item in value]
    if type(value) not in _NAMES:
        return value
    fields = {field.name: (getattr(value, field.name), field.default) for field in attrs.fields(type(value))}
    said = {
        name: _data(item)
        for name, (item, default) in fields.items()
        if name != "place" and not (item == default and type(item) is type(default))
    }
    return {"is": _NAMES[type(value)], **({"of": said} if said else {})}


def _value(data: Any) -> object:
    if isinstance(data, list):
        return tuple(_value(item) for item in data)
    if not isinstance(data, dict):
        return data
    kind = cast("Any", KINDS[data["is"]])
    return kind(**{name: _value(item) for name, item in data.get("of", {}).items()})
