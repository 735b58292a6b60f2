"""The values of `outlast.model` -> nodes, as an author would have written them: the short form where there is one, braces around rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from outlast import model
from outlast.errors import MisuseError
from outlast.expr import Expr, render, tree
from outlast.language.nodes import Mapping, Node, Scalar, Sequence
from outlast.moments import format_duration
from outlast.place import Place

_NOWHERE = Place("", 1, 1)
_WRITTEN = (
    tree.Literal,
    tree.Name,
    tree.Is,
    tree.Present,
    tree.Not,
    tree.All,
    tree.Any,
    tree.Compare,
    tree.Among,
    tree.Arithmetic,
)
Data: TypeAlias = "Node | str | bool | int | tuple[str, ...] | None"
"""What a key may be given: absent (None, an empty text, an empty list, False) or something to write."""


def _text(text: str) -> Scalar:
    return Scalar(str(text), False, _NOWHERE, (0, 0), "")


def _bare(text: str) -> Scalar:
    return Scalar(text, True, _NOWHERE, (0, 0), "")


def _node(data: Data) -> Node:
    match data:
        case bool():
            return _bare("true" if data else "false")
        case int():
            return _bare(str(data))
        case str():
            return _text(data)
        case (one,):
            return _text(one)
        case tuple():
            return _list(map(_text, data))
        case None:
            raise AssertionError
        case _:
            return data


def _list(items: Iterable[Node], *, flow: bool = True) -> Sequence:
    return Sequence(tuple(items), _NOWHERE, flow)


def _map(pairs: Iterable[tuple[str, Data]], *, flow: bool = True) -> Mapping:
    """A mapping of these keys, those without anything to say left out."""
    said = (
        (key, data)
        for key, data in pairs
        if data is not None and data is not False and not (isinstance(data, str | tuple) and not data)
    )
    return Mapping(tuple((_text(key), _node(data)) for key, data in said), _NOWHERE, flow)


def _table(pairs: Iterable[tuple[str, Node]]) -> Mapping | None:
    """A section, one name to a line; nothing if it is empty."""
    entries = tuple((_text(name), node) for name, node in pairs)
    return Mapping(entries, _NOWHERE, flow=False) if entries else None


def _rows(items: Iterable[Node]) -> Sequence | None:
    rows = tuple(items)
    return Sequence(rows, _NOWHERE, flow=False) if rows else None


def _sayable(what: str, *, said: bool) -> None:
    """Raise MisuseError for what only a translator from another language can have made."""
    if not said:
        raise MisuseError(f"{what} cannot be said in a specification")


def _expr(expr: Expr | None) -> Node | None:
    """An expression as text; numbers and truth values as what they are."""
    if expr is not None:
        _sayable("what the run itself knows", said=all(isinstance(part, _WRITTEN) for part in tree.walk(expr)))
    match expr:
        case None:
            return None
        case (
            tree.Literal(value=bool() as value, name=None)
            | tree.Literal(value=int() as value, type=tree.INT, name=None)
        ):
            return _node(value)
        case _:
            return _text(render(expr))


def _condition(expr: Expr | None) -> Node | None:
    """A guard as text; a number, which is none, stays in quotes."""
    node = _expr(expr)
    return _text(node.text) if isinstance(node, Scalar) and node.kind == "int" else node


def _values(assignments: model.Assignments) -> Mapping | None:
    return _map((name, _expr(expr)) for name, expr in assignments) if assignments else None


# ---- declarations


def _field(field: model.Field) -> Node:
    _sayable("a field of any type", said=field.type != "any")
    pairs: list[tuple[str, Data]] = [
        ("type", None if field.type == "enum" else field.type),
        ("enum", _list(map(_text, field.words)) if field.type == "enum" else None),
        ("default", _expr(field.default)),
        ("optional", field.optional),
        ("min", _expr(field.minimum)),
        ("max", _expr(field.maximum)),
        ("step", _expr(field.step)),
        ("about", field.about),
        ("because", field.because),
    ]
    return _short(_map(pairs), "type")


def _short(mapping: Mapping, key: str) -> Node:
    """The value of `key` if there is no other."""
    match mapping.pairs:
        case ((Scalar(text=text), value),) if text == key:
            return value
        case _:
            return mapping


def _payload(fields: tuple[model.Field, ...]) -> Mapping | None:
    return _map((field.name, _field(field)) for field in fields) if fields else None


def _ref(ref: model.Ref) -> Node:
    return _short(_map([("machine", ref.machine), ("optional", ref.optional), ("about", ref.about)]), "machine")


def _event(event: model.Event) -> Mapping:
    return _map(
        [
            ("payload", _payload(event.payload)),
            ("by", event.by),
            ("internal", event.internal),
            ("about", event.about),
            ("because", event.because),
        ]
    )


def _effect(effect: model.Effect) -> Mapping:
    return _map([("payload", _payload(effect.payload)), ("about", effect.about), ("because", effect.because)])


def _guard(guard: model.Guard) -> Node:
    return _short(_map([("that", _condition(guard.that)), ("about", guard.about), ("because", guard.because)]), "that")


def _requirement(need: model.Requirement) -> Mapping:
    return _map([("id", need.id), ("that", _condition(need.that)), ("says", need.says), ("because", need.because)])


# ---- actions


def _actions(block: model.Block) -> Sequence | None:
    return _list(map(_action, block)) if block else None


def _blocks(blocks: tuple[model.Block, ...]) -> Sequence | None:
    """One block as a list of actions, several as a list of lists."""
    if len(blocks) < 2:
        return _actions(blocks[0]) if blocks else None
    return _list((_list(map(_action, block)) for block in blocks), flow=False)


def _said(name: str, payload: model.Assignments) -> Node:
    return _map([(name, _values(payload))]) if payload else _text(name)


def _action(action: model.Action) -> Mapping:
    match action:
        case model.Assign(values=values):
            return _map([("set", _values(values))])
        case model.Emit(effect=effect, payload=payload):
            return _map([("emit", _said(effect, payload))])
        case model.Raise(event=event, payload=payload):
            return _map([("raise", _said(event, payload))])
        case model.Send():
            _sayable("an address that is a value", said=action.address is None)
            return _map(
                [
                    (
                        "send",
                        _map(
                            [
                                ("event", action.event),
                                ("to", action.to),
                                ("after", _expr(action.after)),
                                ("with", _values(action.payload)),
                                ("id", action.id),
                            ]
                        ),
                    )
                ]
            )
        case model.Cancel(id=name):
            return _map([("cancel", name)])
        case model.Spawn():
            return _map([("spawn", _map([(action.ref, _spawn(action))]))])
        case model.Stop(ref=ref):
            return _map([("stop", ref)])
        case model.If():
            then = _list(map(_action, action.then))
            return _map([("if", _condition(action.condition)), ("do", then), ("else", _actions(action.otherwise))])


def _spawn(spawn: model.Spawn) -> Node:
    _sayable("a child that hears its parent's events", said=not (spawn.forward or spawn.finalize))
    refs = _map((theirs, mine) for theirs, mine in spawn.refs) if spawn.refs else None
    return _short(_map([("machine", spawn.machine), ("with", _values(spawn.fields)), ("refs", refs)]), "machine")


# ---- states and transitions


def _entry(entry: model.Entry | None) -> Mapping | None:
    return _map([("to", entry.targets), ("do", _actions(entry.actions))]) if entry else None


def _state(state: model.State) -> Mapping:
    history = state.kind.removesuffix("-history") if state.kind.endswith("-history") else None
    children = _table((child.name, _state(child)) for child in state.children)
    pairs: list[tuple[str, Data]] = [
        ("initial", state.initial),
        ("role", state.role),
        ("title", state.title),
        ("about", state.about),
        ("because", state.because),
        ("final", state.kind == "final"),
        ("done-data", _values(state.done_data)),
        ("history", history),
        ("to", state.default.targets if history and state.default else None),
        ("do", _actions(state.default.actions) if history and state.default else None),
        ("choice", "first" if state.first_choice else None),
        ("spawn", _map((spawn.ref, _spawn(spawn)) for spawn in state.spawns) if state.spawns else None),
        ("entry", _blocks(state.entry)),
        ("exit", _blocks(state.exit)),
        ("initial-transition", None if history else _entry(state.default)),
        ("states", children if state.kind == "composite" else None),
        ("regions", children if state.kind == "parallel" else None),
    ]
    return _map(pairs, flow=not (state.children or len(state.entry) > 1 or len(state.exit) > 1))


def _transition(row: model.Transition) -> Mapping:
    match row.trigger:
        case model.OnEvent(descriptors=descriptors):
            trigger: tuple[str, Data] = ("event", descriptors)
        case model.After(delay=delay):
            trigger = ("after", _expr(delay))
        case model.Within(bound=bound):
            trigger = ("within", _expr(bound))
        case model.OnDone(name=name):
            trigger = ("done", name)
        case _:
            trigger = ("event", None)
    return _map(
        [
            ("id", row.id),
            ("from", row.sources),
            trigger,
            ("when", _condition(row.guard)),
            ("to", row.targets),
            ("internal", row.internal),
            ("refuse", row.refuse),
            ("do", _actions(row.actions)),
            ("about", row.about),
            ("because", row.because),
        ]
    )


def machine(machine: model.Machine) -> Mapping:
    """The node of a machine file."""
    pairs: list[tuple[str, Data]] = [
        ("machine", machine.name),
        ("title", machine.title),
        ("about", machine.about),
        ("fields", _table((field.name, _field(field)) for field in machine.fields)),
        ("refs", _table((ref.name, _ref(ref)) for ref in machine.refs)),
        ("events", _table((event.name, _event(event)) for event in machine.events)),
        ("effects", _table((effect.name, _effect(effect)) for effect in machine.effects)),
        ("guards", _table((guard.name, _guard(guard)) for guard in machine.guards)),
        ("requires", _rows(map(_requirement, machine.requires))),
        ("states", _table((state.name, _state(state)) for state in machine.states)),
        ("initial-transition", _entry(machine.default)),
        ("transitions", _rows(map(_transition, machine.transitions))),
        ("choice", "first" if machine.first_choice else None),
        ("moved", _table((old, _text(new)) for old, new in machine.moved)),
    ]
    return _map(pairs, flow=False)


# ---- systems


def clauses(found: tuple[model.Clause, ...]) -> Sequence:
    """The node of a file of clauses."""
    rows = (
        _map(
            [
                ("id", clause.id),
                ("section", clause.section),
                ("line", clause.line),
                ("says", clause.says),
                ("reason", clause.reason),
                ("reference", clause.reference),
            ]
        )
        for clause in found
    )
    return _list(rows, flow=False)


def _assumption(doubt: model.Assumption) -> Mapping:
    return _map(
        [
            ("question", doubt.question),
            ("readings", _table((name, _text(words)) for name, words in doubt.readings)),
            ("default", doubt.default),
            ("confidence", doubt.confidence),
            ("because", doubt.because),
        ],
        flow=False,
    )


def _composition(composition: model.Composition) -> Mapping:
    only = composition.only
    return _map(
        [
            ("about", composition.about),
            ("constants", _values(composition.constants)),
            ("given", _instances(composition.given) or _map(())),
            ("only", None if only is None else _list(map(_saying, only), flow=not only)),
            ("also", _rows(map(_saying, composition.also))),
        ],
        flow=False,
    )


def _saying(said: model.Said) -> Mapping:
    return _map([(f"{said.machine} {said.name}", _said(said.event, said.payload))])


def _property(claim: model.Property) -> Mapping:
    timed = claim.kind == "never-longer-than"
    return _map(
        [
            ("id", claim.id),
            ("of", claim.machine),
            ("from", _condition(claim.since)),
            ("upon", _condition(claim.upon)),
            ("while", _condition(claim.that) if timed else None),
            (claim.kind, _expr(claim.bound) if timed else _condition(claim.that)),
            ("within", None if timed else _expr(claim.bound)),
            ("in", claim.compositions),
            ("says", claim.says),
            ("because", claim.because),
        ]
    )


def system(system: model.System, clauses_file: str) -> Mapping:
    """The node of a system.yaml, whose clauses are in `clauses_file`."""
    document = system.document
    constants = (
        (item.name, _map([("value", _expr(item.value)), ("about", item.about), ("because", item.because)]))
        for item in system.constants
    )
    pairs: list[tuple[str, Data]] = [
        ("system", system.name),
        ("title", system.title),
        ("about", system.about),
        (
            "document",
            _map([("title", document.title), ("language", document.language), ("address", document.address)])
            if document
            else None,
        ),
        ("machines", _list(_text(machine.name) for machine in system.machines)),
        ("clauses", clauses_file if system.clauses else None),
        ("actors", _table((actor.name, _map([("about", actor.about)])) for actor in system.actors)),
        ("constants", _table(constants)),
        ("assumptions", _table((doubt.id, _assumption(doubt)) for doubt in system.assumptions)),
        ("compositions", _table((item.name, _composition(item)) for item in system.compositions)),
        ("properties", _rows(map(_property, system.properties))),
    ]
    return _map(pairs, flow=False)


# ---- scenarios


def _given(given: model.Given) -> Mapping:
    return _map([("state", given.state), *((name, _expr(value)) for name, value in given.values)])


def _under(readings: model.Readings) -> Mapping | None:
    return _map(readings) if readings else None


def _instances(given: tuple[model.Given, ...]) -> Mapping | None:
    return _table((f"{one.machine} {one.name}", _given(one)) for one in given)


def _step(step: model.Say | model.Happen | model.Make) -> Mapping:
    at, under = format_duration(step.at), _under(step.under)
    if isinstance(step, model.Happen):
        return _map([("at", at), ("under", under), ("happen", _map([(f"{step.machine} {step.name}", step.row)]))])
    if isinstance(step, model.Make):
        new = _map([(f"{step.given.machine} {step.given.name}", _given(step.given))])
        return _map([("at", at), ("under", under), ("new", new)])
    said = _said(step.event, step.payload)
    refused = "refused" if step.refused else None
    return _map(
        [("at", at), ("under", under), (f"{step.machine} {step.name}", said), ("by", step.by), ("expect", refused)]
    )


def _expectations(expected: tuple[model.Expectation, ...]) -> Iterator[Mapping]:
    """One row for what is expected at one instant under the same readings, as far as it can be told in one."""
    row: dict[str, Data] = {}
    now: tuple[int, model.Readings] | None = None
    for one in expected:
        key = f"{one.machine} {one.name}" if one.machine else "effects"
        if now != (one.at, one.under) or key in row or "effects" in row:
            if row:
                yield _map(row.items())
            now = (one.at, one.under)
            row = {"at": format_duration(one.at), "under": _under(one.under)}
        if one.machine:
            row[key] = _seen(one)
        if one.effects is not None:
            row["effects"] = _list(map(_text, one.effects))
    if row:
        yield _map(row.items())


def _seen(one: model.Expectation) -> Node:
    deadlines = None
    if one.deadlines is not None:
        deadlines = _map((name, format_duration(at)) for name, at in one.deadlines)
    seen = _map(
        [("state", one.states), *((name, _expr(value)) for name, value in one.values), ("deadlines", deadlines)]
    )
    return _short(seen, "state") if len(one.states) == 1 else seen


def scenario(story: model.Scenario) -> Mapping:
    """The node of a scenario file."""
    pairs: list[tuple[str, Data]] = [
        ("scenario", story.name),
        ("title", story.title),
        ("about", story.about),
        ("system", story.system),
        ("constants", _values(story.constants)),
        ("given", _instances(story.given)),
        ("steps", _rows(map(_step, story.steps))),
        ("expect", _rows(_expectations(story.expect))),
    ]
    return _map(pairs, flow=False)
