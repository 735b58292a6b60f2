"""A database that is simulated: locks, a log, connections that break, commits that are torn, clients and servers that die.

It keeps the contract of `outlast.store.interface`, in its weakest form: reads outside a `reading` see whatever was committed last,
numbers of turns have gaps, and anything may fail at any call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random

import attrs

from outlast.errors import Conflict, MisuseError, Unsettled
from outlast.store.records import COMMONS, Changes, Decision, Group, Locked, OutgoingEffect, Ref, Stored
from tests.simulation.baton import Baton
from tests.simulation.tables import Row, Tables, rows_of

COMMITTED: Row = ("committed",)
"""What ends a transaction in the log."""


class Killed(BaseException):
    """The process at work is no more."""


@attrs.frozen
class Rates:
    """How likely each mishap is, at each call."""

    kill: float = 0.0
    crash: float = 0.0
    break_: float = 0.0
    conflict: float = 0.0


@attrs.define(eq=False)
class Database:
    """What outlives the processes: the log, and while the server runs, tables and locks."""

    random: Random
    baton: Baton
    rates: Rates = Rates()
    tables: Tables = attrs.field(factory=Tables)
    log: list[Row] = attrs.field(factory=list)
    turn: int = 0
    life: int = 0
    """How often the server was started."""
    shared: set[int] = attrs.field(factory=set)
    alone: int | None = None
    owners: dict[object, int] = attrs.field(factory=dict)
    marks: dict[int, int] = attrs.field(factory=dict)
    """Transaction -> what had been drawn of the numbers of turns when it began to draw."""
    mishaps: dict[str, int] = attrs.field(factory=dict)
    _transactions: int = 0

    def begin(self) -> int:
        """The number of a new transaction."""
        self._transactions += 1
        return self._transactions

    def release(self, transaction: int) -> None:
        """Let go of its locks."""
        self.shared.discard(transaction)
        self.marks.pop(transaction, None)
        self.alone = None if self.alone == transaction else self.alone
        self.owners = {key: owner for key, owner in self.owners.items() if owner != transaction}

    def happens(self, what: str) -> bool:
        """Whether a mishap happens now."""
        if self.random.random() >= getattr(self.rates, what):
            return False
        self.mishaps[what] = self.mishaps.get(what, 0) + 1
        return True

    def strike(self) -> None:
        """What may happen at any call. Raises Killed, Conflict."""
        if self.happens("kill"):
            raise Killed
        if self.happens("crash"):
            self.restart()
        if self.happens("break_"):
            raise Conflict("the connection was lost")
        if self.happens("conflict"):
            raise Conflict("somebody was quicker")

    def restart(self) -> None:
        """The server dies and begins anew with what is in its log."""
        self.life += 1
        self.shared, self.alone, self.owners, self.marks = set(), None, {}, {}
        self.tables, self.log = recovered(self.log)

    def commit(self, rows: list[Row]) -> None:
        """All of it, or nothing. Raises Conflict, Unsettled, Killed."""
        after = self.tables.after(rows)
        whole = [*rows, COMMITTED]
        if self.happens("crash"):
            self.log += whole[: self.random.randrange(len(whole) + 1)]
            self.restart()
            raise Unsettled("the server died")
        self.tables = after
        self.log += whole
        if self.happens("kill"):
            raise Killed
        if self.happens("break_"):
            raise Unsettled("the connection was lost")


def recovered(log: list[Row]) -> tuple[Tables, list[Row]]:
    """What a server finds in its log: every transaction whose end is there, and the log without what is torn."""
    tables, rows, good = Tables(), list[Row](), 0
    for place, row in enumerate(log, 1):
        if row == COMMITTED:
            tables, rows, good = tables.after(rows), [], place
        else:
            rows.append(row)
    return tables, log[:good]


class SimulatedReading:
    """Questions to one state of the tables. See `outlast.store.interface.Reading`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._tables = database.tables

    @property
    def tables(self) -> Tables:
        """What is asked."""
        return self._tables

    def specifications(self) -> list[Mapping[str, str]]:
        """See `Reading`."""
        return list(self.tables.specs)

    def wording(self, hash_: str) -> str | None:
        """See `Reading`."""
        return next((row.get("text") for row in self.tables.specs if row["hash"] == hash_), None)

    def usage(self) -> dict[int, tuple[int, int, int]]:
        """See `Reading`."""
        found: dict[int, list[Decision]] = {}
        for row in self.tables.journal.values():
            found.setdefault(row.spec, []).append(row)
        return {
            spec: (min(row.at for row in rows), len(rows), len({row.instance for row in rows}))
            for spec, rows in found.items()
        }

    def answers(self, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], Decision]:
        """See `Reading`."""
        return {key: self.tables.said[key] for key in keys if key in self.tables.said}

    def turn(self, number: int) -> list[Decision]:
        """See `Reading`."""
        return self.tables.turn(number)

    def decisions(self, after: int, limit: int) -> list[Decision]:
        """See `Reading`."""
        return self.tables.following(after)[:limit]

    def history(self, instance: str, after: int, limit: int) -> list[Decision]:
        """See `Reading`."""
        found = [row for (id_, version), row in self.tables.versions.items() if id_ == instance and version > after]
        return sorted(found, key=lambda row: row.version)[:limit]

    def version(self, instance: str, version: int) -> Decision | None:
        """See `Reading`."""
        return self.tables.versions.get((instance, version))

    def settled(self) -> int:
        """See `Reading`."""
        return min([self.database.turn, *self.database.marks.values()])

    def last(self) -> Decision | None:
        """See `Reading`."""
        return self.tables.journal[self.tables.seqs[-1]] if self.tables.seqs else None

    def instances(self, ids: Collection[str]) -> list[Stored]:
        """See `Reading`."""
        return [self.tables.instances[id_] for id_ in ids if id_ in self.tables.instances]

    def everybody(self, after: str, limit: int) -> list[Stored]:
        """See `Reading`."""
        return [self.tables.instances[id_] for id_ in sorted(self.tables.instances) if id_ > after][:limit]

    def groups(self, ids: Collection[str]) -> dict[str, Group]:
        """See `Reading`."""
        return {id_: self.tables.group(id_) for id_ in ids if id_ in self.tables.clocks}

    def latest(self) -> int:
        """See `Reading`."""
        return max(now for now, _ in self.tables.clocks.values())

    def due(self, groups: Collection[str] | None, until: int, limit: int | None) -> list[tuple[int, str]]:
        """See `Reading`."""
        rows = [row for row in self.tables.instances.values() if row.due is not None and row.due <= until]
        rows = [
            row for row in rows if (row.group in groups if groups is not None else row.group not in self.tables.stuck)
        ]
        found = sorted((row.due or 0, row.made, row.id) for row in rows)
        return [(due, id_) for due, _, id_ in found][:limit]

    def next_due(self) -> int | None:
        """See `Reading`."""
        clocks = self.tables.clocks.items()
        return min((due for id_, (_, due) in clocks if due is not None and id_ not in self.tables.stuck), default=None)

    def stuck(self) -> dict[str, str]:
        """See `Reading`."""
        return dict(sorted(self.tables.stuck.items()))

    def referring(self, targets: Collection[str], link: tuple[str, str] | None = None) -> list[Ref]:
        """See `Reading`."""
        found = (ref for ref in self.tables.refs if ref.target in targets)
        return sorted(
            (ref for ref in found if link in (None, (ref.name, ref.machine))),
            key=lambda ref: (ref.target, ref.name, ref.machine, ref.instance),
        )

    def effects(self, after: tuple[int, int], limit: int, state: str | None) -> list[tuple[OutgoingEffect, str]]:
        """See `Reading`."""
        rows = [row for key, row in sorted(self.tables.outbox.items()) if key > after and state in (None, row.state)]
        return [(row.effect, row.state) for row in rows][:limit]

    def next_effect(self) -> int | None:
        """See `Reading`."""
        return min((row.due for row in self.tables.waiting()), default=None)

    def counts(self) -> dict[str, int]:
        """See `Reading`."""
        return {"decisions": len(self.tables.journal), "instances": len(self.tables.instances)}


