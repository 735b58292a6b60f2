"""CloudEvents 1.0: an event for an instance on its way in, an effect on its way out.

On its way in it is structured, alone or in a batch, or binary: attributes in headers `ce-…`, the payload as the body (HTTP Protocol Binding 1.0.2).

`type` is the event, `subject` the instance, `data` the payload, `source` and `id` what it is known by, `time` when it happened. Two extension
attributes are understood: `actor`, who says it, and `expect`, the version the instance must have. Others are allowed and left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from outlast.moments import format_instant, parse_instant
from outlast.service.bodies import Json, Members
from outlast.service.problems import Refused
from outlast.store.records import OutgoingEffect, Said

MEDIA, BATCH, BINARY = "application/cloudevents+json", "application/cloudevents-batch+json", "application/json"
PREFIX = "ce-"
ATTRIBUTES = ("specversion", "type", "subject", "source", "id", "time", "dataschema", "actor", "expect")
"""What is understood of an envelope, `data` and its type beside."""
RFC_3339 = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
NAME = re.compile(r"[a-z0-9]{1,20}", re.ASCII)
"""What an attribute may be called (CloudEvents 1.0, section 3)."""
_PRINTABLE = re.compile(r"[\x20-\x7e]*", re.ASCII)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.ASCII)
_ENCODED = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)


def gathered(headers: Iterable[tuple[str, str]], data: Json) -> Json:
    """The envelope of an event whose attributes are headers; `data` is the body. Raises Refused."""
    found: dict[str, Json] = {}
    for header, text in headers:
        if header.startswith(PREFIX):
            name = header.removeprefix(PREFIX)
            if name in found:
                raise Refused("bad-request", f"the header `{header:.60}` stands twice")
            if name in ("data", "data_base64", "datacontenttype"):
                raise Refused(
                    "bad-request", f"`{header}` is no attribute: the payload is the body, its type `Content-Type`"
                )
            found[name] = _value(header, text)
    expect = found.get("expect")
    if isinstance(expect, str) and _DIGITS.fullmatch(expect):  # in a header, a number is its digits
        found["expect"] = int(expect)
    return {**found, "data": data}


def _value(header: str, text: str) -> str:
    """The value of an attribute from its header (section 3.1.3.2): quotes first, then percent signs, each once. Raises Refused."""
    whole = quoted[1] if (quoted := _QUOTED.fullmatch(text)) else text
    plain = re.sub(r"\\(.)", r"\1", whole) if quoted else whole
    if not _PRINTABLE.fullmatch(plain) or not _ENCODED.fullmatch(plain):
        raise Refused(
            "bad-request",
            f"`{header:.60}`: ASCII is wanted; write other characters as %XX of their UTF-8, and % as %25",
        )
    try:
        return unquote_to_bytes(plain).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("bad-request", f"`{header:.60}`: what %XX stands for is not UTF-8") from error


def said_in(data: Json, path: str, latest: int) -> Said:
    """The event of an envelope. `latest` is the last instant it may say. Raises Refused."""
    members = Members(data, path)
    if members.left.pop("specversion", None) != "1.0":
        raise Refused("bad-request", "`specversion` is not `1.0`", path=f"{path}/specversion")
    said = Said(
        instance=members.text("subject"),
        event=members.text("type"),
        payload=members.values("data"),
        by=members.word("actor"),
        at=_instant(members, path, latest),
        source=members.text("source"),
        id=members.text("id"),
        expect=members.number("expect"),
    )
    form = members.word("datacontenttype")
    if form is not None and not re.fullmatch(r"application/([\w.-]+\+)?json(;.*)?", form, re.ASCII | re.IGNORECASE):
        raise Refused("bad-request", "`data` is JSON, nothing else", path=f"{path}/datacontenttype")
    members.word("dataschema", 2_000)
    if "data_base64" in members.left:
        raise Refused("bad-request", "`data_base64`: a payload is JSON, in `data`", path=f"{path}/data_base64")
    for name, value in members.left.items():
        if not NAME.fullmatch(name):
            raise Refused(
                "bad-request", f"`{name[:60]}` is no name of an attribute: a to z and digits, at most 20", path=path
            )
        if isinstance(value, dict | list):
            raise Refused("bad-request", f"`{name}`: an extension attribute is a plain value", path=f"{path}/{name}")
    return said


def _instant(members: Members, path: str, latest: int) -> int | None:
    text = members.word("time")
    if text is None:
        return None
    where = f"{path}/time"
    if not RFC_3339.fullmatch(text):
        raise Refused("bad-request", "`time` is no date and time of RFC 3339, like 2026-11-23T18:00:00Z", path=where)
    whole, dot, rest = text.upper().partition(".")
    digits = re.match(r"\d*", rest)
    assert digits
    shortened = f"{whole}.{digits[0][:6]}{rest[digits.end() :]}" if dot else whole
    try:
        instant = parse_instant(shortened)
    except (ValueError, OverflowError) as error:
        raise Refused("bad-request", "`time` is a day that does not exist", path=where) from error
    if instant < 0 or instant > latest:
        what = "before 1970" if instant < 0 else "in the future: an event is said when it has happened"
        raise Refused("bad-request", f"`time` is {what}", path=where)
    return instant


def effect_out(effect: OutgoingEffect, source: str) -> dict[str, object]:
    """The envelope of an effect; its `id` is the same however often it is sent."""
    return {
        "specversion": "1.0",
        "id": effect.id,
        "source": source,
        "type": effect.name,
        "subject": effect.instance,
        "time": format_instant(effect.at),
        "datacontenttype": "application/json",
        "data": dict(effect.payload),
    }
