"""What a picture shows, as values in a fixed order: from a plan to a Graph, before anything is measured or placed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

import attrs

from outlast import model
from outlast.expr import show, tree
from outlast.plan import Machine, Plan, State, Transition, tables
from outlast.values import frozen

BoxKind: TypeAlias = Literal[
    "atomic", "final", "composite", "parallel", "region", "start", "shallow-history", "deep-history"
]


@frozen
class Row:
    """One transition (from all its sources), or one line of talk between machines.

    `triggers` are alternatives; `leads` says in words where a row leads that is listed in a box instead of drawn as an arrow.
    """

    id: str
    triggers: tuple[str, ...]
    timed: bool = False
    guard: str = ""
    actions: tuple[str, ...] = ()
    refuse: str = ""
    leads: str = ""
    because: tuple[str, ...] = ()
    about: str = ""
    was: tuple[str, ...] = ()
    """In a difference: the words that are no longer there."""
    badge: str = ""
    """A number or a sign before the row: see `marked`."""


@frozen
class Box:
    """A state, an actor or a machine; `deeds` are its entry and exit actions and its children, `rows` what is listed in it."""

    name: str
    title: str
    kind: BoxKind = "atomic"
    parent: str = ""
    about: str = ""
    role: model.Role | None = None
    deeds: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    because: tuple[str, ...] = ()

    @property
    def contains(self) -> bool:
        """Whether other boxes stand in it."""
        return self.kind in ("composite", "parallel", "region")

    @property
    def is_dot(self) -> bool:
        """Whether it is drawn as a small circle."""
        return self.kind in ("start", "shallow-history", "deep-history")


@frozen
class Arrow:
    """From every one of `sources` to every one of `targets`: one label for all rows between them."""

    name: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    rows: tuple[Row, ...] = ()

    @property
    def timed(self) -> bool:
        """Whether only time leads along it."""
        return bool(self.rows) and all(row.timed for row in self.rows)


@frozen
class Note:
    """Rows told below a picture, under the names of the states they belong to."""

    title: str
    rows: tuple[Row, ...]


@frozen
class Graph:
    """A picture before layout. Boxes in document order, so that a box comes after the one it stands in."""

    name: str
    title: str
    subtitle: str
    about: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    says: dict[str, str] = attrs.field(factory=dict)
    """Clause id -> its words, for the clauses cited."""
    above: tuple[tuple[str, str], ...] = ()
    """Pairs of boxes with nothing drawn between them, the first of which stands above the second."""
    below: tuple[Note, ...] = ()
    """What a crowded picture tells below itself: see `apart`."""

    def box(self, name: str) -> Box:
        """The box called `name`; KeyError otherwise."""
        return {box.name: box for box in self.boxes}[name]

    def around(self, name: str) -> tuple[str, ...]:
        """The boxes a box stands in, innermost first."""
        boxes, found = {box.name: box for box in self.boxes}, list[str]()
        while name := boxes[name].parent:
            found.append(name)
        return tuple(found)

    @property
    def rows(self) -> Iterator[Row]:
        """Every row, listed, drawn or told below."""
        for box in self.boxes:
            yield from box.rows
        for arrow in self.arrows:
            yield from arrow.rows
        for note in self.below:
            yield from note.rows


# ---- a machine


def machine_graph(plan: Plan, name: str) -> Graph:
    """Everything one machine may do."""
    machine = plan.machines[name]
    drawing = _Drawing(plan, machine)
    boxes, arrows = drawing.boxes(), drawing.arrows
    cited = {clause for box in boxes for clause in box.because}
    cited |= {clause for row in machine.transitions for clause in row.because}
    says = {clause.id: clause.says for clause in plan.clauses.values() if clause.id in cited}
    subtitle = f"machine {machine.name}" + (f" · system {plan.name}" if plan.name != machine.name else "")
    return Graph(
        machine.name, machine.title or machine.name, subtitle, machine.about, tuple(boxes), tuple(arrows), says
    )


class _Drawing:
    """One machine taken apart into boxes and arrows."""

    def __init__(self, plan: Plan, machine: Machine) -> None:
        self.plan, self.machine = plan, machine
        self.listed: dict[str, list[Row]] = {state.name: [] for state in machine.states}
        self.starts: list[tuple[str, Box]] = []
        self.arrows: list[Arrow] = []
        self.by_default = _entered_by_default(machine)
        self.draw_start("", machine.default)
        for state in machine.states:
            if state.kind == "composite" and state.default and state.index in self.by_default:
                self.draw_start(state.name, state.default)
        for state in machine.states:
            if state.is_history and state.default:
                self.arrow((state.name,), state.default.targets, self.start_row(state.default))
        self.draw_rows()

    def boxes(self) -> list[Box]:
        """States in document order, each composite followed by its own start."""
        found = [box for parent, box in self.starts if not parent]
        for state in self.machine.states:
            found.append(self.box(state))
            found += [box for parent, box in self.starts if parent == state.name]
        return found

    def box(self, state: State) -> Box:
        parent = self.machine.states[state.parent] if state.parent >= 0 else None
        kind: BoxKind = state.kind
        if kind == "composite" and parent and parent.kind == "parallel":
            kind = "region"
        deeds = [
            *(f"entry / {'; '.join(deed(action) for action in block)}" for block in state.entry),
            *(f"exit / {'; '.join(deed(action) for action in block)}" for block in state.exit),
            *(f"child / {spawn.machine} as {spawn.ref}" for spawn in state.spawns),
        ]
        return Box(
            state.name,
            state.title or state.name,
            kind,
            parent.name if parent else "",
            state.about,
            state.role,
            tuple(deeds),
            tuple(self.listed[state.name]),
            state.because,
        )

    # ---- arrows

    def arrow(self, sources: tuple[str, ...], targets: tuple[int, ...], rows: tuple[Row, ...]) -> None:
        names = tuple(self.machine.states[target].name for target in targets)
        for index, arrow in enumerate(self.arrows):
            if (arrow.sources, arrow.targets) == (sources, names):
                self.arrows[index] = attrs.evolve(arrow, rows=arrow.rows + rows)
                return
        self.arrows.append(Arrow(_between(sources, names), sources, names, rows))

    def draw_start(self, parent: str, entry: tables.Entry) -> None:
        box = Box(f"start of {parent}" if parent else "start", "Start", "start", parent)
        self.starts.append((parent, box))
        self.arrow((box.name,), entry.targets, self.start_row(entry))

    def start_row(self, entry: tables.Entry) -> tuple[Row, ...]:
        return (Row("", (), actions=tuple(map(deed, entry.actions))),) if entry.actions else ()

    def draw_rows(self) -> None:
        """A row with an arrow from each source to each target, except where the two are one, or one stands in the other."""
        grouped: dict[str, list[Transition]] = {}
        for row in self.machine.transitions:
            grouped.setdefault(row.id, []).append(row)
        for rows in grouped.values():
            drawn = [row for row in rows if self.has_arrow(row)]
            if drawn:
                sources = tuple(self.machine.states[row.source].name for row in drawn)
                self.arrow(sources, drawn[0].targets, (self.row(drawn[0]),))
            for row in rows:
                if row not in drawn:
                    self.listed[self.machine.states[row.source].name].append(self.row(row, leads=self.leads(row)))

    def has_arrow(self, row: Transition) -> bool:
        source = self.machine.states[row.source]
        targets = [self.machine.states[target] for target in row.targets]
        return bool(targets) and not any(
            source is target or source.holds(target.index) or target.holds(source.index) for target in targets
        )

    def leads(self, row: Transition) -> str:
        if not row.targets:
            return ""
        if row.targets == (row.source,):
            return "↻ again"
        names = (self.machine.states[target] for target in row.targets)
        return "→ " + " and ".join(state.title or state.name for state in names) + (" (inside)" if row.internal else "")

    def row(self, row: Transition, *, leads: str = "") -> Row:
        timed = row.delay is not None
        if row.delay:
            triggers: tuple[str, ...] = (f"{row.kind} {self.valued(row.delay)}",)
        elif row.kind == "done":
            triggers = tuple(
                "done: " + word.removeprefix("done.state.").removeprefix("done.invoke.") for word in row.descriptors
            )
        else:
            triggers = row.descriptors or ("always",)
        return Row(
            row.id,
            triggers,
            timed,
            str(row.guard) if row.guard else "",
            tuple(map(deed, row.actions)),
            row.refuse,
            leads,
            row.because,
            row.about,
        )

    def valued(self, delay: tables.Computed) -> str:
        """A delay as written, with the value of a constant beside its name."""
        expr = delay.expr
        if isinstance(expr, tree.Literal) and expr.name:
            return f"{expr.name} ({show(expr.value, expr.type)})"
        return str(delay)


def _between(sources: tuple[str, ...], targets: tuple[str, ...]) -> str:
    """The name of an arrow: it stays the same when others come and go. With blanks, as no state has."""
    return f"{' + '.join(sources)} to {' + '.join(targets)}"


def _entered_by_default(machine: Machine) -> set[int]:
    """The composites that something enters without saying which child."""
    found: set[int] = set()

    def enter(index: int) -> None:
        state = machine.states[index]
        if state.kind == "composite" and state.default and index not in found:
            found.add(index)
            reach(state.default.targets)
        elif state.kind == "parallel":
            for child in state.children:
                enter(child)

    def reach(targets: tuple[int, ...]) -> None:
        for target in targets:
            enter(target)
            for above in machine.states[
                target
            ].ancestors:  # the other regions of every parallel state passed on the way
                if machine.states[above].kind == "parallel":
                    for region in machine.states[above].children:
                        if not any(region == other or machine.states[region].holds(other) for other in targets):
                            enter(region)

    reach(machine.default.targets)
    for row in machine.transitions:
        reach(row.targets)
    for state in machine.states:
        if state.is_history and state.default:
            reach(state.default.targets)
    return found


def deed(action: tables.Action, *, payload: bool = False) -> str:
    """An action in a few words; `payload` adds what is sent along."""

    def values(pairs: tables.Payload) -> str:
        return f" ({', '.join(f'{name}: {value}' for name, value in pairs)})" if payload and pairs else ""

    match action:
        case tables.Assign(field=field, value=value):
            return f"{field.name} = {value}"
        case tables.Emit(effect=effect):
            return f"emit {effect}{values(action.payload)}"
        case tables.Raise(event=event):
            return f"raise {event}{values(action.payload)}"
        case tables.Send(event=event, to=to, after=after):
            return f"send {event} to {to or 'self'}" + (f" after {after}" if after else "") + values(action.payload)
        case tables.Cancel(id=name):
            return f"cancel {name}"
        case tables.Spawn(ref=ref, machine=machine):
            return f"spawn {machine}" + (f" as {ref}" if payload else "") + values(action.fields)
        case tables.Stop(ref=ref):
            return f"stop {ref}"
        case tables.If(condition=condition, then=then, otherwise=otherwise):
            text = f"if {condition}: " + "; ".join(deed(each, payload=payload) for each in then)
            return text + (
                ", else: " + "; ".join(deed(each, payload=payload) for each in otherwise) if otherwise else ""
            )


# ---- who signals whom


def wiring_graph(plan: Plan) -> Graph:
    """Actors and machines, and what they say to, see of and make of each other."""
    talk: dict[tuple[str, str], dict[str, dict[str, tuple[str, ...]]]] = {}

    def say(source: str, target: str, verb: str, what: str, because: Iterable[str] = ()) -> None:
        said = talk.setdefault((source, target), {}).setdefault(verb, {})
        said[what] = tuple(dict.fromkeys((*said.get(what, ()), *because)))

    for machine in plan.machines.values():
        for event in machine.events.values():
            for actor in event.by:
                say(f"actor {actor}", machine.name, "", event.name, event.because)
    for machine in plan.machines.values():
        for path, state in machine.watches:
            owner = machine
            for ref in path:
                owner = plan.machines[owner.refs[ref].machine]
            cited = (
                clause for row in machine.transitions if row.hears(".".join((*path, state))) for clause in row.because
            )
            say(owner.name, machine.name, "observed", state, cited)
        for action, because in _deeds(machine):
            match action:
                case tables.Send(event=sent, to=to) if to in machine.refs:
                    say(machine.name, machine.refs[to].machine, "sent", sent, because)
                case tables.Spawn(ref=ref, machine=child):
                    say(machine.name, child, "spawned", ref, because)
    boxes = [Box(f"actor {name}", name, about=about, role="neutral") for name, about in plan.actors.items()]
    boxes = [box for box in boxes if any(source == box.name for source, _ in talk)]
    inner: dict[str, list[Row]] = {name: [] for name in plan.machines}
    arrows = list[Arrow]()
    for (source, target), verbs in talk.items():
        rows = [
            Row(
                "",
                tuple(said),
                leads=verb,
                because=tuple(dict.fromkeys(clause for cited in said.values() for clause in cited)),
            )
            for verb, said in verbs.items()
        ]
        if source == target:
            inner[source] += rows
        else:
            arrows.append(Arrow(_between((source,), (target,)), (source,), (target,), tuple(rows)))
    boxes += [
        Box(
            machine.name,
            machine.title or machine.name,
            about=f"{len([s for s in machine.states if not s.is_history])} states",
            role="live",
            rows=tuple(inner[machine.name]),
        )
        for machine in plan.machines.values()
    ]
    used = {clause for arrow in arrows for row in arrow.rows for clause in row.because}
    says = {clause.id: clause.says for clause in plan.clauses.values() if clause.id in used}
    return Graph("wiring", "Who signals whom", f"system {plan.name}", plan.about, tuple(boxes), tuple(arrows), says)


def _deeds(machine: Machine) -> Iterator[tuple[tables.Action, tuple[str, ...]]]:
    """Every action of a machine with the clauses of the row or state it stands in."""
    for row in machine.transitions:
        yield from ((action, row.because) for action in _flat(row.actions))
    for state in machine.states:
        blocks = (*state.entry, *state.exit, *([state.default.actions] if state.default else []), state.spawns)
        yield from ((action, state.because) for block in blocks for action in _flat(block))
    yield from ((action, ()) for action in _flat(machine.default.actions))


def _flat(block: Iterable[tables.Action]) -> Iterator[tables.Action]:
    for action in block:
        if isinstance(action, tables.If):
            yield from _flat(action.then)
            yield from _flat(action.otherwise)
        else:
            yield action
