"""What both databases have in common: every question and every change, in SQL that both understand.

Written with `?` for values and `{in}` for "is one of a list"; a dialect says what these are.
"""

from __future__ import annotations

import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any, Protocol, TypeAlias, TypeVar

from outlast.errors import Conflict
from outlast.store.journal import compact
from outlast.store.records import COMMONS, PLACES, Changes, Decision, Group, Locked, OutgoingEffect, Stored

Row: TypeAlias = Sequence[Any]  # as drivers give them
Value: TypeAlias = "str | int | Collection[str] | None"
Question: TypeAlias = "tuple[str, *tuple[Value, ...]]"
"""A statement and its values."""
T = TypeVar("T")

DECISION = "seq, instance, machine, version, at, cause, spec, source, id, body, snapshot, previous, hash"
STORED = "id, machine, grp, made, version, hash, due, snapshot"
EFFECT = "seq, place, instance, name, payload, at, attempts, error"
GROUP = "id, now, CASE WHEN id <> '' OR stuck IS NULL THEN due END"
SPEC = ("number", "system", "hash", "readings", "terms", "digest")
PRESENT: Question = (f"SELECT {GROUP}, (SELECT hash FROM spec ORDER BY since DESC LIMIT 1) FROM grp WHERE id = ''",)
"""The commons, and the specification the store is written under."""
CHUNK = 1_000
"""Rows asked for or written at a time."""


