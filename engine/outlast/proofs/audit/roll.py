"""The instances the log speaks of: made, met in the middle of their life, remembered, and let go when nothing more is heard of them."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque

import attrs

from outlast.expr import Value
from outlast.proofs.audit.decoding import Happening
from outlast.proofs.audit.mapping import Mapping
from outlast.proofs.audit.moves import neighbourhood
from outlast.run import Snapshot, Step, System

JOURNAL = 200
"""So many of the latest lines about an instance are kept, to try other readings on."""


@attrs.define(eq=False)
class Tracked:
    """What is known of an instance beside its state. `born` counts the lines, in the order of time, before its first."""

    born: int
    began: int
    origin: tuple[Snapshot, ...]
    """What it refers to, as it was just before."""
    journal: deque[tuple[int, Happening]] = attrs.field(factory=lambda: deque(maxlen=JOURNAL))
    adopted: bool = False
    """Its beginning was not told."""
    unsure: int | None = None
    """When it was last put into a state in the middle of its life."""
    excused: bool = False
    """A change of it is missing: that it is not what the model thinks is known."""
    missed: list[int] = attrs.field(factory=list)
    """Lines about it that came too late."""
    found: set[int | None] = attrs.field(factory=set)
    """Lines of the findings about it."""


class Roll:
    """Who is there."""

    def __init__(self, system: System, mapping: Mapping) -> None:
        self.system, self.mapping = system, mapping
        self.tracked: dict[str, Tracked] = {}
        self.serial = 0
        """How many lines were kept so far."""
        self._heard: OrderedDict[str, int] = OrderedDict()
        """Instances that a line made -> when something was last heard of them or changed them, the longest ago first."""
        self._done: OrderedDict[str, int] = OrderedDict()
        """The same for those that are done."""
        self._referred: Counter[str] = Counter()
        for snapshot in system.world.values():
            self.tracked[snapshot.id] = Tracked(0, system.now, neighbourhood(system.world, [snapshot.id]))

    def keep(self, happening: Happening) -> None:
        """Remember a line with its instance."""
        self.tracked[happening.instance].journal.append((self.serial, happening))
        self._touch(happening.instance, happening.at)

    def follow(self, step: Step) -> None:
        """An instance changed."""
        self._touch(step.instance, step.at)

    def _touch(self, id_: str, at: int) -> None:
        if id_ not in self._heard and id_ not in self._done:
            return
        self._heard.pop(id_, None)
        self._done.pop(id_, None)
        there = self.system.world.get(id_)
        (self._done if there is not None and there.done else self._heard)[id_] = at

    # ---- coming

    def unknown(self, machine: str, values: dict[str, Value]) -> dict[str, str]:
        """Name -> machine of what these values refer to and nobody has told of."""
        refs = self.system.plan.machines[machine].refs
        return {
            str(value): refs[name].machine
            for name, value in values.items()
            if name in refs and value is not None and value not in self.system.world
        }

    def make(
        self, machine: str, id_: str, values: dict[str, Value], state: str | None, *, adopted: bool
    ) -> tuple[Step, ...]:
        """An instance that a line speaks of for the first time. Raises RefusedInstance."""
        refs = self.system.plan.machines[machine].refs
        bound = [str(value) for name, value in values.items() if name in refs and value is not None]
        origin = neighbourhood(self.system.world, bound)
        now = self.system.now
        began = self.system.make(machine, id_, values, state=state).began
        self.tracked[id_] = Tracked(self.serial, now, origin, adopted=adopted, unsure=now if adopted else None)
        self._heard[id_] = now
        self._touch(id_, now)
        self._referred.update(bound)
        return began

    # ---- going

    def idle(self, now: int) -> list[str]:
        """Instances of which nothing was heard for so long that they can be let go: those that are done go earlier."""
        gone = self._older(self._done, now - self.mapping.remember) + self._older(self._heard, now - self.mapping.idle)
        return [id_ for id_ in gone if not self._is_needed(id_, now)]

    def _older(self, ids: OrderedDict[str, int], instant: int) -> list[str]:
        found = []
        for id_, last in ids.items():
            if last >= instant:
                break
            found.append(id_)
        return found

    def _is_needed(self, id_: str, now: int) -> bool:
        """Whether something is pending for an instance or its children, or another one refers to it; it is then asked about later."""
        snapshot = self.system.look(id_)
        family = (snapshot, *(self.system.look(child) for _, child in snapshot.children))
        needed = bool(self._referred[id_]) or any(one.next_due is not None for one in family)
        if needed:
            self._touch(id_, now)
        return needed

    def let_go(self, id_: str) -> tuple[str, ...]:
        """Forget an instance and its children; the names of all of them."""
        snapshot = self.system.look(id_)
        made = tuple(child for _, child in snapshot.children)
        for other in snapshot.refs:
            if other is not None and other not in made:
                self._referred[other] -= 1
                if self._referred[other] <= 0:
                    del self._referred[other]
        for ids in (self._heard, self._done, self.tracked):
            ids.pop(id_, None)
        self.system.remove(id_)
        return (id_, *made)

    def home(self, id_: str) -> str:
        """The instance the log knows: of a child, the one that made it."""
        snapshot = self.system.look(id_)
        return self.home(snapshot.parent[0]) if id_ not in self.tracked and snapshot.parent else id_
