"""Every instance of a system, with what is derived from them: the order they were made in, who observes whom, what is due when.

All changes go through `put` and `remove`, inside a `transaction` that undoes them if anything goes wrong; except that calm steps, which change
nothing but an instance and its timers, are written into `world` by the system itself, which then sees to it that they are booked.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

from outlast.errors import LimitExceeded
from outlast.plan import Plan
from outlast.run.fast import Places
from outlast.run.snapshot import Delayed, Snapshot, Timer
from outlast.run.watch import Watchers


class Due(NamedTuple):
    """A timer or a delayed send that is pending. Compared as a tuple, which is the order of things due at one instant."""

    at: int
    order: int
    """The instance's place in the order of making."""
    is_send: bool
    """Timers come before delayed sends."""
    number: int
    """Of the timer's transition in its machine, or of the send."""
    instance: str


Entry: TypeAlias = tuple[int, int, str]
"""An instant, and an instance (its place in the order of making, its id) that is to be looked at then."""


class Population:
    """The instances of one system.

    Whichever has something pending stands in the agenda, at the instant it is due or before. What ends or is put off leaves the entry where it is: to
    look at the instance once in vain costs less than to search the agenda.
    """

    places: Places | None = None

    def __init__(self, plan: Plan, limit: int, places: Places | None = None, watchers: Watchers | None = None) -> None:
        """With `places`, instances are kept in the form compiled functions take. `watchers`: who knows who observes whom, if not the world alone."""
        self.plan, self.limit, self.places = plan, limit, places
        self.world: dict[str, Snapshot] = {}
        self.order: dict[str, int] = {}
        self.watchers = watchers or Watchers(plan)
        self._made = 0
        self.agenda: list[Entry] = []
        """A heap, soonest first."""
        self.booked: dict[str, Entry] = {}
        """Instance -> its entry in the agenda. Others there mean nothing any more."""
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
                elif id_ in self.world:
                    self.put(snapshot)
                else:
                    self.enter(snapshot, order)
            raise

    def put(self, snapshot: Snapshot) -> None:
        """Add an instance, or replace what it was. Raises LimitExceeded."""
        id_, before = snapshot.id, self.world.get(snapshot.id)
        if before is None:
            self.enter(snapshot, self._made)
            self._undo.append((id_, None, self._made))
            self._made += 1
        else:
            if self.places is not None:
                snapshot = self.places.pack(snapshot)
            self._undo.append((id_, before, self.order[id_]))
            self.world[id_] = snapshot
            self.watchers.moved(snapshot, before)
            self.book(id_, snapshot.timers + snapshot.delayed)

    def enter(self, snapshot: Snapshot, order: int) -> Snapshot:
        """Add an instance that is not there; as it is kept. No transaction takes it back. Raises LimitExceeded."""
        if len(self.world) >= self.limit:
            raise LimitExceeded(f"more than {self.limit} instances")
        if self.places is not None:
            snapshot = self.places.pack(snapshot)
        id_ = snapshot.id
        self.order[id_], self.world[id_] = order, snapshot
        self.watchers.moved(snapshot, None)
        self.book(id_, snapshot.timers + snapshot.delayed)
        return snapshot

    def remove(self, id_: str) -> None:
        """Take an instance out."""
        snapshot = self.world.pop(id_)
        self._undo.append((id_, snapshot, self.order.pop(id_)))
        self.watchers.gone(snapshot)
        self.booked.pop(id_, None)

    # ---- what is due

    @property
    def next_due(self) -> Due | None:
        """What is due first."""
        agenda, booked = self.agenda, self.booked
        while agenda:
            at, order, id_ = entry = agenda[0]
            if booked.get(id_) is not entry:
                heapq.heappop(agenda)
                continue
            snapshot = self.world[id_]
            soonest = snapshot.next_due
            if soonest is None:
                heapq.heappop(agenda)
                del booked[id_]
            elif soonest == at:
                return min(self.pending(snapshot, at))
            else:
                booked[id_] = later = (soonest, order, id_)
                heapq.heapreplace(agenda, later)
        return None

    def pending(self, snapshot: Snapshot, until: int) -> Iterator[Due]:
        """Everything of an instance that is due by `until`."""
        id_, arrows = snapshot.id, self.plan.machines[snapshot.machine].arrows
        order = self.order[id_]
        for timer in snapshot.timers:
            if timer.due <= until:
                yield Due(timer.due, order, False, arrows[timer.key].index, id_)
        for item in snapshot.delayed:
            if item.due <= until:
                yield Due(item.due, order, True, item.turn, id_)

    def book(self, id_: str, pending: tuple[Timer | Delayed, ...]) -> None:
        """See to it that an instance is looked at when something of it is due."""
        entry = self.booked.get(id_)
        for item in pending:
            if entry is None or item.due < entry[0]:
                entry = self.booked[id_] = (item.due, self.order[id_], id_)
                heapq.heappush(self.agenda, entry)
                if len(self.agenda) > 2 * len(self.booked) + 64:
                    self.agenda[:] = self.booked.values()
                    heapq.heapify(self.agenda)
