"""Our own ways to run a case: a system, the pure step, a system saved and restored after every step."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

import attrs

from outlast import model
from outlast.errors import RefusedInstance
from outlast.expr import Value
from outlast.plan import Plan, with_constants
from outlast.proofs.conformance.protocol import CAPABILITIES, Happening, Observation, Seen
from outlast.proofs.conformance.reading import FittedCase
from outlast.run import Event, Snapshot, Step, System, SystemSnapshot, Terms, admission, fire, start, step, stop
from outlast.run.instances import blank, resolve_chain
from outlast.run.staging import Cue, Part
from outlast.run.terms import told

EVERYTHING = frozenset(CAPABILITIES)
Watch = Callable[[Step], None]


def unwatched(_: Step) -> None:
    """Nobody looks on."""


@attrs.define(eq=False)
class SystemRunner:
    """A `System` in virtual time. `plan` is run in place of the case's own, to see what a change of it does; `watch` sees every Step."""

    plan: Plan | None = None
    watch: Watch = unwatched
    name: str = "system"
    capabilities: frozenset[str] = EVERYTHING
    compiled: bool | None = None
    """As for a `System`."""

    def run(self, case: FittedCase, bounds: str | None) -> list[Observation]:
        """See `Runner`."""
        plan = case.plan
        if self.plan:
            plan = attrs.evolve(with_constants(self.plan, case.case.constants), readings=plan.readings)
        ahead = deque(case.stage.cues)
        system = System(plan, terms=terms_of(bounds, ahead), compiled=self.compiled)
        for begun in system.begin(_parts(case.given)):
            self.watch(begun)
        found, before = [], list[Step]()
        for turn in case.case.steps:
            system = self.between(system)
            steps = list(system.advance_to(turn.at))
            accepted, refusal = None, None
            if turn.cue is not None:
                cue = ahead.popleft()
                system.terms = terms_of(bounds, ahead)
                if isinstance(cue.source, model.Happen):
                    accepted = went_off(cue.source, (*before, *steps))
                else:
                    accepted, refusal, more = _act(system, cue)
                    steps += more
            steps += system.advance(0)
            for done in steps:
                self.watch(done)
            before += steps
            found.append(
                Observation(accepted, refusal, seen(plan, system.world.values()), tuple(map(happening, steps)))
            )
        return found

    def between(self, system: System) -> System:
        """The system to go on with."""
        return system

    def close(self) -> None:
        """See `Runner`."""


@attrs.define(eq=False)
class RestoreRunner(SystemRunner):
    """A system that before every step is saved, written as JSON, read, and made again."""

    name: str = "restore"

    def between(self, system: System) -> System:
        """A stranger to the one before, with nothing in common but a text."""
        plan = system.plan
        text = json.dumps(system.snapshot().to_json(plan))
        return System.restore(plan, SystemSnapshot.from_json(plan, json.loads(text)), terms=system.terms)


def terms_of(bounds: str | None, ahead: Iterable[Cue]) -> Terms:
    """How `within` rows are resolved: at the moments that are told in what is ahead, otherwise as `bounds` says."""
    return Terms(resolve=bounds or "latest", chosen=told(cue.source for cue in ahead))


def went_off(row: model.Happen, done: Iterable[Step]) -> bool:
    """Whether the timer of a `within` row went off at its moment."""
    wanted = (row.at, row.name, row.row)
    return any((one.at, one.instance, (one.timer or "").partition("@")[0]) == wanted for one in done)


def _parts(parts: Iterable[Part]) -> dict[str, tuple[str, Mapping[str, Value], str | None]]:
    return {part.name: (part.machine, part.values, part.state) for part in parts}


def _act(system: System, cue: Cue) -> tuple[bool, str | None, list[Step]]:
    if cue.part is not None:
        try:
            return True, None, list(system.begin(_parts([cue.part])))
        except RefusedInstance as error:
            return False, str(error), []
    say = cue.source
    assert isinstance(say, model.Say)
    done = system.send(str(say.name), str(say.event), cue.payload, by=str(say.by) if say.by else None)
    return done.accepted, done.refusal, [attrs.evolve(done, caused=()), *done.caused]


def happening(done: Step) -> Happening:
    """A Step as others see it."""
    effects = tuple((effect.name, dict(effect.payload)) for effect in done.effects)
    return Happening(done.at, done.instance, done.taken, done.clauses, done.entered, effects)


def seen(plan: Plan, snapshots: Iterable[Snapshot]) -> dict[str, Seen]:
    """Every instance as others see it."""
    found = {}
    for snapshot in snapshots:
        machine = plan.machines[snapshot.machine]
        found[snapshot.id] = Seen(
            snapshot.machine,
            snapshot.configuration,
            dict(zip(machine.fields, snapshot.values, strict=True)),
            dict(zip(machine.refs, snapshot.refs, strict=True)),
            {machine.arrows[timer.key].id: timer.latest for timer in snapshot.timers},
        )
    return found


# ---- the pure step


