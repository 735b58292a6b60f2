"""A store of an earlier Outlast, as the program of that time wrote it: to be opened, and understood, by this one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from outlast.store import schema
from outlast.store.opening import open_backend
from outlast.store.sqlite import SqliteBackend

FILES = Path(__file__).parent / "stores"


@attrs.frozen
class Earlier:
    """The versions it was under, as texts, the present one last, and what is in each of its tables."""

    versions: tuple[str, ...]
    tables: dict[str, dict[str, Any]]
    turns: int
    change: int
    """The last change of the schema it knows."""

    def put(self, url: str) -> None:
        """Write it into a database that is not there yet."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(schema, "LATEST", self.change)
            backend = open_backend(url)
        with backend.transaction() as transaction:
            run = transaction.run  # type: ignore[attr-defined]  # both are over SQL
            run("DELETE FROM grp")
            for name, table in self.tables.items():
                values = ", ".join("?" * len(table["columns"]))
                for row in table["rows"]:
                    run(f"INSERT INTO {name} ({', '.join(table['columns'])}) VALUES ({values})", *row)
            if not isinstance(backend, SqliteBackend):
                run("SELECT setval('turn', ?)", self.turns)
        backend.close()


def read(name: str, change: int) -> Earlier:
    """The store in that file."""
    data = json.loads((FILES / f"{name}.json").read_text("utf-8"))
    return Earlier(tuple(data["versions"]), data["tables"], data["turns"], change)


FIRST = read("first-tables", 1)
