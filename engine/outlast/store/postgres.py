"""The store on a server: PostgreSQL 14 or later, through psycopg 3. Any number of workers, each with connections of its own.

How transactions stay out of each other's way: every writer holds an advisory lock, shared; who must be alone holds it exclusively, and so
sees and may change everything. A group is its row in `grp`, locked FOR UPDATE, several in the order of their ids; claims pass over
locked rows and so never wait. A worker frozen inside a transaction is thrown out by the server after `patience` seconds: its locks are
free again and its commit is refused, so no claim needs a lease.

Numbers of turns are drawn in one order and committed in another. So whoever draws some holds a mark until its end: after which number it began
to. Whoever follows the journal goes as far as the lowest mark.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from outlast.errors import Conflict, MisuseError, StoreError, Unsettled
from outlast.store import postgres_writing as writing
from outlast.store import schema
from outlast.store.records import COMMONS, Changes, Group, Locked
from outlast.store.sql import DRAWN, GROUP, Question, Row, SqlTransaction, Value

Statement: TypeAlias = tuple[str, Sequence[Value]]
WORDS = {"int": "BIGINT", "keyed": ""}
LOCK = "hashtextextended('outlast', hashtext(current_schema())::bigint)"
"""The advisory lock of one store: a database may hold several, each in a schema of its own."""
LAST_DRAWN = "(SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM turn)"
"""The last number of a turn that anybody has drawn."""
LOCK_SHARED, LOCK_ALL = f"SELECT pg_advisory_xact_lock_shared({LOCK})", f"SELECT pg_advisory_xact_lock({LOCK})"
OWN = "FROM grp WHERE id = ANY(ARRAY(SELECT grp FROM instance WHERE id {in})) AND id <> ''"
LOCK_GROUPS = f"SELECT {GROUP} {OWN} AND ({LOCK_SHARED}::text) IS NOT NULL ORDER BY id FOR UPDATE"
"""The store shared, whether or not there are such groups, then the groups of instances for oneself. Who is in which group is looked up as of
before the wait, their rows as of after it."""
MARKS, MARK = "hashtext('outlast turns ' || current_schema())", 1 << 31
"""A mark is an advisory lock of two numbers: this one, and what was drawn before, modulo what fits."""
MARKED = f"(SELECT pg_advisory_xact_lock_shared({MARKS}, mod({LAST_DRAWN}, {MARK})::int) OFFSET 0) AS mark"
"""What is selected from `mark` is evaluated once the mark is held."""


PLANS = {"plan_cache_mode": "force_generic_plan"} | dict.fromkeys(
    ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"), "off"
)
"""Statements are planned once, and every one is served by an index however small its table was at that moment."""


class PostgresTransaction(SqlTransaction):
    """A transaction at the level READ COMMITTED: what it reads after locking is what the holder before it left."""

    skip_locked = "FOR UPDATE SKIP LOCKED"

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]], opening: str | None = None) -> None:
        """`opening` is said before anything else."""
        self.connection = connection
        self._early = [opening] if opening else []
        self._late: list[tuple[str, list[object]]] = []
        """What is written, not said yet: it goes with what is said next, or with the end of the transaction."""
        self.drawn: list[int] = []

    def run(self, sql: str, *values: Value) -> list[Row]:
        """See `SqlTransaction`."""
        return self._say([(sql, values)])[-1]

    def ask(self, questions: Sequence[Question]) -> list[list[Row]]:
        """See `SqlTransaction`. One statement for all of them: the rows of each are a list in JSON."""
        return told(self._say([together(questions)])[0]) if questions else []

    def _say(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """Run statements in one round trip, after those that wait to be said; the rows of each."""
        early, late = self._early, self._late
        self._early, self._late = [], []
        if len(statements) == 1 and not early and not late:
            return [rows_of(self.connection.execute(*dialect(*statements[0])))]
        with self.connection.pipeline():
            for sql in early:
                self.connection.execute(sql)
            for sql, ready in late:
                self.connection.execute(sql, ready)
            said = [self.connection.execute(*dialect(*statement)) for statement in statements]
        return [rows_of(cursor) for cursor in said]

    def write(self, changes: Changes) -> None:
        """See `Transaction`. Said together with the end of the transaction, and only then found to be in conflict."""
        self.merge(changes.merged)
        self._late.append(writing.statement(changes))

    def finish(self) -> None:
        """Commit, in one round trip with what is still to be said."""
        if self._late:
            self._say([("COMMIT", ())])
        else:
            self.connection.commit()

    def lock(
        self,
        instances: Collection[str],
        *,
        alone: bool,
        keys: Collection[tuple[str, str]] = (),
        near: Collection[str] = (),
    ) -> Locked:
        """See `Transaction`. Each statement sees what was committed before it begins, so what is read after a lock is not outdated."""
        instances = dict.fromkeys(instances)
        wanted = self.wanted(instances, keys, near)
        if not alone:
            first = (LOCK_GROUPS, (instances,)) if instances else (LOCK_SHARED, ())
            groups, answer = self._say([first, together(wanted)])
            locked = self.found(groups if instances else (), wanted, told(answer), alone=False)
            own = [row.group for row in locked.instances if row.id in instances]
            if COMMONS not in own:
                if not {*own} <= {*locked.groups}:
                    raise Conflict("an instance was made, or has changed its group meanwhile")
                return locked
            self.connection.rollback()  # a shared lock cannot grow: begin again
        _, answer = self._say([(LOCK_ALL, ()), together([Question(GROUP, OWN, (instances,)), *wanted])])
        groups, *rest = told(answer)
        return self.found(groups, wanted, rest, alone=True)

    def claim(self, until: int, limit: int) -> list[Group]:
        """See `Transaction`."""
        sql = "SELECT id, now, due FROM grp WHERE due <= ? AND stuck IS NULL AND id <> '' ORDER BY due LIMIT ? FOR UPDATE SKIP LOCKED"
        return [Group(*row) for row in self.run(sql, until, limit)]

    def numbers(self, count: int) -> list[int]:
        """See `Transaction`."""
        if (more := count - len(self.drawn)) > 0:
            self.drawn += [row[0] for rows in self.ask(self.draw(more)) for row in rows]
        given, self.drawn = self.drawn[:count], self.drawn[count:]
        return given

    def draw(self, count: int) -> list[Question]:
        """See `SqlTransaction`."""
        return [Question(DRAWN, f"FROM {MARKED}, generate_series(1, ?)", (count,))] if count else []

    def settled(self) -> int:
        """See `Reading`. First what was drawn, then the marks: whoever drew a number before that has its mark still, or has ended."""
        drawn = int(self.run(f"SELECT {LAST_DRAWN}")[0][0])
        marks = self.run(
            "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"
            f" AND classid = ({MARKS}::bigint & 4294967295)::oid"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        behind = ((drawn - mark) % MARK for (mark,) in marks)
        return drawn - max((distance for distance in behind if distance < MARK // 2), default=0)


def together(questions: Sequence[Question]) -> Statement:
    """One statement that asks several questions, and its values: the rows that answer each are a list in JSON."""
    answers = ", ".join(
        f"(SELECT coalesce(json_agg(json_build_array({question.columns})), '[]') {question.source})"
        for question in questions
    )
    return f"SELECT json_build_array({answers})::text", [value for question in questions for value in question.values]


def told(answer: list[Row]) -> list[list[Row]]:
    """The rows that answer each of several questions."""
    found: list[list[Row]] = json.loads(answer[0][0])
    return found


def dialect(sql: str, values: Sequence[Value]) -> tuple[str, list[object]]:
    """A statement and its values as the driver takes them. Lists cost it much, and most are of one value."""
    sql = sql.replace("%", "%%").replace("?", "%s")
    flat: list[object] = []
    for value in values:
        if isinstance(value, str | int) or value is None:
            flat.append(value)
        elif len(value) == 1:
            sql = sql.replace("{in}", "= %s", 1)
            flat += value
        else:
            sql = sql.replace("{in}", "= ANY(%s)", 1)
            flat.append(list(value))
    return sql, flat


def rows_of(cursor: psycopg.Cursor[tuple[object, ...]]) -> list[Row]:
    """What a statement answered, if it does."""
    return list(cursor.fetchall()) if cursor.pgresult and cursor.pgresult.nfields else []


class PostgresBackend:
    """A schema of a database. Connections are made when needed and kept, one for each thread at work."""

    def __init__(self, url: str, *, namespace: str = "outlast", patience: float = 30.0, create: bool = True) -> None:
        """`url` as libpq takes it. Raises StoreError, MisuseError."""
        try:
            self._conninfo = make_conninfo(url)
        except psycopg.Error as error:
            raise MisuseError(f"this is no PostgreSQL URL: {error}") from error
        self.namespace, self.patience = namespace, patience
        known = conninfo_to_dict(self._conninfo)
        self.url = f"postgresql://{known.get('host', '')}/{known.get('dbname', '')}?schema={namespace}"
        self._idle: queue.LifoQueue[psycopg.Connection[tuple[object, ...]]] = queue.LifoQueue()
        self._listener: psycopg.Connection[tuple[object, ...]] | None = None
        self._woken = threading.Event()
        self._known = False  # whether the server was ever reached: what is lost then is worth another attempt
        try:
            with self._words(), self._borrowed() as connection:
                self._prepare(connection, create=create)
        except BaseException:
            self.close()
            raise
        self._known = True

    def _prepare(self, connection: psycopg.Connection[tuple[object, ...]], *, create: bool) -> None:
        found = connection.execute(
            "SELECT 1 FROM information_schema.schemata WHERE schema_name = %s", [self.namespace]
        ).fetchone()
        if not found and not create:
            raise StoreError(f"{self.url}: there is no such store")
        run = PostgresTransaction(connection).run
        if run("SELECT to_regclass('schema_change')")[0][0] and self._version(run) == schema.LATEST:
            connection.rollback()
            return  # nobody who writes is waited for
        run(f"SELECT pg_advisory_xact_lock({LOCK})")
        if not found:
            connection.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(self.namespace)))
        run("CREATE TABLE IF NOT EXISTS schema_change (number BIGINT PRIMARY KEY, about TEXT NOT NULL)")
        version = self._version(run)
        if version == 0:
            run("CREATE SEQUENCE turn")
        for number in range(version + 1, schema.LATEST + 1):
            for change in schema.statements(number, WORDS):
                run(change)
            run("INSERT INTO schema_change VALUES (?, ?)", number, schema.CHANGES[number - 1][0])
        connection.commit()

    def _version(self, run: Callable[[str], list[Row]]) -> int:
        """The number of the last change of the tables; 0 for none. Raises StoreError for one that is not known."""
        version = int(run("SELECT coalesce(max(number), 0) FROM schema_change")[0][0])
        if version > schema.LATEST:
            raise StoreError(
                f"{self.url}: written by a newer Outlast (schema {version}, this one knows {schema.LATEST})"
            )
        return version

    @contextmanager
    def _borrowed(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        """A connection for one transaction; a broken one is not kept."""
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = self._connect()
        try:
            yield connection
        except BaseException:
            with suppress(psycopg.Error):
                connection.rollback()
            raise
        finally:
            if connection.closed or connection.broken:
                connection.close()
            else:
                self._idle.put(connection)

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        connection = psycopg.connect(self._conninfo, autocommit=True)
        patience = f"{round(self.patience * 1000)}ms"
        settings = {
            "search_path": self.namespace,
            "idle_in_transaction_session_timeout": patience,
            "lock_timeout": patience,
            "client_min_messages": "warning",
            **PLANS,
        }
        connection.execute(
            "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) AS s(name, value)",
            [[*settings], [*settings.values()]],
        )
        connection.autocommit = False
        return connection

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        """See `Backend`."""
        with self._words(), self._borrowed() as connection:
            transaction = PostgresTransaction(connection)
            yield transaction
            self._commit(transaction)

    def _commit(self, transaction: PostgresTransaction) -> None:
        try:
            transaction.finish()
        except psycopg.OperationalError as error:
            if transaction.connection.broken:
                raise Unsettled(f"{self.url}: the connection was lost while committing") from error
            raise

    @contextmanager
    def reading(self) -> Iterator[PostgresTransaction]:
        """See `Backend`."""
        with self._words(), self._borrowed() as connection:
            yield PostgresTransaction(connection, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            connection.rollback()

    @contextmanager
    def glance(self) -> Iterator[PostgresTransaction]:
        """See `Backend`."""
        with self._words(), self._borrowed() as connection:
            connection.autocommit = True
            try:
                yield PostgresTransaction(connection)
            finally:
                if not connection.closed:
                    connection.autocommit = False

    @contextmanager
    def _words(self) -> Iterator[None]:
        try:
            yield
        except (
            errors.UniqueViolation,
            errors.DivisionByZero,  # see `writing.statement`
            errors.SerializationFailure,
            errors.DeadlockDetected,
        ) as error:
            raise Conflict(f"{self.url}: {first_line(error)}") from error
        except (errors.IdleInTransactionSessionTimeout, errors.AdminShutdown) as error:
            raise Conflict(f"{self.url}: thrown out by the server: {first_line(error)}") from error
        except psycopg.OperationalError as error:
            lost = error.sqlstate is None
            raise (Conflict if lost and self._known else StoreError)(f"{self.url}: {first_line(error)}") from error
        except psycopg.Error as error:
            raise StoreError(f"{self.url}: {first_line(error)}") from error

    def wait(self, seconds: float) -> None:
        """See `Backend`: by LISTEN, on a connection of its own. Notifications are hints: a lost one costs the wait, nothing else."""
        if self._woken.is_set():
            self._woken.clear()
            return
        try:
            if self._listener is None:
                self._listener = psycopg.connect(self._conninfo, autocommit=True)
                self._listener.execute(f"LISTEN {writing.CHANNEL}")
                return  # what was said before we listened is to be looked for
            deadline = time.monotonic() + seconds
            while not self._woken.is_set() and (rest := deadline - time.monotonic()) > 0:
                if list(self._listener.notifies(timeout=min(rest, 0.5), stop_after=1)):
                    break
        except psycopg.Error:
            self._listener = None
            self._woken.wait(seconds)
        self._woken.clear()

    def wake(self) -> None:
        """See `Backend`."""
        self._woken.set()

    def check(self) -> Iterator[str]:
        """See `Backend`. A server checks its pages itself, where it was set up with checksums."""
        return iter(())

    def backup(self, target: Path) -> None:
        """See `Backend`."""
        raise MisuseError(
            f"a server is backed up with its own tools: pg_dump --schema={self.namespace} --file={target} …"
        )

    def close(self) -> None:
        """See `Backend`."""
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                break
        if self._listener is not None:
            self._listener.close()


def first_line(error: Exception) -> str:
    """What a server says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
