"""A system over a database: instances are loaded when somebody looks at them, and what changed is written at the end.

The order of everything is that of `outlast.run.System`, which does the work; here is only where its instances come from and what becomes
of its steps. Whatever is due by the instant of an input must have been loaded before: see `Session.fire`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from outlast.errors import LimitExceeded, StoreError
from outlast.plan import Plan
from outlast.run import Delayed, Event, Snapshot, Step, System, Terms, admission
from outlast.run.fast import Places
from outlast.run.given import Given, as_payload
from outlast.run.heart import refuse
from outlast.run.population import Due, Population
from outlast.run.saved import instance_to_json
from outlast.run.watch import Watchers
from outlast.store.interface import Reading, Transaction
from outlast.store.journal import START, compact, describe, encode_snapshot, event_to_json, seal
from outlast.store.records import COMMONS, PLACES, Cause, Changes, Decision, JsonObject, Locked, Ref, Stored

Decode = Callable[[Stored], Snapshot]
P = TypeVar("P", bound=Population)


class World(dict[str, Snapshot]):
    """Snapshots by id. One that nobody has looked for yet is looked for in the database."""

    def __init__(self, fetch: Callable[[Collection[str]], None], asked: set[str]) -> None:
        super().__init__()
        self.fetch, self.asked = fetch, asked

    def __missing__(self, id_: str) -> Snapshot:
        if id_ in self:
            return dict.__getitem__(self, id_)
        raise KeyError(id_)

    def __contains__(self, id_: object) -> bool:
        if dict.__contains__(self, id_):
            return True
        if id_ in self.asked:
            return False
        self.fetch((str(id_),))
        return dict.__contains__(self, id_)

    def get(self, id_: str | None, default: Any = None) -> Any:  # as Mapping has it
        """The snapshot, or `default`."""
        if id_ is None:
            return default
        found = super().get(id_)
        return found if found is not None else super().get(id_, default) if id_ in self else default


class StoredWatchers(Watchers):
    """Who observes whom, found in the database where it is asked for."""

    def __init__(self, population: StoredPopulation, plan: Plan) -> None:
        super().__init__(plan)
        self.population = population
        self.complete: set[tuple[str, str, str]] = set()
        """(target, name of a ref, machine) of which every instance is loaded."""

    def of(
        self, snapshot: Snapshot, state: str, world: Mapping[str, Snapshot], order: Mapping[str, int]
    ) -> list[tuple[str, tuple[str, ...]]]:
        """As in a system: (watcher, chain), in the order they were made."""
        for machine, chain in self.watches.get((snapshot.machine, state), ()):
            self.find(snapshot.id, machine, chain)
        return super().of(snapshot, state, world, order)

    def find(self, target: str, machine: str, chain: tuple[str, ...]) -> None:
        """Load every instance of `machine` from which `chain` leads to `target`, link by link."""
        targets = [target]
        for name, owner in reversed(_links_of(self.plan, machine, chain)):
            asked = [
                id_ for id_ in targets if id_ in self.population.stored and (id_, name, owner) not in self.complete
            ]
            if asked:
                self.complete.update((id_, name, owner) for id_ in asked)
                found = self.population.source.referring(asked, (name, owner))
                self.population.fetch([ref.instance for ref in found])
            targets = [id_ for each in targets for id_, ref in self.referrers.get(each, ()) if ref == name]

    def find_all(self, targets: Collection[str]) -> None:
        """Load every instance that can observe one of these stored instances: a question for each link of the longest chain."""
        links, done = _links(self.plan), set[str]()
        while targets:
            done.update(targets)
            self.complete.update((id_, name, owner) for id_ in targets for name, owner in links)
            refs = self.population.source.referring(targets)
            found = dict.fromkeys(ref.instance for ref in refs if (ref.name, ref.machine) in links)
            self.population.fetch(found)
            targets = [id_ for id_ in found if id_ not in done] if self._far else ()


Links: TypeAlias = list[tuple[str, str]]
"""Refs one after the other: the name of each, and its machine's."""


def _links_of(plan: Plan, machine: str, chain: tuple[str, ...]) -> Links:
    """What a chain of refs from a machine consists of."""
    found = []
    for name in chain:
        found.append((name, machine))
        machine = plan.machines[machine].refs[name].machine
    return found


def _links(plan: Plan) -> frozenset[tuple[str, str]]:
    """Every ref that somebody observes along."""
    links = plan.kept.get("links")
    if not isinstance(links, frozenset):
        chains = ((machine.name, chain) for machine in plan.machines.values() for chain, _ in machine.watches)
        links = plan.kept["links"] = frozenset(link for chain in chains for link in _links_of(plan, *chain))
    return links


