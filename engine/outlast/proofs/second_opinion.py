"""A second opinion: whole stories on an independent interpreter, compared state for state with ours.

The other interpreter is the library `transitions`. A plan's machine becomes a `HierarchicalMachine` and every instance a model of it;
the library finds the active states that listen, asks the guards in their order, inner states first, and leaves and enters
states. Around it stands a small system of its own: a queue, timers, delayed sends, observation, children. None of `run/macrostep.py`,
`run/step.py` or `run/system.py` has a part in it; what both sides share is the plan (tables, compiled expressions, whether a value is
inside its declaration) and the staging of the scenario.

What the library cannot say, or says with another meaning, is `Unsupported`, machine by machine, and never imitated:

- history: the library has none;
- parallel regions: it lets one region after the other take its transition, and asks a later region's guards after the earlier region's
  actions, where SCXML chooses for all regions first; it has no rule for transitions in conflict;
- several targets at once; the library knows one destination;
- a transition, not internal, from a composite state into itself: the library never leaves a state it goes deeper into; and an internal
  one to a state deeper than a child: it does not leave the child on the way there;
- actions of the initial transition of a composite state, or a target of one deeper than a child: the library does not tell an
  entry by default from another one.

Bare `transitions` has no place for actions between the last exit and the first entry; they are put there as one more exit callback.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import attrs
from transitions.extensions.nesting import HierarchicalMachine, NestedEventData, NestedState, NestedTransition

from outlast import model
from outlast.expr import Context, Value
from outlast.plan import Machine, Plan, State, Transition, tables, under, with_constants
from outlast.run import Step, System
from outlast.run.staging import Part, applies, staged
from outlast.values import frozen

__all__ = ["Difference", "Unsupported", "expressible", "second_opinion"]

Event: TypeAlias = tuple[str, dict[str, Value]]
Told: TypeAlias = tuple[str, tuple[tuple[str, Value], ...]]

_OUTSIDE = "(not begun)"
_EVENTLESS = "eventless"
_LIMIT = 2_000
"""More transitions in one go than ours takes before it gives up: so, as ours is asked first, this one is a difference."""


@frozen
class Difference:
    """Where the two interpreters disagree: what we have, and what the library has."""

    at: int
    after: str
    instance: str
    aspect: str
    ours: object
    theirs: object

    def __str__(self) -> str:
        return f"{self.at} after {self.after}: {self.instance}: {self.aspect}: {self.ours} here, {self.theirs} there"


@frozen
class Unsupported:
    """A machine the library cannot express, and why; there is no second opinion on a story with one of its instances."""

    machine: str
    reason: str

    def __str__(self) -> str:
        return f"{self.machine}: {self.reason}"


def second_opinion(
    plan: Plan, scenario: model.Scenario, readings: Mapping[str, str] | None = None, *, theirs: Plan | None = None
) -> list[Difference | Unsupported]:
    """Tell the story to both, and compare after every step and at every instant at which anything is due. Empty: they agree.

    `theirs` is the plan the library runs when it is not to be the same, to see that a difference is found. Raises what
    `run_scenario` raises.
    """
    chosen = with_constants(under(plan, readings or {}), scenario.constants)
    other = with_constants(under(theirs or plan, readings or {}), scenario.constants)
    stage = staged(chosen, scenario)
    cues = [cue for cue in stage.cues if applies(cue.source.under, chosen)]
    parts = [*stage.given, *(cue.part for cue in cues if cue.part)]
    unsupported = [item for name in _reachable(chosen, parts) for item in expressible(other.machines[name])]
    unsupported += [
        Unsupported(str(cue.source.machine), f"the moment of `{cue.source.row}` is told")
        for cue in cues
        if isinstance(cue.source, model.Happen)
    ]
    if unsupported:
        return list(unsupported)
    both = _Both(System(chosen), LibrarySystem(other))
    both.make("the beginning", stage.given)
    for at in sorted({cue.at for cue in cues} | {claim.source.at for claim in stage.claims}):
        both.advance(at)
        for cue in cues:
            if cue.at != at:
                continue
            if cue.part is not None:
                both.make(f"making {cue.part.name}", [cue.part])
            else:
                assert isinstance(cue.source, model.Say)
                both.say(cue.source, cue.payload)
        both.advance(at)
    return list(both.differences)


def expressible(machine: Machine) -> tuple[Unsupported, ...]:
    """Everything in a machine that the library cannot express; empty when there can be a second opinion on it."""
    reasons: dict[str, None] = {}
    for state in machine.states:
        if state.is_history:
            reasons[f"`{state.name}` is a history"] = None
        elif state.kind == "parallel":
            reasons[f"`{state.name}` is parallel"] = None
        elif state.kind == "composite":
            assert state.default is not None
            if state.default.actions:
                reasons[f"the initial transition of `{state.name}` has actions"] = None
            if len(state.default.targets) != 1 or state.default.targets[0] not in state.children:
                reasons[f"the initial transition of `{state.name}` leads deeper than to a child"] = None
    if len(machine.default.targets) > 1:
        reasons["its initial transition has several targets"] = None
    for row in machine.transitions:
        source = machine.states[row.source]
        if len(row.targets) > 1:
            reasons[f"`{row.id}` has several targets"] = None
        for target in row.targets:
            if row.internal and source.holds(target) and target not in source.children:
                reasons[f"`{row.id}` is internal and leads deeper than to a child"] = None
            elif source.holds(target) and not row.internal:
                reasons[f"`{row.id}` leads from `{source.name}` into itself"] = None
    return tuple(Unsupported(machine.name, reason) for reason in reasons)


def _reachable(plan: Plan, parts: Iterable[Part]) -> list[str]:
    """The machines of these instances, and of every child they may spawn."""
    found: dict[str, None] = {}
    waiting = [part.machine for part in parts]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = None
            waiting += [spawn.machine for spawn in _spawns(plan.machines[name])]
    return [name for name in plan.machines if name in found]


def _spawns(machine: Machine) -> Iterator[tables.Spawn]:
    def within(block: tables.Block) -> Iterator[tables.Spawn]:
        for action in block:
            if isinstance(action, tables.Spawn):
                yield action
            elif isinstance(action, tables.If):
                yield from within(action.then)
                yield from within(action.otherwise)

    for state in machine.states:
        yield from state.spawns
        for block in (*state.entry, *state.exit, state.default.actions if state.default else ()):
            yield from within(block)
    for row in machine.transitions:
        yield from within(row.actions)
    yield from within(machine.default.actions)


# ---- the library's side: one machine


class _State(NestedState):
    separator = "/"


class _Row(NestedTransition):
    """A transition whose actions run after the exits and before the entries."""

    row: Transition | None = None

    def _resolve_transition(self, event_data: NestedEventData) -> Any:
        tree, exits, enters = super()._resolve_transition(event_data)
        body: Body = event_data.model.body  # type: ignore[attr-defined]  # the stubs call every model an object
        actions = (
            self.row.actions if self.row else body.machine.default.actions if event_data.event.name == "begin" else ()
        )
        return tree, [*exits, lambda: body.block(actions)], enters


class _Chart(HierarchicalMachine):
    """One machine of a plan, as the library sees it. Its models are the instances."""

    state_cls = _State
    transition_cls = _Row

    def __init__(self, machine: Machine) -> None:
        self.table = machine
        roots = [state for state in machine.states if state.parent < 0]
        super().__init__(
            model=None,
            states=[_OUTSIDE, *(self.definition(state) for state in roots)],
            initial=_OUTSIDE,
            auto_transitions=False,
            send_event=True,
            ignore_invalid_triggers=True,
        )
        self.add_transition("begin", _OUTSIDE, self.path(machine.default.targets[0]))
        for state in machine.states:
            self.add_transition(f"begin {state.name}", _OUTSIDE, self.path(state.index))
        for row in machine.transitions:
            for trigger in self.triggers(row):
                self.listen(trigger, row)

    def path(self, index: int) -> str:
        state = self.table.states[index]
        names = [state.name, *(self.table.states[above].name for above in state.ancestors if above >= 0)]
        return "/".join(reversed(names))

    def definition(self, state: State) -> dict[str, Any]:
        found: dict[str, Any] = {
            "name": state.name,
            "on_enter": [lambda data: data.model.body.entered(state)],
            "on_exit": [lambda data: data.model.body.left(state)],
        }
        if state.children:
            assert state.default is not None
            found["children"] = [self.definition(self.table.states[child]) for child in state.children]
            found["initial"] = self.table.states[state.default.targets[0]].name
        return found

    def triggers(self, row: Transition) -> list[str]:
        """What the row is registered under: every event this machine can meet that it hears, its timer, or nothing at all."""
        if row.kind in ("after", "within"):
            return [f"timer {row.key}"]
        if row.kind == "eventless":
            return [_EVENTLESS]
        return [f"event {name}" for name in self.heard() if row.hears(name)]

    def heard(self) -> list[str]:
        table = self.table
        done = [f"done.state.{state.name}" for state in table.states if state.children]
        return [
            *table.events,
            *(".".join((*chain, state)) for chain, state in table.watches),
            *done,
            *(f"done.invoke.{ref}" for ref in table.refs),
            *("error.execution", "error.communication"),
        ]

    def listen(self, trigger: str, row: Transition) -> None:
        guard = row.guard
        self.add_transition(
            trigger,
            self.path(row.source),
            self.path(row.targets[0]) if row.targets else None,
            conditions=[lambda data: bool(guard.run(data.model.body.context()))] if guard else None,
            before=[lambda data: data.model.body.taking(row)],
            after=None if row.targets else [lambda data: data.model.body.block(row.actions)],
        )
        added = self.events[trigger].transitions[self.path(row.source)][-1]
        assert isinstance(added, _Row)
        added.row = row


class _Model:
    """What the library drives."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.state = _OUTSIDE


