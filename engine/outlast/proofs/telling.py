"""A run of a composition told from outside: what is said when, and which `within` rows happen when, in the names instances have there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from outlast import model
from outlast.errors import UnknownName
from outlast.expr import tree
from outlast.place import Word
from outlast.proofs.timed.composed import Composed
from outlast.proofs.timed.successors import Said
from outlast.run import Step, System, Terms
from outlast.run.terms import told


@attrs.frozen(eq=False)
class Cue:
    """Something that is said, or a `within` row that happens; neither: a moment to look. Instances go by the names they have in locations."""

    at: int
    said: Said | None = None
    row: tuple[str, str] | None = None
    """(instance, id of its row)."""


@attrs.frozen(eq=False)
class Telling:
    """What became of cues."""

    system: System
    """At the instant of the last."""
    said: tuple[model.Say | model.Happen | None, ...]
    """Each cue as a story has it."""
    steps: tuple[Step, ...]


def tell(composed: Composed, cues: Sequence[Cue]) -> Telling:
    """The run in which all this comes about."""
    names = [cue.row[0] if cue.row else "" for cue in cues]
    for _ in cues:  # what a child is called can depend on the moments of others, which are told by name
        teller = _Teller(composed, cues, names)
        found = teller.told()
        if teller.names == names:
            return found
        names = teller.names
    return _Teller(composed, cues, names).told()


class _Teller:
    def __init__(self, composed: Composed, cues: Sequence[Cue], names: Sequence[str]) -> None:
        """`names`: what the instances are believed to be called whose rows happen."""
        self.composed, self.cues = composed, cues
        self.names = list(names)
        """What they are called."""
        machines = composed.everybody()
        self.plain = [_plain(cue, name, machines) for cue, name in zip(cues, names, strict=True)]
        self.system = System(composed.plan)
        self.steps: list[Step] = []

    def told(self) -> Telling:
        self._hear(0)
        self.composed.begin(self.system)
        return Telling(self.system, tuple(self._come_about()), tuple(self.steps))

    def _hear(self, number: int) -> None:
        """The moments of the rows that happen from cue `number` on."""
        self.system.terms = Terms(chosen=told(step for step in self.plain[number:] if step))

    def _come_about(self) -> Iterator[model.Say | model.Happen | None]:
        system = self.system
        for number, cue in enumerate(self.cues):
            if cue.row and cue.at > system.now:
                self.steps += system.advance_to(cue.at - 1)
            if cue.row:
                self.names[number] = self._named(cue.row[0]) or self.names[number]
            self.steps += system.advance_to(cue.at)
            self._hear(number + 1)
            yield self._say(cue.said) if cue.said else self.plain[number]
            self.steps += system.advance(0)

    def _named(self, plain: str) -> str | None:
        try:
            return name_now(self.system, plain)
        except (KeyError, UnknownName):
            return None

    def _say(self, said: Said) -> model.Say:
        system, event = self.system, said.event
        id_ = name_now(system, said.to)
        machine = system[id_].machine
        declared = machine.events[event.name].payload
        payload = tuple(
            (Word(name), tree.Literal(value, declared[name].type)) for name, value in event.payload if value is not None
        )
        step = system.send(id_, event.name, dict(event.payload), by=event.by)
        self.steps += (step, *step.caused)
        by = Word(event.by) if event.by else None
        refused = step.refusal is not None
        return model.Say(system.now, Word(machine.name), Word(id_), Word(event.name), payload, by, refused)


def _plain(cue: Cue, name: str, machines: dict[str, str]) -> model.Say | model.Happen | None:
    """A cue as a story would have it, as far as that is known beforehand."""
    if cue.said:
        to = cue.said.to
        return model.Say(cue.at, Word(machines[to]), Word(to), Word(cue.said.event.name))
    return model.Happen(cue.at, Word(machines[cue.row[0]]), Word(name), Word(cue.row[1])) if cue.row else None


def name_now(system: System, plain: str) -> str:
    """The id, in a run, of the instance that locations call so: there a child goes by the name the first of its kind gets."""
    id_, *refs = plain.split(".")
    for ref in refs:
        id_ = dict(system.look(id_).children)[ref]
    return id_
