"""Systems, machines and their parts: what it is, its words, who cites it, what happens there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from outlast.cli.render.problems import near
from outlast.cli.render.words import (
    action_text,
    block_text,
    cited,
    clause_lines,
    columns,
    counted,
    coverage_text,
    field_text,
    heading,
    indented,
    joined,
    pairs,
)
from outlast.cli.subjects import Rows, Subject
from outlast.expr import render, show, tree
from outlast.plan import Citation, Machine, Plan, State, Transition, citations, tables


def subject(plan: Plan, item: Subject) -> Group:
    """Everything there is to say about one thing."""
    head = Text.assemble((item.full, "title"), (f"  {item.kind} of {plan.name}", "quiet"))
    return Group(head, *_body(plan, item))


def _body(plan: Plan, item: Subject) -> Iterator[RenderableType]:
    machine = plan.machines.get(item.machine or "")
    match item.thing:
        case Machine():
            yield from _machine(item.thing)
        case State():
            assert machine
            yield from _state(plan, machine, item.thing)
        case tuple():
            assert machine
            yield from _transition(plan, machine, item.thing)
        case tables.Clause():
            yield from _clause(plan, item.thing)
        case tables.Assumption():
            yield from _assumption(plan, item.thing)
        case tables.Event():
            assert machine
            yield from _event(plan, machine, item.thing)
        case tables.Effect():
            yield from _prose(item.thing.about)
            yield from _payload(item.thing.payload.values())
            yield from _because(plan, item.thing.because)
        case tables.Field():
            yield from _prose(item.thing.about)
            yield Text(field_text(item.thing))
            yield from _because(plan, item.thing.because)
        case tables.Ref():
            yield from _prose(item.thing.about)
            yield Text(f"leads to a {item.thing.machine}" + (", or nowhere" if item.thing.optional else ""))
        case tables.Requirement():
            yield Text(item.thing.says)
            yield Text(str(item.thing.that), style="event")
            yield from _because(plan, item.thing.because)
        case tables.Property():
            yield Text(item.thing.says)
            yield Text.assemble("for each ", (item.thing.machine, "name"), ": ", (item.thing.claim, "event"))
            yield from _because(plan, item.thing.because)
        case tables.Computed():
            yield from _computed(plan, item)
        case str():
            yield from _prose(item.thing)
            yield from _said_by(plan, item.name)


# ---- the whole system


def overview(plan: Plan, scenarios: Iterable[str]) -> Group:
    """What a system is about, its machines, its open questions, and where to look next."""
    head = Text.assemble((plan.title or plan.name, "title"), (f"  {plan.name}" if plan.title else "", "quiet"))
    parts: list[RenderableType] = [head, *_prose(plan.about)]
    if plan.document:
        address = f", {plan.document.address}" if plan.document.address else ""
        parts.append(Text(f"after: {plan.document.title}{address}", style="quiet"))
    parts += [Text(), heading("Machines"), indented(_machines(plan))]
    if plan.assumptions:
        parts += [Text(), heading("Where the document can be read in several ways"), indented(_assumptions(plan))]
    if plan.clauses:
        parts += [Text(), heading("Clauses"), indented(Text(coverage_text(plan)))]
    stories = list(scenarios)
    if stories:
        parts += [Text(), heading("Scenarios"), indented(Text(", ".join(stories)))]
    return Group(*parts)


def _machines(plan: Plan) -> Table:
    grid = columns(widths=(None, None, None))
    for machine in plan.machines.values():
        timers = sum(row.delay is not None for row in machine.transitions)
        rows = len({row.id for row in machine.transitions})
        counts = [
            counted(len(machine.states), "state"),
            counted(rows, "row"),
            *([counted(timers, "timer")] if timers else []),
        ]
        size = Text(", ".join(counts), style="quiet", no_wrap=True)
        grid.add_row(Text(machine.name, style="name", no_wrap=True), size, Text(machine.title))
    return grid


def _assumptions(plan: Plan) -> Table:
    grid = columns(widths=(None, None))
    for item in plan.assumptions.values():
        words = (
            Text(f"{name} (the default)" if name == item.default else name, style="state") for name in item.readings
        )
        grid.add_row(Text(item.id, style="name", no_wrap=True), Group(Text(item.question), joined(", ", words)))
    return grid


# ---- machines


def _machine(machine: Machine) -> Iterator[RenderableType]:
    yield from _prose(machine.title)
    yield from _prose(machine.about)
    declared: list[tuple[str, list[tuple[str, RenderableType]]]] = [
        ("Fields", [(field.name, _described(field_text(field), field.about)) for field in machine.fields.values()]),
        ("Refs", [(ref.name, _described(ref.machine, ref.about)) for ref in machine.refs.values()]),
        ("Events", [(event.name, _event_words(event)) for event in machine.events.values()]),
        (
            "Effects",
            [
                (effect.name, _described(_signature(effect.payload.values()), effect.about))
                for effect in machine.effects.values()
            ],
        ),
        ("Guards", [(name, Text(str(guard), style="event")) for name, guard in machine.guards.items()]),
    ]
    for title, entries in declared:
        if entries:
            yield from (Text(), heading(title), indented(pairs(entries)))
    yield from (Text(), heading("States"), indented(_tree(machine)))
    yield from (Text(), heading("Rows"), indented(_rows(machine, machine.transitions)))


def _tree(machine: Machine) -> Table:
    grid = columns(widths=(None, None))
    for state in machine.states:
        name = Text("  " * len(state.ancestors)).append(state.name, style="state")
        name.no_wrap = True
        kind = "" if state.kind == "atomic" else state.kind.replace("-", " ")
        grid.add_row(name, _described(kind, state.title or state.about))
    return grid


def _rows(machine: Machine, rows: Iterable[Transition]) -> Table:
    """Rows of one id together: what starts them, where they lead, and who says so."""
    same: dict[str, list[Transition]] = {}
    for row in rows:
        same.setdefault(row.id, []).append(row)
    grid = columns(widths=(None, None, 18))
    for id_, group in same.items():
        grid.add_row(Text(id_, style="name", no_wrap=True), _row(machine, group), cited(group[0].because))
    return grid


def _row(machine: Machine, rows: Sequence[Transition]) -> Text:
    """`start: pending → running-background`, then its guard and its actions, one to a line."""
    row = rows[0]
    sources = ", ".join(machine.states[item.source].name for item in rows)
    words = _trigger(row).append(": ", "quiet")
    words.append("" if row.targets else "stays in ", "quiet").append(sources, "state")
    if row.targets:
        targets = " + ".join(machine.states[target].name for target in row.targets)
        words.append(" → ", "quiet").append(targets, "state")
    if row.guard:
        words.append(f"\nwhen {row.guard}", style="quiet")
    if row.refuse:
        words.append("\nrefuses: ", style="bad").append(row.refuse)
    if row.actions:
        words.append(f"\ndo {block_text(row.actions)}", style="quiet")
    return words


def _trigger(row: Transition) -> Text:
    if row.kind == "eventless":
        return Text("at once", style="quiet")
    return Text(row.trigger, style="timer" if row.delay else "event")


# ---- parts of machines


def _state(plan: Plan, machine: Machine, state: State) -> Iterator[RenderableType]:
    if state.ancestors:
        above = " › ".join(machine.states[index].name for index in reversed(state.ancestors))
        yield Text(f"in {above}", style="quiet")
    yield from _prose(state.title)
    yield from _prose(state.about)
    facts: list[tuple[str, RenderableType]] = []
    if state.kind != "atomic":
        facts.append(("kind", Text(state.kind.replace("-", " "))))
    if state.children:
        facts.append(("inside", Text(", ".join(machine.states[index].name for index in state.children))))
    for label, blocks in (("on entry", state.entry), ("on exit", state.exit)):
        facts += [(label, Text(block_text(block))) for block in blocks]
    facts += [("while active", Text(action_text(spawn))) for spawn in state.spawns]
    if facts:
        yield from (Text(), indented(pairs(facts)))
    family = (state.index, *state.ancestors)
    groups = [
        ("Leads here", [row for row in machine.transitions if state.index in row.targets]),
        ("Leads away", [row for row in machine.transitions if row.source == state.index and row.targets]),
        ("Stays here", [row for row in machine.transitions if row.source == state.index and not row.targets]),
        ("From the states around it", [row for row in machine.transitions if row.source in family[1:]]),
    ]
    for title, rows in groups:
        if rows:
            yield from (Text(), heading(title), indented(_rows(machine, rows)))
    yield from _because(plan, state.because)


def _transition(plan: Plan, machine: Machine, rows: Rows) -> Iterator[RenderableType]:
    yield from _prose(rows[0].about)
    yield _row(machine, rows)
    row = rows[0]
    nodes = tree.walk(row.guard.expr) if row.guard else ()
    named: dict[str, RenderableType] = {
        node.name: Text(render(node.body), style="event") for node in nodes if isinstance(node, tree.Named)
    }
    if named:
        yield from (Text(), heading("Where"), indented(pairs(named.items())))
    yield from _because(plan, row.because)
    if row.place:
        yield from (Text(), Text(near(row.place), style="quiet"))


def _event(plan: Plan, machine: Machine, event: tables.Event) -> Iterator[RenderableType]:
    yield from _prose(event.about)
    yield from _payload(event.payload.values())
    if event.by:
        yield Text(f"may be sent by {', '.join(event.by)}")
    if event.internal:
        yield Text("not from outside")
    rows = [row for row in machine.transitions if row.descriptors and row.hears(event.name)]
    if rows:
        yield from (Text(), heading("Heard by"), indented(_rows(machine, rows)))
    yield from _because(plan, event.because)


def _computed(plan: Plan, item: Subject) -> Iterator[RenderableType]:
    """A named guard or a constant."""
    assert isinstance(item.thing, tables.Computed)
    expr = item.thing.expr
    yield Text(show(expr.value, expr.type) if isinstance(expr, tree.Literal) else render(expr), style="event")
    mine = (item.kind, item.machine, item.name)
    yield from _because(
        plan,
        [
            clause
            for clause, found in citations(plan).items()
            if mine in {(citation.kind, citation.machine, citation.name) for citation in found}
        ],
    )


# ---- parts of systems


def _clause(plan: Plan, clause: tables.Clause) -> Iterator[RenderableType]:
    where = ", ".join(
        [*([clause.section] if clause.section else []), *([f"line {clause.line}"] if clause.line else [])]
    )
    if where:
        yield Text(where, style="quiet")
    yield Text(clause.says)
    if clause.reason:
        yield from (Text(), Text.assemble(("inferred: ", "doubt"), clause.reason))
    if clause.reference:
        yield from (Text(), Text.assemble(("nothing follows from it: ", "doubt"), clause.reference))
    found = citations(plan).get(clause.id, ())
    if found:
        yield from (Text(), heading("Cited by"), indented(_citations(plan, found)))
    elif not clause.reference:
        yield from (Text(), Text("nothing cites it", style="bad"))


def _citations(plan: Plan, found: Sequence[Citation]) -> Table:
    grid = columns(widths=(None, None, None))
    for citation in found:
        machine = plan.machines.get(citation.machine or "")
        rows = [row for row in machine.transitions if row.id == citation.name] if machine else []
        words = _row(machine, rows) if machine and rows and citation.kind == "transition" else Text()
        name = f"{citation.machine}:{citation.name}" if citation.machine else citation.name
        grid.add_row(Text(citation.kind, style="quiet", no_wrap=True), Text(name, style="name", overflow="fold"), words)
    return grid


def _assumption(plan: Plan, item: tables.Assumption) -> Iterator[RenderableType]:
    yield Text(item.question)
    yield Text()
    grid = columns(widths=(None, None))
    for name, words in item.readings.items():
        usual = " (the default)" if name == item.default else ""
        grid.add_row(Text(name, style="state", no_wrap=True), Text(words).append(usual, style="quiet"))
    yield indented(grid)
    if item.confidence:
        yield from (Text(), Text.assemble(("confidence in the default: ", "quiet"), item.confidence))
    asking = [f"{machine.name}:{name}" for machine in plan.machines.values() for name in _asking(machine, item.id)]
    if asking:
        yield from (Text(), Text.assemble(("asked by ", "quiet"), ", ".join(asking)))
    yield from _because(plan, item.because)


def _asking(machine: Machine, assumption: str) -> Iterator[str]:
    """The rows and states of a machine that ask how an assumption is read, each once."""
    places = [(row.id, [*_guards((row.actions,)), *([row.guard] if row.guard else [])]) for row in machine.transitions]
    places += [(state.name, list(_guards((*state.entry, *state.exit)))) for state in machine.states]
    yield from dict.fromkeys(name for name, guards in places if any(_reads(guard, assumption) for guard in guards))


def _guards(blocks: Iterable[tables.Block]) -> Iterator[tables.Computed]:
    for action in (action for block in blocks for action in block):
        if isinstance(action, tables.If):
            yield action.condition
            yield from _guards((action.then, action.otherwise))


def _reads(guard: tables.Computed, assumption: str) -> bool:
    return any(isinstance(node, tree.Reading) and node.assumption == assumption for node in tree.walk(guard.expr))


def _said_by(plan: Plan, actor: str) -> Iterator[RenderableType]:
    events = [
        f"{machine.name}:{event.name}"
        for machine in plan.machines.values()
        for event in machine.events.values()
        if actor in event.by
    ]
    if events:
        yield Text.assemble(("may send ", "quiet"), ", ".join(events))


# ---- small parts


def _prose(text: str) -> Iterator[RenderableType]:
    if text:
        yield Text(text.strip())


def _because(plan: Plan, ids: Sequence[str]) -> Iterator[RenderableType]:
    if ids:
        yield from (Text(), heading("Because"), indented(clause_lines(plan, ids)))


def _payload(fields: Iterable[tables.Field]) -> Iterator[RenderableType]:
    entries: list[tuple[str, RenderableType]] = [
        (field.name, _described(field_text(field), field.about)) for field in fields
    ]
    if entries:
        yield indented(pairs(entries))


def _described(facts: str, about: str) -> Text:
    return Text(facts).append("  " if facts and about else "").append(about, style="quiet")


def _event_words(event: tables.Event) -> Text:
    parts = [
        _signature(event.payload.values()),
        f"by {', '.join(event.by)}" if event.by else "",
        "internal" if event.internal else "",
    ]
    return _described(" ".join(filter(None, parts)), event.about)


def _signature(fields: Iterable[tables.Field]) -> str:
    parts = [f"{field.name}: {field.type.kind}" for field in fields]
    return f"{{{', '.join(parts)}}}" if parts else ""
