"""From the order of the log to the order of time, with bounded memory: duplicates, disorder, lines too late, clocks that leap."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator

import attrs

from outlast.moments import DAY
from outlast.proofs.audit.decoding import Happening
from outlast.proofs.audit.lines import Unreadable

LEAP = 366 * DAY
"""A line so far ahead of all others does not move the window before another one confirms its time."""


@attrs.define(eq=False)
class Seen:
    """Ids of lines of the recent past: (source, id) is what makes a CloudEvent the one it is."""

    span: int
    ids: set[tuple[str, str]] = attrs.field(factory=set)
    order: deque[tuple[int, tuple[str, str]]] = attrs.field(factory=deque)

    def again(self, source: str, id_: str, newest: int) -> bool:
        """Whether this one was seen before; keeps it. `newest` is the latest time read so far."""
        while self.order and self.order[0][0] < newest - self.span:
            self.ids.discard(self.order.popleft()[1])
        if (source, id_) in self.ids:
            return True
        self.ids.add((source, id_))
        self.order.append((newest, (source, id_)))
        return False


@attrs.define(eq=False)
class Sequences:
    """Which numbers of a source that counts its lines never came. A number is missing once `held` higher ones are known."""

    held: int = 512
    waiting: dict[str, list[int]] = attrs.field(factory=dict)
    next: dict[str, int] = attrs.field(factory=dict)
    missing: int = 0

    def take(self, source: str, number: int) -> None:
        """A line with its number."""
        if source not in self.next:
            if len(self.next) >= self.held:
                return  # more sources than anybody counts
            self.next[source] = number
        waiting = self.waiting.setdefault(source, [])
        heapq.heappush(waiting, number)
        self._settle(source, self.held)

    def finish(self) -> int:
        """How many never came, now that no more will come."""
        for source in self.waiting:
            self._settle(source, 0)
        return self.missing

    def _settle(self, source: str, held: int) -> None:
        waiting = self.waiting[source]
        while waiting and (waiting[0] <= self.next[source] or len(waiting) > held):
            number = heapq.heappop(waiting)
            if number >= self.next[source]:
                self.missing += number - self.next[source]
                self.next[source] = number + 1


@attrs.define(eq=False)
class Window:
    """Holds lines back until nothing earlier is expected any more."""

    span: int
    newest: int | None = None
    disordered: int = 0
    held: list[tuple[int, bool, int, Happening]] = attrs.field(factory=list)
    ahead: Happening | None = None
    """A line far ahead of all others that none has confirmed yet."""

    def take(self, happening: Happening) -> Iterator[Happening | Unreadable]:
        """One more; gives those whose turn has come, in the order of time, then of the log; and lines that went astray."""
        if self.newest is not None and happening.at > self.newest + LEAP:
            before, self.ahead = self.ahead, happening
            if before is None:
                return
            if abs(before.at - happening.at) > LEAP:
                yield self._astray(before)
                return
            self._hold(before)
            self.newest, self.ahead = max(before.at, happening.at), None
        elif self.newest is not None and happening.at < self.newest:
            self.disordered += 1
        self.newest = happening.at if self.newest is None else max(self.newest, happening.at)
        self._hold(happening)
        yield from self._until(self.newest - self.span)

    def is_late(self, happening: Happening) -> bool:
        """Whether its time is over: what comes after it has been dealt with."""
        return self.newest is not None and happening.at < self.newest - self.span

    def rest(self) -> Iterator[Happening | Unreadable]:
        """All that is still held."""
        yield from self._until(None)
        if self.ahead is not None:
            yield self._astray(self.ahead)

    def _astray(self, happening: Happening) -> Unreadable:
        days = (happening.at - (self.newest or 0)) // DAY
        return Unreadable(happening.line, f"its time is {days:,} days ahead of the log, and no other line confirms it")

    def _hold(self, happening: Happening) -> None:
        goes_on = not happening.rule.begins  # nothing is told of an instance before its beginning, of the same instant
        heapq.heappush(self.held, (happening.at, goes_on, happening.line, happening))

    def _until(self, instant: int | None) -> Iterator[Happening]:
        while self.held and (instant is None or self.held[0][0] <= instant):
            yield heapq.heappop(self.held)[-1]
