"""Claims against observations: what differs, and what cannot be told because the implementation does not say."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from outlast import model
from outlast.expr import INT, STRING, Type, Value, show
from outlast.moments import format_duration
from outlast.place import Place
from outlast.plan import Machine
from outlast.proofs.conformance.protocol import Happening, Observation, Seen
from outlast.proofs.conformance.reading import FittedCase, FittedClaim
from outlast.values import frozen


@frozen
class Difference:
    """One claim that does not hold: at which step, about what, what was wanted and what was seen."""

    at: int
    about: str
    wanted: str
    seen: str
    place: Place | None = attrs.field(default=None, eq=False)

    def __str__(self) -> str:
        return f"at {format_duration(self.at)}: {self.about}: wanted {self.wanted}, saw {self.seen}"


@frozen
class Unchecked:
    """A claim nobody could look at, and the capability that is missing."""

    about: str
    capability: str


def matched(
    case: FittedCase, observations: list[Observation], capabilities: frozenset[str]
) -> tuple[list[Difference], list[Unchecked]]:
    """Everything that differs, and everything that could not be checked."""
    match = _Match(case, capabilities, [], [])
    history: list[Happening] = []
    for index, observation in enumerate(observations):
        history += observation.happened
        match.step(index, observation, history)
    return match.differences, match.unchecked


@frozen
class _Match:
    case: FittedCase
    capabilities: frozenset[str]
    differences: list[Difference]
    unchecked: list[Unchecked]

    def step(self, index: int, seen: Observation, history: list[Happening]) -> None:
        step = self.case.case.steps[index]
        if step.cue is not None and seen.accepted is step.refused:
            about = f"`{self.said(index)}`"
            if isinstance(step.cue, model.Happen):
                self.differs(step.at, about, "happens", "does not happen then", step.place)
                return
            was = f"refused: {seen.refusal}" if not seen.accepted else "accepted"
            self.differs(step.at, about, "refused" if step.refused else "accepted", was, step.place)
        effects = self.case.effects[index]
        if effects is not None and self.can("effects", "effects"):
            self.effects(step.at, effects, seen, step.then.place)
        for name in step.then.gone:
            if name in seen.instances:
                self.differs(step.at, name, "absent", _states(seen.instances[name]), name.place)
        for claim in self.case.claims[index]:
            self.claim(step.at, claim, seen, history)

    def said(self, index: int) -> str:
        match self.case.case.steps[index].cue:
            case model.Say(name=name, event=what) | model.Happen(name=name, row=what):
                return f"{name}: {what}"
            case model.Make(given=given):
                return f"new {given.name}"
            case None:
                return ""

    def differs(self, at: int, about: str, wanted: str, seen: str, place: Place | None) -> None:
        self.differences.append(Difference(at, about, wanted, seen, place))

    def can(self, capability: str, about: str) -> bool:
        if capability not in self.capabilities:
            self.unchecked.append(Unchecked(about, capability))
        return capability in self.capabilities

    def effects(
        self, at: int, wanted: tuple[tuple[str, dict[str, Value]], ...], seen: Observation, place: Place | None
    ) -> None:
        told = [effect for happening in seen.happened for effect in happening.effects]
        same = len(told) == len(wanted) and all(
            name == other and payload.items() <= dict(got).items()
            for (name, payload), (other, got) in zip(wanted, told, strict=True)
        )
        if not same:
            shown = [
                (name, {key: dict(got).get(key) for key in payload})
                for (name, payload), (_, got) in zip(wanted, told, strict=False)
            ]
            full = [(name, dict(shown[i][1]) if i < len(shown) else {}) for i, (name, _) in enumerate(told)]
            self.differs(at, "effects", self.told(wanted), self.told(full), place)

    def told(self, effects: list[tuple[str, dict[str, Value]]] | tuple[tuple[str, dict[str, Value]], ...]) -> str:
        types = {
            name: effect for machine in self.case.plan.machines.values() for name, effect in machine.effects.items()
        }

        def one(name: str, payload: dict[str, Value]) -> str:
            declared = types[name].payload if name in types else {}
            values = (
                f"{key} {_shown(value, declared[key].type if key in declared else None)}"
                for key, value in payload.items()
            )
            return f"{name}({', '.join(values)})" if payload else name

        return ", ".join(one(name, payload) for name, payload in effects) or "none"

    def claim(self, at: int, fitted: FittedClaim, observation: Observation, history: list[Happening]) -> None:
        claim = fitted.source
        name, place = str(claim.name), claim.place
        seen = observation.instances.get(name)
        if seen is None:
            self.differs(at, name, "an instance of that name", "none", place)
            return
        active = set(seen.states)
        if not active.issuperset(claim.states):
            self.differs(at, name, "+".join(claim.states), self.states(claim.machine, seen), place)
        if claim.either and not active & set(claim.either):
            self.differs(at, name, " or ".join(claim.either), self.states(claim.machine, seen), place)
        if active & set(claim.outside):
            self.differs(at, name, f"not {' or '.join(claim.outside)}", self.states(claim.machine, seen), place)
        machine = self.case.plan.machines[claim.machine]
        for field, value in fitted.values.items():
            if seen.fields.get(field) != value:
                type_ = machine.fields[field].type
                self.differs(at, f"{name}.{field}", _shown(value, type_), _shown(seen.fields.get(field), type_), place)
        for about, wanted, was in self.timing(fitted, seen, machine, history):
            self.differs(at, f"{name}.{about}", wanted, was, place)
        if claim.why and "why" in self.capabilities:
            self.why(at, fitted, observation)

    def states(self, machine: str, seen: Seen) -> str:
        """The innermost states, as people name them."""
        table = self.case.plan.machines[machine]
        known = all(state in table.numbers for state in seen.states)
        return " + ".join(table.innermost(seen.states)) if known and seen.states else _states(seen)

    def timing(
        self, fitted: FittedClaim, seen: Seen, machine: Machine, history: list[Happening]
    ) -> Iterator[tuple[str, str, str]]:
        claim, tolerance = fitted.source, self.case.case.tolerance or 0
        for row, wanted in claim.deadlines:
            if self.can("deadlines", f"{claim.name}: deadlines"):
                due = seen.deadlines.get(row)
                if due is None or abs(due - wanted) > tolerance:
                    yield f"deadlines.{row}", format_duration(wanted), "none" if due is None else format_duration(due)
        for row in claim.unarmed:
            if self.can("deadlines", f"{claim.name}: unarmed {row}") and row in seen.deadlines:
                yield f"deadlines.{row}", "none", format_duration(seen.deadlines[row])
        for name in claim.absent:
            value = seen.fields.get(name) if name in machine.fields else seen.refs.get(name)
            if value is not None:
                type_ = machine.fields[name].type if name in machine.fields else None
                yield name, "absent", _shown(value, type_)
        if claim.within and self.can("moments", f"{claim.name}: within"):
            moments = [
                item.at for item in history if item.instance == claim.name and set(item.entered) & set(claim.states)
            ]
            low, high = claim.within
            if not moments or not low - tolerance <= moments[-1] <= high + tolerance:
                was = format_duration(moments[-1]) if moments else "never"
                yield f"entered {'+'.join(claim.states)}", f"{format_duration(low)} to {format_duration(high)}", was

    def why(self, at: int, fitted: FittedClaim, observation: Observation) -> None:
        claim = fitted.source
        assert claim.why
        mine = [item for item in observation.happened if item.instance == claim.name]
        taken = [row for item in mine for row in item.transitions]
        cited = [clause for item in mine for clause in item.clauses]
        if claim.why.transition is not None and claim.why.transition not in taken:
            self.differs(
                at, f"{claim.name}: why", f"the row {claim.why.transition}", ", ".join(taken) or "no row", claim.place
            )
        if claim.why.clause is not None and claim.why.clause not in cited:
            self.differs(
                at, f"{claim.name}: why", f"the clause {claim.why.clause}", ", ".join(cited) or "no clause", claim.place
            )


def _states(seen: Seen) -> str:
    return " + ".join(seen.states) or "no state"


def _shown(value: Value, type_: Type | None) -> str:
    guessed = INT if isinstance(value, int) and not isinstance(value, bool) else STRING
    return "absent" if value is None else show(value, type_ or guessed)
