"""Streams of decisions and effects: in order, complete, and so when they are resumed, however transactions overlap."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar, cast

import attrs
import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse

from outlast.moments import DAY
from outlast.plan import Plan
from outlast.service import endpoints, streams
from outlast.service.app import open_deck
from outlast.service.bell import Bell
from outlast.service.deck import Call, Deck
from outlast.service.routes import Endpoint
from outlast.service.tokens import Caller
from outlast.store.engine import Engine
from outlast.store.interface import Transaction
from outlast.store.opening import open_backend
from outlast.store.records import PLACES, Changes
from tests.service.conftest import UNHURRIED
from tests.store.conftest import BACKENDS, fresh
from tests.store.people import START, Clock, settled

T = TypeVar("T")
IMPATIENT = attrs.evolve(UNHURRIED, heartbeat=0.0, poll=0.001)
"""A stream says after every look that it is still there."""
STILL = ": still here\n\n"


class Slow:
    """A backend that has drawn its numbers, and waits before it writes."""

    def __init__(self, url: str) -> None:
        self.inner = open_backend(url)
        self.reached, self.go = threading.Event(), threading.Event()
        self.go.set()

    def __getattr__(self, name: str) -> Any:  # everything else is the backend's
        return getattr(self.inner, name)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """As the backend's."""
        with self.inner.transaction() as transaction:
            yield cast(Transaction, _Slow(self, transaction))


class _Slow:
    def __init__(self, slow: Slow, inner: Transaction) -> None:
        self.slow, self.inner = slow, inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def write(self, changes: Changes) -> None:
        self.slow.reached.set()
        assert self.slow.go.wait(30)
        self.inner.write(changes)


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """Where a store of the test's own can be, on both backends."""
    return fresh(request, tmp_path)


def people(url: str, plan: Plan) -> None:
    """Three users with a job each: three groups."""
    with settled(url, plan) as engine:
        for name in ("one", "two", "three"):
            engine.create("interactive-session", f"user-{name}", center="acme")
            engine.create("job", name, domain="ds", session=f"user-{name}", kind="training")


async def told(deck: Deck, what: Endpoint, query: str = "", **headers: str) -> AsyncIterator[str]:
    """A stream, as it is sent: each piece is asked for by whoever reads, so a look is a piece."""
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    request = Request({"type": "http", "method": "GET", "headers": given, "query_string": query.encode()})
    answer = await what(deck, Call(request, Caller("me", "admin"), deck.limits))
    assert isinstance(answer, StreamingResponse)
    return cast(AsyncIterator[str], answer.body_iterator)


def id_of(piece: str) -> str:
    """The id of an event."""
    assert piece.startswith("id: "), piece
    return piece.partition("\n")[0].removeprefix("id: ")


async def next_of(stream: AsyncIterator[str]) -> str:
    """The next piece that says something; an endless silence is a failure."""
    for _ in range(5_000):
        if (piece := await anext(stream)) != STILL:
            return piece
    raise AssertionError("nothing comes")


def following(url: str, plan: Plan, story: Callable[[Deck], Awaitable[None]]) -> None:
    """Tell a story to a service around the store."""

    async def whole() -> None:
        deck = open_deck(url, plan, limits=IMPATIENT, clock=Clock())
        deck.bell.attach()
        try:
            await story(deck)
        finally:
            await deck.engine.close()

    asyncio.run(whole())


@pytest.mark.parametrize("what", [endpoints.decision_stream, endpoints.effect_stream])
def test_a_late_commit_is_not_passed_over(postgres: str, sagemaker: Plan, what: Endpoint) -> None:
    """A number that was drawn and not committed holds up those behind it, for streams, pages and resumed streams alike; then all come, in order."""
    people(postgres, sagemaker)
    slow = Slow(postgres)
    writer = Engine(cast(Any, slow), sagemaker, clock=Clock())
    slow.go.clear()
    working = threading.Thread(target=lambda: writer.send("one", "start"))

    async def story(deck: Deck) -> None:
        first = await told(deck, what)
        assert (await anext(first)).startswith("retry: ")
        working.start()
        await asyncio.to_thread(slow.reached.wait, 30)
        early = await deck.engine.settled()
        for name in ("two", "three"):
            assert (await deck.engine.send(name, "start")).turn > early + 1
        looks = [await anext(first) for _ in range(3)]
        page = await deck.engine.decisions(after=(early + 1) * PLACES - 1)
        slow.go.set()
        await asyncio.to_thread(working.join)
        come = [id_of(await next_of(first)) for _ in range(3)]
        resumed = await told(deck, what, last_event_id=come[0])
        await anext(resumed)

        assert (looks, page) == ([STILL] * 3, [])
        assert int(come[0].partition("-")[0]) // PLACES == early + 1
        assert [id_of(await next_of(resumed)) for _ in range(2)] == come[1:]
        instances = [
            row.instance for row in await deck.engine.decisions(after=(early + 1) * PLACES - 1) if row.is_input
        ]
        assert instances == ["one", "two", "three"]

    try:
        following(postgres, sagemaker, story)
    finally:
        slow.go.set()
        writer.close()


