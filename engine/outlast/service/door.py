"""What stands before every endpoint: an id for the request, who may come in and how often, headers a browser should see, and what becomes of errors."""

from __future__ import annotations

import logging
import math
import re
import uuid
from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outlast.errors import OutlastError
from outlast.service.deck import Call, Deck
from outlast.service.problems import MEDIA, Refused, refused
from outlast.service.routes import Row
from outlast.service.tokens import Caller, token_in

LOG = logging.getLogger("outlast.service")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
CLOSED = "default-src 'none'; frame-ancestors 'none'"
"""What an answer may load that does not say anything else."""
LOOPBACK = re.compile(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?", re.ASCII | re.IGNORECASE)


class Door:
    """Around the whole application: request ids, headers, how many at a time, and the path as it was sent, so that a `%2F` in an id stays part of the id."""

    def __init__(self, app: ASGIApp, deck: Deck, *, encrypted: bool = False) -> None:
        self.app, self.deck, self.encrypted = app, deck, encrypted
        self.inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope["state"] = {**scope.get("state", {}), "request": request_id}
        scope["path"] = scope.get("raw_path", scope["path"].encode()).decode("latin-1") or "/"

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = {name.lower() for name, _ in message["headers"]}
                usual = {
                    **HEADERS,
                    "X-Request-ID": request_id,
                    "Content-Security-Policy": CLOSED,
                    "Cache-Control": "no-store",
                }
                if self.encrypted:
                    usual["Strict-Transport-Security"] = "max-age=31536000"
                more = [(name.lower().encode(), value.encode()) for name, value in usual.items()]
                message = {
                    **message,
                    "headers": [*message["headers"], *(pair for pair in more if pair[0] not in found)],
                }
            await send(message)

        if self.inside >= self.deck.limits.together:
            self.deck.telemetry.turned_away()
            full = Refused("overloaded", f"{self.inside:,} requests are being answered", headers={"Retry-After": "1"})
            await problem(Request(scope), full)(scope, receive, sending)
            return
        self.inside += 1
        try:
            await self.app(scope, receive, sending)
        finally:
            self.inside -= 1


def guarded(deck: Deck, row: Row) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a row, for those who may call it, as a route of Starlette."""

    async def answer(request: Request) -> Response:
        try:
            response = await row.endpoint(deck, Call(request, _caller(deck, row, request), deck.limits))
        except Refused as error:
            response = problem(request, error)
        except OutlastError as error:
            found = refused(error)
            if found.status >= 500:
                LOG.warning("request %s: %s", request.state.request, error)
            response = problem(request, found)
        except Exception:
            LOG.exception("request %s failed", request.state.request)
            response = problem(
                request, Refused("internal", "something went wrong here; the log says what, under this id")
            )
        deck.telemetry.request(row.method, row.path, response.status_code)
        return response

    return answer


def _caller(deck: Deck, row: Row, request: Request) -> Caller:
    """Who calls. Raises Refused for whom may not, or not so often."""
    address = request.client.host if request.client else "unknown"
    caller: Caller | None = Caller(address, "admin")
    if deck.tokens:
        token = token_in(request.headers.get("authorization"))
        caller = deck.tokens.caller(token) if token else None
    elif not LOOPBACK.fullmatch(request.headers.get("host", "")):
        raise Refused("wrong-host", "without tokens, this is only served as localhost")
    if row.method != "GET" and request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused("forbidden", "pages of other origins may not ask this")
    wait = deck.rates.wait(caller.name if caller else address)
    if wait > 0:
        raise Refused("too-many-requests", "too many requests", headers={"Retry-After": str(math.ceil(wait))})
    if row.role is None:
        return caller or Caller(address, "read")
    if caller is None:
        challenge = 'Bearer, Basic realm="outlast: any name, a token as password", charset="UTF-8"'
        raise Refused(
            "unauthorized", "a token is needed: Authorization: Bearer TOKEN", headers={"WWW-Authenticate": challenge}
        )
    if not caller.may(row.role):
        raise Refused("forbidden", f"this needs the role `{row.role}`; the token has `{caller.role}`")
    return caller


def problem(request: Request, error: Refused) -> Response:
    """A refusal as an answer."""
    return JSONResponse(error.document(request.state.request), error.status, headers=error.headers, media_type=MEDIA)


async def unrouted(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: no such path, no such method."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return problem(request, Refused("method-not-allowed", "this path knows other methods", headers=error.headers))
    return problem(request, Refused("not-found", "there is nothing at this path"))
