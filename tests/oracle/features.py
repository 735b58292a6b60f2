"""How much of the standard random machines exercise: `python -m tests.oracle.features` prints the table.

`features` says what a machine contains and what happened in one run of it; `count` does so for many examples.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

from tests.oracle.appendix_d import Machine, Microstep, Trace, asList, childrenOf, kindOf, run
from tests.oracle.machines import random_run, words


def features(machine: Machine, traces: list[Trace]) -> set[str]:
    """Say what a machine contains and what happened in a run of it."""
    return {*contained(machine), *happened(machine, traces)}


def contained(machine: Machine) -> Iterator[str]:
    """Name the features written in a machine."""
    parents = dict(tree(machine["states"]))
    states = {name: data for name, (data, _) in parents.items()}
    kinds = {name: kindOf(data) for name, data in states.items()} | {"": "scxml"}
    for name, (data, parent) in parents.items():
        if kinds[name] == "history":
            yield f"has {data['history']} history of a {kinds[parent]}"
        if kinds[name] == "parallel":
            above = list(ancestors(name, parents))
            yield "has parallel inside parallel" if "parallel" in map(kinds.__getitem__, above) else "has parallel"
        if kinds[name] == "final":
            yield "has final state at the top" if not parent else "has final state inside"
        if "initial-transition" in data:
            to = asList(data["initial-transition"]["to"])
            yield "has initial transition " + ("to history" if any(kinds[t] == "history" for t in to) else "of a state")
    for row in machine.get("transitions", []):
        if "event" not in row and "done" not in row:
            yield "has eventless row"
        if "when" in row:
            yield "has guard"
        if row.get("internal"):
            yield "has internal row"
        if isinstance(row.get("to"), list):
            yield "has row with several targets"
        if isinstance(row["from"], list):
            yield "has row with several sources"
    for word in {"raise", "set", "if"} & set(words(machine)):
        yield f"has {word}"


def happened(machine: Machine, traces: list[Trace]) -> Iterator[str]:
    """Name the features met in a run."""
    rows = {row["id"]: row for row in machine.get("transitions", [])}
    parents = dict(tree(machine["states"]))
    kinds = {name: kindOf(data) for name, (data, _) in parents.items()}
    left: set[str] = set()  # states that were exited at least once
    active: set[str] = set()
    for trace in traces:
        if trace.endless:
            yield "endless macrostep"
        if trace.done and trace.microsteps:
            yield "machine done"
        if len(trace.microsteps) >= 3:
            yield "macrostep of three microsteps"
        for step in trace.microsteps:
            left |= set(step.exited)
            for name in step.transitions:
                for target in asList(rows[name].get("to")):
                    data, parent = parents[target]
                    if "history" in data and parent in left:
                        yield f"history restored: {data['history']}"
                    elif "history" in data and parent in active:
                        yield "history default taken inside its parent"
                    elif "history" in data:
                        yield "history default taken"
            yield from taken(trace, step, rows, kinds)
            active = (active - set(step.exited)) | set(step.entered)
            for loser, winner in step.preempted:
                sources = [rows[name]["from"] for name in (winner, loser)]
                if all(isinstance(source, str) for source in sources):
                    inner = sources[1] in ancestors(sources[0], parents)
                    yield "preempted by a descendant" if inner else "preempted by an earlier state"
        if trace.event and not trace.microsteps:
            yield "event ignored"


def taken(trace: Trace, step: Microstep, rows: dict[str, Machine], kinds: dict[str, str]) -> Iterator[str]:
    """Name what was special about the transitions of a microstep."""
    if len(step.transitions) > 1:
        yield "several transitions at once"
    if len(step.transitions) > len(set(step.transitions)):
        yield "one row taken from two sources at once"
    if trace.event and step.event not in {None, trace.event}:
        yield "internal event"
    if step.event == "error.execution":
        yield "error.execution handled"
    for row in map(rows.__getitem__, step.transitions):
        if step.event is None:
            yield "eventless row taken"
        if "done" in row:
            yield f"done row taken, of a {kinds[row['done']]}"
        if row.get("internal"):
            yield "internal row taken"
        if isinstance(row.get("to"), list):
            yield "several targets entered"
        if row.get("event") == "*":
            yield "matched by *"
        if step.event and "." in step.event and step.event.split(".")[0] in asList(row.get("event")):
            yield "matched by prefix"
        if "to" not in row and set(asList(row["from"])) & set(step.exited):
            yield "targetless row taken while its source is exited"


def tree(states: Machine, parent: str = "") -> Iterator[tuple[str, tuple[Machine, str]]]:
    """List the states with what is written in them and their parents."""
    for name, data in states.items():
        yield name, (data, parent)
        yield from tree(childrenOf(data), name)


def ancestors(name: str, parents: dict[str, tuple[Machine, str]]) -> Iterator[str]:
    """List the states around a state, the nearest first."""
    while name := parents[name][1]:
        yield name


def count(examples: int, *, size: int = 12) -> Counter[str]:
    """Count in how many of the first seeds' runs each feature occurs."""
    counter: Counter[str] = Counter()
    for seed in range(examples):
        machine, events = random_run(seed, size)
        counter.update(features(machine, run(machine, events)))
    return counter


def main() -> None:
    """Print in how many of 300 examples (or as many as the argument says) each feature occurs."""
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    for feature, times in sorted(count(examples).items(), key=lambda item: (-item[1], item[0])):
        sys.stdout.write(f"{times / examples:6.1%}  {feature}\n")


if __name__ == "__main__":
    main()
