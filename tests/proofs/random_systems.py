"""Small random systems with timers: two or three machines that watch each other, send, spawn and wait a few microseconds."""

from __future__ import annotations

from random import Random

import attrs

from outlast.language import read_machine, read_system_file
from outlast.plan import Plan, compile_system

STATES = ("one", "two", "three")


def random_system(seed: int) -> Plan:
    """A system called `s<seed>` with one composition `all`."""
    random = Random(seed)
    count = random.choice([1, 2, 2, 3])
    machines = [_machine(random, number, count) for number in range(count)]
    if count > 1:
        machines.append(_child(random))
    given = []
    for number in range(count):
        refs = f"next: i{number + 1}" if number + 1 < count else ""
        given.append(f"      m{number} i{number}: {{{refs}}}")
    names = [f"m{number}" for number in range(count)] + (["child"] if count > 1 else [])
    text = "\n".join(
        [
            f"system: s{seed}",
            f"machines: [{', '.join(names)}]",
            "actors: {outside: {}}",
            "compositions:",
            "  all:",
            "    given:",
            *given,
        ]
    )
    file, problems = read_system_file(text)
    assert file is not None
    assert not problems, problems
    found = []
    for source in machines:
        machine, problems = read_machine(source)
        assert machine is not None
        assert not problems, (problems, source)
        found.append(machine)
    plan, unresolved = compile_system(attrs.evolve(file.system, machines=tuple(found)))
    assert not unresolved, (unresolved, machines)
    return plan


def _time(random: Random) -> str:
    return f"{random.choice([0, 1, 1, 2, 2, 3, 4])}us"


def _machine(random: Random, number: int, count: int) -> str:
    """A machine that watches the next one."""
    last = number + 1 == count
    states = STATES[: random.choice([2, 3, 3])]
    lines = [f"machine: m{number}", "choice: first"]
    refs = [] if last else [f"  next: m{number + 1}"]
    if count > 1:
        refs.append("  kid: {machine: child, optional: true}")
    if refs:
        lines += ["refs:", *refs]
    lines += ["events: {a: {by: outside}, b: {}, c: {internal: true}}", "states:"]
    for state in states:
        entry = _actions(random, last, count, 0.3)
        lines.append(f"  {state}: {{{'entry: [' + entry + ']' if entry else ''}}}")
    lines.append("transitions:")
    for row in range(random.randint(3, 6)):
        source = random.choice(states)
        triggers = [
            "event: a",
            "event: a",
            f"after: {_time(random)}",
            f"after: {_time(random)}",
            f"within: {_time(random)}",
            "event: c",
        ]
        if not last:
            triggers += [f"event: next.{random.choice(STATES[:2])}"] * 2
        elif count > 1:
            triggers += ["event: b", "event: b"]
        if count > 1:
            triggers += ["event: kid.late", "event: kid.early"]
        trigger = random.choice(triggers)
        guard = ""
        if random.random() < 0.3:
            choices = ["self is " + random.choice(states)]
            if not last:
                choices.append("next is " + random.choice(STATES[:2]))
            if count > 1:
                choices.append("kid is early")
            guard = f", when: {random.choice(choices)}"
        target = f", to: {random.choice(states)}" if random.random() < 0.85 else ""
        actions = _actions(random, last, count, 0.35)
        do = f", do: [{actions}]" if actions else ""
        lines.append(f"  - {{id: r{row}, from: {source}, {trigger}{guard}{target}{do}}}")
    return "\n".join(lines)


def _actions(random: Random, last: bool, count: int, chance: float) -> str:
    if random.random() > chance:
        return ""
    actions = [f"send: {{event: c, after: {_time(random)}, id: x}}", "cancel: x"]
    if not last:
        name = "b" if count == 2 else "c"
        actions += [f"send: {{event: {name}, to: next}}", f"send: {{event: {name}, to: next, after: {_time(random)}}}"]
    if count > 1:
        actions += ["spawn: {kid: child}", "spawn: {kid: child}", "if: kid is present, do: [{stop: kid}]"]
    return f"{{{random.choice(actions)}}}"


def _child(random: Random) -> str:
    kind = random.choice(["after", "within"])
    return "\n".join(
        [
            "machine: child",
            "events: {poke: {by: outside}}",
            "states: {early: {}, late: {}}",
            "transitions:",
            f"  - {{id: grow, from: early, {kind}: {random.choice([1, 2, 3])}us, to: late}}",
            "  - {id: poke, from: early, event: poke, to: early}",
        ]
    )
