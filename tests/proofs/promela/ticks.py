"""All states of a small composition, tick by tick, by running the engine: the plain way, and the state as Spin prints it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from outlast.expr import Value, tree
from outlast.plan import Plan
from outlast.proofs.promela import Column, Model
from outlast.run import Event, Snapshot, System, Terms, Timer

UNDRAWN = 1 << 50
"""When a `within` timer is due whose moment is not chosen yet."""

State = tuple[int, ...]


class Drawing(Terms):
    """Terms that leave it open when a `within` timer is due."""

    def moment(self, instance: str, key: str, armed: int, bound: int) -> int:  # noqa: ARG002  # as `Terms.moment`
        """Later than anything."""
        return UNDRAWN


def explored(system: System, said: Sequence[tuple[str, Event]], tick: int, limit: int = 50_000) -> Iterator[System]:
    """The system in every state it can be in: whatever is said at any tick, and whenever a `within` timer is due."""
    waiting, seen = [*drawn(system, tick)], set[object]()
    while waiting:
        now = waiting.pop()
        key = frozen(now)
        if key in seen:
            continue
        seen.add(key)
        assert len(seen) <= limit
        yield now
        due = now.next_due
        if due is not None and due <= now.now:
            waiting += drawn(after(now, fire), tick)
            continue
        if due is not None:
            waiting += drawn(after(now, lambda copy: wait(copy, tick)), tick)
        there = {place_of(now.world, snapshot): snapshot for snapshot in now.world.values()}
        for to, event in said:
            if to in there and not there[to].done:
                said_to = there[to].id
                waiting += drawn(after(now, lambda copy, to=said_to, event=event: say(copy, to, event)), tick)


def after(system: System, action: object) -> System:
    """A copy in which something has happened."""
    assert callable(action)
    copy = copied(system)
    action(copy)
    return copy


def copied(system: System) -> System:
    """The same instances, made in the same order."""
    copy = System(system.plan, now=system.now, terms=system.terms)
    for instance in system.instances:
        copy._population.put(instance.snapshot)
    return copy


def fire(system: System) -> None:
    """Let the first thing that is due happen, and nothing after it: it may arm what is due before the next."""
    due = system._population.next_due
    assert due is not None
    system._transaction(lambda: system._bounded(system._happen(due)))


def wait(system: System, tick: int) -> None:
    """Let a tick pass, and nothing happen."""
    system.now += tick


def say(system: System, to: str, event: Event) -> None:
    """Say it, and nothing else: what is due at once is looked at next."""
    system.send(to, event.name, dict(event.payload), by=event.by)


def drawn(system: System, tick: int) -> Iterator[System]:
    """The system once for each choice of moments that are still open."""
    for snapshot in system.world.values():
        for timer in snapshot.timers:
            if timer.due == UNDRAWN:
                for due in range(timer.armed, timer.latest + 1, tick):
                    timers = tuple(
                        attrs.evolve(other, due=due) if other is timer else other for other in snapshot.timers
                    )
                    chosen = copied(system)
                    chosen._population.put(attrs.evolve(snapshot, timers=timers))
                    yield from drawn(chosen, tick)
                return
    yield system


def frozen(system: System) -> object:
    """The state of a system, times counted from now."""

    def plain(snapshot: Snapshot) -> object:
        timers = tuple((timer.key, timer.latest - system.now, timer.due - system.now) for timer in snapshot.timers)
        return attrs.evolve(snapshot, timers=(), turn=0, spawned=()), timers

    return tuple(plain(system.world[instance.id]) for instance in system.instances)


# ---- as the columns of a model


def row(model: Model, system: System) -> State:
    """The variables of the model in this state of the system."""
    plan, now, tick = system.plan, system.now, model.tick
    places = {place: snapshot for snapshot in system.world.values() if (place := place_of(system.world, snapshot))}
    numbers = numbering(model)
    line = [numbers[1][place_of(system.world, i.snapshot)] + 1 for i in system.instances if i.snapshot.parent]
    return tuple(cell(model, plan, column, places, numbers[0], line, now, tick) for column in model.columns)


def place_of(world: object, snapshot: Snapshot) -> str:
    """The part an instance is: by its ref, not by its number, if it is a child."""
    assert isinstance(world, dict)
    return f"{place_of(world, world[snapshot.parent[0]])}.{snapshot.parent[1]}" if snapshot.parent else snapshot.id


def numbering(model: Model) -> tuple[dict[str, int], dict[str, int]]:
    """The number of every part in its machine's arrays, and of every child's place."""
    own = {c.part: int(c.variable.partition("[")[2].rstrip("]")) for c in model.columns if c.kind == "state"}
    children = [column.part for column in model.columns if column.kind == "alive"]
    return own, {part: number for number, part in enumerate(children)}


def cell(
    model: Model,
    plan: Plan,
    column: Column,
    places: dict[str, Snapshot],
    numbers: dict[str, int],
    line: list[int],
    now: int,
    tick: int,
) -> int:
    """One variable."""
    if column.kind == "line":
        return line[int(column.name)] if int(column.name) < len(line) else 0
    snapshot = places.get(column.part)
    if snapshot is None:
        return 0
    machine = plan.machines[snapshot.machine]
    timers: dict[str, Timer] = {timer.key: timer for timer in snapshot.timers}
    match column.kind:
        case "alive":
            return 1
        case "state":
            return max(machine.numbers[name] for name in snapshot.configuration) + 1
        case "field":
            field = machine.fields[column.name]
            return encoded(snapshot.values[field.index], field.type, tick, model.absent)
        case "ref":
            bound = snapshot.refs[list(machine.refs).index(column.name)]
            return next((numbers[part] + 1 for part, other in places.items() if other.id == bound), 0)
        case "timer":
            return (timers[column.name].latest - now) // tick + 1 if column.name in timers else 0
        case _:
            return (timers[column.name].due - now) // tick + 1 if column.name in timers else 0


def encoded(value: Value, type_: tree.Type, tick: int, absent: int) -> int:
    """A value as the model keeps it."""
    if value is None:
        return absent
    if type_.kind == "enum":
        return type_.words.index(str(value))
    assert not isinstance(value, str)
    return value // tick if type_.kind == "duration" else int(value)


# ---- Spin


def spun(model: Model, folder: Path) -> set[State]:
    """Every state Spin finds in the model."""
    values = ", ".join(f"(int) now.{column.variable}" for column in model.columns)
    shown = f'c_code {{ printf("STATE{" %d" * len(model.columns)}\\n", {values}); }}'
    file = folder / "model.pml"
    file.write_text(model.text.replace("inline at_rest() { skip }", f"inline at_rest() {{ {shown} }}"))
    said = verified(file)
    assert "errors: 0" in said, said[-2000:]
    return {row for row in printed(said) if not open_(model, row)}


def printed(text: str) -> Iterator[State]:
    """The states in an output."""
    for line in set(text.splitlines()):
        if line.startswith("STATE "):
            yield tuple(map(int, line.split()[1:]))


def open_(model: Model, row: State) -> bool:
    """Whether the moment of a `within` timer is not chosen yet."""
    return any(
        column.kind == "timer"
        and row[at]
        and model.columns[at + 1 : at + 2]
        and model.columns[at + 1].kind == "due"
        and not row[at + 1]
        for at, column in enumerate(model.columns)
    )


def verified(file: Path, *, compiling: Sequence[str] = ("-DSAFETY",), running: Sequence[str] = ()) -> str:
    """What the verifier says that Spin makes of a model."""
    commands = [
        ["spin", "-a", file.name],
        ["gcc", "-O0", "-w", "-DVECTORSZ=8192", *compiling, "-o", "pan", "pan.c"],
        ["./pan", "-m3000000", "-w20", *running],
    ]
    done = ""
    for command in commands:
        ended = subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, f"{command}: {ended.stdout[-2000:]}{ended.stderr[-2000:]}"
        done = ended.stdout
    return done
