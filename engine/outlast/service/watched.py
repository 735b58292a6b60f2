"""A database that tells what was committed: the same `Backend`, with somebody looking on."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol, cast

from outlast.errors import Conflict, MissingExtra
from outlast.store.interface import Backend, Reading, Transaction
from outlast.store.records import Changes


class Witness(Protocol):
    """Whoever looks on. Called from any thread, after the fact."""

    def committed(self, changes: list[Changes], seconds: float) -> None:
        """A transaction was committed, and what it wrote; beginning and committing took so long."""

    def conflicted(self) -> None:
        """A transaction was given up because others changed the same."""


def traced(inner: Backend) -> WatchedBackend:
    """A backend whose turns become spans of OpenTelemetry and lines of the log `outlast.decisions`. Raises MissingExtra."""
    try:
        module = importlib.import_module("outlast.service.traced")
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("opentelemetry"):
            raise
        raise MissingExtra("tracing", "telemetry") from error
    return WatchedBackend(inner, module.Traced())


class _Seen:
    """A transaction whose writing is noted."""

    def __init__(self, inner: Transaction) -> None:
        self.inner, self.changes = inner, list[Changes]()

    def write(self, changes: Changes) -> None:
        self.inner.write(changes)
        self.changes.append(changes)

    def __getattr__(self, name: str) -> Any:  # everything else is the transaction's
        return getattr(self.inner, name)


class WatchedBackend:
    """A `Backend` around another."""

    def __init__(self, inner: Backend, witness: Witness, clock: Callable[[], float] = time.perf_counter) -> None:
        self.inner, self.witness, self.clock = inner, witness, clock

    @property
    def url(self) -> str:
        """See `Backend`."""
        return self.inner.url

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """See `Backend`."""
        begun = self.clock()
        try:
            with self.inner.transaction() as transaction:
                seen = _Seen(transaction)
                yield cast(Transaction, seen)
        except Conflict:
            self.witness.conflicted()
            raise
        if seen.changes:
            self.witness.committed(seen.changes, self.clock() - begun)

    def reading(self) -> AbstractContextManager[Reading]:
        """See `Backend`."""
        return self.inner.reading()

    def glance(self) -> AbstractContextManager[Reading]:
        """See `Backend`."""
        return self.inner.glance()

    def wait(self, seconds: float) -> None:
        """See `Backend`."""
        self.inner.wait(seconds)

    def wake(self) -> None:
        """See `Backend`."""
        self.inner.wake()

    def check(self) -> Iterator[str]:
        """See `Backend`."""
        return self.inner.check()

    def backup(self, target: Path) -> None:
        """See `Backend`."""
        self.inner.backup(target)

    def close(self) -> None:
        """See `Backend`."""
        self.inner.close()
