"""Snapshots and steps as compiled code makes them: a few references to immutable values, the rest worked out when it is asked for.

A `Packed` is a Snapshot and a `Taken` is a Step: same attributes, equal to the plain ones with the same content. Slots of the base class that
compiled code has not filled are filled by `__getattr__`, which Python calls for an empty slot only.
"""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

import attrs

from outlast.run.snapshot import Delayed, Snapshot, Timer
from outlast.run.steps import Step

C = TypeVar("C", bound=type)

_SNAPSHOT = tuple(field.name for field in attrs.fields(Snapshot))


Rest: TypeAlias = tuple[
    str,
    tuple[str, str] | None,
    tuple[str | None, ...],
    tuple[Timer, ...],
    tuple[Delayed, ...],
    int,
    tuple[tuple[str, str], ...],
    tuple[tuple[str, int], ...],
]
"""What most steps leave as it is: id, parent, refs, timers, delayed, turn, children, spawned. A bare tuple, which source reads and makes fastest."""


def _open(cls: C) -> C:
    """Let a class of frozen values be made empty and filled slot by slot: what its base does instead costs more than all the rest of a step."""
    for name in ("__new__", "__init__", "__setattr__", "__delattr__"):
        setattr(cls, name, getattr(object, name))
    return cls


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
    """A Snapshot made of a place, its values and the rest. Only compiled code and `Places.pack` make one.

    To whom asks for its class it is a Snapshot: it compares, hashes and copies as one. `type` and `isinstance` know better.
    """

    __slots__ = ("place", "rest")
    place: Any  # a Place: that chapter knows this one
    rest: Rest
    __class__ = property(lambda _: Snapshot)

    def __getattr__(self, name: str) -> Any:
        if name not in _SNAPSHOT:
            raise AttributeError(f"a Snapshot has no attribute `{name}`")
        where = self.place
        self.id, self.parent, self.refs, self.timers, self.delayed, self.turn, self.children, self.spawned = self.rest  # type: ignore[misc]
        self.machine, self.configuration, self.history, self.done = (  # type: ignore[misc]
            where.machine_name,
            where.configuration,
            where.history,
            where.done,
        )
        return object.__getattribute__(self, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return Snapshot, tuple(getattr(self, name) for name in _SNAPSHOT)


def rest_of(snapshot: Snapshot) -> Rest:
    """The rest of an ordinary Snapshot."""
    return (
        snapshot.id,
        snapshot.parent,
        snapshot.refs,
        snapshot.timers,
        snapshot.delayed,
        snapshot.turn,
        snapshot.children,
        snapshot.spawned,
    )


class Path:
    """One way through a compiled function: all that is the same each time it is gone, by the names of a Step's attributes."""

    __slots__ = ("calm", "entered", "quiet", "steady", "values")

    def __init__(self, values: dict[str, Any], *, calm: bool, keeps: bool, entered: tuple[str, ...]) -> None:
        """`keeps`: the rest stays as it is."""
        self.values = values
        self.calm = calm
        """Nothing is sent, nobody is stopped, and the machine is not done: only who observes it has to hear of it."""
        self.entered = entered
        """The states entered that some machine observes."""
        self.steady = calm and not entered
        """Nobody has to hear of it."""
        self.quiet = self.steady and keeps
        """Nothing but the instance's place and values changes."""


@_open
class Taken(Step):
    """A Step made of what differs from the last time its path was gone. As a Packed is a Snapshot, this is a Step."""

    __slots__ = ("path",)
    path: Path
    before: Packed
    after: Packed
    __class__ = property(lambda _: Step)

    def __getattr__(self, name: str) -> Any:
        if name == "path" or name not in self.path.values:
            raise AttributeError(f"a Step has no attribute `{name}`")
        value = self.path.values[name]
        setattr(self, name, value)
        return value

    @property
    def accepted(self) -> bool:
        """Whether the event or timer had a transition that did not refuse it."""
        return self.path.values["refusal"] is None

    def __reduce__(self) -> tuple[Any, ...]:
        return Step, tuple(getattr(self, field.name) for field in attrs.fields(Step))


@_open
class NewTimer(Timer):
    """A Timer while it is being made: filled as a Packed is, then made a Timer."""

    __slots__ = ()
