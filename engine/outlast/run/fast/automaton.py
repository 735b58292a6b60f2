"""One machine alone, as light as possible: for a service that keeps its own instances and asks only what an event does to one.

`compile` gives a `Compiled`, which makes `Automaton`s. What they do is what an instance of a `System` does; what needs others (refs that have
to lead somewhere, sends, children) needs a System, and `Compiled.why_not` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, NoReturn

from outlast.errors import LimitExceeded, MisuseError, SnapshotError, UnknownName, listed
from outlast.expr import Value
from outlast.plan import Machine, Plan, tables
from outlast.run import admission
from outlast.run.explanation import Explanation, Offer, explain, explain_event, offers
from outlast.run.fast.forms import Alone, Way
from outlast.run.fast.packed import Whereabouts
from outlast.run.fast.places import History, compiled
from outlast.run.fast.unfolding import LONGEST, Unfolding
from outlast.run.fast.whole import checked, loop
from outlast.run.given import Given, as_duration, as_payload, as_value
from outlast.run.heart import fire, refuse, start, step
from outlast.run.instances import blank
from outlast.run.snapshot import Event, Snapshot, Timer
from outlast.run.steps import Effect, Step
from outlast.run.terms import DEFAULT_TERMS, Terms


class Spot(Whereabouts):
    """Where an automaton can be, and what to call there."""

    __slots__ = ("codes", "compiled", "fired", "heard", "said", "state")

    def __init__(self, compiled: Compiled, configuration: tuple[str, ...], history: History, done: bool) -> None:
        machine = compiled.machine
        super().__init__(machine.name, configuration, history, done)
        self.compiled = compiled
        self.state = " + ".join(machine.innermost(configuration))
        self.said: dict[str, Any] = {}
        """Event -> what to call when it is said without payload by nobody in particular."""
        self.heard: dict[str, Any] = {}
        """Event -> what to call once it is let in."""
        self.fired: dict[str, Any] = {}
        self.codes: dict[str | None, Any] = {None: self}
        """See `loop`; None leads back here."""
        for event in machine.events.values():
            if not event.internal:
                self.heard[event.name] = learn = partial(compiled.learn, self, event.name)
                self.said[event.name] = partial(_carefully, event.name) if event.payload else learn


def _carefully(event: str, m: Automaton) -> bool:
    declared = m.place.compiled.machine.events[event]
    return m.place.compiled.admit(m, Event(event, as_payload(declared, {})))


class Automaton:
    """One running machine. Made by `Compiled.new`."""

    __slots__ = ("kept", "place", "values", "way")
    place: Spot
    values: tuple[Value, ...]
    """The fields, in order of declaration."""
    way: Way | Step | None
    kept: Any

    def send(self, event: str, payload: Mapping[str, Given] | None = None, *, by: str | None = None) -> bool:
        """Say an event; answers whether it was accepted. Raises UnknownName, LimitExceeded."""
        if payload is None and by is None:
            try:
                function = self.place.said[event]
            except KeyError:
                admission.declared(self.place.compiled.machine, event)
                raise
            return function(self)  # type: ignore[no-any-return]
        compiled = self.place.compiled
        return compiled.admit(
            self, Event(event, as_payload(admission.declared(compiled.machine, event), payload or {}), by=by)
        )

    @property
    def state(self) -> str:
        """The innermost active state; several, in parallel regions, joined by ` + `."""
        return self.place.state

    @property
    def states(self) -> tuple[str, ...]:
        """Every active state, in document order."""
        return self.place.configuration

    @property
    def done(self) -> bool:
        """Whether it reached a final state of its machine."""
        return self.place.done

    @property
    def fields(self) -> dict[str, Value]:
        """Field values by name."""
        return dict(zip(self.place.compiled.machine.fields, self.values, strict=True))

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What the last event asks the embedding service to do."""
        way = self.way
        if way is None:
            return ()
        if isinstance(way, Step):
            return way.effects
        return way.values["effects"] if "effects" in way.values else self.kept[3]["effects"]  # type: ignore[no-any-return]

    @property
    def last(self) -> Step:
        """The last step in full: rows, clauses, effects, before and after. Raises MisuseError after `restore`: there is none."""
        way = self.way
        if way is None:
            raise MisuseError(f"nothing has happened to this {self.place.machine_name} since it was restored")
        if isinstance(way, Step):
            return way
        fields, timers, at, told = self.values, self.running, 0, None
        match way.keeps:
            case "fields":
                fields = self.kept
            case "instant":
                at = self.kept
            case "all":
                fields, timers, at, told = self.kept
        before = self.place.compiled.snapshot(way.before, fields, timers)
        return Step(**{**way.values, **(told or {}), "before": before, "after": self.snapshot, "at": at})

    @property
    def snapshot(self) -> Snapshot:
        """The whole state as a value."""
        return self.place.compiled.snapshot(self.place, self.values, self.running)

    @property
    def running(self) -> tuple[Timer, ...]:
        """The timers that run, in the order of the file."""
        return ()

    def explain(self, event: str, payload: Mapping[str, Given] | None = None, *, by: str | None = None) -> Explanation:
        """What would happen to an event, and why, without it happening. Raises UnknownName."""
        compiled = self.place.compiled
        declared = admission.declared(compiled.machine, event)
        said = Event(event, as_payload(declared, payload or {}), by=by)
        return explain_event(compiled.plan, self.snapshot, said, {})

    @property
    def why(self) -> Explanation:
        """Why the last event went the way it went."""
        return explain(self.last)

    @property
    def enabled(self) -> tuple[Offer, ...]:
        """What could be said now and be accepted."""
        return offers(self.place.compiled.plan, self.snapshot, {})

    def __repr__(self) -> str:
        return f"<{self.place.machine_name}: {self.state}>"


