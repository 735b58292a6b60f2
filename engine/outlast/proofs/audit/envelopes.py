"""A line -> an envelope: CloudEvents 1.0 in its JSON form, or an event of Amazon EventBridge."""

from __future__ import annotations

import json
from typing import TypeAlias

from outlast.moments import parse_instant
from outlast.values import frozen

Json: TypeAlias = dict[str, object]


class Unusable(Exception):
    """Why a line cannot be used, in words."""


@frozen(eq=False)
class Envelope:
    """What both forms say: which event of which source, of what type, when. `body` is the whole line."""

    line: int
    source: str
    id: str
    type: str
    time: int | None
    sequence: int | None
    body: Json


def opened(number: int, line: bytes) -> Envelope:
    """The envelope on a line. Raises Unusable."""
    try:
        body = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        raise Unusable(f"byte {error.start + 1} of the line (0x{line[error.start]:02x}) is not UTF-8") from error
    except json.JSONDecodeError as error:
        what = error.msg.lower().removesuffix(" starting at")
        raise Unusable(f"it is not JSON: {what} at column {error.colno}") from error
    except RecursionError as error:
        raise Unusable("it is not JSON we can read: it nests too deep") from error
    except ValueError as error:
        raise Unusable("it is not JSON we can read: a number is too long") from error
    if not isinstance(body, dict):
        raise Unusable("it is JSON, but no object")
    if "specversion" in body:
        if body["specversion"] != "1.0":
            raise Unusable("it is a CloudEvent of another version than 1.0")
        return _envelope(number, body, "type")
    if "detail-type" in body:
        return _envelope(number, body, "detail-type")
    raise Unusable("it has neither `specversion` (CloudEvents) nor `detail-type` (EventBridge)")


def _envelope(number: int, body: Json, type_key: str) -> Envelope:
    return Envelope(
        number,
        _text(body, "source"),
        _text(body, "id"),
        _text(body, type_key),
        _time(body["time"]) if "time" in body else None,
        _sequence(body.get("sequence")),
        body,
    )


def _text(body: Json, key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise Unusable(f"it has no `{key}`" if value is None else f"its `{key}` is no text")
    return value


def _time(value: object) -> int:
    try:
        return parse_instant(value if isinstance(value, str) else "")
    except ValueError as error:
        raise Unusable("its `time` is no date and time") from error


def _sequence(value: object) -> int | None:
    """The extension `sequence` of CloudEvents, where it counts."""
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < 19:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