class StoredPopulation(Population):
    """The instances looked at so far."""

    def __init__(self, plan: Plan, limit: int, source: Reading, decode: Decode, places: Places | None) -> None:
        self.observers = StoredWatchers(self, plan)
        super().__init__(plan, limit, places, self.observers)
        self.source, self.decode = source, decode
        self.stored: dict[str, Stored] = {}
        self.original: dict[str, Snapshot] = {}
        """What `stored` holds, as snapshots."""
        self.asked: set[str] = set()
        self.world: World = World(self.fetch, self.asked)
        self.given: dict[str, Stored] = {}
        """Rows that need not be asked for."""
        self._made = 1 << 62  # whoever is new comes after everybody stored

    def fetch(self, ids: Collection[str]) -> None:
        """Load instances, and all that their refs lead to."""
        wanted = [id_ for id_ in ids if id_ not in self.asked]
        while wanted:
            self.asked.update(wanted)
            rows = [self.given[id_] for id_ in wanted if id_ in self.given]
            if len(rows) < len(wanted):
                rows += self.source.instances([id_ for id_ in wanted if id_ not in self.given])
            wanted = []
            for row in rows:
                self.stored[row.id] = row
                if row.snapshot is not None:
                    wanted += self._admit(self.decode(row), row.made)
            wanted = list(dict.fromkeys(wanted))

    def _admit(self, snapshot: Snapshot, made: int) -> list[str]:
        self.original[snapshot.id] = self.enter(snapshot, made)
        return [ref for ref in snapshot.refs if ref is not None and ref not in self.asked]

    def waiting(self, until: int) -> Iterator[Due]:
        """Everything loaded that is due by `until`, in any order."""
        soon = [id_ for at, _, id_ in self.booked.values() if at <= until]
        return (due for id_ in soon for due in self.pending(self.world[id_], until))

    def put(self, snapshot: Snapshot) -> None:
        """Add an instance, or replace what it was. Raises LimitExceeded."""
        self.asked.add(snapshot.id)
        super().put(snapshot)


def kept(plan: Plan, machine: str, name: str, payload: Mapping[str, Given], by: str | None) -> Event:
    """An event as it is kept, defaults filled in. Raises UnknownName."""
    return Event(name, as_payload(admission.declared(plan.machines[machine], name), payload), by=by)


class Turns(System, Generic[P]):
    """A system whose due timers and sends happen one by one, when told to."""

    def __init__(self, plan: Plan, *, terms: Terms, population: P) -> None:
        super().__init__(plan, terms=terms, population=population)
        self.population = population

    def say(self, id_: str, event: str, payload: Mapping[str, Given], by: str | None) -> tuple[Step, ...]:
        """An event to an instance that is there: its step, and all it caused. What is due has happened. Raises as `send`."""
        said, machine = self.event(self.look(id_).machine, event, payload, by), self.look(id_).machine
        if why := admission.refusal(self.plan.machines[machine].events[event], said, self.plan):
            return (refuse(self.plan, self.look(id_), said, self.now, why, world=self._world, terms=self.terms),)
        first = self._step(self._world[id_], said)
        return first, *self._led_to(first)

    def happen(self, due: Due) -> tuple[Step, ...]:
        """Let one thing happen that is due, at its instant, with all it causes. Raises LimitExceeded."""
        if due.is_send or self.terms.chosen:
            return self._transaction(lambda: self._bounded(self._happen(due)))
        snapshot = self._world[due.instance]
        first = self._fire(snapshot, self.plan.machines[snapshot.machine].transitions[due.number].key)
        return first, *self._led_to(first)

    def event(self, machine: str, name: str, payload: Mapping[str, Given], by: str | None) -> Event:
        """An event as it is kept, defaults filled in. Raises UnknownName."""
        return kept(self.plan, machine, name, payload, by)

    def without(self, sender: Snapshot, item: Delayed) -> Snapshot:
        """The sender of a delayed event after it has left."""
        return attrs.evolve(sender, delayed=tuple(other for other in sender.delayed if other is not item))


