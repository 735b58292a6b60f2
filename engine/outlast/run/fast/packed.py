"""Snapshots, steps and timers as compiled code makes them: a few references to immutable values, the rest worked out when it is asked for.

A `Packed` is a Snapshot, a `Taken` a Step and an `Armed` a Timer: same attributes, equal to the plain ones with the same content. To whom asks for
its class each of them is what it stands for: it compares, hashes and copies as one. `type` and `isinstance` know better.

What compiled code reads and writes is a slot, and no class here has a `__getattr__`, which would make even slots slow to read.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar

import attrs

from outlast.run.snapshot import Delayed, Snapshot, Timer
from outlast.run.steps import Step

C = TypeVar("C", bound=type)

Rest: TypeAlias = tuple[
    str,
    tuple[str, str] | None,
    tuple[str | None, ...],
    tuple[Delayed, ...],
    int,
    tuple[tuple[str, str], ...],
    tuple[tuple[str, int], ...],
]
"""What most steps leave as it is, in the order of `REST`. A bare tuple, which source reads and makes fastest."""

REST = ("id", "parent", "refs", "delayed", "turn", "children", "spawned")

rest_of: Callable[[Snapshot], Rest] = attrgetter(*REST)
"""The rest of an ordinary Snapshot."""


def _open(cls: C) -> C:
    """Let a class of frozen values be made empty and filled slot by slot: what its base does instead costs more than all the rest of a step."""
    for name in ("__new__", "__init__", "__setattr__", "__delattr__"):
        setattr(cls, name, getattr(object, name))
    return cls


def _plain(value: Any) -> tuple[Any, ...]:
    """How to make the ordinary value again: for `copy` and `pickle`."""
    return value.__class__, tuple(getattr(value, field.name) for field in attrs.fields(value.__class__))


class Whereabouts:
    """What a place says of a Snapshot: the machine, the configuration, the history, and whether the instance is done."""

    __slots__ = ("configuration", "done", "history", "machine_name")

    def __init__(
        self,
        machine_name: str,
        configuration: tuple[str, ...],
        history: tuple[tuple[str, tuple[str, ...]], ...],
        done: bool,
    ) -> None:
        self.machine_name, self.configuration, self.history, self.done = machine_name, configuration, history, done


@_open
class Packed(Snapshot):
    """A Snapshot made of a place, its values, its timers and the rest. Only compiled code and `Places.pack` make one."""

    __slots__ = ("place", "rest")
    place: Any  # a Place: that chapter knows this one
    rest: Rest
    __class__ = property(lambda _: Snapshot)
    __reduce__ = _plain


def _of_rest(index: int) -> property:
    return property(lambda self: self.rest[index])


for _index, _name in enumerate(REST):
    setattr(Packed, _name, _of_rest(_index))
for _name in ("configuration", "history", "done"):
    setattr(Packed, _name, property(attrgetter(f"place.{_name}")))
Packed.machine = property(attrgetter("place.machine_name"))  # type: ignore[assignment]  # as the others


class Path:
    """One way through a compiled function: all that is the same each time it is gone, by the names of a Step's attributes."""

    __slots__ = ("arms", "calm", "entered", "quiet", "values")

    def __init__(self, values: dict[str, Any], *, calm: bool, arms: bool, entered: tuple[str, ...]) -> None:
        self.values = values
        self.calm = calm
        """Nothing is sent, nobody is stopped, and the machine is not done: only who observes it has to hear of it."""
        self.arms = arms
        """Something may be due sooner than before."""
        self.entered = entered
        """The states entered that some machine observes."""
        self.quiet = calm and not (arms or entered)
        """Nothing changes but the instance, and nobody has to hear of it."""


@_open
class Taken(Step):
    """A Step made of what differs from the last time its path was gone; the path knows the rest."""

    __slots__ = ("path",)
    path: Path
    before: Packed
    after: Packed
    __class__ = property(lambda _: Step)
    __reduce__ = _plain

    @property
    def accepted(self) -> bool:
        """Whether the event or timer had a transition that did not refuse it."""
        return self.path.values["refusal"] is None


def _of_path(name: str) -> property:
    return property(lambda self: self.path.values[name])


def _perhaps_of_path(name: str) -> property:
    slot = vars(Step)[name]

    def find(step: Taken) -> Any:
        return step.path.values[name] if name in step.path.values else slot.__get__(step)

    return property(find, slot.__set__)


for _name in ("plan", "cause", "timer", "microsteps", "made", "faults", "refusal", "preceded"):
    setattr(Taken, _name, _of_path(_name))
for _name in ("effects", "sent", "stopped", "answer"):
    setattr(Taken, _name, _perhaps_of_path(_name))


@_open
class Armed(Timer):
    """A Timer."""

    __slots__ = ()
    __class__ = property(lambda _: Timer)
    __reduce__ = _plain
