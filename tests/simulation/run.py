"""One run: a few workers with clocks of their own, each saying, repeating, firing and delivering, while things go wrong.

Theory of operation
===================

Everything random comes from one seed, and only one thread runs at a time, so a seed is a run. A process is a thread with an engine; when
it is killed it begins anew with another engine on the same database. What the processes know of each other goes over the database, and over
the *mail*: inputs that were thought of once and may be said by anybody, late, twice, or by nobody until the end.

When all have done their share nothing goes wrong any more: everything is said once again, the clocks agree, all timers fire and all effects
are delivered. Then `judging` looks at what is there.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from random import Random

import attrs

from outlast.errors import Conflict, MisuseError, Unsettled
from outlast.moments import DAY, HOUR, MINUTE, SECOND
from outlast.store.engine import Engine
from outlast.store.outbox import Retries
from outlast.store.records import Decision, OutgoingEffect, Receipt, Said
from tests.simulation.baton import Baton
from tests.simulation.database import Database, Killed, Rates, SimulatedBackend
from tests.store.traffic import traffic

START = 20_000 * DAY
LEAP = 30 * DAY
RETRIES = Retries(attempts=4, first=SECOND, longest=MINUTE, lease=2 * MINUTE)
EVENTS = {"car": ["drive", "drive", "brake", "pull"], "driver": ["go", "go", "calm"], "lamp": ["reset", "hold"]}
KILLS, CRASHES, BREAKS = (0.0, 0.005, 0.03), (0.0, 0.002, 0.01), (0.0, 0.01, 0.04)


@attrs.frozen
class Made:
    """An instance to be made."""

    machine: str
    instance: str
    refs: dict[str, str | None]
    at: int
    id: str

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by."""
        return ("", self.id)


Input = Said | Made


@attrs.define(eq=False)
class Run:
    """What one seed leads to."""

    seed: int
    operations: int = 25
    random: Random = attrs.field(init=False)
    database: Database = attrs.field(init=False)
    now: int = START
    """What time it really is."""
    end: int = START
    """Up to when every timer has fired."""
    mail: list[Input] = attrs.field(factory=list)
    answers: dict[tuple[str, str], Receipt] = attrs.field(factory=dict)
    attempts: list[str] = attrs.field(factory=list)
    """Ids of effects, each time a handler was called."""
    handled: set[str] = attrs.field(factory=set)
    read: list[Decision] = attrs.field(factory=list)
    """The journal as whoever follows it has got it."""
    counted: Counter[str] = attrs.field(factory=Counter)

    def __attrs_post_init__(self) -> None:
        self.random = Random(self.seed)
        self.database = Database(self.random, Baton(self.random))

    def tell(self) -> Engine:
        """Let it all happen; an engine to look at what is there."""
        with self.engine(lambda: self.now) as engine:
            for lamp in ("l0", "l1"):
                self.say(engine, Made("lamp", lamp, {}, self.now, lamp))
            for number in range(4):
                self.say(engine, self.new_instance("car", f"c{number}"))
            self.say(engine, self.new_instance("driver", "d0"))
        choose = self.random.choice
        self.database.rates = Rates(choose(KILLS), choose(CRASHES), choose(BREAKS), choose(BREAKS))
        workers = [Worker(self, number) for number in range(choose((1, 2, 3, 4)))]
        self.database.baton.run([worker.live for worker in workers])
        self.database.rates = Rates()
        return self.settle()

    def settle(self) -> Engine:
        """Say everything again, fire everything, deliver everything."""
        self.database.restart()
        engine = self.engine(lambda: self.now, None)
        for item in self.mail:
            self.say(engine, item)
        with engine.backend.reading() as reading:
            self.now = self.end = max(self.now, reading.latest()) + HOUR // 2
        assert not engine.run_timers().stuck
        for effect in engine.effects("dead"):
            engine.revive(effect)
        while (soonest := self.next_effect(engine)) is not None:  # far ahead where a clock was
            self.now = max(self.now, soonest)
            engine.deliver({"*": self.handle}, retries=RETRIES)
        return engine

    def next_effect(self, engine: Engine) -> int | None:
        """When the next effect may leave."""
        with engine.backend.reading() as reading:
            return reading.next_effect()

    def engine(self, clock: object, leap: int | None = LEAP) -> Engine:
        """An engine of a new process."""
        return Engine(SimulatedBackend(self.database), traffic(), clock=clock, leap=leap)  # type: ignore[arg-type]  # a clock

    def say(self, engine: Engine, item: Input) -> None:
        """Say an input. Whoever was answered before must be answered the same."""
        if item not in self.mail:
            self.mail.append(item)
        try:
            if isinstance(item, Made):
                receipt = engine.make(item.machine, item.instance, item.refs, at=item.at, id=item.id)
            else:
                receipt = engine.send_many([item])[0]
        except (Conflict, Unsettled):
            self.counted["left open"] += 1
        except MisuseError:  # whom it is for was never made
            assert item.key not in self.answers
            self.counted["refused"] += 1
        else:
            self.answered(item, receipt)

    def answered(self, item: Input, receipt: Receipt) -> None:
        """Note an answer."""
        first = self.answers.setdefault(item.key, receipt)
        assert first == receipt, f"{item.key} was answered differently"
        assert receipt.repeated or first is receipt, f"{item.key} was taken twice"

    def new_instance(self, machine: str, id_: str) -> Made:
        """Somebody to be made."""
        cars = [item.instance for item in self.mail if isinstance(item, Made) and item.machine == "car"]
        refs: dict[str, str | None] = {"car": self.random.choice(cars)} if machine == "driver" else {}
        if machine == "car":
            towed = self.random.choice(cars) if cars and self.random.random() < 0.4 else None
            refs = {"lamp": self.random.choice(["l0", "l1"]), "towed": towed}
        return Made(machine, id_, refs, self.now, id_)

    def follow(self, engine: Engine) -> bool:
        """Read on in the journal, unless somebody else did meanwhile; whether there was more."""
        last = self.read[-1:]
        found = engine.decisions(after=last[0].seq if last else -1, limit=30)
        if self.read[-1:] == last:
            self.read += found
        return bool(found)

    def handle(self, effect: OutgoingEffect) -> None:
        """Do what an effect says."""
        self.attempts.append(effect.id)
        self.handled.add(effect.id)


