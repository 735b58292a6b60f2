"""The model of what the log has told so far, and the judgement of each further line.

Theory of operation
===================

A `System` runs beside the log: events that lines tell are said to it, timers go off at the latest moment the document allows. A state
that is seen must be one the model is in, or one it may be in: because a `within` timer may go off earlier, because an event no line tells is
accepted now (`via`), or because the same holds within the tolerance of the log's clock. Then the model follows. Otherwise it is a
violation; the model is put into what was seen, so that one fault is found once.

When the model changes by itself into a state that the log would show, a `Due` is opened. The line that shows it closes it, in time or late;
when none comes for as long as the mapping says, the change is missing.
"""

from __future__ import annotations

import re
from collections import ChainMap, deque
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Mapping_
from typing import TypeAlias

import attrs

from outlast.errors import LimitExceeded, RefusedInstance
from outlast.expr import Value
from outlast.plan import Plan, under
from outlast.proofs.audit.decoding import Happening
from outlast.proofs.audit.dues import Due, Dues
from outlast.proofs.audit.findings import Finding, Kind, Totals
from outlast.proofs.audit.lines import Unreadable
from outlast.proofs.audit.mapping import Mapping, Rule
from outlast.proofs.audit.moves import (
    Way,
    bounded_way,
    exact_timer,
    fired,
    heard,
    is_in,
    neighbourhood,
    small_system,
    untold_way,
)
from outlast.proofs.audit.roll import JOURNAL, Roll, Tracked
from outlast.run import Event, Snapshot, Step, System

RECENT = 64
"""So many of the latest changes are undone at most to see whether a line is only a little late."""

Report: TypeAlias = Finding | Unreadable

_CITED = re.compile(r" \([A-Za-z0-9_., -]+\)$")
"""The clauses at the end of a refusal: a finding names them itself."""


