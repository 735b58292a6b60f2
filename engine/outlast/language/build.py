"""Records as they were read -> the values of `outlast.model`: one function for each record of the grammar.

What is missing was reported; here it is filled in so that later phases find what they can: a row without an id gets one that
begins with `?`, a row without a source is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast

from outlast import model
from outlast.expr import INT, Expr, tree
from outlast.language.reader import Entries, Found
from outlast.place import Place, Word


def build(found: Found) -> object | None:
    """The value a record stands for, or None if too little of it could be read."""
    return _BUILDERS[found.record.name](found)


def _name(found: Found, key: str = "name") -> Word:
    """The name of a record, or a stand-in that no author can write."""
    return found.word(key) or Word(f"?{found.place.line}:{found.place.column}", found.place)


def _items(found: Found, key: str) -> tuple[object, ...]:
    return cast("tuple[object, ...]", found.values.get(key, ()))


def _values(found: Found, key: str) -> tuple[object, ...]:
    """The values of a table, whose names they carry themselves."""
    return tuple(value for _, value in found.entries(key))


def _assignments(entries: Entries) -> model.Assignments:
    return cast(model.Assignments, entries)


# ---- declarations


def _field(found: Found) -> model.Field:
    type_ = "enum" if "enum" in found.places and "type" not in found.values else found.word("type") or "int"
    bounds = {key: _bound(found, key, type_) for key in ("default", "min", "max", "step")}
    return model.Field(
        _name(found),
        cast('Literal["bool", "int", "duration", "string", "enum"]', str(type_)),
        found.words("enum"),
        bounds["default"],
        found.flag("optional"),
        bounds["min"],
        bounds["max"],
        bounds["step"],
        found.text("about"),
        found.words("because"),
        place=_place(found),
    )


def _bound(found: Found, key: str, type_: str) -> Expr | None:
    """A value of a declaration; a bare number is none for a duration."""
    expr = found.expr(key)
    if type_ == "duration" and isinstance(expr, tree.Literal) and expr.type == INT and expr.place:
        number = expr.value
        hint = f"write `{number}s`, `{number}m`, `{number}h` or `{number}d`"
        found.source.report("unit-missing", f"`{number}` has no unit", expr.place, hint)
        return None
    return expr


def _place(found: Found) -> Place:
    """Where a record begins: at its name if it has one."""
    name = found.word("name")
    return name.place if name is not None and name.place else found.place


def fields(entries: Entries) -> tuple[model.Field, ...]:
    """Declarations, those in short form included."""
    return tuple(
        value
        if isinstance(value, model.Field)
        else model.Field(name, cast('Literal["bool", "int", "duration", "string"]', str(value)), place=name.place)
        for name, value in entries
    )


def refs(entries: Entries) -> tuple[model.Ref, ...]:
    """Refs, those in short form included."""
    return tuple(
        value if isinstance(value, model.Ref) else model.Ref(name, cast(Word, value), place=name.place)
        for name, value in entries
    )


def guards(entries: Entries) -> tuple[model.Guard, ...]:
    """Named guards, those in short form included."""
    return tuple(
        value if isinstance(value, model.Guard) else model.Guard(name, cast(Expr, value), place=name.place)
        for name, value in entries
    )


def _ref(found: Found) -> model.Ref | None:
    machine = found.word("machine")
    if machine is None:
        return None
    return model.Ref(_name(found), machine, found.flag("optional"), found.text("about"), place=_place(found))


def _event(found: Found) -> model.Event:
    return model.Event(
        _name(found),
        fields(found.entries("payload")),
        found.words("by"),
        found.flag("internal"),
        found.text("about"),
        found.words("because"),
        place=_place(found),
    )


def _effect(found: Found) -> model.Effect:
    payload = fields(found.entries("payload"))
    return model.Effect(_name(found), payload, found.text("about"), found.words("because"), place=_place(found))


def _guard(found: Found) -> model.Guard:
    that = found.expr("that") or tree.TRUE
    return model.Guard(_name(found), that, found.text("about"), found.words("because"), place=_place(found))


def _requirement(found: Found) -> model.Requirement:
    that = found.expr("that") or tree.TRUE
    return model.Requirement(_name(found, "id"), that, found.text("says"), found.words("because"), place=found.place)


# ---- actions


def _block(found: Found, key: str) -> model.Block:
    return cast(model.Block, _items(found, key))


def _action(found: Found) -> model.Action | None:
    place = found.place
    for kind in ("set", "emit", "raise", "send", "cancel", "spawn", "stop", "if"):
        value = found.values.get(kind)
        if value is None:
            continue
        match kind:
            case "set":
                return model.Assign(_assignments(cast(Entries, value)), place=place)
            case "emit" | "raise":
                name, payload = said(value)
                return (
                    model.Emit(name, payload, place=place)
                    if kind == "emit"
                    else model.Raise(name, payload, place=place)
                )
            case "spawn":
                return spawns(cast(Entries, value))[0] if value else None
            case "cancel":
                return model.Cancel(cast(Word, value), place=place)
            case "stop":
                return model.Stop(cast(Word, value), place=place)
            case "send":
                return cast(model.Send, value)
            case _:
                return model.If(cast(Expr, value), _block(found, "do"), _block(found, "else"), place=place)
    return None


def said(value: object) -> tuple[Word, model.Assignments]:
    """An event or effect with its payload, if it has one."""
    if isinstance(value, Word):
        return value, ()
    ((name, payload),) = cast(Entries, value) or ((Word("?"), ()),)
    return name, _assignments(cast(Entries, payload))


def spawns(entries: Entries) -> tuple[model.Spawn, ...]:
    """Children to make, those in short form included."""
    return tuple(
        value if isinstance(value, model.Spawn) else model.Spawn(name, cast(Word, value), place=name.place)
        for name, value in entries
    )


def _send(found: Found) -> model.Send | None:
    event = found.word("event")
    if event is None:
        return None
    payload = _assignments(found.entries("with"))
    return model.Send(event, found.word("to"), found.expr("after"), payload, found.word("id"), place=found.place)


def _spawn(found: Found) -> model.Spawn | None:
    machine = found.word("machine")
    if machine is None:
        return None
    their = cast("tuple[tuple[Word, Word], ...]", found.entries("refs"))
    return model.Spawn(_name(found), machine, _assignments(found.entries("with")), their, place=_place(found))


# ---- states and transitions


def _entry(found: Found) -> model.Entry | None:
    targets = found.words("to")
    return model.Entry(targets, _block(found, "do"), place=found.place) if targets else None


def _kind(found: Found) -> model.StateKind:
    if "states" in found.places:
        return "composite"
    if "regions" in found.places:
        return "parallel"
    if found.flag("final"):
        return "final"
    history = found.word("history")
    if history or "history" in found.places:
        return "deep-history" if history == "deep" else "shallow-history"
    return "atomic"


def _state(found: Found) -> model.State:
    kind = _kind(found)
    history = kind.endswith("history")
    children = _values(found, "states") or _values(found, "regions")
    return model.State(
        _name(found),
        kind,
        cast("tuple[model.State, ...]", children),
        found.flag("initial"),
        _entry(found) if history else cast("model.Entry | None", found.values.get("initial-transition")),
        cast("tuple[model.Block, ...]", _items(found, "entry")),
        cast("tuple[model.Block, ...]", _items(found, "exit")),
        spawns(found.entries("spawn")),
        _assignments(found.entries("done-data")),
        "choice" in found.values,
        found.text("title"),
        found.text("about"),
        cast("model.Role | None", found.word("role")),
        found.words("because"),
        place=_place(found),
    )


def _trigger(found: Found) -> model.Trigger:
    if found.words("event"):
        return model.OnEvent(found.words("event"))
    if after := found.expr("after"):
        return model.After(after)
    if within := found.expr("within"):
        return model.Within(within)
    done = found.word("done")
    return model.OnDone(done) if done else None


def _transition(found: Found) -> model.Transition | None:
    if not found.words("from"):
        return None
    return model.Transition(
        _name(found, "id"),
        found.words("from"),
        _trigger(found),
        found.expr("when"),
        found.words("to"),
        found.flag("internal"),
        _block(found, "do"),
        found.text("refuse"),
        found.words("because"),
        found.text("about"),
        place=found.place,
    )


def _machine(found: Found) -> model.Machine:
    return model.Machine(
        _name(found, "machine"),
        found.text("title"),
        found.text("about"),
        fields(found.entries("fields")),
        refs(found.entries("refs")),
        cast("tuple[model.Event, ...]", _values(found, "events")),
        cast("tuple[model.Effect, ...]", _values(found, "effects")),
        guards(found.entries("guards")),
        cast("tuple[model.Requirement, ...]", _items(found, "requires")),
        cast("tuple[model.State, ...]", _values(found, "states")),
        cast("model.Entry | None", found.values.get("initial-transition")),
        cast("tuple[model.Transition, ...]", _items(found, "transitions")),
        "choice" in found.values,
        cast("tuple[tuple[Word, Word], ...]", found.entries("moved")),
        place=found.place,
    )


# ---- systems


def _clause(found: Found) -> model.Clause:
    return model.Clause(
        _name(found, "id"),
        found.text("says"),
        found.text("section"),
        cast("int | None", found.values.get("line")),
        found.text("reason"),
        found.text("reference"),
        place=found.place,
    )


def _actor(found: Found) -> model.Actor:
    return model.Actor(_name(found), found.text("about"))


def _constant(found: Found) -> model.Constant | None:
    value = found.expr("value")
    if value is None:
        return None
    return model.Constant(_name(found), value, found.text("about"), found.words("because"), place=_place(found))


def _assumption(found: Found) -> model.Assumption:
    readings = cast("tuple[tuple[Word, str], ...]", found.entries("readings"))
    default = found.word("default") or (readings[0][0] if readings else Word("?"))
    return model.Assumption(
        _name(found),
        found.text("question"),
        readings,
        default,
        found.text("confidence"),
        found.words("because"),
        place=_place(found),
    )


def _document(found: Found) -> model.Document:
    return model.Document(found.text("title"), found.text("language"), found.text("address"))


def _composition(found: Found) -> model.Composition:
    only = _sayings(found, "only") if "only" in found.values else None
    return model.Composition(
        _name(found),
        cast("tuple[model.Given, ...]", _values(found, "given")),
        only,
        _sayings(found, "also"),
        _assignments(found.entries("constants")),
        found.text("about"),
        place=_place(found),
    )


def _sayings(found: Found, key: str) -> tuple[model.Said, ...]:
    """Events, each with the instance that hears it."""
    events = []
    for entries in cast("tuple[Entries, ...]", _items(found, key)):
        for key_, value in entries:
            event, payload = said(value)
            events.append(model.Said(*_instance(key_), event, payload, place=key_.place))
    return tuple(events)


def _property(found: Found) -> model.Property | None:
    machine = found.word("of")
    kind = next((kind for kind in _CLAIMS if kind in found.values), None)
    if machine is None or kind is None:
        return None
    timed = kind == "never-longer-than"
    that = found.expr("while" if timed else kind)
    since = found.expr("from")
    bound = found.expr(kind if timed else "within")
    if that is None or (kind == "leads-to" and (since is None or bound is None)):
        return None
    return model.Property(
        _name(found, "id"),
        machine,
        kind,
        that,
        since,
        found.expr("upon"),
        bound,
        found.text("says"),
        found.words("in"),
        found.words("because"),
        place=found.place,
    )


def _system(found: Found) -> model.System:
    """Without its machines, and without clauses that are in another file."""
    clauses = found.values.get("clauses", ())
    return model.System(
        _name(found, "system"),
        found.text("title"),
        found.text("about"),
        cast("model.Document | None", found.values.get("document")),
        (),
        () if isinstance(clauses, Word) else cast("tuple[model.Clause, ...]", clauses),
        cast("tuple[model.Actor, ...]", _values(found, "actors")),
        cast("tuple[model.Constant, ...]", _values(found, "constants")),
        cast("tuple[model.Assumption, ...]", _values(found, "assumptions")),
        cast("tuple[model.Composition, ...]", _values(found, "compositions")),
        cast("tuple[model.Property, ...]", _items(found, "properties")),
        place=found.place,
    )


# ---- scenarios


def _instance(key: Word) -> tuple[Word, Word]:
    """The machine and the name in `job train`."""
    machine, name = key.split(" ")
    place = key.place
    return Word(machine, place), Word(name, place.shifted(len(machine) + 1) if place else None)


def _given(found: Found) -> model.Given:
    machine, name = _instance(found.word("name") or Word("? ?", found.place))
    values = _assignments(found.others)
    return model.Given(machine, name, found.word("state"), values, place=_place(found))


def _at(found: Found) -> int:
    return cast(int, found.values.get("at", 0))


def _under(found: Found) -> model.Readings:
    return cast(model.Readings, found.entries("under"))


def _step(found: Found) -> model.Say | model.Happen | model.Make | None:
    if "new" in found.places:
        if not found.entries("new"):
            return None
        return model.Make(_at(found), cast(model.Given, found.entries("new")[0][1]), _under(found), place=found.place)
    if "happen" in found.places:
        if not found.entries("happen"):
            return None
        ((key, row),) = found.entries("happen")
        return model.Happen(_at(found), *_instance(key), cast(Word, row), _under(found), place=found.place)
    if not found.others:
        if "others" not in found.places:
            text = "a step says an event to an instance, or makes a `new` one"
            found.source.report("missing-instance", text, found.place, "`job train: start`")
        return None
    ((key, value),) = found.others
    machine, name = _instance(key)
    event, payload = said(value)
    refused = "expect" in found.values
    by = found.word("by")
    return model.Say(_at(found), machine, name, event, payload, by, refused, _under(found), place=found.place)


def _expectation(found: Found) -> tuple[model.Expectation, ...]:
    """One for each instance, and one for the effects."""
    at, under = _at(found), _under(found)
    expectations = []
    for key, value in found.others:
        machine, name = _instance(key)
        if isinstance(value, Word):
            expectation = model.Expectation(at, machine, name, (value,), under=under, place=key.place)
        else:
            states, values, deadlines = cast("tuple[tuple[Word, ...], model.Assignments, Entries | None]", value)
            times = cast("tuple[tuple[Word, int], ...] | None", deadlines)
            expectation = model.Expectation(at, machine, name, states, values, times, under=under, place=key.place)
        expectations.append(expectation)
    if "effects" in found.values:
        effects = cast("tuple[Word, ...]", _items(found, "effects"))
        expectations.append(model.Expectation(at, effects=effects, under=under, place=found.places["effects"]))
    if not {"others", "effects"} & found.places.keys():
        found.source.report(
            "missing-instance", "an expectation says something of an instance, or of `effects`", found.place
        )
    return tuple(expectations)


def _seen(found: Found) -> tuple[tuple[Word, ...], model.Assignments, Entries | None]:
    deadlines = found.entries("deadlines") if "deadlines" in found.values else None
    return found.words("state"), _assignments(found.others), deadlines


def _scenario(found: Found) -> model.Scenario:
    expectations = cast("tuple[tuple[model.Expectation, ...], ...]", _items(found, "expect"))
    return model.Scenario(
        _name(found, "scenario"),
        found.text("title"),
        found.text("about"),
        found.word("system"),
        _assignments(found.entries("constants")),
        cast("tuple[model.Given, ...]", _values(found, "given")),
        cast("tuple[model.Say | model.Happen | model.Make, ...]", _items(found, "steps")),
        tuple(expectation for several in expectations for expectation in several),
        place=found.place,
    )


_CLAIMS: tuple[model.PropertyKind, ...] = (
    "never",
    "always",
    "never-longer-than",
    "leads-to",
    "reachable",
    "can-always",
)
_BUILDERS: dict[str, Callable[[Found], object | None]] = {
    "machine": _machine,
    "field": _field,
    "ref": _ref,
    "event": _event,
    "effect": _effect,
    "guard": _guard,
    "requirement": _requirement,
    "state": _state,
    "entry": _entry,
    "transition": _transition,
    "action": _action,
    "send": _send,
    "spawn": _spawn,
    "system": _system,
    "document": _document,
    "clause": _clause,
    "actor": _actor,
    "constant": _constant,
    "assumption": _assumption,
    "composition": _composition,
    "property": _property,
    "scenario": _scenario,
    "given": _given,
    "step": _step,
    "expectation": _expectation,
    "seen": _seen,
}
