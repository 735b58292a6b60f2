"""The application: an engine, the routes, the worker."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from outlast import model
from outlast.plan import Plan
from outlast.service import settings
from outlast.service.bell import Bell
from outlast.service.deck import Deck
from outlast.service.door import Door, guarded, unrouted
from outlast.service.openapi import document
from outlast.service.pictures import Pictures
from outlast.service.rates import Rates
from outlast.service.routes import Row, rows
from outlast.service.settings import Limits
from outlast.service.telemetry import Census, Telemetry
from outlast.service.tokens import NOBODY, Tokens
from outlast.service.watched import WatchedBackend
from outlast.service.worker import fire_timers
from outlast.store.aio import AsyncEngine
from outlast.store.engine import LEAP, Clock, Engine, wall_clock
from outlast.store.interface import Backend
from outlast.store.opening import open_backend
from outlast.store.versions import Versions

NOWHERE = "\n"
"""A group that there cannot be."""


def open_deck(
    url: str,
    plan: Plan | None = None,
    *,
    stories: Mapping[str, model.Scenario] | None = None,
    tokens: Tokens = NOBODY,
    limits: Limits = settings.USUAL,
    clock: Clock = wall_clock,
    leap: int | None = LEAP,
    gallery: Path = Path("diagrams"),
    version: str = "0",
) -> Deck:
    """Everything a service needs, around the store at a URL; without a plan under what the store is under. Raises MisuseError, StoreError, MissingExtra."""
    inner = open_backend(url, create=plan is not None)
    try:
        plan = plan or _current(inner)
    except BaseException:
        inner.close()
        raise
    telemetry, bell = Telemetry(plan, clock), Bell()
    telemetry.on_commit = bell.ring
    backend = WatchedBackend(inner, telemetry)
    try:
        engine = AsyncEngine(Engine(backend, plan, clock=clock, leap=leap))
        with inner.transaction() as transaction:
            transaction.set_stuck(NOWHERE, "")  # changes nothing; better refused now than when the first event comes
    except BaseException:
        backend.close()
        raise
    return Deck(
        plan=plan,
        stories=stories or {},
        engine=engine,
        backend=backend,
        limits=limits,
        tokens=tokens,
        rates=Rates(limits.rate, limits.burst, time.monotonic),
        telemetry=telemetry,
        census=Census(plan, backend, time.monotonic),
        pictures=Pictures(plan, stories or {}, gallery),
        bell=bell,
        version=version,
    )


def _current(backend: Backend) -> Plan:
    with backend.reading() as reading:
        return Versions(reading).current(backend.url)


def create_app(deck: Deck, *, conformance: bool = False, encrypted: bool = False) -> Starlette:
    """The ASGI application. It closes the store when it ends."""
    table = [row for row in rows() if row.only == "always" or conformance]
    deck.document = document(deck.plan, table, deck.limits, secured=bool(deck.tokens), version=deck.version)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        deck.bell.attach()
        worker = asyncio.create_task(fire_timers(deck))
        try:
            yield
        finally:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker
            await deck.engine.close()

    return Starlette(
        routes=[_route(deck, row) for row in table],
        middleware=[Middleware(Door, deck=deck, encrypted=encrypted)],
        exception_handlers={HTTPException: unrouted},
        lifespan=lifespan,
    )


def _route(deck: Deck, row: Row) -> Route:
    return Route(row.path, guarded(deck, row), methods=[row.method], name=f"{row.method} {row.path}")
