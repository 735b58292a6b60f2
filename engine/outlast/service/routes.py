"""Every endpoint as a row: what is asked and answered, by whom. The application and the OpenAPI document are made of this table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, TypeAlias

import attrs
from starlette.responses import Response

from outlast.service import cloudevents, endpoints, streams, telemetry
from outlast.service.deck import Call, Deck
from outlast.service.schemas import TEXT, WHOLE, Schema
from outlast.service.tokens import Role
from outlast.values import frozen

Endpoint: TypeAlias = Callable[[Deck, Call], Awaitable[Response]]
JSON = endpoints.JSON
HTML, SVG = "text/html", endpoints.SVG
UNTYPED = ""
"""No schema: a page, a picture, a stream."""


@frozen
class Row:
    """One endpoint. `asks` and `answers` are media type -> component; `also` are the statuses it may answer beside those of every row."""

    method: Literal["GET", "POST"]
    path: str
    role: Role | None
    endpoint: Endpoint
    answers: Mapping[str, str]
    asks: Mapping[str, str] = attrs.field(factory=dict)
    query: Mapping[str, Schema] = attrs.field(factory=dict)
    headers: Mapping[str, Schema] = attrs.field(factory=dict)
    status: tuple[int, ...] = (200,)
    also: tuple[int, ...] = ()
    only: Literal["always", "conformance"] = "always"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    @property
    def problems(self) -> tuple[int, ...]:
        """Every status that comes with a problem document."""
        found = {403, 429, 500, 503, *self.also}
        found |= {401} if self.role else set()
        found |= {400, 404} if self.parameters else set()
        found |= {400, 408, 413, 415, 422} if self.asks else set()
        found |= {422} if self.query or self.headers else set()
        return tuple(sorted(found - set(self.status)))


AFTER: Schema = {"type": "string", "description": "`next` of the page before"}
COUNT: Schema = {**WHOLE, "maximum": 10**15}


def _limit(most: int) -> Schema:
    return {"type": "integer", "minimum": 1, "maximum": most, "default": min(100, most)}


LIMIT = _limit(1_000)


def rows() -> tuple[Row, ...]:
    """The table."""
    one = "/v1/instances/{id}"
    return (
        Row("GET", "/", "read", endpoints.index, {HTML: UNTYPED}),
        Row("GET", "/explorer", "read", endpoints.explorer, {HTML: UNTYPED}, query={"instance": TEXT}, also=(404, 410)),
        Row("GET", "/pictures/{name}", "read", endpoints.picture, {SVG: UNTYPED}),
        Row("GET", "/stories/{name}", "read", endpoints.story_picture, {SVG: UNTYPED}),
        Row("GET", "/health", None, endpoints.health, {JSON: "Health"}),
        Row("GET", "/metrics", "read", endpoints.metrics, {telemetry.MEDIA.partition(";")[0]: UNTYPED}),
        Row("GET", "/openapi.json", "read", endpoints.document, {JSON: UNTYPED}),
        Row("GET", "/v1/system", "read", endpoints.system, {JSON: "System"}),
        Row(
            "GET",
            "/v1/instances",
            "read",
            endpoints.instances,
            {JSON: "Instances"},
            query={"after": AFTER, "limit": LIMIT, "machine": TEXT},
        ),
        Row(
            "POST",
            "/v1/instances",
            "write",
            endpoints.make,
            {JSON: "Receipt"},
            {JSON: "NewInstances"},
            status=(200, 201),
            also=(404, 409),
        ),
        Row("GET", one, "read", endpoints.instance, {JSON: "Instance"}, also=(410,)),
        Row(
            "GET",
            f"{one}/history",
            "read",
            endpoints.history,
            {JSON: "Decisions"},
            query={"after": COUNT, "limit": LIMIT},
        ),
        Row("GET", f"{one}/offers", "read", endpoints.offers, {JSON: "Offers"}, also=(410,)),
        Row(
            "GET", f"{one}/explanation", "read", endpoints.explanation, {JSON: "Explanation"}, query={"version": COUNT}
        ),
        Row(
            "POST",
            f"{one}/explanation",
            "read",
            endpoints.question,
            {JSON: "Explanation"},
            {JSON: "Question"},
            also=(410,),
        ),
        Row("GET", f"{one}/story", "read", endpoints.story, {JSON: "Story"}),
        Row(
            "POST",
            "/v1/events",
            "write",
            endpoints.events,
            {JSON: "Answer"},
            {cloudevents.MEDIA: "Event", cloudevents.BATCH: "Events", cloudevents.BINARY: "Payload"},
            headers={f"{cloudevents.PREFIX}{name}": TEXT for name in cloudevents.ATTRIBUTES},
            also=(404, 410, 412),
        ),
        Row(
            "GET",
            "/v1/decisions",
            "read",
            endpoints.decisions,
            {JSON: "Decisions"},
            query={"after": COUNT, "limit": LIMIT},
        ),
        Row(
            "GET",
            "/v1/decisions/stream",
            "read",
            endpoints.decision_stream,
            {streams.MEDIA: UNTYPED},
            query={"after": COUNT},
            headers={"Last-Event-ID": TEXT},
        ),
        Row("GET", "/v1/deadlines", "read", endpoints.deadlines, {JSON: "Deadlines"}, query={"limit": LIMIT}),
        Row("GET", "/v1/time", "read", endpoints.time, {JSON: "Time"}),
        Row("POST", "/v1/time", "admin", endpoints.advance, {JSON: "Fired"}, {JSON: "Until"}),
        Row(
            "GET",
            "/v1/effects",
            "read",
            endpoints.effects,
            {JSON: "Effects"},
            query={"after": TEXT, "limit": LIMIT, "state": {"enum": [*endpoints.STATES]}},
        ),
        Row(
            "GET",
            "/v1/effects/stream",
            "read",
            endpoints.effect_stream,
            {streams.MEDIA: UNTYPED},
            headers={"Last-Event-ID": TEXT},
        ),
        Row(
            "POST",
            "/v1/effects/acknowledgements",
            "write",
            endpoints.acknowledge,
            {JSON: "Acknowledged"},
            {JSON: "EffectIds"},
        ),
        Row("POST", "/v1/effects/revivals", "admin", endpoints.revive, {JSON: "Revived"}, {JSON: "EffectIds"}),
        Row(
            "POST",
            "/v1/conformance",
            "read",
            endpoints.case,
            {JSON: "CommandAnswer"},
            {JSON: "Command"},
            only="conformance",
        ),
    )