class Scribe:
    """Turns steps into decisions: numbers them, chains their hashes, and says what each saw of others."""

    def __init__(self, plan: Plan, spec: int) -> None:
        self.plan, self.spec = plan, spec
        self.heads: dict[str, tuple[int, str]] = {}
        """Id -> (version, hash) of its last decision."""
        self.seen: dict[str, Snapshot] = {}
        """Id -> the snapshot of that version."""
        self.decisions: list[Decision] = []
        self._shown: tuple[Snapshot | None, JsonObject] = (None, {})
        """Whom a step saw last in the middle of its own: many may see the same."""

    def know(self, id_: str, version: int, hash_: str, snapshot: Snapshot | None) -> None:
        """What an instance was before anything is written of it."""
        self.heads[id_] = (version, hash_)
        if snapshot is not None:
            self.seen[id_] = snapshot

    def steps(self, turn: int, steps: Collection[Step], place: int = 0, **said: Any) -> None:
        """Write down steps of one turn; `said` is about the first: source, id, and what else its body should tell."""
        source, id_ = said.pop("source", None), said.pop("id", None)
        if place == 0 and len(steps) > 1:
            said["more"] = len(steps) - 1
        for step in steps:
            body = describe(step, self._others(step), **said)
            self._write(turn * PLACES + place, step.after, step.at, step.cause, source, id_, body)
            source, id_, said, place = None, None, {}, place + 1

    def sent(self, turn: int, at: int, sender: Snapshot, item: Delayed, steps: Collection[Step]) -> None:
        """Write down that a delayed event left its sender, and what that led to."""
        body = {"event": event_to_json(item.event), "to": item.to, "number": item.turn}
        more = {"more": len(steps)} if steps else {}
        self._write(turn * PLACES, sender, at, "sent", None, None, compact(body | more))
        self.steps(turn, steps, 1)

    def migrated(self, turn: int, place: int, at: int, after: Snapshot, body: JsonObject) -> None:
        """Write down that an instance is from now on under this version."""
        self._write(turn * PLACES + place, after, at, "migrated", None, None, compact(body))

    def _others(self, step: Step) -> list[object]:
        """What the step saw of others: [id, version], or the whole instance in the middle of its own step."""
        found: list[object] = []
        for other in step.others:
            if other is None:
                found.append(None)
            elif (known := self.seen.get(other.id)) is other or known == other:
                found.append((other.id, self.heads[other.id][0]))
            else:
                if other is not self._shown[0]:
                    self._shown = (other, instance_to_json(self.plan.machines[other.machine], other))
                found.append(self._shown[1])
        return found

    def _write(
        self,
        seq: int,
        after: Snapshot,
        at: int,
        cause: Cause,
        source: str | None,
        id_: str | None,
        body: str,
    ) -> None:
        version, previous = self.heads.get(after.id, (0, START))
        snapshot = encode_snapshot(self.plan, after)
        columns = (seq, after.id, after.machine, version + 1, at, cause, self.spec, source, id_, body, snapshot)
        hash_ = seal(previous, *columns)
        self.decisions.append(Decision(*columns, previous, hash_))
        self.heads[after.id] = (version + 1, hash_)
        self.seen[after.id] = after


class Stuck(Exception):
    """A group's timers cannot be fired."""

    def __init__(self, group: str, error: LimitExceeded) -> None:
        self.group, self.error = group, error
        super().__init__(str(error))


@attrs.define(eq=False)
class Terrain:
    """What every session of an engine shares."""

    plan: Plan
    terms: Terms
    commons: frozenset[str]
    spec: int
    places: Places | None
    """What compiled functions need, if they are used."""
    decode: Decode


def system_over(terrain: Terrain, reading: Reading) -> Turns[StoredPopulation]:
    """A system to be looked at, not changed."""
    terms = terrain.terms
    population = StoredPopulation(terrain.plan, terms.instances, reading, terrain.decode, terrain.places)
    return Turns(terrain.plan, terms=terms, population=population)


