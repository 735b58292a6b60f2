"""What a monitoring system asks: counters and histograms of this process, gauges of the store, in the text form of Prometheus.

Labels are words of the specification, never ids, so that there are never more series than the specification has words.
"""

from __future__ import annotations

import json
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import attrs

from outlast.moments import SECOND
from outlast.plan import Plan
from outlast.store.interface import Backend
from outlast.store.records import Changes, Decision
from outlast.values import frozen

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
COMMITS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
LATENESS = (0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 3_600.0, 86_400.0)
MOST_OVERDUE = 10_000
"""Overdue timers are counted up to here."""
MOST_DEAD = 10_000
"""So are dead effects."""
Labels = tuple[tuple[str, str], ...]


@attrs.define(eq=False)
class Histogram:
    """How many observations were at most so large."""

    bounds: tuple[float, ...]
    counts: list[int] = attrs.field(init=False)
    total: float = 0.0

    def __attrs_post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def observe(self, value: float) -> None:
        """One more."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def lines(self, name: str) -> Iterator[str]:
        """As Prometheus reads it: cumulative."""
        so_far = 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            so_far += count
            yield f'{name}_bucket{{le="{bound}"}} {so_far}'
        yield f"{name}_sum {self.total:g}"
        yield f"{name}_count {so_far}"


class Telemetry:
    """Everything that is counted. A `Witness` of the store."""

    def __init__(self, plan: Plan, clock: Callable[[], int]) -> None:
        self.plan, self.clock = plan, clock
        self.on_commit: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._events: Counter[Labels] = Counter()
        self._transitions: Counter[Labels] = Counter()
        self._requests: Counter[Labels] = Counter()
        self._conflicts = self._turned_away = 0
        self._lateness, self._commits = Histogram(LATENESS), Histogram(COMMITS)
        self._ways = {
            (machine.name, key): (
                ("machine", machine.name),
                ("from", machine.states[row.source].name),
                (
                    "to",
                    "+".join(machine.states[target].name for target in row.targets) or machine.states[row.source].name,
                ),
            )
            for machine in plan.machines.values()
            for key, row in machine.arrows.items()
        }

    # ---- as a witness

    def committed(self, changes: list[Changes], seconds: float) -> None:
        """See `Witness`."""
        now = self.clock()
        with self._lock:
            self._commits.observe(seconds)
            for change in changes:
                for decision in change.decisions:
                    self._count(decision, now)
        self.on_commit()

    def conflicted(self) -> None:
        """See `Witness`."""
        with self._lock:
            self._conflicts += 1

    def _count(self, decision: Decision, now: int) -> None:
        said = decision.said
        if decision.cause == "event" and decision.is_input:
            self._events[
                (("type", str(decision.event)), ("result", "refused" if "refusal" in said else "accepted"))
            ] += 1
        if decision.cause == "timer":
            self._lateness.observe(max(0, now - decision.at) / SECOND)
        for micro in said.get("microsteps", ()):
            for key in micro[1]:
                self._transitions[self._ways[decision.machine, key]] += 1

    # ---- what the service counts

    def repeated(self, event: str) -> None:
        """An event was answered from the journal."""
        with self._lock:
            self._events[(("type", event), ("result", "repeated"))] += 1

    def request(self, method: str, path: str, status: int) -> None:
        """A request was answered; `path` is that of the route."""
        with self._lock:
            self._requests[(("method", method), ("path", path), ("status", str(status)))] += 1

    def turned_away(self) -> None:
        """A request was not answered: there were too many at once."""
        with self._lock:
            self._turned_away += 1

    # ---- as text

    def text(self, backend: Backend, counted: Counted) -> str:
        """The whole page. Reads the store."""
        now = self.clock()
        with backend.reading() as reading:
            overdue = len(reading.due(None, now, MOST_OVERDUE))
            waiting = reading.effects((-1, -1), 1, "pending")
            stuck = len(reading.stuck())
        lag = max(0, now - waiting[0][0].at) / SECOND if waiting else 0.0
        with self._lock:
            lines = [
                *_counter("events_total", "events said from outside, by what became of them", self._events),
                *_counter("transitions_total", "transitions taken", self._transitions),
                *_head("timer_lateness_seconds", "how late timers fired: the one to alert on", "histogram"),
                *self._lateness.lines("outlast_timer_lateness_seconds"),
                *_gauge(
                    "timers_overdue", f"instances with a timer due that has not fired, up to {MOST_OVERDUE:,}", overdue
                ),
                *_gauge("groups_stuck", "groups whose timers cannot be fired", stuck),
                *_gauge("outbox_lag_seconds", "age of the oldest effect nobody has acknowledged", lag),
                *_gauge(
                    "effects_dead", f"effects given up, up to {MOST_DEAD:,}: look why, and revive them", counted.dead
                ),
                *_head("commit_seconds", "how long transactions that wrote took", "histogram"),
                *self._commits.lines("outlast_commit_seconds"),
                *_head("conflicts_total", "transactions given up because others changed the same", "counter"),
                f"outlast_conflicts_total {self._conflicts}",
                *_counter("http_requests_total", "requests answered", self._requests),
                *_head("http_overloaded_total", "requests turned away: too many at once", "counter"),
                f"outlast_http_overloaded_total {self._turned_away}",
            ]
        lines += _head("instances", "instances, by each innermost state they are in", "gauge")
        lines += [
            f"outlast_instances{_labelled(labels)} {count}" for labels, count in sorted(counted.instances.items())
        ]
        return "\n".join(lines) + "\n"


@frozen
class Counted:
    """What a census found: labels -> how many instances; how many effects are dead."""

    instances: Mapping[Labels, int]
    dead: int


class Census:
    """How many instances sit in each state, and how many effects are dead, over all processes. Counted anew when asked, but for a twentieth of the time at most."""

    def __init__(self, plan: Plan, backend: Backend, clock: Callable[[], float], rest: float = 5.0) -> None:
        self.plan, self.backend, self.clock, self.rest = plan, backend, clock, rest
        self._lock = threading.Lock()
        self._found = Counted({}, 0)
        self._again = float("-inf")

    def taken(self) -> Counted:
        """The last one, at most `rest` seconds old, or twenty times what counting takes."""
        with self._lock:
            begun = self.clock()
            if begun >= self._again:
                self._found = Counted(self._instances(), self._dead())
                done = self.clock()
                self._again = done + max(self.rest, 20 * (done - begun))
            return self._found

    def _dead(self) -> int:
        with self.backend.reading() as reading:
            return len(reading.effects((-1, -1), MOST_DEAD, "dead"))

    def _instances(self) -> Counter[Labels]:
        found: Counter[Labels] = Counter(
            {
                (("machine", machine.name), ("state", state.name)): 0
                for machine in self.plan.machines.values()
                for state in machine.states
                if state.is_leaf
            }
        )
        after = ""
        while True:
            with self.backend.reading() as reading:
                rows = reading.everybody(after, 1_000)
            for row in rows:
                if row.snapshot is not None:
                    inner = self.plan.machines[row.machine].innermost(tuple(json.loads(row.snapshot)["configuration"]))
                    found.update((("machine", row.machine), ("state", name)) for name in inner)
            if len(rows) < 1_000:
                return found
            after = rows[-1].id


def _head(name: str, about: str, kind: str) -> list[str]:
    return [f"# HELP outlast_{name} {about}", f"# TYPE outlast_{name} {kind}"]


def _gauge(name: str, about: str, value: float) -> list[str]:
    return [*_head(name, about, "gauge"), f"outlast_{name} {value:g}"]


def _counter(name: str, about: str, counts: Mapping[Labels, int]) -> list[str]:
    rows = [f"outlast_{name}{_labelled(labels)} {count}" for labels, count in sorted(counts.items())]
    return [*_head(name, about, "counter"), *rows]


def _labelled(labels: Labels) -> str:
    parts = [f'{name}="{_escaped(value)}"' for name, value in labels]
    return "{" + ",".join(parts) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
