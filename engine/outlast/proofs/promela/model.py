"""The whole model: variables, the steps of all machines, who hears what, and the choice of what happens next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal, TypeAlias

import attrs

from outlast.expr import Value
from outlast.plan import Machine, Plan, Transition
from outlast.proofs.promela.machine import (
    DONE,
    LISTS,
    OBSERVE,
    SEND,
    Events,
    Lines,
    Macrostep,
    choice,
    done,
    hears,
)
from outlast.proofs.promela.stage import Part, Stage, payloads, spawned
from outlast.proofs.promela.terms import ABSENT, Names, Terms, columns
from outlast.run import Event, Snapshot

LONG = 40
"""Entries of a queue or list. More in one step stops Spin at once, with an index out of range."""

Kind: TypeAlias = Literal["state", "field", "ref", "timer", "due", "alive", "line"]


@attrs.frozen
class Column:
    """A variable of the model, and of whom it speaks: `name` is a field, a ref or the key of a timer's row."""

    kind: Kind
    part: str
    name: str
    variable: str


@attrs.frozen(eq=False)
class Model:
    """The text, what its variables mean, and how long a tick is (microseconds)."""

    text: str
    columns: tuple[Column, ...]
    tick: int
    absent: int


def to_promela(
    plan: Plan, given: Sequence[Snapshot], said: Iterable[tuple[str, Event]], now: int, title: str = ""
) -> Model:
    """The model of instances as they are at `now`, to whom the outside may say these events at any time.

    Raises SpecError with everything a model in ticks cannot say.
    """
    stage = Stage(plan, tuple(given), tuple(said))
    stage = attrs.evolve(stage, said=tuple(item for item in stage.said if item[0] in stage.by_id))
    return _Writer(stage, now, title or plan.name).model()