class Session:
    """One transaction's work: inputs in, `Changes` out."""

    def __init__(self, terrain: Terrain, transaction: Transaction, locked: Locked, named: Collection[str] = ()) -> None:
        """`named` are those it was locked for: who was not there then is not there, even if somebody makes it meanwhile."""
        self.terrain, self.transaction = terrain, transaction
        if locked.specification != terrain.plan.hash:
            raise StoreError(
                f"the store was moved to another version of `{terrain.plan.name}`, {str(locked.specification)[:12]}: open it again without a plan,"
                " or with that one (`outlast store spec URL` shows it)"
            )
        self.system = system_over(terrain, transaction)
        self.population = self.system.population
        self.population.given = {row.id: row for row in locked.instances}
        self.population.asked.update(id_ for id_ in named if id_ not in self.population.given)
        self.scribe = _StoredScribe(terrain.plan, terrain.spec, self.population)
        self.group: dict[str, str] = {}
        """New instance -> its group."""
        self.joined: dict[str, str] = {}
        """Group -> the group it is now part of."""
        self.times: dict[str, int] = {}
        self.changes = Changes()
        self._numbers: list[int] = []

    # ---- inputs

    def expect(self, ids: Collection[str]) -> None:
        """Load those who are about to do something; if they are several, at once with all who observe them, but for those of the commons, who may be too many."""
        self.population.fetch(ids)
        if len(ids) > 1:
            stored = self.population.stored
            self.population.observers.find_all([id_ for id_ in ids if id_ in stored and stored[id_].group != COMMONS])

    def send(
        self, instance: str, event: str, payload: Mapping[str, Given], by: str | None, at: int, **said: Any
    ) -> int:
        """Say an event; the number of the turn. Raises as `System.send`."""
        self.system.now = at
        steps = self.system.say(instance, event, payload, by)
        turn = self._number()
        self.scribe.steps(turn, steps, **said)
        return turn

    def version(self, id_: str) -> int:
        """The present version of an instance."""
        head = self.scribe.heads.get(id_)
        return head[0] if head else self.population.stored[id_].version

    def decision(self, turn: int) -> Decision:
        """The input of a turn of this session."""
        return next(decision for decision in self.scribe.decisions if decision.seq == turn * PLACES)

    def make(self, machine: str, id_: str, given: Mapping[str, Given], state: str | None, at: int, **said: Any) -> int:
        """Make an instance; the number of the turn. Raises as `System.make`."""
        self.system.now = at
        steps = self.system.make(machine, id_, given, state=state).began
        turn = self._number()
        self.scribe.steps(turn, steps, made=_made(self.terrain.plan, steps[0], state), **said)
        return turn

    def begin(self, given: Mapping[str, tuple[str, Mapping[str, Given], str | None]], at: int, **said: Any) -> int:
        """Make several instances at once; the number of the turn. Raises as `System.begin`."""
        self.system.now = at
        steps = self.system.begin(given)
        turn = self._number()
        first = {step.instance: step for step in reversed(steps) if step.cause == "start"}
        begun = {id_: _made(self.terrain.plan, first[id_], state) for id_, (_, _, state) in given.items()}
        self.scribe.steps(turn, steps, begun=begun, **said)
        return turn

    def fire(self, until: int, group: str | None = None, limit: int | None = None) -> bool:
        """Let everything loaded (of one group) that is due by `until` happen, in order; False if `limit` turns were not enough.

        The turns of one instant are not parted. Raises Stuck when time stands still or a limit is hit.
        """
        turns: Counter[str] = Counter()
        count, now = 0, None
        while (due := self._next(until, group)) is not None:
            if due.at != now:
                if limit is not None and count >= limit:
                    return False
                now = due.at
                turns.clear()
            count += 1
            turns[due.instance] += 1
            if turns[due.instance] > self.terrain.terms.cascade:
                text = f"`{due.instance}` does not come to rest: time stands still at its timers and sends"
                raise Stuck(self.group_of(due.instance), LimitExceeded(text))
            try:
                self._happen(due)
            except LimitExceeded as error:
                raise Stuck(self.group_of(due.instance), error) from error
        return True

    def _next(self, until: int, group: str | None) -> Due | None:
        """The next thing due by `until`."""
        agenda = self.population.agenda
        if not agenda or agenda[0][0] > until:
            return None
        due = self.population.next_due
        if due is None or due.at > until:
            return None
        if group is None or self.group_of(due.instance) == group:
            return due
        return min(
            (item for item in self.population.waiting(until) if self.group_of(item.instance) == group), default=None
        )

    def _happen(self, due: Due) -> None:
        self.system.now = due.at
        turn, before = self._number(), self.population.world[due.instance]
        steps = self.system.happen(due)
        if due.is_send:
            item = next(item for item in before.delayed if item.turn == due.number)
            self.scribe.sent(turn, due.at, self.system.without(before, item), item, steps)
        else:
            self.scribe.steps(turn, steps)

    def _number(self) -> int:
        if not self._numbers:
            self._numbers = self.transaction.numbers(1)
        return self._numbers.pop(0)

    def reserve(self, count: int) -> None:
        """Fetch numbers for so many turns at once."""
        self._numbers += self.transaction.numbers(count)

    # ---- what is written

    def finish(self) -> Changes:
        """Everything to be written."""
        changes, population, scribe = self.changes, self.population, self.scribe
        changes.decisions = scribe.decisions
        if not scribe.decisions:
            return changes
        last = {decision.instance: decision for decision in scribe.decisions}
        first = {
            decision.instance: decision.seq for decision in reversed(scribe.decisions) if decision.cause == "start"
        }
        self._settle(sorted(first, key=first.__getitem__))
        groups = {id_: self.group_of(id_) for id_ in last}
        for id_, decision in last.items():
            stored, now = population.stored.get(id_), population.world.get(id_)
            row = Stored(
                id_,
                decision.machine,
                groups[id_],
                first.get(id_) or (stored.made if stored else decision.seq),
                decision.version,
                decision.hash,
                now.next_due if now is not None else None,
                decision.snapshot if now is not None else None,
            )
            if stored is None:
                changes.made.append(row)
            else:
                changes.moved.append((row, stored.version))
            self._refs(population.original.get(id_), now)
        for decision in scribe.decisions:
            group = groups[decision.instance]
            self.times[group] = max(self.times.get(group, 0), decision.at)
            if '"effects":' in decision.body:
                changes.effects += decision.effects
        changes.times = self.times
        return changes

    def _refs(self, before: Snapshot | None, now: Snapshot | None) -> None:
        if before is not None and now is not None and before.refs == now.refs:
            return
        old, new = bindings(self.terrain.plan, before), bindings(self.terrain.plan, now)
        self.changes.unbound += old - new
        self.changes.bound += new - old

    def group_of(self, id_: str) -> str:
        """The group of an instance."""
        group = self.group.get(id_) or (self.population.stored[id_].group if id_ in self.population.stored else COMMONS)
        return self.changes.merged.get(group) or self.joined.get(group, group)

    def _settle(self, new: list[str]) -> None:
        """Find the groups of new instances: who is bound to whom is from now on one."""
        found: list[str] = []
        for id_ in new:
            private = self._snapshot(id_).machine not in self.terrain.commons
            self.group[id_] = id_ if private else COMMONS
            found += [id_] * private
        for id_ in found:
            snapshot = self._snapshot(id_)
            parent = (snapshot.parent[0],) if snapshot.parent else ()
            for other in (*snapshot.refs, *parent):
                if other is not None and self._snapshot(other).machine not in self.terrain.commons:
                    self._join(self.group_of(id_), self.group_of(other), found)
        merged = self.changes.merged
        self.changes.new_groups += [id_ for id_ in found if id_ not in merged]
        self.joined = dict(merged)
        self.changes.merged = {old: kept for old, kept in merged.items() if old not in found}

    def _join(self, one: str, two: str, new: list[str]) -> None:
        if one != two:
            kept, gone = sorted((one, two), key=lambda group: (group in new, group))
            merged = self.changes.merged
            self.changes.merged = {old: kept if to == gone else to for old, to in merged.items()} | {gone: kept}

    def _snapshot(self, id_: str) -> Snapshot:
        """An instance as it is, or as it was last."""
        found: Snapshot | None = self.population.world.get(id_)
        return found if found is not None else self.scribe.seen[id_]


