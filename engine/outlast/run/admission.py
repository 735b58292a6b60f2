"""Whether an outside event may come in at all: known, from an actor that may send it, with a payload inside its declaration."""

from __future__ import annotations

from outlast.errors import UnknownName, listed
from outlast.plan import Machine, Plan, tables
from outlast.run.snapshot import Event


def declared(machine: Machine, name: str) -> tables.Event:
    """The declaration of an event the outside may say. Raises UnknownName."""
    event = machine.events.get(name)
    if event is None or event.internal:
        known = [event.name for event in machine.events.values() if not event.internal]
        raise UnknownName(f"event of {machine.name}", name, known)
    return event


def check_actor(plan: Plan, actor: str | None) -> None:
    """Raises UnknownName for an actor the system does not know."""
    if actor is not None and actor not in plan.actors:
        raise UnknownName("actor", actor, plan.actors)


def refusal(declaration: tables.Event, event: Event, plan: Plan) -> str | None:
    """Why the event may not come in, with the clauses that say so; None if it may. Raises UnknownName for an unknown actor."""
    cited = f" ({', '.join(declaration.because)})" if declaration.because else ""
    check_actor(plan, event.by)
    if event.by is not None and declaration.by and event.by not in declaration.by:
        return f"`{event.by}` may not send it, only {listed(declaration.by)} may{cited}"
    given = dict(event.payload)
    for field in declaration.payload.values():
        if objection := field.objection(given.get(field.name)):
            because = f" ({', '.join(field.because)})" if field.because else cited
            return objection + because
    return None
