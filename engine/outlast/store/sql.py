"""What both databases have in common: every question and every change, in SQL that both understand.

Written with `?` for values and `{in}` for "is one of a list"; a dialect says what these are.
"""

from __future__ import annotations

import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any, TypeAlias, TypeVar

import attrs

from outlast.store.journal import compact
from outlast.store.records import COMMONS, PLACES, Changes, Decision, Group, Locked, OutgoingEffect, Ref, Stored

Row: TypeAlias = Sequence[Any]  # as drivers give them
Value: TypeAlias = "str | int | Collection[str] | None"
T = TypeVar("T")


@attrs.frozen
class Question:
    """A statement that only asks: what is selected, from where, and the values."""

    columns: str
    source: str
    values: Sequence[Value] = ()

    @property
    def sql(self) -> str:
        """All of it."""
        return f"SELECT {self.columns} {self.source}"


DECISION = "seq, instance, machine, version, at, cause, spec, source, id, body, snapshot, previous, hash"
STORED = "id, machine, grp, made, version, hash, due, snapshot"
REF = "target, name, machine, instance"
OUTBOX = "seq, place, instance, name, payload, at, state, attempts, due"
EFFECT = "seq, place, instance, name, payload, at, attempts, error"
DRAWN = "nextval('turn')"
GROUP = "id, now, CASE WHEN id <> '' OR stuck IS NULL THEN due END"
SPEC = ("number", "system", "hash", "readings", "terms", "digest")
PRESENT = Question(f"{GROUP}, (SELECT hash FROM spec ORDER BY since DESC LIMIT 1)", "FROM grp WHERE id = ''")
"""The commons, and the specification the store is written under."""
CHUNK = 1_000
"""Rows asked for or written at a time."""


class SqlTransaction(ABC):
    """A `Transaction` over a database that speaks SQL."""

    # ---- what a dialect says

    @abstractmethod
    def run(self, sql: str, *values: Value) -> list[Row]:
        """Run one statement; its rows, if it has any."""

    @abstractmethod
    def ask(self, questions: Sequence[Question]) -> list[list[Row]]:
        """The rows that answer each question, in one round trip."""

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

    @abstractmethod
    def write(self, changes: Changes) -> None:
        """See `Transaction`."""

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

    def referring(self, targets: Collection[str], link: tuple[str, str] | None = None) -> list[Ref]:
        """See `Reading`."""
        which = " AND name = ? AND machine = ?" if link else ""
        rows = (
            self.run(f"SELECT {REF} FROM ref WHERE target {{in}}{which}", part, *(link or ()))
            for part in chunks(targets)
        )
        return [Ref(*row) for part in rows for row in part]

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

    def wanted(
        self, instances: Collection[str], keys: Collection[tuple[str, str]], near: Collection[str]
    ) -> list[Question]:
        """What is to be found out once the locks are held."""
        rows = by_id([*instances, *(id_ for id_ in near if id_ not in instances)])
        return [PRESENT, *rows, *inbox(keys), *self.draw(len(keys))]

    def found(
        self, groups: Iterable[Row], questions: Sequence[Question], told: Sequence[list[Row]], *, alone: bool
    ) -> Locked:
        """What `lock` answers, from the groups beside the commons and the answers to what was wanted."""
        answers: dict[str, list[Row]] = {PRESENT.columns: [], STORED: [], DECISION: [], DRAWN: []}
        for question, rows in zip(questions, told, strict=True):
            answers[question.columns] += rows
        ((*commons, specification),) = answers[PRESENT.columns]
        self.drawn = [number for (number,) in answers[DRAWN]]
        return Locked(
            {**{row[0]: Group(*row) for row in groups}, COMMONS: Group(*commons)},
            alone,
            specification,
            instances=[Stored(*row) for row in answers[STORED]],
            answers={(row[7], row[8]): Decision(*row) for row in answers[DECISION]},
        )

    def draw(self, count: int) -> list[Question]:  # noqa: ARG002  # not every dialect has to
        """How to draw numbers of turns ahead, where that is worth it: `drawn` holds them afterwards."""
        return []

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
        sql = "UPDATE outbox SET state = 'pending', attempts = 0, due = ? WHERE seq = ? AND place = ? AND state = 'dead' RETURNING 1"
        return len(self.run(sql, now, seq, place)) > 0

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
    return [Question(STORED, "FROM instance WHERE id {in}", (part,)) for part in chunks(ids)]


def inbox(keys: Collection[tuple[str, str]]) -> list[Question]:
    """How to ask for inputs by source and id."""
    source_of = "FROM journal WHERE source = ? AND id {in}"
    by_source = itertools.groupby(sorted(keys), key=itemgetter(0))
    parts = ((source, part) for source, group in by_source for part in chunks([id_ for _, id_ in group]))
    return [Question(DECISION, source_of, part) for part in parts]


decision_row = attrgetter(*DECISION.split(", "))
"""The values of a decision, in the order of `DECISION`."""
stored_row = attrgetter(*STORED.replace("grp", "group").split(", "))
"""The values of an instance, in the order of `STORED`."""
ref_row = attrgetter(*REF.split(", "))
"""The values of a ref, in the order of `REF`."""


def outbox_row(effect: OutgoingEffect) -> Row:
    """The values of an effect that was decided just now, in the order of `OUTBOX`."""
    payload = compact(effect.payload)
    return (effect.seq, effect.place, effect.instance, effect.name, payload, effect.at, "pending", 0, 0)


def outgoing(row: Row) -> OutgoingEffect:
    """An effect from its row, in the order of `EFFECT`."""
    seq, place, instance, name, payload, at, attempts, error = row
    return OutgoingEffect(seq, place, instance, name, json.loads(payload), at, attempts, error)


def chunks(items: Iterable[T], size: int = CHUNK) -> list[list[T]]:
    """The items in lists of at most `size`."""
    whole = list(items)
    return [whole[start : start + size] for start in range(0, len(whole), size)]
