"""What is legal but surely not meant: rows that contradict or hide each other, states nothing leads to, names nobody needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import attrs

from outlast import model
from outlast.errors import Problem, listed
from outlast.expr import Context, Expr, show, tree
from outlast.expr.tree import DURATION, TRUE
from outlast.place import Place, place_of
from outlast.plan.linear import Undecided
from outlast.plan.moves import Moves
from outlast.plan.overlap import Decide, Moment, example
from outlast.plan.scope import Report
from outlast.plan.states import flatten
from outlast.plan.tables import Computed, Field, Machine, Plan, State, Transition
from outlast.plan.unused import uncited, unused


def lint(plan: Plan, decide: Decide = example) -> tuple[Problem, ...]:
    """Everything suspicious in a plan that compiled without problems, under any readings; in order of place.

    `decide` answers whether guards can hold at once; what it leaves open is taken to be well, but for overlaps.
    """
    report = Report()
    for source in plan.source.machines:
        _Look(plan, plan.machines[str(source.name)], source, report, decide).over()
    unused(plan, report)
    uncited(plan, report)
    return tuple(sorted(report.problems, key=lambda problem: problem.order))


@attrs.define(eq=False)
class _Look:
    """One machine, looked over."""

    plan: Plan
    machine: Machine
    source: model.Machine
    report: Report
    decide: Decide
    rows: dict[str, model.Transition] = attrs.field(init=False)
    places: dict[str, Place | None] = attrs.field(init=False)
    verdicts: dict[str, bool | None] = attrs.field(init=False, factory=dict)
    """By key of a row: whether its guard always (True) or never (False) holds, or sometimes (None)."""
    shadowed: set[str] = attrs.field(init=False, factory=set)
    """Keys of rows that others always come before."""

    def __attrs_post_init__(self) -> None:
        self.rows = {str(row.id): row for row in self.source.transitions}
        self.places = {str(state.name): place_of(state.name) for state, _ in flatten(self.source)}

    def over(self) -> None:
        """Report what there is."""
        for row in self.machine.transitions:
            self.verdicts[row.key] = self.verdict(row)
        self.guards()
        self.requirements()
        self.overlaps()
        self.gaps()
        self.shadows()
        self.never_done()
        self.stale()
        moves = Moves(self.machine, self.fires, self.always)
        reachable = moves.reachable()
        self.unreachable(reachable)
        if self.machine.events:
            self.traps(moves, reachable)
        self.cycles(moves, reachable)
        self.timers(moves, reachable)

    # ---- rows, one by one

    def guard(self, row: Transition) -> Expr:
        return row.guard.expr if row.guard else TRUE

    def fires(self, row: Transition) -> bool:
        """Whether a row can be taken at all."""
        return self.verdicts[row.key] is not False and row.key not in self.shadowed and self.unending(row) is None

    def always(self, row: Transition) -> bool:
        """Whether no guard can keep a row from being taken."""
        return self.verdicts[row.key] is True

    def verdict(self, row: Transition) -> bool | None:
        """Whether the guard of a row always or never holds."""
        if row.guard is None:
            return True
        moments = list(self.moments(row))
        if not self.can(moments, [row.guard.expr]):
            return False
        return None if self.can(moments, [], [row.guard.expr]) else True

    def can(self, moments: Sequence[Moment], holding: Sequence[Expr], failing: Sequence[Expr] = ()) -> bool:
        """Whether there is a moment like that; yes, if it cannot be told."""
        try:
            return any(self.decide(moment, holding, failing) is not None for moment in moments)
        except Undecided:
            return True

    def moments(self, *rows: Transition) -> Iterator[Moment]:
        """The moments at which all of `rows`, of one state, are looked at: one for each payload they may find."""
        first = rows[0]
        if first.kind not in ("event", "done"):
            yield self.moment(first)
            return
        asks = any(isinstance(node, tree.Payload) for row in rows for node in tree.walk(self.guard(row)))
        told: list[Mapping[str, Field]] = []
        for event in self.events():
            if all(row.hears(event) for row in rows):
                declared = self.machine.events.get(event)
                payload = declared.payload if declared and asks else {}
                if payload not in told:
                    told.append(payload)
                    yield self.moment(first, payload)
                if not asks:
                    return

    def moment(self, row: Transition, payload: Mapping[str, Field] | None = None) -> Moment:
        return Moment(self.plan.machines, self.machine, self.plan.assumptions, row.source, payload or {})

    def events(self) -> Iterator[str]:
        """The name of every event the machine may meet, as far as its rows tell."""
        yield from self.machine.events
        yield from (".".join((*path, state)) for path, state in self.machine.watches)
        yield from (f"done.state.{state.name}" for state in self.machine.states if not state.is_leaf)
        yield from (f"done.invoke.{name}" for name in self.machine.refs)
        yield from ("error.execution", "error.communication")
        for row in self.machine.transitions:
            yield from (word.removesuffix(".*").removesuffix(".") for word in row.descriptors if word != "*")

    def place(self, row: Transition) -> Place | None:
        return place_of(self.rows[row.id].id)

    def guards(self) -> None:
        """Guards that decide nothing. A row of several states is told of only if it is the same in all of them."""
        for row in self.rows.values():
            verdicts = {self.verdicts[own.key] for own in self.machine.transitions if own.id == row.id}
            if row.guard is None or len(verdicts) != 1 or None in verdicts:
                continue
            where = row.guard.place or place_of(row.id)
            if True in verdicts:
                text = f"the guard of `{row.id}` always holds"
                self.report("always-true", text, where, "leave it out", "warning")
            else:
                text = f"the guard of `{row.id}` never holds, so the row is never taken"
                self.report("never-true", text, where, None, "warning")

    def requirements(self) -> None:
        """Demands on new instances that every instance meets, or none."""
        anywhere = Moment(self.plan.machines, self.machine, self.plan.assumptions)
        for row, source in zip(self.machine.requires, self.source.requires, strict=True):
            where = source.that.place or place_of(source.id)
            if not self.can([anywhere], [row.that.expr]):
                self.report("never-true", f"no instance can meet `{row.id}`", where, None, "warning")
            elif not self.can([anywhere], [], [row.that.expr]):
                self.report("always-true", f"every instance meets `{row.id}`", where, "leave it out", "warning")

    # ---- rows of one state, against each other

    def overlaps(self) -> None:
        """Rows of one state that can be asked for at once, both guards holding."""
        told: set[tuple[str, str]] = set()
        for state in self.machine.states:
            if state.first_choice:
                continue
            rows = [self.machine.transitions[index] for index in state.transitions]
            for one, two in combinations(rows, 2):
                alike = (one.kind == "eventless") == (two.kind == "eventless")
                if alike and (one.id, two.id) not in told and self.overlap(state, one, two):
                    told.add((one.id, two.id))

    def overlap(self, state: State, one: Transition, two: Transition) -> bool:
        """Report two rows if they overlap."""
        names = f"`{one.id}` and `{two.id}`"
        hint = (
            "make their guards exclude each other, or say `choice: first` in the state if the order of the rows decides"
        )
        for moment in self.moments(one, two):
            try:
                found = self.decide(moment, [self.guard(one), self.guard(two)], [])
            except Undecided:
                text = f"whether {names} can both hold in `{state.name}` was not found out"
                self.report("overlap-undecided", text, self.place(two), "compare with fewer things at once", "warning")
                return True
            if found is not None:
                when = f"both hold when {found}" if found else "both always hold"
                self.report("overlapping-guards", f"{names} compete in `{state.name}`: {when}", self.place(two), hint)
                return True
        return False

    def gaps(self) -> None:
        """Events for which a state tells cases apart, and forgets one.

        A row alone is no distinction: it just says when. Nor are rows that an outer state stands behind: they are special cases.
        """
        told: set[tuple[str, ...]] = set()
        for state in self.machine.states:
            for event in dict.fromkeys(name for name in self.events() if not name.startswith("error.")):
                rows = [row for row in self.hearing(state, event) if self.verdicts[row.key] is not False]
                names = tuple(row.id for row in rows)
                if len(rows) < 2 or names in told or any(row.guard is None for row in rows) or self.above(state, event):
                    continue
                declared = self.machine.events.get(event)
                moment = self.moment(rows[0], declared.payload if declared else None)
                try:
                    found = self.decide(moment, [], [self.guard(row) for row in rows])
                except Undecided:
                    continue
                if found is not None:
                    told.add(names)
                    words = "neither" if len(rows) == 2 else "none"
                    text = f"{listed(names)} leave a gap in `{state.name}` for `{event}`: {words} holds when {found}"
                    hint = "add a row for the rest: without `to` it stays, with `refuse` it says why not"
                    self.report("guard-gap", text, self.place(rows[-1]), hint, "warning")

    def above(self, state: State, event: str) -> bool:
        """Whether a state around this one hears an event, too."""
        return any(self.hearing(self.machine.states[level], event) for level in state.ancestors)

    def hearing(self, state: State, event: str) -> list[Transition]:
        """The rows of one state that an event asks, timers and eventless ones left out."""
        rows = (self.machine.transitions[index] for index in state.transitions)
        return [row for row in rows if row.kind != "eventless" and row.hears(event)]

    def shadows(self) -> None:
        """Rows that are never taken since earlier ones of their state always are. Without `choice: first`, such rows overlap."""
        for state in self.machine.states:
            rows = [self.machine.transitions[index] for index in state.transitions] if state.first_choice else []
            for position, row in enumerate(rows):
                if self.verdicts[row.key] is not False and (before := self.hiding(row, rows[:position])):
                    self.shadowed.add(row.key)
                    names = listed(dict.fromkeys(other.id for other in before))
                    text = f"`{row.id}` is never taken in `{state.name}`: {names} always comes first"
                    self.report("dead-transition", text, self.place(row), "put it earlier, or remove it", "warning")

    def hiding(self, row: Transition, earlier: Sequence[Transition]) -> list[Transition]:
        """The earlier rows that together leave nothing to `row`."""
        found: list[Transition] = []
        heard = (
            [None] if row.kind == "eventless" else [event for event in dict.fromkeys(self.events()) if row.hears(event)]
        )
        for event in heard:
            rivals = [
                other
                for other in earlier
                if (other.kind == row.kind if event is None else other.kind != "eventless" and other.hears(event))
            ]
            declared = self.machine.events.get(event) if event else None
            moment = self.moment(row, declared.payload if declared else None)
            if not rivals or self.can([moment], [self.guard(row)], [self.guard(other) for other in rivals]):
                return []
            found += rivals
        return found

    # ---- states

    def unreachable(self, reachable: set[int]) -> None:
        """States that no run enters. Of a whole unreachable branch, only its top."""
        for state in self.machine.states:
            if (
                state.index not in reachable
                and not state.is_history
                and (state.parent < 0 or state.parent in reachable)
            ):
                text = f"nothing leads to the state `{state.name}`"
                self.report("unreachable-state", text, self.places[state.name], "add a row to it, or remove it")

    def traps(self, moves: Moves, reachable: set[int]) -> None:
        """States that are for ever, without saying so."""
        for state in moves.traps(reachable):
            text = f"nothing leads out of the state `{state.name}`"
            self.report(
                "trap-state", text, self.places[state.name], "say `final: true` if the story ends here", "warning"
            )

    def cycles(self, moves: Moves, reachable: set[int]) -> None:
        """Eventless rows that go round for ever."""
        for cycle in moves.cycles(reachable):
            path = " -> ".join(f"`{row.id}`" for row in (*cycle, cycle[0]))
            text = f"eventless rows without a way out: {path}"
            self.report("eventless-cycle", text, self.place(cycle[0]), "give one of them an event or a guard")

    def stale(self) -> None:
        """Eventless rows that read another instance of whose changes nobody tells this one."""
        told = {chain for chain, _ in self.machine.watches}
        told |= {tuple(row.descriptors[0].split(".")[2:]) for row in self.machine.transitions if row.kind == "done"}
        for row in {row.id: row for row in self.machine.transitions if row.kind == "eventless"}.values():
            nodes = [node for node in tree.walk(self.guard(row)) if isinstance(node, tree.Far | tree.Inside)]
            read = dict.fromkeys(".".join(node.path) for node in nodes if node.path and node.path not in told)
            if read:
                text = f"`{row.id}` reads {listed(read)}, and no row hears of changes there: it is looked at too late"
                hint = f"let a row hear it: `event: {next(iter(read))}.STATE`"
                self.report("stale-look", text, self.place(row), hint, "warning")

    # ---- what never comes

    def unending(self, row: Transition) -> str | None:
        """Why what a row waits for is never done, if so."""
        if row.kind != "done":
            return None
        kind, _, name = row.descriptors[0].removeprefix("done.").partition(".")
        if kind == "state":
            state = self.machine.states[self.machine.numbers[name]]
            lacking = next((part for part in self.parts(state) if not self.has_end(self.machine, part.children)), None)
            return f"`{lacking.name}` has no final state" if lacking else None
        other = self.plan.machines[self.machine.refs[name].machine]
        tops = tuple(state.index for state in other.states if state.parent < 0)
        return None if self.has_end(other, tops) else f"`{other.name}` has no final state at its top"

    def parts(self, state: State) -> Iterator[State]:
        """The composites that must come to their end for `state` to be done."""
        if state.kind != "parallel":
            yield state
            return
        for child in state.children:
            yield from self.parts(self.machine.states[child])

    def has_end(self, machine: Machine, children: tuple[int, ...]) -> bool:
        return any(machine.states[child].kind == "final" for child in children)

    def never_done(self) -> None:
        """Rows that wait for the end of something endless."""
        for row in {row.id: row for row in self.machine.transitions}.values():
            if (why := self.unending(row)) is not None and self.verdicts[row.key] is not False:
                self.report("dead-transition", f"`{row.id}` is never taken: {why}", self.place(row), None, "warning")

    def timers(self, moves: Moves, reachable: set[int]) -> None:
        """Timers whose state is always left before they are due."""
        told: set[str] = set()
        for row in self.machine.transitions:
            state = self.machine.states[row.source]
            counts = row.delay and state.index in reachable and self.fires(row) and row.id not in told
            if counts and (why := self.too_late(moves, row, state)):
                told.add(row.id)
                text = f"the timer of `{row.id}` never fires: {why}"
                self.report("timer-never-fires", text, self.place(row), None, "warning")

    def too_late(self, moves: Moves, row: Transition, state: State) -> str | None:
        """Why a timer is never due, if so."""
        if _constant(row.delay) is None and row.delay and not _reads(row.delay.expr):
            return "its duration is always absent"
        for level in moves.upwards(state):
            for other in moves.rows(level):
                if not (other.targets and self.always(other) and not other.internal):
                    continue
                if other.kind == "eventless" and row.kind == "after" and _constant(row.delay) != 0:
                    return f"`{other.id}` leaves `{level.name}` at once"
                sooner, later = _constant(other.delay), _constant(row.delay)
                if row.kind == "after" and sooner is not None and later is not None and sooner < later:
                    return f"`{other.id}` leaves `{level.name}` after {show(sooner, DURATION)}"
                if level is state and row.kind == "after" and self.sooner(other, row):
                    return f"`{other.id}` is always due sooner: `{other.delay}` is below `{row.delay}`"
        return None

    def sooner(self, one: Transition, two: Transition) -> bool:
        """Whether of two timers armed together the first is always due before the second."""
        if one.delay is None or two.delay is None or one is two:
            return False
        first, second = one.delay.expr, two.delay.expr
        before = (tree.Compare("<", first, second), tree.Compare("<", tree.Literal(0, DURATION), second))
        return not self.can([self.moment(two)], [tree.Present(second)], [tree.All(before)])


def _reads(expr: Expr) -> bool:
    return any(not isinstance(node, tree.Literal | tree.Arithmetic) for node in tree.walk(expr))


def _constant(delay: Computed | None) -> int | None:
    """The duration of a timer that reads nothing."""
    if delay is None or _reads(delay.expr):
        return None
    value = delay.run(Context())
    return value if isinstance(value, int) else None
