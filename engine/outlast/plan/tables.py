"""The plan: names resolved, order fixed, everything a run, a picture or a proof needs, as tables.

States are numbered in document order (pre-order), so the descendants of state `i` are exactly `i + 1 … end - 1`: most of the
statechart algorithm is comparing integers. Transitions are numbered in the order of the file, which is their priority within a state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Literal, TypeAlias

import attrs

from outlast import model
from outlast.expr import ANY, BOOL, Expr, Type, Value, compiled, render, show
from outlast.expr.evaluate import Closure
from outlast.expr.tree import Path
from outlast.place import Place
from outlast.values import frozen


@frozen
class Computed:
    """A resolved expression and the function that evaluates it."""

    expr: Expr
    run: Closure = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "run", compiled(self.expr))

    def __str__(self) -> str:
        return render(self.expr)


@frozen
class Field:
    """A typed value with its bounds; numbers in the type's own unit."""

    name: str
    type: Type
    index: int = 0
    default: Value = None
    has_default: bool = False
    optional: bool = False
    minimum: int | None = None
    maximum: int | None = None
    step: int | None = None
    about: str = ""
    because: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return not (self.optional or self.has_default)

    def objection(self, value: Value) -> str | None:
        """Why `value` is not one of this field, or None."""
        if value is None:
            return None if self.optional else f"`{self.name}` must have a value"
        if self.type == ANY:
            return None
        if self.type.is_number:
            return self._outside(value)
        if self.type == BOOL:
            return None if isinstance(value, bool) else f"`{self.name}` is true or false, not {value!r}"
        if not isinstance(value, str):
            return f"`{self.name}` is {self.type}, not {value!r}"
        if self.type.kind == "enum" and value not in self.type.words:
            return f"`{self.name}` is one of {', '.join(self.type.words)}, not `{value}`"
        return None

    def _outside(self, value: Value) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return f"`{self.name}` is {self.type}, not {value!r}"
        low, high = self.minimum, self.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            return f"`{self.name}` is {self.bounds}, not {show(value, self.type)}"
        if self.step and (value - (low or 0)) % self.step:
            return f"`{self.name}` is {self.bounds}, not {show(value, self.type)}"
        return None

    @property
    def bounds(self) -> str:
        """The range in words: `from 15m to 90d in steps of 1m`."""
        below = "up to " if self.minimum is None else "to "
        parts = [
            word + show(bound, self.type)
            for word, bound in (("from ", self.minimum), (below, self.maximum), ("in steps of ", self.step))
            if bound is not None
        ]
        return " ".join(parts) or str(self.type)


@frozen
class Event:
    """An event a machine knows, its payload and who may send it. `internal`: not from outside."""

    name: str
    payload: Mapping[str, Field] = attrs.field(factory=dict)
    by: tuple[str, ...] = ()
    internal: bool = False
    about: str = ""
    because: tuple[str, ...] = ()


@frozen
class Effect:
    """What a machine tells the embedding service."""

    name: str
    payload: Mapping[str, Field] = attrs.field(factory=dict)
    about: str = ""
    because: tuple[str, ...] = ()


@frozen
class Ref:
    """A name for another instance."""

    name: str
    machine: str
    optional: bool = False
    about: str = ""


# ---- actions


@frozen
class Assign:
    """Set one field."""

    field: Field
    value: Computed


Payload: TypeAlias = tuple[tuple[str, Computed], ...]


@frozen
class Emit:
    """Tell the embedding service."""

    effect: str
    payload: Payload = ()


@frozen
class Raise:
    """Put an event on the internal queue."""

    event: str
    payload: Payload = ()


@frozen
class Send:
    """Put an event on the queue of the instance a ref or an address leads to (`slot` None: the own one), now or later."""

    event: str
    to: str
    slot: int | None
    after: Computed | None = None
    payload: Payload = ()
    id: str | None = None
    address: Computed | None = None


@frozen
class Cancel:
    """Drop the delayed sends of an id."""

    id: str


@frozen
class Spawn:
    """Make a child and bind it to `ref`. `refs`: the child's ref -> slot it is bound from (None: this instance)."""

    ref: str
    machine: str
    fields: Payload = ()
    refs: tuple[tuple[str, int | None], ...] = ()
    forward: bool = False
    finalize: Block = ()


