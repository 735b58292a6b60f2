"""From a URL to a database that is open."""

from __future__ import annotations

import importlib
from urllib.parse import parse_qsl, unquote, urlsplit

from outlast.errors import MissingExtra, MisuseError
from outlast.store import sqlite
from outlast.store.interface import Backend

FORMS = "write sqlite:///FILE or postgresql://USER@HOST/DATABASE"


def open_backend(url: str, *, create: bool = True) -> Backend:
    """The database at a URL; without `create` it must be there. Raises MisuseError, StoreError, MissingExtra."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if parts.scheme == "sqlite" and not parts.netloc:
        path = unquote(parts.path.removeprefix("/")) or ":memory:"
        return sqlite.at_url(path, query, create=create)
    if parts.scheme in ("postgresql", "postgres"):
        try:
            postgres = importlib.import_module("outlast.store.postgres")
        except ModuleNotFoundError as error:
            if error.name != "psycopg":
                raise
            raise MissingExtra("a PostgreSQL store", "postgres") from error
        namespace = query.pop("schema", "outlast")
        patience = sqlite.seconds(query.pop("patience", "30"))
        rest = "&".join(part for part in parts.query.split("&") if part.partition("=")[0] in query)
        plain = url.partition("?")[0] + (f"?{rest}" if rest else "")
        backend: Backend = postgres.PostgresBackend(plain, namespace=namespace, patience=patience, create=create)
        return backend
    raise MisuseError(f"`{url}` is no store: {FORMS}")
