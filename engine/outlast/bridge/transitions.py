"""A plan behind an object that feels like one of the library `transitions`.

Our engine decides; the library is the face. `attach` puts onto the caller's own object what people who use `transitions` know:
triggers, `may_…`, `is_…`, a `state`, callbacks by name. Behind it stands an instance in a `System`, with timers, guards, refs and effects.

    >>> from outlast import load
    >>> class Kitchen:
    ...     def on_enter_pouring(self):
    ...         print("pouring")
    ...     def on_effect_coffee_ready(self, beans_left):
    ...         print("coffee;", beans_left, "left")
    >>> kitchen = Kitchen()
    >>> machine = attach(kitchen, load("tour"), "coffee-machine", beans=1)
    >>> kitchen.state
    'off'
    >>> kitchen.switch()
    True
    >>> kitchen.state, kitchen.is_ready(), kitchen.is_on(), kitchen.is_on(allow_substates=True)
    ('on.ready', True, False, True)
    >>> kitchen.may_press(), kitchen.may_return_tank()
    (True, False)
    >>> kitchen.press()
    True
    >>> kitchen.state
    ['on.making.hopper.grinding', 'on.making.boiler.heating']
    >>> steps = kitchen.advance("1m")
    pouring
    coffee; 0 left
    >>> try:
    ...     kitchen.trigger("press")
    ... except MachineError as error:
    ...     print(error)
    `press` at `coffee-machine`: refused: There are no beans.
      make: `beans > 0` is false: beans is 0
      no-beans: refuses the event
      accepted now: switch, fill, lift-tank

What is the library's, and what is not:

- Names are the plan's, with underscores for dashes. A state is its path, joined by `separator`; since names of states are unique in a
  machine, `is_ready`, `on_enter_ready` and `machine.on_enter_ready` need no path. Parallel regions are lists, as in the library.
- A trigger takes the event's payload as keywords, and `by` for the actor. Other positional arguments go to the callbacks only.
- A refused event raises `Refused`, a `MachineError` that says why and what would be accepted, or is False with
  `ignore_invalid_triggers`. A guard that does not hold is a refusal too; in the library it is silently False.
- `prepare_event`, `before` and the exits of the first transition run before anything has happened: if one of them raises, nothing has.
  Then the event happens, at once and completely, everywhere in the system; then the other callbacks are shown what happened, in
  order, with `state` as it was at that moment. If one of those raises, the event has happened, and `state` says so.
- Callbacks of other attached objects of the same system run when the event, or time, moves them too.
- There is no clock in the library: time passes with `advance("15m")` or `fire_due(instant)`.
- `on_effect_NAME(**payload)` is called for what the machine tells the service that embeds it.
- States are never entered from outside: there are no `to_…` triggers, and `to` raises `MachineError`.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary, WeakValueDictionary

import attrs
from transitions import MachineError
from transitions.extensions.nesting import (
    FunctionWrapper,
    HierarchicalMachine,
    NestedEventData,
    NestedState,
    NestedTransition,
)

from outlast.errors import MisuseError, UnknownName
from outlast.expr import Value
from outlast.moments import parse_duration
from outlast.plan import Machine, Plan, Transition, tables
from outlast.run import Event, Explanation, Instance, Step, System, step
from outlast.run.admission import refusal

__all__ = ["Live", "Refused", "attach", "attach_to", "follow"]

Shown: TypeAlias = "str | list[Shown]"
"""A state as the library writes it: a path, or a list of them for parallel regions."""

_OPTIONS = (
    *("name", "model_attribute", "model_override", "queued", "send_event", "ignore_invalid_triggers", "prepare_event"),
    *("before_state_change", "after_state_change", "finalize_event", "on_exception", "on_final"),
)


def attach(
    model: object,
    plan: Plan,
    machine: str,
    *,
    system: System | None = None,
    id_: str | None = None,
    state: str | None = None,
    separator: str = ".",
    **given: Any,
) -> Live:
    """Make an instance of `machine` and put its face onto `model`.

    `given` are the fields and refs of the instance, underscores for dashes, and whatever options of `HierarchicalMachine` are wanted
    (`ignore_invalid_triggers`, `queued`, `send_event`, `model_attribute`, `before_state_change`, …). A ref takes another attached
    object, an `Instance`, or the id of one; the new instance joins their system, or `system`, or a new one. `state` is where it starts;
    entering the first state calls no callback of `model`, as in the library, but its effects do. Raises UnknownName, RefusedInstance,
    MisuseError.
    """
    if machine not in plan.machines:
        raise UnknownName("machine", machine, plan.machines)
    compiled = plan.machines[machine]
    options: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for name, value in given.items():
        dashed = name.replace("_", "-")
        if dashed in compiled.refs:
            values[dashed] = _instance(value, compiled.refs[dashed].machine)
        elif dashed in compiled.fields:
            values[dashed] = value
        elif name in _OPTIONS:
            options[name] = value
        else:
            raise UnknownName(f"field, ref or option of {machine}", name, (*compiled.fields, *compiled.refs, *_OPTIONS))
    bound = [value for value in values.values() if isinstance(value, Instance)]
    if system is None:
        system = bound[0].system if bound else System(plan)
    if system.plan is not plan or any(value.system is not system for value in bound):
        raise MisuseError(f"`{machine}` and its refs are of different systems or plans")
    name = id_ or _unused(machine, system)
    begun = system.begin({name: (machine, values, state)})
    live = attach_to(model, system[name], separator=separator, **options)
    live.playback.show(attrs.evolve(begun[0], microsteps=()), *begun[1:])
    live.playback.play()
    return live


def attach_to(model: object, instance: Instance, *, separator: str = ".", **options: Any) -> Live:
    """Put the face of an instance that is already there, a spawned child for example, onto `model`. Raises UnknownName, MisuseError."""
    for name in options:
        if name not in _OPTIONS:
            raise UnknownName("option", name, _OPTIONS)
    if not separator or any(separator in _python(state.name) for state in instance.machine.states):
        raise MisuseError(f"`{separator}` cannot separate states: it is part of the name of one, or empty")
    earlier = _LIVES.get((id(model), instance.machine.name))
    if earlier is not None and earlier.model is model:
        raise MisuseError(f"this object is attached already, to `{earlier.instance.id}`")
    return _live_class(separator)(model, instance, options)


def follow(system: System, *steps: Step) -> None:
    """Show the attached objects of a system what was done to it behind their backs: the Steps that `System.send` or `advance` returned."""
    playback = _playback(system)
    for done in steps:
        playback.show(attrs.evolve(done, caused=()), *done.caused)
    playback.play()


class Refused(MachineError):
    """An event was refused; the text is the explanation."""

    def __str__(self) -> str:
        return self.value


class Live(HierarchicalMachine):
    """What `attach` returns: a `HierarchicalMachine` whose transitions are decided by a `System`."""

    def __init__(self, model: object, instance: Instance, options: Mapping[str, Any]) -> None:
        self.instance = instance
        self.system: System = instance.system
        self.compiled: Machine = instance.machine
        self.playback: _Playback = _playback(self.system)
        self.last: Step | None = None
        """The Step of the last trigger that was not refused."""
        self._refused = ""
        self._rows: dict[tuple[str, str], NestedTransition] = {}
        self._is: dict[str, FunctionWrapper] = {}
        self._kept = instance.snapshot.configuration
        self._paths = {state.name: self._path(state) for state in self.compiled.states}
        self._short = {path[-1]: path for path in self._paths.values()}
        self._declared = {_python(event.name): event for event in self.compiled.events.values() if not event.internal}
        super().__init__(
            model=None,
            states=[
                self._definition(state) for state in self.compiled.states if state.parent < 0 and not state.is_history
            ],
            initial=None,
            auto_transitions=False,
            **options,
        )
        for row in self.compiled.transitions:
            self._rows["", row.key] = self._library_row(row)
        for trigger, event in self._declared.items():
            self._listen(trigger, event)
        super().add_model(model, initial=self._shown(instance.snapshot.configuration))
        own: dict[str, Callable[..., Any]] = {"advance": self.advance, "fire_due": self.fire_due}
        for name, function in own.items():
            self._checked_assignment(model, name, function)
        self.playback.faces[instance.id] = self
        _LIVES[id(model), self.compiled.name] = self

    # ---- what the library does not have

    def advance(self, duration: str | int | timedelta) -> tuple[Step, ...]:
        """Let time pass for the whole system; callbacks are called for all it moves. See `System.advance`."""
        steps = self.system.advance(duration)
        self.playback.show(*steps)
        self.playback.play()
        return steps

    def fire_due(self, now: int | datetime) -> tuple[Step, ...]:
        """Let time pass until `now`: microseconds since the epoch, or a datetime (without an offset, UTC)."""
        if isinstance(now, datetime):
            aware = now if now.tzinfo else now.replace(tzinfo=UTC)
            now = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        steps = self.system.advance_to(now)
        self.playback.show(*steps)
        self.playback.play()
        return steps

    def explain(self, trigger: str, **kwargs: Any) -> Explanation:
        """Why a trigger would be accepted or refused, with the payload it would be given. Raises UnknownName."""
        if trigger not in self._declared:
            raise UnknownName("trigger", trigger, self._declared)
        return self._explained(self._event(self._declared[trigger], kwargs))

    # ---- the library asks, our engine decides

    def _trigger_event_nested(self, event_data: NestedEventData, trigger: str, _state_tree: object) -> bool | None:
        self.playback.play()  # an outer trigger may still have something to show: that was earlier
        if trigger not in self._declared:
            return None
        event = self._event(self._declared[trigger], event_data.kwargs)
        event_data.event = self.events[trigger]
        event_data.state = self._state_of(self._shown(self._configuration()))
        self.callbacks(self.prepare_event, event_data)
        self.advance(0)
        foreseen = self._foreseen(event)
        if foreseen is None or not foreseen.accepted:
            self._refused = self._refusal(event, foreseen)
            return None
        if foreseen.microsteps:
            self._before(foreseen, 0, trigger, event_data)
        done = self.system.send(self.instance, event.name, dict(event.payload), by=event.by)
        if not done.accepted:  # a callback has changed the world
            self._refused = self._refusal(event, done)
            self._catch_up()
            return None
        self.last = done
        self.playback.waiting.extend(self._scenes(done, trigger, event_data))
        self.playback.show(*done.caused)
        self.playback.play()
        return True

    def _check_event_result(self, res: bool | None, model: object, trigger: str) -> bool:  # noqa: ARG002
        if res is not None:
            return res
        text, self._refused = self._refused, ""
        leaves = self.compiled.innermost(self._configuration())
        flags = [self._node(name).ignore_invalid_triggers for name in leaves]
        if flags and all(self.ignore_invalid_triggers if flag is None else flag for flag in flags):
            return False
        if trigger in self._declared:
            raise Refused(text)
        raise AttributeError(f"Do not know event named '{trigger}'.")

    def _can_trigger(self, model: object, trigger: str, *args: Any, **kwargs: Any) -> bool:
        if trigger not in self._declared or self.instance.id not in self.system.world:
            return False
        self.callbacks(self.prepare_event, NestedEventData(None, self.events[trigger], self, model, args, kwargs))
        declared = self._declared[trigger]
        if not kwargs and any(field.required for field in declared.payload.values()):
            return any(offer.event == declared.name for offer in self.system.enabled(self.instance))
        foreseen = self._foreseen(self._event(declared, kwargs))
        return foreseen is not None and foreseen.accepted

    def to_state(self, model: object, state_name: str, *_args: Any, **_kwargs: Any) -> None:  # noqa: ARG002
        """Refused: states are entered by the plan's transitions. Raises MachineError."""
        raise MachineError(
            f"`{state_name}` cannot be entered from outside: only the transitions of the plan lead there"
        )

    def add_model(self, model: object, initial: object = None) -> None:  # noqa: ARG002
        """Refused: a machine drives one object. Raises MisuseError."""
        raise MisuseError("a machine drives one object: attach the other one, which makes an instance of its own")

    def get_state(self, state: Any, hint: list[str] | None = None) -> NestedState:
        """The library's state, by its path or, as names are unique, by its own name."""
        try:
            return super().get_state(state, hint)
        except ValueError:
            path = self._short.get(state) if isinstance(state, str) else None
            if path is None:
                raise
            return super().get_state(list(path))

    def is_state(self, state: Any, model: object, allow_substates: bool = False) -> bool:  # noqa: FBT002  # the library's signature
        """Whether the model is in a state, by its path or its own name."""
        path = self._short.get(state) if isinstance(state, str) else None
        return super().is_state(self._separator.join(path) if path else state, model, allow_substates)

    # ---- deciding

    def _event(self, declared: tables.Event, kwargs: Mapping[str, Any]) -> Event:
        said, by = dict[str, Value](), None
        for name, value in kwargs.items():
            dashed = name if name in declared.payload else name.replace("_", "-")
            if dashed in declared.payload:
                said[dashed] = _value(declared.payload[dashed], value)
            elif name == "by":
                by = value
            else:
                raise UnknownName(f"value of the event {declared.name}", name, (*declared.payload, "by"))
        complete = tuple((name, said.get(name, field.default)) for name, field in declared.payload.items())
        return Event(declared.name, complete, by=by)

    def _foreseen(self, event: Event) -> Step | None:
        """What the event would do to this instance, without it happening; None when there is no instance any more."""
        system, id_ = self.system, self.instance.id
        if id_ not in system.world:
            return None
        plan, snapshot = system.plan, system.look(id_)
        if objection := refusal(self.compiled.events[event.name], event, plan):
            return Step(plan, snapshot, snapshot, system.now, "event", event, refusal=objection)
        return step(plan, snapshot, event, system.now, world=system.world, terms=system.terms)

    def _explained(self, event: Event) -> Explanation:
        return self.system.explain(self.instance, event.name, dict(event.payload), by=event.by)

    def _refusal(self, event: Event, refused: Step | None) -> str:
        if refused is None:
            return f"`{event}` at `{self.instance.id}`: refused: it is no longer there"
        return str(attrs.evolve(self._explained(event), accepted=False, refusal=refused.refusal))

    # ---- showing what happened

    def _configuration(self) -> tuple[str, ...]:
        there = self.system.world.get(self.instance.id)
        return there.configuration if there else self._kept

    def _catch_up(self) -> None:
        """The state as it is, without a word."""
        for model in self.models:
            super().set_state(self._shown(self._configuration()), model)

    def _scenes(
        self, done: Step, trigger: str = "", event_data: NestedEventData | None = None
    ) -> Iterator[Callable[[], None]]:
        """Every callback a step deserves, in order. For one with a trigger, what comes before the change has already run."""
        name = done.event.name if done.event else done.cause
        data = event_data or NestedEventData(None, self._create_event(name, self), self, self.model, (), {})
        active = set(done.before.configuration)
        for index, micro in enumerate(done.microsteps):
            if not (trigger and index == 0):
                yield partial(self._before, done, index, "", data)
            active = (active - set(micro.exited)) | set(micro.entered)
            yield partial(self._arrive, frozenset(active), data)
            yield partial(self._after, done, index, trigger if index == 0 else "", data)
        for effect in done.effects:
            yield partial(self._tell, effect.name, effect.payload)

    def _before(self, done: Step, index: int, trigger: str, data: NestedEventData) -> None:
        micro = done.microsteps[index]
        for key in micro.transitions:
            data.transition = self._rows[trigger, key]
            self.callbacks([*self.before_state_change, *data.transition.before], data)
        for name in micro.exited:
            self._node(name).scoped_exit(data, self._scope(name))

    def _arrive(self, active: frozenset[str], data: NestedEventData) -> None:
        self._kept = tuple(state.name for state in self.compiled.states if state.name in active)
        super().set_state(self._shown(active), self.model)
        data.state = self._state_of(self._shown(active))

    def _after(self, done: Step, index: int, trigger: str, data: NestedEventData) -> None:
        micro = done.microsteps[index]
        for name in micro.entered:
            self._node(name).scoped_enter(data, self._scope(name))
        for name in micro.entered:
            if self.compiled.state(name).kind == "final":
                self._finished(name, data)
        for key in micro.transitions:
            data.transition = self._rows[trigger, key]
            self.callbacks([*data.transition.after, *self.after_state_change], data)

    def _finished(self, name: str, data: NestedEventData) -> None:
        """`on_final`: of the final state, of its parent, and of a parallel state all of whose regions are done."""
        state = self.compiled.state(name)
        self.callbacks(self._node(name).on_final, data)
        if state.parent < 0:
            self.callbacks(self.on_final, data)
            return
        parent = self.compiled.states[state.parent]
        self.callbacks(self._node(parent.name).on_final, data)
        if parent.parent >= 0 and self._is_done(parent.parent):
            self.callbacks(self._node(self.compiled.states[parent.parent].name).on_final, data)

    def _is_done(self, index: int) -> bool:
        state = self.compiled.states[index]
        if state.kind == "parallel":
            return all(self._is_done(child) for child in state.children)
        children = (self.compiled.states[child] for child in state.children)
        return any(child.kind == "final" and child.name in self._kept for child in children)

    def _tell(self, effect: str, payload: Iterable[tuple[str, Value]]) -> None:
        told = getattr(self.model, f"on_effect_{_python(effect)}", None)
        if told is not None:
            told(**{_python(name): value for name, value in payload})

    # ---- the library's picture of the machine

    @property
    def _separator(self) -> str:
        return self.state_cls.separator

    def _path(self, state: tables.State) -> list[str]:
        above = [self.compiled.states[index].name for index in state.ancestors if index >= 0]
        return [_python(name) for name in (*reversed(above), state.name)]

    def _node(self, name: str) -> Any:  # the stubs know less of it than there is
        return super().get_state(list(self._paths[name]))

    def _scope(self, name: str) -> list[str]:
        return self._paths[name][:-1]

    def _definition(self, state: tables.State) -> dict[str, Any]:
        children = [self.compiled.states[child] for child in state.children]
        found: dict[str, Any] = {"name": _python(state.name), "final": state.kind == "final"}
        if children:
            found["parallel" if state.kind == "parallel" else "children"] = [
                self._definition(child) for child in children
            ]
        if state.kind == "composite" and state.default:
            direct = [
                child for child in children if any(child.index == t or child.holds(t) for t in state.default.targets)
            ]
            found["initial"] = _python(direct[0].name) if direct else None
        return found

    def _library_row(self, row: Transition) -> NestedTransition:
        """The row as the library would describe it: a history by its parent, several targets by the first."""
        source = self._separator.join(self._paths[self.compiled.states[row.source].name])
        dest = None
        if row.targets:
            target = self.compiled.states[row.targets[0]]
            target = self.compiled.states[target.parent] if target.is_history else target
            dest = self._separator.join(self._paths[target.name])
        return self._create_transition(source, dest)

    def _listen(self, trigger: str, declared: tables.Event) -> None:
        event = self.events[trigger] = self._create_event(trigger, self)
        for row in self.compiled.transitions:
            if row.descriptors and row.hears(declared.name):
                known = self._rows[trigger, row.key] = self._library_row(row)
                if not row.refuse:
                    event.add_transition(known)

    def _state_of(self, shown: Shown) -> Any:
        return [self._state_of(each) for each in shown] if isinstance(shown, list) else self.get_state(shown)

    def _shown(self, active: Iterable[str]) -> Any:
        known = set(active)

        def below(indices: Iterable[int]) -> Shown | None:
            found: list[Shown] = []
            for index in indices:
                state = self.compiled.states[index]
                if state.name in known:
                    found.append(below(state.children) or self._separator.join(self._paths[state.name]))
            return found[0] if len(found) == 1 else found or None

        return below(state.index for state in self.compiled.states if state.parent < 0)

    def _add_model_to_state(self, state: NestedState, model: object) -> None:  # type: ignore[override]  # as in the stubs
        names = self.get_global_name(state.name, join=False)
        assert isinstance(names, list)
        function = partial(self.is_state, self._separator.join(names), model)
        if len(names) == 1:
            self._is[names[0]] = FunctionWrapper(function)  # type: ignore[call-arg]  # the stub asks for more than the class does
            self._checked_assignment(model, f"is_{names[0]}", self._is[names[0]])
        else:
            self._is[names[0]].add(function, names[1:])
            self._checked_assignment(model, f"is_{names[-1]}", function)
        for kind in self.state_cls.dynamic_methods:
            for method in dict.fromkeys((f"{kind}_{names[-1]}", f"{kind}_{'_'.join(names)}")):
                if inspect.ismethod(getattr(model, method, None)) and method not in getattr(state, kind):
                    state.add_callback(kind.removeprefix("on_"), method)
        with self(state.name):
            for child in self.states.values():
                self._add_model_to_state(child, model)


