"""What compiled functions are written for: an instance of a system, which leaves a Step behind, or a machine alone, which changes itself."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Literal, TypeAlias

from outlast.plan import Machine
from outlast.run.fast.expressions import Fixed, literal, source, total, whole
from outlast.run.fast.packed import Armed, Packed, Path, Taken
from outlast.run.fast.unfolding import Course, Unfolding
from outlast.run.snapshot import Delayed, Event, Timer
from outlast.run.steps import Delivery, Effect

NAMES = {
    "Armed": Armed,
    "Delayed": Delayed,
    "Delivery": Delivery,
    "Effect": Effect,
    "Event": Event,
    "Packed": Packed,
    "Taken": Taken,
    "Timer": Timer,
    "total": total,
    "whole": whole,
}
"""What generated source may name, beside its own constants."""


class Together:
    """A function `(system, was, event)` that answers a Taken, or None to leave the step to the interpreter."""

    alone, leave, still = False, "return None", False

    def __init__(self, find: Any, observed: Collection[tuple[str, str]]) -> None:
        self.find, self.observed = find, observed

    def beginning(self, unfolding: Unfolding) -> list[str]:
        """What is read of the instance before the first test."""
        machine, uses = unfolding.machine, unfolding.uses
        lines = self.others(unfolding)
        if lines or uses & {"rest", "refs", "kids", "delayed"}:
            lines.insert(0, "rest = was.rest")
        lines += unpacked(unfolding, "was.values", len(machine.fields))
        provided = {
            "payload": "payload = dict(event.payload)",
            "now": "now = system.now",
            "terms": "terms = system.terms",
            "refs": "refs = list(rest[2])",
            "kids": "kids = dict(rest[5])",
            "stopped": "stopped = []",
            "sent": "sent = []",
            "delayed": "delayed, turn = rest[3], rest[4]",
        }
        return [*lines, *(line for name, line in provided.items() if name in uses)]

    def others(self, unfolding: Unfolding) -> list[str]:
        """The instance at the end of every chain of refs, as `Macrostep.look_around` finds them."""
        machine = unfolding.machine
        if not machine.slots:
            return []
        lines = ["world = system._world"]
        found: dict[tuple[str, ...], str] = {}
        for chain in machine.slots:
            there: Machine = machine
            for length in range(1, len(chain) + 1):
                path, ref = chain[:length], chain[length - 1]
                number = list(there.refs).index(ref)
                there = unfolding.plan.machines[there.refs[ref].machine]
                if path in found:
                    continue
                name = f"o{machine.slots.index(path)}" if path in machine.slots else unfolding.name("c")
                if length == 1:
                    lines.append(f"{name} = world.get(rest[2][{number}])")
                else:
                    above = found[path[:-1]]
                    lines.append(f"{name} = world.get({above}.refs[{number}]) if {above} is not None else None")
                found[path] = name
        return lines

    def end(self, unfolding: Unfolding, course: Course) -> list[str]:
        """The step, and the instance after it."""
        place = self.find(*whereabouts(unfolding, course))
        timers, rest = timers_after(unfolding, course, "was.timers"), self.rest(unfolding, course)
        moved = place is not unfolding.place or course.changed or timers is not None or rest is not None
        lines = []
        if moved:
            values = f"({''.join(f'{source(code)}, ' for code in course.fields)})" if course.changed else "was.values"
            lines += [
                "after = Packed()",
                f"after.place = {unfolding.constant(place)}",
                f"after.values = {values}",
                f"after.timers = {timers or 'was.timers'}",
                f"after.rest = {rest or 'was.rest'}",
            ]
        same, told = told_of(unfolding, course)
        slots = {
            "at": "system.now",
            "event": "event" if unfolding.event is not None else unfolding.constant(same["event"]),
            "before": "was",
            "after": "after" if moved else "was",
            "others": f"({''.join(f'o{slot}, ' for slot in range(len(unfolding.machine.slots)))})",
            "caused": "()",
        } | told
        if course.sent:
            slots["sent"] = "tuple(sent)"
        if course.bound and unfolding.has_children:
            slots["stopped"] = "tuple(stopped)"
        same = {name: value for name, value in same.items() if name not in slots}
        entered = [name for micro in course.microsteps for name in micro.entered]
        watched = tuple(name for name in entered if (unfolding.machine.name, name) in self.observed)
        calm = course.running and not (course.sent or course.bound)
        path = Path(same, calm=calm, arms=bool(course.armed) or course.delayed, entered=watched)
        lines += ["done = Taken()", f"done.path = {unfolding.constant(path)}"]
        return [*lines, *(f"done.{slot} = {value}" for slot, value in slots.items()), "return done"]

    def rest(self, unfolding: Unfolding, course: Course) -> str | None:
        """The rest after the step; None if it is what it was."""
        if not course.delayed and not course.bound:
            return None
        unfolding.need("rest")
        refs, children = "rest[2]", "rest[5]"
        if course.bound:
            refs = "tuple(refs)" if "refs" in unfolding.uses else refs
            children = "tuple(sorted(kids.items()))" if "kids" in unfolding.uses else children
        delayed, turn = "rest[3]", "rest[4]"
        if course.delayed:
            unfolding.need("delayed")
            delayed, turn = "delayed" if course.running else "()", "turn"
        return f"(rest[0], rest[1], {refs}, {delayed}, {turn}, {children}, rest[6])"


def heard_first(unfolding: Unfolding) -> Event | None:
    """The event a step is for, where it has no payload and no sender."""
    if unfolding.timer is not None:
        return Event(unfolding.machine.arrows[unfolding.timer].trigger)
    return Event(unfolding.event) if unfolding.event is not None else None


def unpacked(unfolding: Unfolding, values: str, count: int) -> list[str]:
    """The line that gives fields their names, if any has to have one."""
    if not any(re.search(r"\bv\d", line) for line in unfolding.lines):
        return []
    return ["".join(f"v{index}, " for index in range(count)) + f"= {values}"]


def whereabouts(unfolding: Unfolding, course: Course) -> tuple[Any, ...]:
    """What makes the place at the end of a branch: configuration, history, whether the machine is done."""
    configuration = unfolding.names(sorted(course.active))
    history = tuple((name, unfolding.names(states)) for name, states in sorted(course.history.items()))
    return configuration, history, not course.running


def told_of(unfolding: Unfolding, course: Course) -> tuple[dict[str, Any], dict[str, str]]:
    """A Step's attributes that are the same each time, and those that are source."""
    values: dict[str, Any] = {
        "plan": unfolding.plan,
        "cause": "timer" if unfolding.timer is not None else "event" if unfolding.event is not None else "start",
        "event": heard_first(unfolding),
        "timer": unfolding.timer,
        "microsteps": tuple(course.microsteps),
        "sent": (),
        "made": (),
        "stopped": (),
        "faults": (),
        "refusal": course.refusal,
        "preceded": (),
    }
    told: dict[str, str] = {}
    if all(not isinstance(effect, str) for effect in course.effects):
        values["effects"] = tuple(course.effects)
    else:
        names = [effect if isinstance(effect, str) else unfolding.constant(effect) for effect in course.effects]
        told["effects"] = f"({''.join(f'{name}, ' for name in names)})"
    answer = course.answer or {}
    if all(isinstance(code, Fixed) for code in answer.values()):
        values["answer"] = tuple((name, code.value) for name, code in answer.items() if isinstance(code, Fixed))
    else:
        told["answer"] = unfolding.pairs(answer)
    return values, told


