"""What can go wrong with databases, and what an engine does about it: one test for each row of the table in docs/embedding.md."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

import outlast
from outlast.errors import Conflict, IdempotencyError, MisuseError, StoreError, Unsettled
from outlast.plan import Plan, under
from outlast.store import schema
from outlast.store.engine import Engine
from outlast.store.interface import Transaction
from outlast.store.journal import seal, sealed
from outlast.store.opening import open_backend
from outlast.store.postgres import PostgresBackend, PostgresTransaction
from outlast.store.records import Changes, Receipt, Said
from outlast.store.sqlite import SqliteBackend
from tests.store.people import DAY, START, opened, settled
from tests.store.traffic import traffic


def busy(engine: Engine, number: int = 6) -> None:
    """Some jobs with a life."""
    for index in range(number):
        engine.create(
            "job", f"job-{index}", domain="ds", session="ana", kind="training", max_runtime="1d", id=f"job-{index}"
        )
        engine.send(f"job-{index}", "start", id=f"start-{index}")
    engine.send("ana", "sign-out", id="out")
    engine.run_timers(START + 2 * DAY)


def run(engine: Engine, sql: str, *values: Any) -> list[Any]:
    """Do something to the database behind the engine's back."""
    with engine.backend.transaction() as transaction:
        return transaction.run(sql, *values)  # type: ignore[attr-defined, no-any-return]  # an SQL one


# ---- files


def test_a_torn_wal(tmp_path: Path, sagemaker: Plan) -> None:
    """Wherever the log is cut, what remains is whole; the lost end is found by the head somebody kept, and saying it again mends it."""
    with settled(f"sqlite:///{tmp_path}/store.db", sagemaker) as engine:
        engine.backend.connection.execute("PRAGMA wal_autocheckpoint = 0")  # type: ignore[attr-defined]  # SQLite's
        engine.backend.connection.execute("PRAGMA wal_checkpoint(truncate)")  # type: ignore[attr-defined]  # SQLite's
        busy(engine)
        head, count = engine.head(), len(engine.decisions())
        assert head
        for seed in range(12):
            torn = tmp_path / f"torn-{seed}.db"
            shutil.copy(tmp_path / "store.db", torn)
            wal = bytearray((tmp_path / "store.db-wal").read_bytes())
            cut = Random(seed).randrange(32, len(wal))
            damaged = wal[:cut] if seed % 2 else wal[:cut] + bytes([wal[cut] ^ 0x40]) + wal[cut + 1 :]
            torn.with_name(f"torn-{seed}.db-wal").write_bytes(damaged)
            with opened(f"sqlite:///{torn}", sagemaker) as survivor:
                lost = len(survivor.decisions()) < count

                assert survivor.verify().ok
                assert survivor.verify(holds=[head]).ok != lost
                busy(survivor)
                assert len(survivor.decisions()) == count
                assert survivor.verify().ok


def test_a_full_disk(tmp_path: Path, sagemaker: Plan) -> None:
    """The input is refused with the reason, nothing of it is kept, and it goes on when there is room."""
    with settled(f"sqlite:///{tmp_path}/store.db", sagemaker) as engine:
        (pages,) = run(engine, "PRAGMA page_count")[0]
        run(engine, f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match="the disk is full"):  # noqa: PT012  # at which number does not matter
            for number in range(1_000):
                engine.create("interactive-session", f"u{number}", center="acme", id=f"u{number}")
        assert engine.verify().ok
        run(engine, "PRAGMA max_page_count = 1000000")

        for again in range(number + 1):
            assert engine.create("interactive-session", f"u{again}", center="acme", id=f"u{again}").repeated == (
                again < number
            )
        assert engine.verify().ok


def test_a_file_that_cannot_be_written(tmp_path: Path, sagemaker: Plan) -> None:
    """It can still be read."""
    with settled(f"sqlite:///{tmp_path}/store.db", sagemaker) as engine:
        engine.backend.connection.execute("PRAGMA query_only = on")  # type: ignore[attr-defined]  # SQLite's
        with pytest.raises(StoreError, match="the file cannot be written"):
            engine.send("ana", "sign-out")

        assert engine.get("ana").state == "signed-in"
        assert engine.explain("ana", "sign-out").accepted


