"""One macrostep of one machine as Promela: select, exit, act, enter, until nothing is left (`run.macrostep`, for one active leaf).

Variables end in the depth of the macrostep: a child takes its first step inside that of its parent. What a step says is collected in
three lists, because of the order in which it is heard: what was sent, what children it made have said, what it entered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import attrs

from outlast.plan import Machine, State, Transition, tables
from outlast.proofs.promela.stage import Part, Stage, spawned
from outlast.proofs.promela.terms import ABSENT, Names, Terms, columns

Lines = Iterator[str]

START = 10_000
"""The number of the row that stands for a machine's beginning."""
LISTS = ("sent", "made", "entered")
SEND, OBSERVE, DONE = 1, 2, 3
"""What an entry of a list is: an event for an instance; a state that an instance entered; an instance that is done."""


@attrs.frozen(eq=False)
class Events:
    """The numbers of events."""

    known: dict[str, int] = attrs.field(factory=dict)

    def number(self, name: str) -> int:
        """The number of an event, from 1."""
        return self.known.setdefault(name, len(self.known) + 1)


def hears(machine: Machine, event: str) -> bool:
    """Whether any row of a machine does."""
    return any(row.hears(event) for row in machine.transitions)


def done(terms: Terms) -> str:
    """Whether an instance is done: in a final state at the top."""
    tops = [state for state in terms.machine.states if state.parent < 0 and state.kind == "final"]
    asked = " || ".join(terms.inside(terms.machine, terms.me, state) for state in tops)
    return f"({asked or '0'})"


def choice(guards: Iterable[tuple[str, Iterable[str]]]) -> Lines:
    """Do the lines whose condition holds: at most one does."""
    found = [(guard, list(lines)) for guard, lines in guards]
    found = [(guard, lines) for guard, lines in found if lines]
    if not found:
        return
    yield "if"
    for guard, lines in found:
        yield f":: {guard} ->"
        yield from (f"  {line}" for line in lines)
    yield ":: else -> skip"
    yield "fi;"


