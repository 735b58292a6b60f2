"""`Engine`: a system whose instances, history, timers and effects live in a database.

Everything that an input leads to is committed in one transaction: the decisions, the instances, their timers, the effects. An input
has an id, its sender's; saying it again gets the first answer. See docs/embedding.md for what is promised.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

import attrs

from outlast.errors import (
    ClockSkewError,
    Conflict,
    IdempotencyError,
    InstanceGone,
    MisuseError,
    OutdatedError,
    StoreError,
    UnknownName,
    Unsettled,
)
from outlast.moments import DAY, SECOND, format_duration, format_instant
from outlast.plan import Plan, under
from outlast.run import Explanation, Offer, System, Terms, explain
from outlast.run.fast import LONGEST, Places
from outlast.run.given import Given
from outlast.store import groups, outbox
from outlast.store.cache import Snapshots
from outlast.store.checking import Verified, head_of, verify
from outlast.store.interface import Backend, Reading, Transaction
from outlast.store.journal import event_to_json, step_again
from outlast.store.opening import open_backend
from outlast.store.outbox import USUAL, Delivered, Handler, Retries
from outlast.store.records import Decision, Due, Fired, Locked, OutgoingEffect, Receipt, Said, View
from outlast.store.replaying import replayed
from outlast.store.versions import Version, Versions, defaults, register
from outlast.store.world import Session, Stuck, Terrain, kept, system_over

Clock = Callable[[], int]
"""Microseconds since the epoch (UTC)."""
T = TypeVar("T")

Key = tuple[str, str]
"""The source and id of an input."""

LEAP = 180 * DAY
TURNS = 500
"""Turns of timers in one transaction before others get a chance."""
CLAIM = 50
"""Groups a worker claims at a time."""
LONGEST_ID = 500


def wall_clock() -> int:
    """The machine's clock."""
    return time.time_ns() // 1_000


class _Backlog(Exception):
    """More is due by `until` than one transaction should fire; it must happen first. In these groups, or (None) in the commons."""

    def __init__(self, until: int, groups: list[str] | None) -> None:
        self.until, self.groups = until, groups
        super().__init__("there is a backlog")


class _NotAlone(Exception):
    """Something is due in the commons between two events of one transaction: it needs the whole store."""