@attrs.define(eq=False)
class _Playback:
    """What the attached objects of one system have still to be shown, in the order it happened.

    A trigger inside a callback first shows what the outer one led to after the present transition, so no state is ever shown after a
    later one. The callbacks left of the present transition come last, as in the library.
    """

    faces: WeakValueDictionary[str, Live] = attrs.field(factory=WeakValueDictionary)
    waiting: deque[Callable[[], None]] = attrs.field(factory=deque)

    def show(self, *steps: Step) -> None:
        """Steps that were carried out."""
        for done in steps:
            face = self.faces.get(done.instance)
            if face is not None:
                self.waiting.extend(face._scenes(done))  # noqa: SLF001  # two halves of one thing

    def play(self) -> None:
        """Call every callback that waits. If one raises, the others are dropped, and every object says the state it is in."""
        try:
            while self.waiting:
                self.waiting.popleft()()
        except BaseException:
            self.waiting.clear()
            for face in list(self.faces.values()):
                face._catch_up()  # noqa: SLF001
            raise


_PLAYBACKS: WeakKeyDictionary[System, _Playback] = WeakKeyDictionary()
_LIVES: WeakValueDictionary[tuple[int, str], Live] = WeakValueDictionary()
"""(id of the object, machine) -> its face, which keeps the object alive and is kept alive by it."""


