"""What a check of a property found: proved, refuted with a story that shows it, or undetermined with the reason."""

from __future__ import annotations

from typing import Literal, TypeAlias

from outlast import model
from outlast.expr import Value
from outlast.place import Place
from outlast.values import frozen

Kind: TypeAlias = Literal["never", "always", "never-longer-than", "leads-to", "reachable", "can-always"]
Outcome: TypeAlias = Literal["proved", "refuted", "undetermined"]


@frozen
class Change:
    """What became of one instance at one moment, in words: its innermost states, and every field that is another."""

    instance: str
    machine: str
    before: str
    """Empty for an instance that was just made."""
    after: str
    """Empty for an instance that is no more."""
    fields: tuple[tuple[str, str, str], ...] = ()
    """(field, before, after), values as an author writes them."""


@frozen
class Happening:
    """One step of a trace: what was said from outside or fell due, and all that it changed."""

    at: int
    """Microseconds from the start."""
    instance: str
    machine: str
    cause: Literal["event", "timer", "send"]
    name: str
    """The event, or the id of the transition whose timer fired."""
    payload: tuple[tuple[str, Value], ...] = ()
    by: str | None = None
    refusal: str | None = None
    changes: tuple[Change, ...] = ()


@frozen(eq=False)
class Trace:
    """A run of the system that was replayed step for step: a counterexample, or the witness of what can be reached."""

    happenings: tuple[Happening, ...]
    shown: str
    """What can be seen in it, in one line."""
    scenario: model.Scenario
    """The same run as a story that `outlast run` tells."""

    @property
    def duration(self) -> int:
        """When what it shows can be seen, in microseconds from the start."""
        return max((expected.at for expected in self.scenario.expect), default=0)


@frozen
class Statistics:
    """How much was looked at."""

    locations: int = 0
    """States of the system, times left aside. Of those in which equal instances have but changed places, one."""
    zones: int = 0
    """Sets of times, over all locations."""
    transitions: int = 0
    seconds: float = 0.0
    """Processor time."""
    stands_for: int = 0
    """How many states those stand for, whoever has whose place; no more than `locations` where nobody can change places."""


@frozen(eq=False)
class Verdict:
    """What is known of one property in one composition."""

    id: str
    """The property's id."""
    kind: Kind
    says: str
    because: tuple[str, ...]
    place: Place | None
    composition: str
    outcome: Outcome
    reason: str = ""
    """Why it is refuted or undetermined, in one line; empty when it is proved."""
    trace: Trace | None = None
    """The counterexample of what is refuted; the witness of a proved `reachable`."""
    statistics: Statistics = Statistics()

    @property
    def ok(self) -> bool:
        """Whether it is proved. What is undetermined is not."""
        return self.outcome == "proved"

    def __str__(self) -> str:
        reason = f": {self.reason}" if self.reason else ""
        return f"{self.id} ({self.composition}): {self.outcome}{reason}"
