"""The canonical case: what is given, what is said, what must be seen. Whatever surface it was written on, it is read into this.

A case reads like a scenario, but each step carries its own claims, the whole names the clauses it follows from, and nothing in it
presumes how an implementation works inside.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from outlast import model
from outlast.place import Place, Word
from outlast.values import frozen

Level: TypeAlias = Literal["must", "should", "may", "contested"]
LEVELS: tuple[Level, ...] = ("must", "should", "may", "contested")


def _place() -> Place | None:
    field: Place | None = attrs.field(default=None, eq=False, kw_only=True, repr=False)
    return field


@frozen
class Why:
    """Which row brought the instance here, and on which clause: a claim only those can meet who know why."""

    transition: Word | None = None
    clause: Word | None = None


@frozen
class Claim:
    """What must be true of one instance after a step; whatever is not mentioned may be as it likes.

    `states` are all active, of `either` one at least, of `outside` none; `values` are fields; `absent` are fields and refs without a value;
    `deadlines` are running timers, `unarmed` those that do not run; `within` (with `states`) bounds the moment they were entered.
    """

    machine: Word
    name: Word
    states: tuple[Word, ...] = ()
    either: tuple[Word, ...] = ()
    outside: tuple[Word, ...] = ()
    values: model.Assignments = ()
    absent: tuple[Word, ...] = ()
    deadlines: tuple[tuple[Word, int], ...] = ()
    unarmed: tuple[Word, ...] = ()
    within: tuple[int, int] | None = None
    why: Why | None = None
    place: Place | None = _place()


Effects: TypeAlias = tuple[tuple[Word, model.Assignments], ...]


@frozen
class Then:
    """What must be true after a step. `effects` are all since the step before, in order; `gone` are instances that do not exist."""

    claims: tuple[Claim, ...] = ()
    effects: Effects | None = None
    gone: tuple[Word, ...] = ()
    place: Place | None = _place()


@frozen
class CaseStep:
    """Time goes on until `at`; then something is said or made, a `within` row happens, or nothing; then the claims hold."""

    at: int
    cue: model.Say | model.Happen | model.Make | None = None
    refused: bool = False
    then: Then = Then()
    place: Place | None = _place()


@frozen
class Case:
    """One row of the document's table.

    `bounds`: presumes that what may happen `within` a time, and whose moment no step tells, happens then; otherwise at any moment. `constants` have
    these values here.
    """

    id: Word
    title: str = ""
    because: model.Clauses = ()
    level: Level | None = None
    under: model.Readings = ()
    constants: model.Assignments = ()
    bounds: Literal["latest", "earliest"] | None = None
    tolerance: int | None = None
    given: tuple[model.Given, ...] = ()
    steps: tuple[CaseStep, ...] = ()
    place: Place | None = _place()


@frozen
class Suite:
    """A file of cases. What the file says once, every case has got."""

    name: Word
    system: Word | None = None
    title: str = ""
    about: str = ""
    cases: tuple[Case, ...] = ()
    place: Place | None = _place()
