"""Server-sent events: effects nobody has acknowledged, and decisions, as they come.

Every event has an id; a client that comes back with `Last-Event-ID` goes on after it. Where several writers commit at the same time (PostgreSQL), a
turn may be committed behind a later one: a stream goes no further than the store is settled, so it passes over none and repeats none.
Whoever acts on an effect must go by its id all the same: whether it was acknowledged may be lost on the way.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

from starlette.responses import StreamingResponse

from outlast.service import answers
from outlast.service.cloudevents import effect_out
from outlast.service.deck import Call, Deck
from outlast.service.problems import Refused
from outlast.store.outbox import key_of
from outlast.store.records import PLACES

MEDIA = "text/event-stream"
CHUNK = 200
Key: TypeAlias = tuple[int, int]
Item: TypeAlias = tuple[Key, str, str, dict[str, object]]
"""Where it stands, its id, its name, its data."""
Read: TypeAlias = Callable[[Key], Awaitable[list[Item]]]
"""At most `CHUNK` items after a key, in order."""


def effects(deck: Deck, call: Call) -> StreamingResponse:
    """Effects nobody has acknowledged, each as a CloudEvent. Raises Refused."""

    async def read(after: Key) -> list[Item]:
        found = await deck.engine.effects("pending", after=after, limit=CHUNK)
        return [((item.seq, item.place), item.id, "effect", effect_out(item, deck.source)) for item in found]

    last = call.request.headers.get("last-event-id")
    key = key_of(last) if last else (-1, -1)
    if key is None:
        raise Refused("bad-request", "`Last-Event-ID` is the id of an effect, like 1048576-0")
    return _stream(deck, read, key)


async def decisions(deck: Deck, call: Call) -> StreamingResponse:
    """The journal; without `Last-Event-ID` or `after`, from now on: what is decided once the answer has begun is in it. Raises Refused."""

    async def read(after: Key) -> list[Item]:
        found = await deck.engine.decisions(after=after[0], limit=CHUNK)
        return [((row.seq, 0), str(row.seq), "decision", answers.decision(row)) for row in found]

    last = call.request.headers.get("last-event-id")
    if last is not None and not (last.isascii() and last.isdecimal() and len(last) < 19):
        raise Refused("bad-request", "`Last-Event-ID` is the number of a decision")
    if last is not None or "after" in call.request.query_params:
        return _stream(deck, read, (int(last) if last is not None else call.number("after", -1), 0))
    high = (await deck.engine.settled() + 1) * PLACES - 1
    return _stream(deck, read, (high, 0), f"id: {high}\n")  # nothing has come yet, and one can come back all the same


def _stream(deck: Deck, read: Read, after: Key, first: str = "") -> StreamingResponse:
    if deck.streams >= deck.limits.streams:
        raise Refused("too-many-streams", f"there are {deck.streams} streams already", headers={"Retry-After": "5"})
    deck.streams += 1
    return _Counted(deck, read, after, first)


class _Counted(StreamingResponse):
    """A stream that is counted until its connection has ended."""

    def __init__(self, deck: Deck, read: Read, after: Key, first: str) -> None:
        self.deck = deck
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(_lines(deck, read, after, first), media_type=MEDIA, headers=headers)

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]  # as Starlette has it
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.deck.streams -= 1


async def _lines(deck: Deck, read: Read, after: Key, first: str) -> AsyncIterator[str]:
    yield f"retry: 2000\n{first}\n"
    high = after
    quiet = 0.0
    while not deck.closing:
        mark = deck.bell.mark()
        settled = await deck.engine.settled()
        while found := [item for item in await read(high) if item[0][0] // PLACES <= settled]:
            for high, id_, name, data in found:  # noqa: B007  # where it stands afterwards
                yield f"id: {id_}\nevent: {name}\ndata: {json.dumps(data)}\n\n"
            quiet = 0.0
            if len(found) < CHUNK:
                break
        if quiet >= deck.limits.heartbeat:
            yield ": still here\n\n"
            quiet = 0.0
        if not deck.closing and not await deck.bell.after(mark, deck.limits.poll):
            quiet += deck.limits.poll
