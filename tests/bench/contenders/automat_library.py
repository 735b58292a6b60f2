"""Automat: inputs and outputs are methods; it knows no guards, but outputs can count."""

from __future__ import annotations

from typing import Any

from automat import MethodicalMachine

from tests.bench.contender import Contender, one_by_one
from tests.bench.machine import ROWS, STATES


def _declare() -> type:
    """A class as one would write it by hand, made of the rows."""
    machine = MethodicalMachine()

    def method(name: str) -> Any:
        def body(self: Any) -> None:
            """See `ROWS`."""

        body.__name__ = body.__qualname__ = name
        return body

    def add(self: Any) -> None:
        self.count += 1

    def saved(self: Any, state: str) -> str:  # noqa: ARG001  # Automat's signature
        return state

    states = {name: machine.state(initial=name == "queued", serialized=name)(method(f"is_{name}")) for name in STATES}
    events = {name: machine.input()(method(name)) for name in dict.fromkeys(event for _, event, _ in ROWS)}
    counted = machine.output()(add)
    for source, event, target in ROWS:
        outputs = [counted] if event == "reattach" else []
        states[source].upon(events[event], enter=states[target], outputs=outputs)
    body = {"count": 0, "machine": machine, "add": counted, "saved": machine.serializer()(saved), **events}
    return type("Job", (), body | {f"is_{name}": state for name, state in states.items()})


_Job = _declare()

CONTENDERS = [
    Contender(
        name="automat (no guards)",
        role="peer",
        new=_Job,
        run=one_by_one(lambda job: lambda event: getattr(job, event)()),
        state=lambda job: str(job.saved()),
        count=lambda job: int(job.count),
        distribution="automat",
        program="import automat",
    )
]
