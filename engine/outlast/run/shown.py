"""What people ask of an instance, read off its snapshot."""

from __future__ import annotations

from outlast.expr import Value
from outlast.plan import Machine
from outlast.run.snapshot import Snapshot, Timer


class Shown:
    """For classes that have a `snapshot` and its `machine`."""

    __slots__ = ()

    @property
    def snapshot(self) -> Snapshot:
        """The whole state as a value."""
        raise NotImplementedError

    @property
    def machine(self) -> Machine:
        """The compiled machine."""
        raise NotImplementedError

    @property
    def state(self) -> str:
        """The innermost active state; several, in parallel regions, joined by ` + `."""
        return " + ".join(self.machine.innermost(self.snapshot.configuration))

    @property
    def states(self) -> tuple[str, ...]:
        """Every active state, in document order."""
        return self.snapshot.configuration

    @property
    def fields(self) -> dict[str, Value]:
        """Field values by name."""
        return dict(zip(self.machine.fields, self.snapshot.values, strict=True))

    @property
    def refs(self) -> dict[str, str | None]:
        """The ids its refs are bound to."""
        return dict(zip(self.machine.refs, self.snapshot.refs, strict=True))

    @property
    def deadlines(self) -> tuple[Timer, ...]:
        """Running timers, soonest first."""
        return tuple(sorted(self.snapshot.timers, key=lambda timer: timer.due))

    @property
    def done(self) -> bool:
        """Whether it reached a final state of its machine."""
        return self.snapshot.done
