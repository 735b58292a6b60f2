"""How fast the machine could be in Python, written for the purpose, without names to resolve, errors to report or anything to tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from tests.bench.contender import Contender, one_by_one
from tests.bench.machine import LIMIT, LOOP, ROWS, STATES


class Job:
    """The instance of all three."""

    __slots__ = ("count", "enabled", "here", "limit")

    def __init__(self, here: Any = "queued") -> None:
        self.here, self.enabled, self.limit, self.count = here, True, LIMIT, 0


# ---- a table of callables: (state, event) -> function of the job


def _reattach(job: Job) -> None:
    if job.enabled and job.count < job.limit:
        job.count += 1
        job.here = "interactive"


def _plain(target: str) -> Callable[[Job], None]:
    def take(job: Job) -> None:
        job.here = target

    return take


_TABLE = {(source, event): _reattach if event == "reattach" else _plain(target) for source, event, target in ROWS}


def _look_up(job: Job) -> Callable[[str], None]:
    def send(event: str) -> None:
        _TABLE[job.here, event](job)

    return send


# ---- generated closures: a state is the dictionary of what can happen in it

_HERE: dict[str, dict[str, Callable[[Job], None]]] = {name: {} for name in STATES}


def _closure(target: dict[str, Callable[[Job], None]], *, guarded: bool) -> Callable[[Job], None]:
    def take(job: Job) -> None:
        job.here = target

    def take_if(job: Job) -> None:
        if job.enabled and job.count < job.limit:
            job.count += 1
            job.here = target

    return take_if if guarded else take


for _source, _event, _target in ROWS:
    _HERE[_source][_event] = _closure(_HERE[_target], guarded=_event == "reattach")


def _closures(job: Job, loops: int) -> None:
    for _ in range(loops):
        for event in LOOP:
            job.here[event](job)


# ---- a generated loop: all events in one call, the state in a local variable


def _generated() -> Callable[[Job, Sequence[str]], None]:
    lines = [
        "def send_many(job, events):",
        " here, count, enabled, limit = job.here, job.count, job.enabled, job.limit",
    ]
    lines.append(" for event in events:")
    for number, state in enumerate(STATES):
        rows = [(event, target) for source, event, target in ROWS if source == state]
        if rows:
            lines.append(f"  {'el' * bool(number)}if here == {number}:")
        for place, (event, target) in enumerate(rows):
            guard = " and enabled and count < limit" if event == "reattach" else ""
            count = "count += 1; " if event == "reattach" else ""
            lines.append(f"   {'el' * bool(place)}if event == {event!r}{guard}: {count}here = {STATES.index(target)}")
    lines.append(" job.here, job.count = here, count")
    found: dict[str, Any] = {}
    exec("\n".join(lines), found)  # noqa: S102  # the text is made of the rows above
    send_many: Callable[[Job, Sequence[str]], None] = found["send_many"]
    return send_many


_SEND_MANY = _generated()


def _many(job: Job, loops: int) -> None:
    _SEND_MANY(job, LOOP * loops)


CONTENDERS = [
    Contender(
        "limit: table of callables",
        "limit",
        Job,
        one_by_one(_look_up),
        lambda job: str(job.here),
        lambda job: int(job.count),
    ),
    Contender(
        "limit: generated closures",
        "limit",
        partial(Job, _HERE["queued"]),
        _closures,
        lambda job: next(name for name, here in _HERE.items() if here is job.here),
        lambda job: int(job.count),
    ),
    Contender(
        "limit: generated loop",
        "limit",
        partial(Job, 0),
        _many,
        lambda job: STATES[job.here],
        lambda job: int(job.count),
    ),
]
