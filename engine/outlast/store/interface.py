"""The seam between the engine and a database. Whoever implements `Backend` can carry an engine: a database, or a simulation of one.

What an implementation owes:

- A transaction happens whole at the end of its `with` block, durably, or, when an exception leaves the block, not at all.
- `Conflict` says that nothing happened and that trying again makes sense; `StoreError` that nothing happened; `Unsettled` that
  the connection was lost while committing and nobody knows. The engine tries `Conflict` and `Unsettled` again: inputs have ids.
- `lock` and `claim` keep their groups for this transaction alone until it ends; `lock` waits, `claim` passes over groups that are taken.
  A transaction that locked with `alone` shares the store with no other writer.
- What is read after locking was committed by everybody who held the lock before.
- Where transactions write side by side, a turn may be committed after one with a greater number. `settled` says how far none will any more;
  whoever follows the journal goes no further.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from outlast.store.records import Changes, Decision, Group, Locked, OutgoingEffect, Ref, Stored


class Reading(Protocol):
    """What can be asked of a database; inside one block it is one state of it."""

    def specifications(self) -> list[Mapping[str, str]]:
        """What the store was written under, each with its `number`, the present one last; see `journal.specification`."""

    def wording(self, hash_: str) -> str | None:
        """The text that is kept of the specification of that hash."""

    def usage(self) -> dict[int, tuple[int, int, int]]:
        """Number of a specification -> (instant of the first decision under it, how many decisions, of how many instances). Reads all of the journal."""

    def answers(self, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], Decision]:
        """(source, id) -> the input that was answered under it."""

    def turn(self, number: int) -> list[Decision]:
        """The decisions of one turn, in order."""

    def decisions(self, after: int, limit: int) -> list[Decision]:
        """At most `limit` decisions whose `seq` is greater than `after`, in order."""

    def history(self, instance: str, after: int, limit: int) -> list[Decision]:
        """At most `limit` decisions of one instance whose version is greater than `after`, in order."""

    def version(self, instance: str, version: int) -> Decision | None:
        """One decision of an instance."""

    def last(self) -> Decision | None:
        """The decision with the greatest `seq`."""

    def settled(self) -> int:
        """The number of a turn: of those up to it, a `reading` begun after this answer sees all that will ever be committed."""

    def instances(self, ids: Collection[str]) -> list[Stored]:
        """The rows of instances, in any order; nothing for those never made."""

    def everybody(self, after: str, limit: int) -> list[Stored]:
        """At most `limit` rows of instances whose id is greater than `after`, in order of id."""

    def groups(self, ids: Collection[str]) -> dict[str, Group]:
        """The rows of groups; nothing is due in the commons while they are stuck."""

    def latest(self) -> int:
        """How far the time of any group has come; 0 in an empty store."""

    def due(self, groups: Collection[str] | None, until: int, limit: int | None) -> list[tuple[int, str]]:
        """(due, instance) of what is due by `until` in these groups (None: in all that are not stuck), soonest first, then in the order they were made."""

    def next_due(self) -> int | None:
        """The next instant at which time alone changes something in a group that is not stuck."""

    def stuck(self) -> dict[str, str]:
        """Group -> why its timers cannot be fired."""

    def referring(self, targets: Collection[str], link: tuple[str, str] | None = None) -> list[Ref]:
        """The refs that lead to one of `targets`: all, or those of one name and machine."""

    def effects(self, after: tuple[int, int], limit: int, state: str | None) -> list[tuple[OutgoingEffect, str]]:
        """Effects with their state (`pending`, `done` or `dead`) after (seq, place), in order."""

    def next_effect(self) -> int | None:
        """When the next pending effect may be delivered: the first of any instance, since the others wait for it."""

    def counts(self) -> dict[str, int]:
        """How many rows of each kind there are."""


class Transaction(Reading, Protocol):
    """What can be asked, and changed."""

    def lock(
        self,
        instances: Collection[str],
        *,
        alone: bool,
        keys: Collection[tuple[str, str]] = (),
        near: Collection[str] = (),
    ) -> Locked:
        """Wait for the groups of these instances, and the commons to be read. `alone`: for the whole store.

        The first call of a transaction that writes. If one of the instances is in the commons, it is as if `alone` were said. Once the locks are
        held it is answered in one go what is probably asked next: the inputs under `keys`, the rows of the instances and of those `near`
        them, who need not exist and are not locked.
        """

    def claim(self, until: int, limit: int) -> list[Group]:
        """Lock at most `limit` groups beside the commons in which something is due by `until`, soonest first."""

    def numbers(self, count: int) -> list[int]:
        """The numbers of the next turns: greater than all that were given to transactions that held one of these locks before."""

    def write(self, changes: Changes) -> None:
        """Write what was decided. Raises Conflict if an instance has not the version it must have, or an id is taken."""

    def set_stuck(self, group: str, why: str) -> None:
        """Say that the timers of a group cannot be fired: nobody claims it until somebody has written to it."""

    def take_effects(self, now: int, until: int, limit: int) -> list[OutgoingEffect]:
        """Pending effects that may be delivered now, for each instance its first only; nobody else gets them before `until`."""

    def settle_effect(self, effect: OutgoingEffect, state: str, due: int, error: str | None) -> None:
        """Say what became of an attempt to deliver: the new state, and when to try again if it is still `pending`."""

    def revive_effect(self, seq: int, place: int, now: int) -> bool:
        """Make a dead effect pending again; whether there was one."""

    def register(self, specification: Mapping[str, str]) -> int:
        """The number of a specification, which is from now on the one the store is written under. Its `text`, if there is one, is kept under its hash."""


class Backend(Protocol):
    """A database that is open."""

    @property
    def url(self) -> str:
        """Where it is, without passwords."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A transaction that may write. Not to be nested in one thread."""

    def reading(self) -> AbstractContextManager[Reading]:
        """A transaction that only reads."""

    def glance(self) -> AbstractContextManager[Reading]:
        """The same, cheaper: every question is answered as of its own moment."""

    def wait(self, seconds: float) -> None:
        """Return when there may be something new to do, at the latest after `seconds`."""

    def wake(self) -> None:
        """Let everybody who waits in this process return."""

    def check(self) -> Iterator[str]:
        """What the database itself finds wrong with its files."""

    def backup(self, target: Path) -> None:
        """A consistent copy of everything committed so far, made while others go on writing."""

    def close(self) -> None:
        """No more transactions."""
