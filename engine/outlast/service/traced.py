"""What is decided, for those who watch: spans of OpenTelemetry, and a structured line in the log. Off unless somebody puts it in.

    engine = Engine(traced(open_backend(url)), plan)

with `traced` of `outlast.service.watched`.

A turn is a span, and what it caused in other instances are its children. Names of spans are words of the specification; ids stand in
attributes only. Needs the extra `telemetry`, which is the API alone: what becomes of spans is decided by whoever sets up its SDK.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from itertools import groupby

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, TracerProvider

from outlast.store.records import Changes, Decision

log = logging.getLogger("outlast.decisions")
"""One line of JSON for each decision, at the level INFO."""


class Traced:
    """A `Witness` of the store. Where a span is active when an input is given, turns become its children."""

    def __init__(self, provider: TracerProvider | None = None, *, clock: Callable[[], int] = time.time_ns) -> None:
        """`clock` answers in nanoseconds, as OpenTelemetry counts; without a provider the global one is used."""
        self.tracer = trace.get_tracer("outlast", tracer_provider=provider)
        self.clock = clock
        self.conflicts = 0

    def committed(self, changes: list[Changes], seconds: float) -> None:
        """See `Witness`."""
        end = self.clock()
        begin = end - int(seconds * 1_000_000_000)
        decisions = [decision for change in changes for decision in change.decisions]
        for _, turn in groupby(decisions, key=lambda decision: decision.turn):
            self._turn(list(turn), begin, end)

    def conflicted(self) -> None:
        """See `Witness`."""
        self.conflicts += 1
        log.info('{"conflict": true}')

    def _turn(self, decisions: list[Decision], begin: int, end: int) -> None:
        first, *caused = decisions
        outer = self._span(first, begin, SpanKind.CONSUMER if first.cause in ("event", "start") else SpanKind.INTERNAL)
        with trace.use_span(outer, end_on_exit=False):
            for decision in caused:
                self._span(decision, begin, SpanKind.INTERNAL).end(end)
        outer.end(end)

    def _span(self, decision: Decision, begin: int, kind: SpanKind) -> Span:
        facts = attributes(decision)
        log.info(json.dumps(facts))
        return self.tracer.start_span(name(decision), kind=kind, attributes=facts, start_time=begin)


def name(decision: Decision) -> str:
    """A span's name, of which there are no more than the specification has words: `job start`, `job runtime-limit`."""
    what = decision.event or (decision.timer or "").partition("@")[0] or decision.cause
    return f"{decision.machine} {what}"


def attributes(decision: Decision) -> dict[str, str | int | bool | list[str]]:
    """What is worth knowing of a decision. No payload and no field: those may be nobody's business."""
    facts: dict[str, str | int | bool | list[str]] = {
        "outlast.instance": decision.instance,
        "outlast.machine": decision.machine,
        "outlast.version": decision.version,
        "outlast.turn": decision.turn,
        "outlast.cause": decision.cause,
        "outlast.at": decision.at,
        "outlast.states": list(decision.states),
        "outlast.accepted": decision.accepted,
    }
    if decision.transitions:
        facts["outlast.transitions"] = list(decision.transitions)
    if decision.clauses:
        facts["outlast.clauses"] = list(decision.clauses)
    if decision.id is not None:
        facts |= {"outlast.source": decision.source or "", "outlast.id": decision.id}
    return facts
