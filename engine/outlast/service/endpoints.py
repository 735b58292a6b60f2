"""One function for each endpoint: from a call to an answer. Raises Refused and the engine's own errors, which the door turns into problems."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from starlette.responses import HTMLResponse, JSONResponse, Response

from outlast.errors import ClockSkewError, Conflict, MisuseError, Unsettled
from outlast.expr import Value
from outlast.service import answers, cloudevents, conformance, live, pictures, streams, telemetry
from outlast.service.bodies import Json, Members, parse
from outlast.service.deck import Call, Deck
from outlast.service.problems import Refused
from outlast.store.interface import Transaction
from outlast.store.journal import decode_snapshot
from outlast.store.outbox import key_of
from outlast.store.records import PLACES, OutgoingEffect, Said, View

T = TypeVar("T")
JSON = "application/json"
SVG = "image/svg+xml"
ATTEMPTS = 10
MOMENT = 0.02
"""Seconds to wait for others."""
SHOWN = 50
"""Instances on the first page."""
STATES = {"pending": 0, "done": 0, "dead": 0}


# ---- about the service


async def health(deck: Deck, call: Call) -> Response:  # noqa: ARG001  # every endpoint is called so
    """Whether the store answers and timers can be fired."""
    await deck.engine.next_due()
    well = deck.failing is None
    return JSONResponse({"status": "ok" if well else "failing", "version": deck.version}, 200 if well else 503)


async def metrics(deck: Deck, call: Call) -> Response:  # noqa: ARG001
    """The page a monitoring system reads."""
    text = await deck.engine.run(lambda: deck.telemetry.text(deck.backend, deck.census.taken()))
    return Response(text, headers={"Content-Type": telemetry.MEDIA})


async def document(deck: Deck, call: Call) -> Response:  # noqa: ARG001
    """The OpenAPI document."""
    return JSONResponse(deck.document)


async def system(deck: Deck, call: Call) -> Response:  # noqa: ARG001
    """What is run here."""
    plan = deck.plan
    machines = [
        {
            "machine": machine.name,
            "title": machine.title,
            "states": [state.name for state in machine.states],
            "events": [event.name for event in machine.events.values() if not event.internal],
            "effects": list(machine.effects),
        }
        for machine in plan.machines.values()
    ]
    return JSONResponse(
        {
            "system": plan.name,
            "title": plan.title,
            "hash": plan.hash,
            "readings": dict(plan.readings),
            "actors": dict(plan.actors),
            "machines": machines,
        }
    )


# ---- instances


async def instances(deck: Deck, call: Call) -> Response:
    """A page of instances, in order of id."""
    after, limit, machine = call.word("after") or "", call.limit(), call.word("machine", deck.plan.machines)

    def look() -> dict[str, object]:
        rows = _everybody(deck, after, limit)
        found = [answers.instance(view) for _, view in rows if view and machine in (None, view.machine.name)]
        return {"instances": found, "next": rows[-1][0] if len(rows) == limit else None}

    return JSONResponse(await deck.engine.run(look))


def _everybody(deck: Deck, after: str, limit: int) -> list[tuple[str, View | None]]:
    """Ids in order, and their instances: None for those that are gone."""
    with deck.backend.reading() as reading:
        rows = reading.everybody(after, limit)
    return [
        (
            row.id,
            None if row.snapshot is None else View(deck.plan, decode_snapshot(deck.plan, row.snapshot), row.version),
        )
        for row in rows
    ]


async def make(deck: Deck, call: Call) -> Response:
    """Make instances, all or none."""
    _, data = await call.json(JSON)
    members = Members(data)
    given: dict[str, tuple[str, dict[str, Value], str | None]] = {}
    for number, item in enumerate(members.items("instances", deck.limits.batch)):
        one = Members(item, f"/instances/{number}")
        name, machine = one.text("instance"), one.text("machine")
        if name in given:
            raise Refused("bad-request", f"`{name}` is made twice", path=f"{one.path}/instance")
        state, values = one.word("state"), one.values("fields") | one.values("refs")
        one.end()
        given[name] = (machine, values, state)
    source, id_, at = members.word("source"), members.word("id"), members.number("at")
    members.end()
    if at is not None and at > deck.engine.engine.clock() + deck.limits.ahead:
        raise Refused("bad-request", "`at` is in the future", path="/at")
    found = await deck.engine.begin(given, at=at, source=source or "", id=id_)
    return JSONResponse(answers.receipt(found), 200 if found.repeated else 201)


async def instance(deck: Deck, call: Call) -> Response:
    """An instance as it stands."""
    return JSONResponse(answers.instance(await deck.engine.get(call.path("id"))))


async def history(deck: Deck, call: Call) -> Response:
    """What an instance decided, in order."""
    limit = call.limit()
    found = await deck.engine.history(call.path("id"), after=call.number("after", 0), limit=limit)
    rows = [answers.decision(row) for row in found]
    return JSONResponse({"decisions": rows, "next": found[-1].version if len(found) == limit else None})


async def offers(deck: Deck, call: Call) -> Response:
    """What could be said to an instance now and would be accepted."""
    found = await deck.engine.enabled(call.path("id"))
    return JSONResponse({"offers": [answers.offer(item) for item in found]})


async def explanation(deck: Deck, call: Call) -> Response:
    """Why a decision of an instance went as it did."""
    version = call.number("version", -1)
    found = await deck.engine.explain(call.path("id"), version=None if version < 0 else version)
    return JSONResponse(answers.explanation(found))


async def question(deck: Deck, call: Call) -> Response:
    """What would happen to an event now, and why, without it happening."""
    _, data = await call.json(JSON)
    members = Members(data)
    event, payload, by = members.text("event"), members.values("payload"), members.word("by")
    members.end()
    found = await deck.engine.explain(call.path("id"), event, payload, by=by)
    return JSONResponse(answers.explanation(found))


async def story(deck: Deck, call: Call) -> Response:
    """An instance and those it has to do with, as a story the explorer can walk."""
    return JSONResponse(await deck.engine.run(partial(live.story_of, deck.plan, deck.backend, call.path("id"))))


# ---- events


async def events(deck: Deck, call: Call) -> Response:
    """Say one event, or several in one transaction: all of them, or none."""
    kind, data = await _envelope(call)
    latest = deck.engine.engine.clock() + deck.limits.ahead
    if kind == cloudevents.MEDIA:
        said = [cloudevents.said_in(data, "", latest)]
    elif kind == cloudevents.BINARY:
        said = [_of_headers(data, latest)]
    else:
        if not isinstance(data, list) or not 1 <= len(data) <= deck.limits.batch:
            raise Refused("bad-request", f"a batch is a list of 1 to {deck.limits.batch:,} events")
        said = [cloudevents.said_in(item, f"/{number}", latest) for number, item in enumerate(data)]
    found = await deck.engine.send_many(said)
    for item, receipt in zip(said, found, strict=True):
        if receipt.repeated:
            deck.telemetry.repeated(item.event)
    told = [answers.receipt(receipt) for receipt in found]
    return JSONResponse(told if kind == cloudevents.BATCH else told[0])


async def _envelope(call: Call) -> tuple[str, Json]:
    """The event or events of a request, in whichever mode they come. Raises Refused."""
    headers = call.request.headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if f"{cloudevents.PREFIX}specversion" not in headers or kind in (cloudevents.MEDIA, cloudevents.BATCH):
        return await call.json(cloudevents.MEDIA, cloudevents.BATCH)
    if kind or headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        _, body = await call.body(cloudevents.BINARY)
    else:
        body = b""
    return cloudevents.BINARY, cloudevents.gathered(headers.items(), parse(body, call.limits.depth) if body else None)


def _of_headers(data: Json, latest: int) -> Said:
    """The event of an envelope of headers. Raises Refused, without saying where in the body: it is not there."""
    try:
        return cloudevents.said_in(data, "", latest)
    except Refused as error:
        raise Refused(error.code, error.detail) from error


async def decisions(deck: Deck, call: Call) -> Response:
    """The journal of the whole store, in order."""
    limit = call.limit()
    found = await deck.engine.decisions(after=call.number("after", -1), limit=limit)
    rows = [answers.decision(row) for row in found]
    return JSONResponse({"decisions": rows, "next": found[-1].seq if len(found) == limit else None})


async def decision_stream(deck: Deck, call: Call) -> Response:
    """The journal as it grows."""
    return await streams.decisions(deck, call)


# ---- time


async def deadlines(deck: Deck, call: Call) -> Response:
    """What will happen by itself, soonest first."""
    found = await deck.engine.due(call.limit())
    due = await deck.engine.next_due()
    return JSONResponse({"deadlines": [answers.deadline(item) for item in found], "next_due": due})


async def time(deck: Deck, call: Call) -> Response:  # noqa: ARG001
    """What time it is here, and what comes next."""
    due, stuck = await deck.engine.next_due(), await deck.engine.stuck()
    return JSONResponse({"now": deck.engine.engine.clock(), "next_due": due, "stuck": stuck})


async def advance(deck: Deck, call: Call) -> Response:
    """Fire everything that is due by an instant."""
    _, data = await call.json(JSON)
    members = Members(data)
    until = members.number("until")
    members.end()
    instant = deck.engine.engine.clock() if until is None else until
    try:
        fired = await deck.engine.run_timers(instant)
        turns, stuck = fired.turns, dict(fired.stuck)
        while await _overdue(deck, instant):  # others are firing it at this moment
            await deck.bell.after(deck.bell.mark(), MOMENT)
            fired = await deck.engine.run_timers(instant)
            turns, stuck = turns + fired.turns, {**stuck, **fired.stuck}
    except ClockSkewError as error:
        if until is None:
            raise
        raise Refused("bad-request", str(error), path="/until") from error
    return JSONResponse({"until": instant, "turns": turns, "stuck": stuck})


async def _overdue(deck: Deck, instant: int) -> bool:
    due = await deck.engine.next_due()
    return due is not None and due <= instant


# ---- effects


async def effects(deck: Deck, call: Call) -> Response:
    """A page of effects, in the order they were decided."""
    limit, state, text = call.limit(), call.word("state", STATES), call.word("after")
    after = (-1, -1) if text is None else key_of(text)
    if after is None:
        raise Refused("bad-request", "`after` is the id of an effect, like 1048576-0")

    def look() -> dict[str, object]:
        settled = deck.engine.engine.settled()
        with deck.backend.reading() as reading:
            rows = reading.effects(after, limit, state)
        found = [answers.kept(item, state) for item, state in rows if item.seq // PLACES <= settled]
        return {"effects": found, "next": rows[-1][0].id if len(found) == limit else None}

    return JSONResponse(await deck.engine.run(look))


async def effect_stream(deck: Deck, call: Call) -> Response:
    """Effects nobody has acknowledged, as they come."""
    return streams.effects(deck, call)


async def acknowledge(deck: Deck, call: Call) -> Response:
    """Say that effects were carried out: they are not sent again."""

    def settle(transaction: Transaction, effect: OutgoingEffect, state: str) -> bool:
        if state == "pending":
            transaction.settle_effect(effect, "done", 0, None)
        return state != "dead"

    done, ignored = await _changed(deck, call, settle)
    return JSONResponse({"acknowledged": done, "ignored": ignored})


async def revive(deck: Deck, call: Call) -> Response:
    """Let dead effects be tried again by whoever carries them out."""

    def again(transaction: Transaction, effect: OutgoingEffect, _: str) -> bool:
        return transaction.revive_effect(effect.seq, effect.place, deck.engine.engine.clock())

    done, ignored = await _changed(deck, call, again)
    return JSONResponse({"revived": done, "ignored": ignored})


async def _changed(
    deck: Deck, call: Call, change: Callable[[Transaction, OutgoingEffect, str], bool]
) -> tuple[list[str], list[str]]:
    """Change the effects a body names, in one transaction; those to which something could be done, and the others. Raises Refused."""
    _, data = await call.json(JSON)
    members = Members(data)
    keys: dict[str, tuple[int, int]] = {}
    for number, item in enumerate(members.items("effects", deck.limits.batch)):
        key = key_of(item) if isinstance(item, str) else None
        if key is None:
            raise Refused("bad-request", "the id of an effect is like 1048576-0", path=f"/effects/{number}")
        keys[str(item)] = key
    members.end()

    def work() -> list[str]:
        with deck.backend.transaction() as transaction:
            return [
                name
                for name, key in keys.items()
                if (found := _effect(transaction, key)) and change(transaction, *found)
            ]

    done = await deck.engine.run(partial(_persistently, work))
    return done, [name for name in keys if name not in done]


def _effect(transaction: Transaction, key: tuple[int, int]) -> tuple[OutgoingEffect, str] | None:
    """An effect and its state."""
    seq, place = key
    found = transaction.effects((seq, place - 1), 1, None)
    return found[0] if found and (found[0][0].seq, found[0][0].place) == key else None


def _persistently(work: Callable[[], T]) -> T:
    """Do something, and again when others get in its way. Raises Conflict, Unsettled."""
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(Conflict, Unsettled):
            return work()
    return work()


# ---- pages


def _page(text: str, media: str, policy: str) -> Response:
    return Response(text, media_type=media, headers={"Content-Security-Policy": policy, "Cache-Control": "no-cache"})


async def index(deck: Deck, call: Call) -> Response:  # noqa: ARG001
    """What is served, in words and pictures."""
    rows = await deck.engine.run(partial(_everybody, deck, "", SHOWN + 1))
    page = deck.pictures.page([view for _, view in rows[:SHOWN] if view], more=len(rows) > SHOWN)
    return _page(page, "text/html", pictures.POLICY)


async def picture(deck: Deck, call: Call) -> Response:
    """The picture of a machine."""
    text = await deck.engine.run(partial(deck.pictures.machine, call.path("name").removesuffix(".svg")))
    return _page(text, SVG, pictures.PICTURE_POLICY)


async def story_picture(deck: Deck, call: Call) -> Response:
    """A scenario as a timeline."""
    text = await deck.engine.run(partial(deck.pictures.story, call.path("name").removesuffix(".svg")))
    return _page(text, SVG, pictures.PICTURE_POLICY)


async def explorer(deck: Deck, call: Call) -> Response:
    """The explorer of the system; with `instance`, following it."""
    name = call.word("instance")
    if name is not None:
        await deck.engine.get(name)
    try:
        page = await deck.engine.run(partial(live.page, deck.plan, deck.stories, deck.pictures, name))
    except MisuseError as error:
        raise Refused("not-found", str(error)) from error
    return HTMLResponse(page.text, headers={"Content-Security-Policy": page.policy, "Cache-Control": "no-cache"})


# ---- conformance


async def case(deck: Deck, call: Call) -> Response:
    """One command of the protocol of conformance tables."""
    _, data = await call.json(JSON)
    return JSONResponse(await deck.engine.run(partial(_answered, deck, data)))


def _answered(deck: Deck, data: Json) -> dict[str, object]:
    text: dict[str, object] = json.loads(json.dumps(conformance.answer(deck.plan, data)))
    return text
