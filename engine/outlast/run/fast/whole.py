"""Functions of a whole machine alone: one that checks the fields it is made with, and one that says many events with its state in local names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from outlast.expr import ANY, tree
from outlast.plan import Machine, Plan, tables
from outlast.run.fast.expressions import literal
from outlast.run.fast.forms import Many
from outlast.run.fast.places import defined
from outlast.run.fast.unfolding import Unfolding
from outlast.run.terms import Terms


def checked(machine: Machine) -> Any:
    """A function from the fields given to the fields of an automaton; it answers None for what needs a closer look, or a message."""
    if machine.requires or not machine.fields:
        return lambda _: None
    names = [field.name.replace("-", "_") for field in machine.fields.values()]
    globals_: dict[str, Any] = {"NAMES": frozenset(names)}
    lines, tests = [], ["given.keys() <= NAMES"]
    for index, (name, field) in enumerate(zip(names, machine.fields.values(), strict=True)):
        globals_[f"D{index}"] = object() if field.required else field.default
        lines.append(f"v{index} = given.get({name!r}, D{index})")
        tests.append(_accepted(f"v{index}", field, globals_))
    body = ["    try:", *("        " + line for line in lines), f"        if {' and '.join(tests)}:"]
    body += [
        f"            return ({''.join(f'v{index}, ' for index in range(len(names)))})",
        "    except TypeError:",
        "        pass",
    ]
    return defined("given", "\n".join(body), globals_, f"{machine.name} fields")


def _accepted(name: str, field: tables.Field, globals_: dict[str, Any]) -> str:
    """A test that only values of the field pass."""
    if field.type == ANY:
        return "True"
    if field.type.is_number:
        tests = [f"type({name}) is int"]
        tests += [f"{name} >= {literal(field.minimum)}"] if field.minimum is not None else []
        tests += [f"{name} <= {literal(field.maximum)}"] if field.maximum is not None else []
        tests += [f"not ({name} - {literal(field.minimum or 0)}) % {literal(field.step)}"] if field.step else []
        test = " and ".join(tests)
    elif field.type.kind == "enum":
        globals_[f"W{name}"] = frozenset(field.type.words)
        test = f"{name} in W{name}"
    else:
        test = f"type({name}) is {'bool' if field.type.kind == 'bool' else 'str'}"
    return f"({name} is None or ({test}))" if field.optional else test


class _Leave(Exception):
    """An event of a loop that the interpreter has to look at."""


def loop(plan: Plan, machine: Machine, terms: Terms, spot: Any, explored: Iterable[tuple[Any, str, Unfolding]]) -> Any:
    """A function `(m, events, effects)` that answers how many were accepted; None where one event at a time is the way.

    What an event does is a number: from 0 on a move and nothing else, which is looked up; below, lines of its own.
    """
    delays = [row.delay.expr for row in machine.transitions if row.delay]
    if any(
        not (isinstance(delay, tree.Literal) and isinstance(delay.value, int) and delay.value > 0) for delay in delays
    ):
        return None  # a timer may be due at once
    if any(row.kind == "within" for row in machine.transitions) and (terms.resolve != "latest" or terms.chosen):
        return None
    globals_: dict[str, Any] = {"Leave": _Leave, "NEXT": []}
    bodies: list[list[str]] = []
    uses, numbers = set[str](), 0
    for place, event, seen in explored:
        form = Many(spot, timed=bool(delays))
        unfolding = Unfolding(plan, machine, place, form, event=event)
        unfolding.constants, unfolding.numbers = globals_, numbers
        if (
            seen.timer is not None
            or not unfolding.branched()
            or "payload" in unfolding.uses
            or machine.events[event].payload
        ):
            continue
        numbers = unfolding.numbers
        if form.plain is not None:
            if not any(form.plain.codes is codes for codes in globals_["NEXT"]):
                globals_["NEXT"].append(form.plain.codes)
            place.codes[event] = next(n for n, codes in enumerate(globals_["NEXT"]) if codes is form.plain.codes)
        else:
            bodies.append(unfolding.lines)
            place.codes[event] = -len(bodies)
            uses |= unfolding.uses
    fields = "".join(f"v{index}, " for index in range(len(machine.fields)))
    load = [
        "on = m.place.codes",
        *([f"{fields} = m.values"] if fields else []),
        *(["timers = m.timers"] if delays else []),
    ]
    store = ["m.place = on[None]", f"m.values = ({fields})", *(["m.timers = timers"] if delays else [])]
    timers = {
        f"T{row.index}": f"T{row.index} = Timer({literal(row.key)}, now, now + {delay.value}, now + {delay.value})"
        for row, delay in zip((row for row in machine.transitions if row.delay), delays, strict=True)
        if isinstance(delay, tree.Literal)
    }
    provided = {
        "now": "now = m.now",
        "terms": "terms = m.place.compiled.terms",
        "rest": f"rest = ({literal(machine.name)},)",
    } | timers
    uses |= {"now"} if uses & set(timers) else set()
    text = f"""
refused = 0
{_indented(load)}
{_indented([line for name, line in provided.items() if name in uses])}
waiting = iter(events)
while True:
    try:
        for event in waiting:
            code = on[event]
            if code >= 0:
                on = NEXT[code]
                continue
{_indented(_chosen(bodies, -len(bodies), 0), 3)}
        break
    except (KeyError, Leave, TypeError):
{_indented(store, 2)}
        refused += not m.send(event)
        if effects is not None:
            effects += m.effects
{_indented(load, 2)}
{_indented(store)}
return len(events) - refused"""
    return defined("m, events, effects", _indented(text.splitlines(), 1), globals_, f"{machine.name} loop")


def _chosen(bodies: list[list[str]], low: int, high: int) -> list[str]:
    """The lines for codes from `low` up to `high`, found by halving."""
    if high - low <= 1:
        return [line.removeprefix("    ") for line in bodies[-low - 1]] if low < high else []
    middle = (low + high) // 2
    first, second = _chosen(bodies, low, middle), _chosen(bodies, middle, high)
    return [f"if code < {middle}:", *("    " + line for line in first), "else:", *("    " + line for line in second)]


def _indented(lines: Iterable[str], levels: int = 0) -> str:
    return "\n".join("    " * levels + line for line in lines)