class Changed(Protocol):
    """What a statement has done, as drivers tell it: perhaps only later."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""


class SqlTransaction(ABC):
    """A `Transaction` over a database that speaks SQL."""

    # ---- what a dialect says

    @abstractmethod
    def run(self, sql: str, *values: Value) -> list[Row]:
        """Run one statement; its rows, if it has any."""

    @abstractmethod
    def many(self, sql: str, rows: Sequence[Row]) -> Changed:
        """Run one statement for each row of values."""

    @abstractmethod
    def ask(self, questions: Sequence[Question]) -> list[list[Row]]:
        """Run statements in order, in as few round trips as can be; the rows of each."""

    @abstractmethod
    def lock(
        self,
        instances: Collection[str],
        *,
        alone: bool,
        keys: Collection[tuple[str, str]] = (),
        near: Collection[str] = (),
    ) -> Locked:
        """See `Transaction`."""

    @abstractmethod
    def claim(self, until: int, limit: int) -> list[Group]:
        """See `Transaction`."""

    @abstractmethod
    def numbers(self, count: int) -> list[int]:
        """See `Transaction`."""

    @abstractmethod
    def settled(self) -> int:
        """See `Reading`."""

    def hint(self) -> None:  # noqa: B027  # not every dialect can
        """Tell those who wait that there may be something to do."""

    drawn: list[int]
    """Numbers of turns that wait to be used."""
    skip_locked = ""
    """What a dialect adds to a claim."""

    # ---- reading

    def specifications(self) -> list[Mapping[str, str]]:
        """See `Reading`."""
        rows = self.run(f"SELECT {', '.join(SPEC)} FROM spec ORDER BY since")
        return [dict(zip(SPEC, map(str, row), strict=True)) for row in rows]

    def wording(self, hash_: str) -> str | None:
        """See `Reading`."""
        rows = self.run("SELECT text FROM wording WHERE hash = ?", hash_)
        return str(rows[0][0]) if rows else None

    def usage(self) -> dict[int, tuple[int, int, int]]:
        """See `Reading`."""
        rows = self.run("SELECT spec, min(at), count(*), count(DISTINCT instance) FROM journal GROUP BY spec")
        return {int(spec): (int(since), int(decisions), int(instances)) for spec, since, decisions, instances in rows}

    def answers(self, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], Decision]:
        """See `Reading`."""
        return {(row[7], row[8]): Decision(*row) for rows in self.ask(inbox(keys)) for row in rows}

    def turn(self, number: int) -> list[Decision]:
        """See `Reading`."""
        rows = self.run(
            f"SELECT {DECISION} FROM journal WHERE seq >= ? AND seq < ? ORDER BY seq",
            number * PLACES,
            (number + 1) * PLACES,
        )
        return [Decision(*row) for row in rows]

    def decisions(self, after: int, limit: int) -> list[Decision]:
        """See `Reading`."""
        rows = self.run(f"SELECT {DECISION} FROM journal WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)
        return [Decision(*row) for row in rows]

    def history(self, instance: str, after: int, limit: int) -> list[Decision]:
        """See `Reading`."""
        rows = self.run(
            f"SELECT {DECISION} FROM journal WHERE instance = ? AND version > ? ORDER BY version LIMIT ?",
            instance,
            after,
            limit,
        )
        return [Decision(*row) for row in rows]

    def version(self, instance: str, version: int) -> Decision | None:
        """See `Reading`."""
        rows = self.run(f"SELECT {DECISION} FROM journal WHERE instance = ? AND version = ?", instance, version)
        return Decision(*rows[0]) if rows else None

    def last(self) -> Decision | None:
        """See `Reading`."""
        rows = self.run(f"SELECT {DECISION} FROM journal ORDER BY seq DESC LIMIT 1")
        return Decision(*rows[0]) if rows else None

    def instances(self, ids: Collection[str]) -> list[Stored]:
        """See `Reading`."""
        return [Stored(*row) for rows in self.ask(by_id(ids)) for row in rows]

    def everybody(self, after: str, limit: int) -> list[Stored]:
        """See `Reading`."""
        return [
            Stored(*row)
            for row in self.run(f"SELECT {STORED} FROM instance WHERE id > ? ORDER BY id LIMIT ?", after, limit)
        ]

    def groups(self, ids: Collection[str]) -> dict[str, Group]:
        """See `Reading`."""
        return {
            row[0]: Group(*row)
            for part in chunks(ids)
            for row in self.run(f"SELECT {GROUP} FROM grp WHERE id {{in}}", part)
        }

    def latest(self) -> int:
        """See `Reading`."""
        return int(self.run("SELECT max(now) FROM grp")[0][0])

    def due(self, groups: Collection[str] | None, until: int, limit: int | None) -> list[tuple[int, str]]:
        """See `Reading`."""
        most = -1 if limit is None else limit
        if groups is None:
            sql = "SELECT i.due, i.id FROM grp g JOIN instance i ON i.grp = g.id WHERE g.due <= ? AND g.stuck IS NULL AND i.due <= ? ORDER BY i.due, i.made"
            return self._limited(sql, most, until, until)
        found: list[tuple[int, str]] = []
        for part in chunks(groups):
            found += self._limited(
                "SELECT due, id FROM instance WHERE grp {in} AND due <= ? ORDER BY due, made", most, part, until
            )
        return found

    def _limited(self, sql: str, most: int, *values: Value) -> list[tuple[int, str]]:
        rows = self.run(f"{sql} LIMIT ?", *values, most) if most >= 0 else self.run(sql, *values)
        return [(due, id_) for due, id_ in rows]

    def next_due(self) -> int | None:
        """See `Reading`."""
        due: int | None = self.run("SELECT min(due) FROM grp WHERE due IS NOT NULL AND stuck IS NULL")[0][0]
        return due

    def stuck(self) -> dict[str, str]:
        """See `Reading`."""
        return dict(self.run("SELECT id, stuck FROM grp WHERE stuck IS NOT NULL ORDER BY id"))  # type: ignore[arg-type]  # pairs

    def referrers(self, targets: Collection[str], name: str, machine: str) -> list[str]:
        """See `Reading`."""
        found: list[str] = []
        for part in chunks(targets):
            rows = self.run(
                "SELECT instance FROM ref WHERE target {in} AND name = ? AND machine = ?", part, name, machine
            )
            found += (row[0] for row in rows)
        return found

    def referred(self, targets: Collection[str]) -> set[str]:
        """See `Reading`."""
        return {
            row[0]
            for part in chunks(targets)
            for row in self.run("SELECT DISTINCT target FROM ref WHERE target {in}", part)
        }

    def effects(self, after: tuple[int, int], limit: int, state: str | None) -> list[tuple[OutgoingEffect, str]]:
        """See `Reading`."""
        which, values = ("AND state = ?", (state,)) if state else ("", ())
        rows = self.run(
            f"SELECT {EFFECT}, state FROM outbox WHERE (seq, place) > (?, ?) {which} ORDER BY seq, place LIMIT ?",
            *after,
            *values,
            limit,
        )
        return [(outgoing(row[:-1]), row[-1]) for row in rows]

    def next_effect(self) -> int | None:
        """See `Reading`."""
        due: int | None = self.run(
            "SELECT min(due) FROM outbox o WHERE state = 'pending' AND NOT EXISTS ("  # those behind another wait for it
            "SELECT 1 FROM outbox e WHERE e.state = 'pending' AND e.instance = o.instance AND (e.seq, e.place) < (o.seq, o.place))"
        )[0][0]
        return due

    def counts(self) -> dict[str, int]:
        """See `Reading`."""
        questions = {
            "turns": f"SELECT count(*) FROM journal WHERE seq % {PLACES} = 0",
            "decisions": "SELECT count(*) FROM journal",
            "instances": "SELECT count(*) FROM instance WHERE snapshot IS NOT NULL",
            "waiting": "SELECT count(*) FROM instance WHERE due IS NOT NULL",
            "groups": "SELECT count(*) FROM grp",
            "pending": "SELECT count(*) FROM outbox WHERE state = 'pending'",
            "dead": "SELECT count(*) FROM outbox WHERE state = 'dead'",
        }
        return {name: int(self.run(sql)[0][0]) for name, sql in questions.items()}

    # ---- writing

    def found(
        self,
        groups: Sequence[Question],
        instances: Collection[str],
        keys: Collection[tuple[str, str]],
        near: Collection[str],
        *,
        alone: bool,
    ) -> Locked:
        """What `lock` answers. `groups` tell the groups beside the commons, and take what locks are still to be taken."""
        rows, said = by_id([*instances, *(id_ for id_ in near if id_ not in instances)]), inbox(keys)
        told = iter(self.ask([*groups, PRESENT, *rows, *said, *self.draw(len(keys))]))

        def answers(questions: Sequence[Question]) -> list[Row]:
            return [row for part in itertools.islice(told, len(questions)) for row in part]

        own = {row[0]: Group(*row) for row in answers(groups)}
        ((*commons, specification),) = answers([PRESENT])
        locked = Locked(
            {**own, COMMONS: Group(*commons)},
            alone,
            specification,
            instances=[Stored(*row) for row in answers(rows)],
            answers={(row[7], row[8]): Decision(*row) for row in answers(said)},
        )
        self.drawn = [row[0] for part in told for row in part]
        return locked

    def draw(self, count: int) -> list[Question]:  # noqa: ARG002  # not every dialect has to
        """How to draw numbers of turns ahead, where that is worth it: `drawn` holds them afterwards."""
        return []

    def write(self, changes: Changes) -> None:
        """See `Transaction`."""
        moved = self.put(changes)
        if moved is not None and moved.rowcount != len(changes.moved):
            raise Conflict("somebody else changed an instance meanwhile")

    def put(self, changes: Changes) -> Changed | None:
        """Write everything; which of the instances that should have been changed were, is for the caller to look at."""
        moved = None
        self.merge(changes.merged)
        if changes.new_groups:
            self.many("INSERT INTO grp (id, now) VALUES (?, 0)", [(id_,) for id_ in changes.new_groups])
        self.insert("journal", DECISION, [*map(decision_row, changes.decisions)])
        if changes.made:
            self.insert("instance", STORED, [stored_row(row) for row in changes.made])
        if changes.moved:
            moved = self.move([(*stored_row(row), version) for row, version in changes.moved])
        if changes.unbound:
            self.many(
                "DELETE FROM ref WHERE target = ? AND name = ? AND machine = ? AND instance = ?",
                [ref_row(ref) for ref in changes.unbound],
            )
        if changes.bound:
            self.insert("ref", "target, name, machine, instance", [ref_row(ref) for ref in changes.bound])
        if changes.times:
            self.advance([(now, id_) for id_, now in changes.times.items()])
        if changes.effects:
            rows = [
                (
                    effect.seq,
                    effect.place,
                    effect.instance,
                    effect.name,
                    compact(effect.payload),
                    effect.at,
                    "pending",
                    0,
                    0,
                )
                for effect in changes.effects
            ]
            self.insert("outbox", "seq, place, instance, name, payload, at, state, attempts, due", rows)
        if (
            changes.effects
            or any(row.due is not None for row in changes.made)
            or any(row.due is not None for row, _ in changes.moved)
        ):
            self.hint()
        return moved

    def insert(self, table: str, columns: str, rows: Sequence[Row]) -> None:
        """Insert rows into a table."""
        self.many(f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * (columns.count(',') + 1))})", rows)

    def move(self, rows: Sequence[Row]) -> Changed:
        """Change instances that have the version at the end of their row."""
        sql = (
            "UPDATE instance SET machine = ?, grp = ?, made = ?, version = ?, hash = ?, due = ?, snapshot = ?"
            " WHERE id = ? AND version = ?"
        )
        return self.many(sql, [(*row[1:8], row[0], row[8]) for row in rows])

    def advance(self, rows: Sequence[Row]) -> None:
        """Let the time of groups be further, each a row of instant and id; and find when something is due in them."""
        sql = "UPDATE grp SET now = ?, stuck = NULL, due = (SELECT min(i.due) FROM instance i WHERE i.grp = grp.id) WHERE id = ?"
        self.many(sql, rows)

    def merge(self, merged: Mapping[str, str]) -> None:
        """Let the instances of groups be in others, and forget the groups."""
        for old, new in merged.items():
            self.run("UPDATE instance SET grp = ? WHERE grp = ?", new, old)
            self.run(
                "UPDATE grp SET now = greatest(now, coalesce((SELECT now FROM grp WHERE id = ?), 0)) WHERE id = ?".replace(
                    "greatest", self.greatest
                ),
                old,
                new,
            )
            self.run("DELETE FROM grp WHERE id = ?", old)

    greatest = "greatest"
    """The greater of two numbers, in this dialect."""

    def set_stuck(self, group: str, why: str) -> None:
        """See `Transaction`."""
        self.run("UPDATE grp SET stuck = ? WHERE id = ?", why, group)

    def take_effects(self, now: int, until: int, limit: int) -> list[OutgoingEffect]:
        """See `Transaction`."""
        rows = self.run(
            "SELECT seq, place FROM outbox o WHERE state = 'pending' AND due <= ? AND NOT EXISTS ("
            "SELECT 1 FROM outbox e WHERE e.state = 'pending' AND e.instance = o.instance AND (e.seq, e.place) < (o.seq, o.place))"
            f" ORDER BY due, seq, place LIMIT ? {self.skip_locked}",
            now,
            limit,
        )
        taken = []
        for seq, place in rows:
            taken += self.run(
                f"UPDATE outbox SET due = ?, attempts = attempts + 1 WHERE seq = ? AND place = ? RETURNING {EFFECT}",
                until,
                seq,
                place,
            )
        return [outgoing(row) for row in taken]

    def settle_effect(self, effect: OutgoingEffect, state: str, due: int, error: str | None) -> None:
        """See `Transaction`."""
        self.run(
            "UPDATE outbox SET state = ?, due = ?, error = ? WHERE seq = ? AND place = ? AND state = 'pending' AND attempts = ?",
            state,
            due,
            error,
            effect.seq,
            effect.place,
            effect.attempts,
        )

    def revive_effect(self, seq: int, place: int, now: int) -> bool:
        """See `Transaction`."""
        sql = (
            "UPDATE outbox SET state = 'pending', attempts = 0, due = ? WHERE seq = ? AND place = ? AND state = 'dead'"
        )
        return self.many(sql, [(now, seq, place)]).rowcount > 0

    def register(self, specification: Mapping[str, str]) -> int:
        """See `Transaction`."""
        if text := specification.get("text"):
            self.run(
                "INSERT INTO wording (hash, text) VALUES (?, ?) ON CONFLICT DO NOTHING", specification["hash"], text
            )
        since = int(self.run("SELECT coalesce(max(since), 0) + 1 FROM spec")[0][0])
        known = self.run("SELECT number FROM spec WHERE digest = ?", specification["digest"])
        if known:
            self.run("UPDATE spec SET since = ? WHERE number = ?", since, known[0][0])
            return int(known[0][0])
        number = int(self.run("SELECT coalesce(max(number), 0) + 1 FROM spec")[0][0])
        columns = ("system", "hash", "readings", "terms", "digest")
        self.run(
            f"INSERT INTO spec (number, since, {', '.join(columns)}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            number,
            since,
            *(specification[name] for name in columns),
        )
        return number


def by_id(ids: Collection[str]) -> list[Question]:
    """How to ask for the rows of instances."""
    return [(f"SELECT {STORED} FROM instance WHERE id {{in}}", part) for part in chunks(ids)]


def inbox(keys: Collection[tuple[str, str]]) -> list[Question]:
    """How to ask for inputs by source and id."""
    sql = f"SELECT {DECISION} FROM journal WHERE source = ? AND id {{in}}"
    by_source = itertools.groupby(sorted(keys), key=itemgetter(0))
    return [(sql, source, part) for source, group in by_source for part in chunks([id_ for _, id_ in group])]


decision_row = attrgetter(*DECISION.split(", "))
"""The values of a decision, in the order of `DECISION`."""


def stored_row(row: Stored) -> Row:
    """The values of an instance, in the order of `STORED`."""
    return (row.id, row.machine, row.group, row.made, row.version, row.hash, row.due, row.snapshot)


def ref_row(ref: object) -> Row:
    """The values of a ref."""
    return tuple(getattr(ref, name) for name in ("target", "name", "machine", "instance"))


def outgoing(row: Row) -> OutgoingEffect:
    """An effect from its row, in the order of `EFFECT`."""
    seq, place, instance, name, payload, at, attempts, error = row
    return OutgoingEffect(seq, place, instance, name, json.loads(payload), at, attempts, error)


def chunks(items: Iterable[T], size: int = CHUNK) -> list[list[T]]:
    """The items in lists of at most `size`."""
    whole = list(items)
    return [whole[start : start + size] for start in range(0, len(whole), size)]