Keeps: TypeAlias = Literal["nothing", "fields", "instant", "all"]
"""What an Automaton has to keep of a step, beside the way it went: what the fields were; when it was; or
`(fields, timers, instant, attributes)` as they were, the last a mapping or None."""


class Way:
    """A path through a function of a machine alone: where it leads from and to, and what its Step says each time."""

    __slots__ = ("before", "keeps", "values")

    def __init__(self, values: dict[str, Any], before: Any, keeps: Keeps) -> None:
        self.values, self.before, self.keeps = values, before, keeps


class Alone:
    """A function `(m, event)` that changes an Automaton and answers whether the event was accepted."""

    alone, still = True, False

    def __init__(self, find: Any, *, timed: bool, leave: str, heard: bool) -> None:
        """`heard`: the event is not the same each time, but for its name."""
        self.find, self.timed, self.leave, self.heard = find, timed, leave, heard

    def beginning(self, unfolding: Unfolding) -> list[str]:
        """What is read of the machine before the first test."""
        uses, lines = unfolding.uses, ["was = m.values"]
        lines += unpacked(unfolding, "was", len(unfolding.machine.fields))
        provided = {
            "rest": f"rest = ({literal(unfolding.machine.name)},)",
            "payload": "payload = dict(event.payload)",
            "now": "now = m.now",
            "terms": "terms = m.place.compiled.terms",
        }
        return [*lines, *(line for name, line in provided.items() if name in uses)]

    def end(self, unfolding: Unfolding, course: Course) -> list[str]:
        """The machine after it, and what it takes to say afterwards what happened."""
        place = self.find(*whereabouts(unfolding, course))
        same, told = told_of(unfolding, course)
        if self.heard:
            told["event"] = "event"
        timers = timers_after(unfolding, course, "m.timers") if self.timed else None
        keeps: Keeps = "nothing"
        if told or (self.timed and (timers or course.changed)):
            keeps = "all"
        elif self.timed or course.changed:
            keeps = "instant" if self.timed else "fields"
        attributes = "{" + "".join(f"{name!r}: {value}, " for name, value in told.items()) + "}" if told else "None"
        kept = {
            "nothing": [],
            "fields": ["m.kept = was"],
            "instant": ["m.kept = m.now"],
            "all": [f"m.kept = (was, {'m.timers, m.now' if self.timed else '(), 0'}, {attributes})"],
        }
        unfolding.leads_to.append(place)
        lines = [f"m.way = {unfolding.constant(Way(same, unfolding.place, keeps))}", *kept[keeps]]
        if place is not unfolding.place:
            lines.append(f"m.place = {unfolding.constant(place)}")
        if course.changed:
            lines.append(f"m.values = ({''.join(f'{source(code)}, ' for code in course.fields)})")
        if timers is not None:
            lines.append(f"m.timers = {timers}")
        return [*lines, f"return {course.refusal is None}"]