class Worker:
    """One process after another, all with the same bad clock."""

    def __init__(self, run: Run, number: int) -> None:
        self.run, self.number, self.random = run, number, run.random
        self.left, self.said, self.skew = run.operations, 0, 0

    def clock(self) -> int:
        """What time this worker believes it is."""
        return max(0, self.run.now + self.skew)

    def live(self) -> None:
        """Do one thing after another; when killed, begin anew."""
        while self.left > 0:
            try:
                with self.run.engine(self.clock) as engine:
                    while self.left > 0:
                        self.left -= 1
                        self.act(engine)
                        if self.random.random() < 0.03:
                            break
            except Killed:
                self.run.counted["killed"] += 1
            except (Conflict, Unsettled):
                self.run.counted["gave up"] += 1

    def act(self, engine: Engine) -> None:
        """One thing."""
        random, run = self.random, self.run
        run.now += random.choice([0, 0, 1, SECOND, MINUTE, 3 * MINUTE, 7 * MINUTE])
        deeds = [
            (30, lambda: run.say(engine, self.thought())),
            (12, lambda: run.say(engine, random.choice(run.mail[-12:]))),
            (8, lambda: self.say_many(engine)),
            (6, lambda: run.mail.append(self.thought())),
            (6, lambda: run.say(engine, self.newcomer())),
            (12, engine.run_timers),
            (12, partial(engine.deliver, {"*": self.handle}, retries=RETRIES, limit=random.randrange(1, 6))),
            (4, self.turn_the_clock),
            (3, engine.due),
            (8, lambda: run.follow(engine)),
            (3, lambda: engine.explain("c0", "drive")),
        ]
        weights, things = zip(*deeds, strict=True)
        try:
            random.choices(things, weights)[0]()
        except MisuseError:  # a clock that is years ahead, and nobody said so by `at`
            assert self.skew > LEAP, "nothing else can be refused"
            run.counted["refused"] += 1

    def thought(self) -> Said:
        """An event nobody has said yet."""
        made = [item for item in self.run.mail if isinstance(item, Made)]
        target = self.random.choice(made)
        self.said += 1
        late = self.random.choice([0, 0, 0, 1, MINUTE, 20 * MINUTE])
        return Said(
            target.instance,
            self.random.choice(EVENTS[target.machine]),
            at=min(self.clock(), self.run.now + 2 * HOUR) - late,
            id=f"{self.number}-{self.said}",
        )

    def newcomer(self) -> Made:
        """An instance nobody has made yet."""
        self.said += 1
        return self.run.new_instance(self.random.choice(["car", "car", "driver"]), f"n{self.number}-{self.said}")

    def say_many(self, engine: Engine) -> None:
        """Several events in one transaction, some of them known already."""
        run = self.run
        known = [item for item in run.mail[-8:] if isinstance(item, Said)]
        events = [self.thought() for _ in range(self.random.randrange(1, 5))] + known[:1]
        run.mail += (event for event in events if event not in run.mail)
        try:
            receipts = engine.send_many(events)
        except (Conflict, Unsettled):
            run.counted["left open"] += 1
        except MisuseError:
            run.counted["refused"] += 1
        else:
            for event, receipt in zip(events, receipts, strict=True):
                run.answered(event, receipt)

    def turn_the_clock(self) -> None:
        """The clock goes wrong, or is put right."""
        self.skew = self.random.choice([0, 0, -HOUR, -MINUTE, MINUTE, 20 * MINUTE, HOUR, -400 * DAY, 400 * DAY])

    def handle(self, effect: OutgoingEffect) -> None:
        """Do what an effect says; it may fail, or the process may die over it."""
        self.run.attempts.append(effect.id)
        self.run.database.baton.pass_on()
        if self.run.database.happens("kill"):
            raise Killed
        if self.random.random() < 0.2:
            raise OSError("the receiver is not there")
        self.run.handled.add(effect.id)
