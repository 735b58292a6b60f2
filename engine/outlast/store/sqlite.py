"""The store in a file: SQLite, in WAL mode, syncing at every commit. Writers take turns; readers never wait.

One connection, used by one thread at a time. Another process may have the same file open: it waits for up to `patience` seconds.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from outlast.errors import Conflict, MisuseError, StoreError
from outlast.store import schema
from outlast.store.records import COMMONS, PLACES, Changes, Group, Locked
from outlast.store.sql import (
    DECISION,
    GROUP,
    OUTBOX,
    REF,
    STORED,
    Question,
    Row,
    SqlTransaction,
    Value,
    chunks,
    decision_row,
    outbox_row,
    ref_row,
    stored_row,
)

APPLICATION = 0x4F75746C  # "Outl": what `PRAGMA application_id` says of our files
WORDS = {"int": "INTEGER", "keyed": " WITHOUT ROWID"}

CODES = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "the file cannot be written",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_NOTADB: "this is no SQLite database, or a damaged one",
    sqlite3.SQLITE_CORRUPT: "the database is damaged: restore a backup",
    sqlite3.SQLITE_IOERR: "reading or writing failed",
}
"""Primary result codes -> what they mean for a store."""
SHORTEST, LONGEST = 0.000_05, 0.005
"""Seconds between two attempts to become the writer."""
FEW = 3
"""Up to so many values are written out in a statement; more are one value, a list in JSON."""


class SqliteTransaction(SqlTransaction):
    """A transaction on the one connection. There is one writer at a time, so every lock is held already."""

    greatest = "max"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.hinted = False
        self._number: int | None = None
        self.drawn = []

    def run(self, sql: str, *values: Value) -> list[Row]:
        """See `SqlTransaction`."""
        if "{in}" in sql:
            flat: list[str | int | None] = []
            for value in values:
                if isinstance(value, str | int) or value is None:
                    flat.append(value)
                elif len(value) <= FEW:
                    sql = sql.replace("{in}", f"IN ({', '.join('?' * len(value))})")
                    flat += value
                else:
                    sql = sql.replace("{in}", "IN (SELECT value FROM json_each(?))")
                    flat.append(json.dumps(list(value)))
            return self.connection.execute(sql, flat).fetchall()
        return self.connection.execute(sql, values).fetchall()

    def ask(self, questions: Sequence[Question]) -> list[list[Row]]:
        """See `SqlTransaction`."""
        return [self.run(question.sql, *question.values) for question in questions]

    def lock(
        self,
        instances: Collection[str],
        *,
        alone: bool,
        keys: Collection[tuple[str, str]] = (),
        near: Collection[str] = (),
    ) -> Locked:
        """See `Transaction`."""
        instances = dict.fromkeys(instances)
        sql = f"SELECT {GROUP} FROM grp WHERE id IN (SELECT grp FROM instance WHERE id {{in}})"
        groups = [row for part in chunks(instances) for row in self.run(sql, part)]
        wanted = self.wanted(instances, keys, near)
        locked = self.found(groups, wanted, self.ask(wanted), alone=alone)
        common = any(row.group == COMMONS and row.id in instances for row in locked.instances)
        return attrs.evolve(locked, alone=True) if common and not alone else locked

    def claim(self, until: int, limit: int) -> list[Group]:
        """See `Transaction`."""
        sql = "SELECT id, now, due FROM grp WHERE due <= ? AND stuck IS NULL AND id <> '' ORDER BY due LIMIT ?"
        return [Group(*row) for row in self.run(sql, until, limit)]

    def settled(self) -> int:
        """See `Reading`. Writers take turns, so numbers are committed in their order."""
        return int(self.run("SELECT coalesce(max(seq), 0) FROM journal")[0][0]) // PLACES

    def numbers(self, count: int) -> list[int]:
        """See `Transaction`."""
        if self._number is None:
            self._number = self.settled()
        first = self._number + 1
        self._number += count
        return list(range(first, first + count))

    def write(self, changes: Changes) -> None:
        """See `Transaction`."""
        self.merge(changes.merged)
        if changes.new_groups:
            self._many("INSERT INTO grp (id, now) VALUES (?, 0)", [(id_,) for id_ in changes.new_groups])
        self._insert("journal", DECISION, [*map(decision_row, changes.decisions)])
        self._insert("instance", STORED, [stored_row(row) for row in changes.made])
        changed = self._many(
            "UPDATE instance SET machine = ?, grp = ?, made = ?, version = ?, hash = ?, due = ?, snapshot = ?"
            " WHERE id = ? AND version = ?",
            [(*stored_row(row)[1:], row.id, version) for row, version in changes.moved],
        )
        if changed != len(changes.moved):
            raise Conflict("somebody else changed an instance meanwhile")
        self._many(
            "DELETE FROM ref WHERE target = ? AND name = ? AND machine = ? AND instance = ?",
            [ref_row(ref) for ref in changes.unbound],
        )
        self._insert("ref", REF, [ref_row(ref) for ref in changes.bound])
        self._many(
            "UPDATE grp SET now = ?, stuck = NULL, due = (SELECT min(i.due) FROM instance i WHERE i.grp = grp.id) WHERE id = ?",
            [(now, id_) for id_, now in changes.times.items()],
        )
        self._insert("outbox", OUTBOX, [outbox_row(effect) for effect in changes.effects])
        self.hinted |= bool(changes.effects or changes.soonest)

    def _insert(self, table: str, columns: str, rows: Sequence[Row]) -> None:
        self._many(f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * (columns.count(',') + 1))})", rows)

    def _many(self, sql: str, rows: Sequence[Row]) -> int:
        """Run one statement for each row of values; how many rows of the table it changed."""
        if not rows:
            return 0
        if len(rows) == 1:
            return self.connection.execute(sql, rows[0]).rowcount
        return self.connection.executemany(sql, rows).rowcount


class SqliteBackend:
    """A file, or memory for tests."""

    def __init__(self, path: str, *, patience: float = 10.0, synchronous: str = "full", create: bool = True) -> None:
        """`path` may be `:memory:`. Raises StoreError, MisuseError."""
        if synchronous not in ("full", "normal"):
            raise MisuseError(f"`synchronous` is full or normal, not `{synchronous}`")
        if not create and path != ":memory:" and not Path(path).is_file():
            raise StoreError(f"{path}: there is no such database")
        self.path, self.patience = path, patience
        self.url = f"sqlite:///{path}"
        self._lock = threading.RLock()
        self._woken = threading.Event()
        with self._words():
            self.connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
            try:
                self._prepare(synchronous)
            except BaseException:
                self.connection.close()
                raise

    def _prepare(self, synchronous: str) -> None:
        run = self.connection.execute
        run("PRAGMA foreign_keys = off")
        run(f"PRAGMA synchronous = {synchronous}")
        (version,) = run("PRAGMA user_version").fetchone()
        (application,) = run("PRAGMA application_id").fetchone()
        (tables,) = run("SELECT count(*) FROM sqlite_schema").fetchone()
        if application != APPLICATION and (application or tables):
            raise StoreError(f"{self.path}: this is a database of something else")
        if version > schema.LATEST:
            raise StoreError(
                f"{self.path}: written by a newer Outlast (schema {version}, this one knows {schema.LATEST})"
            )
        if version == schema.LATEST:
            return
        run("PRAGMA journal_mode = wal")
        run("BEGIN IMMEDIATE")
        try:
            (version,) = run("PRAGMA user_version").fetchone()  # somebody else may have been quicker
            for number in range(version + 1, schema.LATEST + 1):
                for statement in schema.statements(number, WORDS):
                    run(statement)
            run(f"PRAGMA application_id = {APPLICATION}")
            run(f"PRAGMA user_version = {schema.LATEST}")
            run("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        """See `Backend`."""
        with self._lock, self._words():
            self._begin()
            try:
                transaction = SqliteTransaction(self.connection)
                yield transaction
                self.connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise
        if transaction.hinted:
            self.wake()

    def _begin(self) -> None:
        """Become the writer. SQLite's own way of waiting sleeps ever longer, and whoever came last overtakes: here a pause is a fraction of the wait."""
        run, begun = self.connection.execute, time.monotonic()
        run("PRAGMA busy_timeout = 0")
        try:
            while True:
                try:
                    run("BEGIN IMMEDIATE")
                except sqlite3.OperationalError as error:
                    waited = time.monotonic() - begun
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or waited > self.patience:
                        raise
                    time.sleep(min(max(SHORTEST, waited / 8), LONGEST))
                else:
                    return
        finally:
            run(f"PRAGMA busy_timeout = {round(self.patience * 1_000)}")

    @contextmanager
    def reading(self) -> Iterator[SqliteTransaction]:
        """See `Backend`."""
        with self._lock, self._words():
            self.connection.execute("BEGIN")
            try:
                yield SqliteTransaction(self.connection)
            finally:
                self._roll_back()

    @contextmanager
    def glance(self) -> Iterator[SqliteTransaction]:
        """See `Backend`."""
        with self._lock, self._words():
            yield SqliteTransaction(self.connection)

    def _roll_back(self) -> None:
        if self.connection.in_transaction:  # a full disk has rolled back by itself: the real error must not be masked
            self.connection.execute("ROLLBACK")

    @contextmanager
    def _words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise Conflict(f"{self.path}: {error}") from error
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise StoreError(f"{self.path}: another process is writing and does not finish") from error
            raise StoreError(f"{self.path}: {CODES.get(code, str(error))}") from error
        except UnicodeDecodeError as error:
            raise StoreError(f"{self.path}: a text in the database is damaged") from error

    def wait(self, seconds: float) -> None:
        """See `Backend`. Other processes are not heard."""
        self._woken.wait(seconds)
        self._woken.clear()

    def wake(self) -> None:
        """See `Backend`."""
        self._woken.set()

    def check(self) -> Iterator[str]:
        """See `Backend`."""
        with self._lock:
            try:
                rows = self.connection.execute("PRAGMA integrity_check").fetchall()
            except sqlite3.Error as error:
                yield str(error)
                return
        yield from (text for (text,) in rows if text != "ok")

    def backup(self, target: Path) -> None:
        """See `Backend`. Through SQLite's backup API; a copy of the file alone would lack what is in the WAL."""
        if target.exists():
            raise MisuseError(f"`{target}` is there already: a backup overwrites nothing")
        with self._words():
            source = (
                sqlite3.connect(f"file:{self.path}?mode=ro", uri=True) if self.path != ":memory:" else self.connection
            )
            copy = sqlite3.connect(target)
            try:
                source.backup(copy)
                copy.execute("PRAGMA journal_mode = wal")
            finally:
                copy.close()
                if source is not self.connection:
                    source.close()

    def close(self) -> None:
        """See `Backend`."""
        with self._lock:
            self.connection.close()


def at_url(path: str, query: Mapping[str, str], *, create: bool) -> SqliteBackend:
    """The store a URL means, with its options: `?synchronous=normal&patience=30`. Raises MisuseError, StoreError."""
    if unknown := sorted({*query} - {"synchronous", "patience"}):
        raise MisuseError(f"a SQLite URL has no option `{unknown[0]}`: it knows `synchronous` and `patience`")
    return SqliteBackend(
        path, patience=seconds(query.get("patience", "10")), synchronous=query.get("synchronous", "full"), create=create
    )


def seconds(text: str) -> float:
    """The option `patience`. Raises MisuseError."""
    try:
        return float(text)
    except ValueError as error:
        raise MisuseError(f"`patience` is a number of seconds, not `{text}`") from error
