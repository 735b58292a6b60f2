"""Every instance of a system, with what is derived from them: the order they were made in, who observes whom, what is due when.

All changes go through `put` and `remove`, inside a `transaction` that undoes them if anything goes wrong.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from outlast.errors import LimitExceeded
from outlast.plan import Plan
from outlast.run.snapshot import Snapshot
from outlast.run.watch import Watchers


class Due(NamedTuple):
    """An entry of the agenda. Compared as a tuple, which is the order of things due at one instant."""

    at: int
    order: int
    """The instance's place in the order of making."""
    is_send: bool
    """Timers come before delayed sends."""
    number: int
    """Of the timer's transition in its machine, or of the send."""
    instance: str


class Population:
    """The instances of one system. Entries of the agenda are checked when they come up, not searched for when they end."""

    def __init__(self, plan: Plan, limit: int) -> None:
        self.plan, self.limit = plan, limit
        self.world: dict[str, Snapshot] = {}
        self.order: dict[str, int] = {}
        self.watchers = Watchers(plan)
        self._made = 0
        self._agenda: list[Due] = []
        self._live = 0
        """How many entries of the agenda still mean something."""
        self._undo: list[tuple[str, Snapshot | None, int]] = []

    def __iter__(self) -> Iterator[str]:
        """Ids, in the order the instances were made."""
        return iter(sorted(self.world, key=self.order.__getitem__))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything put and removed inside stays, or nothing of it if an exception leaves the block."""
        self._undo.clear()
        try:
            yield
        except BaseException:
            for id_, snapshot, order in reversed(self._undo.copy()):
                if snapshot is None:
                    self.remove(id_)
                else:
                    self.order[id_] = order
                    self.put(snapshot)
            raise

    def put(self, snapshot: Snapshot) -> None:
        """Add an instance, or replace what it was. Raises LimitExceeded."""
        id_, before = snapshot.id, self.world.get(snapshot.id)
        if before is None and len(self.world) >= self.limit:
            raise LimitExceeded(f"more than {self.limit} instances")
        if id_ not in self.order:
            self.order[id_] = self._made
            self._made += 1
        self._undo.append((id_, before, self.order[id_]))
        self.world[id_] = snapshot
        self.watchers.moved(snapshot, before)
        if before is None or before.timers != snapshot.timers or before.delayed != snapshot.delayed:
            self._schedule(snapshot, before)

    def remove(self, id_: str) -> None:
        """Take an instance out."""
        snapshot = self.world.pop(id_)
        self._undo.append((id_, snapshot, self.order.pop(id_)))
        self.watchers.gone(snapshot)
        self._live -= len(snapshot.timers) + len(snapshot.delayed)

    # ---- what is due

    @property
    def next_due(self) -> Due | None:
        """The first entry of the agenda that still means something."""
        while self._agenda and not self._is_live(self._agenda[0]):
            heapq.heappop(self._agenda)
        return self._agenda[0] if self._agenda else None

    def _entries(self, snapshot: Snapshot) -> set[Due]:
        order, arrows = self.order[snapshot.id], self.plan.machines[snapshot.machine].arrows
        timers = {Due(timer.due, order, False, arrows[timer.key].index, snapshot.id) for timer in snapshot.timers}
        return timers | {Due(item.due, order, True, item.turn, snapshot.id) for item in snapshot.delayed}

    def _schedule(self, snapshot: Snapshot, before: Snapshot | None) -> None:
        """Put the new entries on the agenda; tidy it when most of it is stale, which keeps it as long as what is pending."""
        entries = self._entries(snapshot)
        earlier = self._entries(before) if before else set()
        for entry in entries - earlier:
            heapq.heappush(self._agenda, entry)
        self._live += len(entries) - len(earlier)
        if len(self._agenda) > 2 * self._live + 64:
            self._agenda = [entry for entry in dict.fromkeys(self._agenda) if self._is_live(entry)]
            heapq.heapify(self._agenda)

    def _is_live(self, entry: Due) -> bool:
        snapshot = self.world.get(entry.instance)
        return snapshot is not None and self.order[entry.instance] == entry.order and entry in self._entries(snapshot)
