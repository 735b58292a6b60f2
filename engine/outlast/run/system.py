"""A system at work: instances bound to each other, one queue, virtual time. The only module of the chapter that changes anything.

The order of everything that happens at one instant is fixed:

1. Timers and delayed sends due at `t` happen before an outside event stamped `t`. Among those due together: the instance made
   first, then timers before delayed sends, then the order of the file (timers) or of sending.
2. One queue for the whole system, first in, first out. A step puts into it what it sent, in order, then, for each state it entered, the
   observations, watchers in the order they were made; then `done.invoke` for its parent. A child it made comes after that.
3. Children a step stops end at once, before the queue goes on.

Whatever an event causes, or the passing of time, happens completely or, if a limit is hit, not at all.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import attrs

from outlast.errors import InstanceExists, LimitExceeded, MisuseError, SnapshotError, UnknownName
from outlast.expr import Value
from outlast.plan import Machine, Plan
from outlast.run import admission
from outlast.run.explanation import Explanation, Offer, explain_event, offers
from outlast.run.fast import LONGEST, Function, Packed, Places, Taken, interpreted
from outlast.run.given import Given as Given  # noqa: PLC0414  # said here too
from outlast.run.given import as_duration, as_payload, as_value
from outlast.run.heart import fire, refuse, start, step, stop
from outlast.run.instances import blank
from outlast.run.population import Due, Population
from outlast.run.saved import SystemSnapshot
from outlast.run.shown import Shown
from outlast.run.snapshot import Event, Snapshot
from outlast.run.steps import Delivery, Step
from outlast.run.terms import DEFAULT_TERMS, Terms
from outlast.run.watch import Hearing
from outlast.values import frozen


@frozen
class Instance(Shown):
    """A handle on one instance of a system; always shows its present state."""

    system: System = attrs.field(repr=False)
    id: str
    began: tuple[Step, ...] = attrs.field(default=(), eq=False, repr=False)
    """The steps its making caused, its own first one first; only on the handle that `add` and `make` return."""

    @property
    def snapshot(self) -> Snapshot:
        """The whole state as a value. Raises UnknownName once the instance is gone."""
        return self.system.look(self.id)

    @property
    def machine(self) -> Machine:
        """The compiled machine."""
        return self.system.plan.machines[self.snapshot.machine]


class System:
    """Instances of the machines of one plan, in virtual time."""

    def __init__(
        self,
        plan: Plan,
        *,
        now: int = 0,
        terms: Terms = DEFAULT_TERMS,
        compiled: bool | None = None,
        population: Population | None = None,
    ) -> None:
        """`now` is the first instant, in microseconds since the epoch; `compiled`: whether steps are; what happens often, if left out.

        `population`: whose instances these are, if they are kept elsewhere.
        """
        self.plan, self.now, self.terms = plan, now, terms
        if population is None:
            cold = compiled is False or terms.microsteps <= LONGEST
            population = Population(plan, terms.instances, None if cold else Places.of(plan, at_once=compiled is True))
        self._population = population
        self._world, self._agenda = self._population.world, self._population.agenda
        self._known = self._population.watchers.known
        self._queue: deque[Delivery] = deque()

    # ---- looking

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Every live instance, in the order they were made."""
        return tuple(Instance(self, id_) for id_ in self._population)

    def __getitem__(self, id_: str) -> Instance:
        """The instance called `id_`. Raises UnknownName."""
        self.look(id_)
        return Instance(self, id_)

    def look(self, id_: str) -> Snapshot:
        """The present snapshot of an instance. Raises UnknownName."""
        if id_ not in self._world:
            raise UnknownName("instance", id_, self._world)
        return self._world[id_]

    @property
    def world(self) -> Mapping[str, Snapshot]:
        """Every instance's snapshot. Not to be changed."""
        return self._world

    @property
    def next_due(self) -> int | None:
        """The next instant at which time alone changes something."""
        due = self._population.next_due
        return due.at if due else None

    def enabled(self, instance: Instance | str) -> tuple[Offer, ...]:
        """What the outside could say to an instance now and have accepted."""
        return offers(self.plan, self.look(_id(instance)), self._world)

    def explain(
        self, instance: Instance | str, event: str, payload: Mapping[str, Given] | None = None, *, by: str | None = None
    ) -> Explanation:
        """What would happen to an event, and why, without it happening. Raises UnknownName."""
        snapshot = self.look(_id(instance))
        declared = admission.declared(self.plan.machines[snapshot.machine], event)
        said = Event(event, as_payload(declared, payload or {}), by=by)
        return explain_event(self.plan, snapshot, said, self._world)

    # ---- saving

    def snapshot(self) -> SystemSnapshot:
        """The whole system as a value, timers and delayed sends included."""
        plan = self.plan
        readings = tuple(plan.readings.items())
        instances = tuple(self._world[id_] for id_ in self._population)
        return SystemSnapshot(plan.name, plan.hash, readings, self.now, self.terms.resolve, instances)

    @classmethod
    def restore(cls, plan: Plan, snapshot: SystemSnapshot, *, terms: Terms | None = None) -> System:
        """A system that goes on exactly where the snapshot was taken. Raises SnapshotError when it is of another specification."""
        if snapshot.hash != plan.hash or dict(snapshot.readings) != dict(plan.readings):
            raise SnapshotError(f"the snapshot was made under another version or reading of `{plan.name}`")
        system = cls(plan, now=snapshot.now, terms=terms or Terms(resolve=snapshot.resolve))
        for instance in snapshot.instances:
            system._population.put(instance)
        return system

    # ---- acting

    def add(self, machine: str, id_: str, *, state: str | None = None, **given: Given | Instance) -> Instance:
        """Make an instance and let it enter its first state (or `state`).

        `given` are fields and refs by name, underscores for dashes; a ref takes an instance or its id. Raises UnknownName, RefusedInstance,
        LimitExceeded.
        """
        with_dashes = {self._name(machine, name): value for name, value in given.items()}
        return self.make(machine, id_, with_dashes, state=state)

    def make(
        self, machine: str, id_: str, given: Mapping[str, Given | Instance], *, state: str | None = None
    ) -> Instance:
        """`add`, with the exact names of fields and refs in a mapping."""
        snapshot = self._blank(machine, id_, given)
        for ref in snapshot.refs:
            if ref is not None:
                self.look(ref)

        def work() -> Iterator[Step]:
            self._population.put(snapshot)
            yield from self._bounded(self._start(id_, state, silent=False))

        return Instance(self, id_, self._transaction(work))

    def begin(self, given: Mapping[str, tuple[str, Mapping[str, Given | Instance], str | None]]) -> tuple[Step, ...]:
        """Make several instances at once: id -> (machine, fields and refs, state). Refs may name any of them.

        All are bound first, then each enters its first state in order; nobody observes that.
        """
        blanks = [self._blank(machine, id_, values) for id_, (machine, values, _) in given.items()]
        for snapshot in blanks:
            for name, other in zip(self.plan.machines[snapshot.machine].refs, snapshot.refs, strict=True):
                if other is not None and other in given:
                    self._check_ref(snapshot.machine, snapshot.id, name, other, given[other][0])
                elif other is not None and other not in self._world:
                    known = (*self._world, *given)
                    raise UnknownName(f"instance for the ref `{name}` of `{snapshot.id}`", other, known)

        def all_of_them() -> Iterator[Step]:
            for snapshot in blanks:
                self._population.put(snapshot)
            for snapshot in blanks:
                yield from self._bounded(self._start(snapshot.id, given[snapshot.id][2], silent=True))

        return self._transaction(all_of_them)

    def send(
        self,
        instance: Instance | str,
        event: str,
        payload: Mapping[str, Given] | None = None,
        *,
        by: str | None = None,
        at: int | None = None,
    ) -> Step:
        """Say an event to an instance, at `at` (default: now); returns its Step, with all it `caused`.

        What is due by then happens first, and is in `preceded`. Raises UnknownName for an event the machine does not know, LimitExceeded. An event that is
        not accepted is no error: the Step says why in `refusal`.
        """
        id_ = instance.id if isinstance(instance, Instance) else instance
        if payload is None and by is None and at is None and not ((due := self._agenda) and due[0][0] <= self.now):
            try:
                was: Any = self._world[id_]  # a Packed, or something without a place, which is looked at closely
                function: Function = was.place.said[event]
            except (AttributeError, KeyError):
                was, function = None, interpreted
            done = function(self, was)
            if done is not None:
                path = done.path
                if path.quiet:
                    self._world[id_] = done.after
                elif not (path.calm and self._settled(id_, done)):
                    done.caused = self._in_force(done)  # type: ignore[misc]  # nobody has seen it yet
                return done
        snapshot = self.look(id_)
        declared = admission.declared(self.plan.machines[snapshot.machine], event)
        said = Event(event, as_payload(declared, payload or {}), by=by)
        admission.check_actor(self.plan, by)
        preceded = self.advance_to(self.now if at is None else at)
        snapshot = self.look(id_)  # it may have ended meanwhile
        if why := admission.refusal(declared, said, self.plan):
            refused = refuse(self.plan, snapshot, said, self.now, why, world=self._world, terms=self.terms)
            return attrs.evolve(refused, preceded=preceded)
        first = self._step(snapshot, said)
        caused = self._led_to(first)
        return (
            first if first.caused is caused and not preceded else attrs.evolve(first, preceded=preceded, caused=caused)
        )

    def advance(self, duration: str | int | timedelta) -> tuple[Step, ...]:
        """Let time pass; returns every Step it caused, in order. Raises MisuseError for a negative duration, LimitExceeded."""
        microseconds = as_duration(duration)
        if microseconds < 0:
            raise MisuseError("time does not run backwards")
        return self.advance_to(self.now + microseconds)

    def advance_to(self, instant: int) -> tuple[Step, ...]:
        """Let time pass until `instant` (microseconds since the epoch), firing all that is due, in order."""
        if instant < self.now:
            raise MisuseError("time does not run backwards")
        steps = self._pass(instant)
        self.now = instant
        return steps

    # ---- putting right what was seen to be otherwise

    def hasten(self, instance: Instance | str, key: str) -> tuple[Step, ...]:
        """Let the running timer of the row `key` go off now. Raises MisuseError if it does not run, LimitExceeded."""
        snapshot = self.look(_id(instance))
        if key not in {timer.key for timer in snapshot.timers}:
            raise MisuseError(f"no timer of `{key}` is running in `{snapshot.id}`")
        timers = tuple(attrs.evolve(timer, due=self.now) if timer.key == key else timer for timer in snapshot.timers)

        def work() -> Iterator[Step]:
            self._population.put(attrs.evolve(snapshot, timers=timers))
            yield from self._happenings(self.now)

        return self._transaction(work)

    def reset(self, instance: Instance | str, state: str) -> tuple[Step, ...]:
        """Let an instance begin again in `state`, with the fields and refs it has and without its children.

        Who observes it hears of it. Raises UnknownName, LimitExceeded.
        """
        before = self.look(_id(instance))
        bound = zip(self.plan.machines[before.machine].refs, before.refs, strict=True)
        made = dict(before.children)
        refs = tuple(None if made.get(name) == id_ else id_ for name, id_ in bound)
        fresh = attrs.evolve(
            before, configuration=(), refs=refs, history=(), timers=(), delayed=(), children=(), done=False
        )

        def work() -> Iterator[Step]:
            for child in made.values():
                self._remove(child)
            self._population.put(fresh)
            yield from self._bounded(self._start(fresh.id, state, silent=False))

        return self._transaction(work)

    def remove(self, instance: Instance | str) -> None:
        """Forget an instance and its children. Nothing of theirs is pending any more, and nobody hears of it. Raises UnknownName."""
        id_ = self.look(_id(instance)).id

        def work() -> Iterator[Step]:
            self._remove(id_)
            yield from ()

        self._transaction(work)

    def _remove(self, id_: str) -> None:
        if id_ in self._world:
            for _, child in self._world[id_].children:
                self._remove(child)
            self._population.remove(id_)

    # ---- one transaction

    def _transaction(self, work: Callable[[], Iterator[Step]]) -> tuple[Step, ...]:
        now = self.now
        try:
            with self._population.transaction():
                return tuple(work())
        except BaseException:
            self.now = now
            raise
        finally:
            self._queue.clear()

    def _bounded(self, steps: Iterator[Step]) -> Iterator[Step]:
        recent: deque[Step] = deque(maxlen=8)
        for count, done in enumerate(steps):
            recent.append(done)
            if count >= self.terms.cascade:
                last = [f"{step.instance} {step.event or step.cause}" for step in recent]
                raise LimitExceeded(f"one event led to more than {self.terms.cascade} steps", last)
            yield done

    def _start(self, id_: str, state: str | None, *, silent: bool) -> Iterator[Step]:
        first = self._first(self._world[id_], state)
        yield first
        yield from self._apply(first, silent=silent)
        yield from self._drain()

    def _drain(self) -> Iterator[Step]:
        while self._queue:
            delivery = self._queue.popleft()
            receiver = self._world.get(delivery.to)
            if receiver is None or self._is_outdated(delivery):
                continue  # stopped meanwhile: nobody is there to hear it, or to say it
            done = self._step(receiver, delivery.event)
            yield done
            yield from self._apply(done)

    def _apply(self, done: Step, *, silent: bool = False) -> Iterator[Step]:
        """Put a step into force; yields the steps that belong to it: first ones of children, last ones of those stopped."""
        self._population.put(done.after)
        self._queue.extend(item for item in done.sent if done.cause != "stop" or not _is_parent(item.to, done.after))
        for first in done.made:
            yield first
            yield from self._apply(first)
        if not silent:
            self._queue.extend(self._observations(done))
        after = done.after
        if after.done and not done.before.done and after.parent and done.cause != "stop":
            parent, ref = after.parent
            event = Event(f"done.invoke.{ref}", done.answer, sender=after.id)
            if self._listens(parent, event):
                self._queue.append(Delivery(parent, event))
        for child in done.stopped:
            if child in self._world:
                last = self._stop(self._world[child])
                yield last
                yield from self._apply(last)
                self._population.remove(child)

    def _is_outdated(self, delivery: Delivery) -> bool:
        """Whether a child is reported done that another has since replaced; one that was stopped when done is still reported."""
        event = delivery.event
        if not event.name.startswith("done.invoke.") or event.sender in self._world:
            return False
        return any(ref == event.name.removeprefix("done.invoke.") for ref, _ in self._world[delivery.to].children)

    def _observations(self, done: Step) -> Iterator[Delivery]:
        for state in done.entered:
            for watcher, chain in self._population.watchers.of(done.after, state, self._world, self._population.order):
                yield Delivery(watcher, Event(".".join((*chain, state)), sender=done.instance))

    def _listens(self, id_: str, event: Event) -> bool:
        """Whether any row of an instance's machine could hear the event: what nobody waits for makes no step."""
        rows = self.plan.machines[self._world[id_].machine].transitions if id_ in self._world else ()
        return any(row.hears(event.name) for row in rows)

    # ---- one step of one instance

    def _settled(self, id_: str, first: Taken) -> bool:
        """Put a calm step into force and let those hear of it who observe it, and so on, as `_apply` and `_drain` do, as long as all steps are calm.

        Where one is not, everything is as before, and the answer is no.
        """
        world, path = self._world, first.path
        world[id_] = after = first.after
        if path.arms:
            self._population.book(id_, after.timers + after.rest[3])
        if not path.entered:
            return True
        caused: list[Taken] = []
        try:
            telling = self._known[id_][path]
        except KeyError:
            telling = self._hearing(id_, first)
        while telling:  # what they hear who were told just now comes after all of them
            further: Hearing = ()
            for watcher, name, event in telling:
                receiver: Any = world[watcher]
                try:
                    function = receiver.place.heard[name]
                except KeyError:
                    function = receiver.place.hears(name)
                done = function(self, receiver, event)
                if done is None or not (path := done.path).calm:
                    return self._withdrawn(first, caused)
                caused.append(done)
                world[watcher] = after = done.after
                if path.arms:
                    self._population.book(watcher, after.timers + after.rest[3])
                if path.entered:
                    further += self._hearing(watcher, done)
            telling = further
            if len(caused) >= self.terms.cascade:
                return self._withdrawn(first, caused)
        first.caused = (*caused,)  # type: ignore[misc]  # nobody has seen it yet
        return True

    def _hearing(self, id_: str, done: Taken) -> Hearing:
        try:
            return self._known[id_][done.path]
        except KeyError:
            return self._population.watchers.hearing(done.after, done.path, self._world, self._population.order)

    def _withdrawn(self, first: Taken, caused: list[Taken]) -> bool:
        for done in (*reversed(caused), first):
            self._world[done.instance] = done.before
        return False

    def _led_to(self, first: Step) -> tuple[Step, ...]:
        """Put a step into force, quickly if it is calm; all it led to."""
        if isinstance(first, Taken) and first.path.calm and self._settled(first.instance, first):
            return first.caused
        return self._in_force(first)

    def _in_force(self, first: Step) -> tuple[Step, ...]:
        """Put a step into force, whatever it is; all it led to."""

        def work() -> Iterator[Step]:
            yield first
            yield from self._apply(first)
            yield from self._drain()

        return self._transaction(partial(self._bounded, work()))[1:]

    def _step(self, snapshot: Snapshot, event: Event) -> Step:
        if isinstance(snapshot, Packed):
            function: Function = snapshot.place.hears(event.name)
            if done := function(self, snapshot, event):
                return done
        return step(self.plan, snapshot, event, self.now, world=self._world, terms=self.terms)

    def _first(self, snapshot: Snapshot, state: str | None) -> Step:
        if isinstance(snapshot, Packed) and state is None:
            function: Function = snapshot.place.begins
            if done := function(self, snapshot):
                return done
        return start(self.plan, snapshot, self.now, world=self._world, terms=self.terms, state=state)

    def _fire(self, snapshot: Snapshot, key: str) -> Step:
        if isinstance(snapshot, Packed):
            function: Function = snapshot.place.fires(key)
            if done := function(self, snapshot):
                return done
        return fire(self.plan, snapshot, key, self.now, world=self._world, terms=self.terms)

    def _stop(self, snapshot: Snapshot) -> Step:
        return stop(self.plan, snapshot, self.now, world=self._world, terms=self.terms)

    # ---- time

    def _pass(self, until: int) -> tuple[Step, ...]:
        """Everything due up to `until`, in order: all of it, or nothing."""
        return self._transaction(partial(self._happenings, until))

    def _happenings(self, until: int) -> Iterator[Step]:
        turns: Counter[str] = Counter()
        while (due := self._population.next_due) and due.at <= until:
            if due.at > self.now:
                self.now = due.at
                turns.clear()
            turns[due.instance] += 1
            if turns[due.instance] > self.terms.cascade:
                raise LimitExceeded(
                    f"`{due.instance}` does not come to rest: time stands still at its timers and sends"
                )
            yield from self._bounded(self._happen(due))

    def _happen(self, due: Due) -> Iterator[Step]:
        snapshot = self._world[due.instance]
        if due.is_send:
            arrived = next(item for item in snapshot.delayed if item.turn == due.number)
            remaining = tuple(item for item in snapshot.delayed if item is not arrived)
            self._population.put(attrs.evolve(snapshot, delayed=remaining))
            self._queue.append(Delivery(arrived.to, arrived.event))
        else:
            key = self.plan.machines[snapshot.machine].transitions[due.number].key
            if self.terms.chosen:
                self.terms = self.terms.met(due.instance, key, due.at)
            done = self._fire(snapshot, key)
            yield done
            yield from self._apply(done)
        yield from self._drain()

    # ---- what callers write

    def _blank(self, machine: str, id_: str, given: Mapping[str, Given | Instance]) -> Snapshot:
        if machine not in self.plan.machines:
            raise UnknownName("machine", machine, self.plan.machines)
        if id_ in self._world:
            raise InstanceExists(id_)
        compiled = self.plan.machines[machine]
        fields: dict[str, Value] = {}
        refs: dict[str, str | None] = {}
        for name, value in given.items():
            if name in compiled.refs:
                refs[name] = value.id if isinstance(value, Instance) else None if value is None else str(value)
            elif name in compiled.fields:
                if isinstance(value, Instance):
                    raise MisuseError(f"`{name}` is a field of {machine}, not a ref: it takes no instance")
                fields[name] = as_value(compiled.fields[name], value)
            else:
                raise UnknownName(f"field or ref of {machine}", name, (*compiled.fields, *compiled.refs))
        for name, other in refs.items():
            if other is not None and other in self._world:
                self._check_ref(machine, id_, name, other, self._world[other].machine)
        return blank(self.plan, machine, id_, fields, refs)

    def _check_ref(self, machine: str, id_: str, name: str, other: str, found: str) -> None:
        wanted = self.plan.machines[machine].refs[name].machine
        if found != wanted:
            raise MisuseError(f"the ref `{name}` of `{id_}` leads to a {wanted}, and `{other}` is a {found}")

    def _name(self, machine: str, name: str) -> str:
        compiled = self.plan.machines.get(machine)
        dashed = name.replace("_", "-")
        known = (*compiled.fields, *compiled.refs) if compiled else ()
        return dashed if dashed in known else name


def _is_parent(id_: str, child: Snapshot) -> bool:
    """Whether `id_` made `child`. A parent does not hear what a child says while it is being stopped (SCXML 6.4)."""
    return child.parent is not None and child.parent[0] == id_


def _id(instance: Instance | str) -> str:
    return instance.id if isinstance(instance, Instance) else instance
