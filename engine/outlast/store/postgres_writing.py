"""Everything a transaction decided, as one statement for PostgreSQL.

A client's time goes into statements, not into rows: the rows of each table travel as one value, a list in JSON. No part of
a statement sees what another part changes, so when something is due in a group is put together from those instances that stay
as they are and those that are written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from outlast.store.records import Changes
from outlast.store.sql import (
    DECISION,
    OUTBOX,
    REF,
    STORED,
    Row,
    decision_row,
    outbox_row,
    ref_row,
    stored_row,
)

CHANNEL = "outlast"
"""Who waits is told here that there may be something to do."""
NUMBERS = ("seq", "version", "at", "spec", "made", "due", "place", "attempts", "was", "now")
"""Columns that are not text."""

_text = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def statement(changes: Changes) -> tuple[str, list[object]]:
    """A statement and its values. It fails with `division_by_zero` unless every instance had the version it must have."""
    parts, values = list[str](), list[object]()

    def rows(columns: str, given: Iterable[Row]) -> str:
        """The rows, to be selected from under the name `n`."""
        names = columns.split(", ")
        values.append(_text([dict(zip(names, row, strict=True)) for row in given]))
        kinds = ", ".join(f"{name} {'bigint' if name in NUMBERS else 'text'}" for name in names)
        return f"json_to_recordset(%s::json) AS n({kinds})"

    def insert(table: str, columns: str, given: list[Row]) -> None:
        if given:
            parts.append(f"{table}_ AS (INSERT INTO {table} ({columns}) SELECT * FROM {rows(columns, given)})")

    insert("journal", DECISION, [*map(decision_row, changes.decisions)])
    insert("instance", STORED, [*map(stored_row, changes.made)])
    sets = ", ".join(f"{name} = n.{name}" for name in STORED.split(", ")[1:])
    moved = rows(f"{STORED}, was", [(*stored_row(row), version) for row, version in changes.moved])
    parts.append(
        f"moved AS (UPDATE instance i SET {sets} FROM {moved} WHERE i.id = n.id AND i.version = n.was RETURNING i.id)"
    )
    if changes.unbound:
        gone = " AND ".join(f"r.{name} = n.{name}" for name in REF.split(", "))
        parts.append(f"unbound AS (DELETE FROM ref r USING {rows(REF, map(ref_row, changes.unbound))} WHERE {gone})")
    insert("ref", REF, [*map(ref_row, changes.bound)])
    soonest, new = changes.soonest, set(changes.new_groups)
    insert("grp", "id, now, due", [(id_, changes.times[id_], soonest.get(id_)) for id_ in changes.new_groups])
    times = [(id_, now, soonest.get(id_)) for id_, now in changes.times.items() if id_ not in new]
    parts.append(
        "advanced AS (UPDATE grp g SET now = n.now, stuck = NULL, due = least(n.due, (SELECT i.due FROM instance i WHERE i.grp = g.id"
        " AND i.due IS NOT NULL AND i.id NOT IN (SELECT id FROM moved) ORDER BY i.due LIMIT 1))"
        f" FROM {rows('id, now, due', times)} WHERE g.id = n.id)"
    )
    insert("outbox", OUTBOX, [*map(outbox_row, changes.effects)])
    first = min(soonest.values(), default=None)
    values += [len(changes.moved), bool(changes.effects), first]
    soonest_of_all = "coalesce((SELECT min(due) FROM grp WHERE due IS NOT NULL AND stuck IS NULL), 1::bigint << 62)"
    sql = (
        f"WITH {', '.join(parts)} SELECT 1 / ((SELECT count(*) FROM moved) = %s)::int,"
        f" CASE WHEN %s OR %s < {soonest_of_all} THEN pg_notify('{CHANNEL}', '') END"
    )
    return sql, values
