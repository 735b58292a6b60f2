"""Snapshots that need not be decoded again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from itertools import islice

from outlast.plan import Plan
from outlast.run import Snapshot
from outlast.store.journal import decode_snapshot
from outlast.store.records import COMMONS, Stored
from outlast.store.world import Session

MOST_NEAR = 8
"""How many of the commons are guessed to be needed again."""


class Snapshots:
    """Snapshots that were decoded or made, each under the hash of its row, so that an outdated one is never taken."""

    def __init__(self, plan: Plan, most: int = 50_000) -> None:
        self.plan, self.most = plan, most
        self._known: OrderedDict[str, tuple[str, Snapshot]] = OrderedDict()
        self._lock = threading.Lock()
        self._common: tuple[str, ...] = ()

    def of(self, row: Stored) -> Snapshot:
        """The snapshot of an instance's row. Raises SnapshotError."""
        assert row.snapshot is not None
        known = self._known.get(row.id)
        if known is not None and known[0] == row.hash:
            return known[1]
        snapshot = decode_snapshot(self.plan, row.snapshot)
        self._keep([(row.id, row.hash, snapshot)])
        return snapshot

    def near(self, ids: Collection[str]) -> list[str]:
        """Whom these referred to when they were last seen, and whom in the commons the last session looked at: a guess whose rows will be needed."""
        found = dict.fromkeys(self._common)
        for id_ in ids:
            if (known := self._known.get(id_)) is not None:
                found |= dict.fromkeys(filter(None, known[1].refs))
        return [*found]

    def learn(self, session: Session) -> None:
        """What a session made: it counts only for rows with the same hash, so it does no harm if nothing of it is committed."""
        world = session.population.world
        made = ((id_, head[1], dict.get(world, id_)) for id_, head in session.scribe.heads.items())
        self._keep([(id_, hash_, snapshot) for id_, hash_, snapshot in made if snapshot is not None])
        common = (row.id for row in session.population.stored.values() if row.group == COMMONS)
        self._common = tuple(islice(common, MOST_NEAR))

    def _keep(self, items: list[tuple[str, str, Snapshot]]) -> None:
        with self._lock:
            for id_, hash_, snapshot in items:
                self._known[id_] = (hash_, snapshot)
            while len(self._known) > self.most:
                self._known.popitem(last=False)
