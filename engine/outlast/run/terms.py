"""The terms of a run: how `within` is resolved, and the limits on every loop and queue."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import attrs

from outlast import model
from outlast.errors import MisuseError
from outlast.values import frozen


@frozen
class Terms:
    """`resolve` is `latest`, `earliest` or `seed:N`; the limits count microsteps, steps and instances."""

    resolve: str = attrs.field(default="latest")
    microsteps: int = 1_000
    """Microsteps of one macrostep: beyond, the machine is in an eventless cycle."""
    cascade: int = 100_000
    """Steps caused by one event or one instant."""
    instances: int = 10_000_000
    generations: int = 50
    """Children of children: how deep instances nest."""
    chosen: tuple[tuple[str, str, int], ...] = ()
    """(instance, row, instant): the moments of `within` rows that are known; the first that a timer could stand for is its."""

    @resolve.validator
    def _known(self, _: object, value: str) -> None:
        if value not in ("latest", "earliest") and not (value.startswith("seed:") and value[5:].isdecimal()):
            raise MisuseError(f"`{value}` is no way to resolve `within`: say `latest`, `earliest` or `seed:N`")

    def moment(self, instance: str, key: str, armed: int, bound: int) -> int:
        """When a `within` timer armed at `armed` fires: from `armed` to `armed + bound`, both included."""
        for who, row, at in self.chosen:
            if who == instance and row == key.partition("@")[0] and armed <= at <= armed + bound:
                return at
        if self.resolve == "latest":
            return armed + bound
        if self.resolve == "earliest":
            return armed
        draw = hashlib.blake2b(f"{self.resolve}|{instance}|{key}|{armed}".encode(), digest_size=8).digest()
        return armed + int.from_bytes(draw, "big") % (bound + 1)

    def met(self, instance: str, key: str, instant: int) -> Terms:
        """These terms once a `within` timer has gone off: the moment it stood for is over, so that no timer it arms stands for it again."""
        known = (instance, key.partition("@")[0], instant)
        if known not in self.chosen:
            return self
        number = self.chosen.index(known)
        return attrs.evolve(self, chosen=(*self.chosen[:number], *self.chosen[number + 1 :]))


def told(ahead: Iterable[model.Say | model.Happen | model.Make]) -> tuple[tuple[str, str, int], ...]:
    """What a `within` timer armed from now on may stand for: the moments in the steps ahead, up to the next thing said at the same instant.

    A timer that runs by then would have fired before it.
    """
    chosen, said = [], set[int]()
    for step in ahead:
        if not isinstance(step, model.Happen):
            said.add(step.at)
        elif step.at not in said:
            chosen.append((str(step.name), str(step.row), step.at))
    return tuple(chosen)


DEFAULT_TERMS = Terms()
