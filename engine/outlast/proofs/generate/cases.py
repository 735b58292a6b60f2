"""A path as a case: the moments of its moves, what is refused on the way, and everything that can be seen at each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from outlast import model
from outlast.expr import Type, Value, tree
from outlast.moments import HOUR, MINUTE, SECOND
from outlast.place import Word
from outlast.plan import Machine, Plan, State, Transition
from outlast.proofs.conformance.cases import Case, CaseStep, Claim, Then, Why
from outlast.proofs.conformance.protocol import Observation, Seen
from outlast.proofs.conformance.reading import FittedCase
from outlast.proofs.conformance.runners import SystemRunner, seen
from outlast.proofs.generate.goals import Cover
from outlast.proofs.generate.parts import outside
from outlast.proofs.generate.walks import Way
from outlast.proofs.recording import name_now
from outlast.proofs.timed.composed import Composed
from outlast.proofs.timed.successors import Said
from outlast.proofs.timed.traces import schedule
from outlast.run import System
from outlast.run.staging import staged

PACES = (HOUR, MINUTE, SECOND, SECOND // 1000)
"""How long is waited before something is said, if there is time."""
REFUSALS = 4
"""How many refusals are tried at one moment."""


VALUE = 4
"""The length of the key of a value outside its bounds."""


@attrs.frozen(eq=False)
class Cue:
    """Something to do in a case, or (None) a moment to look."""

    at: int
    said: Said | None = None


def moments(way: Way) -> tuple[int, ...]:
    """An instant for each move, with time between them where there is time."""
    times = schedule(way.system, way.path)
    assert times is not None, "a path of the search has no times"
    path = way.path
    for number, move in enumerate(path.moves):
        for pace in PACES if move.said and not path.still[number] else ():
            waits = (*path.waits[:number], max(pace, path.waits[number]), *path.waits[number + 1 :])
            slower = attrs.evolve(path, waits=waits)
            found = schedule(way.system, slower)
            if found is not None:
                path, times = slower, found
                break
    return times


class Author:
    """Writes cases about one system; remembers which refusals and which reasons were told already."""

    def __init__(self, plan: Plan, cover: Cover) -> None:
        """What is refused on the way is tried where rows are to be covered; values outside their bounds also where bounds are."""
        self.plan, self.cover = plan, cover
        self.told: set[tuple[str, ...]] = set()

    def cues(self, way: Way, times: Sequence[int]) -> list[Cue]:
        """What is done on the way, refusals included."""
        found = list(self._refused(way, 0, 0)) if not times or times[0] > 0 else []
        for number, (move, at) in enumerate(zip(way.path.moves, times, strict=True), start=1):
            found.append(Cue(at, move.said))
            if number == len(times) or times[number] > at:
                found += self._refused(way, number, at)
        return found

    def _refused(self, way: Way, number: int, at: int) -> Iterator[Cue]:
        """What can be said in a location of the path and is refused: nothing follows from it."""
        location = way.path.locations[number]
        following = way.path.moves[number].said if number < len(way.path.moves) else None
        tried = 0
        for move in way.system.moves(location) if self.cover != "states" else ():
            if move.said is None or move.said == following or tried == REFUSALS:
                continue
            there = next(snapshot for snapshot in location if snapshot.id == move.said.to)
            if there.machine not in way.place.machines:
                continue
            if way.system.record(move).refusal is None:
                options = self._unfit(self.plan.machines[there.machine], move.said)
            else:
                options = iter([((there.machine, "+".join(there.configuration), move.said.event.name), move.said)])
            for key, said in options:
                wanted = self.cover != "boundaries" or len(key) == VALUE
                if wanted and key not in self.told and tried < REFUSALS:
                    self.told.add(key)
                    tried += 1
                    yield Cue(at, said)

    def _unfit(self, machine: Machine, said: Said) -> Iterator[tuple[tuple[str, ...], Said]]:
        """An event that would be accepted, from somebody who may not say it, and with values outside their bounds."""
        event = machine.events[said.event.name]
        stranger = next((actor for actor in self.plan.actors if event.by and actor not in event.by), None)
        if stranger:
            yield (machine.name, event.name), attrs.evolve(said, event=attrs.evolve(said.event, by=stranger))
        for name, field in event.payload.items():
            for word, value in outside(field):
                payload = tuple((key, value if key == name else old) for key, old in said.event.payload)
                yield (
                    (machine.name, event.name, name, word),
                    attrs.evolve(said, event=attrs.evolve(said.event, payload=payload)),
                )

    # ---- one case

    def case(self, way: Way, cues: Sequence[Cue], id_: str, title: str, watched: str) -> Case:
        """The case, with everything claimed that is seen; where nothing happens, that `watched` is as it was."""
        composed = attrs.evolve(way.place.composed, plan=_original(self.plan, way.place.composed))
        steps = tuple(CaseStep(cue.at, say) for cue, say in zip(cues, _says(composed, cues), strict=True))
        steps = tuple(_merged(steps))
        case = Case(Word(id_), title, bounds="latest", level="must", given=composed.given, steps=steps)
        plan = composed.plan
        observations = SystemRunner().run(_unclaimed(plan, case), "latest")
        before: Mapping[str, Seen] = _at_first(composed)
        told: list[CaseStep] = []
        because: dict[str, None] = {}
        for step, now in zip(steps, observations, strict=True):
            refused = now.accepted is False
            claims = tuple(self._claims(plan, step, before, now, watched))
            gone = tuple(Word(name) for name in before if name not in now.instances)
            told.append(attrs.evolve(step, refused=refused, then=Then(claims, tuple(_effects(plan, now)), gone)))
            because |= dict.fromkeys(clause for item in now.happened for clause in item.clauses)
            before = now.instances
        if not because:
            here = composed.everybody()[watched]
            states = now.instances[watched].states if watched in now.instances else ()
            because = dict.fromkeys(_about(plan, plan.machines[here], states))
        default = {name: item.default for name, item in plan.assumptions.items()}
        under = tuple(
            (Word(name), Word(reading)) for name, reading in plan.readings.items() if reading != default[name]
        )
        return attrs.evolve(case, steps=tuple(told), under=under, because=tuple(map(Word, because)))

    def _claims(
        self, plan: Plan, step: CaseStep, before: Mapping[str, Seen], now: Observation, watched: str
    ) -> Iterator[Claim]:
        """Of everybody who is not as before, or has taken a row, all that can be seen; of whoever refuses, that nothing changed."""
        receiver = str(step.cue.name) if isinstance(step.cue, model.Say) else None if now.happened else watched
        for name, here in now.instances.items():
            machine, was = plan.machines[here.machine], before.get(name)
            rows = [row for item in now.happened if item.instance == name for row in item.transitions]
            if not (was != here or rows or name == receiver):
                continue
            fresh = [row for row in rows if (machine.name, "why", row) not in self.told]
            row = (fresh or rows)[-1] if rows else None
            if row is not None:
                self.told.add((machine.name, "why", row))
            changed = {key: value for key, value in here.fields.items() if was is None or was.fields.get(key) != value}
            unbound = [key for key, value in here.refs.items() if value is None and was and was.refs.get(key)]
            yield Claim(
                Word(machine.name),
                Word(name),
                tuple(map(Word, machine.innermost(here.states))),
                values=tuple((Word(key), _literal(value, machine.fields[key].type)) for key, value in changed.items() if value is not None),
                absent=tuple(Word(key) for key in (*unbound, *(key for key, value in changed.items() if value is None and was))),
                deadlines=tuple((Word(key), at) for key, at in here.deadlines.items()),
                unarmed=tuple(Word(key) for key in (was.deadlines if was else ()) if key not in here.deadlines),
                why=Why(Word(row)) if row else None,
            )  # fmt: skip


def _about(plan: Plan, machine: Machine, states: Sequence[str]) -> tuple[str, ...]:
    """Clauses for a case in which no row is taken that cites one: the nearest there are."""
    active = [machine.state(name) for name in states]
    leaving = [machine.transitions[index] for state in active for index in (*state.transitions, *state.timers)]
    nearest: tuple[Sequence[State | Transition], ...] = (active, leaving, machine.transitions)
    found = next((cited for parts in nearest if (cited := [clause for part in parts for clause in part.because])), None)
    return tuple(dict.fromkeys(found or plan.clauses))


def _original(plan: Plan, composed: Composed) -> Plan:
    """The plan as it is written, under the readings of the composition."""
    return attrs.evolve(plan, readings=composed.plan.readings)


def _says(composed: Composed, cues: Sequence[Cue]) -> Iterator[model.Say | None]:
    """The cues as a run of the system makes them: a child goes by the name it has there."""
    system = System(composed.plan)
    composed.begin(system)
    for cue in cues:
        system.advance_to(cue.at)
        if cue.said is None:
            yield None
            continue
        id_ = name_now(system, cue.said.to)
        machine, event = system[id_].machine, cue.said.event
        declared = machine.events[event.name].payload
        payload = tuple(
            (Word(name), _literal(value, declared[name].type)) for name, value in event.payload if value is not None
        )
        system.send(id_, event.name, dict(event.payload), by=event.by)
        system.advance(0)
        yield model.Say(
            cue.at, Word(machine.name), Word(id_), Word(event.name), payload, Word(event.by) if event.by else None
        )


def _merged(steps: Sequence[CaseStep]) -> Iterator[CaseStep]:
    """Without the moments to look that another step of the same instant follows, or that follow one where nothing was said."""
    for number, step in enumerate(steps):
        before = steps[number - 1] if number else None
        if step.cue is None and before is not None and before.at == step.at:
            continue
        yield step


def _unclaimed(plan: Plan, case: Case) -> FittedCase:
    cues = tuple(step.cue for step in case.steps if step.cue)
    stage = staged(plan, model.Scenario(case.id, given=case.given, steps=cues))
    return FittedCase(plan, case, stage, (), ())


def _at_first(composed: Composed) -> Mapping[str, Seen]:
    system = System(composed.plan)
    composed.begin(system)
    return seen(composed.plan, system.world.values())


def _effects(plan: Plan, now: Observation) -> Iterator[tuple[Word, model.Assignments]]:
    effects = {name: effect for machine in plan.machines.values() for name, effect in machine.effects.items()}
    for item in now.happened:
        for name, payload in item.effects:
            declared = effects[name].payload
            yield (
                Word(name),
                tuple(
                    (Word(key), _literal(value, declared[key].type))
                    for key, value in payload.items()
                    if value is not None
                ),
            )


def _literal(value: Value, type_: Type) -> tree.Expr:
    return tree.Literal(value, type_)