@frozen
class Stop:
    """Stop the child bound to a ref, and unbind it."""

    ref: str


@frozen
class If:
    """Choose between two blocks."""

    condition: Computed
    then: Block
    otherwise: Block = ()


Action: TypeAlias = Assign | Emit | Raise | Send | Cancel | Spawn | Stop | If
Block: TypeAlias = tuple[Action, ...]


def actions_of(blocks: Iterable[Block]) -> Iterator[Action]:
    """Every action of some blocks, inner ones included, in order."""
    for block in blocks:
        for action in block:
            yield action
            if isinstance(action, If):
                yield from actions_of((action.then, action.otherwise))
            elif isinstance(action, Spawn):
                yield from actions_of((action.finalize,))


# ---- states and transitions


@frozen
class Entry:
    """Where an initial or history-default transition leads (state numbers), and its actions."""

    targets: tuple[int, ...]
    actions: Block = ()


@frozen(eq=False)
class State:
    """A row of the state table. `parent` is -1 at the top; descendants are numbered `index + 1 … end - 1`."""

    index: int
    name: str
    kind: model.StateKind
    parent: int
    end: int
    children: tuple[int, ...]
    ancestors: tuple[int, ...]
    """Proper ancestors, innermost first."""
    histories: tuple[int, ...]
    default: Entry | None
    entry: tuple[Block, ...]
    exit: tuple[Block, ...]
    spawns: tuple[Spawn, ...]
    done_data: Payload
    transitions: tuple[int, ...]
    """Rows leaving this state that are not timers, in document order."""
    timers: tuple[int, ...]
    first_choice: bool
    title: str
    about: str
    role: model.Role | None
    because: tuple[str, ...]
    place: Place | None

    def holds(self, index: int) -> bool:
        """Whether state number `index` is a proper descendant."""
        return self.index < index < self.end

    @property
    def is_history(self) -> bool:
        """Whether this is a pseudo-state, never active itself."""
        return self.kind in ("shallow-history", "deep-history")

    @property
    def is_leaf(self) -> bool:
        """Whether nothing is active below it when it is: an atomic or final state."""
        return self.kind in ("atomic", "final")


TriggerKind: TypeAlias = Literal["event", "after", "within", "done", "eventless"]


@frozen(eq=False)
class Transition:
    """A row of the transition table, from one source. Rows of several sources share their `id`; `key` is unique."""

    index: int
    id: str
    key: str
    source: int
    kind: TriggerKind
    descriptors: tuple[str, ...]
    delay: Computed | None
    guard: Computed | None
    targets: tuple[int, ...]
    internal: bool
    actions: Block
    refuse: str
    because: tuple[str, ...]
    about: str
    place: Place | None

    def hears(self, event: str | None) -> bool:
        """Whether an event of this name is matched by a descriptor (SCXML 3.12.1); None: whether the row is eventless."""
        if event is None:
            return self.kind == "eventless"
        return any(matches(descriptor, event) for descriptor in self.descriptors)

    @property
    def trigger(self) -> str:
        """The trigger in words: `start`, `after 15m`, `within 15m`, `done.state.x`, or `` for an eventless row."""
        if self.delay:
            return f"{self.kind} {self.delay}"
        return " or ".join(self.descriptors)


def matches(descriptor: str, event: str) -> bool:
    """SCXML 3.12.1: the same tokens, a prefix of them, or `*`; a trailing `.*` or `.` says nothing more."""
    descriptor = descriptor.removesuffix(".*").removesuffix(".")
    return descriptor in ("*", event) or event.startswith(descriptor + ".")


@frozen
class Requirement:
    """What the fields of a new instance must satisfy."""

    id: str
    that: Computed
    says: str
    because: tuple[str, ...] = ()


