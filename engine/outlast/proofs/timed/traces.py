"""From a path of the search to a story: when each thing happens at the earliest, and the engine's own run of it.

The times on a path are bound by differences only (one thing at most so long after another), so that the earliest times are shortest
paths (Bellman-Ford). The run is made by an ordinary system that is told nothing but those times; if it went another way, that would be an
error of the search, and is raised as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import attrs

from outlast import model
from outlast.expr import show, tree
from outlast.place import Word
from outlast.proofs.timed.composed import Composed
from outlast.proofs.timed.locations import Clock, Location
from outlast.proofs.timed.search import Node
from outlast.proofs.timed.successors import LIMITS, Move, Successors
from outlast.proofs.timed.verdicts import Change, Happening, Trace
from outlast.proofs.timed.zones import Zone
from outlast.run import Snapshot, Step, System


@attrs.frozen(eq=False)
class Path:
    """What happens, one move after another, from the first location on."""

    moves: tuple[Move, ...]
    locations: tuple[Location, ...]
    """One more than there are moves."""
    waits: tuple[int, ...]
    """For each location, how long at least passes in it."""
    still: tuple[bool, ...]
    """For each location, whether no time passes in it."""

    @classmethod
    def to(cls, node: Node, move: Move | None = None) -> Path:
        """The path to a node, and over one more move."""
        nodes: list[Node] = []
        at: Node | None = node
        while at is not None:
            nodes.append(at)
            at = at.parent
        nodes.reverse()
        moves = [one.move for one in nodes if one.move is not None]
        locations = [one.location for one in nodes]
        waits, still = [one.waited for one in nodes], [bool(one.held) for one in nodes]
        if move is not None:
            moves.append(move)
            locations.append(move.arrival.location)
            waits.append(False)
            still.append(False)
        return cls(tuple(moves), tuple(locations), tuple(waits), tuple(still))

    @classmethod
    def at(cls, location: Location) -> Path:
        """The path of no moves."""
        return cls((), (location,), (False,), (False,))

    @staticmethod
    def began(node: Node) -> int:
        """The number of the move on the way to a node that started the observer's clock it has; 0: it ran from the first."""
        while node.parent is not None and node.parent.limit is not None:
            node = node.parent
        return node.depth


Bound = tuple[int, int, int]
"""(i, j, most): moment i comes at most `most` after moment j."""


def schedule(
    system: Successors, path: Path, last: Zone | None = None, observed: int | None = None
) -> tuple[int, ...] | None:
    """The earliest instant of each move; None if there is none.

    With `last` there is one more instant, at which the clocks of the last location are in that zone; `observed` is the move that started
    one clock more, which the zone has then.
    """
    bounds: list[Bound] = []
    begun = [0] * len(system.places.clocks(path.locations[0]))
    for number, move in enumerate(path.moves, start=1):
        clocks = system.places.clocks(path.locations[number - 1])
        bounds += _passing(path, number)
        bounds += _bounds(clocks, begun, number, move.fired)
        begun = [begun[source - 1] if source else number for source in move.arrival.sources]
    count = len(path.moves)
    if last is not None:
        count += 1
        bounds += _passing(path, count)
        since = [count, *begun, *([observed] if observed is not None else [])]
        n = len(since)
        bounds += [(since[j], since[i], last[i * n + j]) for i in range(n) for j in range(n) if i != j]
    return _earliest(count, bounds)


def _passing(path: Path, number: int) -> list[Bound]:
    """How move `number` follows on the one before."""
    bounds = [(number - 1, number, -int(path.waits[number - 1]))]
    return [*bounds, (number, number - 1, 0)] if path.still[number - 1] else bounds


def _bounds(clocks: Sequence[Clock], begun: Sequence[int], number: int, fired: int) -> list[Bound]:
    """When move `number` can come: see the theory of `search`."""
    bounds = []
    for index, clock in enumerate(clocks, start=1):
        over = not fired or index < fired
        bounds.append((number, begun[index - 1], clock.cap - int(over)))
        if index == fired and not clock.is_within:
            bounds.append((begun[index - 1], number, -clock.cap))
    return bounds


def _earliest(count: int, bounds: Sequence[Bound]) -> tuple[int, ...] | None:
    times = [0] * (count + 1)
    for _ in range(count + 2):
        settled = True
        for i, j, most in bounds:  # t_i - t_j <= most: t_j is at least t_i - most
            if times[i] - most > times[j]:
                times[j] = times[i] - most
                settled = False
        if settled:
            return tuple(times[1:]) if times[0] == 0 else None
    return None


class Replay(System):
    """A system that takes what is due one at a time, and whose `within` timers stand for the moments it is told."""

    def at(self, instant: int, instance: str, number: int, *, is_send: bool) -> tuple[Step, ...]:
        """Let the one thing happen that is next; it must be this timer or delayed send."""
        due = self._population.next_due
        wanted = (instant, is_send, number, instance)
        assert due and (due.at, due.is_send, due.number, due.instance) == wanted, f"{due} is next, not {wanted}"
        self.now = instant
        return self._transaction(partial(self._bounded, self._happen(due)))

    def stand_for(self, instance: str, key: str, instant: int) -> None:
        """The moment of a running `within` timer."""
        snapshot = self.look(instance)
        timers = tuple(attrs.evolve(timer, due=instant) if timer.key == key else timer for timer in snapshot.timers)
        with self._population.transaction():
            self._population.put(attrs.evolve(snapshot, timers=timers))