def _made(plan: Plan, first: Step, state: str | None) -> JsonObject:
    """How an instance was made: all it takes to make it again."""
    machine, before = plan.machines[first.after.machine], first.before
    return {
        "machine": machine.name,
        "state": state,
        "fields": dict(zip(machine.fields, before.values, strict=True)),
        "refs": dict(zip(machine.refs, before.refs, strict=True)),
    }


class _StoredScribe(Scribe):
    """A scribe that knows what was loaded."""

    def __init__(self, plan: Plan, spec: int, population: StoredPopulation) -> None:
        super().__init__(plan, spec)
        self.population = population

    def steps(self, turn: int, steps: Collection[Step], place: int = 0, **said: Any) -> None:
        """As any scribe."""
        for step in steps:
            self._learn(step.before.id)
            for other in step.others:
                if other is not None:
                    self._learn(other.id)
        super().steps(turn, steps, place, **said)

    def sent(self, turn: int, at: int, sender: Snapshot, item: Delayed, steps: Collection[Step]) -> None:
        """As any scribe."""
        self._learn(sender.id)
        super().sent(turn, at, sender, item, steps)

    def _learn(self, id_: str) -> None:
        if id_ not in self.heads and (row := self.population.stored.get(id_)) is not None:
            self.know(id_, row.version, row.hash, self.population.original.get(id_))


def bindings(plan: Plan, snapshot: Snapshot | None) -> set[Ref]:
    """The rows of an instance's refs."""
    if snapshot is None:
        return set()
    names = plan.machines[snapshot.machine].refs
    return {
        Ref(target, name, snapshot.machine, snapshot.id)
        for name, target in zip(names, snapshot.refs, strict=True)
        if target is not None
    }
