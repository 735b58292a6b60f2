"""Every instance of a system, with what is derived from them: the order they were made in, who observes whom, what is due when.

All changes go through `put` and `remove`, inside a `transaction` that undoes them if anything goes wrong.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from outlast.errors import LimitExceeded
from outlast.plan import Plan, Transition
from outlast.run.fast import Packed, Places, rest_of
from outlast.run.snapshot import Snapshot, Timer
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


_due = tuple.__new__
"""Makes a Due in a third of the time its own constructor takes."""


class Population:
    """The instances of one system. Entries of the agenda are checked when they come up, not searched for when they end."""

    places: Places | None = None

    def __init__(self, plan: Plan, limit: int, places: Places | None = None, watchers: Watchers | None = None) -> None:
        """With `places`, instances are kept in the form compiled functions take. `watchers`: who knows who observes whom, if not the world alone."""
        self.plan, self.limit, self.places = plan, limit, places
        self.world: dict[str, Snapshot] = {}
        self.order: dict[str, int] = {}
        self.watchers = watchers or Watchers(plan)
        self._made = 0
        self.agenda: list[Due] = []
        """A heap of all that is pending, soonest first, and of some that is not any more."""
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
        if self.places is not None:
            snapshot = self.places.pack(snapshot)
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

    def replace(self, before: Packed, now: Packed) -> None:
        """Put, outside a transaction, what differs from what it was in its place, values, timers and delayed sends only."""
        self.world[now.rest[0]] = now
        if now.rest is not before.rest:
            if now.rest[4] is not before.rest[4]:
                self._schedule(now, before)
            elif now.rest[3] is not before.rest[3]:
                self._pending(now.rest[0], now.place.arrows, before.rest[3], now.rest[3])

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
        while self.agenda and not self._is_live(self.agenda[0]):
            heapq.heappop(self.agenda)
        return self.agenda[0] if self.agenda else None

    def _schedule(self, snapshot: Snapshot, before: Snapshot | None) -> None:
        """Put what is new on the agenda; tidy it when most of it is stale, which keeps it as long as what is pending."""
        timers, delayed = (before.timers, before.delayed) if before is not None else ((), ())
        self._pending(snapshot.id, self.plan.machines[snapshot.machine].arrows, timers, snapshot.timers)
        order = self.order[snapshot.id]
        for item in snapshot.delayed:
            if item not in delayed:
                heapq.heappush(self.agenda, Due(item.due, order, True, item.turn, snapshot.id))
        self._live += len(snapshot.delayed) - len(delayed)

    def _pending(
        self, id_: str, arrows: Mapping[str, Transition], before: tuple[Timer, ...], now: tuple[Timer, ...]
    ) -> None:
        order = self.order[id_]
        for timer in now:
            if timer not in before:
                heapq.heappush(self.agenda, _due(Due, (timer.due, order, False, arrows[timer.key].index, id_)))
        self._live += len(now) - len(before)
        if len(self.agenda) > 2 * self._live + 64:
            self.agenda[:] = dict.fromkeys([entry for entry in self.agenda if self._is_live(entry)])
            heapq.heapify(self.agenda)

    def _is_live(self, entry: Due) -> bool:
        at, order, is_send, number, id_ = entry
        snapshot = self.world.get(id_)
        if snapshot is None or self.order[id_] != order:
            return False
        rest = snapshot.rest if isinstance(snapshot, Packed) else rest_of(snapshot)
        if is_send:
            return any(item.turn == number and item.due == at for item in rest[4])
        for timer in rest[3]:
            if timer.due == at and self.plan.machines[snapshot.machine].arrows[timer.key].index == number:
                return True
        return False
