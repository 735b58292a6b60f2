"""Who observes whom: from an instance that entered a state back along refs to those that watch it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from outlast.plan import Plan
from outlast.run.fast import Packed, Path
from outlast.run.snapshot import Event, Snapshot

Hearing: TypeAlias = tuple[tuple[str, str, Event], ...]
"""(watcher, name of the event, the event), in the order they are told."""

Watches: TypeAlias = dict[tuple[str, str], list[tuple[str, tuple[str, ...]]]]
"""(machine, state) -> (watching machine, chain of refs)."""

_MOST = 100_000
"""For how many instances it is remembered who hears of them."""


class Watchers:
    """The refs of all instances, backwards."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.referrers: dict[str, dict[tuple[str, str], None]] = {}
        """Target id -> (referring id, name of its ref)."""
        watches = plan.kept.get("watches")
        if not isinstance(watches, dict):
            watches = plan.kept["watches"] = _watches(plan)
        self.watches: Watches = watches
        self.known: dict[str, dict[Path, Hearing]] = {}
        """Instance -> what `hearing` found for the paths it went."""
        self._far = any(len(chain) > 1 for watching in watches.values() for _, chain in watching)

    def moved(self, now: Snapshot, before: Snapshot | None) -> None:
        """An instance is new or has changed."""
        if before is not None:
            if before.refs == now.refs:
                return
            self.gone(before)
        for name, target in zip(self.plan.machines[now.machine].refs, now.refs, strict=True):
            if target is not None:
                self._forget(target)
                self.referrers.setdefault(target, {})[now.id, name] = None

    def gone(self, snapshot: Snapshot) -> None:
        """An instance is no more, or its refs are no longer these."""
        self.known.pop(snapshot.id, None)
        for name, target in zip(self.plan.machines[snapshot.machine].refs, snapshot.refs, strict=True):
            if target is not None and (referring := self.referrers.get(target)) is not None:
                self._forget(target)
                referring.pop((snapshot.id, name), None)
                if not referring:
                    del self.referrers[target]

    def _forget(self, target: str) -> None:
        """Others refer to an instance now: find anew who hears of it; and of everybody, where some look along more refs than one."""
        if self._far:
            self.known.clear()
        else:
            self.known.pop(target, None)

    def of(
        self, snapshot: Snapshot, state: str, world: Mapping[str, Snapshot], order: Mapping[str, int]
    ) -> list[tuple[str, tuple[str, ...]]]:
        """(watcher, chain) for everybody who observes that `snapshot` entered `state`, in the order they were made."""
        found = [
            (watcher, chain)
            for machine, chain in self.watches.get((snapshot.machine, state), ())
            for watcher in self.behind(snapshot.id, chain)
            if watcher in world and world[watcher].machine == machine
        ]
        return sorted(found, key=lambda item: order[item[0]]) if len(found) > 1 else found

    def hearing(self, now: Packed, path: Path, world: Mapping[str, Snapshot], order: Mapping[str, int]) -> Hearing:
        """Who hears, and what, that an instance went a compiled path: `of`, for all states entered. The same until refs change."""
        if len(self.known) >= _MOST:
            self.known.clear()
        found = tuple(
            (watcher, name, Event(name, sender=now.id))
            for state in path.entered
            for watcher, chain in self.of(now, state, world, order)
            for name in (".".join((*chain, state)),)
        )
        self.known.setdefault(now.id, {})[path] = found
        return found

    def behind(self, target: str, chain: tuple[str, ...]) -> Iterator[str]:
        """Every instance from which `chain` leads to `target`."""
        *rest, last = chain
        for referrer, name in list(self.referrers.get(target, ())):
            if name == last:
                if rest:
                    yield from self.behind(referrer, tuple(rest))
                else:
                    yield referrer


def _watches(plan: Plan) -> Watches:
    found: Watches = {}
    for machine in plan.machines.values():
        for chain, state in machine.watches:
            target = machine.name
            for name in chain:
                target = plan.machines[target].refs[name].machine
            found.setdefault((target, state), []).append((machine.name, chain))
    return found
