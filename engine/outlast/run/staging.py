"""A scenario's names and values, resolved against a plan, with every problem found before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import attrs

from outlast import model
from outlast.errors import Findings, Problem, SpecError
from outlast.expr import Expr, Value, compiled, resolve, tree
from outlast.expr.evaluate import Context
from outlast.place import Place, Word, place_of
from outlast.plan import Machine, Plan, problems_of_constants, tables, with_constants
from outlast.plan.fields import Constants
from outlast.values import frozen

Values: TypeAlias = dict[str, Value]


@frozen
class Part:
    """An instance to be made: fields and refs told apart."""

    machine: str
    name: str
    state: str | None
    values: Values


@frozen
class Cue:
    """A step of the story: an instance to be made, an event to be said, or the moment of a `within` row."""

    at: int
    source: model.Say | model.Happen | model.Make
    part: Part | None = None
    payload: Values = attrs.field(factory=dict)


@frozen
class Claim:
    """An expectation with its field values computed."""

    source: model.Expectation
    values: Values


@frozen
class Stage:
    """A scenario ready to run."""

    scenario: model.Scenario
    given: tuple[Part, ...]
    cues: tuple[Cue, ...]
    claims: tuple[Claim, ...]


def staged(plan: Plan, scenario: model.Scenario) -> Stage:
    """The scenario ready to run on `plan`, with the story's constants. Raises SpecError with everything that does not fit."""
    staging = _Staging(with_constants(plan, scenario.constants), {}, [])
    stage = staging.stage(scenario)
    if staging.problems:
        raise SpecError(staging.problems)
    return stage


def problems_of(plan: Plan, scenario: model.Scenario) -> tuple[Problem, ...]:
    """Everything in the scenario that does not fit the plan."""
    if problems := problems_of_constants(plan, scenario.constants):
        return problems
    staging = _Staging(with_constants(plan, scenario.constants), {}, [])
    staging.stage(scenario)
    return tuple(staging.problems)


def as_story(composition: model.Composition) -> model.Scenario:
    """A composition as a story in which everything that may be said is said at once: what fits the one fits the other."""
    sayings = (*(composition.only or ()), *composition.also)
    says = tuple(model.Say(0, one.machine, one.name, one.event, one.payload, place=one.place) for one in sayings)
    return model.Scenario(composition.name, given=composition.given, steps=says)