class _Fault(Exception):
    """The rest of a block is left out."""


@attrs.define(eq=False)
class Done:
    """What one run to completion left to be done by the system."""

    effects: list[Told] = attrs.field(factory=list)
    sent: list[tuple[str, Event]] = attrs.field(factory=list)
    entered: list[str] = attrs.field(factory=list)
    made: list[Body] = attrs.field(factory=list)
    stopped: list[str] = attrs.field(factory=list)
    finished: bool = False


class Body:
    """One instance: its data, and everything the library calls back for."""

    def __init__(
        self, library: LibrarySystem, machine: Machine, name: str, values: list[Value], refs: dict[str, str | None]
    ) -> None:
        self.library, self.machine, self.name = library, machine, name
        self.fields, self.refs = values, refs
        self.active: set[str] = set()
        self.payload: dict[str, Value] = {}
        self.timers: dict[str, int] = {}
        self.delayed: list[tuple[int, int, str, Event, str | None]] = []
        self.turn = 0
        self.children: dict[str, str] = {}
        self.spawned: dict[str, int] = {}
        self.parent: tuple[Body, str] | None = None
        self.running, self.over = True, False
        self.internal: deque[Event] = deque()
        self.to_spawn: list[State] = []
        self.refused, self.taken = False, 0
        self.done = Done()
        self.model = _Model(self)
        self.chart = library.chart(machine)
        self.chart.add_model(self.model)

    # ---- what guards see of it

    @property
    def configuration(self) -> tuple[str, ...]:
        """Active states, in document order."""
        return tuple(state.name for state in self.machine.states if state.name in self.active)

    @property
    def values(self) -> tuple[Value, ...]:
        """Field values, in order."""
        return tuple(self.fields)

    def context(self) -> Context:
        """Everything an expression of this instance reads, as of now."""
        others = [self.library.at_the_end(self, chain) for chain in self.machine.slots]
        return Context(self.fields, self.payload, self.active, others, self.library.plan.readings)

    # ---- one run to completion

    def begin(self, state: str | None) -> Done:
        """Enter the first state."""
        return self.run("begin" if state is None else f"begin {state}", {})

    def take(self, event: Event) -> Done:
        """Hear an event."""
        if self.over:
            self.refused = True
            return Done()
        return self.run(f"event {event[0]}", event[1])

    def fire(self, key: str) -> Done:
        """A timer is due."""
        del self.timers[key]
        self.library.went_off(self.name, self.machine.arrows[key])
        return self.run(f"timer {key}", {})

    def run(self, trigger: str, payload: dict[str, Value]) -> Done:
        self.done, self.refused, self.taken = Done(), False, 0
        if not self.trigger(trigger, payload):
            self.refused = True
        while self.running:
            if self.trigger(_EVENTLESS, self.payload):
                continue
            if not self.internal:
                break
            name, carried = self.internal.popleft()
            self.trigger(f"event {name}", carried)
        if not self.running:
            self.finish()
        for state in sorted(self.to_spawn, key=lambda state: state.index):
            self.block(state.spawns)
        self.to_spawn.clear()
        return self.done

    def trigger(self, trigger: str, payload: dict[str, Value]) -> bool:
        self.payload = payload
        return bool(self.chart.has_trigger(trigger) and self.chart.trigger_event(self.model, trigger))

    def finish(self) -> None:
        """Leave everything, innermost first, but keep saying where it ended."""
        if self.over:
            return
        self.running, self.over = False, True
        ended = set(self.active)
        for state in reversed(self.machine.states):
            if state.name in ended:
                self.left(state)
        self.active |= ended
        self.timers.clear()
        self.delayed.clear()
        self.done.stopped += [child for child in self.children.values() if child not in self.done.stopped]
        self.children.clear()
        self.done.finished = True

    # ---- called back by the library

    def taking(self, row: Transition) -> None:
        """A transition was chosen."""
        self.taken += 1
        if self.taken > _LIMIT:
            raise RuntimeError(f"`{self.name}` comes to rest with us, and not on the library: {row.id}")
        if row.refuse:
            self.refused = True

    def entered(self, state: State) -> None:
        """A state was entered."""
        self.active.add(state.name)
        self.done.entered.append(state.name)
        for block in state.entry:
            self.block(block)
        for number in state.timers:
            row = self.machine.transitions[number]
            delay = row.delay.run(self.context()) if row.delay else None
            if isinstance(delay, int):
                self.timers[row.key] = self.library.moment(self.name, row, max(delay, 0))
        if state.spawns:
            self.to_spawn.append(state)
        if state.kind == "final":
            self.reached(state)

    def left(self, state: State) -> None:
        """A state is being left."""
        for block in state.exit:
            self.block(block)
        for number in state.timers:
            self.timers.pop(self.machine.transitions[number].key, None)
        if state in self.to_spawn:
            self.to_spawn.remove(state)
        else:
            for spawn in state.spawns:
                self.unbind(spawn.ref)
        self.active.discard(state.name)

    def reached(self, state: State) -> None:
        if state.parent < 0:
            self.running = False
            return
        context = self.context()
        payload = {name: value.run(context) for name, value in state.done_data}
        self.internal.append((f"done.state.{self.machine.states[state.parent].name}", payload))

    # ---- actions

    def block(self, block: tables.Block) -> None:
        """Carry out a block; what cannot be done ends it and is raised inside."""
        try:
            self.actions(block)
        except _Fault as fault:
            self.internal.append((str(fault), {}))

    def actions(self, block: tables.Block) -> None:
        for action in block:
            if isinstance(action, tables.Assign):
                self.fields[action.field.index] = _inside(action.field, action.value.run(self.context()))
            elif isinstance(action, tables.Emit):
                told = self.said(action.payload, self.machine.effects[action.effect].payload)
                self.done.effects.append((action.effect, tuple(told.items())))
            elif isinstance(action, tables.Raise):
                self.internal.append(
                    (action.event, self.said(action.payload, self.machine.events[action.event].payload))
                )
            elif isinstance(action, tables.Send):
                self.send(action)
            elif isinstance(action, tables.Cancel):
                self.delayed = [item for item in self.delayed if item[4] != action.id]
            elif isinstance(action, tables.Spawn):
                self.spawn(action)
            elif isinstance(action, tables.Stop):
                self.unbind(action.ref)
            else:
                self.actions(action.then if action.condition.run(self.context()) else action.otherwise)

    def said(self, payload: tables.Payload, declared: Mapping[str, tables.Field]) -> dict[str, Value]:
        context = self.context()
        given = {name: value.run(context) for name, value in payload}
        return {name: _inside(field, given.get(name, field.default)) for name, field in declared.items()}

    def send(self, send: tables.Send) -> None:
        to = self if send.slot is None else self.library.at_the_end(self, self.machine.slots[send.slot])
        if to is None:
            raise _Fault("error.communication")
        event = (send.event, self.said(send.payload, to.machine.events[send.event].payload))
        delay = send.after.run(self.context()) if send.after else None
        if isinstance(delay, int):
            self.delayed.append((self.library.now + max(delay, 0), self.turn, to.name, event, send.id))
            self.turn += 1
        else:
            self.done.sent.append((to.name, event))

    def spawn(self, spawn: tables.Spawn) -> None:
        library, context = self.library, self.context()
        machine = library.plan.machines[spawn.machine]
        given = {name: value.run(context) for name, value in spawn.fields}
        refs: dict[str, str | None] = dict.fromkeys(machine.refs)
        if "parent" in refs:
            refs["parent"] = self.name
        for name, slot in spawn.refs:
            other = self if slot is None else library.at_the_end(self, self.machine.slots[slot])
            refs[name] = other.name if other else None
        values = [_inside(field, given.get(name, field.default)) for name, field in machine.fields.items()]
        if any(refs[ref.name] is None for ref in machine.refs.values() if not ref.optional):
            raise _Fault("error.execution")
        closed = Context(values, others=[None] * len(machine.slots), readings=library.plan.readings)
        if not all(requirement.that.run(closed) for requirement in machine.requires):
            raise _Fault("error.execution")
        self.unbind(spawn.ref)
        count = self.spawned[spawn.ref] = self.spawned.get(spawn.ref, 0) + 1
        child = Body(library, machine, f"{self.name}.{spawn.ref}" + (f".{count}" if count > 1 else ""), values, refs)
        child.parent = (self, spawn.ref)
        library.unborn[child.name] = child
        child.begin(None)
        self.done.made.append(child)
        self.children[spawn.ref] = self.refs[spawn.ref] = child.name

    def unbind(self, ref: str) -> None:
        if child := self.children.pop(ref, None):
            self.done.stopped.append(child)
        self.refs[ref] = None