class TimedAutomaton(Automaton):
    """One running machine that has timers. Time is what it is told."""

    __slots__ = ("now", "timers")
    now: int
    """The instant, in microseconds since the epoch."""
    timers: tuple[Timer, ...]

    def send(
        self,
        event: str,
        payload: Mapping[str, Given] | None = None,
        *,
        by: str | None = None,
        at: int | None = None,
    ) -> bool:
        """Say an event, at `at` (default: now); what is due by then happens first. Raises UnknownName, LimitExceeded, MisuseError."""
        if payload is None and by is None and at is None and not (self.timers and self._is_due()):
            try:
                function = self.place.said[event]
            except KeyError:
                admission.declared(self.place.compiled.machine, event)
                raise
            return function(self)  # type: ignore[no-any-return]
        compiled = self.place.compiled
        said = Event(event, as_payload(admission.declared(compiled.machine, event), payload or {}), by=by)
        admission.check_actor(compiled.plan, by)
        self.advance_to(self.now if at is None else at)
        return compiled.admit(self, said)

    def _is_due(self) -> bool:
        return any(timer.due <= self.now for timer in self.timers)

    @property
    def next_due(self) -> int | None:
        """The next instant at which time alone changes something."""
        return min((timer.due for timer in self.timers), default=None)

    @property
    def deadlines(self) -> tuple[Timer, ...]:
        """Running timers, soonest first."""
        return tuple(sorted(self.timers, key=lambda timer: timer.due))

    def advance(self, duration: str | int | timedelta) -> tuple[Step, ...]:
        """Let time pass; returns a Step for every timer that fired, in order. Raises MisuseError, LimitExceeded."""
        return self.advance_to(self.now + as_duration(duration))

    def advance_to(self, instant: int) -> tuple[Step, ...]:
        """Let time pass until `instant`, firing all that is due, in order."""
        if instant < self.now:
            raise MisuseError("time does not run backwards")
        return tuple(self.place.compiled.fire(self, instant))

    @property
    def running(self) -> tuple[Timer, ...]:
        """The timers that run, in the order of the file."""
        return self.timers


