"""This engine, as its users call it."""

from __future__ import annotations

from collections.abc import Callable

import attrs

import outlast
from outlast import Automaton, Instance, Plan, System
from tests.bench.contender import Contender, one_by_one
from tests.bench.machine import LOOP, SPECS


@attrs.frozen
class _Place:
    """A job in a system."""

    system: System
    job: Instance

    def run(self, loops: int) -> None:
        """Say everything to the job, and look at none of the answers."""
        send, job = self.system.send, self.job
        for _ in range(loops):
            for event in LOOP:
                send(job, event)


_FULL = 1000


@attrs.define
class _Crowd:
    """A system that new jobs are put in, and another when it is full; `watched`: each with an instance that observes it and sets timers."""

    plan: Plan
    watched: bool = False
    made: int = 0
    system: System = attrs.field(init=False)

    def new(self) -> _Place:
        """Another job."""
        number = self.made % _FULL
        if not number:
            self.system = System(self.plan)
        self.made += 1
        job = self.system.add("job", f"job-{number}")
        if self.watched:
            self.system.add("watch", f"watch-{number}", job=job)
        return _Place(self.system, job)


def _in_system(name: str, crowd: _Crowd) -> Contender:
    return Contender(
        name=name,
        role="ours",
        new=crowd.new,
        run=_Place.run,
        state=lambda place: str(place.job.state),
        count=lambda place: int(place.job.fields["count"]),
        distribution="outlast",
        program="import outlast; outlast.System",
    )


_PLAN = outlast.load(SPECS / "job.yaml")
_JOB = outlast.compile(_PLAN)


def _compiled(name: str, run: Callable[[Automaton, int], object]) -> Contender:
    return Contender(
        name=name,
        role="ours",
        new=_JOB.new,
        run=run,
        state=lambda job: str(job.state),
        count=lambda job: int(job.fields["count"]),
        distribution="outlast",
        program="import outlast; outlast.compile",
    )


CONTENDERS = [
    _compiled("outlast: compiled, send", one_by_one(lambda job: job.send)),
    _compiled("outlast: compiled, send_many", lambda job, loops: _JOB.send_many(job, LOOP * loops)),
    _in_system("outlast: System.send", _Crowd(_PLAN)),
    _in_system("outlast: System.send, observed", _Crowd(outlast.load(SPECS), watched=True)),
]