def told(
    composed: Composed,
    system: Successors,
    path: Path,
    times: Sequence[int],
    name: str,
    title: str,
    shown: str,
) -> Trace:
    """The run of a path at these times. A last time more than there are moves is waited for."""
    plan = composed.plan
    replay = Replay(plan, terms=LIMITS)
    composed.begin(replay)
    moments = _moments(system, path, times)
    _tell(replay, moments, 0)
    happenings: list[Happening] = []
    cues: list[model.Say | model.Happen | model.Make] = []
    for number, (move, at) in enumerate(zip(path.moves, times, strict=False), start=1):
        before = [instance.snapshot for instance in replay.instances]
        if move.said is not None:
            position = [snapshot.id for snapshot in path.locations[number - 1]].index(move.said.to)
            receiver, event = before[position], move.said.event
            assert (replay.next_due or at + 1) > at, "something is due before an event"
            step = replay.send(receiver.id, event.name, dict(event.payload), by=event.by, at=at)
            happening = Happening(
                at, receiver.id, receiver.machine, "event", event.name, event.payload, event.by, step.refusal
            )
            cues.append(_say(composed, happening))
        else:
            clock = system.places.clocks(path.locations[number - 1])[move.fired - 1]
            sender = before[clock.position]
            number_there = sender.delayed[clock.number].turn if clock.is_send else clock.number
            steps = replay.at(at, sender.id, number_there, is_send=clock.is_send)
            refusal = steps[0].refusal if steps else None
            if clock.is_send:
                name = sender.delayed[clock.number].event.name
                happening = Happening(at, sender.id, sender.machine, "send", name, refusal=refusal)
            else:
                name = plan.machines[sender.machine].transitions[clock.number].id
                happening = Happening(at, sender.id, sender.machine, "timer", name, refusal=refusal)
            if clock.is_within:
                cues.append(model.Happen(at, Word(sender.machine), Word(sender.id), Word(name)))
        after = [instance.snapshot for instance in replay.instances]
        _tell(replay, moments, number)
        found = [(snapshot.configuration, snapshot.values, snapshot.done) for snapshot in after]
        wanted = [(snapshot.configuration, snapshot.values, snapshot.done) for snapshot in path.locations[number]]
        assert found == wanted, "the run does not lead where the search came"
        happenings.append(attrs.evolve(happening, changes=_changes(composed, before, after)))
    end = times[len(path.moves)] if len(times) > len(path.moves) else None
    replay.advance_to(end if end is not None else replay.now)
    scenario = model.Scenario(
        Word(name),
        title,
        f"{shown}.",
        Word(plan.name),
        composed.constants,
        composed.given,
        tuple(cues),
        _expected(replay),
    )
    return Trace(tuple(happenings), shown, scenario)


def _moments(system: Successors, path: Path, times: Sequence[int]) -> dict[tuple[int, int, int], int]:
    """(move that armed it, position, row) -> when that `within` timer fires, for each one that does."""
    found: dict[tuple[int, int, int], int] = {}
    begun = [0] * len(system.places.clocks(path.locations[0]))
    for number, move in enumerate(path.moves, start=1):
        clocks = system.places.clocks(path.locations[number - 1])
        if move.fired and clocks[move.fired - 1].is_within:
            clock = clocks[move.fired - 1]
            found[begun[move.fired - 1], clock.number, _when(path, clock, begun[move.fired - 1], number)] = times[
                number - 1
            ]
        begun = [begun[source - 1] if source else number for source in move.arrival.sources]
    return found


def _when(path: Path, clock: Clock, armed: int, fired: int) -> int:
    """The position of a clock's instance at the move that armed it: instances before it may have gone since."""
    id_ = path.locations[fired - 1][clock.position].id
    return [snapshot.id for snapshot in path.locations[armed]].index(id_)


def _tell(replay: Replay, moments: dict[tuple[int, int, int], int], number: int) -> None:
    """Tell the timers armed by a move their moments."""
    there = replay.instances
    for (armed, row, position), instant in moments.items():
        if armed == number:
            instance = there[position]
            replay.stand_for(instance.id, instance.machine.transitions[row].key, instant)


def _say(composed: Composed, said: Happening) -> model.Say:
    declared = composed.plan.machines[said.machine].events[said.name].payload
    payload = tuple(
        (Word(name), tree.Literal(value, declared[name].type)) for name, value in said.payload if value is not None
    )
    by = Word(said.by) if said.by else None
    refused = said.refusal is not None
    return model.Say(said.at, Word(said.machine), Word(said.instance), Word(said.name), payload, by, refused)


def _changes(composed: Composed, before: Sequence[Snapshot], after: Sequence[Snapshot]) -> tuple[Change, ...]:
    """What is another afterwards, in the order the instances were made."""
    earlier = {snapshot.id: snapshot for snapshot in before}
    later = {snapshot.id: snapshot for snapshot in after}
    found = []
    for id_, snapshot in (earlier | later).items():
        old, new = earlier.get(id_), later.get(id_)
        machine = composed.plan.machines[snapshot.machine]
        states = [" + ".join(machine.innermost(one.configuration)) if one else "" for one in (old, new)]
        fields = tuple(
            (field.name, show(one, field.type), show(two, field.type))
            for field, one, two in zip(
                machine.fields.values(), old.values if old else (), new.values if new else (), strict=False
            )
            if one != two
        )
        if states[0] != states[1] or fields:
            found.append(Change(id_, machine.name, states[0], states[1], fields))
    return tuple(found)


def _expected(system: System) -> tuple[model.Expectation, ...]:
    """Where everybody is now, as expectations."""
    return tuple(
        model.Expectation(
            system.now,
            Word(instance.machine.name),
            Word(instance.id),
            tuple(map(Word, instance.machine.innermost(instance.states))),
        )
        for instance in system.instances
    )
