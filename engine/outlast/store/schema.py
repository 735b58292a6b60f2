"""The tables, as numbered changes. A change is never edited once released: the next one corrects it.

All text of SQL is the same for both databases but for the words in braces.
"""

from __future__ import annotations

CHANGES = (
    (
        "the first tables",
        """
        CREATE TABLE spec (
            number {int} PRIMARY KEY, digest TEXT NOT NULL UNIQUE,
            system TEXT NOT NULL, hash TEXT NOT NULL, readings TEXT NOT NULL, terms TEXT NOT NULL,
            since {int} NOT NULL
        );
        CREATE TABLE journal (
            seq {int} PRIMARY KEY, instance TEXT NOT NULL, machine TEXT NOT NULL, version {int} NOT NULL, at {int} NOT NULL,
            cause TEXT NOT NULL, spec {int} NOT NULL, source TEXT, id TEXT,
            body TEXT NOT NULL, snapshot TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL
        );
        CREATE UNIQUE INDEX journal_version ON journal (instance, version);
        CREATE UNIQUE INDEX journal_said ON journal (source, id) WHERE id IS NOT NULL;
        CREATE TABLE grp (id TEXT PRIMARY KEY, now {int} NOT NULL, due {int}, stuck TEXT){keyed};
        CREATE INDEX grp_due ON grp (due) WHERE due IS NOT NULL AND stuck IS NULL;
        CREATE INDEX grp_stuck ON grp (id) WHERE stuck IS NOT NULL;
        INSERT INTO grp (id, now) VALUES ('', 0);
        CREATE TABLE instance (
            id TEXT PRIMARY KEY, machine TEXT NOT NULL, grp TEXT NOT NULL, made {int} NOT NULL,
            version {int} NOT NULL, hash TEXT NOT NULL, due {int}, snapshot TEXT
        );
        CREATE INDEX instance_grp ON instance (grp, due);
        CREATE TABLE ref (
            target TEXT NOT NULL, name TEXT NOT NULL, machine TEXT NOT NULL, instance TEXT NOT NULL,
            PRIMARY KEY (target, name, machine, instance)
        ){keyed};
        CREATE TABLE outbox (
            seq {int} NOT NULL, place {int} NOT NULL, instance TEXT NOT NULL, name TEXT NOT NULL, payload TEXT NOT NULL,
            at {int} NOT NULL, state TEXT NOT NULL, attempts {int} NOT NULL, due {int} NOT NULL, error TEXT,
            PRIMARY KEY (seq, place)
        ){keyed};
        CREATE INDEX outbox_pending ON outbox (instance, seq, place) WHERE state = 'pending';
        CREATE INDEX outbox_due ON outbox (due) WHERE state = 'pending';
        """,
    ),
    (
        "the texts of specifications",
        "CREATE TABLE wording (hash TEXT PRIMARY KEY, text TEXT NOT NULL)",
    ),
)
"""(what for, statements), the first one numbered 1."""

LATEST = len(CHANGES)
"""The version this program writes, and the newest it reads."""


def statements(change: int, words: dict[str, str]) -> list[str]:
    """The statements of a change in the words of a database."""
    _, text = CHANGES[change - 1]
    return [statement for part in text.format(**words).split(";") if (statement := part.strip())]
