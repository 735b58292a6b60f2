"""The inside of one machine: states, transitions and actions, resolved against the headers of all machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs

from outlast import model
from outlast.errors import did_you_mean, listed
from outlast.expr import BOOL, DURATION, STRING, Expr, Target, Type, may_be_absent, render, resolve, resolve_as, tree
from outlast.expr.tree import Path
from outlast.place import Place, Word, place_of
from outlast.plan import tables
from outlast.plan.fields import fields_of
from outlast.plan.scope import Header, MachineScope, World
from outlast.plan.states import clash, default_child, flatten

_BROKEN = tables.Computed(tree.TRUE)
_STANDARD = ("error", "done")


@attrs.define
class Body:
    """Compiles one machine; problems go to the world's report."""

    world: World
    header: Header
    states: tuple[tables.State, ...] = ()
    effects: dict[str, tables.Effect] = attrs.field(factory=dict)
    watches: dict[tuple[Path, str], None] = attrs.field(factory=dict)

    def machine(self) -> tables.Machine:
        """The compiled machine."""
        source, header = self.header.source, self.header
        self.effects = {str(effect.name): self.effect(effect) for effect in source.effects}
        guards = {str(guard.name): self.named_guard(guard) for guard in source.guards}
        requires = tuple(self.requirement(row) for row in source.requires)
        flat = flatten(source)
        numbers = {str(state.name): index for index, (state, _) in enumerate(flat)}
        self.states = self.skeleton(flat, numbers)
        self.states = tuple(self.furnished(state, row) for state, (row, _) in zip(self.states, flat, strict=True))
        transitions = self.transitions(numbers)
        for transition in transitions:
            self.attach(transition)
        first = self.entry(source.default, -1) if source.default else self.first(source.states, numbers)
        if not flat:
            self.fail("no-states", f"the machine `{source.name}` has no states", source.place)
        return tables.Machine(
            name=str(source.name),
            title=source.title,
            about=source.about,
            fields=header.fields,
            refs=header.refs,
            events=header.events,
            effects=self.effects,
            guards=guards,
            requires=requires,
            states=self.states,
            numbers=numbers,
            default=first,
            transitions=transitions,
            slots=tuple(header.slots),
            watches=tuple(self.watches),
            first_choice=source.first_choice,
            moved=self.moved(source.moved),
        )

    def moved(self, rows: tuple[tuple[Word, Word], ...]) -> Mapping[str, str]:
        """Where instances of an earlier version are to be found."""
        known = {state.name: state for state in self.states if not state.is_history}
        for old, new in rows:
            if old in known and known[old].is_leaf:
                self.fail("bad-source", f"`{old}` is a state: whoever is in it stays there", place_of(old))
            if new not in known:
                self.unknown("state", new, known)
            elif not known[new].is_leaf:
                hint = "name the innermost states below it one by one"
                self.fail(
                    "bad-target", f"nobody can be moved to `{new}`, which has states below it", place_of(new), hint
                )
        return {str(old): str(new) for old, new in rows}

    # ---- small things

    def fail(self, code: str, text: str, place: Place | None, hint: str | None = None) -> None:
        self.world.report(code, text, place, hint)

    def unknown(self, kind: str, name: Word, known: Iterable[str]) -> None:
        known = list(known)
        hint = did_you_mean(name, known) or (f"known: {listed(known)}" if known else None)
        self.fail(f"unknown-{kind}", f"no {kind} is called `{name}`", place_of(name), hint)

    def scope(self, payload: Mapping[str, tables.Field] | None = None) -> MachineScope:
        return MachineScope(self.world, self.header, payload)

    def computed(
        self, expr: Expr, expected: Type = BOOL, payload: Mapping[str, tables.Field] | None = None
    ) -> tables.Computed:
        resolved = resolve(expr, self.scope(payload), self.world.report, expected)
        return tables.Computed(resolved) if resolved is not None else _BROKEN

    def effect(self, effect: model.Effect) -> tables.Effect:
        payload = fields_of(effect.payload, self.world)
        return tables.Effect(str(effect.name), payload, effect.about, tuple(map(str, effect.because)))

    def named_guard(self, guard: model.Guard) -> tables.Computed:
        if _mentions_itself(self.header, guard):
            self.fail("guard-cycle", f"the guard `{guard.name}` is defined by itself", guard.place)
            return _BROKEN
        return self.computed(guard.that)

    def requirement(self, row: model.Requirement) -> tables.Requirement:
        return tables.Requirement(str(row.id), self.computed(row.that), row.says, tuple(map(str, row.because)))

    # ---- states

    def skeleton(
        self, flat: list[tuple[model.State, model.State | None]], numbers: Mapping[str, int]
    ) -> tuple[tables.State, ...]:
        """The tree alone: enough to judge targets."""
        found: list[tables.State] = []
        for index, (state, parent) in enumerate(flat):
            above = numbers[parent.name] if parent else -1
            ancestors = (above, *found[above].ancestors) if parent else ()
            children = tuple(numbers[child.name] for child in state.children)
            found.append(
                tables.State(
                    index=index,
                    name=str(state.name),
                    kind=state.kind,
                    parent=above,
                    end=index + 1 + _size(state),
                    children=tuple(number for number in children if "history" not in flat[number][0].kind),
                    ancestors=ancestors,
                    histories=tuple(number for number in children if "history" in flat[number][0].kind),
                    default=None,
                    entry=(),
                    exit=(),
                    spawns=(),
                    done_data=(),
                    transitions=(),
                    timers=(),
                    first_choice=state.first_choice
                    or bool(parent and found[above].first_choice)
                    or self.header.source.first_choice,
                    title=state.title,
                    about=state.about,
                    role=state.role,
                    because=tuple(map(str, state.because)),
                    place=state.place,
                )
            )
        return tuple(found)

    def furnished(self, state: tables.State, row: model.State) -> tables.State:
        """The state with its default entry and actions."""
        if state.is_history and state.parent < 0:
            self.fail("bad-structure", f"the history `{state.name}` stands in no composite state", row.place)
        if row.default:
            default = self.entry(row.default, state.parent if state.is_history else state.index)
        elif state.kind == "composite":
            default = self.first(row.children, {child.name: self.number(child.name) for child in row.children})
        else:
            default = None
        return attrs.evolve(
            state,
            default=default,
            entry=tuple(self.block(block) for block in row.entry),
            exit=tuple(self.block(block) for block in row.exit),
            spawns=tuple(self.spawn(spawn) for spawn in row.spawns),
            done_data=tuple((str(name), self.any_value(value)) for name, value in row.done_data),
        )

    def number(self, name: str) -> int:
        return next(state.index for state in self.states if state.name == name)

    def first(self, children: tuple[model.State, ...], numbers: Mapping[str, int]) -> tables.Entry:
        marked = [child for child in children if child.initial]
        for child in marked[1:]:
            self.fail(
                "two-initial", f"`{child.name}` cannot be initial too: `{marked[0].name}` already is", child.place
            )
        first = default_child(children)
        return tables.Entry((numbers[first.name],) if first is not None else ())

    def entry(self, entry: model.Entry, inside: int) -> tables.Entry:
        """An initial or history-default transition; its targets lie inside the state numbered `inside` (-1: anywhere)."""
        targets = self.targets(entry.targets)
        for target, word in zip(targets, entry.targets, strict=False):
            if inside >= 0 and not self.states[inside].holds(target):
                self.fail("bad-target", f"`{word}` is not inside `{self.states[inside].name}`", place_of(word))
        return tables.Entry(targets, self.block(entry.actions))

    def targets(self, words: tuple[Word, ...]) -> tuple[int, ...]:
        known = {state.name: state.index for state in self.states}
        for word in words:
            if word not in known:
                self.unknown("state", word, known)
        targets = tuple(known[word] for word in words if word in known)
        if len(targets) == len(words) and (pair := clash(self.states, targets)):
            names = " and ".join(f"`{self.states[index].name}`" for index in pair)
            self.fail(
                "bad-target",
                f"{names} cannot be active together",
                place_of(words[targets.index(pair[1])]),
                "several targets stand in different regions of one parallel state",
            )
        return targets

    # ---- transitions

    def transitions(self, numbers: Mapping[str, int]) -> tuple[tables.Transition, ...]:
        found: list[tables.Transition] = []
        for row in self.header.source.transitions:
            kind, descriptors, payload = self.trigger(row)
            delay = None
            if isinstance(row.trigger, model.After):
                delay = self.computed(row.trigger.delay, DURATION)
            elif isinstance(row.trigger, model.Within):
                delay = self.computed(row.trigger.bound, DURATION)
            guard = self.computed(row.guard, payload=payload) if row.guard is not None else None
            actions = self.block(row.actions, payload)
            targets = self.targets(row.targets)
            for word in row.sources:
                if word not in numbers:
                    self.unknown("state", word, numbers)
                    continue
                source = self.states[numbers[word]]
                if source.is_history or source.kind == "final":
                    what = "a history" if source.is_history else "a final state"
                    self.fail("bad-source", f"`{word}` is {what}: nothing leads out of it", place_of(word))
                    continue
                found.append(
                    tables.Transition(
                        index=len(found),
                        id=str(row.id),
                        key=str(row.id) if len(row.sources) == 1 else f"{row.id}@{word}",
                        source=source.index,
                        kind=kind,
                        descriptors=descriptors,
                        delay=delay,
                        guard=guard,
                        targets=targets,
                        internal=row.internal,
                        actions=actions,
                        refuse=row.refuse,
                        because=tuple(map(str, row.because)),
                        about=row.about,
                        place=row.place,
                    )
                )
        return tuple(found)

    def attach(self, transition: tables.Transition) -> None:
        source = self.states[transition.source]
        if transition.delay:
            changed = attrs.evolve(source, timers=(*source.timers, transition.index))
        else:
            changed = attrs.evolve(source, transitions=(*source.transitions, transition.index))
        self.states = (*self.states[: source.index], changed, *self.states[source.index + 1 :])

    def trigger(
        self, row: model.Transition
    ) -> tuple[tables.TriggerKind, tuple[str, ...], Mapping[str, tables.Field] | None]:
        """The kind, the descriptors, and the payload that every event of the row carries."""
        match row.trigger:
            case model.OnEvent(descriptors=descriptors):
                payloads = [self.descriptor(word) for word in descriptors]
                shared = _shared(payloads)
                return "event", tuple(map(str, descriptors)), shared
            case model.OnDone(name=name):
                return "done", (self.done(name),), None
            case model.After():
                return "after", (), None
            case model.Within():
                return "within", (), None
            case None:
                return "eventless", (), None

    def done(self, name: Word) -> str:
        composites = [state.name for state in self.states if state.kind in ("composite", "parallel")]
        if name in composites:
            return f"done.state.{name}"
        if name in self.header.refs:
            return f"done.invoke.{name}"
        self.unknown("composite", name, (*composites, *self.header.refs))
        return f"done.state.{name}"

    def descriptor(self, word: Word) -> Mapping[str, tables.Field]:
        """The payload that events matched by a descriptor carry; registers what it observes."""
        name = word.removesuffix(".*").removesuffix(".")
        declared = [event for key, event in self.header.events.items() if tables.matches(name, key)]
        if declared and name != "*":
            return _shared([event.payload for event in declared])
        if name == "*" or name.split(".")[0] in _STANDARD:
            return {}
        self.observe(word, tuple(name.split(".")))
        return {}

    def observe(self, word: Word, tokens: tuple[str, ...]) -> None:
        scope = self.scope()
        for cut in range(len(tokens), 0, -1):
            chain, rest = tokens[:cut], ".".join(tokens[cut:])
            target = scope.ref(chain) if chain != ("self",) else None
            if target is None:
                continue
            if rest and rest not in target.states:
                self.unknown_state_of(word, target, rest)
            for state in (rest,) if rest else target.states:
                self.watches[chain, state] = None
            return
        hint = did_you_mean(word, (*self.header.events, *self.observable()))
        if hint is None:
            known = (
                f"known: {listed(self.header.events)}; or " if self.header.events else "declare it under `events`, or "
            )
            hint = f"{known}REF.STATE to observe"
        self.fail("unknown-event", f"no event is called `{word}`", place_of(word), hint)

    def unknown_state_of(self, word: Word, target: Target, state: str) -> None:
        hint = did_you_mean(state, target.states) or f"known: {listed(target.states)}"
        self.fail("unknown-state", f"`{target.machine}` has no state called `{state}`", place_of(word), hint)

    def observable(self) -> Iterable[str]:
        for name, ref in self.header.refs.items():
            if other := self.world.headers.get(ref.machine):
                yield from (f"{name}.{state}" for state in other.states)

    # ---- actions

    def block(self, block: model.Block, payload: Mapping[str, tables.Field] | None = None) -> tables.Block:
        found: list[tables.Action] = []
        for action in block:
            if isinstance(action, model.Assign):
                found.extend(self.assigns(action.values, payload))
            elif (compiled := self.action(action, payload)) is not None:
                found.append(compiled)
        return tuple(found)

    def action(self, action: model.Action, payload: Mapping[str, tables.Field] | None) -> tables.Action | None:
        match action:
            case model.Assign():
                raise AssertionError(action)
            case model.Emit(effect=effect, payload=given):
                if effect not in self.effects:
                    self.unknown("effect", effect, self.effects)
                    return None
                return tables.Emit(str(effect), self.payload(given, self.effects[effect].payload, effect, payload))
            case model.Raise(event=event, payload=given):
                declared = self.declared(event, self.header)
                if declared is None:
                    return None
                return tables.Raise(str(event), self.payload(given, declared.payload, event, payload))
            case model.Send():
                return self.send(action, payload)
            case model.Cancel(id=id_):
                return tables.Cancel(str(id_))
            case model.Spawn():
                return self.spawn(action, payload)
            case model.Stop(ref=ref):
                if ref not in self.header.refs:
                    self.unknown("ref", ref, self.header.refs)
                    return None
                self.may_be_unbound(ref)
                return tables.Stop(str(ref))
            case model.If(condition=condition, then=then, otherwise=otherwise):
                return tables.If(
                    self.computed(condition, payload=payload), self.block(then, payload), self.block(otherwise, payload)
                )

    def assigns(self, values: model.Assignments, payload: Mapping[str, tables.Field] | None) -> Iterator[tables.Assign]:
        for name, value in values:
            field = self.header.fields.get(name)
            if field is None:
                self.unknown("field", name, self.header.fields)
            else:
                yield tables.Assign(field, self.value_for(field, value, payload))

    def value_for(
        self, field: tables.Field, value: Expr, payload: Mapping[str, tables.Field] | None = None
    ) -> tables.Computed:
        computed = self.computed(value, field.type, payload)
        if may_be_absent(computed.expr) and not field.optional:
            self.fail("may-be-absent", f"`{computed}` may be absent, `{field.name}` may not", value.place)
        return computed

    def any_value(self, value: Expr, payload: Mapping[str, tables.Field] | None = None) -> tables.Computed:
        resolved = resolve_as(value, self.scope(payload), self.world.report)
        return tables.Computed(resolved) if resolved is not None else _BROKEN

    def payload(
        self,
        given: model.Assignments,
        declared: Mapping[str, tables.Field],
        owner: Word,
        payload: Mapping[str, tables.Field] | None,
    ) -> tables.Payload:
        names = [name for name, _ in given]
        for name in names:
            if name not in declared:
                self.unknown("field", name, declared)
        for field in declared.values():
            if field.required and field.name not in names:
                self.fail("missing-value", f"`{owner}` needs a value for `{field.name}`", place_of(owner))
        return tuple(
            (str(name), self.value_for(declared[name], value, payload)) for name, value in given if name in declared
        )

    def declared(self, event: Word, header: Header) -> tables.Event | None:
        if event not in header.events:
            self.unknown("event", event, header.events)
        return header.events.get(event)

    def send(self, send: model.Send, payload: Mapping[str, tables.Field] | None) -> tables.Action | None:
        if send.address is not None:
            return self.addressed(send, send.address, payload)
        to = send.to or Word("self")
        target = self.scope().ref(tuple(to.split(".")))
        if target is None:
            self.unknown("ref", to, ("self", *self.header.refs))
            return None
        declared = self.declared(send.event, self.world.headers[target.machine])
        if declared is None:
            return None
        return tables.Send(
            event=str(send.event),
            to=str(to),
            slot=target.slot,
            after=self.computed(send.after, DURATION, payload) if send.after is not None else None,
            payload=self.payload(send.payload, declared.payload, send.event, payload),
            id=str(send.id) if send.id else None,
        )

    def addressed(
        self, send: model.Send, address: Expr, payload: Mapping[str, tables.Field] | None
    ) -> tables.Action | None:
        """A send to whoever is found at run time: whether it knows the event is asked then."""
        return tables.Send(
            event=str(send.event),
            to=render(address),
            slot=None,
            after=self.computed(send.after, DURATION, payload) if send.after is not None else None,
            payload=tuple((str(name), self.any_value(value, payload)) for name, value in send.payload),
            id=str(send.id) if send.id else None,
            address=self.computed(address, STRING, payload),
        )

    def spawn(self, spawn: model.Spawn, payload: Mapping[str, tables.Field] | None = None) -> tables.Spawn:
        ref, machine = self.header.refs.get(spawn.ref), self.world.headers.get(spawn.machine)
        if ref is None:
            self.unknown("ref", spawn.ref, self.header.refs)
        if machine is None:
            self.unknown("machine", spawn.machine, self.world.headers)
        if machine is None or ref is None:
            return tables.Spawn(str(spawn.ref), str(spawn.machine))
        self.may_be_unbound(spawn.ref)
        if ref.machine != spawn.machine:
            text = f"`{spawn.ref}` is a ref to `{ref.machine}`, not to `{spawn.machine}`"
            self.fail("wrong-type", text, place_of(spawn.machine))
        fields = self.payload(spawn.fields, machine.fields, spawn.machine, payload)
        refs, finalize = self.child_refs(spawn, machine), self.block(spawn.finalize, payload)
        return tables.Spawn(str(spawn.ref), str(spawn.machine), fields, refs, spawn.forward, finalize)

    def may_be_unbound(self, name: Word) -> None:
        """A ref that is bound and unbound while the instance lives must say so, or what is read through it would be taken for granted."""
        if not self.header.refs[name].optional:
            text = f"the ref `{name}` is spawned or stopped, so it can be unbound"
            self.fail(
                "not-optional",
                text,
                place_of(name),
                f"declare it as `{{machine: {self.header.refs[name].machine}, optional: true}}`",
            )

    def child_refs(self, spawn: model.Spawn, machine: Header) -> tuple[tuple[str, int | None], ...]:
        found: list[tuple[str, int | None]] = []
        for name, mine in spawn.refs:
            target = self.scope().ref(tuple(mine.split(".")))
            if name not in machine.refs:
                self.unknown("ref", name, machine.refs)
            elif target is None:
                self.unknown("ref", mine, ("self", *self.header.refs))
            elif target.machine != machine.refs[name].machine and machine.refs[name].machine in self.world.headers:
                text = f"`{name}` is a ref to `{machine.refs[name].machine}`, not to `{target.machine}`"
                self.fail("wrong-type", text, place_of(mine))
            else:
                found.append((str(name), target.slot))
        bound = {*(name for name, _ in spawn.refs), "parent"}
        for ref in machine.refs.values():
            if not ref.optional and ref.name not in bound:
                text = f"`{spawn.machine}` needs an instance for its ref `{ref.name}`"
                self.fail("unbound-ref", text, place_of(spawn.machine), f"refs: {{{ref.name}: …}}")
        return tuple(found)


def _size(state: model.State) -> int:
    return sum(1 + _size(child) for child in state.children)


def _shared(payloads: list[Mapping[str, tables.Field]]) -> Mapping[str, tables.Field]:
    """What all payloads have in common; a value one of them may lack may be absent."""
    first, *rest = payloads
    return {
        name: attrs.evolve(field, optional=field.optional or any(other[name].optional for other in rest))
        for name, field in first.items()
        if all(name in other and other[name].type == field.type for other in rest)
    }


def _mentions_itself(header: Header, guard: model.Guard) -> bool:
    """Whether following own named guards leads back to `guard`."""
    seen: set[str] = set()
    waiting = [guard]
    while waiting:
        for node in tree.walk(waiting.pop().that):
            names = (
                [node.path] if isinstance(node, tree.Name) else [node.left.path] if isinstance(node, tree.Is) else []
            )
            for path in names:
                name = ".".join(path)
                if name == guard.name:
                    return True
                if name in header.guards and name not in seen:
                    seen.add(name)
                    waiting.append(header.guards[name])
    return False