def test_a_locked_database(tmp_path: Path, sagemaker: Plan) -> None:
    """Another process that does not finish is waited for as long as was said, then complained of."""
    with settled(f"sqlite:///{tmp_path}/store.db?patience=0.05", sagemaker) as engine:
        other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process is writing and does not finish"):
            engine.send("ana", "sign-out")
        other.execute("ROLLBACK")
        other.close()

        assert engine.send("ana", "sign-out").accepted


@pytest.mark.parametrize(
    "content", [b"machine: x\n" * 200, b"SQLite format 3\x00" + bytes(4_000)], ids=["text", "damaged"]
)
def test_a_file_of_something_else(tmp_path: Path, sagemaker: Plan, content: bytes) -> None:
    """It is not touched."""
    file = tmp_path / "other.db"
    file.write_bytes(content)
    with pytest.raises(StoreError):
        Engine.open(f"sqlite:///{file}", sagemaker)

    assert file.read_bytes() == content


def test_a_database_of_something_else(tmp_path: Path, sagemaker: Plan) -> None:
    """Tables of others are not added to."""
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    with pytest.raises(StoreError, match="this is a database of something else"):
        Engine.open(f"sqlite:///{tmp_path}/other.db", sagemaker)


def test_a_database_of_a_newer_version(url: str, sagemaker: Plan) -> None:
    """It is refused before anything is read from it."""
    with settled(url, sagemaker) as engine:
        newer = schema.LATEST + 1
        if url.startswith("sqlite"):
            run(engine, f"PRAGMA user_version = {newer}")
        else:
            run(engine, "INSERT INTO schema_change VALUES (?, 'from the future')", newer)
    with pytest.raises(
        StoreError, match=rf"written by a newer Outlast \(schema {newer}, this one knows {schema.LATEST}\)"
    ):
        Engine.open(url, sagemaker)


def test_a_schema_change_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sagemaker: Plan) -> None:
    """Changes are made together with the note that they were, or not at all."""
    url = f"sqlite:///{tmp_path}/store.db"
    settled(url, sagemaker).close()
    monkeypatch.setattr(
        schema, "CHANGES", (*schema.CHANGES, ("half", "CREATE TABLE extra (x {int}); CREATE TABLE extra (x {int})"))
    )
    monkeypatch.setattr(schema, "LATEST", schema.LATEST + 1)
    with pytest.raises(StoreError, match="table extra already exists"):
        Engine.open(url, sagemaker)
    monkeypatch.undo()

    with opened(url, sagemaker) as engine:
        assert run(engine, "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'")[0][0] == 0
        assert engine.verify().ok


def test_a_store_of_another_specification(url: str, sagemaker: Plan) -> None:
    """Instances belong to what they were made under; other readings may follow, and each decision says its own."""
    settled(url, sagemaker).close()
    with pytest.raises(StoreError, match="the store holds instances of `sagemaker`, not `tour`"):
        Engine.open(url, outlast.load("tour"))
    pinned = under(sagemaker, {"A-02": "pin"})
    with opened(url, pinned) as engine:
        engine.send("ana", "sign-out")

        assert [decision.spec for decision in engine.decisions()] == [1, 1, 1, 1, 2]
        assert engine.verify().ok


BAD_URLS = [
    ("mysql://x", "is no store: write sqlite:///FILE or postgresql://USER@HOST/DATABASE"),
    ("sqlite:///x.db?patience=long", "`patience` is a number of seconds, not `long`"),
    ("sqlite:///x.db?sync=full", "a SQLite URL has no option `sync`"),
    ("sqlite:///x.db?synchronous=off", "`synchronous` is full or normal, not `off`"),
    ("postgresql:///x?patience=long", "`patience` is a number of seconds, not `long`"),
    ("postgresql:///x?colour=red", "this is no PostgreSQL URL"),
]


@pytest.mark.parametrize(("bad", "text"), BAD_URLS)
def test_urls_that_make_no_sense(sagemaker: Plan, bad: str, text: str) -> None:
    """They are told what would have been accepted."""
    with pytest.raises(MisuseError, match=text):
        Engine.open(bad, sagemaker)


