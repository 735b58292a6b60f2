"""The durable store beside the bare floor: the very rows it wrote, inserted by hand in transactions of the same size.

Time by the wall, since a commit waits for the disk. Two workers are two processes that are both fed all events, in orders of their own,
and both fire the timers; at the floor as many processes insert a share of the rows each.
"""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import outlast
from outlast.moments import DAY
from outlast.store.engine import Engine
from outlast.store.interface import Backend
from outlast.store.opening import open_backend
from outlast.store.records import Changes, Decision, Said, Stored
from tests.bench.measuring import Run
from tests.bench.report import Column, Table
from tests.store.server import binaries, running

START = 20_000 * DAY
CHUNK = 50
"""How many timers one transaction of a worker fires, about."""


def tables(run: Run) -> Iterator[Table]:
    """A row for each database, size of transaction and number of workers."""
    size = 200 if run.smoke else 20_000
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for batch in (1, 100):
            for workers in (1, 2):
                url = f"sqlite:///{folder}/store-{batch}-{workers}.db"
                rows.append((_name("SQLite", batch, workers), measured(url, f"{url}-floor", size, batch, workers)))
    if binaries() and find_spec("psycopg"):
        with running(fsync=True) as server:
            for batch in (1, 100):
                for workers in (1, 2):
                    one, two = (f"{server.url}&schema={name}{batch}{workers}" for name in ("store", "floor"))
                    rows.append((_name("PostgreSQL", batch, workers), measured(one, two, size // 4, batch, workers)))
    about = f"{size:,} events to as many sessions, then the expiry of each (a quarter of it on PostgreSQL)."
    heads = ("events a second", "of the floor", "timers a second", "of the floor ")
    yield Table(
        "Durable store",
        about,
        tuple(Column(head, "number" if "second" in head else "plain") for head in heads),
        tuple(rows),
    )


def _name(database: str, batch: int, workers: int) -> str:
    how = "one by one" if batch == 1 else f"in batches of {batch}"
    return f"{database}, {how}" + (f", {workers} workers" if workers > 1 else "")


def measured(url: str, floor: str, size: int, batch: int, workers: int) -> tuple[float, float, float, float]:
    """Events and timers per second, each with its share of the floor's. Raises AssertionError if one was lost or taken twice."""
    people(url, size)
    people(floor, size)
    with opened(url) as engine:
        before = engine.decisions(limit=1_000_000)[-1].seq
        command = [url, str(size), str(batch)]
        events, timers = (
            together([[what, *command, str(seed)] for seed in range(workers)]) for what in ("feed", "fire")
        )
        decisions = engine.decisions(after=before, limit=10_000_000)
        told = [decision for decision in decisions if decision.cause == "event"]
        fired = [decision for decision in decisions if decision.cause == "timer"]
        assert len({decision.id for decision in told}) == len(told) == size, "an event was lost or taken twice"
        assert len({decision.instance for decision in fired}) == len(fired) == size, "a timer was lost or fired twice"
        with engine.backend.reading() as reading:
            rows = {row.id: row for row in reading.everybody("", 10_000_000)}
    bare_events, bare_timers = (
        by_hand(floor, changes(done, rows, per), workers) for done, per in ((told, batch), (fired, CHUNK))
    )
    return size / events, bare_events / events, size / timers, bare_timers / timers


def opened(url: str) -> Engine:
    """The store, in which it is always the same moment."""
    return Engine.open(url, outlast.load("sagemaker"), clock=lambda: START)


def people(url: str, size: int) -> None:
    """A store in which so many users are signed in."""
    with opened(url) as engine:
        engine.create("identity-center", "acme")
        for first in range(0, size, 1_000):
            engine.begin(
                {
                    f"user-{number}": ("interactive-session", {"center": "acme"}, None)
                    for number in range(first, min(first + 1_000, size))
                }
            )


def feed(engine: Engine, size: int, batch: int, seed: int) -> None:
    """Say all events, in an order of its own."""
    numbers = list(range(size))
    random.Random(seed).shuffle(numbers)
    for first in range(0, size, batch):
        said = [
            Said(f"user-{number}", "sign-in", at=START + 1, id=f"e{number}")
            for number in numbers[first : first + batch]
        ]
        engine.send_many(said)


def changes(decisions: list[Decision], rows: dict[str, Stored], batch: int) -> list[Changes]:
    """What the store wrote, in transactions of one size."""
    found = []
    for first in range(0, len(decisions), batch):
        part = decisions[first : first + batch]
        moved = [(as_of(rows[decision.instance], decision), decision.version - 1) for decision in part]
        times = {rows[decision.instance].group: decision.at for decision in part}
        effects = [effect for decision in part for effect in decision.effects]
        found.append(Changes(decisions=part, moved=moved, times=times, effects=effects))
    return found


def by_hand(url: str, done: list[Changes], workers: int) -> float:
    """Seconds to write it, with nothing decided, looked up or held against anything."""
    with tempfile.TemporaryDirectory() as folder:
        commands = []
        for number in range(workers):
            file = Path(folder, str(number))
            file.write_bytes(pickle.dumps(done[number::workers]))
            commands.append(["write", url, str(file)])
        return together(commands)


def write(backend: Backend, done: list[Changes]) -> None:
    """Write it, a transaction each."""
    for each in done:
        with backend.transaction() as transaction:
            transaction.write(each)


def as_of(row: Stored, decision: Decision) -> Stored:
    """The row of an instance directly after a decision."""
    due = min(decision.deadlines.values(), default=None)
    return Stored(row.id, row.machine, row.group, row.made, decision.version, decision.hash, due, decision.snapshot)


def together(commands: list[list[str]]) -> float:
    """Run workers side by side; the seconds from when all are ready until all are done."""
    programs = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.bench.storing", *command],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    begin = time.perf_counter()
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "done\n"
    seconds = time.perf_counter() - begin
    for program in programs:
        program.communicate()
        assert program.returncode == 0
    return seconds


def at_a_word(work: Callable[[], object]) -> None:
    """Work when told to, and say when it is done."""
    print("ready", flush=True)
    sys.stdin.readline()
    work()
    print("done", flush=True)


def main(what: str, url: str, *rest: str) -> None:
    """One of several workers."""
    if what == "write":
        done = pickle.loads(Path(rest[0]).read_bytes())  # noqa: S301  # written by our parent
        backend = open_backend(url)
        at_a_word(lambda: write(backend, done))
        backend.close()
        return
    size, batch, seed = map(int, rest)
    with opened(url) as engine:
        at_a_word(
            (lambda: feed(engine, size, batch, seed)) if what == "feed" else lambda: engine.run_timers(START + DAY)
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
