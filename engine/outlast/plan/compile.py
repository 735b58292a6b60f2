"""Model -> plan: every name resolved, every type checked, the order of everything fixed. All problems are collected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from outlast import model
from outlast.errors import Problem, UnknownName, did_you_mean, listed
from outlast.expr import Context, compiled, resolve_as, tree, type_of
from outlast.place import Word, place_of
from outlast.plan import tables
from outlast.plan.body import Body
from outlast.plan.citations import citing
from outlast.plan.fields import Constants, event_of, fields_of
from outlast.plan.fingerprint import fingerprint
from outlast.plan.properties import composition_of, property_of
from outlast.plan.scope import Header, Report, World
from outlast.plan.states import flatten
from outlast.values import frozen


def compile_system(system: model.System) -> tuple[tables.Plan, tuple[Problem, ...]]:
    """The plan of a system under its default readings, and everything wrong with it. With problems, the plan is not to be run."""
    return _Compiler(system, Report()).plan()


def under(plan: tables.Plan, readings: Mapping[str, str]) -> tables.Plan:
    """The same plan under other readings. Raises UnknownName for an assumption or reading that is not declared."""
    for name, reading in readings.items():
        if name not in plan.assumptions:
            raise UnknownName("assumption", name, plan.assumptions)
        if reading not in plan.assumptions[name].readings:
            raise UnknownName(f"reading of {name}", reading, plan.assumptions[name].readings)
    changed = {**plan.readings, **readings}
    return plan if changed == plan.readings else attrs.evolve(plan, readings=changed)


@frozen
class _Compiler:
    system: model.System
    report: Report

    def plan(self) -> tuple[tables.Plan, tuple[Problem, ...]]:
        system = self.system
        constants = self.constants()
        assumptions = {str(item.id): tuple(name for name, _ in item.readings) for item in system.assumptions}
        world = World({}, constants, assumptions, self.report)
        headers = {str(machine.name): self.header(machine, world) for machine in system.machines}
        world = attrs.evolve(world, headers=headers)
        self.unique("machine", (machine.name for machine in system.machines))
        self.unique("clause", (clause.id for clause in system.clauses))
        self.unique("property", (claim.id for claim in system.properties))
        self.references(headers)
        machines = {name: Body(world, header).machine() for name, header in headers.items()}
        properties = tuple(found for claim in system.properties if (found := property_of(claim, world)))
        plan = tables.Plan(
            name=str(system.name),
            title=system.title,
            about=system.about,
            document=system.document,
            machines=machines,
            clauses={str(item.id): _clause(item) for item in system.clauses},
            actors={str(actor.name): actor.about for actor in system.actors},
            constants={name: tables.Computed(value) for name, value in constants.items()},
            assumptions={str(item.id): self.assumption(item) for item in system.assumptions},
            readings={str(item.id): str(item.default) for item in system.assumptions},
            hash=fingerprint(system),
            source=system,
            compositions={str(item.name): composition_of(item) for item in system.compositions},
            properties=properties,
        )
        return plan, tuple(self.report.problems)

    # ---- what the whole system shares

    def constants(self) -> dict[str, tree.Literal]:
        found: dict[str, tree.Literal] = {}
        for constant in self.system.constants:
            scope = Constants(found)
            resolved = resolve_as(constant.value, scope, self.report)
            if resolved is not None:
                found[constant.name] = tree.Literal(
                    compiled(resolved)(Context()), type_of(resolved), str(constant.name), place=constant.place
                )
        return found

    def assumption(self, item: model.Assumption) -> tables.Assumption:
        names = [name for name, _ in item.readings]
        self.one_of(item.default, names, "reading")
        return tables.Assumption(
            str(item.id),
            item.question,
            {str(name): words for name, words in item.readings},
            str(item.default),
            item.confidence,
            tuple(map(str, item.because)),
        )

    def references(self, headers: Mapping[str, Header]) -> None:
        """Clauses, actors and machines that anything names must exist."""
        clauses = [clause.id for clause in self.system.clauses]
        actors = [actor.name for actor in self.system.actors]
        for _, _, _, thing in citing(self.system):
            for clause in thing.because if clauses else ():
                self.one_of(clause, clauses, "clause")
        for machine in self.system.machines:
            for event in machine.events:
                for actor in event.by:
                    self.one_of(actor, actors, "actor")
            for ref in machine.refs:
                self.one_of(ref.machine, headers, "machine")
        for claim in self.system.properties:
            self.one_of(claim.machine, headers, "machine")
            for name in claim.compositions:
                self.one_of(name, (item.name for item in self.system.compositions), "composition")
        for item in self.system.compositions:
            for name, _ in item.constants:
                self.one_of(name, (constant.name for constant in self.system.constants), "constant")

    def one_of(self, name: Word, known: Iterable[str], kind: str) -> None:
        known = list(known)
        if name not in known:
            hint = did_you_mean(name, known) or (f"known: {listed(known)}" if known else None)
            self.report(f"unknown-{kind}", f"no {kind} is called `{name}`", place_of(name), hint)

    def unique(self, kind: str, names: Iterable[Word]) -> None:
        seen: dict[str, Word] = {}
        for name in names:
            if name in seen:
                first = place_of(seen[name])
                self.report(
                    "duplicate-name",
                    f"a {kind} called `{name}` is already there",
                    place_of(name),
                    f"the first is at {first}" if first else None,
                )
            else:
                seen[name] = name

    # ---- the face a machine shows to others

    def header(self, machine: model.Machine, world: World) -> Header:
        states = flatten(machine)
        self.unique("state", (state.name for state, _ in states))
        self.unique("transition", (transition.id for transition in machine.transitions))
        named = (self.system.constants, machine.fields, machine.refs, machine.guards)
        self.unique("name", (item.name for items in named for item in items))
        return Header(
            source=machine,
            fields=fields_of(machine.fields, world),
            refs={
                str(ref.name): tables.Ref(str(ref.name), str(ref.machine), ref.optional, ref.about)
                for ref in machine.refs
            },
            events={str(event.name): event_of(event, world) for event in machine.events},
            states=tuple(str(state.name) for state, _ in states if "history" not in state.kind),
            guards={str(guard.name): guard for guard in machine.guards},
        )


def _clause(clause: model.Clause) -> tables.Clause:
    return tables.Clause(str(clause.id), clause.says, clause.section, clause.line, clause.reason, clause.reference)
