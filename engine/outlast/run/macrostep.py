"""One macrostep of one instance: the algorithm of SCXML Appendix D over the plan's tables.

Theory of operation
===================

States are numbers in document order, so "is a descendant of" is a comparison, entry order is ascending and exit order descending.
A macrostep selects transitions for one event, carries them out (exit, act, enter), then does the same for eventless transitions and the
internal queue until neither has anything left. Everything the world must know of it (effects, sends, children) is collected, not done.

Ours beside the Recommendation: timers are armed after a state's entry actions and disarmed at its exit; a machine that is done keeps its final
configuration for reading; and where a history is the target of a transition inside its own parent, ancestors that are still
active are not entered again (3.13 has in the entry set only what is not active or is being exited; `addAncestorStatesToEnter`, followed
to the letter, would give a region two active children).
"""

from __future__ import annotations

from collections import ChainMap, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn, TypeAlias

import attrs

from outlast.errors import LimitExceeded, RefusedInstance
from outlast.expr import Context, Unanswerable, Value
from outlast.plan import Plan, State, Transition, tables
from outlast.run.instances import blank, resolve_chain
from outlast.run.snapshot import Delayed, Event, Snapshot, Timer
from outlast.run.steps import Cause, Delivery, Effect, Microstep, Step
from outlast.run.terms import Terms

Payload: TypeAlias = tuple[tuple[str, Value], ...]


class _Fault(Exception):
    """An action could not be carried out: the rest of its block is left out (SCXML 4, 5.9, 6.2)."""

    def __init__(self, event: str, text: str, send_id: str | None = None) -> None:
        super().__init__(text)
        self.event, self.send_id = event, send_id


_FACTS = ("own id", "event name", "event kind", "event sender", "event child", "send id")


class _Facts(Mapping[str, Value]):
    """What a run knows of itself and of the event at hand (`tree.Known`), worked out when an expression asks, which few do."""

    def __init__(self, run: Macrostep, event: Event | None, *, inside: bool) -> None:
        self.run, self.event, self.inside = run, event, inside
        self.children = dict(run.children) if run.children else None

    def __getitem__(self, fact: str) -> Value:
        event = self.event
        if fact == "own id":
            return self.run.before.id
        if event is None:
            raise KeyError(fact)
        match fact:
            case "event name":
                return event.name
            case "event kind":
                platform = event.name.startswith(("error.", "done."))
                return "platform" if platform else "internal" if self.inside else "external"
            case "event sender":
                return event.sender
            case "event child":
                return next((ref for ref, id_ in (self.children or {}).items() if id_ == event.sender), None)
            case _:
                return event.send_id

    def __iter__(self) -> Iterator[str]:
        return iter(_FACTS if self.event else _FACTS[:1])

    def __len__(self) -> int:
        return len(_FACTS) if self.event else 1


