"""What can be seen of two systems at a moment when nothing is due in either, and where it differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from outlast.expr import Value, show
from outlast.plan import Machine, Plan
from outlast.proofs.comparison.both import Pair, Told
from outlast.proofs.timed.locations import Location


@attrs.frozen
class Contrast:
    """One thing of which the old system says one thing, and the new one another."""

    about: str
    """An instance, a field of one, `effects`, or the event that was said."""
    old: str
    new: str


def contrasts(old: Plan, new: Plan, pair: Pair) -> Iterator[Contrast]:
    """Everything that differs: who is there, in which states, with which values, what was told, what was refused."""
    if pair.verdicts is not None:
        before, after = (f"refused: {verdict}" if verdict is not None else "accepted" for verdict in pair.verdicts)
        yield Contrast("the event", before, after)
    mine, theirs = ({snapshot.id: snapshot for snapshot in location} for location in (pair.old, pair.new))
    for id_ in dict.fromkeys((*mine, *theirs)):
        one, two = mine.get(id_), theirs.get(id_)
        if one is None or two is None:
            yield Contrast(id_, _there(old, pair.old, id_), _there(new, pair.new, id_))
            continue
        if one.configuration != two.configuration:
            yield Contrast(id_, _there(old, pair.old, id_), _there(new, pair.new, id_))
        yield from _fields(id_, old.machines[one.machine], one.values, new.machines[two.machine], two.values)
    if pair.ahead != ((), ()):
        yield Contrast("effects", _told(old, pair.ahead[0]), _told(new, pair.ahead[1]))


def _fields(
    id_: str, old: Machine, before: Sequence[Value], new: Machine, after: Sequence[Value]
) -> Iterator[Contrast]:
    """The fields both have."""
    values = dict(zip(new.fields, after, strict=True))
    for field, value in zip(old.fields.values(), before, strict=True):
        if field.name in values and values[field.name] != value:
            other = show(values[field.name], new.fields[field.name].type)
            yield Contrast(f"{id_}.{field.name}", show(value, field.type), other)


def _there(plan: Plan, location: Location, id_: str) -> str:
    snapshot = next((snapshot for snapshot in location if snapshot.id == id_), None)
    if snapshot is None:
        return "not there"
    return " + ".join(plan.machines[snapshot.machine].innermost(snapshot.configuration))


def _told(plan: Plan, effects: Sequence[Told]) -> str:
    declared = {name: effect for machine in plan.machines.values() for name, effect in machine.effects.items()}
    words = []
    for _, name, payload in effects:
        values = ", ".join(f"{key} {show(value, declared[name].payload[key].type)}" for key, value in payload)
        words.append(f"{name}({values})" if values else name)
    return ", ".join(words) or "nothing more"
