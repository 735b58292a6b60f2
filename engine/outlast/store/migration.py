"""A store moved from one version of its specification to the next, as a whole or not at all, and back again until something happens in it.

The move is a turn of the journal like any other: one decision for each instance, of the cause `migrated`, hashed and chained. Nothing is
rewritten, and what was decided before remains decided under the version it was decided under.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

import attrs

from outlast.errors import MisuseError, StoreError
from outlast.plan import Plan, under
from outlast.run import Snapshot, Terms
from outlast.store import moving
from outlast.store.engine import Engine, wall_clock
from outlast.store.groups import commons
from outlast.store.interface import Backend, Reading, Transaction
from outlast.store.journal import decode_snapshot, specification
from outlast.store.moving import Fate, Move, moves
from outlast.store.records import COMMONS, Changes, Decision, Stored
from outlast.store.world import Scribe, bindings

CHUNK = 1_000
Clock = Callable[[], int]


@attrs.frozen
class Course:
    """What becomes of all instances in one place. `states` and `target` are innermost states; `count` is None without a store."""

    machine: str
    states: tuple[str, ...]
    target: tuple[str, ...]
    fate: Fate
    why: str = ""
    notes: tuple[str, ...] = ()
    count: int | None = None


def courses(old: Plan, new: Plan) -> list[Course]:
    """What can be said without a store: for each state an instance can rest in."""
    return [
        Course(machine, (state,), (target,) if target else (), fate, why)
        for machine, state, target, fate, why in moving.states(old, new)
    ]


def counted(old: Plan, new: Plan, found: Iterable[Move]) -> list[Course]:
    """Moves that are alike, with their number, in the order in which the instances were made."""
    count: Counter[Course] = Counter()
    for move in found:
        machine, then = old.machines[move.before.machine], new.machines.get(move.before.machine)
        target = then.innermost(move.after.configuration) if then is not None and move.after is not None else ()
        states = machine.innermost(move.before.configuration)
        count[Course(machine.name, states, target, move.fate, move.why, move.notes)] += 1
    return [attrs.evolve(course, count=number) for course, number in count.items()]


def planned(backend: Backend, old: Plan, new: Plan) -> list[Course]:
    """What would become of the instances of a store. Raises StoreError if it is not under `old`."""
    with backend.reading() as reading:
        before, after, terms = as_stored(present(reading, old, backend.url), old, new)
        rows = list(everybody(reading))
        snapshots = [decode_snapshot(before, row.snapshot) for row in rows if row.snapshot is not None]
        return counted(before, after, moves(before, after, snapshots, reading.latest(), terms))


def migrate(backend: Backend, old: Plan, new: Plan, *, clock: Clock = wall_clock) -> list[Course]:
    """Move every instance of a store from `old` to `new`; what became of them. What is due by now happens first, under `old`.

    Readings and terms stay those of the store; of a reading the new version does not ask for nothing is left. Raises MisuseError, and nothing is
    moved, if a single instance cannot be; StoreError if the store is not under `old`.
    """
    if old.hash == new.hash:
        raise MisuseError("both versions are the same")
    with backend.reading() as reading:
        before, after, terms = as_stored(present(reading, old, backend.url), old, new)
    Engine(backend, before, terms=terms, clock=clock).run_timers()
    with backend.transaction() as transaction:
        transaction.lock((), alone=True)
        present(transaction, old, backend.url)
        now = max(clock(), transaction.latest())
        if (due := transaction.next_due()) is not None and due <= now:
            raise MisuseError("something has become due meanwhile: try again")
        rows = {row.id: row for row in everybody(transaction) if row.snapshot is not None}
        was = {id_: decode_snapshot(before, row.snapshot or "") for id_, row in rows.items()}
        found = moves(before, after, was.values(), now, terms)
        if stranded := [move for move in found if move.after is None]:
            first = stranded[0]
            raise MisuseError(
                f"{len(stranded)} of {len(found)} instances cannot be moved, `{first.before.id}` for one: {first.why}"
            )
        then = {move.before.id: move.after for move in found if move.after is not None}
        said = {move.before.id: {"migrated": {"from": old.hash, "notes": move.notes}} for move in found}
        _write(transaction, before, after, terms, rows, was, then, said, now)
        return counted(before, after, found)


def undo(backend: Backend, old: Plan, new: Plan) -> int:
    """Put every instance back where it was before the store was moved from `old` to `new`; how many there are.

    Raises MisuseError if anything has happened since; StoreError if the store is not under `new`.
    """
    with backend.transaction() as transaction:
        transaction.lock((), alone=True)
        present(transaction, new, backend.url)
        last = transaction.last()
        turn = transaction.turn(last.turn) if last is not None else []
        if not turn or turn[0].said.get("migrated", {}).get("from") != old.hash:
            raise MisuseError("something has happened since the store was moved: it cannot be put back")
        specifications = transaction.specifications()
        moved = next(row for row in specifications if int(row["number"]) == turn[0].spec)
        left = next(row for row in reversed(specifications) if row["hash"] == old.hash)
        before, _, terms = as_stored(left, old, old)
        after, _, _ = as_stored(moved, new, new)
        rows = {row.id: row for row in everybody(transaction) if row.snapshot is not None}
        was = {id_: decode_snapshot(after, row.snapshot or "") for id_, row in rows.items()}
        then = {row.instance: _before(transaction, before, row) for row in turn}
        said = {row.instance: {"undone": row.turn} for row in turn}
        _write(transaction, after, before, terms, rows, was, then, said, turn[0].at)
        return len(turn)


def as_stored(specification: Mapping[str, str], old: Plan, new: Plan) -> tuple[Plan, Plan, Terms]:
    """Both versions under the readings of a store, and its terms. Raises MisuseError for a reading the new version does not know."""
    readings = json.loads(specification["readings"])
    kept = {name: reading for name, reading in readings.items() if name in new.assumptions}
    return under(old, readings), under(new, kept), Terms(**json.loads(specification["terms"]))


def _before(reading: Reading, plan: Plan, decision: Decision) -> Snapshot:
    """The instance before a decision."""
    row = reading.version(decision.instance, decision.version - 1)
    if row is None:
        raise StoreError(f"the journal lacks version {decision.version - 1} of `{decision.instance}`")
    return decode_snapshot(plan, row.snapshot)


def present(reading: Reading, plan: Plan, url: str) -> Mapping[str, str]:
    """What a store is under. Raises StoreError unless it is this version."""
    found = next(reversed(reading.specifications()), None)
    if found is None:
        raise StoreError(f"{url}: the store is empty: there is nothing to move")
    if found["hash"] != plan.hash:
        raise StoreError(f"{url}: the store is not under this version of `{plan.name}`, but under {found['hash'][:12]}")
    return found


def everybody(reading: Reading) -> Iterator[Stored]:
    """Every row of an instance, in the order they were made."""
    rows, after = list[Stored](), ""
    while chunk := reading.everybody(after, CHUNK):
        rows += chunk
        after = chunk[-1].id
    yield from sorted(rows, key=lambda row: row.made)


def _write(
    transaction: Transaction,
    other: Plan,
    plan: Plan,
    terms: Terms,
    rows: Mapping[str, Stored],
    before: Mapping[str, Snapshot],
    after: Mapping[str, Snapshot],
    said: Mapping[str, Mapping[str, object]],
    now: int,
) -> None:
    """One turn: every instance, which was under `other`, as it is under `plan`."""
    scribe = Scribe(plan, transaction.register(specification(plan, terms)))
    (turn,) = transaction.numbers(1)
    for place, (id_, row) in enumerate(rows.items()):
        scribe.know(id_, row.version, row.hash, None)
        scribe.migrated(turn, place, now, after[id_], dict(said[id_]))
    changes, groups = Changes(decisions=scribe.decisions), _groups(plan, rows, after)
    for decision in scribe.decisions:
        row, snapshot = rows[decision.instance], after[decision.instance]
        moved = Stored(
            row.id,
            row.machine,
            groups[row.id],
            row.made,
            decision.version,
            decision.hash,
            snapshot.next_due,
            decision.snapshot,
        )
        changes.moved.append((moved, row.version))
    was = {ref for snapshot in before.values() for ref in bindings(other, snapshot)}
    names = {ref for snapshot in after.values() for ref in bindings(plan, snapshot)}
    changes.unbound, changes.bound = sorted(was - names, key=str), sorted(names - was, key=str)
    known = {row.group for row in rows.values()} | {COMMONS}
    used = {*groups.values()} | {COMMONS}
    changes.new_groups = sorted(used - known)
    changes.merged = {
        gone: next(groups[id_] for id_, row in rows.items() if row.group == gone) for gone in known - used
    }
    changes.times = dict.fromkeys(used, now)
    transaction.write(changes)


def _groups(plan: Plan, rows: Mapping[str, Stored], after: Mapping[str, Snapshot]) -> dict[str, str]:
    """Instance -> its group under a version: who is bound to whom belongs together; a group keeps its name where it can."""
    shared = commons(plan)
    leader = {id_: id_ for id_, snapshot in after.items() if snapshot.machine not in shared}

    def find(id_: str) -> str:
        while leader[id_] != id_:
            leader[id_] = leader[leader[id_]]
            id_ = leader[id_]
        return id_

    for id_, snapshot in after.items():
        parent = snapshot.parent[0] if snapshot.parent else None
        for other in (*snapshot.refs, parent):
            if id_ in leader and other in leader:
                leader[find(other)] = find(id_)
    names: dict[str, str] = {}
    taken = {COMMONS}
    for id_ in rows:
        if id_ in leader and find(id_) not in names:
            wanted = itertools.chain((rows[id_].group, id_), (f"{id_}/{number}" for number in itertools.count()))
            names[find(id_)] = next(name for name in wanted if name not in taken)
            taken.add(names[find(id_)])
    return {id_: names[find(id_)] if id_ in leader else COMMONS for id_ in rows}