class Macrostep:
    """The mutable working state of one macrostep. Made, run once, read once through `step`."""

    def __init__(self, plan: Plan, snapshot: Snapshot, now: int, world: Mapping[str, Snapshot], terms: Terms) -> None:
        machine = plan.machines[snapshot.machine]
        self.plan, self.machine, self.before, self.now, self.terms = plan, machine, snapshot, now, terms
        self.states = machine.states
        self.active = {machine.numbers[name] for name in snapshot.configuration}
        self.values = list(snapshot.values)
        self.refs = dict(zip(machine.refs, snapshot.refs, strict=True))
        self.history = {name: tuple(machine.numbers[state] for state in states) for name, states in snapshot.history}
        self.timers = {timer.key: timer for timer in snapshot.timers}
        self.delayed = list(snapshot.delayed)
        self.turn = snapshot.turn
        self.children = dict(snapshot.children)
        self.spawned = dict(snapshot.spawned)
        self.running = not snapshot.done
        self.internal: deque[Event] = deque()
        self.to_spawn: list[int] = []
        self.microsteps: list[Microstep] = []
        self.effects: list[Effect] = []
        self.sent: list[Delivery] = []
        self.made: list[Step] = []
        self.stopped: list[str] = []
        self.faults: list[str] = []
        self.refusal: str | None = None
        self.answer: Payload = ()
        self.world = self.around = world
        self.nearby: dict[str, Snapshot] = {}
        """This instance and the children it made, as `world` does not know them yet."""
        self.others_before = self.look_around()
        self.names = set(snapshot.configuration)
        self.context = Context(self.values, {}, self.names, self.others_before, plan.readings, {"own id": snapshot.id})

    # ---- the whole story

    def start(self, target: State | None) -> Step:
        """Enter the initial configuration, or `target` as if a transition led there."""
        entry = self.machine.default if target is None else tables.Entry((target.index,))
        self.guarded_block(entry.actions)
        entered = self.enter([(entry.targets, -1)])
        self.microsteps.append(Microstep(None, (), (), tuple(self.states[index].name for index in entered)))
        self.run_to_completion()
        return self.step("start")

    def take(self, event: Event) -> Step:
        """Handle one outside event."""
        self.before_hearing(event)
        selected = self.select(event)
        refusing = [row for row in selected if row.refuse]
        if selected:
            self.microstep(refusing or selected, event)  # what one region refuses, none takes
        else:
            self.refusal = "nothing listens for it here"
        if refusing:
            self.refusal = refusing[0].refuse
        self.run_to_completion()
        return self.step("event", event=event)

    def refuse(self, event: Event, why: str) -> Step:
        """Nothing happens: the event may not come in."""
        self.refusal = why
        return self.step("event", event=event)

    def fire(self, key: str) -> Step:
        """A timer is due: it is spent whether or not its guard holds."""
        row = self.machine.arrows[key]
        del self.timers[key]
        event = Event(row.trigger)
        self.hear(event)
        if self.is_enabled(row):
            self.microstep([row], event)
        else:
            self.refusal = "its guard does not hold"
        self.run_to_completion()
        return self.step("timer", event=event, timer=key)

    def stop(self) -> Step:
        """End from outside: exit every active state (Appendix D, `exitInterpreter`)."""
        if self.running:
            self.finish()
        return self.step("stop")

    def step(self, cause: Cause, event: Event | None = None, timer: str | None = None) -> Step:
        """Everything that happened, as a value."""
        return Step(
            plan=self.plan,
            before=self.before,
            after=self.snapshot(),
            at=self.now,
            cause=cause,
            event=event,
            timer=timer,
            microsteps=tuple(self.microsteps),
            effects=tuple(self.effects),
            sent=tuple(self.sent),
            made=tuple(self.made),
            stopped=tuple(self.stopped),
            faults=tuple(self.faults),
            refusal=self.refusal,
            others=tuple(self.others_before),
            answer=self.answer,
        )

    def snapshot(self) -> Snapshot:
        """The instance as it stands."""
        names = [state.name for state in self.states]
        return attrs.evolve(
            self.before,
            configuration=tuple(names[index] for index in sorted(self.active)),
            values=tuple(self.values),
            refs=tuple(self.refs.values()),
            history=tuple(
                (name, tuple(names[index] for index in indices)) for name, indices in sorted(self.history.items())
            ),
            timers=tuple(sorted(self.timers.values(), key=lambda timer: self.machine.arrows[timer.key].index)),
            delayed=tuple(self.delayed),
            turn=self.turn,
            children=tuple(sorted(self.children.items())),
            spawned=tuple(sorted(self.spawned.items())),
            done=not self.running,
        )

    def run_to_completion(self) -> None:
        """Appendix D, the inner loop of `mainEventLoop`, then the invocations of states still active."""
        while self.running:
            event: Event | None = None
            selected = self.select(None)
            if not selected:
                if not self.internal:
                    self.spawn_for_states()
                if not self.internal:
                    break
                event = self.internal.popleft()
                selected = self.select(event, inside=True)
            if selected:
                self.microstep(selected, event)
            if len(self.microsteps) > self.terms.microsteps:
                self.give_up()
        if not self.running and not self.before.done:
            self.finish()

    def spawn_for_states(self) -> None:
        """The invocations of states entered and not left. One that cannot be carried out raises an event: the macrostep goes on."""
        waiting, self.to_spawn = sorted(self.to_spawn), []
        for index in waiting:
            for spawn in self.states[index].spawns:
                self.guarded_block((spawn,))

    def give_up(self) -> NoReturn:
        taken = [key for micro in self.microsteps[-40:] for key in micro.transitions]
        cycle = next(
            (taken[-size:] for size in range(1, len(taken) // 2) if taken[-size:] == taken[-2 * size : -size]),
            taken[-8:],
        )
        raise LimitExceeded(
            f"`{self.before.id}` does not come to rest after {self.terms.microsteps} microsteps", [*cycle, cycle[0]]
        )

    def finish(self) -> None:
        """Exit every active state, innermost first, but keep the configuration for reading."""
        self.running = False
        for index in sorted(self.active, reverse=True):
            self.leave(self.states[index])
        self.timers.clear()
        self.delayed.clear()
        self.stopped.extend(child for child in self.children.values() if child not in self.stopped)
        self.children.clear()

    # ---- choosing transitions

    def hear(self, event: Event | None, *, inside: bool = False) -> None:
        self.context.payload = dict(event.payload) if event else {}
        self.context.known = _Facts(self, event, inside=inside)

    def before_hearing(self, event: Event) -> None:
        """What the spawns of active states asked for: to be told first, or to hear it too (Appendix D, `mainEventLoop`)."""
        for index in sorted(self.active) if self.children else ():
            for spawn in self.states[index].spawns:
                child = self.children.get(spawn.ref)
                if child is not None and child == event.sender and spawn.finalize:
                    self.hear(event)
                    self.guarded_block(spawn.finalize)
                if child is not None and spawn.forward:
                    self.sent.append(Delivery(child, event))

    def select(self, event: Event | None, *, inside: bool = False) -> list[Transition]:
        """`selectTransitions` / `selectEventlessTransitions`: per atomic state the first enabled row, inner states first."""
        name = event.name if event else None
        if event:
            self.hear(event, inside=inside)
        rows, found = self.machine.transitions, dict[int, Transition]()
        for index in sorted(self.active):
            if not self.states[index].is_leaf:
                continue
            for above in (index, *self.states[index].ancestors):
                if above < 0:
                    continue
                row = self.first_enabled(
                    rows[number] for number in self.states[above].transitions if rows[number].hears(name)
                )
                if row:
                    found[row.index] = row
                    break
        return self.without_conflicts(list(found.values()))

    def first_enabled(self, rows: Iterable[Transition]) -> Transition | None:
        return next((row for row in rows if self.is_enabled(row)), None)

    def is_enabled(self, row: Transition) -> bool:
        """Whether its guard holds; one that cannot be evaluated does not, and is told inside (SCXML 5.9.1)."""
        try:
            return row.guard is None or bool(row.guard.run(self.context))
        except Unanswerable as fault:
            self.fail(_Fault("error.execution", str(fault)))
            return False

    def without_conflicts(self, rows: list[Transition]) -> list[Transition]:
        """`removeConflictingTransitions`: a row preempts another if both exit a common state: the inner one, else the earlier."""
        kept: list[Transition] = []
        exits = {row.index: self.exit_set(row) for row in rows} if len(rows) > 1 else {}
        for row in rows:
            rivals = [other for other in kept if exits[row.index] & exits[other.index]]
            if all(self.states[other.source].holds(row.source) for other in rivals):
                kept = [other for other in kept if other not in rivals]
                kept.append(row)
        return kept

    def exit_set(self, row: Transition) -> set[int]:
        if not row.targets:
            return set()
        domain = self.domain(row)
        if domain < 0:
            return set(self.active)
        return {index for index in self.active if self.states[domain].holds(index)}

    def domain(self, row: Transition) -> int:
        """`getTransitionDomain`: the innermost composite that a row with targets stays inside; -1 is the machine."""
        targets, source = self.effective(row.targets), self.states[row.source]
        if row.internal and source.kind == "composite" and all(source.holds(target) for target in targets):
            return source.index
        for above in source.ancestors:
            if above < 0:
                break
            state = self.states[above]
            if state.kind == "composite" and all(state.holds(target) for target in targets):
                return above
        return -1

    def effective(self, targets: tuple[int, ...]) -> list[int]:
        """`getEffectiveTargetStates`: histories replaced by what they remember, or by their default."""
        found: dict[int, None] = {}
        for target in targets:
            state = self.states[target]
            if state.is_history:
                assert state.default is not None
                remembered = self.history.get(state.name)
                found |= dict.fromkeys(remembered or self.effective(state.default.targets))
            else:
                found[target] = None
        return list(found)

    # ---- carrying them out

    def microstep(self, rows: list[Transition], event: Event | None) -> None:
        """Exit, act, enter."""
        exited = self.exit_states(rows)
        for row in rows:
            self.guarded_block(row.actions)
        entered = self.enter([(row.targets, self.domain(row)) for row in rows if row.targets])
        self.microsteps.append(
            Microstep(
                event.name if event else None,
                tuple(row.key for row in rows),
                tuple(self.states[index].name for index in exited),
                tuple(self.states[index].name for index in entered),
            )
        )

    def exit_states(self, rows: list[Transition]) -> list[int]:
        leaving = sorted(set[int]().union(*(self.exit_set(row) for row in rows)), reverse=True)
        for index in leaving:
            for number in self.states[index].histories:
                self.remember(self.states[number], self.states[index])
        for index in leaving:
            self.leave(self.states[index])
            self.active.discard(index)
            self.names.discard(self.states[index].name)
        return leaving

    def remember(self, history: State, parent: State) -> None:
        if history.kind == "deep-history":
            kept = [index for index in self.active if parent.holds(index) and self.states[index].is_leaf]
        else:
            kept = [index for index in parent.children if index in self.active]
        self.history[history.name] = tuple(sorted(kept))

    def leave(self, state: State) -> None:
        for block in state.exit:
            self.guarded_block(block)
        for number in state.timers:
            self.timers.pop(self.machine.transitions[number].key, None)
        if state.index in self.to_spawn:
            self.to_spawn.remove(state.index)
        else:
            for spawn in state.spawns:
                self.unbind(spawn.ref)

    def enter(self, moves: list[tuple[tuple[int, ...], int]]) -> list[int]:
        """`enterStates` for (targets, domain) pairs; returns what was entered, in order."""
        entries = _Entries(self)
        for targets, domain in moves:
            for target in targets:
                entries.descend(target)
            for target in self.effective(targets):
                entries.ascend(target, domain)
        for index in sorted(entries.states):
            state = self.states[index]
            self.active.add(index)
            self.names.add(state.name)
            for block in state.entry:
                self.guarded_block(block)
            if index in entries.by_default and state.default:
                self.guarded_block(state.default.actions)
            self.guarded_block(entries.history_actions.get(index, ()))
            self.arm(state)
            if state.spawns:
                self.to_spawn.append(index)
            if state.kind == "final":
                self.reached(state)
        return sorted(entries.states)

    def reached(self, final: State) -> None:
        """A final state was entered: its parent is done, and a parallel grandparent when all its regions are (SCXML 3.7)."""
        payload: Payload = ()
        try:
            payload = self.computed(final.done_data)
        except _Fault as fault:
            self.fail(fault)
        except Unanswerable as fault:
            self.fail(_Fault("error.execution", str(fault)))
        if final.parent < 0:
            self.running, self.answer = False, payload
            return
        parent = self.states[final.parent]
        self.internal.append(Event(f"done.state.{parent.name}", payload))
        if parent.parent >= 0 and self.states[parent.parent].kind == "parallel":
            above = self.states[parent.parent]
            if all(self.is_done(child) for child in above.children):
                self.internal.append(Event(f"done.state.{above.name}"))

    def is_done(self, index: int) -> bool:
        """`isInFinalState`."""
        state = self.states[index]
        if state.kind == "composite":
            return any(self.states[child].kind == "final" and child in self.active for child in state.children)
        return state.kind == "parallel" and all(self.is_done(child) for child in state.children)

    def arm(self, state: State) -> None:
        for number in state.timers:
            row = self.machine.transitions[number]
            assert row.delay is not None
            delay = row.delay.run(self.context)
            if not isinstance(delay, int):
                continue
            delay = max(delay, 0)
            latest = self.now + delay
            due = self.terms.moment(self.before.id, row.key, self.now, delay) if row.kind == "within" else latest
            self.timers[row.key] = Timer(row.key, self.now, due, latest)

    # ---- actions

    def guarded_block(self, block: tables.Block) -> None:
        """A block whose failure raises an error event instead of ending the run."""
        if not block:
            return
        try:
            self.carry_out(block)
        except _Fault as fault:
            self.fail(fault)
        except Unanswerable as fault:
            self.fail(_Fault("error.execution", str(fault)))

    def fail(self, fault: _Fault) -> None:
        self.faults.append(str(fault))
        self.internal.append(Event(fault.event, send_id=fault.send_id))

    def carry_out(self, block: tables.Block) -> None:
        for action in block:
            match action:
                case tables.Assign(field=field, value=value):
                    self.values[field.index] = self.admitted(field, value.run(self.context))
                case tables.Emit(effect=effect, payload=payload):
                    declared = self.machine.effects[effect].payload
                    self.effects.append(Effect(effect, self.computed(payload, declared)))
                case tables.Raise(event=event, payload=payload):
                    self.internal.append(Event(event, self.computed(payload, self.machine.events[event].payload)))
                case tables.Send():
                    try:
                        self.send(action)
                    except Unanswerable as fault:
                        raise _Fault("error.execution", str(fault), action.id) from fault
                    except _Fault as fault:
                        raise _Fault(fault.event, str(fault), action.id) from fault
                case tables.Cancel(id=id_):
                    self.delayed = [item for item in self.delayed if item.event.send_id != id_]
                case tables.Spawn():
                    self.spawn(action)
                case tables.Stop(ref=ref):
                    self.unbind(ref)
                case tables.If(condition=condition, then=then, otherwise=otherwise):
                    self.carry_out(then if condition.run(self.context) else otherwise)

    def admitted(self, field: tables.Field, value: Value) -> Value:
        if objection := field.objection(value):
            raise _Fault("error.execution", objection)
        return value

    def computed(
        self, payload: tables.Payload, declared: Mapping[str, tables.Field] | None = None
    ) -> tuple[tuple[str, Value], ...]:
        """The payload's values, with the defaults of those not given."""
        given = {name: value.run(self.context) for name, value in payload}
        if declared is None:
            return tuple(given.items())
        complete = {name: given.get(name, field.default) for name, field in declared.items()}
        return tuple((name, self.admitted(declared[name], value)) for name, value in complete.items())

    def send(self, send: tables.Send) -> None:
        to = self.addressee(send)
        if to is None:
            raise _Fault("error.communication", f"nobody is bound to `{send.to}`")
        receiver = self.plan.machines[self.before.machine if to == self.before.id else self.world[to].machine]
        if send.event not in receiver.events:
            raise _Fault("error.communication", f"`{to}` knows no event called `{send.event}`")
        declared = receiver.events[send.event].payload
        event = Event(send.event, self.computed(send.payload, declared), self.before.id, None, send.id)
        delay = send.after.run(self.context) if send.after else None
        if send.after and delay is None:
            raise _Fault("error.execution", f"the delay `{send.after}` is absent")
        if isinstance(delay, int):
            self.delayed.append(Delayed(self.now + max(delay, 0), self.turn, to, event))
            self.turn += 1
        else:
            self.sent.append(Delivery(to, event))

    def addressee(self, send: tables.Send) -> str | None:
        """The id of whom a send is for."""
        if send.address is not None:
            id_ = send.address.run(self.context)
            return id_ if isinstance(id_, str) and (id_ == self.before.id or id_ in self.world) else None
        return self.before.id if send.slot is None else self.find(self.machine.slots[send.slot])

    # ---- children and refs

    def find(self, chain: tuple[str, ...]) -> str | None:
        return resolve_chain(self.plan, self.refs, chain, self.world)

    def look_around(self) -> list[Snapshot | None]:
        """The instance at the end of every chain of refs this machine looks along."""
        found = [self.find(chain) for chain in self.machine.slots]
        return [self.world.get(id_) if id_ is not None else None for id_ in found]

    def spawn(self, spawn: tables.Spawn) -> None:
        fields = dict(self.computed(spawn.fields))
        mine = {
            name: self.before.id if slot is None else self.find(self.machine.slots[slot]) for name, slot in spawn.refs
        }
        if "parent" in self.plan.machines[spawn.machine].refs:
            mine.setdefault("parent", self.before.id)
        count = self.spawned.get(spawn.ref, 0) + 1
        while (id_ := _child_id(self.before.id, spawn.ref, count)) in self.world:
            count += 1
        self.check_generations(id_)
        try:
            child = blank(self.plan, spawn.machine, id_, fields, mine, parent=(self.before.id, spawn.ref))
        except RefusedInstance as refused:
            raise _Fault("error.execution", str(refused)) from refused
        self.unbind(spawn.ref)
        self.spawned[spawn.ref] = count
        self.nearby[self.before.id] = self.snapshot()
        self.world = ChainMap(self.nearby, self.around)  # type: ignore[arg-type]  # it is only read
        first = Macrostep(self.plan, child, self.now, self.world, self.terms).start(None)
        self.made.append(first)
        self.children[spawn.ref] = self.refs[spawn.ref] = id_
        self.nearby[id_] = first.after
        self.context.others = self.look_around()

    def check_generations(self, id_: str) -> None:
        lineage, above = [id_], self.before.id
        while above in self.world or above == self.before.id:
            lineage.append(above)
            parent = self.before.parent if above == self.before.id else self.world[above].parent
            if parent is None:
                break
            above = parent[0]
        if len(lineage) > self.terms.generations:
            raise LimitExceeded(f"children of children: more than {self.terms.generations} generations", lineage[:1])

    def unbind(self, ref: str) -> None:
        child = self.children.pop(ref, None)
        if child is not None:
            self.stopped.append(child)
        if self.refs[ref] is not None:
            self.refs[ref] = None
            self.context.others = self.look_around()


def _child_id(parent: str, ref: str, count: int) -> str:
    return f"{parent}.{ref}" + (f".{count}" if count > 1 else "")


class _Entries:
    """`computeEntrySet`: which states are entered, which of them by default, and whose history default acts."""

    def __init__(self, run: Macrostep) -> None:
        self.run, self.table = run, run.states
        self.states: set[int] = set()
        self.by_default: set[int] = set()
        self.history_actions: dict[int, tables.Block] = {}

    def descend(self, index: int) -> None:
        """`addDescendantStatesToEnter`."""
        state = self.table[index]
        if state.is_history:
            assert state.default is not None
            remembered = self.run.history.get(state.name)
            if not remembered:
                self.history_actions[state.parent] = state.default.actions
            self.all_of(remembered or state.default.targets, state.parent)
            return
        self.states.add(index)
        if state.kind == "composite":
            assert state.default is not None
            self.by_default.add(index)
            self.all_of(state.default.targets, index)
        elif state.kind == "parallel":
            self.regions(state)

    def all_of(self, targets: tuple[int, ...], inside: int) -> None:
        for target in targets:
            self.descend(target)
        for target in targets:
            self.ascend(target, inside)

    def ascend(self, index: int, inside: int) -> None:
        """`addAncestorStatesToEnter`: the ancestors of a state up to, not including, `inside`, unless they are active."""
        for above in self.table[index].ancestors:
            if above == inside or above < 0:
                return
            if above in self.run.active:
                continue
            self.states.add(above)
            if self.table[above].kind == "parallel":
                self.regions(self.table[above])

    def regions(self, parallel: State) -> None:
        """Every region that nothing is entered in yet is entered by default."""
        for child in parallel.children:
            if child not in self.states and not any(self.table[child].holds(index) for index in self.states):
                self.descend(child)