class Compiled:
    """One machine of a plan, to be run alone. Made by `compile`."""

    def __init__(self, plan: Plan, machine: Machine, terms: Terms) -> None:
        self.plan, self.machine, self.terms = plan, machine, terms
        self.timed = any(state.timers for state in machine.states)
        self._kind = TimedAutomaton if self.timed else Automaton
        self._spots: dict[tuple[Any, ...], Spot] = {}
        self._nowhere = self.spot((), (), False)
        self._start: Any = partial(self.learn, self._nowhere, None)
        self._checked = checked(machine)
        self._many: Any = None

    # ---- making one

    def new(self, now: int = 0, /, **given: Given) -> Automaton:
        """An automaton in its first state, at the instant `now`. `given` are fields by name, underscores for dashes.

        Raises UnknownName, RefusedInstance, LimitExceeded.
        """
        m = self._kind()
        m.values = self._checked(given) or self._values(given)
        m.place = self._nowhere
        if self.timed:
            m.now, m.timers = now, ()  # type: ignore[attr-defined]  # it is a TimedAutomaton
        self._start(m)
        return m

    def _values(self, given: Mapping[str, Given]) -> tuple[Value, ...]:
        """The fields, one that objects included. Raises UnknownName, RefusedInstance."""
        fields: dict[str, Value] = {}
        for name, value in given.items():
            field = self.machine.fields.get(name) or self.machine.fields.get(name.replace("_", "-"))
            if field is None:
                raise UnknownName(f"field of {self.machine.name}", name, self.machine.fields)
            fields[field.name] = as_value(field, value)
        return blank(self.plan, self.machine.name, self.machine.name, fields, {}).values

    def restore(self, snapshot: Snapshot, now: int = 0) -> Automaton:
        """An automaton that goes on where its `snapshot` was taken. Raises SnapshotError for one of another machine."""
        if snapshot.machine != self.machine.name or len(snapshot.values) != len(self.machine.fields):
            raise SnapshotError(f"the snapshot is of a {snapshot.machine}, not of this {self.machine.name}")
        m = self._kind()
        m.place = self.spot(snapshot.configuration, snapshot.history, snapshot.done)
        m.values, m.way = snapshot.values, None
        if isinstance(m, TimedAutomaton):
            m.now, m.timers = now, snapshot.timers
        return m

    # ---- many events

    def send_many(self, m: Automaton, events: Iterable[str], effects: list[Effect] | None = None) -> int:
        """Say events one after the other, without payloads; answers how many were accepted.

        What they ask the embedding service to do is appended to `effects`. Raises what `send` raises, at the event it raises it for.
        """
        said = list(events)
        if not said:
            return 0
        if self._many is None:
            self._many = loop(self.plan, self.machine, self.terms, self.spot, self.explored()) or _one_by_one
        if isinstance(m, TimedAutomaton):
            m.advance_to(m.now)
        accepted: int = self._many(m, said[:-1], effects)
        accepted += m.send(said[-1])
        if effects is not None:
            effects += m.effects
        return accepted

    # ---- what automata ask for

    def spot(self, configuration: tuple[str, ...], history: History, done: bool) -> Spot:
        """The spot of a configuration and history."""
        key = (configuration, history, done)
        found = self._spots.get(key)
        if found is None:
            found = self._spots[key] = Spot(self, configuration, history, done)
        return found

    def snapshot(self, where: Whereabouts, values: tuple[Value, ...], timers: tuple[Timer, ...]) -> Snapshot:
        """An automaton as a value; its id is the name of its machine."""
        name, nobody = self.machine.name, (None,) * len(self.machine.refs)
        return Snapshot(name, name, where.configuration, values, nobody, where.history, timers, done=where.done)

    def admit(self, m: Automaton, said: Event) -> bool:
        """An event that needs a look at its payload and at who says it."""
        if why := admission.refusal(self.machine.events[said.name], said, self.plan):
            return self.adopt(m, refuse(self.plan, m.snapshot, said, _now(m), why, terms=self.terms))
        return m.place.heard[said.name](m, said)  # type: ignore[no-any-return]

    def learn(self, spot: Spot, event: str | None, m: Automaton, said: Event | None = None) -> bool:
        """Compile what an event does at a spot, and do it. No event: the start."""
        function = self.function(self.unfolding(spot, event, None, heard=said is not None))
        if event is None:
            self._start = function
        else:
            (spot.said if said is None else spot.heard)[event] = function
        return function(m) if said is None else function(m, said)  # type: ignore[no-any-return]

    def unfolding(self, spot: Spot, event: str | None, timer: str | None, *, heard: bool = False) -> Unfolding:
        """What an event, a timer or the start does at a spot; `heard` as in `Alone`."""
        leave = "return interpreted(m, event)" if timer is None else f"return fired(m, {timer!r})"
        form = Alone(self.spot, timed=self.timed, leave=leave, heard=heard)
        return Unfolding(self.plan, self.machine, spot, form, event=event, timer=timer)

    def function(self, unfolding: Unfolding) -> Any:
        """Its function; the interpreter's, where there is none."""
        said = Event(unfolding.event) if unfolding.event is not None else None
        names = {"SAID": said, "interpreted": self.interpreted, "fired": self.fired}
        too_long = self.terms.microsteps <= LONGEST
        found = None if too_long else compiled(unfolding, "m, event=SAID", names)
        if found is not None:
            return found
        if unfolding.timer is not None:
            return partial(self.fired, key=unfolding.timer)
        return lambda m, event=said: self.interpreted(m, event)

    def interpreted(self, m: Automaton, event: Event | None) -> bool:
        """One event, or the start, by the interpreter."""
        if event is None:
            return self.adopt(m, start(self.plan, m.snapshot, _now(m), terms=self.terms))
        return self.adopt(m, step(self.plan, m.snapshot, event, _now(m), terms=self.terms))

    def fired(self, m: Automaton, key: str) -> bool:
        """One timer, by the interpreter."""
        return self.adopt(m, fire(self.plan, m.snapshot, key, _now(m), terms=self.terms))

    def adopt(self, m: Automaton, done: Step) -> bool:
        """Be as a step of the interpreter left it."""
        after = done.after
        m.place, m.values, m.way = self.spot(after.configuration, after.history, after.done), after.values, done
        if isinstance(m, TimedAutomaton):
            m.timers = after.timers
        return done.accepted

    def fire(self, m: TimedAutomaton, until: int) -> Iterator[Step]:
        """Everything due by `until`, in order: all of it, or nothing."""
        before = [(name, getattr(m, name)) for name in ("place", "values", "now", "timers", "way")]
        turns = 0
        try:
            while (
                m.timers
                and (timer := min(m.timers, key=lambda item: (item.due, self.machine.arrows[item.key].index))).due
                <= until
            ):
                turns = turns + 1 if timer.due <= m.now else 0
                if turns > self.terms.cascade:
                    self.does_not_rest()
                m.now = max(m.now, timer.due)
                if timer.key not in m.place.fired:
                    m.place.fired[timer.key] = self.function(self.unfolding(m.place, None, timer.key))
                m.place.fired[timer.key](m)
                yield m.last
        except BaseException:
            for name, value in before:
                setattr(m, name, value)
            raise
        m.now = until

    def does_not_rest(self) -> NoReturn:
        """Time stands still. Raises LimitExceeded."""
        raise LimitExceeded(f"`{self.machine.name}` does not come to rest: time stands still at its timers")

    # ---- what is compiled

    def explored(self, most: int = 1_000) -> Iterator[tuple[Spot, str, Unfolding]]:
        """(spot, event or key of a timer, its unfolding) for every spot that can be reached from the start, `most` pairs of them."""
        first = self.unfolding(self._nowhere, None, None)
        first.unfold()
        seen, waiting, count = set[int](), [*first.leads_to], 0
        while waiting:
            spot = waiting.pop(0)
            if id(spot) in seen or spot.done:
                continue
            seen.add(id(spot))
            timers = [
                self.machine.transitions[n].key for name in spot.configuration for n in self.machine.state(name).timers
            ]
            for event, timer in [*((name, None) for name in spot.heard), *((None, key) for key in timers)]:
                unfolding = self.unfolding(spot, event, timer)
                unfolding.unfold()
                waiting += unfolding.leads_to
                yield spot, event or timer or "", unfolding
                count += 1
                if count >= most:
                    return

    def gaps(self) -> tuple[tuple[str, str, str], ...]:
        """(state, event, why) for all that is left to the interpreter wherever the machine can get to. It is slower there, and no different."""
        return tuple(
            (spot.state, name, why)
            for spot, name, unfolding in self.explored()
            for why in dict.fromkeys(unfolding.left)
        )


