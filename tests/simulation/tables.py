"""What a simulated database holds, as a value: a commit makes a new one. The contract of `outlast.store.interface` in dictionaries.

Changes are single rows, so that a commit can be torn anywhere between two of them.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Collection, Mapping
from typing import Any, TypeAlias

import attrs

from outlast.errors import Conflict
from outlast.store.records import COMMONS, PLACES, Changes, Decision, Group, OutgoingEffect, Ref, Stored

Row: TypeAlias = tuple[Any, ...]
"""The name of a method of `Tables`, and its arguments."""


@attrs.frozen
class Outgoing:
    """A row of the outbox."""

    effect: OutgoingEffect
    state: str = "pending"
    due: int = 0

    @property
    def key(self) -> tuple[int, int]:
        """Its place in the outbox."""
        return (self.effect.seq, self.effect.place)


@attrs.define(eq=False)
class Tables:
    """Every table, and the rows that change them."""

    specs: tuple[Mapping[str, str], ...] = ()
    seqs: list[int] = attrs.field(factory=list)
    journal: dict[int, Decision] = attrs.field(factory=dict)
    versions: dict[tuple[str, int], Decision] = attrs.field(factory=dict)
    said: dict[tuple[str | None, str], Decision] = attrs.field(factory=dict)
    clocks: dict[str, tuple[int, int | None]] = attrs.field(factory=lambda: {COMMONS: (0, None)})
    """Group -> its time, and when something is due."""
    stuck: dict[str, str] = attrs.field(factory=dict)
    instances: dict[str, Stored] = attrs.field(factory=dict)
    refs: frozenset[Ref] = frozenset()
    outbox: dict[tuple[int, int], Outgoing] = attrs.field(factory=dict)

    def after(self, rows: Collection[Row]) -> Tables:
        """The tables once these rows are written. Raises Conflict, and then nothing is."""
        copied: dict[str, Any] = {
            name: value.copy() if isinstance(value, list | dict) else value
            for name, value in attrs.asdict(self, recurse=False).items()
        }
        new = Tables(**copied)
        for name, *values in rows:
            getattr(new, name)(*values)
        return new

    # ---- rows

    def specify(self, digest: str, specification: Mapping[str, str]) -> None:
        """The specification that is written under from now on."""
        number = next((row["number"] for row in self.specs if row["digest"] == digest), str(len(self.specs) + 1))
        others = tuple(row for row in self.specs if row["digest"] != digest)
        self.specs = (*others, {**specification, "number": number})

    def decide(self, row: Decision) -> None:
        """A row of the journal."""
        key = (row.source, row.id) if row.id is not None else None
        if row.seq in self.journal or (row.instance, row.version) in self.versions or (key and key in self.said):
            raise Conflict(f"decision {row.seq} is there already")
        insort(self.seqs, row.seq)
        self.journal[row.seq] = self.versions[row.instance, row.version] = row
        if row.id is not None:
            self.said[row.source, row.id] = row

    def make(self, row: Stored) -> None:
        """A new instance."""
        if row.id in self.instances:
            raise Conflict(f"`{row.id}` is there already")
        self.instances[row.id] = row

    def move(self, row: Stored, version: int) -> None:
        """An instance that has changed."""
        if self.instances[row.id].version != version:
            raise Conflict(f"`{row.id}` has changed")
        self.instances[row.id] = row

    def begin_group(self, id_: str) -> None:
        """A new group."""
        if id_ in self.clocks:
            raise Conflict(f"group {id_} is there already")
        self.clocks[id_] = (0, None)

    def merge(self, old: str, new: str) -> None:
        """A group becomes part of another."""
        for id_, row in self.instances.items():
            if row.group == old:
                self.instances[id_] = attrs.evolve(row, group=new)
        now, _ = self.clocks.pop(old, (0, None))
        kept, due = self.clocks[new]
        self.clocks[new] = (max(now, kept), due)
        self.stuck.pop(old, None)

    def time(self, group: str, now: int) -> None:
        """How far the time of a group has come."""
        dues = [row.due for row in self.instances.values() if row.group == group and row.due is not None]
        self.clocks[group] = (now, min(dues, default=None))
        self.stuck.pop(group, None)

    def bind(self, ref: Ref) -> None:
        """A ref leads to somebody."""
        if ref in self.refs:
            raise Conflict(f"{ref} is there already")
        self.refs |= {ref}

    def unbind(self, ref: Ref) -> None:
        """It does no more."""
        self.refs -= {ref}

    def put(self, effect: OutgoingEffect) -> None:
        """An effect on its way out."""
        self.outbox[effect.seq, effect.place] = Outgoing(effect)

    def take(self, seq: int, place: int, until: int) -> None:
        """Somebody tries to deliver an effect."""
        row = self.outbox[seq, place]
        effect = attrs.evolve(row.effect, attempts=row.effect.attempts + 1)
        self.outbox[seq, place] = attrs.evolve(row, effect=effect, due=until)

    def settle(self, effect: OutgoingEffect, state: str, due: int, error: str | None) -> None:
        """What became of it."""
        row = self.outbox[effect.seq, effect.place]
        if (row.state, row.effect.attempts) == ("pending", effect.attempts):
            self.outbox[effect.seq, effect.place] = Outgoing(attrs.evolve(row.effect, error=error), state, due)

    def revive(self, seq: int, place: int, now: int) -> None:
        """A dead effect gets another chance."""
        row = self.outbox[seq, place]
        self.outbox[seq, place] = Outgoing(attrs.evolve(row.effect, attempts=0), "pending", now)

    def hold(self, group: str, why: str) -> None:
        """The timers of a group cannot be fired."""
        self.stuck[group] = why

    # ---- looking

    def following(self, after: int) -> list[Decision]:
        """The journal after a `seq`."""
        return [self.journal[seq] for seq in self.seqs[bisect_right(self.seqs, after) :]]

    def group(self, id_: str) -> Group:
        """The row of a group."""
        now, due = self.clocks[id_]
        return Group(id_, now, None if id_ == COMMONS and id_ in self.stuck else due)

    def waiting(self) -> list[Outgoing]:
        """Of each instance the first effect that has not left."""
        first: dict[str, Outgoing] = {}
        for _, row in sorted(self.outbox.items()):
            if row.state == "pending":
                first.setdefault(row.effect.instance, row)
        return list(first.values())

    def turn(self, number: int) -> list[Decision]:
        """The decisions of one turn."""
        start = bisect_right(self.seqs, number * PLACES - 1)
        return [self.journal[seq] for seq in self.seqs[start : bisect_right(self.seqs, (number + 1) * PLACES - 1)]]


def rows_of(changes: Changes) -> list[Row]:
    """Everything a transaction writes, row by row."""
    return [
        *(("merge", old, new) for old, new in changes.merged.items()),
        *(("begin_group", id_) for id_ in changes.new_groups),
        *(("decide", decision) for decision in changes.decisions),
        *(("make", row) for row in changes.made),
        *(("move", row, version) for row, version in changes.moved),
        *(("unbind", ref) for ref in changes.unbound),
        *(("bind", ref) for ref in changes.bound),
        *(("time", id_, now) for id_, now in changes.times.items()),
        *(("put", effect) for effect in changes.effects),
    ]
