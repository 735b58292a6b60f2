"""A store is a system: whatever is said, in whatever portions, by however many who open it anew, becomes what it becomes in memory."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest

from outlast import model
from outlast.errors import RefusedInstance
from outlast.loading import load_scenario
from outlast.moments import DAY, MINUTE
from outlast.plan import Plan
from outlast.run import Step, System, Terms
from outlast.run.saved import instance_to_json
from outlast.run.staging import applies, staged
from outlast.store.engine import Engine
from outlast.store.groups import commons
from outlast.store.journal import compact, decode_snapshot, encode_snapshot
from outlast.store.records import Said
from tests.run.worlds import STORIES, bundled_plans
from tests.store.people import Clock, opened
from tests.store.traffic import traffic

Told = dict[str, list[tuple[object, ...]]]


def steps_of(told: Told, steps: Iterable[Step]) -> None:
    """Note by instance what steps did."""
    for step in steps:
        effects = tuple((effect.name, dict(effect.payload)) for effect in step.effects)
        told[step.instance].append((step.at, step.cause, step.taken, effects, step.refusal))


def journal_of(engine: Engine) -> Told:
    """The same from a journal."""
    told: Told = defaultdict(list)
    for decision in engine.decisions(limit=1_000_000):
        if decision.cause != "sent":
            effects = tuple((effect.name, dict(effect.payload)) for effect in decision.effects)
            told[decision.instance].append(
                (decision.at, decision.cause, decision.transitions, effects, decision.refusal)
            )
    return told


class Both:
    """A system in memory and a store, told the same."""

    def __init__(self, url: str, plan: Plan, terms: Terms) -> None:
        self.url, self.plan, self.terms = url, plan, terms
        self.clock = Clock(0)
        self.system = System(plan, terms=terms)
        self.engine = opened(url, plan, self.clock, terms=terms)
        self.told: Told = defaultdict(list)
        self.waiting: list[Said] = []

    def create(self, machine: str, id_: str, state: str | None = None, **given: str) -> None:
        """Make an instance in both."""
        self.flush()
        steps_of(self.told, self.system.advance_to(self.clock.now))
        steps_of(self.told, self.system.make(machine, id_, given, state=state).began)
        self.engine.make(machine, id_, given, state=state)

    def say(self, instance: str, event: str) -> None:
        """Say an event: to the store later, in a batch."""
        steps_of(self.told, self.system.advance_to(self.clock.now))
        step = self.system.send(instance, event)
        steps_of(self.told, (*step.preceded, step, *step.caused))
        self.waiting.append(Said(instance, event, at=self.clock.now))

    def flush(self) -> None:
        """Say to the store what waits."""
        if self.waiting:
            self.engine.send_many(self.waiting)
            self.waiting.clear()

    def again(self) -> None:
        """Close the store and open it anew."""
        self.flush()
        self.engine.close()
        self.engine = opened(self.url, self.plan, self.clock, terms=self.terms)

    def settle(self) -> None:
        """Let everything due happen in both."""
        self.flush()
        self.engine.run_timers()
        steps_of(self.told, self.system.advance_to(self.clock.now))

    def compare(self) -> None:
        """Both are the same, in every step, and the journal tells the same again."""
        self.settle()
        assert {id_: self.engine.get(id_).snapshot for id_ in self.system.world} == dict(self.system.world)
        for snapshot in self.system.world.values():
            text = encode_snapshot(self.plan, snapshot)
            assert json.loads(text) == instance_to_json(self.plan.machines[snapshot.machine], snapshot)
            assert decode_snapshot(self.plan, text) == snapshot
        assert journal_of(self.engine) == self.told
        for decision in self.engine.decisions(limit=1_000_000):
            for text in (decision.body, decision.snapshot):
                assert compact(json.loads(text)) == text
        replayed = self.engine.replay()
        assert dict(replayed.world) == dict(self.system.world)
        verified = self.engine.verify()
        assert verified.findings == ()
        assert verified.replayed


@pytest.mark.parametrize("seed", range(5))
def test_traffic(url: str, seed: int) -> None:
    """Random talk in a system in which everything meets."""
    random = Random(seed)
    plan = traffic()
    both = Both(url, plan, Terms(resolve=f"seed:{seed}"))
    both.create("lamp", "l0")
    both.create("lamp", "l1")
    cars: list[str] = []
    people: list[str] = []
    for number in range(8):
        towed = {"towed": random.choice(cars)} if cars and random.random() < 0.4 else {}
        both.create("car", f"c{number}", lamp=random.choice(["l0", "l1"]), **towed)
        cars.append(f"c{number}")
    for number in range(3):
        both.create("driver", f"d{number}", car=random.choice(cars))
        people.append(f"d{number}")
    events = {"c": ["drive", "drive", "brake", "pull"], "d": ["go", "calm"], "l": ["reset", "hold"]}
    for _ in range(120):
        both.clock.now += random.choice([0, 0, 1, MINUTE, 3 * MINUTE, 11 * MINUTE])
        who = random.choice([*cars * 4, *people * 4, "l0", "l1"])
        both.say(who, random.choice(events[who[0]]))
        if random.random() < 0.4:
            both.flush()
        if random.random() < 0.05:
            both.again()
        if random.random() < 0.1:
            both.settle()
        if random.random() < 0.05:
            cars.append(f"c{len(cars)}")
            both.create("car", cars[-1], lamp="l0", towed=random.choice(cars[:-1]))
    both.clock.now += DAY // 8
    with both.engine:
        both.compare()


def test_who_is_read_by_all(sagemaker: Plan) -> None:
    """Settings are the commons; who sends, makes or stops belongs together."""
    assert commons(sagemaker) == {"identity-center", "studio-application", "studio-domain"}
    assert commons(traffic()) == {"lamp"}
    assert commons(bundled_plans()["tcp"]) == frozenset()


@pytest.mark.parametrize(("name", "file"), STORIES, ids=[file.stem for _, file in STORIES])
def test_bundled_stories(tmp_path: Path, name: str, file: Path) -> None:
    """Every bundled story comes out as in memory."""
    plan = bundled_plans()[name]
    stage = staged(plan, load_scenario(file))
    both = Both(f"sqlite:///{tmp_path}/store.db", plan, Terms())
    with both.engine:
        given = {part.name: (part.machine, part.values, part.state) for part in stage.given}
        steps_of(both.told, both.system.begin(given))
        both.engine.begin(given)
        for cue in stage.cues:
            if not applies(cue.source.under, plan):
                continue
            both.clock.now = cue.at
            both.settle()
            if cue.part is not None:
                try:
                    part = {cue.part.name: (cue.part.machine, cue.part.values, cue.part.state)}
                    steps_of(both.told, both.system.begin(part))
                    both.engine.begin(part)
                except RefusedInstance:
                    continue
            else:
                say = cue.source
                assert isinstance(say, model.Say)
                by = str(say.by) if say.by else None
                step = both.system.send(str(say.name), str(say.event), cue.payload, by=by)
                steps_of(both.told, (step, *step.caused))
                both.engine.send(str(say.name), str(say.event), cue.payload, by=by)
        both.clock.now += 40 * DAY
        both.compare()