class Many:
    """A part of a loop over events that keeps an Automaton's state in local names: `on`, `v0` …, `timers`."""

    alone, leave, still = True, "raise Leave", True

    def __init__(self, find: Any, *, timed: bool) -> None:
        self.find, self.timed = find, timed
        self.plain: Any = None
        """Where the event leads, if that is all it does."""

    def beginning(self, unfolding: Unfolding) -> list[str]:  # noqa: ARG002  # as the protocol says
        """Nothing: it stands in the middle."""
        return []

    def end(self, unfolding: Unfolding, course: Course) -> list[str]:
        """The local names after it."""
        place, lines = self.find(*whereabouts(unfolding, course)), []
        _, told = told_of(unfolding, course)
        if course.effects:
            effects = told.get("effects") or unfolding.constant(tuple(course.effects))
            lines += ["if effects is not None:", f"    effects += {effects}"]
        changed = [index for index, code in enumerate(course.fields) if code != f"v{index}"]
        if changed:
            new = ", ".join(source(course.fields[index]) for index in changed)
            lines.append(f"{', '.join(f'v{index}' for index in changed)} = {new}")
        if self.timed and (timers := timers_after(unfolding, course, "timers")) is not None:
            lines.append(f"timers = {timers}")
        if course.refusal is not None:
            lines.append("refused += 1")
        if not lines and course.depth == 0 and not unfolding.lines:
            self.plain = place
        if place is not unfolding.place:
            lines.append(f"on = {unfolding.constant(place.codes)}")
        return [*lines, "continue"]


def timers_after(unfolding: Unfolding, course: Course, before: str) -> str | None:
    """The timers that run after the step, in the order of the file; None if they are those of `before`."""
    machine, arrows = unfolding.machine, unfolding.machine.arrows
    running = {
        machine.transitions[number].key
        for name in unfolding.place.configuration
        for number in machine.state(name).timers
    }
    if not course.running:
        return "()" if running else None
    gone = running & (course.dropped | set(course.armed))
    if not gone and not course.armed:
        return None
    stay = running - gone
    kept = (
        f"*[timer for timer in {before} if timer.key not in {unfolding.constant(frozenset(gone))}]"
        if gone
        else f"*{before}"
    )
    parts = [kept] if stay else []
    ordered = sorted(course.armed.items(), key=lambda item: arrows[item[0]].index)
    parts += [name if sure else f"*(() if {name} is None else ({name},))" for _, (name, sure) in ordered]
    if stay and course.armed:
        order = unfolding.constant(lambda timer: arrows[timer.key].index)
        return f"tuple(sorted([{', '.join(parts)}], key={order}))"
    return f"({''.join(f'{part}, ' for part in parts)})"
