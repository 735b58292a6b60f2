"""What names mean in the expressions of one machine: fields, refs, payloads, guards, constants, assumptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from outlast import model
from outlast.errors import Problem, Severity
from outlast.expr import Expr, Target, resolve, tree
from outlast.expr.tree import Path
from outlast.place import Place
from outlast.plan.tables import Event, Field, Ref
from outlast.values import frozen


@attrs.define
class Report:
    """Collects problems."""

    problems: list[Problem] = attrs.field(factory=list)

    def __call__(
        self, code: str, text: str, place: Place | None = None, hint: str | None = None, severity: Severity = "error"
    ) -> None:
        """Note one problem; the signature of `expr.resolve.Report`."""
        self.problems.append(Problem(code, text, place, hint, severity))


@attrs.define
class Header:
    """What other machines need to know of one before anything in it is resolved."""

    source: model.Machine
    fields: dict[str, Field]
    refs: dict[str, Ref]
    events: dict[str, Event]
    states: tuple[str, ...]
    guards: dict[str, model.Guard]
    slots: dict[Path, int] = attrs.field(factory=dict)

    def slot(self, path: Path) -> int:
        """The number of a chain of refs that this machine looks along."""
        return self.slots.setdefault(path, len(self.slots))


@frozen
class World:
    """Everything that is the same for every expression of a system."""

    headers: Mapping[str, Header]
    constants: Mapping[str, tree.Literal]
    assumptions: Mapping[str, tuple[str, ...]]
    report: Report


@frozen
class MachineScope:
    """Names as seen by `viewer`, in an expression of the machine at the end of `prefix` (the viewer itself when empty)."""

    world: World
    viewer: Header
    payload: Mapping[str, Field] | None = None
    prefix: Path = ()
    within: tuple[str, ...] = ()
    """The named guards being resolved, outermost first."""

    @property
    def here(self) -> Header:
        """The machine whose names these are."""
        header = self.follow(self.viewer, self.prefix)
        assert header is not None
        return header

    def follow(self, header: Header, path: Path) -> Header | None:
        """The machine at the end of a chain of refs."""
        for name in path:
            ref = header.refs.get(name)
            if ref is None or ref.machine not in self.world.headers:
                return None
            header = self.world.headers[ref.machine]
        return header

    def value(self, path: Path) -> Expr | None:
        """See `Scope.value`."""
        *chain, name = path
        if chain == ["event"] and self.payload is not None and name in self.payload:
            field = self.payload[name]
            return tree.Payload(name, field.type, field.optional)
        if not chain and name in self.world.constants:
            return self.world.constants[name]
        header = self.follow(self.here, tuple(chain))
        if header is None:
            return None
        full = (*self.prefix, *chain)
        if name in header.fields:
            return self.field(header.fields[name], full)
        if name in header.guards:
            return self.guard(header, name, full)
        return None

    def field(self, field: Field, chain: Path) -> Expr:
        """A field of this instance, or of another through its slot."""
        if not chain:
            return tree.Field(field.name, field.index, field.type, field.optional)
        may_be_absent = field.optional or self.may_be_unbound(chain)
        return tree.Far(chain, self.viewer.slot(chain), field.name, field.index, field.type, may_be_absent)

    def may_be_unbound(self, chain: Path) -> bool:
        """Whether some ref of the chain is optional."""
        header = self.viewer
        for name in chain:
            ref = header.refs[name]
            if ref.optional:
                return True
            header = self.world.headers[ref.machine]
        return False

    def guard(self, header: Header, name: str, chain: Path) -> Expr | None:
        """A named guard with everything it reads seen from the viewer."""
        guard, label = header.guards[name], ".".join((*chain, name))
        if label in self.within:
            return tree.TRUE  # a cycle: told where the guard is declared
        world = attrs.evolve(self.world, report=Report())  # its problems are told once, where it is declared
        scope = attrs.evolve(self, world=world, payload=None, prefix=chain, within=(*self.within, label))
        body = resolve(guard.that, scope, world.report)
        return tree.Named(label, body if body is not None else tree.TRUE)

    def ref(self, path: Path) -> Target | None:
        """See `Scope.ref`."""
        chain = self.prefix if path == ("self",) else (*self.prefix, *path)
        header = self.follow(self.viewer, chain)
        if header is None:
            return None
        slot = self.viewer.slot(chain) if chain else None
        return Target(header.source.name, slot, header.states, chain)

    def readings(self, name: str) -> tuple[str, ...] | None:
        """See `Scope.readings`."""
        return self.world.assumptions.get(name)

    def names(self) -> Iterable[str]:
        """See `Scope.names`."""
        here = self.here
        yield from here.fields
        yield from here.guards
        yield from here.refs
        yield from self.world.constants
        yield from self.world.assumptions
        yield from (f"event.{name}" for name in self.payload or ())
        for name, ref in here.refs.items():
            if other := self.world.headers.get(ref.machine):
                yield from (f"{name}.{inner}" for inner in (*other.fields, *other.guards, *other.refs))