def test_nobody_at_home(sagemaker: Plan, tmp_path: Path) -> None:
    """A server that is not there is told in one line."""
    with pytest.raises(StoreError) as caught:
        Engine.open(f"postgresql:///x?host={tmp_path}", sagemaker)

    assert "\n" not in str(caught.value)


# ---- connections


@pytest.mark.parametrize("kept", [True, False], ids=["committed", "not-committed"])
def test_a_connection_lost_while_committing(postgres: str, sagemaker: Plan, kept: bool) -> None:
    """Nobody knows whether it was kept; the engine asks again under the same id, and it is there once."""

    class Lossy(PostgresBackend):
        armed = False

        def _commit(self, transaction: PostgresTransaction) -> None:
            if not self.armed:
                super()._commit(transaction)
                return
            self.armed = False
            if kept:
                super()._commit(transaction)
            transaction.connection.close()
            raise Unsettled("the line went dead")

    base, _, name = postgres.partition("&schema=")
    backend = Lossy(base, namespace=name)
    settled(postgres, sagemaker).close()
    with Engine(backend, sagemaker, clock=lambda: START) as engine:
        backend.armed = True
        receipt = engine.send("ana", "sign-out")

        assert receipt.repeated == kept
        assert [decision.event for decision in engine.history("ana")] == [None, "sign-out"]
        assert engine.verify().ok


def test_connections_killed_by_the_server(postgres: str, sagemaker: Plan) -> None:
    """The next call makes a new one."""
    with (
        settled(postgres, sagemaker) as engine,
        psycopg.connect(postgres.partition("&schema=")[0], autocommit=True) as other,
    ):
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
        )

        assert engine.send("ana", "sign-out").accepted
        assert engine.verify().ok


