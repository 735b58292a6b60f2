"""One function for each endpoint: from a call to an answer. Raises Refused and the engine's own errors, which the door turns into problems."""

from __future__ import annotations

import json
from functools import partial

import attrs
from starlette.responses import HTMLResponse, JSONResponse, Response

from outlast.errors import Conflict, MisuseError, Unsettled
from outlast.expr import Value
from outlast.service import answers, cloudevents, conformance, live, pictures, streams, telemetry
from outlast.service.bodies import Json, Members
from outlast.service.deck import Call, Deck
from outlast.service.problems import Refused
from outlast.store.journal import decode_snapshot
from outlast.store.records import OutgoingEffect, View

JSON = "application/json"
SVG = "image/svg+xml"
ATTEMPTS = 10
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
        with deck.backend.reading() as reading:
            rows = reading.everybody(after, limit)
        found = [
            answers.instance(View(deck.plan, decode_snapshot(deck.plan, row.snapshot), row.version))
            for row in rows
            if row.snapshot is not None and machine in (None, row.machine)
        ]
        return {"instances": found, "next": rows[-1].id if len(rows) == limit else None}

    return JSONResponse(await deck.engine.run(look))


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
    return JSONResponse(answers.receipt(deck.plan, found), 200 if found.repeated else 201)


async def instance(deck: Deck, call: Call) -> Response:
    """An instance as it stands."""
    return JSONResponse(answers.instance(await deck.engine.get(call.path("id"))))


async def history(deck: Deck, call: Call) -> Response:
    """What an instance decided, in order."""
    limit = call.limit()
    found = await deck.engine.history(call.path("id"), after=call.number("after", 0), limit=limit)
    rows = [answers.decision(deck.plan, row) for row in found]
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
    kind, data = await call.json(cloudevents.MEDIA, cloudevents.BATCH)
    latest = deck.engine.engine.clock() + deck.limits.ahead
    if kind == cloudevents.MEDIA:
        said = [cloudevents.said_in(data, "", latest)]
    else:
        if not isinstance(data, list) or not 1 <= len(data) <= deck.limits.batch:
            raise Refused("bad-request", f"a batch is a list of 1 to {deck.limits.batch:,} events")
        said = [cloudevents.said_in(item, f"/{number}", latest) for number, item in enumerate(data)]
    found = await deck.engine.send_many(said)
    for item, receipt in zip(said, found, strict=True):
        if receipt.repeated:
            deck.telemetry.repeated(item.event)
    told = [answers.receipt(deck.plan, receipt) for receipt in found]
    return JSONResponse(told[0] if kind == cloudevents.MEDIA else told)


async def decisions(deck: Deck, call: Call) -> Response:
    """The journal of the whole store, in order."""
    limit = call.limit()
    found = await deck.engine.decisions(after=call.number("after", -1), limit=limit)
    rows = [answers.decision(deck.plan, row) for row in found]
    return JSONResponse({"decisions": rows, "next": found[-1].seq if len(found) == limit else None})


async def decision_stream(deck: Deck, call: Call) -> Response:
    """The journal as it grows."""
    return streams.decisions(deck, call)


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
    fired = await deck.engine.run_timers(instant)
    return JSONResponse({"until": instant, "turns": fired.turns, "stuck": dict(fired.stuck)})


# ---- effects


async def effects(deck: Deck, call: Call) -> Response:
    """A page of effects, in the order they were decided."""
    limit, state, text = call.limit(), call.word("state", STATES), call.word("after")
    after = (-1, -1) if text is None else streams.effect_key(text)
    if after is None:
        raise Refused("bad-request", "`after` is the id of an effect, like 1048576-0")

    def look() -> dict[str, object]:
        with deck.backend.reading() as reading:
            rows = reading.effects(after, limit, state)
        found = [answers.effect(item) | {"state": state} for item, state in rows]
        return {"effects": found, "next": rows[-1][0].id if len(rows) == limit else None}

    return JSONResponse(await deck.engine.run(look))


async def effect_stream(deck: Deck, call: Call) -> Response:
    """Effects nobody has acknowledged, as they come."""
    return streams.effects(deck, call)


async def acknowledge(deck: Deck, call: Call) -> Response:
    """Say that effects were carried out: they are not sent again."""
    _, data = await call.json(JSON)
    members = Members(data)
    keys: dict[str, tuple[int, int]] = {}
    for number, item in enumerate(members.items("effects", deck.limits.batch)):
        key = streams.effect_key(item) if isinstance(item, str) else None
        if key is None:
            raise Refused("bad-request", "the id of an effect is like 1048576-0", path=f"/effects/{number}")
        keys[str(item)] = key
    members.end()
    acknowledged = await deck.engine.run(partial(_settle, deck, keys))
    return JSONResponse({"acknowledged": acknowledged, "ignored": [name for name in keys if name not in acknowledged]})


def _settle(deck: Deck, keys: dict[str, tuple[int, int]]) -> list[str]:
    """The ids of those that are done now."""
    for attempt in range(ATTEMPTS):
        try:
            with deck.backend.transaction() as transaction:
                done = []
                for name, (seq, place) in keys.items():
                    found = transaction.effects((seq, place - 1), 1, None)
                    if not found or (found[0][0].seq, found[0][0].place) != (seq, place) or found[0][1] == "dead":
                        continue
                    if found[0][1] == "pending":
                        transaction.settle_effect(_plain(found[0][0]), "done", 0, None)
                    done.append(name)
                return done
        except (Conflict, Unsettled):
            if attempt + 1 == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _plain(effect: OutgoingEffect) -> OutgoingEffect:
    """The effect without the error of an earlier attempt."""
    return attrs.evolve(effect, error=None)


# ---- pages


def _page(text: str, media: str, policy: str) -> Response:
    return Response(text, media_type=media, headers={"Content-Security-Policy": policy, "Cache-Control": "no-cache"})


async def index(deck: Deck, call: Call) -> Response:  # noqa: ARG001
    """What is served, in words and pictures."""
    return _page(deck.pictures.page(), "text/html", pictures.POLICY)


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
