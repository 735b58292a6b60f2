"""The library `transitions` as an implementation to be held to a table."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import attrs

from outlast import model
from outlast.errors import RefusedInstance
from outlast.plan import Plan, Transition
from outlast.proofs.conformance.protocol import CAPABILITIES, Happening, Observation, Seen, Unimplemented
from outlast.proofs.conformance.reading import FittedCase
from outlast.proofs.second_opinion import Body, Done, LibrarySystem, expressible
from outlast.run.instances import blank
from outlast.run.staging import Cue, Part
from outlast.run.terms import told


@attrs.define(eq=False)
class TransitionsRunner:
    """The library `transitions` as it stands in the second opinion: an interpreter that shares no code with ours."""

    name: str = "transitions"
    capabilities: frozenset[str] = frozenset(CAPABILITIES) - {"why", "bounds"}

    def run(self, case: FittedCase, bounds: str | None) -> list[Observation]:
        """See `Runner`."""
        if bounds not in (None, "latest"):
            raise Unimplemented(f"it knows no other moment for `within` than the latest, not {bounds}")
        if reason := next((item for machine in case.plan.machines.values() for item in expressible(machine)), None):
            raise Unimplemented(str(reason))
        library = _Recorded(case.plan)
        ahead = deque(case.stage.cues)
        library.hear(ahead)
        library.make(case.given)
        found = []
        for turn in case.case.steps:
            library.happened.clear()
            library.advance(turn.at)
            accepted, refusal = None, None
            if turn.cue:
                cue = ahead.popleft()
                library.hear(ahead)
                accepted, refusal = _act(library, cue)
            library.advance(turn.at)
            instances = {name: library.seen(body) for name, body in library.bodies.items()}
            found.append(Observation(accepted, refusal, instances, tuple(library.happened)))
        return found

    def close(self) -> None:
        """See `Runner`."""


class _Recorded(LibrarySystem):
    """Remembers what happened."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.happened: list[Happening] = []
        self.ahead: list[tuple[str, str, int]] = []
        """(instance, row, instant) of `within` rows whose moments are told."""
        self.latest: dict[tuple[str, str], int] = {}
        """(instance, key of its row) -> the bound of a timer."""
        self.gone: set[tuple[str, str, int]] = set()
        """(instance, row, instant) of every timer that went off."""

    def hear(self, ahead: Iterable[Cue]) -> None:
        """The moments still to come."""
        self.ahead = [*told(cue.source for cue in ahead)]

    def moment(self, name: str, row: Transition, delay: int) -> int:
        """For a `within` row, the first told moment it can stand for, if there is one."""
        last = self.latest[name, row.key] = super().moment(name, row, delay)
        moments = [at for who, id_, at in self.ahead if (who, id_) == (name, row.id) and self.now <= at <= last]
        return moments[0] if moments and row.kind == "within" else last

    def went_off(self, name: str, row: Transition) -> None:
        """Remembered; a moment is told once."""
        gone = (name, row.id, self.now)
        self.gone.add(gone)
        self.ahead = [item for item in self.ahead if item != gone]

    def seen(self, body: Body) -> Seen:
        """An instance as others see it."""
        fields = dict(zip(body.machine.fields, body.fields, strict=True))
        deadlines = {body.machine.arrows[key].id: self.latest[body.name, key] for key in body.timers}
        return Seen(body.machine.name, body.configuration, fields, dict(body.refs), deadlines)

    def make(self, parts: Iterable[Part]) -> None:
        """As the library does it, but what cannot be made is refused in the words of the plan."""
        parts = list(parts)
        for part in parts:
            machine = self.plan.machines[part.machine]
            fields = {name: value for name, value in part.values.items() if name in machine.fields}
            blank(
                self.plan, part.machine, part.name, fields, {name: str(part.values.get(name)) for name in machine.refs}
            )
        super().make(parts)

    def apply(self, body: Body, done: Done, *, silent: bool = False) -> None:
        """As the library does it, and remembered."""
        effects = tuple((name, dict(payload)) for name, payload in done.effects)
        self.happened.append(Happening(self.now, body.name, entered=tuple(done.entered), effects=effects))
        super().apply(body, done, silent=silent)


def _act(library: _Recorded, cue: Cue) -> tuple[bool, str | None]:
    if cue.part is not None:
        try:
            library.make([cue.part])
        except RefusedInstance as error:
            return False, str(error)
        return True, None
    if isinstance(cue.source, model.Happen):
        return (cue.source.name, cue.source.row, cue.at) in library.gone, None
    say = cue.source
    assert isinstance(say, model.Say)
    accepted = library.say(str(say.name), str(say.event), cue.payload, str(say.by) if say.by else None)
    return accepted, None if accepted else "no transition"
