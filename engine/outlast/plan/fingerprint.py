"""The hash that names a specification: over all that its authors said, and nothing else.

Stores, snapshots and logs keep it for years, so it must not change with the program. What is hashed is the model as `Class(field=value, …)`.
A class or field of the model that is renamed changes every hash there is. A field that is added later must not: it carries the
metadata `LATER` and is left out while it has its default. `tests/plan/test_fingerprint.py` holds hashes that were given once.
"""

from __future__ import annotations

import hashlib
from typing import Any

import attrs

from outlast import model

LATER = {"later": True}
"""The metadata of a field that specifications were hashed without before."""


def fingerprint(system: model.System) -> str:
    """SHA-256, in hexadecimal, of everything that was said; not of places, comments and layout."""
    return hashlib.sha256(said(system).encode()).hexdigest()


def said(value: Any) -> str:
    """A value of the model in words."""
    if isinstance(value, tuple):
        return f"({', '.join(map(said, value))}{',' * (len(value) == 1)})"
    shown = _shown(type(value))
    if shown is None:
        return repr(value)
    fields = ((field.name, getattr(value, field.name), field) for field in shown)
    words = [f"{name}={said(item)}" for name, item, field in fields if not (_is_later(field) and item == field.default)]
    return f"{type(value).__name__}({', '.join(words)})"


_fields: dict[type, tuple[attrs.Attribute[Any], ...] | None] = {}


def _shown(kind: type) -> tuple[attrs.Attribute[Any], ...] | None:
    """The fields of a class that take part; None for what is no value of the model."""
    if kind not in _fields:
        _fields[kind] = tuple(field for field in attrs.fields(kind) if field.repr) if attrs.has(kind) else None
    return _fields[kind]


def _is_later(field: attrs.Attribute[Any]) -> bool:
    return bool(field.metadata.get("later"))