def _playback(system: System) -> _Playback:
    return _PLAYBACKS.setdefault(system, _Playback())


@cache
def _live_class(separator: str) -> type[Live]:
    state_class = type("State", (NestedState,), {"separator": separator})
    return type("Live", (Live,), {"state_cls": state_class, "__doc__": Live.__doc__})


def _python(name: str) -> str:
    return name.replace("-", "_")


def _unused(machine: str, system: System) -> str:
    count, name = 1, machine
    while name in system.world:
        count += 1
        name = f"{machine}-{count}"
    return name


def _instance(value: object, machine: str) -> Any:
    """Whatever a caller binds a ref to, as an instance or the id of one."""
    if isinstance(value, Live):
        return value.instance
    live = _LIVES.get((id(value), machine))
    if live is not None and live.model is value:
        return live.instance
    if isinstance(value, Instance | str):
        return value
    raise MisuseError(f"a ref to a {machine} needs an attached object, an instance or the id of one, not {value!r}")


def _value(field: tables.Field, value: Any) -> Value:
    if field.type.kind == "duration" and isinstance(value, timedelta):
        return value // timedelta(microseconds=1)
    if field.type.kind == "duration" and isinstance(value, str):
        try:
            return parse_duration(value)
        except ValueError as error:
            raise MisuseError(str(error)) from error
    found: Value = value
    return found
