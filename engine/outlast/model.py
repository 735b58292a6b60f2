"""What an author wrote, as frozen values: machines, systems, scenarios. Nothing is resolved here; that is the plan's work.

Names are `Word`s, so that a later problem can point at them. Guards and values are unresolved expressions.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from outlast.expr import Expr
from outlast.place import Place, Word
from outlast.values import frozen

Clauses: TypeAlias = tuple[Word, ...]
Assignments: TypeAlias = tuple[tuple[Word, Expr], ...]


def _place() -> Place | None:
    field: Place | None = attrs.field(default=None, eq=False, kw_only=True, repr=False)
    return field


# ---- declarations


@frozen
class Field:
    """A declared value: of an instance, of an event's payload, or of an effect. Bounds are both included."""

    name: Word
    type: Literal["bool", "int", "duration", "string", "enum", "any"]
    words: tuple[Word, ...] = ()
    default: Expr | None = None
    optional: bool = False
    minimum: Expr | None = None
    maximum: Expr | None = None
    step: Expr | None = None
    about: str = ""
    because: Clauses = ()
    place: Place | None = _place()


@frozen
class Ref:
    """A name for another instance, which this machine can read, watch and send to."""

    name: Word
    machine: Word
    optional: bool = False
    about: str = ""
    place: Place | None = _place()


@frozen
class Event:
    """What the outside world, or another machine, may say."""

    name: Word
    payload: tuple[Field, ...] = ()
    by: tuple[Word, ...] = ()
    internal: bool = False
    about: str = ""
    because: Clauses = ()
    place: Place | None = _place()


@frozen
class Effect:
    """What a machine tells the service that embeds it."""

    name: Word
    payload: tuple[Field, ...] = ()
    about: str = ""
    because: Clauses = ()
    place: Place | None = _place()


@frozen
class Guard:
    """A named condition."""

    name: Word
    that: Expr
    about: str = ""
    because: Clauses = ()
    place: Place | None = _place()


@frozen
class Requirement:
    """What the fields of a new instance must satisfy."""

    id: Word
    that: Expr
    says: str
    because: Clauses = ()
    place: Place | None = _place()


# ---- actions


@frozen
class Assign:
    """`set`: one field after another."""

    values: Assignments
    place: Place | None = _place()


@frozen
class Emit:
    """Tell the embedding service."""

    effect: Word
    payload: Assignments = ()
    place: Place | None = _place()


@frozen
class Raise:
    """Put an event on the internal queue."""

    event: Word
    payload: Assignments = ()
    place: Place | None = _place()


@frozen
class Send:
    """Put an event on another instance's queue, or on the own one, now or after a delay.

    `address`, in place of `to`, is the id of an instance as a value: whom to answer is known only when it runs.
    """

    event: Word
    to: Word | None = None
    after: Expr | None = None
    payload: Assignments = ()
    id: Word | None = None
    address: Expr | None = None
    place: Place | None = _place()


@frozen
class Cancel:
    """Drop the delayed sends of an id."""

    id: Word
    place: Place | None = _place()


@frozen
class Spawn:
    """Make a child instance and bind it to a ref.

    `forward`: what the parent hears from outside, the child hears too; `finalize`: done before the parent hears what the child says
    (both SCXML 6.4, and only for the spawns of a state).
    """

    ref: Word
    machine: Word
    fields: Assignments = ()
    refs: tuple[tuple[Word, Word], ...] = ()
    forward: bool = False
    finalize: Block = ()
    place: Place | None = _place()


@frozen
class Stop:
    """Stop the child bound to a ref, and unbind it."""

    ref: Word
    place: Place | None = _place()


@frozen
class If:
    """Choose between two blocks."""

    condition: Expr
    then: Block
    otherwise: Block = ()
    place: Place | None = _place()


Action: TypeAlias = Assign | Emit | Raise | Send | Cancel | Spawn | Stop | If
Block: TypeAlias = tuple[Action, ...]
"""Actions in order. When one fails, the rest of the block is left out (SCXML 4)."""


# ---- states and transitions


@frozen
class Entry:
    """Where an initial or history-default transition leads, and what it does on the way."""

    targets: tuple[Word, ...]
    actions: Block = ()
    place: Place | None = _place()


StateKind: TypeAlias = Literal["atomic", "composite", "parallel", "final", "shallow-history", "deep-history"]
Role: TypeAlias = Literal["live", "danger", "failure", "recover", "success", "neutral"]


@frozen
class State:
    """A state and all below it. `default` is a composite's initial transition or a history's default."""

    name: Word
    kind: StateKind = "atomic"
    children: tuple[State, ...] = ()
    initial: bool = False
    default: Entry | None = None
    entry: tuple[Block, ...] = ()
    exit: tuple[Block, ...] = ()
    spawns: tuple[Spawn, ...] = ()
    done_data: Assignments = ()
    first_choice: bool = False
    title: str = ""
    about: str = ""
    role: Role | None = None
    because: Clauses = ()
    place: Place | None = _place()


@frozen
class OnEvent:
    """Fires on an event matched by one of the descriptors (SCXML 3.12.1)."""

    descriptors: tuple[Word, ...]


@frozen
class After:
    """Fires exactly this long after its source state was entered."""

    delay: Expr


@frozen
class Within:
    """Fires at some moment from entry to this bound, both included."""

    bound: Expr


@frozen
class OnDone:
    """Fires when a composite state, or the child bound to a ref, is done."""

    name: Word


Trigger: TypeAlias = OnEvent | After | Within | OnDone | None
"""None: eventless."""