class SimulatedTransaction(SimulatedReading):
    """A transaction: every call is a point at which others go on, and at which anything may happen."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.number, self.life = database.begin(), database.life
        self.rows: list[Row] = []
        self.drawn: list[int] = []
        """Numbers of turns that wait to be used."""

    @property
    def tables(self) -> Tables:
        """What is committed by now, and what this transaction itself has written."""
        return self.database.tables.after(self.rows) if self.rows else self.database.tables

    def point(self) -> None:
        """Let others go on. Raises Killed, Conflict."""
        self.database.baton.pass_on()
        self.database.strike()
        self._check()

    def _check(self) -> None:
        if self.life != self.database.life:
            raise Conflict("the server was restarted")

    def wait_until(self, free: Callable[[], bool]) -> None:
        """Wait for a lock. Raises Conflict."""
        while not free():
            self.database.baton.wait_until(free)
            self._check()

    def _own(self, key: object) -> bool:
        """Whether a lock is ours now."""
        return self.database.owners.setdefault(key, self.number) == self.number

    def lock(
        self,
        instances: Collection[str],
        *,
        alone: bool,
        keys: Collection[tuple[str, str]] = (),
        near: Collection[str] = (),
    ) -> Locked:
        """See `Transaction`."""
        groups, alone = self._take(instances, alone=alone)
        self.drawn = self._draw(len(keys))
        self.point()
        known = next(reversed(self.specifications()), None)
        rows = self.instances([*instances, *near])
        if not alone and not {row.group for row in rows if row.id in instances} <= {*groups}:
            raise Conflict("an instance was made, or has changed its group meanwhile")
        return Locked(
            self.groups([COMMONS, *groups]), alone, known["hash"] if known else None, self.answers(keys), rows
        )

    def _take(self, instances: Collection[str], *, alone: bool) -> tuple[list[str], bool]:
        """Take the locks: the groups, and whether it is alone."""
        self.point()
        database = self.database
        if not alone:
            self.wait_until(lambda: database.alone is None)
            database.shared.add(self.number)
            wanted = sorted({row.group for row in self.instances(instances)})
            if COMMONS not in wanted:
                for id_ in wanted:
                    self.wait_until(lambda: database.owners.get(id_, self.number) == self.number)  # noqa: B023  # called at once
                    self._own(id_)
                if any(id_ not in database.tables.clocks for id_ in wanted):
                    raise Conflict("a group has become part of another meanwhile")
                return wanted, False
            database.release(self.number)
        self.wait_until(lambda: database.alone is None and not database.shared - {self.number})
        database.alone = self.number
        return sorted({row.group for row in self.instances(instances)}), True

    def claim(self, until: int, limit: int) -> list[Group]:
        """See `Transaction`."""
        self.point()
        tables, claimed = self.database.tables, list[Group]()
        waiting = sorted((due, id_) for id_, (_, due) in tables.clocks.items() if due is not None and due <= until)
        for _, id_ in waiting:
            if id_ != COMMONS and id_ not in tables.stuck and len(claimed) < limit and self._own(id_):
                claimed.append(tables.group(id_))
        return claimed

    def numbers(self, count: int) -> list[int]:
        """See `Transaction`."""
        self.point()
        self.drawn += self._draw(count - len(self.drawn))
        given, self.drawn = self.drawn[:count], self.drawn[count:]
        return given

    def _draw(self, count: int) -> list[int]:
        if count <= 0:
            return []
        self.database.marks.setdefault(self.number, self.database.turn)
        first = self.database.turn + 1
        self.database.turn += count
        return list(range(first, first + count))

    def write(self, changes: Changes) -> None:
        """See `Transaction`."""
        self.point()
        rows = rows_of(changes)
        self.tables.after(rows)
        self.rows += rows

    def set_stuck(self, group: str, why: str) -> None:
        """See `Transaction`."""
        self.rows.append(("hold", group, why))

    def take_effects(self, now: int, until: int, limit: int) -> list[OutgoingEffect]:
        """See `Transaction`."""
        self.point()
        ready = sorted((row.due, row.key) for row in self.tables.waiting() if row.due <= now)
        taken = [key for _, key in ready if self._own(key)][:limit]
        self.rows += (("take", *key, until) for key in taken)
        after = self.tables
        return [after.outbox[key].effect for key in taken]

    def settle_effect(self, effect: OutgoingEffect, state: str, due: int, error: str | None) -> None:
        """See `Transaction`."""
        self.point()
        self.rows.append(("settle", effect, state, due, error))

    def revive_effect(self, seq: int, place: int, now: int) -> bool:
        """See `Transaction`."""
        row = self.tables.outbox.get((seq, place))
        if row is None or row.state != "dead":
            return False
        self.rows.append(("revive", seq, place, now))
        return True

    def register(self, specification: Mapping[str, str]) -> int:
        """See `Transaction`."""
        self.point()
        self.rows.append(("specify", specification["digest"], specification))
        return int(self.tables.specs[-1]["number"])

    def commit(self) -> None:
        """The end of it."""
        if self.rows:
            self.point()
            self.database.commit(self.rows)


class SimulatedBackend:
    """A connection of one process. See `outlast.store.interface.Backend`."""

    url = "simulated"

    def __init__(self, database: Database) -> None:
        self.database = database

    @contextmanager
    def transaction(self) -> Iterator[SimulatedTransaction]:
        """See `Backend`."""
        transaction = SimulatedTransaction(self.database)
        try:
            yield transaction
            transaction.commit()
        finally:
            self.database.release(transaction.number)

    @contextmanager
    def reading(self) -> Iterator[SimulatedReading]:
        """See `Backend`."""
        self.database.baton.pass_on()
        yield SimulatedReading(self.database)

    glance = reading

    def wait(self, seconds: float) -> None:
        """See `Backend`."""

    def wake(self) -> None:
        """See `Backend`."""

    def check(self) -> Iterator[str]:
        """See `Backend`."""
        return iter(())

    def backup(self, target: Path) -> None:
        """See `Backend`."""
        raise MisuseError(f"a simulation is not copied to {target}")

    def close(self) -> None:
        """See `Backend`."""