def test_a_writer_that_gives_up_holds_nobody_up(postgres: str, sagemaker: Plan) -> None:
    """A number that was drawn and rolled back leaves a gap, and a stream goes on over it."""
    people(postgres, sagemaker)

    async def story(deck: Deck) -> None:
        stream = await told(deck, endpoints.decision_stream)
        await anext(stream)
        other = open_backend(postgres)
        with suppress(ZeroDivisionError), other.transaction() as transaction:
            transaction.lock(["one"], alone=False)
            (number,) = transaction.numbers(1)
            receipt = await deck.engine.send("two", "start")
            assert [await anext(stream) for _ in range(2)] == [STILL] * 2
            raise ZeroDivisionError
        other.close()

        assert receipt.turn == number + 1
        assert id_of(await next_of(stream)) == str(receipt.decision.seq)

    following(postgres, sagemaker, story)


def test_marks_of_another_store_count_for_nothing(server: str, sagemaker: Plan, request: pytest.FixtureRequest) -> None:
    """Stores in schemas of one database do not hold each other up."""
    one, two = (f"{server}&schema={name}_{id(request)}" for name in ("one", "two"))
    people(one, sagemaker)
    people(two, sagemaker)
    other = open_backend(one)
    with other.transaction() as transaction, settled_engine(two, sagemaker) as engine:
        transaction.lock(["one"], alone=False)
        transaction.numbers(1)
        receipt = engine.send("two", "start")

        assert engine.settled() == receipt.turn
        assert engine.decisions()[-1].turn == receipt.turn
    other.close()


def settled_engine(url: str, plan: Plan) -> Engine:
    """The engine of a store that is there."""
    return Engine.open(url, plan, clock=Clock())


def test_time_waits_for_whoever_is_firing(postgres: str, sagemaker: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another worker has claimed has happened too when `POST /v1/time` answers."""
    people(postgres, sagemaker)
    until = START + 30 * DAY

    async def given() -> dict[str, object]:
        return {"type": "http.request", "body": b'{"until": %d}' % until}

    async def story(deck: Deck) -> None:
        other = open_backend(postgres)
        claiming = other.transaction()
        claimed = claiming.__enter__()
        claimed.lock((), alone=False)
        groups = claimed.claim(until, 50)
        waited = []

        async def after(_mark: asyncio.Event, seconds: float) -> bool:
            waited.append(seconds)
            claiming.__exit__(None, None, None)
            return True

        monkeypatch.setattr(deck.bell, "after", after)
        headers = [(b"content-type", b"application/json")]
        request = Request({"type": "http", "method": "POST", "headers": headers, "query_string": b""}, given)
        answer = await endpoints.advance(deck, Call(request, Caller("me", "admin"), deck.limits))
        other.close()

        assert waited == [endpoints.MOMENT]
        assert json.loads(bytes(answer.body))["turns"] >= len(groups) > 1
        assert (await deck.engine.next_due() or until + 1) > until

    following(postgres, sagemaker, story)


def test_a_stream_that_heard_nothing_is_resumed(url: str, sagemaker: Plan) -> None:
    """It begins with an id, so that whoever loses the connection before anything came misses nothing either."""
    people(url, sagemaker)

    async def story(deck: Deck) -> None:
        stream = await told(deck, endpoints.decision_stream)
        begin = (await anext(stream)).split("\n")
        missed = await deck.engine.send("one", "start")
        again = await told(deck, endpoints.decision_stream, last_event_id=begin[1].removeprefix("id: "))
        await anext(again)

        assert begin[0] == "retry: 2000"
        assert begin[2:] == ["", ""]
        assert id_of(await next_of(again)) == str(missed.decision.seq)

    following(url, sagemaker, story)


def test_a_stream_tells_what_happens_once_it_is_answered(url: str, sagemaker: Plan) -> None:
    """Whoever has seen the status may say something, and hears of it: where the stream begins is settled before."""
    people(url, sagemaker)

    async def story(deck: Deck) -> None:
        stream = await told(deck, endpoints.decision_stream)
        said = await deck.engine.send("one", "start")
        await anext(stream)

        assert id_of(await next_of(stream)) == str(said.decision.seq)

    following(url, sagemaker, story)


def test_whoever_is_cancelled_as_the_bell_rings_ends() -> None:
    """Or the service would not."""

    async def whole() -> bool:
        bell = Bell()
        bell.attach()
        mark = bell.mark()
        waiting = asyncio.create_task(bell.after(mark, 30))
        for _ in range(3):
            await asyncio.sleep(0)
        mark.set()
        waiting.cancel()
        await asyncio.wait([waiting])
        return waiting.cancelled()

    assert asyncio.run(whole())


def test_more_than_is_read_at_a_time(url: str, sagemaker: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long journal comes piece by piece, whole and in order, from wherever it is asked for."""
    monkeypatch.setattr(streams, "CHUNK", 2)
    people(url, sagemaker)

    async def story(deck: Deck) -> None:
        for name in ("one", "two", "three"):
            await deck.engine.send(name, "start")
        rows = [str(row.seq) for row in await deck.engine.decisions()]
        stream = await told(deck, endpoints.decision_stream, query="after=0")
        await anext(stream)

        assert len(rows) > 10
        assert [id_of(await next_of(stream)) for _ in rows] == rows

    following(url, sagemaker, story)
