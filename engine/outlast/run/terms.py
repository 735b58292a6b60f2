"""The terms of a run: how `within` is resolved, and the limits on every loop and queue."""

from __future__ import annotations

import hashlib

import attrs

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


DEFAULT_TERMS = Terms()
