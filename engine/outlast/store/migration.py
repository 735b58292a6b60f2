"""A store moved from one version of its specification to the next, as a whole or not at all, and back again until something happens in it.

The move is a turn of the journal like any other: one decision for each instance, of the cause `migrated`, hashed and chained. Nothing is
rewritten, and what was decided before remains decided under the version it was decided under.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import attrs

from outlast.errors import MisuseError, StoreError
from outlast.plan import Plan, under
from outlast.run import Snapshot, Terms
from outlast.store import moving
from outlast.store.engine import Engine, wall_clock
from outlast.store.groups import commons
from outlast.store.interface import Backend, Reading, Transaction
from outlast.store.journal import decode_snapshot
from outlast.store.moving import Fate, Move, moves
from outlast.store.records import COMMONS, Changes, Decision, Stored
from outlast.store.versions import SHORT, Versions, defaults, registering
from outlast.store.world import Scribe, bindings

CHUNK = 1_000
REMEDY = (
    "make room for them in the new version, or let this store come to its end under the present one and begin another"
)
"""What can be done where somebody cannot be moved; docs/migration.md says how."""
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


def planned(backend: Backend, new: Plan, *, old: Plan | None = None) -> list[Course]:
    """What would become of the instances of a store. Raises StoreError if it is not under `old`.

    `old` need be given only if the store has no text of the version it is under.
    """
    with backend.reading() as reading:
        before, after, terms = _both(Versions(reading, _known(old)), new, old, backend.url)
        rows = list(everybody(reading))
        snapshots = [decode_snapshot(before, row.snapshot) for row in rows if row.snapshot is not None]
        return counted(before, after, moves(before, after, snapshots, reading.latest(), terms))


def migrate(backend: Backend, new: Plan, *, old: Plan | None = None, clock: Clock = wall_clock) -> list[Course]:
    """Move every instance of a store to `new`; what became of them. What is due by now happens first, under the version the store is under.

    Readings and terms stay those of the store; of a reading the new version does not ask for nothing is left. Raises MisuseError, and nothing is
    moved, if a single instance cannot be; StoreError if the store is not under `old`, see `planned`.
    """
    with backend.reading() as reading:
        before, after, terms = _both(Versions(reading, _known(old)), new, old, backend.url)
    if before.hash == after.hash:
        raise MisuseError("both versions are the same")
    Engine(backend, before, terms=terms, clock=clock).run_timers()
    with backend.transaction() as transaction:
        transaction.lock((), alone=True)
        _both(Versions(transaction, {before.hash: before}), new, before, backend.url)
        now = max(clock(), transaction.latest())
        if (due := transaction.next_due()) is not None and due <= now:
            raise MisuseError("something has become due meanwhile: try again")
        rows = {row.id: row for row in everybody(transaction) if row.snapshot is not None}
        was = {id_: decode_snapshot(before, row.snapshot or "") for id_, row in rows.items()}
        found = moves(before, after, was.values(), now, terms)
        if stranded := [move for move in found if move.after is None]:
            raise MisuseError(_stranded(stranded, len(found)))
        then = {move.before.id: move.after for move in found if move.after is not None}
        said = {move.before.id: {"migrated": {"from": before.hash, "notes": move.notes}} for move in found}
        _write(transaction, before, after, terms, rows, was, then, said, now)
        return counted(before, after, found)


def undo(backend: Backend, *, old: Plan | None = None, new: Plan | None = None) -> int:
    """Put every instance back where it was before the store was moved last; how many there are.

    The versions need be given only if the store has no text of them. Raises MisuseError if anything has happened since; StoreError if the store
    was not moved from `old` to `new`.
    """
    with backend.transaction() as transaction:
        transaction.lock((), alone=True)
        versions = Versions(transaction, _known(old, new))
        _present(versions, new, backend.url)
        last = transaction.last()
        turn = transaction.turn(last.turn) if last is not None else []
        left = turn[0].said.get("migrated", {}).get("from") if turn else None
        if left is None or (old is not None and left != old.hash):
            raise MisuseError("something has happened since the store was moved: it cannot be put back")
        number = versions.last(left)
        before, after, terms = versions.plan(number), versions.plan(turn[0].spec), versions.terms(number)
        rows = {row.id: row for row in everybody(transaction) if row.snapshot is not None}
        was = {id_: decode_snapshot(after, row.snapshot or "") for id_, row in rows.items()}
        then = {row.instance: _before(transaction, before, row) for row in turn}
        said = {row.instance: {"undone": row.turn} for row in turn}
        _write(transaction, after, before, terms, rows, was, then, said, turn[0].at)
        return len(turn)


def _stranded(stranded: Sequence[Move], count: int) -> str:
    """Why a store is not moved, and what can be done."""
    first = stranded[0]
    return f"{len(stranded)} of {count} instances cannot be moved, `{first.before.id}` for one: {first.why}; {REMEDY}"


def _both(versions: Versions, new: Plan, old: Plan | None, url: str) -> tuple[Plan, Plan, Terms]:
    """The version a store is under and the next one, under the readings of the store, and its terms. Raises StoreError."""
    number = _present(versions, old, url)
    before = versions.plan(number)
    kept = {name: reading for name, reading in before.readings.items() if name in new.assumptions}
    return before, under(new, kept), versions.terms(number)


def _present(versions: Versions, plan: Plan | None, url: str) -> int:
    """The number of what a store is under. Raises StoreError unless it is this version, if one is given."""
    number = versions.present
    if number is None:
        raise StoreError(f"{url}: the store is empty: there is nothing to move")
    found = versions.rows[number]["hash"]
    if plan is not None and found != plan.hash:
        raise StoreError(f"{url}: the store is not under this version of `{plan.name}`, but under {found[:SHORT]}")
    return number


def _known(*plans: Plan | None) -> dict[str, Plan]:
    return {plan.hash: under(plan, defaults(plan)) for plan in plans if plan is not None}


def _before(reading: Reading, plan: Plan, decision: Decision) -> Snapshot:
    """The instance before a decision."""
    row = reading.version(decision.instance, decision.version - 1)
    if row is None:
        raise StoreError(f"the journal lacks version {decision.version - 1} of `{decision.instance}`")
    return decode_snapshot(plan, row.snapshot)


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
    scribe = Scribe(plan, transaction.register(registering(plan, terms)))
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