class Auditor:
    """Judges happenings in the order of time."""

    def __init__(self, plan: Plan, mapping: Mapping, now: int, *, system: System | None = None) -> None:
        """`system` to go on from one that is there already: nothing is contested then."""
        self.plan, self.mapping, self.totals = plan, mapping, Totals()
        self.system = system or System(plan, now=now)
        self.replaying = system is not None
        self.dues = Dues(plan, mapping)
        self.recent: deque[tuple[int, Snapshot]] = deque(maxlen=RECENT)
        """What instances were before they changed, and when that was: not longer ago than the tolerance."""
        self.others: dict[tuple[str, str], Plan] = {}
        if system is None:
            self.system.begin({part.name: (part.machine, part.values, part.state) for part in mapping.given})
        self.roll = Roll(self.system, mapping)

    # ---- one line

    def take(self, happening: Happening) -> Iterator[Report]:
        """Judge what a line says. Lines come in the order of time."""
        yield from self.pass_to(happening.at)
        self.roll.serial += 1
        rule, id_ = happening.rule, happening.instance
        problem: Report | None = None
        if id_ not in self.system.world:
            problem = self.enter(happening)
            if problem is None:
                self.roll.keep(happening)
                if rule.begins or (rule.states and not rule.event and not rule.ref):
                    self.totals.told += rule.begins
                    self.totals.seen += not rule.begins
                    return
        elif self.system.world[id_].machine != rule.machine.name:
            problem = Unreadable(
                happening.line, f"`{id_}` is a {self.system.world[id_].machine}, not a {rule.machine.name}"
            )
        else:
            self.roll.keep(happening)
        if problem is not None:
            self.totals.told += isinstance(problem, Finding)
            yield problem
            return
        if rule.begins:
            self.totals.told += 1
            yield from self.begin_again(happening)
            return
        target = (
            id_ if rule.ref is None else dict(zip(rule.machine.refs, self.system.look(id_).refs, strict=True))[rule.ref]
        )
        if target is None or target not in self.system.world:
            yield Unreadable(happening.line, f"`{id_}` has no `{rule.ref}` at this time")
        elif rule.event is not None:
            self.totals.told += 1
            yield from self.told(happening, rule.event, target)
        else:
            self.totals.seen += 1
            yield from self.saw(happening, target)

    def told(self, happening: Happening, event: str, target: str) -> Iterator[Finding]:
        """An event that was heard."""
        rule, snapshot = happening.rule, self.system.look(target)
        if rule.states and is_in(snapshot, rule.states):
            self.totals.repeats += not self.is_first(happening)
            return
        done = self.system.send(target, event, dict(happening.payload), by=rule.by)
        self.note((*done.preceded, done, *done.caused), own=target)
        if done.accepted:
            self.dues.open.pop(target, None)
            return
        said = Event(event, done.event.payload if done.event else (), by=rule.by)
        for world in self.past():
            earlier = heard(self.plan, world[target], said, self.system.now, world) if target in world else None
            if earlier is not None and earlier.accepted:
                self.put(target, self.leaf(earlier.after))
                return
        ahead = self.ahead(target)
        if ahead is not None:
            later = (
                heard(self.plan, ahead.look(target), said, ahead.now, ahead.world) if target in ahead.world else None
            )
            if later is not None and later.accepted:
                self.put(target, self.leaf(later.after))
                return
        by = f" by {rule.by}" if rule.by else ""
        where = " + ".join(self.plan.machines[snapshot.machine].innermost(snapshot.configuration))
        why = self.system.explain(target, event, dict(happening.payload), by=rule.by)
        yield self.finding(
            "refused",
            happening,
            target,
            f"`{event}`{by}, while `{where}`: {_CITED.sub('', done.refusal or '')}",
            self.cited(target, (event,)) if not done.clauses else done.clauses,
            why=tuple(map(str, why.candidates)),
        )
        if rule.taken_as is not None:
            self.put(target, rule.taken_as)

    def saw(self, happening: Happening, target: str) -> Iterator[Finding]:
        """A state that was seen."""
        rule, snapshot, at = happening.rule, self.system.look(target), happening.at
        due, tolerance, states = self.dues.open.get(target), self.mapping.tolerance, rule.states
        if is_in(snapshot, states):
            if due is None:
                self.totals.repeats += not self.is_first(happening)
            elif is_in(due.after, states):
                del self.dues.open[target]
                if at > due.latest + tolerance:
                    yield self.came_late(happening, target, due)
            return
        over = due is not None and at > due.latest + tolerance and snapshot.machine in self.mapping.complete
        if not over and self.is_allowed(happening, target):
            return  # but what should have been seen by now cannot be explained by what may have come after it
        tracked = self.roll.tracked.get(happening.instance)
        if tracked is None or not tracked.excused:
            yield from self.not_allowed(happening, target, due)
        else:
            tracked.excused = False
        self.dues.open.pop(target, None)
        key = exact_timer(self.plan, self.system.look(target), self.system.now, self.system.world, states)
        if key is not None:
            self.note(self.system.hasten(target, key), own=target)
        else:
            assert rule.taken_as is not None
            self.put(target, rule.taken_as)

    def is_allowed(self, happening: Happening, target: str) -> bool:
        """Whether what was seen may be so although the model is not there; the model then follows."""
        rule, states = happening.rule, happening.rule.states
        if any(target in world and is_in(world[target], states) for world in self.past()):
            return True  # it is what was, a moment ago
        way = self.way(target, states, rule, self.system.world, self.system.now)
        if way is not None:
            self.follow(target, way)
            return True
        for world in self.past():
            if target in world and (way := self.way(target, states, rule, world, self.system.now)):
                self.put(target, self.leaf(way.after))
                return True
        ahead = self.ahead(target)
        if ahead is not None and target in ahead.world:
            there = ahead.look(target)
            later = Way(there) if is_in(there, states) else self.way(target, states, rule, ahead.world, ahead.now)
            if later is not None:
                self.put(target, self.leaf(later.after))
                return True
        return False

    def is_first(self, happening: Happening) -> bool:
        """Whether nothing was told of an instance before."""
        tracked = self.roll.tracked.get(happening.instance)
        return tracked is not None and tracked.born == self.roll.serial

    # ---- what may have happened

    def way(
        self, target: str, states: frozenset[str], rule: Rule, world: Mapping_[str, Snapshot], now: int
    ) -> Way | None:
        """How the document allows these states from where the instance is in `world`."""
        tracked = self.roll.tracked.get(target)
        unsure, snapshot = tracked.unsure if tracked else None, world[target]
        return bounded_way(self.plan, snapshot, now, world, states, unsure=unsure) or untold_way(
            self.plan, snapshot, now, world, states, rule.via
        )

    def past(self) -> Iterator[Mapping_[str, Snapshot]]:
        """The world before its latest change, before the one before that, and so on for as long as the tolerance."""
        before: dict[str, Snapshot] = {}
        for _, snapshot in reversed(self.recent):
            before[snapshot.id] = snapshot
            yield ChainMap(before, self.system.world)  # type: ignore[arg-type]  # it is only read

    def follow(self, target: str, way: Way) -> None:
        """Let the model go where it was seen to have gone."""
        self.dues.open.pop(target, None)
        if way.timer is not None:
            self.note(self.system.hasten(target, way.timer), own=target)
            return
        self.totals.inferred += len(way.events) > 1
        for event in way.events:
            done = self.system.send(target, event)
            self.note((*done.preceded, done, *done.caused), own=target)

    def ahead(self, target: str) -> System | None:
        """The instance and all around it a tolerance later, if anything is due until then."""
        around = neighbourhood(self.system.world, [target])
        horizon = self.system.now + self.mapping.tolerance
        dues = [due for snapshot in around if (due := snapshot.next_due) is not None]
        if not self.mapping.tolerance or min(dues, default=horizon + 1) > horizon:
            return None
        ahead = small_system(self.plan, self.system.now, around)
        ahead.advance_to(horizon)
        return ahead

    def leaf(self, snapshot: Snapshot) -> str:
        """The innermost state to put an instance into, so that it is as it is here."""
        return self.plan.machines[snapshot.machine].innermost(snapshot.configuration)[0]

    def put(self, target: str, state: str) -> None:
        """Put an instance into a state, whatever the model thought."""
        self.dues.open.pop(target, None)
        tracked = self.roll.tracked.get(target)
        if tracked is not None:
            tracked.unsure = self.system.now
        self.recent.append((self.system.now, self.system.look(target)))
        self.note(self.system.reset(target, state), own=target)

    # ---- instances

    def enter(self, happening: Happening) -> Report | None:
        """Make the instance a line speaks of, and whatever it refers to. What keeps it from being made, if anything does."""
        rule, id_ = happening.rule, happening.instance
        values = dict(happening.given)
        missing = self.roll.unknown(rule.machine.name, values)
        for name, machine in missing.items():
            if machine not in self.mapping.adopt:
                return Unreadable(
                    happening.line, f"it speaks of `{name}`, and `adopt` does not say what to presume of a {machine}"
                )
        presumed = self.mapping.adopt.get(rule.machine.name)
        if presumed is None and not rule.begins and rule.new is None:
            kind = rule.machine.name
            return Unreadable(
                happening.line, f"nothing told of `{id_}` before, and `adopt` does not say what to presume of a {kind}"
            )
        for name, machine in missing.items():
            other = self.mapping.adopt[machine]
            self.make(machine, name, other.values, other.state, adopted=True)
        given: dict[str, Value] = {**(presumed.values if presumed else {}), **values}
        state = presumed.state if presumed is not None else None
        if rule.begins:
            state = None
        elif rule.states and not rule.event and not rule.ref:
            state = rule.taken_as
        try:
            self.make(rule.machine.name, id_, given, state, adopted=not rule.begins)
        except RefusedInstance as refused:
            clauses = tuple(
                clause for row in rule.machine.requires if row.says in str(refused) for clause in row.because
            )
            return self.finding(
                "refused", happening, id_, _CITED.sub("", str(refused)), clauses, machine=rule.machine.name
            )
        return None

    def begin_again(self, happening: Happening) -> Iterator[Report]:
        """The beginning of an instance that is there: of one that was seen a little too early, or told once more."""
        id_ = happening.instance
        tracked = self.roll.tracked[id_]
        if not tracked.adopted or tracked.began < happening.at - self.mapping.tolerance:
            self.totals.repeats += 1
            return
        told = [earlier for _, earlier in tracked.journal if earlier is not happening]
        self.let_go(id_)
        self.totals.adopted -= 1
        problem = self.enter(happening)
        if problem is not None:
            yield problem
            return
        self.roll.keep(happening)
        for earlier in told:
            if earlier.rule.states and not earlier.rule.event:
                self.roll.keep(earlier)
                yield from self.saw(attrs.evolve(earlier, at=happening.at), id_)

    def make(self, machine: str, id_: str, values: dict[str, Value], state: str | None, *, adopted: bool) -> None:
        """An instance that is new to us."""
        self.note(self.roll.make(machine, id_, values, state, adopted=adopted), own=id_)
        self.totals.adopted += adopted
        self.totals.instances = max(self.totals.instances, len(self.system.world))

    def let_go(self, id_: str) -> None:
        """An instance that is to be forgotten."""
        for gone in self.roll.let_go(id_):
            self.dues.forget(gone)

    # ---- time

    def pass_to(self, instant: int) -> Iterator[Finding]:
        """Let time pass; gives what should have been seen by now and was not."""
        if instant > self.system.now:
            self.note(self.system.advance_to(instant), own=None)
        for id_, due in self.dues.over(instant):
            yield self.never_came(id_, due)
        while self.recent and self.recent[0][0] < instant - self.mapping.tolerance:
            self.recent.popleft()
        for id_ in self.roll.idle(instant):
            if id_ not in self.dues.open:
                self.let_go(id_)

    def finish(self) -> Iterator[Finding]:
        """The log has ended: whatever should have come before its end is missing."""
        for id_, due in self.dues.overdue(self.system.now):
            yield self.never_came(id_, due)

    def note(self, steps: Iterable[Step], *, own: str | None) -> None:
        """See what steps changed. `own`: the instance a line speaks of, whose changes are what that line shows."""
        for step in steps:
            self.dues.follow(step, told=step.instance == own)
            if step.before.configuration != step.after.configuration:
                self.roll.follow(step)
                if step.before.configuration and self.mapping.tolerance:
                    self.recent.append((step.at, step.before))

    # ---- findings

    def came_late(self, happening: Happening, target: str, due: Due) -> Finding:
        """It was seen, after its last moment."""
        says = f"`{happening.rule.shown}` {due.since(happening.at)}"
        return self.finding("late", happening, target, says, due.clauses, due=due)

    def never_came(self, id_: str, due: Due) -> Finding:
        """It was not seen."""
        leaf = self.leaf(due.after)
        tracked = self.roll.tracked.get(id_)
        if tracked is not None:
            tracked.excused = True
        says = f"no `{leaf}` was seen: {due.allowed} after {due.cause.words}"
        return self.finding("missing", None, id_, says, due.clauses, due=due)

    def not_allowed(self, happening: Happening, target: str, due: Due | None) -> Iterator[Finding]:
        """A state was seen that nothing allows."""
        rule, plan, now, world = happening.rule, self.plan, self.system.now, self.system.world
        snapshot = self.system.look(target)
        if due is not None and (
            is_in(due.before, rule.states) or untold_way(plan, due.before, now, world, rule.states, rule.via)
        ):
            still = "still " if is_in(due.before, rule.states) else ""
            says = f"{still}`{rule.shown}` {due.since(happening.at)}"
            yield self.finding("overdue", happening, target, says, due.clauses, due=due)
            return
        key = exact_timer(plan, snapshot, now, world, rule.states)
        if key is not None:
            early = self.dues.exact(snapshot, key, fired(plan, snapshot, key, now, world))
            says = f"`{rule.shown}` {early.since(happening.at)}"
            yield self.finding("early", happening, target, says, early.clauses, due=early)
            return
        where = " + ".join(plan.machines[snapshot.machine].innermost(snapshot.configuration))
        asked = [self.system.explain(target, event) for event in dict.fromkeys(way[0] for way in rule.via)]
        refusing = [one for each in asked for one in each.candidates if one.verdict == "refuses"]
        listening = [one for each in asked for one in each.candidates]
        why = tuple(dict.fromkeys(str(one) for one in listening if one.verdict != "wrong-source")) or tuple(
            dict.fromkeys(map(str, listening))
        )
        if refusing:
            refused = next(each for each in asked if refusing[0] in each.candidates)
            says = f"`{rule.shown}` by `{refused.event}`, while `{where}`: {refused.refusal}"
            clauses = tuple(dict.fromkeys(clause for one in refusing for clause in one.because))
            yield self.finding("refused", happening, target, says, clauses, why=why)
            return
        says = f"`{rule.shown}`, while `{where}`: nothing leads there"
        yield self.finding("impossible", happening, target, says, self.leading(snapshot, rule.states), why=why)

    def leading(self, snapshot: Snapshot, states: frozenset[str]) -> tuple[str, ...]:
        """The clauses of the rows that lead to these states, from wherever."""
        machine = self.plan.machines[snapshot.machine]
        wanted = {machine.numbers[name] for name in states}
        wanted |= {state.index for state in machine.states if wanted & {*state.ancestors}}
        rows = [row for row in machine.transitions if wanted & {*row.targets}]
        return tuple(dict.fromkeys(clause for row in rows for clause in row.because))

    def cited(self, target: str, events: tuple[str, ...]) -> tuple[str, ...]:
        """The clauses of the rows that listen for these events, and of the events themselves."""
        machine = self.plan.machines[self.system.look(target).machine]
        rows = [row for row in machine.transitions if any(row.hears(event) for event in events)]
        declared = [clause for event in events for clause in machine.events[event].because]
        return tuple(dict.fromkeys([*declared, *(clause for row in rows for clause in row.because)]))

    def finding(
        self,
        kind: Kind,
        happening: Happening | None,
        target: str,
        says: str,
        clauses: tuple[str, ...],
        *,
        due: Due | None = None,
        why: tuple[str, ...] = (),
        machine: str | None = None,
    ) -> Finding:
        """A finding with everything that goes with it, counted."""
        home = happening.instance if happening else self.roll.home(target)
        line = happening.line if happening else None
        tracked = self.roll.tracked.get(home)
        contested = self.contested(home, happening) if tracked is not None and not self.replaying else ()
        notes: tuple[str, ...] = ()
        if tracked is not None:
            tracked.found.add(line)
            if tracked.missed:
                lines = ", ".join(map(str, tracked.missed[-5:]))
                notes = (f"what line {lines} tells of `{home}` came too late to be used",)
        self.totals.violations += not contested
        self.totals.contested += bool(contested)
        return Finding(
            kind=kind,
            at=happening.at if happening else due.latest if due else self.system.now,
            line=line,
            instance=target,
            machine=machine or self.system.look(target).machine,
            says=says,
            clauses=clauses,
            earliest=due.earliest if due else None,
            latest=due.latest if due else None,
            seen=happening.at if happening else None,
            why=why,
            contested=contested,
            notes=notes,
        )

    # ---- other readings

    def contested(self, home: str, happening: Happening | None) -> tuple[str, ...]:
        """The readings under which what the log told of this instance, and of all it refers to, gives no further finding."""
        tracked = self.roll.tracked[home]
        around = {snapshot.id for snapshot in (*tracked.origin, *neighbourhood(self.system.world, [home]))}
        told: list[tuple[int, Happening]] = []
        for id_ in sorted(around & {*self.roll.tracked}):
            journal = self.roll.tracked[id_].journal
            if len(journal) == JOURNAL and journal[0][0] > tracked.born:
                return ()  # too much has happened since: nobody can say
            told += [item for item in journal if item[0] >= tracked.born]
        told.sort(key=lambda item: item[0])
        line = happening.line if happening else None
        named: list[str] = []
        for name, reading in self.plan.alternatives:
            found = self.found_under(self.other(name, reading), home, tracked, [item for _, item in told])
            if found is not None and line not in found and not found - tracked.found:
                named.append(f"{name}={reading}")
        return tuple(named)

    def other(self, name: str, reading: str) -> Plan:
        """The plan under another reading, compiled once."""
        if (name, reading) not in self.others:
            self.others[name, reading] = under(self.plan, {**self.plan.readings, name: reading})
        return self.others[name, reading]

    def found_under(self, plan: Plan, home: str, tracked: Tracked, told: list[Happening]) -> set[int | None] | None:
        """The lines of the findings about an instance if the same is told under another reading; None if that cannot be tried."""
        auditor = Auditor(plan, self.mapping, tracked.began, system=small_system(plan, tracked.began, tracked.origin))
        found: set[int | None] = set()
        try:
            reports = [report for item in told for report in auditor.take(item)]
            reports += [*auditor.pass_to(self.system.now), *auditor.finish()]
        except (LimitExceeded, RefusedInstance):
            return None
        for report in reports:
            if isinstance(report, Finding) and (report.instance == home or report.instance.startswith(f"{home}.")):
                found.add(report.line)
        return found