@attrs.frozen(eq=False)
class Macrostep:
    """The macrostep of a machine at one depth."""

    stage: Stage
    names: Names
    events: Events
    machine: Machine
    depth: int

    @property
    def terms(self) -> Terms:
        return Terms(self.stage, self.names, self.machine, self.v("me"), self.v("pay"))

    @property
    def name(self) -> str:
        return f"{self.names(self.machine.name, 'step')}_{self.depth}"

    def v(self, name: str) -> str:
        """A scratch variable of this depth."""
        return f"{name}{self.depth}"

    @property
    def current(self) -> str:
        return self.terms.state(self.machine, self.v("me"))

    # ---- the loop

    def lines(self) -> Lines:
        """`kind`: 1 an event `ev`, 2 a timer (its row is `ev`), 3 the beginning."""
        yield f"inline {self.name}() {{"
        yield from _indented(self.body())
        yield "}"

    def body(self) -> Lines:
        v = self.v
        yield f"{v('last')} = 0; {v('count')} = 0; {v('inside')} = 0; {v('outside')} = 0; {v('fault')} = 0;"
        yield "do"
        yield f":: {v('last')} -> break"
        yield ":: else ->"
        yield from _indented(self.turn())
        yield "od;"

    def turn(self) -> Lines:
        v, machine = self.v, self.machine
        yield f"{v('count')}++; assert({v('count')} < 1000); {v('row')} = -1; {v('ask')} = 0;"
        yield "if"
        yield f":: {v('kind')} == 1 -> {v('ask')} = 1"
        yield f":: {v('kind')} == 2 ->"
        yield from _indented(choice((f"{v('ev')} == {row.index}", self.fired(row)) for row in self.timers()))
        yield "  skip"
        yield f":: {v('kind')} == 3 -> {v('row')} = {START}"
        yield ":: else ->"
        yield from _indented(self.select(row for row in machine.transitions if row.kind == "eventless"))
        yield "  if"
        yield f"  :: {v('row')} >= 0 -> skip"
        yield "  :: else ->"
        yield "    if"
        yield f"    :: {v('outside')} == {v('inside')} ->"
        yield from _indented(self.spawn_for_states(), 3)
        yield "      skip"
        yield "    :: else -> skip"
        yield "    fi;"
        yield "    if"
        yield f"    :: {v('outside')} == {v('inside')} -> {v('last')} = 1"
        yield f"    :: else -> {v('ev')} = {v('in_ev')}[{v('outside')}];"
        for number, _ in enumerate(columns(machine)):
            yield f"      {v('pay')}{number} = {v(f'in_pay{number}_')}[{v('outside')}];"
        yield f"      {v('outside')}++; {v('ask')} = 1"
        yield "    fi"
        yield "  fi"
        yield "fi;"
        yield f"{v('kind')} = 0;"
        yield "if"
        yield f":: {v('ask')} ->"
        yield from _indented(self.select(row for row in machine.transitions if row.descriptors))
        yield "  skip"
        yield ":: else -> skip"
        yield "fi;"
        yield "if"
        yield f":: {v('row')} >= 0 ->"
        yield from _indented(self.microstep())
        yield "  skip"
        yield ":: else -> skip"
        yield "fi;"
        yield from choice([(done(self.terms), [*self.finish(), f"{v('last')} = 1"])])

    # ---- choosing

    def timers(self) -> Iterator[Transition]:
        return (row for row in self.machine.transitions if row.delay)

    def fired(self, row: Transition) -> Lines:
        """A timer is spent whether or not its guard holds."""
        yield from self.disarm(row)
        yield from choice([(self.guard(row), [f"{self.v('row')} = {row.index}"])])

    def guard(self, row: Transition) -> str:
        return self.terms.condition(row.guard.expr) if row.guard else "1"

    def select(self, rows: Iterable[Transition]) -> Lines:
        """The first row that is enabled, inner states first."""
        states = self.machine.states
        for row in sorted(rows, key=lambda row: (-len(states[row.source].ancestors), row.index)):
            asked = [self.terms.inside(self.machine, self.v("me"), states[row.source])]
            if row.descriptors:
                heard = [number for name, number in self.events.known.items() if row.hears(name)]
                if not heard:
                    continue
                asked.append("(" + " || ".join(f"{self.v('ev')} == {number}" for number in heard) + ")")
            if row.guard:
                asked.append(self.guard(row))
            yield f"if :: {self.v('row')} < 0 && {' && '.join(asked)} -> {self.v('row')} = {row.index} :: else -> skip fi;"

    # ---- one microstep

    def microstep(self) -> Lines:
        v, machine = self.v, self.machine
        moving = [row for row in machine.transitions if row.targets]
        yield f"{v('target')} = {self.current}; {v('domain')} = {self.current};"
        yield from choice(
            [
                (
                    f"{v('row')} == {START}",
                    [f"{v('domain')} = 0; {v('target')} = {self.leaf(machine.default.targets) + 1}"],
                ),
                *(
                    (
                        f"{v('row')} == {row.index}",
                        [f"{v('domain')} = {self.domain(row) + 1}; {v('target')} = {self.leaf(row.targets) + 1}"],
                    )
                    for row in moving
                ),
            ]
        )
        yield "do"
        yield f":: {self.current} == {v('domain')} -> break"
        yield f":: else -> {v('at')} = {self.current};"
        yield from _indented(self.leave())
        yield from _indented(choice(self.ups()))
        yield "od;"
        acting = [(START, machine.default.actions), *((row.index, row.actions) for row in machine.transitions)]
        yield from choice((f"{v('row')} == {number}", self.block(block)) for number, block in acting)
        yield "do"
        yield f":: {self.current} == {v('target')} -> break"
        yield ":: else ->"
        yield from _indented(choice(self.downs()))
        yield from _indented(self.enter())
        yield "od;"

    def leaf(self, targets: tuple[int, ...]) -> int:
        """The leaf that entering a target ends in."""
        (target,) = targets
        state = self.machine.states[target]
        return target if state.default is None else self.leaf(state.default.targets)

    def domain(self, row: Transition) -> int:
        """The innermost composite a row stays inside; -1 is the machine (Appendix D, `getTransitionDomain`)."""
        states, (target,) = self.machine.states, row.targets
        source = states[row.source]
        if row.internal and source.kind == "composite" and source.holds(target):
            return source.index
        return next((above for above in source.ancestors if states[above].holds(target)), -1)

    def ups(self) -> Iterator[tuple[str, list[str]]]:
        for parent in sorted({state.parent for state in self.machine.states}):
            children = [state for state in self.machine.states if state.parent == parent]
            asked = " || ".join(f"{self.v('at')} == {state.index + 1}" for state in children)
            yield f"({asked})", [f"{self.current} = {parent + 1}"]

    def downs(self) -> Iterator[tuple[str, list[str]]]:
        target = self.v("target")
        for state in self.machine.states:
            within = f"{target} > {state.index} && {target} <= {state.end}"
            yield f"{self.current} == {state.parent + 1} && {within}", [f"{self.v('at')} = {state.index + 1}"]

    def leave(self) -> Lines:
        """Exit actions, then the state's timers and children."""
        yield from choice((f"{self.v('at')} == {state.index + 1}", self.left(state)) for state in self.machine.states)

    def left(self, state: State) -> Lines:
        for block in state.exit:
            yield from self.block(block)
        for number in state.timers:
            yield from self.disarm(self.machine.transitions[number])
        if state.spawns:
            unbound = [line for spawn in state.spawns for line in self.unbind(spawn.ref)]
            yield f"if :: {self.pending(state)} -> {self.pending(state)} = 0"
            yield ":: else ->"
            yield from _indented(unbound)
            yield "  skip"
            yield "fi;"

    def enter(self) -> Lines:
        v = self.v
        yield f"{self.current} = {v('at')};"
        yield from self.log("entered", OBSERVE, self.number, v("me"), f"{v('at')}")
        yield from choice((f"{v('at')} == {state.index + 1}", self.entered(state)) for state in self.machine.states)

    def entered(self, state: State) -> Lines:
        for block in state.entry:
            yield from self.block(block)
        if state.default and state.default.actions and (rows := self.by_default(state)):
            asked = " || ".join(f"{self.v('row')} == {number}" for number in rows)
            yield from choice([(f"({asked})", self.block(state.default.actions))])
        for number in state.timers:
            yield from self.arm(self.machine.transitions[number])
        if state.spawns:
            yield f"{self.pending(state)} = 1;"
        if state.kind == "final" and state.parent >= 0:
            yield from self.inner(f"done.state.{self.machine.states[state.parent].name}", ())

    def by_default(self, state: State) -> list[int]:
        """The rows that enter a composite without saying where in it."""
        found = []
        starts = [
            (START, self.machine.default.targets),
            *((row.index, row.targets) for row in self.machine.transitions),
        ]
        for number, targets in starts:
            at = targets
            while at:
                here = self.machine.states[at[0]]
                if here is state:
                    found.append(number)
                at = here.default.targets if here.default else ()
        return found

    # ---- timers

    def timer(self, row: Transition) -> str:
        """Ticks until a timer is due at the latest, and one more; 0 if it does not run."""
        return f"{self.names(self.machine.name, 'timer', row.key)}[{self.v('me')}]"

    def due(self, row: Transition) -> str:
        """Ticks until a `within` timer is due, and one more; 0 while that is not drawn."""
        return f"{self.names(self.machine.name, 'due', row.key)}[{self.v('me')}]"

    def disarm(self, row: Transition) -> Lines:
        yield f"{self.timer(row)} = 0;"
        if row.kind == "within":
            yield f"{self.due(row)} = 0;"

    def arm(self, row: Transition) -> Lines:
        assert row.delay
        delay = self.terms.term(row.delay.expr)
        yield f"{self.timer(row)} = {_if(delay.there, f'(({delay.value}) > 0 -> ({delay.value}) + 1 : 1)', '0')};"
        if row.kind == "within":
            yield f"{self.due(row)} = 0;"

    # ---- actions

    def block(self, block: tables.Block) -> Lines:
        """A block whose failure leaves out the rest of it, and raises an event if anybody hears it."""
        if not block:
            return
        yield from self.carry_out(block)
        for number, error in ((1, "error.execution"), (2, "error.communication")):
            said = list(self.inner(error, ()))
            if said:
                yield from choice([(f"{self.v('fault')} == {number}", said)])
        yield f"{self.v('fault')} = 0;"

    def carry_out(self, block: tables.Block) -> Lines:
        for position, action in enumerate(block):
            lines = list(self.action(action))
            yield from lines
            rest = block[position + 1 :]
            if rest and any(f"{self.v('fault')} = " in line for line in lines):
                yield from choice([(f"!{self.v('fault')}", self.carry_out(rest))])
                return

    def action(self, action: tables.Action) -> Lines:
        match action:
            case tables.Assign(field=field, value=value):
                mine = self.terms.field(self.machine, self.v("me"), field.name)
                yield from self.computed([(field, value)], [f"{mine} = {self.v('x')}0;"])
            case tables.Emit(effect=effect, payload=payload):
                given = dict(payload)
                declared = [
                    (field, given.get(field.name))
                    for field in self.machine.effects[effect].payload.values()
                    if field.type.kind not in ("string", "any")
                ]
                yield from self.computed(declared, [])
            case tables.Raise(event=event, payload=payload):
                given, declared_ = dict(payload), self.machine.events[event].payload
                fields = [(field, given.get(name)) for name, field in declared_.items()]
                yield from self.computed(fields, list(self.inner(event, tuple(declared_))))
            case tables.Send():
                yield from self.send(action)
            case tables.Spawn():
                yield from self.spawn(action)
            case tables.Stop(ref=ref):
                yield from self.unbind(ref)
            case tables.If(condition=condition, then=then, otherwise=otherwise):
                holds = self.terms.condition(condition.expr)
                yield f"if :: {holds} ->"
                yield from _indented(self.carry_out(then))
                yield "  skip"
                yield ":: else ->"
                yield from _indented(self.carry_out(otherwise))
                yield "  skip"
                yield "fi;"
            case tables.Cancel():
                return  # nothing is ever sent for later

    def computed(
        self, values: list[tuple[tables.Field, tables.Computed | None]], then: list[str], *, objections: bool = True
    ) -> Lines:
        """Values into `x0 …`; then the lines, unless one is not in its field's range, which is a fault."""
        x, wrong = self.v("x"), []
        for number, (field, value) in enumerate(values):
            term = self.terms.term(value.expr).whole if value else self.terms.literal(field.default, field.type)
            yield f"{x}{number} = {term};"
            sure = value is not None and self.terms.term(value.expr).there == "1"
            objection = self.terms.objection(field, f"{x}{number}")
            if objection != f"({x}{number} == {ABSENT} || 0)" or not sure:
                wrong.append(objection)
        wrong = [text for text in wrong if text != "0"] if objections else []
        if not wrong:
            yield from then
            return
        yield f"if :: {' || '.join(wrong)} -> {self.v('fault')} = 1"
        yield ":: else ->"
        yield from _indented(then)
        yield "  skip"
        yield "fi;"

    def inner(self, event: str, payload: tuple[str, ...]) -> Lines:
        """Put an event on the internal queue, its values taken from `x0 …`, if a row hears it."""
        if not hears(self.machine, event):
            return
        v = self.v
        yield f"{v('in_ev')}[{v('inside')}] = {self.events.number(event)};"
        for number, name in enumerate(columns(self.machine)):
            value = f"{v('x')}{payload.index(name)}" if name in payload else ABSENT
            yield f"{v(f'in_pay{number}_')}[{v('inside')}] = {value};"
        yield f"{v('inside')}++;"

    def send(self, send: tables.Send) -> Lines:
        target = self.machine if send.slot is None else self.stage.target(self.machine, self.machine.slots[send.slot])
        link = "" if send.slot is None else self.terms.found(self.machine.slots[send.slot])
        fault = f"{self.v('fault')} = 2"
        nobody = send.slot is not None and self.terms.nobody(self.machine.slots[send.slot])
        if nobody or send.event not in target.events:
            yield f"{fault};"
            return
        given, declared = dict(send.payload), target.events[send.event].payload
        to = f"({link}) - 1" if link else self.v("me")
        number = self.stage.machines.index(target)
        values = {name: f"{self.v('x')}{position}" for position, name in enumerate(declared)}
        said = list(self.log("sent", SEND, str(number), to, str(self.events.number(send.event)), values, target))
        lines = list(self.computed([(field, given.get(name)) for name, field in declared.items()], said))
        if not link:
            yield from lines
            return
        yield f"if :: {link} ->"
        yield from _indented(lines)
        yield "  skip"
        yield f":: else -> {fault}"
        yield "fi;"

    @property
    def number(self) -> str:
        return str(self.stage.machines.index(self.machine))

    def log(
        self,
        list_: str,
        kind: int,
        machine: str,
        at: str,
        what: str,
        values: dict[str, str] | None = None,
        target: Machine | None = None,
    ) -> Lines:
        """An entry of one of the lists."""
        end = f"[{self.v(f'{list_}_end')}]"
        parts = {"kind": str(kind), "machine": machine, "at": at, "what": what}
        for number, name in enumerate(columns(target) if target else ()):
            parts[f"pay{number}_"] = (values or {}).get(name, ABSENT)
        yield " ".join(f"{self.v(f'{list_}_{part}')}{end} = {value};" for part, value in parts.items())
        yield f"{self.v(f'{list_}_end')}++;"

    # ---- children

    def pending(self, state: State) -> str:
        """Whether the children of a state that was entered are still to be made."""
        return f"{self.names(self.machine.name, 'to_spawn', state.name)}[{self.v('me')}]"

    def spawn_for_states(self) -> Lines:
        for state in self.machine.states:
            if state.spawns:
                made = [line for spawn in state.spawns for line in self.block((spawn,))]
                yield from choice([(self.pending(state), [f"{self.pending(state)} = 0;", *made])])

    def mine(self, ref: str) -> Iterator[tuple[Part, Part]]:
        """(instance of this machine, the place of its child)."""
        return ((part, self.stage.child(part, ref)) for part in self.stage.of(self.machine.name))

    def unbind(self, ref: str) -> Lines:
        """Stop the child bound to a ref, if it is one, and unbind it."""
        link = self.terms.ref(self.machine, self.v("me"), ref)
        if ref in spawned(self.machine):
            yield from self.stopped(ref)
        yield f"{link} = 0;"

    def spawn(self, spawn: tables.Spawn) -> Lines:
        child = self.stage.plan.machines[spawn.machine]
        given = dict(spawn.fields)
        fields = list(child.fields.values())
        yield from self.computed(
            [(field, given.get(field.name)) for field in fields], [*self.born(spawn, child, fields)]
        )

    def born(self, spawn: tables.Spawn, child: Machine, fields: list[tables.Field]) -> Lines:
        """What follows once the values are known to be in range: what `requires` says of them, then the first step."""
        inner = attrs.evolve(self, machine=child, depth=self.depth + 1)
        numbered = {field.name: f"{self.v('x')}{number}" for number, field in enumerate(fields)}
        values = _Values(self.stage, self.names, child, "0", "", numbered)
        wanted = [values.condition(row.that.expr) for row in child.requires]
        first = list(self.first_step(spawn, child, fields, inner))
        if not wanted:
            yield from first
            return
        yield f"if :: {' && '.join(wanted)} ->"
        yield from _indented(first)
        yield f":: else -> {self.v('fault')} = 1"
        yield "fi;"

    def first_step(self, spawn: tables.Spawn, child: Machine, fields: list[tables.Field], inner: Macrostep) -> Lines:
        refs = {name: self.bound(slot) for name, slot in spawn.refs}
        if "parent" in child.refs:
            refs.setdefault("parent", f"{self.v('me')} + 1")
        yield from (f"{self.v(f'y{number}_')} = {text};" for number, text in enumerate(refs.values()))
        yield from self.unbind(spawn.ref)
        me = inner.v("me")
        places = list(self.mine(spawn.ref))
        yield from choice(
            (f"{self.v('me')} == {part.number}", [f"{me} = {place.number}; born = {self.stage.parts.index(place)};"])
            for part, place in places
        )
        yield f"bear(); {self.names(child.name, 'alive')}[{me}] = 1;"
        yield f"{self.terms.ref(self.machine, self.v('me'), spawn.ref)} = {me} + 1;"
        for number, field in enumerate(fields):
            yield f"{self.terms.field(child, me, field.name)} = {self.v('x')}{number};"
        for number, name in enumerate(refs):
            yield f"{self.terms.ref(child, me, name)} = {self.v(f'y{number}_')};"
        yield f"{inner.v('kind')} = 3;"
        yield from (f"{inner.v(f'{list_}_end')} = 0;" for list_ in LISTS)
        yield f"{inner.name}();"
        yield f"hand_{inner.depth}();"

    def bound(self, slot: int | None) -> str:
        """What a child's ref is bound to: this instance, or what a chain of its refs leads to."""
        if slot is None:
            return f"{self.v('me')} + 1"
        chain = self.machine.slots[slot]
        return "0" if self.terms.nobody(chain) else self.terms.found(chain)

    def finish(self) -> Lines:
        """The machine is done: exit actions, no timers, no children. Its configuration, a final state at the top, stays to be read."""
        yield f"{self.v('at')} = {self.current};"
        yield from self.leave()
        for row in self.timers():
            yield from self.disarm(row)
        for ref in spawned(self.machine):
            yield from self.stopped(ref, [f"{self.terms.ref(self.machine, self.v('me'), ref)} = 0"])
        yield from self.log("entered", DONE, self.number, self.v("me"), "0")

    def alive(self, child: Part) -> str:
        return f"{self.names(child.machine, 'alive')}[{child.number}]"

    def stopped(self, ref: str, then: Sequence[str] = ()) -> Lines:
        """Stop the child that was made for a ref, if there is one."""
        yield "gone = -1;"
        yield from choice(
            (f"{self.v('me')} == {part.number} && {self.alive(child)}", [f"gone = {self.stage.parts.index(child)}"])
            for part, child in self.mine(ref)
        )
        yield from choice([("gone >= 0", ["kill();", *then])])


@attrs.frozen(eq=False)
class _Values(Terms):
    """Conditions on the fields of a child that is not there yet: its values stand in `x0 …`."""

    fields: dict[str, str]

    def field(self, machine: Machine, at: str, name: str) -> str:  # noqa: ARG002  # it is the child's own
        """The value that was computed for a field."""
        return self.fields[name]


def _if(condition: str, then: str, otherwise: str) -> str:
    if condition in ("0", "1"):
        return then if condition == "1" else otherwise
    return f"({condition} -> {then} : {otherwise})"


def _indented(lines: Iterable[str], times: int = 1) -> Lines:
    return (f"{'  ' * times}{line}" for line in lines)
