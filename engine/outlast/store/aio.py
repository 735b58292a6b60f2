"""`AsyncEngine`: the engine for asyncio. Every call runs in a thread of its own pool; the event loop never waits for a database.

A call that is cancelled may be carried out all the same: say it again under the same id to learn its answer.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from outlast.plan import Plan
from outlast.run import Terms
from outlast.store.engine import LEAP, Clock, Engine, wall_clock
from outlast.store.outbox import USUAL, Delivered, Handler, Retries
from outlast.store.records import OutgoingEffect

P = ParamSpec("P")
T = TypeVar("T")
AsyncHandler = Callable[[OutgoingEffect], Awaitable[object]]


def _threaded(
    method: Callable[Concatenate[Engine, P], T],
) -> Callable[Concatenate[AsyncEngine, P], Coroutine[Any, Any, T]]:
    @wraps(method)
    async def call(self: AsyncEngine, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.run(partial(method, self.engine, *args, **kwargs))

    return call


class AsyncEngine:
    """An `Engine` whose methods are awaited."""

    def __init__(self, engine: Engine, *, threads: int = 8) -> None:
        """`threads`: how many calls are carried out at a time; on SQLite they take turns."""
        self.engine = engine
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="outlast")

    @classmethod
    async def open(
        cls,
        url: str,
        plan: Plan | None = None,
        *,
        terms: Terms | None = None,
        clock: Clock = wall_clock,
        leap: int | None = LEAP,
        threads: int = 8,
    ) -> Self:
        """As `Engine.open`."""
        opened = partial(Engine.open, url, plan, terms=terms, clock=clock, leap=leap)
        return cls(await asyncio.to_thread(opened), threads=threads)

    async def run(self, call: Callable[[], T]) -> T:
        """Run a call in the pool."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    create = _threaded(Engine.create)
    make = _threaded(Engine.make)
    begin = _threaded(Engine.begin)
    send = _threaded(Engine.send)
    send_many = _threaded(Engine.send_many)
    get = _threaded(Engine.get)
    history = _threaded(Engine.history)
    decisions = _threaded(Engine.decisions)
    settled = _threaded(Engine.settled)
    explain = _threaded(Engine.explain)
    enabled = _threaded(Engine.enabled)
    due = _threaded(Engine.due)
    next_due = _threaded(Engine.next_due)
    run_timers = _threaded(Engine.run_timers)
    stuck = _threaded(Engine.stuck)
    effects = _threaded(Engine.effects)
    revive = _threaded(Engine.revive)
    head = _threaded(Engine.head)
    verify = _threaded(Engine.verify)
    replay = _threaded(Engine.replay)
    versions = _threaded(Engine.versions)
    specification = _threaded(Engine.specification)

    async def deliver(
        self,
        handlers: Mapping[str, AsyncHandler],
        *,
        retries: Retries = USUAL,
        limit: int = 1_000,
    ) -> Delivered:
        """As `Engine.deliver`, with handlers that are awaited on the event loop."""
        return await self.run(partial(self.engine.deliver, _on_loop(handlers), retries=retries, limit=limit))

    async def work(
        self,
        handlers: Mapping[str, AsyncHandler],
        *,
        retries: Retries = USUAL,
        poll: float = 5.0,
    ) -> None:
        """As `Engine.work`, until it is cancelled."""
        stop = threading.Event()
        working = asyncio.ensure_future(
            self.run(partial(self.engine.work, _on_loop(handlers), stop, retries=retries, poll=poll))
        )
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError:
            stop.set()
            self.engine.backend.wake()
            await working
            raise

    async def close(self) -> None:
        """No more calls."""
        await asyncio.to_thread(self._pool.shutdown)
        await asyncio.to_thread(self.engine.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _on_loop(handlers: Mapping[str, AsyncHandler]) -> dict[str, Handler]:
    """Handlers for another thread, which run where this one is."""
    loop = asyncio.get_running_loop()

    def handler(awaited: AsyncHandler, effect: OutgoingEffect) -> object:
        async def once() -> object:
            return await awaited(effect)

        return asyncio.run_coroutine_threadsafe(once(), loop).result()

    return {name: partial(handler, awaited) for name, awaited in handlers.items()}