def test_many_say_the_same_at_once(url: str, sagemaker: Plan) -> None:
    """Threads with the same events: each event is taken once, and everybody gets the same answer."""
    with settled(url, sagemaker) as engine, opened(url, sagemaker) as other:
        for number in range(10):
            engine.create("job", f"job-{number}", domain="ds", session="ana", kind="training")
        answers: list[list[object]] = []

        def say(each: Engine) -> None:
            answers.append([each.send(f"job-{number}", "start", id=f"start-{number}") for number in range(10)])

        threads = [threading.Thread(target=say, args=[each]) for each in (engine, other, engine, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(answers) == 4
        assert all(answer == answers[0] for answer in answers)
        assert all(len(engine.history(f"job-{number}")) == 2 for number in range(10))
        assert engine.verify().ok


def test_said_by_another_between_looking_and_locking(
    url: str, sagemaker: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody else says after an engine has looked, and before it holds the lock, is found there: the first answer again, alone or in a batch."""
    with settled(url, sagemaker) as engine, opened(url, sagemaker) as other:
        first = [other.send("ana", "sign-out", id="1")]

        def overtaken(id_: str, say: Callable[[], list[Receipt]]) -> list[Receipt]:
            engine.send("ana", "sign-out", id="1")  # a repeat: the next will be looked for first
            begin = engine.backend.transaction

            def late() -> AbstractContextManager[Transaction]:
                monkeypatch.setattr(engine.backend, "transaction", begin)
                first.append(other.send("ana", "sign-in", id=id_))
                return begin()

            monkeypatch.setattr(engine.backend, "transaction", late)
            return say()

        alone = overtaken("2", lambda: [engine.send("ana", "sign-in", id="2")])
        batch = [Said("ana", event, id=id_) for id_, event in (("1", "sign-out"), ("3", "sign-in"), ("4", "sign-out"))]
        among = overtaken("3", lambda: engine.send_many(batch))
        with pytest.raises(IdempotencyError):
            overtaken("5", lambda: [engine.send("ana", "sign-out", id="5")])

        assert [receipt.repeated for receipt in (*alone, *among)] == [True, True, True, False]
        assert [*alone, *among][:3] == [first[1], first[0], first[2]]
        assert [decision.id for decision in engine.history("ana")][1:] == ["1", "2", "3", "4", "5"]
        assert engine.verify().ok


def test_a_repeat_waits_for_nobody(tmp_path: Path, sagemaker: Plan) -> None:
    """Where repeats come often they are answered without a lock, so nobody who writes can hold them up."""
    with settled(f"sqlite:///{tmp_path}/store.db?patience=0", sagemaker) as engine:
        said = [Said("ana", "sign-out", id="1"), Said("ana", "sign-in", id="2")]
        first = engine.send_many(said)
        engine.send_many(said)
        with sqlite3.connect(tmp_path / "store.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")

            assert engine.send_many(said) == first
            assert engine.send("ana", "sign-out", id="1") == first[0]
            with pytest.raises(IdempotencyError):
                engine.send("ana", "sign-in", id="1")
            other.execute("ROLLBACK")
        other.close()


def test_a_version_that_has_moved(url: str, sagemaker: Plan) -> None:
    """Whoever writes to an instance that is not as it was read gets a conflict, one or many, and nothing is kept."""
    with settled(url, sagemaker) as engine:
        for number in range(5):
            engine.create("interactive-session", f"u{number}", center="acme")
        with engine.backend.reading() as reading:
            rows = reading.instances([f"u{number}" for number in range(5)])
        for count in (1, 5):
            stale = [(row, 1 if row is not rows[0] else 2) for row in rows[:count]]
            with pytest.raises(Conflict), engine.backend.transaction() as transaction:
                transaction.write(Changes(moved=stale))
        with engine.backend.transaction() as transaction:
            transaction.write(Changes(moved=[(row, 1) for row in rows]))

        assert engine.verify().ok


# ---- copies


def test_a_backup_taken_while_writing(tmp_path: Path, sagemaker: Plan) -> None:
    """It is the store as it was at one moment; restored, it goes on from there, and repeats are told from news."""
    with settled(f"sqlite:///{tmp_path}/store.db", sagemaker) as engine:
        copied = threading.Event()

        def copy() -> None:
            engine.backend.backup(tmp_path / "copy.db")
            copied.set()

        thread = threading.Thread(target=copy)
        sent = 0
        while not copied.is_set() or sent < 40:
            engine.send("ana", "sign-out" if sent % 2 == 0 else "sign-in", id=f"{sent}")
            sent += 1
            if sent == 20:
                thread.start()
        thread.join()
        with pytest.raises(MisuseError, match="a backup overwrites nothing"):
            engine.backend.backup(tmp_path / "copy.db")
        with opened(f"sqlite:///{tmp_path}/copy.db", sagemaker) as restored:
            held = len(restored.history("ana")) - 1

            assert restored.verify().ok
            assert 20 <= held <= sent
            for number in range(sent):
                event = "sign-out" if number % 2 == 0 else "sign-in"
                assert restored.send("ana", event, id=f"{number}").repeated == (number < held)


def test_a_server_is_backed_up_with_its_own_tools(postgres: str, sagemaker: Plan, tmp_path: Path) -> None:
    """And says which."""
    with settled(postgres, sagemaker) as engine, pytest.raises(MisuseError, match="pg_dump --schema="):
        engine.backend.backup(tmp_path / "copy")


# ---- bits


COLUMNS = (
    "instance",
    "machine",
    "version",
    "at",
    "cause",
    "spec",
    "source",
    "id",
    "body",
    "snapshot",
    "previous",
    "hash",
    "seq",
)


def test_one_flipped_bit_in_a_decision(url: str, sagemaker: Plan) -> None:
    """A hundred times a random bit in a random column of a random row of the journal: every one is found."""
    random, found = Random(7), 0
    with settled(url, sagemaker) as engine:
        busy(engine, 3)
        rows = [decision.seq for decision in engine.decisions()]
        while found < 100:
            seq, column = random.choice(rows), random.choice(COLUMNS)
            ((value,),) = run(engine, f"SELECT {column} FROM journal WHERE seq = ?", seq)
            other = flipped(random, value)
            if other is None:
                continue
            run(engine, f"UPDATE journal SET {column} = ? WHERE seq = ?", other, seq)
            assert not engine.verify().ok, (column, value, other)
            run(engine, f"UPDATE journal SET {column} = ? WHERE seq = ?", value, other if column == "seq" else seq)
            found += 1
        assert engine.verify().ok


def flipped(random: Random, value: Any) -> Any:
    """The value with another bit; None where a database could not hold it."""
    if isinstance(value, int):
        return value ^ (1 << random.randrange(40))
    if not value:
        return None
    place = random.randrange(len(value))
    letter = chr(ord(value[place]) ^ (1 << random.randrange(7)))
    return value[:place] + letter + value[place + 1 :] if letter != "\0" else None


def test_one_flipped_bit_in_the_file(tmp_path: Path, sagemaker: Plan) -> None:
    """A hundred times a random bit of the bytes in which decisions lie: found, by us or by the database."""
    file, random = tmp_path / "store.db", Random(8)
    with settled(f"sqlite:///{file}", sagemaker) as engine:
        busy(engine, 3)
        decisions = engine.decisions()
    whole = file.read_bytes()
    for _ in range(100):
        decision = random.choice(decisions)
        text = getattr(decision, random.choice(["body", "snapshot", "hash", "previous"])).encode()
        places = (
            [at for at in range(len(whole)) if whole.startswith(text, at)] if len(text) < 40 else [whole.find(text)]
        )
        start = random.choice([place for place in places if place >= 0] or [-1])
        if start < 0:
            continue  # it is spread over pages
        damaged = bytearray(whole)
        damaged[start + random.randrange(len(text))] ^= 1 << random.randrange(8)
        (tmp_path / "damaged.db").write_bytes(damaged)
        backend = SqliteBackend(f"{tmp_path}/damaged.db")
        with Engine(backend, sagemaker) as engine:
            assert not engine.verify().ok


DAMAGE = [
    (
        "UPDATE instance SET snapshot = replace(snapshot, 'signed-out', 'signed-in') WHERE id = 'ana'",
        "it is not what its last decision left",
    ),
    ("UPDATE instance SET version = version + 1 WHERE id = 'ana'", "its journal ends with"),
    ("UPDATE instance SET due = 5 WHERE id = 'job-1'", "its next deadline is not the one of its timers"),
    ("UPDATE grp SET due = 5 WHERE id = 'ana'", "its next deadline is not the one of its instances"),
    ("DELETE FROM grp WHERE id = 'ana'", "it is missing"),
    ("DELETE FROM instance WHERE id = 'job-1'", "it is missing"),
    ("INSERT INTO instance VALUES ('ghost', 'job', '', 1, 1, '', NULL, '{}')", "the journal does not know it"),
    ("UPDATE instance SET snapshot = NULL WHERE id = 'ana'", "it is gone, and nothing stopped it"),
    ("DELETE FROM outbox WHERE instance = 'job-1'", "it is missing from the outbox"),
    ("UPDATE outbox SET name = 'banner' WHERE instance = 'job-1'", "the journal knows no such effect"),
    ("UPDATE outbox SET payload = 'x' WHERE instance = 'job-1'", "Expecting value"),
    (
        "DELETE FROM journal WHERE instance = 'job-1' AND version = 2",
        "the decisions between version 1 and this one are missing",
    ),
    ("DELETE FROM journal WHERE instance = 'job-1' AND version = 4", "decisions are lost"),
]


@pytest.mark.parametrize(("sql", "text"), DAMAGE)
def test_damage_beside_the_journal(tmp_path: Path, sagemaker: Plan, sql: str, text: str) -> None:
    """Whatever was derived from the journal is held against it."""
    with settled(f"sqlite:///{tmp_path}/store.db", sagemaker) as engine:
        busy(engine, 3)
        assert engine.verify().ok
        run(engine, sql)

        assert text in "\n".join(map(str, engine.verify().findings))


def test_a_forged_decision(tmp_path: Path, sagemaker: Plan) -> None:
    """Somebody who mends every hash after a change is found by deciding again."""
    from_store = f"sqlite:///{tmp_path}/store.db"
    with settled(from_store, sagemaker) as engine:
        engine.send("ana", "sign-out", by="user")
        last = engine.decisions()[-1]
        body = last.body.replace('["TIP-29","TIP-36"]', '["TIP-30","TIP-36"]')
        forged = seal(
            last.previous,
            last.seq,
            last.instance,
            last.machine,
            last.version,
            last.at,
            last.cause,
            last.spec,
            last.source,
            last.id,
            body,
            last.snapshot,
        )
        run(engine, "UPDATE journal SET body = ?, hash = ? WHERE seq = ?", body, forged, last.seq)
        run(engine, "UPDATE instance SET hash = ? WHERE id = 'ana'", forged)

        (finding,) = engine.verify().findings
        assert "decided again it comes out otherwise: `body` of decision" in str(finding)
        with pytest.raises(StoreError, match="comes out otherwise"):
            engine.replay()


def test_a_deadline_that_nobody_has(url: str) -> None:
    """Settings that are said to be due while no instance is: an event to whoever reads them is refused in words, and does not wait for ever."""
    with opened(url, traffic()) as engine:
        engine.create("lamp", "lamp")
        engine.create("car", "car", lamp="lamp")
        run(engine, "UPDATE instance SET due = NULL WHERE id = 'lamp'")

        with pytest.raises(StoreError, match="something is due that no instance knows of"):
            engine.send("car", "drive", at=START + DAY)
        assert not engine.verify().ok


def test_a_forged_decision_in_the_middle(tmp_path: Path, sagemaker: Plan) -> None:
    """Whoever mends the hash of one decision breaks the chain to the next."""
    with settled(f"sqlite:///{tmp_path}/store.db", sagemaker) as engine:
        engine.send("ana", "sign-out", by="user")
        engine.send("ana", "sign-in", by="user")
        middle = engine.history("ana")[1]
        run(engine, "UPDATE journal SET at = at + 1 WHERE seq = ?", middle.seq)
        forged = sealed(engine.history("ana")[1])
        run(engine, "UPDATE journal SET hash = ? WHERE seq = ?", forged, middle.seq)

        assert "it follows another decision than the one before it" in str(engine.verify().findings[0])


def test_commands_have_transactions_of_their_own(url: str) -> None:
    """What leaves a transaction by an exception has not happened."""
    backend = open_backend(url)
    with pytest.raises(ZeroDivisionError), backend.transaction() as transaction:  # noqa: PT012  # leaving it is what is tested
        transaction.register({"system": "s", "hash": "h", "readings": "{}", "terms": "{}", "digest": "d"})
        raise ZeroDivisionError
    with backend.reading() as reading:
        assert reading.specifications() == []
    backend.close()


def test_the_store_is_shared_whoever_is_named(postgres: str, sagemaker: Plan) -> None:
    """Nobody is alone in the store while a transaction goes on, though it named nobody, or somebody who is not there yet."""
    alone = "SELECT pg_try_advisory_xact_lock(hashtextextended('outlast', hashtext(current_schema())::bigint))"
    with settled(postgres, sagemaker) as one, opened(postgres, sagemaker) as other:
        for named in ((), ("nobody",), ("ana",)):
            with one.backend.transaction() as writing:
                writing.lock(named, alone=False)
                with other.backend.reading() as asking:
                    seen = [asking.run(alone)[0][0]]  # type: ignore[attr-defined]  # over SQL
            with other.backend.reading() as asking:
                seen += asking.run(alone)[0]  # type: ignore[attr-defined]  # likewise

            assert seen == [False, True]


def test_a_group_is_for_one_at_a_time(postgres: str, sagemaker: Plan) -> None:
    """Whoever has named one of its instances has all of them; nobody else is kept from the others."""
    free = "SELECT id FROM grp WHERE id <> '' ORDER BY id FOR UPDATE SKIP LOCKED"
    with settled(postgres, sagemaker) as one, opened(postgres, sagemaker) as other:
        one.create("job", "train", domain="ds", session="ana", kind="training")
        one.create("interactive-session", "bea", center="acme")
        with one.backend.transaction() as writing:
            writing.lock(["train"], alone=False)
            with other.backend.transaction() as asking:
                seen = asking.run(free)  # type: ignore[attr-defined]  # over SQL

    assert seen == [("bea",)]


def test_who_opens_a_store_waits_for_nobody_who_writes(postgres: str, sagemaker: Plan) -> None:
    """Its tables are as they should be: there is nothing to be done to them alone."""
    url = f"{postgres}&patience=1"
    with settled(url, sagemaker) as one, one.backend.transaction() as writing:
        writing.lock((), alone=False)
        with Engine.open(url, sagemaker) as other:
            seen = other.due()

    assert seen
