"""Random systems whose machines watch each other: along one ref or two, many of one, in rings, some ending at what they see."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, TypeAlias

Machines: TypeAlias = dict[str, tuple[str, ...]]
"""Name -> the machines its refs `r0`, `r1` … lead to."""

STATES = ("s0", "s1", "s2")
DELAYS = ("0s", "30s", "20m")


def neighbours(random: Random) -> tuple[tuple[str, ...], Mapping[str, tuple[str, dict[str, Any], None]]]:
    """Machine files as text, and instances as `System.begin` takes them."""
    names = ("a", "b", "c")
    machines = {name: tuple(random.choices(names, k=random.choice([0, 1, 1, 2]))) for name in names}
    texts = tuple(_text(name, machines, random) for name in names)
    kinds = {f"{name}{number}": name for number in range(3) for name in names}
    given = {id_: (kind, _refs(kind, machines, kinds, random), None) for id_, kind in kinds.items()}
    return texts, given


def _refs(kind: str, machines: Machines, kinds: Mapping[str, str], random: Random) -> dict[str, Any]:
    found = {}
    for number, target in enumerate(machines[kind]):
        if random.random() < 0.9:
            found[f"r{number}"] = random.choice([id_ for id_, other in kinds.items() if other == target])
    return found


def _text(name: str, machines: Machines, random: Random) -> str:
    refs = machines[name]
    lines = [
        f"machine: {name}",
        "choice: first",
        "fields: {n: {type: int, default: 0, min: 0, max: 4}}",
        f"refs: {{{', '.join(f'r{i}: {{machine: {other}, optional: true}}' for i, other in enumerate(refs))}}}",
        "events: {go: {}, back: {payload: {by: {type: int, min: 0, max: 2, default: 1}}}}",
        "effects: {seen: {payload: {n: int}}}",
        f"states: {{{', '.join(f'{state}: {{}}' for state in STATES)}, end: {{final: true}}}}",
        "transitions:",
    ]
    for number in range(random.randrange(5, 9)):
        trigger = _trigger(name, machines, random)
        guard = f", when: {_guard(refs, random)}" if random.random() < 0.25 else ""
        target = random.choices([*STATES, "end", None], weights=[6, 6, 6, 1, 2])[0]
        actions = [_action(refs, random)] if random.random() < 0.25 else []
        to = f", to: {target}" if target else ""
        do = f", do: [{', '.join(actions)}]" if actions else ""
        source = random.choice([*STATES, "[s0, s1]", "[s1, s2]", "[s0, s2]"])
        lines.append(f"  - {{id: t{number}, from: {source}, {trigger}{guard}{to}{do}}}")
    lines.append("  - {id: out, from: [s0, s1], event: back, do: [{set: {n: n + event.by}}], to: s2}")
    return "\n".join(lines)


def _trigger(name: str, machines: Machines, random: Random) -> str:
    chains = [(f"r{i}", other) for i, other in enumerate(machines[name])]
    chains += [(f"{chain}.r{i}", far) for chain, other in chains for i, far in enumerate(machines[other])]
    if chains and random.random() < 0.7:
        return f"event: {random.choice(chains)[0]}.{random.choice([*STATES, 'end'])}"
    return random.choice(["event: go", "event: go", f"after: {random.choice(DELAYS)}"])


def _guard(refs: tuple[str, ...], random: Random) -> str:
    sights = [f"r{i} is {random.choice(STATES)}" for i in range(len(refs))]
    return random.choice([*sights, "n < 3", "n == 0"])


def _action(refs: tuple[str, ...], random: Random) -> str:
    sends = [f"{{send: {{event: go, to: r{i}}}}}" for i in range(len(refs))]
    later = [f"{{send: {{event: go, to: r{i}, after: 1s}}}}" for i in range(len(refs))]
    quiet = ["{set: {n: n + 1}}", "{emit: {seen: {n: n}}}"] * 3
    return random.choice([*quiet, *sends, *later])
