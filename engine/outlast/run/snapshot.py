"""Snapshots: the whole state of one instance as an immutable value, and of a system, with their JSON forms."""

from __future__ import annotations

from outlast.expr import Value
from outlast.values import frozen


@frozen
class Event:
    """Something that happened: its name, its payload, and who said it (an instance, an actor, or nobody known)."""

    name: str
    payload: tuple[tuple[str, Value], ...] = ()
    sender: str | None = None
    by: str | None = None
    send_id: str | None = None

    def __str__(self) -> str:
        return self.name


@frozen
class Timer:
    """An armed timer: the key of its transition, when it was armed, when it fires, and the latest moment it may (`within`)."""

    key: str
    armed: int
    due: int
    latest: int


@frozen
class Delayed:
    """An event on its way: to which instance, when it arrives, and its turn among those of the same instant."""

    due: int
    turn: int
    to: str
    event: Event


@frozen
class Snapshot:
    """One instance between two events.

    `configuration` names the active states in document order; `values` are the fields in order of declaration; `refs` binds the
    machine's refs in order of declaration. Hashable, and equal exactly when nothing about the instance differs.
    """

    id: str
    machine: str
    configuration: tuple[str, ...] = ()
    values: tuple[Value, ...] = ()
    refs: tuple[str | None, ...] = ()
    history: tuple[tuple[str, tuple[str, ...]], ...] = ()
    timers: tuple[Timer, ...] = ()
    delayed: tuple[Delayed, ...] = ()
    turn: int = 0
    """How many delayed sends were made so far."""
    children: tuple[tuple[str, str], ...] = ()
    """(ref, child) for every child alive that this instance made."""
    spawned: tuple[tuple[str, int], ...] = ()
    """(ref, count): how many children were ever made for it."""
    parent: tuple[str, str] | None = None
    """(parent, its ref) of a spawned child."""
    done: bool = False

    @property
    def next_due(self) -> int | None:
        """The earliest instant at which time alone changes this instance."""
        timers, delayed = self.timers, self.delayed
        if len(timers) == 1 and not delayed:
            return timers[0].due
        return min([item.due for item in timers + delayed]) if timers or delayed else None
