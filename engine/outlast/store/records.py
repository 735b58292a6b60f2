"""What a store keeps and answers, as values: decisions, receipts, instances, groups, effects on their way out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import attrs

from outlast.expr import Value
from outlast.plan import Machine, Plan
from outlast.run import Snapshot
from outlast.run.given import Given
from outlast.run.shown import Shown
from outlast.values import frozen

JsonObject: TypeAlias = dict[str, Any]
Cause: TypeAlias = Literal["start", "event", "timer", "sent", "stop", "migrated"]
"""Why a decision was made. `sent`: a delayed event left its sender; `migrated`: the store was moved to another version."""

PLACES = 1 << 20
"""Decisions are numbered `turn * PLACES + place`: the turn is one input, and place 0 its own decision; the others are what it caused."""

COMMONS = ""
"""The group of everything that others read without being able to change it; see `groups`."""


@attrs.frozen
class Decision:
    """One row of the journal: what one instance did at one instant, and why. Rows are never changed.

    `seq` gives the total order, `version` the order within the instance, from 1 without gaps. `body` and `snapshot` are JSON as stored;
    `previous` is the hash of the instance's decision before this one, `hash` that of this row and `previous`.
    """

    seq: int
    instance: str
    machine: str
    version: int
    at: int
    cause: Cause
    spec: int
    source: str | None
    id: str | None
    body: str = attrs.field(repr=False)
    snapshot: str = attrs.field(repr=False)
    previous: str = attrs.field(repr=False)
    hash: str = attrs.field(repr=False)

    @property
    def turn(self) -> int:
        """The input it belongs to."""
        return self.seq // PLACES

    @property
    def is_input(self) -> bool:
        """Whether it was not caused by another decision."""
        return self.seq % PLACES == 0

    @property
    def said(self) -> JsonObject:
        """The body as data."""
        data: JsonObject = json.loads(self.body)
        return data

    @property
    def event(self) -> str | None:
        """The event's name, for `event` and `sent`."""
        return (self.said.get("event") or {}).get("name")

    @property
    def timer(self) -> str | None:
        """The key of the transition whose timer was due."""
        return self.said.get("timer")

    @property
    def stamp(self) -> int | None:
        """When its sender said it happened; `at` is when it took effect."""
        return self.said.get("stamp")

    @property
    def transitions(self) -> tuple[str, ...]:
        """Ids of the transitions taken, in order."""
        return tuple(self.said.get("transitions", ()))

    @property
    def clauses(self) -> tuple[str, ...]:
        """The clauses of the transitions taken."""
        return tuple(self.said.get("clauses", ()))

    @property
    def refusal(self) -> str | None:
        """Why the event was refused, if it was."""
        return self.said.get("refusal")

    @property
    def accepted(self) -> bool:
        """Whether it was not refused."""
        return self.refusal is None

    @property
    def effects(self) -> tuple[OutgoingEffect, ...]:
        """What the outside is told, in order."""
        return tuple(
            OutgoingEffect(self.seq, place, self.instance, name, payload, self.at)
            for place, (name, payload) in enumerate(self.said.get("effects", ()))
        )

    @property
    def states(self) -> tuple[str, ...]:
        """Every active state afterwards, in document order."""
        return tuple(json.loads(self.snapshot)["configuration"])

    @property
    def deadlines(self) -> Mapping[str, int]:
        """Key of the transition -> when it fires, for every timer running afterwards."""
        return {timer["key"]: timer["due"] for timer in json.loads(self.snapshot).get("timers", ())}


@attrs.frozen
class OutgoingEffect:
    """An effect on its way out. `id` stays the same however often it is delivered: the receiver's key against repetition."""

    seq: int
    place: int
    instance: str
    name: str
    payload: Mapping[str, Value]
    at: int
    attempts: int = attrs.field(default=0, eq=False)
    error: str | None = attrs.field(default=None, eq=False)

    @property
    def id(self) -> str:
        """The same in every attempt, and of no other effect of this store."""
        return f"{self.seq}-{self.place}"


