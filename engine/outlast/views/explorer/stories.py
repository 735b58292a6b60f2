"""What the page begins with: the stories of a system as plain data, or one instance of each machine where there are none."""

from __future__ import annotations

from outlast import model
from outlast.errors import RefusedInstance
from outlast.expr import Value
from outlast.plan import Machine, Plan, tables
from outlast.run.instances import blank
from outlast.run.staging import Cue, Part, staged
from outlast.views.explorer.tables import JsonObject, full


def story_of(plan: Plan, scenario: model.Scenario) -> JsonObject:
    """A scenario as what it begins with and what is said when; instants at which it only claims something are steps too.

    Raises SpecError when the scenario does not fit the plan.
    """
    stage = staged(plan, scenario)
    steps = [full(**_cue(plan, cue), under=dict(cue.source.under)) | {"at": cue.at} for cue in stage.cues]
    said = {cue.at for cue in stage.cues if not cue.source.under}
    waits = {(claim.source.at, claim.source.under) for claim in stage.claims if claim.source.at not in said}
    always = {at for at, under in waits if not under}
    steps += [{"at": at, **full(under=dict(under))} for at, under in sorted(waits) if not under or at not in always]
    return {
        **full(name=str(scenario.name), title=scenario.title, about=scenario.about.strip()),
        "given": [_part(plan, part) for part in stage.given],
        "steps": sorted(steps, key=lambda step: step["at"]),
    }


def _cue(plan: Plan, cue: Cue) -> JsonObject:
    if cue.part is not None:
        return {"new": _part(plan, cue.part)}
    if isinstance(cue.source, model.Happen):
        return {"happen": [str(cue.source.name), str(cue.source.row)]}
    say = cue.source
    assert isinstance(say, model.Say)
    said = full(instance=str(say.name), event=str(say.event), payload=cue.payload, by=str(say.by or ""))
    return {"send": said}


def _part(plan: Plan, part: Part) -> JsonObject:
    machine = plan.machines[part.machine]
    fields = {name: value for name, value in part.values.items() if name in machine.fields}
    refs = {name: value for name, value in part.values.items() if name in machine.refs}
    return full(machine=part.machine, instance=part.name, state=part.state, fields=fields, refs=refs)


def one_of_each(plan: Plan) -> JsonObject:
    """An instance of every machine, called like it, its refs bound to the others; those that cannot be made are left out."""
    parts = [part for part in map(_simplest, plan.machines.values()) if _can_be_made(plan, part)]
    names: set[Value] = set()
    while names != (names := {part.name for part in parts}):
        parts = [part for part in parts if {part.values[ref] for ref in _needed(plan.machines[part.machine])} <= names]
    given = [_part(plan, part) for part in parts]
    return {"name": "one-of-each", "title": "One of each machine", "given": given, "steps": []}


def _simplest(machine: Machine) -> Part:
    values: dict[str, Value] = {field.name: _some(field) for field in machine.fields.values() if field.required}
    return Part(machine.name, machine.name, None, {**values, **_needed(machine)})


def _needed(machine: Machine) -> dict[str, str]:
    """Ref -> the instance it is bound to, for those that must be bound."""
    return {ref.name: ref.machine for ref in machine.refs.values() if not ref.optional}


def _some(field: tables.Field) -> Value:
    """A value the field may have."""
    words, kind = field.type.words, field.type.kind
    return words[0] if words else "" if kind == "string" else kind != "bool" and (field.minimum or 0)


def _can_be_made(plan: Plan, part: Part) -> bool:
    machine = plan.machines[part.machine]
    fields = {name: value for name, value in part.values.items() if name in machine.fields}
    try:
        blank(plan, part.machine, part.name, fields, _needed(machine))
    except RefusedInstance:
        return False
    return True
