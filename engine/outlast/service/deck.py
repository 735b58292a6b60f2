"""What an endpoint has at hand: the service as a whole (`Deck`), and the request it answers (`Call`)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

import attrs
from starlette.requests import ClientDisconnect, Request

from outlast import model
from outlast.plan import Plan
from outlast.service.bell import Bell
from outlast.service.bodies import Json, parse
from outlast.service.pictures import Pictures
from outlast.service.problems import Refused
from outlast.service.rates import Rates
from outlast.service.settings import Limits
from outlast.service.telemetry import Census, Telemetry
from outlast.service.tokens import Caller, Tokens
from outlast.store.aio import AsyncEngine
from outlast.store.interface import Backend
from outlast.values import frozen

_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


@attrs.define(eq=False)
class Deck:
    """Everything a running service has."""

    plan: Plan
    stories: Mapping[str, model.Scenario]
    engine: AsyncEngine
    backend: Backend
    limits: Limits
    tokens: Tokens
    rates: Rates
    telemetry: Telemetry
    census: Census
    pictures: Pictures
    bell: Bell
    version: str = "0"
    """Of the program, for those who ask."""
    document: Mapping[str, object] = attrs.field(factory=dict)
    """The OpenAPI document."""
    streams: int = 0
    """How many are open."""
    closing: bool = False
    failing: str | None = None
    """Why timers cannot be fired at present."""

    @property
    def source(self) -> str:
        """What effects say they come from."""
        return f"urn:outlast:{self.plan.name}"


@frozen(eq=False)
class Call:
    """A request whose caller may ask it."""

    request: Request
    caller: Caller
    limits: Limits

    def path(self, name: str) -> str:
        """A part of the path, decoded once, `/` and all. Raises Refused."""
        try:
            text = unquote_to_bytes(self.request.path_params[name]).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Refused("bad-path", "the path is not UTF-8") from error
        if not text.isprintable() or len(text) > 2_000:
            raise Refused("not-found", "nothing is called so: names are printable")
        return text

    def number(self, name: str, default: int) -> int:
        """A query parameter that counts. Raises Refused."""
        text = self.request.query_params.get(name)
        if text is None:
            return default
        if not _NUMBER.fullmatch(text):
            raise Refused("bad-request", f"`{name}` is a whole number of at most 18 digits")
        return int(text)

    def limit(self) -> int:
        """How many entries are wanted."""
        wanted = self.number("limit", min(100, self.limits.page))
        if not 1 <= wanted <= self.limits.page:
            raise Refused("bad-request", f"`limit` is from 1 to {self.limits.page}")
        return wanted

    def word(self, name: str, known: Mapping[str, Any] | None = None) -> str | None:
        """A query parameter that is a word; one of `known`. Raises Refused."""
        text = self.request.query_params.get(name)
        if text is not None and (not text.isprintable() or len(text) > 2_000):
            raise Refused("bad-request", f"`{name}` is a printable word")
        if text is not None and known is not None and text not in known:
            raise Refused("bad-request", f"`{name}` is one of {', '.join(known)}")
        return text

    async def json(self, *media: str) -> tuple[str, Json]:
        """The body, and of which of these types it is. Raises Refused."""
        kind, body = await self.body(*media)
        return kind, parse(body, self.limits.depth)

    async def body(self, *media: str) -> tuple[str, bytes]:
        """The bytes of the body, and of which of these types it is. Raises Refused."""
        given, _, parameters = self.request.headers.get("content-type", "").partition(";")
        kind = given.strip().lower()
        charset = re.search(r"charset\s*=\s*\"?([\w-]+)", parameters, re.ASCII)
        if kind not in media or (charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii")):
            raise Refused(
                "unsupported-type",
                f"the body must be {' or '.join(media)}, in UTF-8",
                headers={"Accept": ", ".join(media)},
            )
        if self.request.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused("unsupported-type", "the body must not be compressed")
        try:
            async with asyncio.timeout(self.limits.patience):
                return kind, await self._arrived()
        except TimeoutError as error:
            raise Refused("too-slow", f"the body did not arrive within {self.limits.patience:g} s") from error

    async def _arrived(self) -> bytes:
        most = self.limits.body
        length = self.request.headers.get("content-length", "")
        too_large = Refused("too-large", f"a body has at most {most:,} bytes", headers={"Connection": "close"})
        if _NUMBER.fullmatch(length) and int(length) > most:
            raise too_large
        parts, size = [], 0
        try:
            async for part in self.request.stream():
                size += len(part)
                if size > most:
                    raise too_large
                parts.append(part)
        except ClientDisconnect as error:
            raise Refused("bad-json", "the body ended before its time") from error
        return b"".join(parts)