@attrs.define(eq=False, slots=False)
class _Writer:
    stage: Stage
    now: int
    title: str
    names: Names = attrs.field(factory=Names)
    events: Events = attrs.field(factory=Events)

    def model(self) -> Model:
        self.know()
        text = "\n".join(self.lines()) + "\n"
        return Model(text, self.columns, self.stage.tick, -1_000_000_000)

    def know(self) -> None:
        """Number every event that can happen."""
        for machine in self.stage.machines:
            names = [*machine.events, *(".".join((*chain, state)) for chain, state in machine.watches)]
            names += [f"done.state.{state.name}" for state in machine.states if state.kind == "composite"]
            names += [f"done.invoke.{ref}" for ref in spawned(machine)]
            for name in (*names, "error.execution", "error.communication"):
                self.events.number(name)

    # ---- variables

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Everything that makes a state, instance by instance."""
        found: list[Column] = []
        for part in self.stage.parts:
            machine, at = self.machine(part), str(part.number)
            terms = self.terms(machine, at)

            def add(kind: Kind, name: str, variable: str, part: Part = part) -> None:
                found.append(Column(kind, part.id, name, variable))

            if part.parent is not None:
                add("alive", "", self.alive(part))
            add("state", "", terms.state(machine, at))
            for name in machine.fields:
                add("field", name, terms.field(machine, at, name))
            for name in machine.refs:
                add("ref", name, terms.ref(machine, at, name))
            for row in _timers(machine):
                add("timer", row.key, self.timer(part, row))
                if row.kind == "within":
                    add("due", row.key, self.due(part, row))
        if len(self.stage.children) > 1:
            found += [Column("line", "", str(at), f"line[{at}]") for at in range(len(self.stage.children))]
        return tuple(found)

    def machine(self, part: Part) -> Machine:
        return self.stage.plan.machines[part.machine]

    def terms(self, machine: Machine, at: str) -> Terms:
        return Terms(self.stage, self.names, machine, at, "")

    def alive(self, part: Part) -> str:
        return f"{self.names(part.machine, 'alive')}[{part.number}]"

    def timer(self, part: Part, row: Transition) -> str:
        return f"{self.names(part.machine, 'timer', row.key)}[{part.number}]"

    def due(self, part: Part, row: Transition) -> str:
        return f"{self.names(part.machine, 'due', row.key)}[{part.number}]"

    @cached_property
    def width(self) -> int:
        """How many values an event may carry."""
        return max(len(columns(machine)) for machine in self.stage.machines)

    @cached_property
    def depths(self) -> range:
        """The depths of macrosteps, 1 at the top."""
        generations = max((part.id.count(".") - self.root(part).count(".") for part in self.stage.children), default=0)
        return range(1, generations + 2)

    def root(self, part: Part) -> str:
        while part.parent is not None:
            part = self.stage.by_id[part.parent[0]]
        return part.id

    # ---- the text

    def lines(self) -> Lines:
        yield f"/* {self.title}: a model in ticks of {self.stage.tick} microseconds. One process; a state between two options of its loop"
        yield "   is a state of the system at rest. A timer holds the ticks that are left and one more, 0 if it does not run;"
        yield "   a state its number and one more; a ref the number of an instance and one more, 0 if it is not bound. */"
        yield ""
        yield f"#define {ABSENT} (-1000000000)"
        yield from self.predicates()
        yield ""
        yield from self.variables()
        yield ""
        yield from self.scratch()
        yield ""
        yield "inline at_rest() { skip }"
        yield ""
        yield from self.kill()
        for depth in reversed(self.depths):
            yield from self.hand(depth)
            for machine in self.stage.machines:
                if depth == 1 or any(part.parent for part in self.stage.of(machine.name)):
                    yield ""
                    yield from Macrostep(self.stage, self.names, self.events, machine, depth).lines()
        yield ""
        yield from self.tell()
        yield ""
        yield from self.perform()
        yield ""
        yield from self.system()

    def predicates(self) -> Lines:
        """Names for what a formula may speak of: `in_train_grace_period`."""
        for part in self.stage.parts:
            machine = self.machine(part)
            for state in machine.states:
                inside = self.terms(machine, str(part.number)).inside(machine, str(part.number), state)
                yield f"#define {self.names('in', part.id, state.name)} ({inside})"

    def variables(self) -> Lines:
        sizes: dict[str, int] = {}
        for column in self.columns:
            name = column.variable.partition("[")[0]
            sizes[name] = sizes.get(name, 0) + 1
        for machine in self.stage.machines:  # the places of children and of others of their machine are one array
            sizes |= {
                self.names(machine.name, "alive"): len(self.stage.of(machine.name))
                for _ in (0,)
                if self.has_places(machine)
            }
        yield from (f"int {name}[{size}];" for name, size in sizes.items())

    def has_places(self, machine: Machine) -> bool:
        return any(part.parent for part in self.stage.of(machine.name))

    def scratch(self) -> Lines:
        """What means nothing between two steps is hidden: no part of a state."""
        values = max(
            [1, *(len(machine.fields) for machine in self.stage.machines)]
            + [len(payloads(action)) for machine in self.stage.machines for action in machine.actions]
            + [len(event.payload) for machine in self.stage.machines for event in machine.events.values()]
            + [len(effect.payload) for machine in self.stage.machines for effect in machine.effects.values()]
        )
        refs = max(len(machine.refs) for machine in self.stage.machines)
        entry = ("kind", "machine", "at", "what", *(f"pay{number}_" for number in range(self.width)))
        simple = ["gone", "born", "pm", "pn", "pi", "li", "lj", "busy", "picked", "q_head", "q_end"]
        simple += [f"now_{part}" for part in ("machine", "at", "kind", "ev")]
        simple += [f"now_pay{number}" for number in range(self.width)]
        arrays = [f"q_{part}" for part in entry] + [f"made_{part}0" for part in entry]
        simple.append("made_end0")
        for depth in self.depths:
            words = (
                "me",
                "kind",
                "ev",
                "row",
                "ask",
                "last",
                "count",
                "inside",
                "outside",
                "fault",
                "target",
                "domain",
                "at",
            )
            simple += [f"{word}{depth}" for word in words]
            simple += [f"pay{depth}{number}" for number in range(self.width)]
            simple += [f"x{depth}{number}" for number in range(values)]
            simple += [f"y{number}_{depth}" for number in range(refs)]
            simple += [f"{list_}_end{depth}" for list_ in LISTS]
            arrays += [f"{list_}_{part}{depth}" for list_ in LISTS for part in entry]
            arrays += [f"in_ev{depth}", *(f"in_pay{number}_{depth}" for number in range(self.width))]
        if self.stage.children:
            yield f"hidden int leaving[{len(self.stage.children)}];"
        yield from (f"hidden int {name};" for name in simple)
        yield from (f"hidden int {name}[{LONG}];" for name in arrays)
        for machine in self.stage.machines:
            for state in machine.states:
                if state.spawns:
                    yield f"hidden int {self.names(machine.name, 'to_spawn', state.name)}[{len(self.stage.of(machine.name))}];"

    # ---- children

    def kill(self) -> Lines:
        """`gone` is no more, nor are its own children; nobody hears them, and nothing reaches them."""
        if not self.stage.children:
            return
        lists = [(f"{list_}_", str(depth)) for depth in self.depths for list_ in ("sent", "made")] + [("made_", "0")]
        yield "inline purge() {"
        yield "  pi = q_head;"
        yield "  do :: pi < q_end -> if :: q_machine[pi] == pm && q_at[pi] == pn -> q_machine[pi] = -1 :: else -> skip fi; pi++ :: else -> break od;"
        for list_, depth in lists:
            match = f"{list_}machine{depth}[pi] == pm && {list_}at{depth}[pi] == pn && {list_}kind{depth}[pi] != {DONE}"
            yield "  pi = 0;"
            yield (
                f"  do :: pi < {list_}end{depth} -> if :: {match} -> {list_}kind{depth}[pi] = 0 :: else -> skip fi; pi++"
                " :: else -> break od;"
            )
        yield "}"
        yield ""
        first = self.stage.parts.index(self.stage.children[0])
        yield "inline kill() { d_step {"
        marking = ((f"gone == {self.stage.parts.index(part)}", self.marked(part)) for part in self.stage.children)
        yield from _indented(choice(marking))
        yield f"  gone = {first};"
        yield f"  do :: gone < {first + len(self.stage.children)} ->"
        yield f"    if :: leaving[gone - {first}] -> leaving[gone - {first}] = 0;"
        clearing = ((f"gone == {self.stage.parts.index(part)}", self.cleared(part)) for part in self.stage.children)
        yield from _indented(choice(clearing), 3)
        yield "      purge()"
        yield "    :: else -> skip fi; gone++"
        yield "  :: else -> break od"
        yield "} }"
        yield ""
        yield "inline bear() { d_step {"
        yield from _indented(
            choice((f"born == {self.stage.parts.index(part)}", self.announced(part)) for part in self.stage.children)
        )
        yield "  skip"
        yield "} }"
        yield ""

    def marked(self, part: Part) -> Lines:
        """A child that goes, and its own with it."""
        yield f"leaving[{self.stage.children.index(part)}] = 1;"
        for other in self.stage.children:
            if other.parent and other.parent[0] == part.id:
                yield from choice([(self.alive(other), self.marked(other))])

    def cleared(self, part: Part) -> Lines:
        """A place without a child: everything is 0."""
        yield f"pm = {self.number(part)}; pn = {part.number};"
        for column in self.columns:
            if column.part == part.id:
                yield f"{column.variable} = 0;"
        for state in self.machine(part).states:
            if state.spawns:
                yield f"{self.names(part.machine, 'to_spawn', state.name)}[{part.number}] = 0;"
        yield from self.out_of_line(part)

    def out_of_line(self, part: Part) -> Lines:
        """Children stand in line in the order in which they were made."""
        size = len(self.stage.children)
        if size > 1:
            place = self.stage.children.index(part) + 1
            yield "li = 0; lj = 0;"
            yield (
                f"do :: li < {size} -> if :: line[li] != {place} -> line[lj] = line[li]; lj++ :: else -> skip fi; li++"
                " :: else -> break od;"
            )
            yield f"do :: lj < {size} -> line[lj] = 0; lj++ :: else -> break od;"

    def announced(self, part: Part) -> Lines:
        """A new child stands last; that an earlier one in its place is done is no news any more."""
        if len(self.stage.children) > 1:
            yield from self.out_of_line(part)
            yield "li = 0;"
            yield "do :: line[li] != 0 -> li++ :: else -> break od;"
            yield f"line[li] = {self.stage.children.index(part) + 1};"
        assert part.parent
        parent, ref = self.stage.by_id[part.parent[0]], part.parent[1]
        for depth in ("0", *map(str, self.depths)):
            match = f"made_kind{depth}[pi] == {DONE} && made_machine{depth}[pi] == {self.number(part)} && made_at{depth}[pi] == {part.number}"
            yield "pi = 0;"
            yield (
                f"do :: pi < made_end{depth} -> if :: {match} -> made_kind{depth}[pi] = 0 :: else -> skip fi; pi++"
                " :: else -> break od;"
            )
        event = self.events.number(f"done.invoke.{ref}")
        match = f"q_machine[pi] == {self.number(parent)} && q_at[pi] == {parent.number} && q_what[pi] == {event}"
        yield "pi = q_head;"
        yield f"do :: pi < q_end -> if :: {match} -> q_machine[pi] = -1 :: else -> skip fi; pi++ :: else -> break od;"

    def number(self, part: Part) -> int:
        return self.stage.machines.index(self.machine(part))

    # ---- what a step says

    @property
    def entry(self) -> tuple[str, ...]:
        return ("kind", "machine", "at", "what", *(f"pay{number}_" for number in range(self.width)))

    def hand(self, depth: int) -> Lines:
        """What a step says becomes part of what its maker says: sent first, then by its children, then what it entered."""
        yield f"inline hand_{depth}() {{ d_step {{"
        above = f"made_end{depth - 1}"
        for list_ in LISTS:
            copied = " ".join(f"made_{part}{depth - 1}[{above}] = {list_}_{part}{depth}[pi];" for part in self.entry)
            yield "  pi = 0;"
            yield f"  do :: pi < {list_}_end{depth} -> {copied} {above}++; pi++ :: else -> break od;"
        yield "  skip"
        yield "} }"
        yield ""

    def tell(self) -> Lines:
        """Entry `li` of what was said, to all whom it concerns, in the order they were made."""
        yield "inline tell() { d_step {"
        pays = " ".join(f"q_pay{number}_[q_end] = made_pay{number}_0[li];" for number in range(self.width))
        sent = [
            f"q_machine[q_end] = made_machine0[li]; q_at[q_end] = made_at0[li]; q_what[q_end] = made_what0[li]; {pays} q_end++;"
        ]
        yield from _indented(
            choice(
                [
                    (f"made_kind0[li] == {SEND}", sent),
                    (f"made_kind0[li] == {OBSERVE}", self.watchers()),
                    (f"made_kind0[li] == {DONE}", self.parents()),
                ]
            )
        )
        yield "  skip"
        yield "} }"

    def watchers(self) -> Lines:
        children = self.stage.children
        for part in self.stage.parts:
            if part.parent is None:
                yield from self.watcher(part)
        if len(children) == 1:
            yield from choice([(self.alive(children[0]), self.watcher(children[0]))])
        elif children:
            watching = [(f"line[lj] == {place}", [*self.watcher(part)]) for place, part in enumerate(children, 1)]
            inner = list(choice(watching))
            if inner:
                yield "lj = 0;"
                yield f"do :: lj < {len(children)} ->"
                yield from _indented(inner)
                yield "  lj++"
                yield ":: else -> break od;"

    def watcher(self, part: Part) -> Lines:
        machine = self.machine(part)
        for chain, state in machine.watches:
            target, terms = self.stage.target(machine, chain), self.terms(machine, str(part.number))
            if terms.nobody(chain):
                continue
            link = terms.found(chain)
            number = self.stage.machines.index(target)
            match = f"made_machine0[li] == {number} && made_what0[li] == {target.numbers[state] + 1} && {link} == made_at0[li] + 1"
            yield from choice([(match, self.deliver(part, self.events.number(".".join((*chain, state)))))])

    def deliver(self, part: Part, event: int) -> Lines:
        pays = " ".join(f"q_pay{number}_[q_end] = {ABSENT};" for number in range(self.width))
        yield f"q_machine[q_end] = {self.number(part)}; q_at[q_end] = {part.number}; q_what[q_end] = {event}; {pays} q_end++;"

    def parents(self) -> Lines:
        """A child is done: its parent is told, if it listens."""
        told = []
        for part in self.stage.children:
            assert part.parent
            parent, ref = self.stage.by_id[part.parent[0]], part.parent[1]
            if hears(self.machine(parent), f"done.invoke.{ref}"):
                match = f"made_machine0[li] == {self.number(part)} && made_at0[li] == {part.number}"
                told.append((match, [*self.deliver(parent, self.events.number(f"done.invoke.{ref}"))]))
        yield from choice(told)

    def perform(self) -> Lines:
        """`now_…` happens, and all that follows from it."""
        yield "inline perform() {"
        yield "  busy = 1; q_head = 0; q_end = 0;"
        yield "  do"
        yield "  :: !busy -> break"
        yield "  :: else -> made_end0 = 0;"
        steps = []
        for number, machine in enumerate(self.stage.machines):
            step = Macrostep(self.stage, self.names, self.events, machine, 1)
            pays = " ".join(f"{step.v('pay')}{column} = now_pay{column};" for column in range(len(columns(machine))))
            begin = " ".join(f"{step.v(f'{list_}_end')} = 0;" for list_ in LISTS)
            call = f"{step.v('kind')} = now_kind; {step.v('ev')} = now_ev; {pays} {begin} {step.name}(); hand_1();"
            steps.append(
                (f"now_machine == {number}", [f"{step.v('me')} = now_at;", *choice([(f"!{done(step.terms)}", [call])])])
            )
        yield from _indented(choice(steps), 2)
        yield "    li = 0;"
        yield "    do :: li < made_end0 -> pi = li; tell(); li++ :: else -> break od;"
        yield "    do :: q_head < q_end && q_machine[q_head] < 0 -> q_head++ :: else -> break od;"
        yield "    if"
        yield "    :: q_head == q_end -> busy = 0"
        pays = " ".join(f"now_pay{number} = q_pay{number}_[q_head];" for number in range(self.width))
        yield f"    :: else -> now_kind = 1; now_machine = q_machine[q_head]; now_at = q_at[q_head]; now_ev = q_what[q_head]; {pays} q_head++"
        yield "    fi"
        yield "  od"
        yield "}"

    # ---- what happens next

    def system(self) -> Lines:
        undrawn, due = self.undrawn(), self.all_due()
        none = f"!({' || '.join(text for text, _, _ in undrawn)})" if undrawn else "1"
        yield "active proctype system() {"
        yield "  atomic {"
        yield from _indented(self.begin(), 2)
        yield "    at_rest()"
        yield "  };"
        yield "end: do"
        for position, (text, draw, timer) in enumerate(undrawn):
            earlier = [f"!{other}" for other, _, _ in undrawn[:position]]
            yield f"  :: atomic {{ {' && '.join([*earlier, text])} -> {draw} = 1;"
            yield f"       do :: {draw} < {timer} -> {draw}++ :: break od; at_rest() }}"
        happens = [*self.happenings(due)]
        if happens:
            options = " || ".join(guard for guard, _ in happens)
            yield f"  :: atomic {{ {none} && ({options}) ->"
            yield "       if"
            for guard, lines in happens:
                yield f"       :: {guard} -> {' '.join(lines)}"
            yield "       fi;"
            yield "       perform(); at_rest() }"
        timers = [*self.ticking()]
        if timers:
            running = " || ".join(f"{timer} > 0" for timer in timers)
            waiting = f" && !({' || '.join(guard for guard, _ in due)})" if due else ""
            yield f"  :: atomic {{ {none}{waiting} && ({running}) ->"
            for timer in (*timers, *self.drawn()):
                yield f"       if :: {timer} > 0 -> {timer}-- :: else -> skip fi;"
            yield "       at_rest() }"
        yield "  od"
        yield "}"

    def begin(self) -> Lines:
        """The instances as they were given."""
        for snapshot in self.stage.given:
            part = self.part_of(snapshot)
            machine, at = self.machine(part), str(part.number)
            terms = self.terms(machine, at)
            leaf = max(machine.numbers[name] for name in snapshot.configuration)
            yield f"{terms.state(machine, at)} = {leaf + 1};"
            for field, value in zip(machine.fields.values(), snapshot.values, strict=True):
                yield f"{terms.field(machine, at, field.name)} = {terms.literal(value, field.type)};"
            for name, other in zip(machine.refs, snapshot.refs, strict=True):
                number = self.part_of(self.snapshots[other]).number + 1 if other in self.snapshots else 0
                yield f"{terms.ref(machine, at, name)} = {number};"
            for timer in snapshot.timers:
                row = machine.arrows[timer.key]
                yield f"{self.timer(part, row)} = {(timer.latest - self.now) // self.stage.tick + 1};"
            if part.parent is not None:
                yield f"{self.alive(part)} = 1;"
        if len(self.stage.children) > 1:
            made = [self.part_of(snapshot) for snapshot in self.stage.given if snapshot.parent]
            for place, part in enumerate(made):
                yield f"line[{place}] = {self.stage.children.index(part) + 1};"

    @cached_property
    def snapshots(self) -> Mapping[str | None, Snapshot]:
        return {snapshot.id: snapshot for snapshot in self.stage.given}

    def part_of(self, snapshot: Snapshot) -> Part:
        """The part of an instance; a child's is that of its ref."""
        if snapshot.parent is None:
            return self.stage.by_id[snapshot.id]
        parent, ref = snapshot.parent
        return self.stage.child(self.part_of(self.snapshots[parent]), ref)

    def undrawn(self) -> list[tuple[str, str, str]]:
        """(whether it is so, its due time, its timer) for every `within` timer that does not know yet when it is due."""
        return [
            (f"({self.timer(part, row)} > 0 && {self.due(part, row)} == 0)", self.due(part, row), self.timer(part, row))
            for part in self.stage.parts
            for row in _timers(self.machine(part))
            if row.kind == "within"
        ]

    def drawn(self) -> Iterator[str]:
        return (draw for _, draw, _ in self.undrawn())

    def ticking(self) -> Iterator[str]:
        return (self.timer(part, row) for part in self.stage.parts for row in _timers(self.machine(part)))

    def all_due(self) -> list[tuple[str, list[str]]]:
        """(whether it is due, what then happens) for every timer, in the order of what is due together."""
        found = []
        children = self.stage.children
        for part in self.stage.parts:
            machine = self.machine(part)
            for row in _timers(machine):
                variable = self.due(part, row) if row.kind == "within" else self.timer(part, row)
                happens = [
                    f"now_machine = {self.number(part)}; now_at = {part.number}; now_kind = 2; now_ev = {row.index};"
                ]
                found.append((part, f"{variable} == 1", happens))
        if len(children) < 2:
            return [(guard, happens) for _, guard, happens in found]
        own = [(guard, happens) for part, guard, happens in found if part.parent is None]
        for place in range(len(children)):
            for part, guard, happens in found:
                if part.parent is not None:
                    number = children.index(part) + 1
                    own.append((f"(line[{place}] == {number} && {guard})", happens))
        return own

    def happenings(self, due: list[tuple[str, list[str]]]) -> Iterator[tuple[str, list[str]]]:
        """The first timer that is due, or, if none is, anything the outside may say."""
        for position, (guard, lines) in enumerate(due):
            earlier = [f"!({other})" for other, _ in due[:position]]
            yield " && ".join([*earlier, guard]), lines
        quiet = [f"!({guard})" for guard, _ in due]
        for to, event in self.stage.said:
            part = self.stage.by_id[to]
            machine, terms = self.machine(part), self.terms(self.machine(part), str(part.number))
            there = [self.alive(part)] if part.parent else []
            guard = " && ".join([*quiet, *there, f"!{done(terms)}"])
            values: Mapping[str, Value] = dict(event.payload)
            declared = machine.events[event.name].payload
            given = [
                terms.literal(values.get(name), declared[name].type) if name in declared else ABSENT
                for name in columns(machine)
            ]
            number = self.events.number(event.name)
            told = f"now_machine = {self.number(part)}; now_at = {part.number}; now_kind = 1; now_ev = {number};"
            yield f"({guard})", [told, *(f"now_pay{at} = {value};" for at, value in enumerate(given))]


def _timers(machine: Machine) -> list[Transition]:
    return [row for row in machine.transitions if row.delay]


def _indented(lines: Iterable[str], times: int = 1) -> Lines:
    return (f"{'  ' * times}{line}" for line in lines)