@attrs.define(eq=False)
class StepRunner:
    """The pure functions, with a world around them that is a plain dictionary, searched from end to end for everything."""

    watch: Watch = unwatched
    name: str = "step"
    capabilities: frozenset[str] = EVERYTHING

    def run(self, case: FittedCase, bounds: str | None) -> list[Observation]:
        """See `Runner`."""
        ahead = deque(case.stage.cues)
        world = _World(case.plan, terms_of(bounds, ahead))
        for done in world.begin(case.given):
            self.watch(done)
        found, before = [], list[Step]()
        for turn in case.case.steps:
            steps = world.advance(turn.at)
            accepted, refusal = None, None
            if turn.cue is not None:
                cue = ahead.popleft()
                world.terms = terms_of(bounds, ahead)
                if isinstance(cue.source, model.Happen):
                    accepted = went_off(cue.source, (*before, *steps))
                else:
                    accepted, refusal, more = world.act(cue)
                    steps += more
            steps += world.advance(turn.at)
            for done in steps:
                self.watch(done)
            before += steps
            found.append(
                Observation(accepted, refusal, seen(case.plan, world.all.values()), tuple(map(happening, steps)))
            )
        return found

    def close(self) -> None:
        """See `Runner`."""


@attrs.define(eq=False)
class _World:
    plan: Plan
    terms: Terms
    now: int = 0
    all: dict[str, Snapshot] = attrs.field(factory=dict)
    """In the order they were made: a dictionary keeps it."""
    queue: deque[tuple[str, Event]] = attrs.field(factory=deque)

    def begin(self, parts: Iterable[Part]) -> list[Step]:
        parts, blanks = list(parts), []
        for part in parts:
            machine = self.plan.machines[part.machine]
            fields = {name: value for name, value in part.values.items() if name in machine.fields}
            refs = {name: str(value) for name, value in part.values.items() if name in machine.refs}
            blanks.append(blank(self.plan, part.machine, part.name, fields, refs))
        self.all |= {snapshot.id: snapshot for snapshot in blanks}
        return [done for part in parts for done in self.enter(part)]

    def enter(self, part: Part) -> list[Step]:
        first = start(self.plan, self.all[part.name], self.now, world=self.all, terms=self.terms, state=part.state)
        return [first, *self.apply(first, silent=True), *self.drain()]

    def act(self, cue: Cue) -> tuple[bool, str | None, list[Step]]:
        if cue.part is not None:
            try:
                return True, None, self.begin([cue.part])
            except RefusedInstance as error:
                return False, str(error), []
        say = cue.source
        assert isinstance(say, model.Say)
        receiver = self.all[str(say.name)]
        declared = admission.declared(self.plan.machines[receiver.machine], str(say.event))
        payload = tuple((name, cue.payload.get(name, field.default)) for name, field in declared.payload.items())
        event = Event(declared.name, payload, by=str(say.by) if say.by else None)
        if refusal := admission.refusal(declared, event, self.plan):
            return False, refusal, []
        first = step(self.plan, receiver, event, self.now, world=self.all, terms=self.terms)
        return first.accepted, first.refusal, [first, *self.apply(first), *self.drain()]

    def advance(self, until: int) -> list[Step]:
        found: list[Step] = []
        while (due := min(self.dues(), default=None)) is not None and due[0] <= until:
            self.now, _, kind, number, id_ = due
            snapshot = self.all[id_]
            if kind == 0:
                key = self.plan.machines[snapshot.machine].transitions[number].key
                self.terms = self.terms.met(id_, key, self.now)
                done = fire(self.plan, snapshot, key, self.now, world=self.all, terms=self.terms)
                found += [done, *self.apply(done)]
            else:
                arrived = next(item for item in snapshot.delayed if item.turn == number)
                rest = tuple(item for item in snapshot.delayed if item is not arrived)
                self.all[id_] = attrs.evolve(snapshot, delayed=rest)
                self.queue.append((arrived.to, arrived.event))
            found += self.drain()
        self.now = until
        return found

    def dues(self) -> Iterator[tuple[int, int, int, int, str]]:
        for order, snapshot in enumerate(self.all.values()):
            arrows = self.plan.machines[snapshot.machine].arrows
            for timer in snapshot.timers:
                yield timer.due, order, 0, arrows[timer.key].index, snapshot.id
            for item in snapshot.delayed:
                yield item.due, order, 1, item.turn, snapshot.id

    def drain(self) -> list[Step]:
        found = []
        while self.queue:
            to, event = self.queue.popleft()
            if to in self.all:
                done = step(self.plan, self.all[to], event, self.now, world=self.all, terms=self.terms)
                found += [done, *self.apply(done)]
        return found

    def apply(self, done: Step, *, silent: bool = False) -> list[Step]:
        self.all[done.instance] = done.after
        found = [each for first in done.made for each in (first, *self.apply(first))]
        self.queue.extend((delivery.to, delivery.event) for delivery in done.sent)
        if not silent:
            self.queue.extend(self.observers(done))
        if done.after.done and not done.before.done and done.after.parent and done.cause != "stop":
            parent, ref = done.after.parent
            self.queue.append((parent, Event(f"done.invoke.{ref}", sender=done.instance)))
        for child in done.stopped:
            if child in self.all:
                last = stop(self.plan, self.all[child], self.now, world=self.all, terms=self.terms)
                found += [last, *self.apply(last)]
                del self.all[child]
        return found

    def observers(self, done: Step) -> Iterator[tuple[str, Event]]:
        for state in done.entered:
            for watcher in self.all.values():
                machine = self.plan.machines[watcher.machine]
                refs = dict(zip(machine.refs, watcher.refs, strict=True))
                for chain, watched in machine.watches:
                    if watched == state and resolve_chain(self.plan, refs, chain, self.all) == done.instance:
                        yield watcher.id, Event(".".join((*chain, state)), sender=done.instance)