@attrs.frozen
class Receipt:
    """The answer to one input: its own decision, then those it caused. A repeat of the input gets an equal one."""

    decisions: tuple[Decision, ...]
    repeated: bool = attrs.field(default=False, eq=False)
    """Whether this was answered before."""

    @property
    def decision(self) -> Decision:
        """The input's own decision."""
        return self.decisions[0]

    @property
    def caused(self) -> tuple[Decision, ...]:
        """What it led to, here and in other instances, in order."""
        return self.decisions[1:]

    @property
    def turn(self) -> int:
        """Its number in the order of everything that happened in the store."""
        return self.decision.turn

    @property
    def instance(self) -> str:
        """Whom it was said to."""
        return self.decision.instance

    @property
    def version(self) -> int:
        """The instance's version directly after it."""
        return self.decision.version

    @property
    def at(self) -> int:
        """When it took effect."""
        return self.decision.at

    @property
    def accepted(self) -> bool:
        """Whether it was not refused."""
        return self.decision.accepted

    @property
    def refusal(self) -> str | None:
        """Why it was refused, if it was."""
        return self.decision.refusal

    @property
    def transitions(self) -> tuple[str, ...]:
        """Ids of the transitions taken by its own decision."""
        return self.decision.transitions

    @property
    def clauses(self) -> tuple[str, ...]:
        """Their clauses."""
        return self.decision.clauses

    @property
    def effects(self) -> tuple[OutgoingEffect, ...]:
        """Everything the outside is told because of it."""
        return tuple(effect for decision in self.decisions for effect in decision.effects)


@attrs.frozen
class Said:
    """One event for `send_many`, as for `Engine.send`."""

    instance: str
    event: str
    payload: Mapping[str, Given] = attrs.field(factory=dict)
    by: str | None = None
    at: int | None = None
    source: str = ""
    id: str | None = None
    expect: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by."""
        return (self.source, self.id or "")


@attrs.frozen
class Fired:
    """What `run_timers` did: how many turns, and which groups it had to leave (group -> why)."""

    turns: int
    stuck: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen
class Due:
    """Something that will happen by itself: when, to whom, by which transition (None: a delayed event arrives)."""

    at: int
    instance: str
    transition: str | None


@frozen
class Stored:
    """The row of an instance. `snapshot` is None once it is gone: its versions go on if the id is ever used again."""

    id: str
    machine: str
    group: str
    made: int
    """The `seq` of its first decision: the order in which instances were made."""
    version: int
    hash: str
    due: int | None
    snapshot: str | None


@frozen
class Group:
    """The row of a group: how far its time has come, and when time alone will change it next."""

    id: str
    now: int
    due: int | None


@frozen
class Locked:
    """What a transaction finds once it holds its locks."""

    groups: Mapping[str, Group]
    """The groups it has for itself, and the commons."""
    alone: bool
    """Whether it has the whole store."""
    specification: str | None
    """The hash of the one the store is written under."""
    answers: Mapping[tuple[str, str], Decision]
    """As `Reading.answers`, of the keys it asked for."""
    instances: Sequence[Stored]
    """Of those it named."""

    @property
    def commons(self) -> Group:
        """The commons, which nobody changes meanwhile."""
        return self.groups[COMMONS]


@frozen
class Ref:
    """That a ref of an instance leads to another."""

    target: str
    name: str
    machine: str
    instance: str


@attrs.define(eq=False)
class Changes:
    """Everything one transaction writes."""

    decisions: list[Decision] = attrs.field(factory=list)
    made: list[Stored] = attrs.field(factory=list)
    moved: list[tuple[Stored, int]] = attrs.field(factory=list)
    """Each with the version it must still have."""
    bound: list[Ref] = attrs.field(factory=list)
    unbound: list[Ref] = attrs.field(factory=list)
    new_groups: list[str] = attrs.field(factory=list)
    merged: dict[str, str] = attrs.field(factory=dict)
    """Group -> the group it is now part of."""
    times: dict[str, int] = attrs.field(factory=dict)
    """Group -> how far its time has come."""
    effects: list[OutgoingEffect] = attrs.field(factory=list)

    @property
    def soonest(self) -> Mapping[str, int]:
        """Group -> when the first of what is written here is due in it, for groups in which any of it is."""
        found: dict[str, int] = {}
        for row in (*self.made, *(row for row, _ in self.moved)):
            if row.due is not None:
                found[row.group] = min(row.due, found.get(row.group, row.due))
        return found


@attrs.frozen
class View(Shown):
    """An instance as it stands in the store."""

    plan: Plan = attrs.field(repr=False)
    snapshot: Snapshot
    version: int

    @property
    def id(self) -> str:
        """Its name."""
        return self.snapshot.id

    @property
    def machine(self) -> Machine:
        """The compiled machine."""
        return self.plan.machines[self.snapshot.machine]