class Engine:
    """A store and the plan it runs. May be used by several threads."""

    def __init__(
        self,
        backend: Backend,
        plan: Plan | None = None,
        *,
        terms: Terms | None = None,
        clock: Clock = wall_clock,
        leap: int | None = LEAP,
        attempts: int = 20,
    ) -> None:
        """Use `Engine.open`, unless the backend is your own.

        Without a plan it is the one the store is under, readings and all; without terms, they are those of the store. `clock` says what time it is where nobody gives an instant. `leap`: an instant further than this (in microseconds) beyond everything
        the store knows is refused. `attempts`: how often a transaction that others got in the way of is tried.
        """
        self.backend, self.clock, self.leap, self.attempts = backend, clock, leap, attempts
        with backend.reading() as reading:
            versions = Versions(reading)
            plan = plan or versions.current(backend.url)
            terms = terms or versions.terms(versions.present)
            number = versions.registered(plan, terms, backend.url)
            self._seen = reading.latest()
        self.plan, self._known = plan, {plan.hash: under(plan, defaults(plan))}
        self._snapshots = Snapshots(plan)
        self._repeats = False
        """Whether something of what was said last was answered before: then it is worth looking before a lock is taken."""
        if number is None:
            number = self._transaction(lambda transaction: register(transaction, plan, terms, backend.url))
        places = Places.of(plan) if terms.microsteps > LONGEST else None
        self._terrain = Terrain(plan, terms, groups.commons(plan), number, places, self._snapshots.of)

    @classmethod
    def open(
        cls,
        url: str,
        plan: Plan | None = None,
        *,
        terms: Terms | None = None,
        clock: Clock = wall_clock,
        leap: int | None = LEAP,
        attempts: int = 20,
    ) -> Self:
        """The store at `sqlite:///file.db`, `sqlite://` (in memory) or `postgresql://…`; with a plan it is made if it is not there.

        Left out, the plan and its readings are those the store is under; so are the terms. Raises StoreError for a database that cannot be used:
        one of something else, of a newer Outlast, or of another specification.
        """
        backend = open_backend(url, create=plan is not None)
        try:
            return cls(backend, plan, terms=terms, clock=clock, leap=leap, attempts=attempts)
        except BaseException:
            backend.close()
            raise

    def close(self) -> None:
        """No more calls."""
        self.backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- inputs

    def create(
        self,
        machine: str,
        instance: str,
        /,
        *,
        state: str | None = None,
        at: int | None = None,
        source: str = "",
        id: str | None = None,  # noqa: A002  # the word of the envelope
        **given: Given,
    ) -> Receipt:
        """Make an instance and let it enter its first state (or `state`).

        `given` are fields and refs by name, underscores for dashes; a ref takes an id. Raises UnknownName, InstanceExists, RefusedInstance,
        IdempotencyError, ClockSkewError, LimitExceeded, StoreError.
        """
        kind = self.plan.machines.get(machine)
        if kind is None:
            raise UnknownName("machine", machine, self.plan.machines)
        known = {*kind.fields, *kind.refs}
        named = {
            dashed if (dashed := name.replace("_", "-")) in known else name: value for name, value in given.items()
        }
        return self.make(machine, instance, named, state=state, at=at, source=source, id=id)

    def make(
        self,
        machine: str,
        instance: str,
        given: Mapping[str, Given],
        *,
        state: str | None = None,
        at: int | None = None,
        source: str = "",
        id: str | None = None,  # noqa: A002  # the word of the envelope
    ) -> Receipt:
        """`create`, with the exact names of fields and refs in a mapping."""

        def work(session: Session, now: int, **said: Any) -> int:
            return session.make(machine, instance, given, state, now, **said)

        return self._made({instance: (machine, given, state)}, at, source, id, work)

    def begin(
        self,
        given: Mapping[str, tuple[str, Mapping[str, Given], str | None]],
        *,
        at: int | None = None,
        source: str = "",
        id: str | None = None,  # noqa: A002  # the word of the envelope
    ) -> Receipt:
        """Make several instances at once: id -> (machine, fields and refs, state). Refs may name any of them.

        All are bound first, then each enters its first state in order; nobody observes that.
        """

        def work(session: Session, now: int, **said: Any) -> int:
            return session.begin(given, now, **said)

        return self._made(given, at, source, id, work)

    def _made(
        self,
        given: Mapping[str, tuple[str, Mapping[str, Given], str | None]],
        at: int | None,
        source: str,
        id_: str | None,
        make: Callable[..., int],
    ) -> Receipt:
        commons, near = self._terrain.commons, set[str]()
        for instance, (machine, values, _) in given.items():
            kind = self.plan.machines.get(machine)
            if kind is None:
                raise UnknownName("machine", machine, self.plan.machines)
            _check_id(instance)
            bound = (
                (kind.refs[name], str(value))
                for name, value in values.items()
                if name in kind.refs and value is not None
            )
            near |= {other for ref, other in bound if ref.machine not in commons and other not in given}
        if not given:
            raise MisuseError("nothing is to be made")
        key, stamp = (source, id_ or uuid.uuid4().hex), self._instant(at)
        alone = any(machine in commons for machine, _, _ in given.values())

        def work(transaction: Transaction) -> Receipt:
            locked = transaction.lock(near, alone=alone, keys=[key], near=self._snapshots.near(near))
            if (first := locked.answers.get(key)) is not None:
                if first.cause != "start" or first.instance not in given or first.machine != given[first.instance][0]:
                    raise IdempotencyError(key[1])
                return _again(transaction, first)
            session = Session(self._terrain, transaction, locked, near)
            now = max([stamp, *(group.now for group in locked.groups.values())])
            now = self._catch_up(session, locked, [*locked.groups], now)
            turn = make(session, now, source=key[0], id=key[1], stamp=stamp)
            return self._write(session, [turn])[turn]

        return self._input(stamp, work)

    def send(
        self,
        instance: str,
        event: str,
        payload: Mapping[str, Given] | None = None,
        *,
        by: str | None = None,
        at: int | None = None,
        source: str = "",
        id: str | None = None,  # noqa: A002  # the word of the envelope
        expect: int | None = None,
    ) -> Receipt:
        """Say an event to an instance, once: under the same `source` and `id` the first answer is given again.

        `at` is when it happened (default: now). It takes effect then, after everything that was due before, or, if the time of its group has
        come further, as late as that. `expect`: the version the instance must have. Raises UnknownName for an instance or event that is not
        known, InstanceGone for one that is over, IdempotencyError for an id that was used for something else, OutdatedError for another version,
        ClockSkewError, LimitExceeded, StoreError. An event that is not accepted is no error: the receipt says why in `refusal`.
        """
        return self.send_many([Said(instance, event, payload or {}, by, at, source, id, expect)])[0]

    def send_many(self, events: Iterable[Said]) -> list[Receipt]:
        """Say several events, in order, in one transaction: all of them, or, when one raises, none."""
        events = list(events)
        said = [
            Said(
                item.instance,
                item.event,
                item.payload,
                item.by,
                self._instant(item.at),
                item.source,
                item.id or uuid.uuid4().hex,
                item.expect,
            )
            for item in events
        ]
        if not said:
            return []
        known: Mapping[Key, Decision] = {}
        if self._repeats and all(item.id for item in events):
            known, receipts = self._told_before(said)
            if len(receipts) == len(said):
                return receipts
        keys = dict.fromkeys(item.key for item in said if item.key not in known)
        targets = list(dict.fromkeys(item.instance for item in said if item.key in keys))

        def work(transaction: Transaction, *, alone: bool = False) -> list[Receipt]:
            locked = transaction.lock(targets, alone=alone, keys=keys, near=self._snapshots.near(targets))
            turns: dict[Key, Decision | int] = {**known, **locked.answers}
            self._repeats = len(turns) > 0
            session = Session(self._terrain, transaction, locked, targets)
            if new := list(dict.fromkeys(item.instance for item in said if item.key not in turns)):
                session.expect(new)
                session.reserve(len(keys) - len(locked.answers))
            fresh = []
            for item in said:
                if item.key in turns:
                    before = turns[item.key]
                    self._check_same(before if isinstance(before, Decision) else session.decision(before), item)
                else:
                    fresh.append(turns.setdefault(item.key, self._say(session, locked, item)))
            receipts = self._write(session, [turn for turn in fresh if isinstance(turn, int)])
            answers, first = [], set(fresh)
            for item in said:
                turn = turns[item.key]
                if isinstance(turn, Decision):
                    answers.append(_again(transaction, turn))
                else:
                    answers.append(receipts[turn] if turn in first else attrs.evolve(receipts[turn], repeated=True))
                    first.discard(turn)
            return answers

        latest = max(item.at or 0 for item in said)
        try:
            return self._input(latest, work)
        except _NotAlone:
            return self._input(latest, partial(work, alone=True))

    def _say(self, session: Session, locked: Locked, item: Said) -> int:
        """One event of a transaction; the number of its turn."""
        stored = session.population.stored.get(item.instance)
        if stored is None or item.instance not in session.population.world:
            raise UnknownName("instance", item.instance) if stored is None else InstanceGone(item.instance)
        group, stamp = session.group_of(item.instance), item.at or 0
        now = max(stamp, locked.commons.now, locked.groups[group].now, session.times.get(group, 0))
        now = self._catch_up(session, locked, [group], now)
        if item.expect is not None and (version := session.version(item.instance)) != item.expect:
            raise OutdatedError(f"`{item.instance}` is at version {version}, not {item.expect}")
        session.times[group] = now
        return session.send(
            item.instance, item.event, item.payload, item.by, now, source=item.source, id=item.id, stamp=stamp
        )

    def _told_before(self, said: list[Said]) -> tuple[Mapping[Key, Decision], list[Receipt]]:
        """What of this is answered already; the receipts, if all of it is. Nobody is waited for, and nobody has to wait.

        What is not found is asked for again under the lock. Raises IdempotencyError.
        """
        try:
            with self.backend.glance() as reading:
                known = reading.answers({item.key for item in said})
                if any(decision.spec != self._terrain.spec for decision in known.values()):
                    return {}, []  # whether this engine may answer is found out under the lock
                if any(item.key not in known for item in said):
                    return known, []
                for item in said:
                    self._check_same(known[item.key], item)
                return known, [_again(reading, known[item.key]) for item in said]
        except Conflict:
            return {}, []

    def _check_same(self, decision: Decision, item: Said) -> None:
        """A repeat must say the same. Raises IdempotencyError."""
        if decision.instance != item.instance or decision.said.get("event") != event_to_json(
            kept(self.plan, decision.machine, item.event, item.payload, item.by)
        ):
            raise IdempotencyError(item.id or "")

    def _catch_up(self, session: Session, locked: Locked, groups: list[str], now: int) -> int:
        """Let everything happen that is due before an input of `now`; when the input takes effect."""
        first = not session.scribe.decisions
        if locked.alone:
            now = max([now, *session.times.values(), *([session.transaction.latest()] if first else [])])
            group, asked = None, None
        else:
            if (commons := locked.commons.due) is not None and commons <= now:
                raise _Backlog(commons, None) if first else _NotAlone
            late = [id_ for id_ in groups if (due := locked.groups[id_].due) is not None and due <= now]
            group, asked = groups[0] if len(groups) == 1 else None, late
        overdue = session.transaction.due(asked, now, TURNS + 1 if first else None) if asked or locked.alone else []
        if first and len(overdue) > TURNS:
            raise _Backlog(now, None if locked.alone else groups)
        session.expect([id_ for _, id_ in overdue])
        try:
            if not session.fire(now, group, TURNS if first else None):
                raise _Backlog(now, None if locked.alone else groups)
        except Stuck as stuck:
            raise stuck.error from stuck
        return now

    def _write(self, session: Session, turns: list[int]) -> dict[int, Receipt]:
        """Write what a session decided; the receipts of these turns."""
        changes = session.finish()
        if changes.decisions:
            session.transaction.write(changes)
        self._snapshots.learn(session)
        told: dict[int, list[Decision]] = {turn: [] for turn in turns}
        for decision in changes.decisions:
            if decision.turn in told:
                told[decision.turn].append(decision)
        return {turn: Receipt(tuple(decisions)) for turn, decisions in told.items()}

    # ---- time

    def run_timers(self, until: int | None = None) -> Fired:
        """Fire everything due by `until` (default: now), each at its own instant, in order. Any number of workers may do so at once.

        A group whose timers cannot be fired is left, and reported; so it is by `stuck`.
        """
        until = self._instant(until)
        turns, left = 0, dict[str, str]()
        while True:
            try:
                done = self._transaction(lambda transaction: self._fire_groups(transaction, until))
                if done is None:
                    done = self._transaction(lambda transaction: self._fire_all(transaction, until))
            except Stuck as stuck:
                why = str(stuck.error)
                left[stuck.group] = why
                group = stuck.group
                self._transaction(lambda transaction: transaction.set_stuck(group, why))  # noqa: B023  # called at once
                continue
            if done == 0:
                self._seen = max(self._seen, until)
                return Fired(turns, left)
            turns += done

    def _fire_groups(self, transaction: Transaction, until: int) -> int | None:
        """Claim some groups and fire what is due in them; how many turns. None: the commons must come first."""
        locked = transaction.lock((), alone=False)
        commons = locked.commons
        first = commons.due is not None and commons.due <= until
        bound = commons.due - 1 if first and commons.due is not None else until
        claimed = [group.id for group in transaction.claim(bound, CLAIM)]
        if claimed:
            return self._fire(transaction, locked, claimed, bound)
        return None if first else 0

    def _fire_all(self, transaction: Transaction, until: int) -> int:
        """Fire what is due in the whole store up to the next deadline of the commons; how many turns."""
        locked = transaction.lock((), alone=True)
        due = locked.commons.due
        return 0 if due is None or due > until else self._fire(transaction, locked, None, due)

    def _fire(self, transaction: Transaction, locked: Locked, claimed: list[str] | None, bound: int) -> int:
        session = Session(self._terrain, transaction, locked)
        overdue = transaction.due(claimed, bound, TURNS)
        if len(overdue) >= TURNS:  # as far as all that is due is known
            bound = min(bound, max(due for due, _ in overdue[:TURNS]))
            overdue = transaction.due(claimed, bound, None)
        session.expect([id_ for _, id_ in overdue])
        session.reserve(len(overdue))
        session.fire(bound, None, TURNS)
        self._write(session, [])
        return sum(decision.is_input for decision in session.changes.decisions)

    def due(self, limit: int = 100) -> list[Due]:
        """What will happen by itself, soonest first: at most `limit` entries."""
        with self.backend.reading() as reading:
            ids = [id_ for _, id_ in reading.due(None, 1 << 62, limit)]
            rows = {row.id: row for row in reading.instances(ids)}
        found: list[Due] = []
        for id_ in ids:
            snapshot = self._snapshots.of(rows[id_])
            arrows = self.plan.machines[snapshot.machine].arrows
            found += (Due(timer.due, id_, arrows[timer.key].id) for timer in snapshot.timers)
            found += (Due(item.due, id_, None) for item in snapshot.delayed)
        return sorted(found, key=lambda item: item.at)[:limit]

    def next_due(self) -> int | None:
        """The next instant at which time alone changes something."""
        with self.backend.glance() as reading:
            return reading.next_due()

    def stuck(self) -> dict[str, str]:
        """Group -> why its timers cannot be fired. The next event to it tries again."""
        with self.backend.glance() as reading:
            return reading.stuck()

    # ---- effects

    def deliver(self, handlers: Mapping[str, Handler], *, retries: Retries = USUAL, limit: int = 1_000) -> Delivered:
        """Give effects to their handlers (name -> handler, `*` for all others): at most `limit` attempts.

        Each effect at least once, with an id that stays the same; those of one instance in order, one at a time. A handler that raises is tried
        again later, twice as long each time; after `retries.attempts` the effect is dead. Raises MisuseError for an effect of the plan that
        has no handler, ClockSkewError before anything is taken or put off by a clock that is further ahead than `leap`.
        """
        outbox.check_handlers(self.plan, handlers)
        return outbox.deliver(self._transaction, handlers, retries, self._instant, limit)

    def effects(
        self, state: str | None = None, *, after: tuple[int, int] = (-1, -1), limit: int = 1_000
    ) -> list[OutgoingEffect]:
        """Effects in the order they were decided: all, or those that are `pending`, `done` or `dead`."""
        with self.backend.reading() as reading:
            return [effect for effect, _ in reading.effects(after, limit, state)]

    def revive(self, effect: OutgoingEffect) -> bool:
        """Let a dead effect be tried again; whether it was dead."""
        now = self._instant()
        return self._transaction(lambda transaction: transaction.revive_effect(effect.seq, effect.place, now))

    def work(
        self,
        handlers: Mapping[str, Handler],
        stop: threading.Event,
        *,
        retries: Retries = USUAL,
        poll: float = 5.0,
    ) -> None:
        """Fire timers and deliver effects until `stop` is set; in between wait for the next deadline, a hint, or `poll` seconds."""
        outbox.check_handlers(self.plan, handlers)
        while not stop.is_set():
            self.run_timers()
            self.deliver(handlers, retries=retries)
            with self.backend.reading() as reading:
                soonest = [due for due in (reading.next_due(), reading.next_effect()) if due is not None]
            pause = min([poll, *(max(0.0, (due - self.clock()) / 1_000_000) for due in soonest)])
            if pause > 0 and not stop.is_set():
                self.backend.wait(pause)

    # ---- looking

    def get(self, instance: str) -> View:
        """An instance as it stands. Raises UnknownName, InstanceGone."""
        with self.backend.glance() as reading:
            rows = reading.instances([instance])
        if not rows:
            raise UnknownName("instance", instance)
        if rows[0].snapshot is None:
            raise InstanceGone(instance)
        return View(self.plan, self._snapshots.of(rows[0]), rows[0].version)

    def history(self, instance: str, *, after: int = 0, limit: int = 1_000) -> list[Decision]:
        """What an instance did, in order: at most `limit` decisions from the version after `after`. Raises UnknownName."""
        with self.backend.reading() as reading:
            found = reading.history(instance, after, limit)
            if not found and not reading.instances([instance]):
                raise UnknownName("instance", instance)
        return found

    def decisions(self, *, after: int = -1, limit: int = 1_000) -> list[Decision]:
        """The journal of the whole store, in order: at most `limit` decisions whose `seq` is greater than `after`.

        Whoever goes on after the last one misses nothing: what others could still commit something before is left for the next time.
        """
        settled = self.settled()
        with self.backend.reading() as reading:
            return [decision for decision in reading.decisions(after, limit) if decision.turn <= settled]

    def settled(self) -> int:
        """The number of a turn: of those up to it, whoever looks from now on sees all that will ever be there."""
        with self.backend.glance() as reading:
            return reading.settled()

    def enabled(self, instance: str) -> tuple[Offer, ...]:
        """What the outside could say to an instance now and have accepted. Raises UnknownName."""
        with self._looking(instance) as system:
            return system.enabled(instance)

    def explain(
        self,
        instance: str,
        event: str | None = None,
        payload: Mapping[str, Given] | None = None,
        *,
        by: str | None = None,
        version: int | None = None,
    ) -> Explanation:
        """With an event: what would happen to it now, and why. Without: why the decision `version` (default: the last) went as it did.

        Raises UnknownName, StoreError.
        """
        if event is not None:
            with self._looking(instance) as system:
                return system.explain(instance, event, payload, by=by)
        with self.backend.reading() as reading:
            if version is None:
                rows = reading.instances([instance])
                version = rows[0].version if rows else 0
            decision = reading.version(instance, version)
            if decision is None:
                raise UnknownName("decision", f"{instance} version {version}")
            return explain(step_again(Versions(reading, self._known).plan(decision.spec), decision, reading.version))

    @contextmanager
    def _looking(self, instance: str) -> Iterator[System]:
        with self.backend.reading() as reading:
            system = system_over(self._terrain, reading)
            if instance not in system.population.world:
                raise InstanceGone(instance) if reading.instances([instance]) else UnknownName("instance", instance)
            yield system

    # ---- proving

    def head(self) -> str | None:
        """The last decision, as one word to keep elsewhere: `verify(holds=[…])` tells whether it is still there."""
        with self.backend.reading() as reading:
            return head_of(reading.last())

    def verify(self, *, holds: Iterable[str] = ()) -> Verified:
        """Whether the store is as it was written, and the journal would lead to exactly this. Reads all of it."""
        return verify(self.backend, self._known, holds=holds)

    def replay(self, upto: int | None = None) -> System:
        """The system as the journal tells it, in memory: of all decisions, or of those that took effect by the instant `upto`.

        Raises StoreError where the journal comes out otherwise.
        """
        with self.backend.reading() as reading:
            return replayed(Versions(reading, self._known), _until(reading.decisions, upto))

    def versions(self) -> tuple[Version, ...]:
        """Every specification the store was written under, the present one last, with what was done under it. Reads all of the journal."""
        with self.backend.reading() as reading:
            return Versions(reading, self._known).told()

    def specification(self, number: int) -> Plan:
        """The plan that decisions of this `spec` were made under, readings and all. Raises StoreError."""
        with self.backend.reading() as reading:
            return Versions(reading, self._known).plan(number)

    # ---- transactions

    def _transaction(self, work: Callable[[Transaction], T]) -> T:
        """Run work in a transaction, and again when others got in its way."""
        for attempt in range(self.attempts):
            try:
                with self.backend.transaction() as transaction:
                    return work(transaction)
            except (Conflict, Unsettled):
                if attempt + 1 == self.attempts:
                    raise
        raise AssertionError("unreachable")

    def _input(self, stamp: int, work: Callable[[Transaction], T]) -> T:
        """The same for an input, which may have to wait for what was due before it. Raises StoreError if that cannot be found."""
        in_vain = 0
        while in_vain <= self.attempts:
            try:
                done = self._transaction(work)
            except _Backlog as backlog:
                # others may have been quicker, but not again and again
                in_vain = 0 if self._clear(backlog) else in_vain + 1
            else:
                self._seen = max(self._seen, stamp)
                return done
        raise StoreError("something is due that no instance knows of: the store is damaged, and `verify` says where")

    def _clear(self, backlog: _Backlog) -> int:
        """Fire what must happen before an input, in as many transactions as it takes; how many turns."""
        if backlog.groups is None:
            return self.run_timers(backlog.until).turns
        owners = backlog.groups

        def work(transaction: Transaction) -> int:
            locked = transaction.lock(owners, alone=False)
            if locked.commons.due is not None and locked.commons.due <= backlog.until:
                return 0
            return self._fire(transaction, locked, owners, backlog.until)

        try:
            return self._transaction(work)
        except Stuck as stuck:
            raise stuck.error from stuck

    def _instant(self, at: int | None = None) -> int:
        """An instant given, or now; refused if it is too far beyond everything known. Raises MisuseError, ClockSkewError."""
        instant = self.clock() if at is None else at
        if isinstance(instant, bool) or not isinstance(instant, int) or not 0 <= instant < 1 << 62:
            raise MisuseError(f"an instant is a number of microseconds since 1970, not {instant!r}")
        if self.leap is not None and instant > self._seen + self.leap:
            with self.backend.reading() as reading:
                last = reading.last()
                self._seen = max(self._seen, reading.latest())
            if last is not None and instant > self._seen + self.leap:
                raise ClockSkewError(
                    f"{format_instant(instant)} is {format_duration((instant - self._seen) // SECOND * SECOND)} after everything the store knows:"
                    f" a clock may be wrong (open it with another `leap` if not)"
                )
        return instant


def _until(read: Callable[[int, int], list[Decision]], upto: int | None) -> Iterator[Decision]:
    """The journal in order, but for turns after `upto`."""
    after, skipped = -1, -1
    while chunk := read(after, 1_000):
        for decision in chunk:
            after = decision.seq
            if decision.is_input and upto is not None and decision.at > upto:
                skipped = decision.turn
            if decision.turn != skipped:
                yield decision


def _again(reading: Reading, decision: Decision) -> Receipt:
    """The answer that an input was given before."""
    alone = "more" not in decision.said
    return Receipt((decision,) if alone else tuple(reading.turn(decision.turn)), repeated=True)


def _check_id(id_: str) -> None:
    if not id_ or len(id_) > LONGEST_ID or not id_.isprintable():
        raise MisuseError(f"an instance is called by 1 to {LONGEST_ID} printable characters, not {id_!r:.60}")