@frozen
class _Staging(Findings):
    plan: Plan
    cast: dict[str, str]
    """Instance -> machine."""
    problems: list[Problem]

    def stage(self, scenario: model.Scenario) -> Stage:
        for given in scenario.given:
            self.enters(given)
        parts = tuple(self.part(given) for given in scenario.given)
        cues = tuple(self.cue(cue) for cue in scenario.steps)
        claims = tuple(self.claim(expectation) for expectation in scenario.expect)
        return Stage(scenario, parts, cues, claims)

    def enters(self, given: model.Given) -> None:
        if given.name in self.cast:
            self.fail("duplicate-name", f"an instance called `{given.name}` is already there", place_of(given.name))
        self.cast[given.name] = given.machine

    def machine(self, name: Word) -> Machine | None:
        return self.plan.machines[name] if self.known("machine", name, self.plan.machines) else None

    def report(self, code: str, text: str, place: Place | None, hint: str | None) -> None:
        self.fail(code, text, place, hint)

    def value(self, field: tables.Field, expr: Expr) -> Value:
        constants = {
            name: value.expr for name, value in self.plan.constants.items() if isinstance(value.expr, tree.Literal)
        }
        resolved = resolve(expr, Constants(constants), self.report, field.type)
        return compiled(resolved)(Context()) if resolved is not None else None

    # ---- the parts of a story

    def part(self, given: model.Given) -> Part:
        machine, values = self.machine(given.machine), Values()
        if machine is None:
            return Part(str(given.machine), str(given.name), None, values)
        if given.state is not None:
            self.known("state", given.state, machine.numbers)
        for name, expr in given.values:
            if name in machine.refs:
                values[str(name)] = self.bound(machine.refs[name], name, expr)
            elif self.known("field", name, (*machine.fields, *machine.refs)):
                field = machine.fields[name]
                values[str(name)] = value = self.value(field, expr)
                if value is not None and (objection := field.objection(value)):
                    self.fail("out-of-range", objection, expr.place)
        for ref in machine.refs.values():
            if not ref.optional and ref.name not in values:
                text = f"`{given.name}` needs a {ref.machine} for its ref `{ref.name}`"
                self.fail("unbound-ref", text, place_of(given.name), f"add `{ref.name}: INSTANCE`")
        for field in machine.fields.values():
            if field.required and field.name not in values:
                text = f"`{given.name}` needs a value for `{field.name}`"
                self.fail("missing-value", text, place_of(given.name))
        return Part(str(given.machine), str(given.name), str(given.state) if given.state else None, values)

    def bound(self, ref: tables.Ref, name: Word, expr: Expr) -> str | None:
        if not isinstance(expr, tree.Name):
            self.fail("wrong-type", f"`{name}` is a ref: name an instance", expr.place or place_of(name))
            return None
        target = Word(".".join(expr.path), expr.place)
        if self.known("instance", target, self.cast) and self.cast[target] != ref.machine:
            text = f"`{name}` leads to a {ref.machine}, and `{target}` is a {self.cast[target]}"
            self.fail("wrong-type", text, expr.place)
        return str(target)

    def cue(self, cue: model.Say | model.Happen | model.Make) -> Cue:
        self.under(cue.under)
        if isinstance(cue, model.Make):
            part = self.part(cue.given)
            self.enters(cue.given)
            return Cue(cue.at, cue, part)
        machine = self.actor_on_stage(cue.machine, cue.name)
        if isinstance(cue, model.Happen):
            bounds = [row.id for row in machine.transitions if row.kind == "within"] if machine else []
            if machine:
                self.known("within", cue.row, bounds)
            return Cue(cue.at, cue)
        payload = Values()
        if cue.by is not None:
            self.known("actor", cue.by, self.plan.actors)
        if machine is None:
            return Cue(cue.at, cue)
        outside = {name: event for name, event in machine.events.items() if not event.internal}
        if self.known("event", cue.event, outside):
            declared = outside[cue.event]
            for name, expr in cue.payload:
                if self.known("value", name, declared.payload):
                    payload[str(name)] = self.value(declared.payload[name], expr)
        return Cue(cue.at, cue, None, payload)

    def actor_on_stage(self, machine: Word, name: Word) -> Machine | None:
        """The machine of an instance the story speaks of; children (`train.background`) appear only when it runs."""
        found = self.machine(machine)
        child = "." in name and name.split(".")[0] in self.cast
        if not child and self.known("instance", name, self.cast) and found and self.cast[name] != machine:
            self.fail("wrong-type", f"`{name}` is a {self.cast[name]}", place_of(machine))
            return None
        return found

    def claim(self, expectation: model.Expectation) -> Claim:
        self.under(expectation.under)
        values = Values()
        if expectation.machine is not None and expectation.name is not None:
            machine = self.actor_on_stage(expectation.machine, expectation.name)
            for state in expectation.states if machine else ():
                self.known("state", state, machine.numbers if machine else ())
            for name, expr in expectation.values if machine else ():
                if machine and self.known("field", name, machine.fields):
                    values[str(name)] = self.value(machine.fields[name], expr)
            ids = [row.id for row in machine.transitions if row.delay] if machine else []
            for name, _ in (expectation.deadlines or ()) if machine else ():
                self.known("timer", name, ids)
        effects = {name for machine in self.plan.machines.values() for name in machine.effects}
        for effect in expectation.effects or ():
            self.known("effect", effect, sorted(effects))
        return Claim(expectation, values)

    def under(self, readings: model.Readings) -> None:
        for name, reading in readings:
            if self.known("assumption", name, self.plan.assumptions):
                self.known("reading", reading, self.plan.assumptions[name].readings)


def applies(readings: model.Readings, plan: Plan) -> bool:
    """Whether a step or expectation marked with `readings` counts in a run of `plan`."""
    return all(plan.readings.get(name) == reading for name, reading in readings)


def is_default(plan: Plan) -> bool:
    """Whether every assumption has its default reading."""
    return all(plan.readings[name] == item.default for name, item in plan.assumptions.items())


def as_text(readings: Mapping[str, str], plan: Plan) -> str:
    """The readings that are not the default, as `A-02=pin`."""
    changed = (f"{name}={reading}" for name, reading in readings.items() if plan.assumptions[name].default != reading)
    return ", ".join(changed)
