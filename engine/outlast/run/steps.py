"""What a step is: an immutable record of everything that happened to one instance at one event or timer."""

from __future__ import annotations

from typing import Literal, TypeAlias

from outlast.expr import Value
from outlast.plan import Plan
from outlast.run.snapshot import Delayed, Event, Snapshot, Timer
from outlast.values import frozen

Cause: TypeAlias = Literal["start", "event", "timer", "stop"]


@frozen
class Microstep:
    """One set of transitions taken together (SCXML Appendix D, `microstep`); names in the order things happened."""

    event: str | None
    transitions: tuple[str, ...]
    """Keys of the transitions taken."""
    exited: tuple[str, ...]
    entered: tuple[str, ...]


@frozen
class Effect:
    """Something for the embedding service to do."""

    name: str
    payload: tuple[tuple[str, Value], ...] = ()

    def __str__(self) -> str:
        values = ", ".join(f"{name}={value}" for name, value in self.payload)
        return f"{self.name}({values})"


@frozen
class Delivery:
    """An event on its way to an instance, at once."""

    to: str
    event: Event


@frozen(eq=False)
class Step:
    """A macrostep: `before`, `after`, and what led from one to the other.

    `others` is what guards could see of other instances, so that the step can be explained later without having kept an
    explanation: see `outlast.run.explain`.
    """

    plan: Plan
    before: Snapshot
    after: Snapshot
    at: int
    cause: Cause
    event: Event | None = None
    timer: str | None = None
    """The key of the transition whose timer was due."""
    microsteps: tuple[Microstep, ...] = ()
    effects: tuple[Effect, ...] = ()
    sent: tuple[Delivery, ...] = ()
    made: tuple[Step, ...] = ()
    """The first steps of the children spawned."""
    stopped: tuple[str, ...] = ()
    """Children to be stopped."""
    faults: tuple[str, ...] = ()
    """What actions could not be carried out, in words."""
    refusal: str | None = None
    """Why the event was refused, if it was."""
    others: tuple[Snapshot | None, ...] = ()
    answer: tuple[tuple[str, Value], ...] = ()
    """The done data of the final state the machine ended in."""
    caused: tuple[Step, ...] = ()
    """Every step in other instances, and later ones in this, that this one led to, in order."""
    preceded: tuple[Step, ...] = ()
    """What was due before an outside event and so happened first, in order."""

    @property
    def instance(self) -> str:
        """The instance's id."""
        return self.after.id

    @property
    def taken(self) -> tuple[str, ...]:
        """Ids of the transitions taken, in order."""
        arrows = self.plan.machines[self.after.machine].arrows
        return tuple(arrows[key].id for micro in self.microsteps for key in micro.transitions)

    @property
    def accepted(self) -> bool:
        """Whether the event or timer had a transition that did not refuse it."""
        return self.refusal is None

    @property
    def clauses(self) -> tuple[str, ...]:
        """The clauses of the transitions taken, each once, in order."""
        arrows = self.plan.machines[self.after.machine].arrows
        cited = (clause for micro in self.microsteps for key in micro.transitions for clause in arrows[key].because)
        return tuple(dict.fromkeys(cited))

    @property
    def exited(self) -> tuple[str, ...]:
        """States left, in order."""
        return tuple(name for micro in self.microsteps for name in micro.exited)

    @property
    def entered(self) -> tuple[str, ...]:
        """States entered, in order."""
        return tuple(name for micro in self.microsteps for name in micro.entered)

    @property
    def deadlines(self) -> tuple[Timer, ...]:
        """The timers running after the step, soonest first."""
        return tuple(sorted(self.after.timers, key=lambda timer: timer.due))

    @property
    def timers_set(self) -> tuple[Timer, ...]:
        """Timers armed by this step that are running."""
        return tuple(timer for timer in self.after.timers if timer not in self.before.timers)

    @property
    def timers_cancelled(self) -> tuple[Timer, ...]:
        """Timers that were running before and were disarmed, not fired."""
        gone = (timer for timer in self.before.timers if timer not in self.after.timers)
        return tuple(timer for timer in gone if timer.key != self.timer)

    @property
    def sent_later(self) -> tuple[Delayed, ...]:
        """Delayed sends made by this step."""
        return tuple(delayed for delayed in self.after.delayed if delayed not in self.before.delayed)