def compile(plan: Plan, machine: str | None = None, *, terms: Terms = DEFAULT_TERMS) -> Compiled:  # noqa: A001  # as in `re.compile`
    """A machine of a plan, to be run alone; without a name, the plan's only one.

    Raises UnknownName, and MisuseError where it needs others: see `why_not`.
    """
    if machine is None:
        if len(plan.machines) > 1:
            raise MisuseError(f"`{plan.name}` has several machines: say which of {listed(plan.machines)}")
        machine = next(iter(plan.machines))
    if machine not in plan.machines:
        raise UnknownName("machine", machine, plan.machines)
    if why := why_not(plan.machines[machine]):
        raise MisuseError(f"`{machine}` cannot be run alone, only in a System: {why}")
    key = f"compiled {machine} {terms}"
    found = plan.kept.get(key)
    if not isinstance(found, Compiled):
        found = plan.kept[key] = Compiled(plan, plan.machines[machine], terms)
    return found


def why_not(machine: Machine) -> str | None:
    """Why a machine cannot be run alone; None if it can."""
    needed = [ref.name for ref in machine.refs.values() if not ref.optional]
    if needed:
        return f"its ref `{needed[0]}` has to lead to an instance"
    for action in machine.actions:
        if isinstance(action, tables.Send):
            return f"it sends `{action.event}`"
        if isinstance(action, tables.Spawn):
            return f"it makes a {action.machine}"
    return None


def _now(m: Automaton) -> int:
    return m.now if isinstance(m, TimedAutomaton) else 0


def _one_by_one(m: Automaton, events: list[str], effects: list[Effect] | None) -> int:
    accepted = 0
    for event in events:
        accepted += m.send(event)
        if effects is not None:
            effects += m.effects
    return accepted
