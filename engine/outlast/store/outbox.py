"""Effects on their way out: at least once each, in order for each instance, with retries and, at last, a list of the dead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias, TypeVar

from outlast.errors import MisuseError
from outlast.moments import HOUR, MINUTE, SECOND
from outlast.plan import Plan
from outlast.store.interface import Transaction
from outlast.store.records import OutgoingEffect
from outlast.values import frozen

Handler: TypeAlias = Callable[[OutgoingEffect], object]
"""Does what an effect says; an exception means: not yet, try again."""
T = TypeVar("T")

EVERYTHING = "*"
"""The name under which a handler gets every effect that has none of its own."""


@frozen
class Retries:
    """When an effect that failed is tried again, and when no more. Durations in microseconds."""

    attempts: int = 12
    """After so many the effect is dead: it waits for somebody to say `revive`, and those behind it go on."""
    first: int = SECOND
    longest: int = HOUR
    lease: int = 5 * MINUTE
    """How long a handler has: after that others may try."""

    def pause(self, attempts: int) -> int:
        """How long to wait after so many attempts: twice as long each time."""
        return min(self.first << min(attempts - 1, 40), self.longest)


USUAL = Retries()


@frozen
class Delivered:
    """What one call of `deliver` did."""

    done: int = 0
    failed: int = 0
    dead: int = 0


def key_of(text: str) -> tuple[int, int] | None:
    """`seq` and `place` of an effect from its id, like `1048576-0`; None for anything else."""
    seq, dash, place = text.partition("-")
    well = dash and all(part.isascii() and part.isdecimal() and len(part) < 19 for part in (seq, place))
    return (int(seq), int(place)) if well else None


class Transact(Protocol):
    """Runs work in a transaction, again if others got in the way."""

    def __call__(self, work: Callable[[Transaction], T], /) -> T:
        """What `work` returns."""


def check_handlers(plan: Plan, handlers: Mapping[str, Handler]) -> None:
    """Raises MisuseError for a name that is no effect, and for an effect that nobody handles."""
    known = {name for machine in plan.machines.values() for name in machine.effects}
    if strange := sorted({*handlers} - known - {EVERYTHING}):
        raise MisuseError(f"no machine of `{plan.name}` has an effect `{strange[0]}`")
    if EVERYTHING not in handlers and (missing := sorted(known - {*handlers})):
        raise MisuseError(
            f"nobody handles the effect `{missing[0]}`: give it a handler, or one called `*` for all others"
        )


def deliver(
    transact: Transact, handlers: Mapping[str, Handler], retries: Retries, clock: Callable[[], int], limit: int
) -> Delivered:
    """Deliver what may be delivered now, at most `limit` attempts. Whatever `clock` raises leaves what was taken to its lease."""
    done = failed = dead = 0
    while (left := limit - done - failed - dead) > 0:
        now = clock()
        taken = transact(lambda transaction: transaction.take_effects(now, now + retries.lease, min(left, 50)))  # noqa: B023  # called at once
        if not taken:
            break
        for effect in taken:
            handler = handlers.get(effect.name) or handlers.get(EVERYTHING)
            try:
                (handler or _nobody)(effect)
            except Exception as error:  # noqa: BLE001  # whatever a handler raises is a reason to try again
                over = effect.attempts >= retries.attempts
                due = clock() + retries.pause(effect.attempts)
                text = f"{type(error).__name__}: {error}"
                _settle(transact, effect, "dead" if over else "pending", due, text)
                failed, dead = failed + (not over), dead + over
            else:
                _settle(transact, effect, "done", 0, None)
                done += 1
    return Delivered(done, failed, dead)


def _nobody(effect: OutgoingEffect) -> None:
    raise MisuseError(f"nobody handles the effect `{effect.name}`")


def _settle(transact: Transact, effect: OutgoingEffect, state: str, due: int, error: str | None) -> None:
    transact(lambda transaction: transaction.settle_effect(effect, state, due, error))