@frozen(eq=False)
class Machine:
    """The compiled machine."""

    name: str
    title: str
    about: str
    fields: Mapping[str, Field]
    refs: Mapping[str, Ref]
    events: Mapping[str, Event]
    effects: Mapping[str, Effect]
    guards: Mapping[str, Computed]
    requires: tuple[Requirement, ...]
    states: tuple[State, ...]
    numbers: Mapping[str, int]
    """State name -> number."""
    default: Entry
    transitions: tuple[Transition, ...]
    slots: tuple[Path, ...]
    """Every chain of refs that something in this machine looks along."""
    watches: tuple[tuple[Path, str], ...]
    """(chain of refs, state) pairs whose entering this machine observes."""
    first_choice: bool
    moved: Mapping[str, str] = attrs.field(factory=dict)
    """A state of an earlier version -> the state that takes in whoever is in it."""

    def state(self, name: str) -> State:
        """The state called `name`; KeyError otherwise."""
        return self.states[self.numbers[name]]

    @cached_property
    def arrows(self) -> Mapping[str, Transition]:
        """Transitions by key."""
        return {transition.key: transition for transition in self.transitions}

    @property
    def state_blocks(self) -> Iterator[Block]:
        """Every outermost block of actions that belongs to a state, or to the beginning."""
        yield self.default.actions
        for state in self.states:
            yield from (*state.entry, *state.exit, state.spawns)
            if state.default:
                yield state.default.actions

    @property
    def actions(self) -> Iterator[Action]:
        """Every action, wherever it stands."""
        yield from actions_of(self.state_blocks)
        yield from actions_of(row.actions for row in self.transitions)

    def innermost(self, configuration: tuple[str, ...]) -> tuple[str, ...]:
        """The active states that have no active child: the ones people name."""
        return tuple(name for name in configuration if self.state(name).is_leaf)


@frozen
class Clause:
    """A statement of the source document."""

    id: str
    says: str
    section: str = ""
    line: int | None = None
    reason: str = ""
    reference: str = ""


@frozen
class Assumption:
    """A question the document leaves open; readings as name -> words."""

    id: str
    question: str
    readings: Mapping[str, str]
    default: str
    confidence: str = ""
    because: tuple[str, ...] = ()


@attrs.frozen(eq=False)
class Composition:
    """A few instances to check properties with; what an author wrote is made into instances by whoever runs it."""

    name: str
    about: str
    source: model.Composition
    place: Place | None


@attrs.frozen(eq=False)
class Property:
    """What must hold of every instance of a machine. Conditions are seen from the instance, whose slots are `chains`.

    `that` is the condition the kind speaks of, `since` the one it begins with or that held just before, `upon` the one that has just become
    true, `bound` how long it may take.
    """

    id: str
    machine: str
    kind: model.PropertyKind
    that: Computed
    since: Computed | None
    upon: Computed | None
    bound: Computed | None
    chains: tuple[Path, ...]
    says: str
    compositions: tuple[str, ...]
    """Where it is checked; everywhere if empty."""
    because: tuple[str, ...]
    place: Place | None

    @property
    def claim(self) -> str:
        """What it claims, as an author writes it: `while self is lit, never-longer-than 5m`."""
        timed = self.kind == "never-longer-than"
        parts = [
            ("from", self.since),
            ("upon", self.upon),
            ("while", self.that if timed else None),
            (self.kind, self.bound if timed else self.that),
            ("within", None if timed else self.bound),
        ]
        return ", ".join(f"{word} {value}" for word, value in parts if value is not None)


@frozen(eq=False)
class Plan:
    """A compiled system under one choice of readings."""

    name: str
    title: str
    about: str
    document: model.Document | None
    machines: Mapping[str, Machine]
    clauses: Mapping[str, Clause]
    actors: Mapping[str, str]
    constants: Mapping[str, Computed]
    assumptions: Mapping[str, Assumption]
    readings: Mapping[str, str]
    hash: str
    """SHA-256 of everything the authors wrote, without comments and layout: names the specification, not the readings."""
    source: model.System
    compositions: Mapping[str, Composition] = attrs.field(factory=dict)
    properties: tuple[Property, ...] = ()

    @cached_property
    def kept(self) -> dict[str, object]:
        """What was worked out from this plan and is kept with it; each chapter has its own keys."""
        return {}

    @property
    def alternatives(self) -> tuple[tuple[str, str], ...]:
        """Every (assumption, reading) that is not in force."""
        return tuple(
            (assumption.id, reading)
            for assumption in self.assumptions.values()
            for reading in assumption.readings
            if reading != self.readings[assumption.id]
        )
