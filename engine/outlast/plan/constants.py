"""A plan in which some constants have other values: a composition, a story or a case may say so for itself."""

from __future__ import annotations

import attrs

from outlast import model
from outlast.errors import Problem, SpecError, did_you_mean, listed
from outlast.expr import render, resolve, tree
from outlast.place import place_of
from outlast.plan.compile import compile_system, under
from outlast.plan.fields import Constants
from outlast.plan.scope import Report
from outlast.plan.tables import Plan


def with_constants(plan: Plan, changed: model.Assignments) -> Plan:
    """The plan with these values of its constants, under the same readings. Raises SpecError."""
    if not changed:
        return plan
    key = "constants " + ", ".join(f"{name}: {render(value)}" for name, value in changed)
    found = plan.kept.get(key)
    if not isinstance(found, Plan):
        if problems := problems_of_constants(plan, changed):
            raise SpecError(problems)
        others = {str(name): value for name, value in changed}
        constants = tuple(
            attrs.evolve(constant, value=others.get(constant.name, constant.value))
            for constant in plan.source.constants
        )
        made, problems = compile_system(attrs.evolve(plan.source, constants=constants))
        if problems:
            raise SpecError(problems)
        found = plan.kept[key] = under(made, plan.readings)
    return found


def problems_of_constants(plan: Plan, changed: model.Assignments) -> tuple[Problem, ...]:
    """Names that are no constants, and values that do not fit them."""
    report = Report()
    known = {name: value.expr for name, value in plan.constants.items() if isinstance(value.expr, tree.Literal)}
    for name, value in changed:
        if name in known:
            resolve(value, Constants(known), report, known[str(name)].type)
        else:
            hint = did_you_mean(name, known) or (f"known: {listed(known)}" if known else "the system has none")
            report("unknown-constant", f"no constant is called `{name}`", place_of(name), hint)
    return tuple(report.problems)
