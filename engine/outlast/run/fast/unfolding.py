"""One macrostep, unfolded: from a place and an event to a tree of tests, with a straight line of source at the end of each branch.

Theory of operation
===================

This is `Macrostep` run on what is known before any instance is: the configuration, the history, the name of the event, the readings. What it does
not know becomes source: a guard over fields becomes an `if`, and the run goes on in both branches with a copy of itself. All that has
structure only (which rows conflict, what is exited and entered, what a history remembers) is asked of a `Macrostep`, so that it is defined
once. A `Course` is how far one branch has come; its tasks are what it has still to do.

Nothing is changed before the end of a branch. There the `Form` writes what becomes of it all; until then, `return None` leaves the step to
the interpreter. That is what happens wherever an action would fail, so no block here is ever left half done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import attrs

from outlast.expr import ANY, Expr, tree
from outlast.plan import Machine, Plan, State, Transition, tables
from outlast.run.fast.expressions import Code, Fixed, Sight, Uncovered, literal, source
from outlast.run.fast.packed import Whereabouts
from outlast.run.macrostep import Macrostep, _Entries
from outlast.run.snapshot import Snapshot
from outlast.run.steps import Effect, Microstep
from outlast.run.terms import DEFAULT_TERMS
from outlast.values import frozen

LONGEST = 12
"""Microsteps of one unfolded macrostep. A run with a limit below this is left to the interpreter."""
DEEPEST = 24
"""Tests on one branch."""
WIDEST = 64
"""Branches of one function."""

Payload: TypeAlias = dict[str, Code]
Task: TypeAlias = Callable[["Course"], None]
"""Something to be done. A task stays in the list until it takes itself out, so one that is undecided is begun again once it is not."""


@frozen
class Heard:
    """The event at hand. `outside`: the one the function is called with, whose payload and sender are known only then."""

    name: str
    kind: str
    payload: Payload
    outside: bool = False


_FAILING = (" < ", " <= ", " > ", " >= ", " + ", " - ", " * ", "whole(", "total(")
"""What source may hold that raises a TypeError."""


class Undecided(Exception):
    """How to go on depends on a test that the function has to make."""

    def __init__(self, test: str) -> None:
        super().__init__(test)
        self.test = test


@attrs.define(eq=False)
class Course:
    """How far one branch has come."""

    active: set[int]
    history: dict[str, tuple[int, ...]]
    fields: list[Code]
    others: list[Code]
    heard: Heard
    tasks: list[Task]
    internal: deque[tuple[str, Payload]] = attrs.field(factory=deque)
    known: dict[str, bool] = attrs.field(factory=dict)
    """What tests have said: names stand for the same value throughout, so each is made once."""
    microsteps: list[Microstep] = attrs.field(factory=list)
    effects: list[Effect | str] = attrs.field(factory=list)
    to_spawn: list[int] = attrs.field(factory=list)
    changed: bool = False
    """Whether a field was set."""
    dropped: set[str] = attrs.field(factory=set)
    armed: dict[str, tuple[str, bool]] = attrs.field(factory=dict)
    """Key of a timer -> its name, and whether it surely runs: a delay may be absent."""
    sent: bool = False
    delayed: bool = False
    bound: bool = False
    """Whether refs or children may have changed."""
    running: bool = True
    refusal: str | None = None
    answer: Payload | None = None
    depth: int = 0
    first: bool = True
    """Whether the event from outside is still to be answered."""

    def copy(self) -> Course:
        """The same, free to go another way."""
        same = {field.name: getattr(self, field.name) for field in attrs.fields(Course)}
        for name, value in same.items():
            if isinstance(value, set | dict | list | deque):
                same[name] = value.copy()
        return Course(**same)


class Form(Protocol):
    """What a function is written for: how it begins, and what it leaves behind."""

    alone: bool
    """Whether there is nobody else: no refs that lead anywhere, no sends, no children."""
    still: bool
    """Whether time stands still, so that a timer of a fixed delay is the same whenever it is armed: it is called `T` with the number of its row."""
    leave: str
    """The statement that leaves the step to the interpreter."""

    def beginning(self, unfolding: Unfolding) -> list[str]:
        """The first lines, once it is known what is needed."""

    def end(self, unfolding: Unfolding, course: Course) -> list[str]:
        """The lines at the end of a branch."""


class Unfolding:
    """Unfolds one event (or timer, by the key of its row) at one place."""

    def __init__(
        self,
        plan: Plan,
        machine: Machine,
        place: Whereabouts,
        form: Form,
        *,
        event: str | None,
        timer: str | None = None,
    ) -> None:
        self.plan, self.machine, self.place, self.form, self.event, self.timer = (
            plan,
            machine,
            place,
            form,
            event,
            timer,
        )
        self.states = machine.states
        self.constants: dict[str, Any] = {}
        self.lines: list[str] = []
        self.uses: set[str] = set()
        """What the beginning must provide: `fields`, `others`, `rest`, `payload`, `refs`, `kids`, `stopped`, `sent`, `delayed`, `now`."""
        self.numbers = 0
        self.temporaries: dict[str, str] = {}
        self.branches = 0
        self.left: list[str] = []
        """Why branches are left to the interpreter."""
        self.leads_to: list[Any] = []
        """Where the others end."""
        blank = Snapshot(
            "",
            machine.name,
            place.configuration,
            (None,) * len(machine.fields),
            (None,) * len(machine.refs),
            place.history,
        )
        self.shape = Macrostep(plan, blank, 0, {}, DEFAULT_TERMS)

    # ---- writing

    def name(self, letter: str) -> str:
        """A new name."""
        self.numbers += 1
        return f"{letter}{self.numbers}"

    def constant(self, value: object, letter: str = "K") -> str:
        """The name of a value that the function finds among its globals."""
        for name, other in self.constants.items():
            if other is value:
                return name
        name = self.name(letter)
        self.constants[name] = value
        return name

    def need(self, *names: str) -> None:
        """Ask the beginning to provide something."""
        self.uses.update(names)

    def write(self, course: Course, *lines: str) -> None:
        """Lines where the course stands."""
        self.lines += ["    " * (course.depth + 1) + line for line in lines]

    def give_up(self, course: Course, why: str) -> None:
        """Leave the rest of a branch to the interpreter."""
        self.left.append(why)
        self.write(course, self.form.leave)

    # ---- the whole story

    def unfold(self) -> str | None:
        """The body of the function, indented once; None if no branch of it can be gone."""
        if not self.branched():
            return None
        body = [*("    " + line for line in self.form.beginning(self)), *self.lines]
        if any(word in line for line in body for word in _FAILING):
            body = [
                "    try:",
                *("    " + line for line in body),
                "    except TypeError:",
                f"        {self.form.leave}",
            ]
        return "\n".join(body)

    def branched(self) -> bool:
        """Write the lines of all branches; whether any can be gone to its end."""
        course = Course(
            active=set(self.shape.active),
            history=dict(self.shape.history),
            fields=[f"v{index}" for index in range(len(self.machine.fields))],
            others=[Fixed(None) if self.form.alone else f"o{slot}" for slot in range(len(self.machine.slots))],
            heard=Heard("", "external", {}),
            tasks=[self.settle, self.begin],
        )
        if self.place.done:
            return False
        self.go(course)
        return self.branches > len(self.left)

    def go(self, course: Course) -> None:
        """Do what a course has to do, and where it forks, both."""
        try:
            while course.tasks:
                try:
                    course.tasks[-1](course)
                except Undecided as fork:
                    self.fork(course, fork.test)
                    return
        except Uncovered as why:
            self.branches += 1
            self.give_up(course, str(why))
            return
        self.branches += 1
        self.write(course, *self.form.end(self, course))

    def fork(self, course: Course, test: str) -> None:
        """Both ways."""
        if course.depth > DEEPEST or self.branches > WIDEST:
            raise Uncovered("too many ways to go")
        other = course.copy()
        self.write(course, f"if {test}:")
        course.depth += 1
        course.known[test], other.known[test] = True, False
        self.go(course)
        self.go(other)

    def sight(self, course: Course) -> Sight:
        """What an expression sees now."""

        def payload(name: str) -> Code:
            if course.heard.outside:
                self.need("payload")
                return f"payload.get({literal(name)})"
            return course.heard.payload.get(name, Fixed(None))

        def fact(name: tree.Fact) -> Code:
            match name:
                case "own id":
                    self.need("rest")
                    return "rest[0]"
                case "event name" if course.heard.name:
                    return Fixed(course.heard.name)
                case "event kind" if course.heard.name:
                    return Fixed(course.heard.kind)
                case "event sender" | "send id" if course.heard.outside:
                    raise Uncovered(f"asks for the {name}")
                case "event child" if course.heard.outside:
                    raise Uncovered("asks which child spoke")
            return Fixed(None)

        active = frozenset(self.states[index].name for index in course.active)
        return Sight(course.fields, course.others, active, payload, fact, self.plan.readings, self.temporary)

    def decided(self, course: Course, expr: Expr) -> bool:
        """Whether a condition holds. Raises Undecided where that is not known yet."""
        test = self.sight(course).test(expr)
        if isinstance(test, bool):
            return test
        if test not in course.known:
            raise Undecided(test)
        return course.known[test]

    def temporary(self, code: str) -> str:
        """The name of what a test computes on its way: the same for the same, so that a test reads the same when it is met again."""
        return self.temporaries.setdefault(code, f"t{len(self.temporaries)}")

    def value(self, course: Course, expr: Expr) -> Code:
        """An expression as code that can be said again: a name or a value."""
        code = self.sight(course).value(expr)
        if isinstance(code, Fixed) or code.isidentifier():
            return code
        name = self.name("x")
        self.write(course, f"{name} = {code}")
        return name

    # ---- choosing rows

    def begin(self, course: Course) -> None:
        """Hear what the function is for: `Macrostep.take`, `fire` and `start`."""
        if self.event is None and self.timer is None:
            course.tasks.pop()
            self.then(course, self.block(self.machine.default.actions), self.entering([], None, []))
            return
        if self.timer is not None:
            row = self.machine.arrows[self.timer]
            course.heard = self.heard(row.trigger, {})
            course.dropped.add(row.key)
            holds = self.holds(course, row)
            course.tasks.pop()
            if holds:
                self.microstep(course, [row], row.trigger)
            else:
                course.refusal = "its guard does not hold"
            return
        assert self.event is not None
        for index in course.active:
            for spawn in self.states[index].spawns:
                if spawn.finalize or spawn.forward:
                    raise Uncovered("a child is told, or heard, first")
        course.heard = attrs.evolve(self.heard(self.event, {}), outside=True)
        selected = self.select(course, self.event)
        course.tasks.pop()
        refusing = [row for row in selected if row.refuse]
        if refusing:
            course.refusal = refusing[0].refuse
        if selected:
            self.microstep(course, refusing or selected, self.event)
        else:
            course.refusal = "nothing listens for it here"

    def heard(self, name: str, payload: Payload, *, inside: bool = False) -> Heard:
        """`Macrostep.hear`."""
        platform = name.startswith(("error.", "done."))
        return Heard(name, "platform" if platform else "internal" if inside else "external", payload)

    def settle(self, course: Course) -> None:
        """`Macrostep.run_to_completion`, one turn of it."""
        if not course.running:
            course.tasks.pop()
            self.finish(course)
            return
        if len(course.microsteps) > LONGEST:
            raise Uncovered("too many microsteps")
        if selected := self.select(course, None):
            self.microstep(course, selected, None)
        elif course.internal:
            name, payload = course.internal.popleft()
            course.heard = self.heard(name, payload, inside=True)
            course.tasks.append(self.hear_inside)
        elif course.to_spawn:
            waiting, course.to_spawn = sorted(course.to_spawn), []
            self.then(course, *(self.block((spawn,)) for index in waiting for spawn in self.states[index].spawns))
        else:
            course.tasks.pop()

    def hear_inside(self, course: Course) -> None:
        """An event of the internal queue."""
        selected = self.select(course, course.heard.name)
        course.tasks.pop()
        if selected:
            self.microstep(course, selected, course.heard.name)

    def select(self, course: Course, event: str | None) -> list[Transition]:
        """`Macrostep.select`."""
        leaves = [index for index in sorted(course.active) if self.states[index].is_leaf]
        chosen = [self.first_enabled(course, index, event) for index in leaves]
        self.take_shape(course)
        return self.shape.without_conflicts(list({row.index: row for row in chosen if row}.values()))

    def first_enabled(self, course: Course, leaf: int, event: str | None) -> Transition | None:
        """The row one leaf chooses, inner states first."""
        for above in (leaf, *self.states[leaf].ancestors):
            for number in self.states[above].transitions if above >= 0 else ():
                row = self.machine.transitions[number]
                if row.hears(event) and self.holds(course, row):
                    return row
        return None

    def holds(self, course: Course, row: Transition) -> bool:
        """Whether a row's guard holds."""
        return row.guard is None or self.decided(course, row.guard.expr)

    def take_shape(self, course: Course) -> None:
        """Let the interpreter's structural functions see where the course stands."""
        self.shape.active, self.shape.history = course.active, course.history

    # ---- carrying them out

    def then(self, course: Course, *tasks: Task) -> None:
        """Do these next, in this order."""
        course.tasks += reversed(tasks)

    def microstep(self, course: Course, rows: list[Transition], event: str | None) -> None:
        """Exit, act, enter."""
        self.take_shape(course)
        leaving = sorted(set[int]().union(*(self.shape.exit_set(row) for row in rows)), reverse=True)
        for index in leaving:
            for number in self.states[index].histories:
                self.shape.remember(self.states[number], self.states[index])
        exits = [task for index in leaving for task in (*self.leave(index), self.inactive(index))]
        acts = [self.block(row.actions) for row in rows]

        self.then(course, *exits, *acts, self.entering(rows, event, leaving))

    def leave(self, index: int) -> list[Task]:
        """`Macrostep.leave`."""
        state = self.states[index]

        def left(course: Course) -> None:
            course.tasks.pop()
            for number in state.timers:
                key = self.machine.transitions[number].key
                course.armed.pop(key, None)
                course.dropped.add(key)
            if index in course.to_spawn:
                course.to_spawn.remove(index)
            else:
                for spawn in state.spawns:
                    self.unbind(course, spawn.ref)

        return [*map(self.block, state.exit), left]

    def inactive(self, index: int) -> Task:
        """A state that has been left is active no more."""

        def inactive(course: Course) -> None:
            course.tasks.pop()
            course.active.discard(index)

        return inactive

    def entering(self, rows: list[Transition], event: str | None, left: list[int]) -> Task:
        """Enter what the rows lead to; the initial configuration, where there are none."""

        def entering(course: Course) -> None:
            course.tasks.pop()
            self.take_shape(course)
            moves = [(row.targets, self.shape.domain(row)) for row in rows if row.targets]
            self.enter(course, moves if rows else [(self.machine.default.targets, -1)], rows, event, left)

        return entering

    def enter(
        self,
        course: Course,
        moves: list[tuple[tuple[int, ...], int]],
        rows: list[Transition],
        event: str | None,
        left: list[int],
    ) -> None:
        """`Macrostep.enter`."""
        entries = _Entries(self.shape)
        for targets, domain in moves:
            for target in targets:
                entries.descend(target)
            for target in self.shape.effective(targets):
                entries.ascend(target, domain)
        entered = sorted(entries.states)
        tasks: list[Task] = []
        for index in entered:
            state = self.states[index]
            default = state.default.actions if index in entries.by_default and state.default else ()
            blocks = (*state.entry, default, entries.history_actions.get(index, ()))
            tasks += [self.active(index), *(self.block(block) for block in blocks if block), self.arrived(state)]
        course.microsteps.append(
            Microstep(event, tuple(row.key for row in rows), self.names(left), self.names(entered))
        )
        self.then(course, *tasks)

    def names(self, indices: Sequence[int]) -> tuple[str, ...]:
        """Numbers of states as names."""
        return tuple(self.states[index].name for index in indices)

    def active(self, index: int) -> Task:
        """A state that is entered is active."""

        def active(course: Course) -> None:
            course.tasks.pop()
            course.active.add(index)

        return active

    def arrived(self, state: State) -> Task:
        """What follows the actions of an entry: timers, children, done events."""

        def arrived(course: Course) -> None:
            course.tasks.pop()
            for number in state.timers:
                self.arm(course, self.machine.transitions[number])
            if state.spawns:
                course.to_spawn.append(state.index)
            if state.kind == "final":
                self.reached(course, state)

        return arrived

    def arm(self, course: Course, row: Transition) -> None:
        """A timer, running if its delay is there."""
        assert row.delay is not None
        if tree.type_of(row.delay.expr) == ANY:
            raise Uncovered("a delay without a type")
        delay = self.value(course, row.delay.expr)
        if delay == Fixed(None):
            return
        if self.form.still:
            self.need(f"T{row.index}")
            course.armed[row.key] = f"T{row.index}", True
            return
        self.need("now", "rest")
        key, name, length = literal(row.key), self.name("m"), source(delay)
        if isinstance(delay, Fixed):
            length = literal(max(delay.value, 0)) if isinstance(delay.value, int) else "None"
        else:
            length = f"({length} if {length} > 0 else 0)"
        end = self.name("d")
        due = end
        if row.kind == "within":
            self.need("terms")
            due = f"terms.moment(rest[0], {key}, now, {end} - now)"
        lines = [f"{end} = now + {length}", f"{name} = Armed()", f"{name}.key = {key}", f"{name}.armed = now"]
        lines += [f"{name}.due = {due}", f"{name}.latest = {end}"]
        if isinstance(delay, Fixed) or not tree.may_be_absent(row.delay.expr):
            self.write(course, *lines)
        else:
            lines = ["    " + line for line in lines]
            self.write(course, f"{name} = None", f"if {source(delay)} is not None:", *lines)
        course.armed[row.key] = name, isinstance(delay, Fixed) or not tree.may_be_absent(row.delay.expr)

    def reached(self, course: Course, final: State) -> None:
        """`Macrostep.reached`."""
        payload = {name: self.value(course, value.expr) for name, value in final.done_data}
        if final.parent < 0:
            course.running, course.answer = False, payload
            return
        parent = self.states[final.parent]
        course.internal.append((f"done.state.{parent.name}", payload))
        if parent.parent >= 0 and self.states[parent.parent].kind == "parallel":
            above = self.states[parent.parent]
            self.take_shape(course)
            if all(self.shape.is_done(child) for child in above.children):
                course.internal.append((f"done.state.{above.name}", {}))

    def finish(self, course: Course) -> None:
        """`Macrostep.finish`: the configuration stays for reading."""
        tasks = [task for index in sorted(course.active, reverse=True) for task in self.leave(index)]

        def finished(there: Course) -> None:
            there.tasks.pop()
            there.armed.clear()
            there.dropped |= set(self.machine.arrows)
            there.delayed = True
            self.need("rest")
            if self.has_children:
                there.bound = True
                self.need("kids", "stopped")
                self.write(there, "stopped += [kid for kid in kids.values() if kid not in stopped]", "kids.clear()")

        self.then(course, *tasks, finished)

    # ---- actions

    def block(self, actions: tables.Block) -> Task:
        """Actions one after the other."""

        def block(course: Course) -> None:
            for number, action in enumerate(actions):
                if isinstance(action, tables.If):
                    course.tasks[-1] = self.choice(action, actions[number + 1 :])
                    return
                self.act(course, action)
            course.tasks.pop()

        return block

    def choice(self, action: tables.If, after: tables.Block) -> Task:
        """An `if`, and what stands after it."""

        def choice(course: Course) -> None:
            holds = self.decided(course, action.condition.expr)
            course.tasks[-1] = self.block((*(action.then if holds else action.otherwise), *after))

        return choice

    def act(self, course: Course, action: tables.Action) -> None:
        """One action, as `Macrostep.carry_out` does it."""
        match action:
            case tables.Assign(field=field, value=value):
                code = self.value(course, value.expr)
                self.admit(course, field, code, value.expr)
                course.fields[field.index] = code
                course.changed = True
            case tables.Emit(effect=name, payload=payload):
                declared = self.machine.effects[name].payload
                course.effects.append(self.effect(course, name, self.computed(course, payload, declared)))
            case tables.Raise(event=event, payload=payload):
                declared = self.machine.events[event].payload
                course.internal.append((event, self.computed(course, payload, declared)))
            case tables.Send():
                self.send(course, action)
            case tables.Cancel(id=id_) if not self.form.alone:
                self.need("delayed")
                course.delayed = True
                self.write(
                    course, f"delayed = tuple([item for item in delayed if item.event.send_id != {literal(id_)}])"
                )
            case tables.Stop(ref=ref) if not self.form.alone:
                self.unbind(course, ref)
            case _:
                raise Uncovered("has to do with others")

    def admit(self, course: Course, field: tables.Field, code: Code, expr: Expr | None) -> None:
        """Go on only with a value of the field."""
        if isinstance(code, Fixed):
            if field.objection(code.value):
                raise Uncovered("an action fails")
            return
        if field.type == ANY:
            return
        same = expr is not None and tree.type_of(expr) == field.type
        if not same:
            self.write(course, f"if {self.constant(field)}.objection({code}) is not None:", f"    {self.form.leave}")
            return
        tests = []
        if field.minimum is not None:
            tests.append(f"{code} < {literal(field.minimum)}")
        if field.maximum is not None:
            tests.append(f"{code} > {literal(field.maximum)}")
        if field.step:
            tests.append(f"({code} - {literal(field.minimum or 0)}) % {literal(field.step)}")
        absent = expr is not None and tree.may_be_absent(expr)
        if absent and field.optional and tests:
            self.write(course, f"if {code} is not None and ({' or '.join(tests)}):", f"    {self.form.leave}")
        elif absent and not field.optional:
            self.write(course, f"if {' or '.join([f'{code} is None', *tests])}:", f"    {self.form.leave}")
        elif tests:
            self.write(course, f"if {' or '.join(tests)}:", f"    {self.form.leave}")

    def computed(self, course: Course, payload: tables.Payload, declared: Any) -> Payload:
        """The payload's values, with the defaults of those not given."""
        given = {name: (self.value(course, value.expr), value.expr) for name, value in payload}
        found: Payload = {}
        for name, field in declared.items():
            code, expr = given.get(name, (Fixed(field.default), None))
            self.admit(course, field, code, expr)
            found[name] = code
        return found

    def pairs(self, payload: Payload) -> str:
        """A payload as a tuple of pairs."""
        return "(" + "".join(f"({literal(name)}, {source(code)}), " for name, code in payload.items()) + ")"

    def effect(self, course: Course, name: str, payload: Payload) -> Effect | str:
        """An effect: a value, or the name of one."""
        if all(isinstance(code, Fixed) for code in payload.values()):
            return Effect(name, tuple((key, code.value) for key, code in payload.items() if isinstance(code, Fixed)))
        made = self.name("e")
        self.write(course, f"{made} = Effect({literal(name)}, {self.pairs(payload)})")
        return made

    def send(self, course: Course, send: tables.Send) -> None:
        """`Macrostep.send`, to one who is there and knows the event."""
        if send.address is not None or self.form.alone:
            raise Uncovered("sends to an address" if send.address else "sends")
        self.need("rest")
        to, receiver = "rest[0]", self.machine
        if send.slot is not None:
            other = course.others[send.slot]
            if isinstance(other, Fixed):
                raise Uncovered("an action fails")
            self.write(course, f"if {other} is None:", f"    {self.form.leave}")
            to = f"{other}.id"
            for ref in self.machine.slots[send.slot]:
                receiver = self.plan.machines[receiver.refs[ref].machine]
        if send.event not in receiver.events:
            raise Uncovered("an action fails")
        payload = self.computed(course, send.payload, receiver.events[send.event].payload)
        event = f"Event({literal(send.event)}, {self.pairs(payload)}, rest[0], None, {literal(send.id)})"
        if send.after is None:
            self.need("sent")
            course.sent = True
            self.write(course, f"sent.append(Delivery({to}, {event}))")
            return
        if tree.type_of(send.after.expr) == ANY:
            raise Uncovered("a delay without a type")
        delay = self.value(course, send.after.expr)
        if delay == Fixed(None):
            raise Uncovered("an action fails")
        if tree.may_be_absent(send.after.expr):
            self.write(course, f"if {source(delay)} is None:", f"    {self.form.leave}")
        self.need("delayed", "now")
        course.delayed = True
        self.write(
            course, f"delayed = (*delayed, Delayed(now + max({source(delay)}, 0), turn, {to}, {event}))", "turn += 1"
        )

    # ---- children and refs

    @cached_property
    def has_children(self) -> bool:
        """Whether the machine ever makes any."""
        return any(isinstance(action, tables.Spawn) for action in self.machine.actions)

    def unbind(self, course: Course, ref: str) -> None:
        """`Macrostep.unbind`."""
        number = list(self.machine.refs).index(ref)
        self.need("refs")
        course.bound = True
        if self.has_children:
            self.need("kids", "stopped")
            self.write(course, f"if {literal(ref)} in kids:", f"    stopped.append(kids.pop({literal(ref)}))")
        self.write(course, f"refs[{number}] = None")
        for slot, chain in enumerate(self.machine.slots):
            if chain[0] == ref:
                course.others[slot] = Fixed(None)
