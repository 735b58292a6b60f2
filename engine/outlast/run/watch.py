"""Who observes whom: from an instance that entered a state back along refs to those that watch it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from outlast.plan import Plan
from outlast.run.snapshot import Snapshot


class Watchers:
    """The refs of all instances, backwards."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.referrers: dict[str, dict[tuple[str, str], None]] = {}
        """Target id -> (referring id, name of its ref)."""
        self.watches: dict[tuple[str, str], list[tuple[str, tuple[str, ...]]]] = {}
        """(machine, state) -> (watching machine, chain of refs)."""
        for machine in plan.machines.values():
            for chain, state in machine.watches:
                target = machine.name
                for name in chain:
                    target = plan.machines[target].refs[name].machine
                self.watches.setdefault((target, state), []).append((machine.name, chain))

    def moved(self, now: Snapshot, before: Snapshot | None) -> None:
        """An instance is new or has changed."""
        if before is not None:
            if before.refs == now.refs:
                return
            self.gone(before)
        for name, target in zip(self.plan.machines[now.machine].refs, now.refs, strict=True):
            if target is not None:
                self.referrers.setdefault(target, {})[now.id, name] = None

    def gone(self, snapshot: Snapshot) -> None:
        """An instance is no more, or its refs are no longer these."""
        for name, target in zip(self.plan.machines[snapshot.machine].refs, snapshot.refs, strict=True):
            if target is not None:
                self.referrers[target].pop((snapshot.id, name), None)

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

    def behind(self, target: str, chain: tuple[str, ...]) -> Iterator[str]:
        """Every instance from which `chain` leads to `target`."""
        *rest, last = chain
        for referrer, name in list(self.referrers.get(target, ())):
            if name == last:
                if rest:
                    yield from self.behind(referrer, tuple(rest))
                else:
                    yield referrer