@frozen
class Transition:
    """One row: the same transition from each of its sources. No target: nothing is exited or entered."""

    id: Word
    sources: tuple[Word, ...]
    trigger: Trigger = None
    guard: Expr | None = None
    targets: tuple[Word, ...] = ()
    internal: bool = False
    actions: Block = ()
    refuse: str = ""
    because: Clauses = ()
    about: str = ""
    place: Place | None = _place()


@frozen
class Machine:
    """One machine file."""

    name: Word
    title: str = ""
    about: str = ""
    fields: tuple[Field, ...] = ()
    refs: tuple[Ref, ...] = ()
    events: tuple[Event, ...] = ()
    effects: tuple[Effect, ...] = ()
    guards: tuple[Guard, ...] = ()
    requires: tuple[Requirement, ...] = ()
    states: tuple[State, ...] = ()
    default: Entry | None = None
    transitions: tuple[Transition, ...] = ()
    first_choice: bool = False
    moved: tuple[tuple[Word, Word], ...] = ()
    """A state of an earlier version -> the state that takes in whoever is in it."""
    place: Place | None = _place()


# ---- systems


@frozen
class Clause:
    """One statement of the source document. `reason`: why an inferred rule exists. `reference`: why no behaviour follows."""

    id: Word
    says: str
    section: str = ""
    line: int | None = None
    reason: str = ""
    reference: str = ""
    place: Place | None = _place()


@frozen
class Assumption:
    """A question the document leaves open, with its readings as (name, words) pairs."""

    id: Word
    question: str
    readings: tuple[tuple[Word, str], ...]
    default: Word
    confidence: str = ""
    because: Clauses = ()
    place: Place | None = _place()


@frozen
class Actor:
    """Somebody who may send events."""

    name: Word
    about: str = ""


@frozen
class Constant:
    """A named value, usable in every expression of the system."""

    name: Word
    value: Expr
    about: str = ""
    because: Clauses = ()
    place: Place | None = _place()


@frozen
class Document:
    """Where the clauses come from."""

    title: str
    language: str = ""
    address: str = ""


@frozen
class Composition:
    """A few instances to check properties with. `only` is all the outside may say; `also` comes beside what needs no values."""

    name: Word
    given: tuple[Given, ...]
    only: tuple[Said, ...] | None = None
    also: tuple[Said, ...] = ()
    constants: Assignments = ()
    about: str = ""
    place: Place | None = _place()


PropertyKind: TypeAlias = Literal["never", "always", "never-longer-than", "leads-to", "reachable", "can-always"]


@frozen
class Property:
    """What must hold of every instance of a machine, whatever happens and whenever.

    `that` is the condition the kind speaks of (of `never-longer-than`: `while`), `since` is `from`, `bound` the time it may take.
    """

    id: Word
    machine: Word
    kind: PropertyKind
    that: Expr
    since: Expr | None = None
    upon: Expr | None = None
    bound: Expr | None = None
    says: str = ""
    compositions: tuple[Word, ...] = ()
    because: Clauses = ()
    place: Place | None = _place()


@frozen
class System:
    """A system and the machines it is made of."""

    name: Word
    title: str = ""
    about: str = ""
    document: Document | None = None
    machines: tuple[Machine, ...] = ()
    clauses: tuple[Clause, ...] = ()
    actors: tuple[Actor, ...] = ()
    constants: tuple[Constant, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    compositions: tuple[Composition, ...] = ()
    properties: tuple[Property, ...] = ()
    place: Place | None = _place()


# ---- scenarios

Readings: TypeAlias = tuple[tuple[Word, Word], ...]


@frozen
class Given:
    """An instance: where it starts, and its fields and refs, told apart when the system is known."""

    machine: Word
    name: Word
    state: Word | None = None
    values: Assignments = ()
    place: Place | None = _place()


@frozen
class Say:
    """An event to one instance at `at` (microseconds from the start)."""

    at: int
    machine: Word
    name: Word
    event: Word
    payload: Assignments = ()
    by: Word | None = None
    refused: bool = False
    under: Readings = ()
    place: Place | None = _place()


@frozen
class Said:
    """An event to one instance, whenever."""

    machine: Word
    name: Word
    event: Word
    payload: Assignments = ()
    place: Place | None = _place()


@frozen
class Happen:
    """A `within` row of one instance fires at `at`: the moment it stood for all along."""

    at: int
    machine: Word
    name: Word
    row: Word
    under: Readings = ()
    place: Place | None = _place()


@frozen
class Make:
    """A new instance at `at`."""

    at: int
    given: Given
    under: Readings = ()
    place: Place | None = _place()


@frozen
class Expectation:
    """What must be true at one instant: of one instance, or of the effects seen then.

    `states` must be active, `values` are fields, `deadlines` maps transition ids to instants from the start, `effects` names all
    effects of that instant; None: no claim.
    """

    at: int
    machine: Word | None = None
    name: Word | None = None
    states: tuple[Word, ...] = ()
    values: Assignments = ()
    deadlines: tuple[tuple[Word, int], ...] | None = None
    effects: tuple[Word, ...] | None = None
    under: Readings = ()
    place: Place | None = _place()


@frozen
class Scenario:
    """A story: instances, timed steps, expectations; told of the system with these values of its constants."""

    name: Word
    title: str = ""
    about: str = ""
    system: Word | None = None
    constants: Assignments = ()
    given: tuple[Given, ...] = ()
    steps: tuple[Say | Happen | Make, ...] = ()
    expect: tuple[Expectation, ...] = ()
    place: Place | None = _place()