def _inside(field: tables.Field, value: Value) -> Value:
    if field.objection(value):
        raise _Fault("error.execution")
    return value


# ---- the library's side: a system


class LibrarySystem:
    """Instances, a queue, timers and observation around the library's machines."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.now = plan, 0
        self.bodies: dict[str, Body] = {}
        self.unborn: dict[str, Body] = {}
        """Children that have begun inside a run that is not over."""
        self.order: dict[str, int] = {}
        self.queue: deque[tuple[str, Event]] = deque()
        self.effects: list[Told] = []
        self.charts: dict[str, _Chart] = {}
        self.made = 0

    def chart(self, machine: Machine) -> _Chart:
        if machine.name not in self.charts:
            self.charts[machine.name] = _Chart(machine)
        return self.charts[machine.name]

    def at_the_end(self, body: Body, chain: tuple[str, ...]) -> Body | None:
        """The instance a chain of refs leads to."""
        found: Body | None = body
        for name in chain:
            target = found.refs[name] if found else None
            found = self.bodies.get(target) or self.unborn.get(target) if target else None
        return found

    # ---- what others may want to know, or to decide

    def moment(self, name: str, row: Transition, delay: int) -> int:  # noqa: ARG002  # for those who decide
        """When a timer armed now goes off: as late as it can."""
        return self.now + delay

    def went_off(self, name: str, row: Transition) -> None:
        """A timer goes off now."""

    # ---- what is done to it

    def make(self, parts: Iterable[Part]) -> None:
        """Instances that know each other, begun one after the other, unobserved."""
        parts = list(parts)
        for part in parts:
            machine = self.plan.machines[part.machine]
            values = [part.values.get(name, field.default) for name, field in machine.fields.items()]
            bound = {name: part.values.get(name) for name in machine.refs}
            refs = {name: None if target is None else str(target) for name, target in bound.items()}
            self.put(Body(self, machine, part.name, values, refs))
        for part in parts:
            body = self.bodies[part.name]
            self.apply(body, body.begin(part.state), silent=True)
            self.drain()

    def say(self, name: str, event: str, payload: Mapping[str, Value], by: str | None) -> bool:
        """An event from outside; whether it was accepted."""
        body = self.bodies[name]
        declared = body.machine.events[event]
        said = {field.name: payload.get(field.name, field.default) for field in declared.payload.values()}
        if any(field.objection(said[field.name]) for field in declared.payload.values()):
            return False
        if by is not None and declared.by and by not in declared.by:
            return False
        self.apply(body, body.take((event, said)))
        accepted = not body.refused
        self.drain()
        return accepted

    def next_due(self) -> int | None:
        """The next instant at which time alone changes something."""
        return min((due for due, *_ in self.dues()), default=None)

    def advance(self, until: int) -> None:
        """Fire what is due, in order."""
        while (due := min(self.dues(), default=None)) is not None and due[0] <= until:
            self.now, _, kind, number, name = due
            body = self.bodies[name]
            if kind == 0:
                self.apply(body, body.fire(body.machine.transitions[number].key))
            else:
                item = next(item for item in body.delayed if item[1] == number)
                body.delayed.remove(item)
                self.queue.append((item[2], item[3]))
            self.drain()
        self.now = until

    def dues(self) -> Iterator[tuple[int, int, int, int, str]]:
        for name, body in self.bodies.items():
            for key, due in body.timers.items():
                yield due, self.order[name], 0, body.machine.arrows[key].index, name
            for due, turn, *_ in body.delayed:
                yield due, self.order[name], 1, turn, name

    # ---- one thing leads to another

    def put(self, body: Body) -> None:
        self.unborn.pop(body.name, None)
        self.order[body.name] = self.made
        self.bodies[body.name] = body
        self.made += 1

    def drain(self) -> None:
        while self.queue:
            name, event = self.queue.popleft()
            if name in self.bodies:
                self.apply(self.bodies[name], self.bodies[name].take(event))

    def apply(self, body: Body, done: Done, *, silent: bool = False) -> None:
        self.effects += done.effects
        for child in done.made:
            self.put(child)
            self.apply(child, child.done)
        self.queue.extend(done.sent)
        for state in () if silent else done.entered:
            self.queue.extend(self.observers(body, state))
        if done.finished and body.parent:
            parent, ref = body.parent
            self.queue.append((parent.name, (f"done.invoke.{ref}", {})))
        for name in done.stopped:
            if stopped := self.bodies.get(name):
                stopped.done = Done()
                stopped.finish()
                stopped.done.finished = False
                self.apply(stopped, stopped.done)
                del self.bodies[name], self.order[name]

    def observers(self, body: Body, state: str) -> Iterator[tuple[str, Event]]:
        for watcher in sorted(self.bodies.values(), key=lambda each: self.order[each.name]):
            for chain, watched in watcher.machine.watches:
                if watched == state and self.at_the_end(watcher, chain) is body:
                    yield watcher.name, (".".join((*chain, state)), {})


# ---- both sides


@attrs.define(eq=False)
class _Both:
    system: System
    library: LibrarySystem
    differences: list[Difference] = attrs.field(factory=list)
    last: str = ""

    def make(self, after: str, parts: Iterable[Part]) -> None:
        parts = list(parts)
        steps = self.system.begin({part.name: (part.machine, part.values, part.state) for part in parts})
        self.library.make(parts)
        self.compare(after, steps)

    def say(self, say: model.Say, payload: Mapping[str, Value]) -> None:
        name, by = str(say.name), str(say.by) if say.by else None
        step = self.system.send(name, str(say.event), dict(payload), by=by)
        said = f"{say.event} to {name}"
        accepted = self.library.say(name, str(say.event), payload, by)
        self.compare(said, (step, *step.caused))
        self.check(said, name, "accepted", step.accepted, accepted)

    def advance(self, until: int) -> None:
        """Both to `until`, stopping wherever one of them has something due."""
        while True:
            ours, theirs = self.system.next_due, self.library.next_due()
            self.check(self.last, "the system", "next due", ours, theirs)
            due = min((due for due in (ours, theirs) if due is not None and due <= until), default=None)
            if due is None or self.differences:
                break
            steps = self.system.advance_to(due)
            self.library.advance(due)
            self.compare(f"all that is due at {due}", steps)
        self.system.advance_to(until)
        self.library.advance(until)

    def compare(self, after: str, steps: Iterable[Step]) -> None:
        self.last = after
        told = [(effect.name, effect.payload) for step in steps for effect in step.effects]
        self.check(after, "the system", "effects", told, self.library.effects)
        self.library.effects = []
        world, bodies = self.system.world, self.library.bodies
        self.check(after, "the system", "instances", list(world), list(bodies))
        for name in world.keys() & bodies.keys():
            ours, theirs = world[name], bodies[name]
            seen: dict[str, tuple[object, object]] = {
                "states": (ours.configuration, theirs.configuration),
                "fields": (ours.values, theirs.values),
                "refs": (ours.refs, tuple(theirs.refs.values())),
                "timers": ({timer.key: timer.due for timer in ours.timers}, theirs.timers),
                "under way": (
                    [(item.due, item.to, item.event.name, dict(item.event.payload)) for item in ours.delayed],
                    [(due, to, *event) for due, _, to, event, _ in theirs.delayed],
                ),
                "done": (ours.done, theirs.over),
            }
            for aspect, (one, other) in seen.items():
                self.check(after, name, aspect, one, other)

    def check(self, after: str, instance: str, aspect: str, ours: object, theirs: object) -> None:
        if ours != theirs:
            self.differences.append(Difference(self.system.now, after, instance, aspect, ours, theirs))
