"""Deadlines: each once, at its own instant, in order, whoever is late, frozen or wrong about the time."""

from __future__ import annotations

import itertools
import threading

import pytest

from outlast.errors import ClockSkewError, Conflict, LimitExceeded
from outlast.moments import MINUTE, SECOND
from outlast.plan import Plan
from outlast.run import Terms
from outlast.store.engine import Engine
from outlast.store.records import Said
from tests.run.worlds import plan_of
from tests.store.people import DAY, HOUR, START, Clock, opened, settled
from tests.store.traffic import traffic

PULSE = """
machine: pulse
fields: {beats: {type: int, default: 0}}
events: {stop: {}}
states: {one: {}, other: {}, still: {}}
transitions:
  - {id: tick, from: one, after: 1h, to: other, do: [{set: {beats: beats + 1}}]}
  - {id: tock, from: other, after: 1h, to: one, do: [{set: {beats: beats + 1}}]}
  - {id: stop, from: [one, other], event: stop, to: still}
"""
FUSE = """
machine: fuse
fields: {long: {type: duration, default: 1h}}
events: {stop: {}}
effects: {bang: {}}
states: {lit: {}, out: {}, burnt: {final: true}}
transitions:
  - {id: burn, from: lit, after: long, to: burnt, do: [{emit: bang}]}
  - {id: stop, from: lit, event: stop, to: out}
"""
ENDLESS = """
machine: endless
events: {stop: {}}
states: {calm: {}, mad: {}, still: {}}
transitions:
  - {id: go, from: calm, after: 1h, to: mad}
  - {id: round, from: mad, after: 0s, to: mad}
  - {id: stop, from: [calm, mad], event: stop, to: still}
"""


def test_a_late_worker_tells_it_in_order(url: str) -> None:
    """A worker that was down for a day replays the day: each beat at its own hour, however many at once."""
    clock = Clock(START)
    with opened(url, plan_of(PULSE), clock) as engine:
        engine.create("pulse", "p")
        clock.now += 24 * HOUR
        fired = engine.run_timers()

        assert fired.turns == 24
        assert [decision.at for decision in engine.history("p")[1:]] == [START + hour * HOUR for hour in range(1, 25)]
        assert engine.run_timers().turns == 0


def test_an_event_waits_for_what_was_due(url: str) -> None:
    """Nobody fired the timers: whoever speaks next does, first, and in more than one transaction where they are many."""
    clock = Clock(START)
    with opened(url, plan_of(PULSE), clock) as engine:
        engine.create("pulse", "p")
        receipt = engine.send("p", "stop", at=START + 1_200 * HOUR + 1)

        assert receipt.version == 1_202
        assert engine.get("p").fields == {"beats": 1_200}
        assert engine.verify().ok


def test_everything_overdue_after_ninety_days(url: str, sagemaker: Plan) -> None:
    """Who returns after ninety days finds a history as if nobody had been away."""
    clock = Clock(START)
    with settled(url, sagemaker, clock) as engine:
        for number in range(28):
            engine.create("interactive-session", f"u{number}", center="acme")
            engine.create(
                "job", f"j{number}", domain="ds", session=f"u{number}", kind="training", max_runtime=f"{number + 1}d"
            )
        engine.send_many([Said(f"j{number}", "start") for number in range(28)])
    clock.now += 90 * DAY
    with opened(url, sagemaker, clock) as engine:
        engine.run_timers()

        for number in range(28):
            last = engine.history(f"j{number}")[-1]
            own_limit = number + 1 <= 7
            assert last.transitions == (("max-runtime",) if own_limit else ("grace-over",))
            assert last.at == START + ((number + 1) * DAY if own_limit else 7 * DAY + 15 * MINUTE)
        assert engine.verify().ok


def test_a_clock_set_back_one_day(url: str, sagemaker: Plan) -> None:
    """Time stands still for those who were further: nothing happens twice, and the stamp is kept."""
    clock = Clock(START + DAY)
    with settled(url, sagemaker, clock) as engine:
        engine.send("ana", "sign-out")
        clock.now -= DAY
        receipt = engine.send("ana", "sign-in")

        assert (receipt.at, receipt.decision.stamp) == (START + DAY, START)
        assert engine.get("ana").deadlines[0].due == START + DAY + 8 * HOUR
        assert engine.run_timers().turns == 0
        assert engine.verify().ok


def test_a_clock_set_forward_one_year(url: str, sagemaker: Plan) -> None:
    """A leap that no outage explains is refused before it fires a year's deadlines; who means it says so."""
    clock = Clock(START)
    with settled(url, sagemaker, clock) as engine:
        clock.now += 365 * DAY
        with pytest.raises(
            ClockSkewError, match="2025-10-04T00:00:00Z is 365d after everything the store knows: a clock may be wrong"
        ):
            engine.run_timers()
        with pytest.raises(ClockSkewError, match="a clock may be wrong"):
            engine.send("ana", "sign-out")
        assert engine.get("ana").state == "signed-in"
        clock.now = START + HOUR
        assert engine.send("ana", "sign-out").at == START + HOUR
    with opened(url, sagemaker, Clock(START + 365 * DAY), leap=None) as engine:
        assert engine.send("ana", "sign-in").accepted


def test_reordered_and_late_events(url: str, sagemaker: Plan) -> None:
    """An event from before takes effect now, in its own group; other groups are not held up by it, nor hold it up."""
    clock = Clock(START)
    with settled(url, sagemaker, clock) as engine:
        engine.create("interactive-session", "ben", center="acme")
        engine.send("ana", "sign-out", at=START + 3 * HOUR)
        late = engine.send("ana", "sign-in", at=START + 2 * HOUR)
        other = engine.send("ben", "sign-out", at=START + 1 * HOUR)

        assert (late.at, late.decision.stamp) == (START + 3 * HOUR, START + 2 * HOUR)
        assert other.at == START + HOUR
        settings = engine.send("acme", "set-interactive-duration", {"duration": "4h"}, at=START + HOUR)
        assert settings.at == START + 3 * HOUR  # the commons are never behind anybody who has read them
        assert engine.send("ben", "sign-in", at=START + 2 * HOUR).at == START + 3 * HOUR
        assert engine.verify().ok


def test_a_timer_due_at_the_instant_of_an_event_is_first(url: str) -> None:
    """As in memory."""
    with opened(url, plan_of(FUSE)) as engine:
        engine.create("fuse", "a")
        refused = engine.send("a", "stop", at=START + HOUR)

        assert not refused.accepted
        assert engine.get("a").state == "burnt"


def test_deadlines_of_the_commons_come_in_their_turn(url: str) -> None:
    """What everybody observes is not overtaken by deadlines of those who observe it, however late the worker."""
    clock = Clock(START)
    with opened(url, traffic(), clock) as engine:
        engine.create("lamp", "lamp")
        engine.create("car", "car", lamp="lamp")
        engine.send("car", "drive")
        clock.now += 15 * MINUTE + HOUR
        engine.run_timers()

        assert [*engine.history("car")[2].transitions, engine.history("car")[2].at - START] == ["green", 10 * MINUTE]
        assert engine.verify().ok


def test_a_deadline_of_the_commons_waits_for_every_claim(postgres: str) -> None:
    """While somebody holds what is due before it, nobody who shares the store fires it: who comes to it asks to be alone, and waits."""
    clock = Clock(START)
    with opened(postgres, traffic(), clock) as engine, opened(postgres, traffic(), clock) as other:
        engine.create("lamp", "lamp")
        engine.send("lamp", "hold")  # until 0:25
        for car, minutes in (("early", 1), ("late", 10)):
            engine.create("car", car, lamp="lamp")
            engine.send(car, "drive", at=START + minutes * MINUTE)  # tired 20 minutes later
        clock.now += 31 * MINUTE
        worker = threading.Thread(target=other.run_timers)
        with engine.backend.transaction() as transaction:
            transaction.lock((), alone=False)
            assert [group.id for group in transaction.claim(START + 24 * MINUTE, 10)] == ["early"]
            worker.start()
            waits: set[str] = set()
            while not waits and worker.is_alive():
                with engine.backend.reading() as reading:
                    rows = reading.run("SELECT locktype FROM pg_locks WHERE NOT granted")  # type: ignore[attr-defined]  # an SQL one
                waits = {kind for (kind,) in rows}
        worker.join()

        assert waits == {"advisory"}
        assert [(item.at - START) // MINUTE for item in engine.decisions() if item.timer] == [21, 25, 30]
        assert engine.verify().ok


def test_timers_that_never_rest_are_left(url: str) -> None:
    """A poisoned group is reported and left; all others go on. The next event to it is told why it cannot be taken."""
    clock = Clock(START)
    with opened(url, plan_of(ENDLESS, FUSE), clock, terms=Terms(cascade=50)) as engine:
        engine.create("endless", "mad")
        engine.create("fuse", "sane")
        clock.now += 2 * HOUR
        fired = engine.run_timers()

        assert {*fired.stuck} == {*engine.stuck()} == {"mad"}
        assert "time stands still" in engine.stuck()["mad"]
        assert engine.get("sane").state == "burnt"
        assert engine.run_timers().turns == 0
        assert engine.next_due() is None
        with pytest.raises(LimitExceeded, match="time stands still"):
            engine.send("mad", "stop")
        assert engine.verify().ok


def test_a_group_that_was_left_is_written_to(url: str) -> None:
    """Under a wider limit the next event finds its way, and from then on its timers are fired like all others."""
    text = """
    machine: winding
    fields: {turns: {type: int, default: 0, max: 99}}
    events: {stop: {}}
    states: {calm: {}, busy: {}, still: {}, late: {}}
    transitions:
      - {id: go, from: calm, after: 1h, to: busy}
      - {id: turn, from: busy, after: 0s, when: turns < 60, to: busy, do: [{set: {turns: turns + 1}}]}
      - {id: stop, from: busy, event: stop, to: still}
      - {id: end, from: still, after: 1h, to: late}
    """
    clock = Clock(START)
    with opened(url, plan_of(text), clock, terms=Terms(cascade=50)) as engine:
        engine.create("winding", "w")
        clock.now += 2 * HOUR
        engine.run_timers()
        assert {*engine.stuck()} == {"w"}
    with opened(url, plan_of(text), clock, terms=Terms(cascade=100)) as engine:
        assert engine.run_timers().turns == 0
        assert engine.send("w", "stop").accepted
        assert engine.stuck() == {}
        clock.now += HOUR
        assert engine.run_timers().turns == 1


def test_two_workers_share_the_work(url: str) -> None:
    """Each deadline once, whichever of several workers comes first."""
    clock = Clock(START)
    with opened(url, plan_of(FUSE), clock) as engine:
        for part in range(4):
            engine.begin({f"f{part}-{number}": ("fuse", {}, None) for number in range(50)})
        clock.now += 2 * HOUR
        with opened(url, plan_of(FUSE), clock) as other:
            turns: list[int] = []
            workers = [
                threading.Thread(target=lambda each=each: turns.append(each.run_timers().turns))
                for each in (engine, other)
            ]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()

        assert sum(turns) == 200
        assert len(engine.effects()) == 200
        assert engine.verify().ok


def test_a_frozen_worker_is_overtaken(postgres: str) -> None:
    """A worker frozen while it holds claims is thrown out by the server; what it would have committed late is refused."""
    clock = Clock(START)
    frozen = Engine.open(f"{postgres}&patience=0.3", plan_of(FUSE), clock=clock)
    with frozen, opened(postgres, plan_of(FUSE), clock) as engine:
        engine.create("fuse", "a")
        engine.create("fuse", "b")
        clock.now += 2 * HOUR
        with pytest.raises(Conflict), frozen.backend.transaction() as transaction:  # noqa: PT012  # leaving it is what is tested
            transaction.lock((), alone=False)
            assert {group.id for group in transaction.claim(clock.now, 10)} == {"a", "b"}
            assert engine.run_timers().turns == 0  # passed over
            assert not engine.send("a", "stop").accepted  # waits, until the server has had enough
        assert engine.run_timers().turns == 1
        assert engine.verify().ok


def test_a_million_pending_timers() -> None:
    """Firing one among a million looks at one: the database finds it by index."""
    plan = plan_of(FUSE)
    clock = Clock(START)
    with opened("sqlite://", plan, clock) as engine:
        engine.create("fuse", "fuse", long="1s")
        with engine.backend.transaction() as transaction:  # the rows of a million others
            run = transaction.run  # type: ignore[attr-defined]  # an SQL one
            numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
            run(f"{numbers} INSERT INTO grp SELECT printf('x%07d', i), 0, {START + DAY} + i, NULL FROM n")
            run(
                f"{numbers} INSERT INTO instance SELECT printf('x%07d', i), 'fuse', printf('x%07d', i), i, 1, '', {START + DAY} + i, '{{}}'"
                " FROM n"
            )
            plans = [
                run(
                    "EXPLAIN QUERY PLAN SELECT id, now, due FROM grp WHERE due <= ? AND stuck IS NULL AND id <> '' ORDER BY due LIMIT 1",
                    START,
                ),
                run("EXPLAIN QUERY PLAN SELECT min(due) FROM grp WHERE due IS NOT NULL AND stuck IS NULL"),
                run(
                    "EXPLAIN QUERY PLAN SELECT due, id FROM instance WHERE grp = 'a' AND due <= ? ORDER BY due, made LIMIT 9",
                    START,
                ),
            ]
        clock.now += SECOND

        assert [rows[0][3].split(" USING ")[0].split()[0] for rows in plans] == ["SEARCH"] * 3
        assert engine.run_timers().turns == 1
        assert engine.get("fuse").done
        assert engine.next_due() == START + DAY + 1


def test_a_restart_with_quiet_input(url: str) -> None:
    """A worker that starts and hears nothing fires what is overdue, then sleeps until the next deadline."""
    clock = Clock(START)
    with opened(url, plan_of(FUSE), clock) as engine:
        engine.create("fuse", "a")
        engine.create("fuse", "b", long="1d")
    clock.now += 2 * HOUR
    with opened(url, plan_of(FUSE), clock) as engine:
        stop, waits = threading.Event(), list[float]()

        def wait(seconds: float) -> None:
            waits.append(seconds)
            stop.set()

        engine.backend.wait = wait  # type: ignore[method-assign]  # what the worker waits for
        seen: list[str] = []
        engine.work({"*": lambda effect: seen.append(effect.instance)}, stop, poll=1_000_000.0)

        engine.backend._woken.clear()  # type: ignore[attr-defined]  # both have it
        engine.run_timers()
        engine.deliver({"*": lambda _: None})

        assert seen == ["a"]
        assert waits == [22 * 3600]
        assert not engine.backend._woken.is_set()  # type: ignore[attr-defined]  # looking in vain wakes nobody
        assert engine.history("a")[-1].at == START + HOUR


def test_workers_are_woken_for_what_comes_first(postgres: str) -> None:
    """A new deadline is told on the channel if nothing is due before it, an effect always, anything else never."""
    import psycopg  # noqa: PLC0415  # an extra

    clock, address = Clock(START), postgres.partition("&schema=")[0]
    with (
        opened(postgres, plan_of(FUSE), clock) as engine,
        psycopg.connect(address, autocommit=True) as listener,
        psycopg.connect(address, autocommit=True) as speaker,
    ):
        listener.execute("LISTEN outlast")

        def woken() -> int:
            """How often, since it was asked last: what is committed is told in that order."""
            speaker.execute("NOTIFY outlast, 'asked'")
            heard = itertools.takewhile(lambda told: told.payload != "asked", listener.notifies(timeout=30))
            return sum(1 for _ in heard)

        counts = []
        for name, long in (("first", "2h"), ("later", "3h"), ("sooner", "1h"), ("same", "1h")):
            engine.create("fuse", name, long=long)
            counts.append(woken())
        engine.send("same", "stop")
        counts.append(woken())
        clock.now += HOUR
        engine.run_timers()
        counts.append(woken())

        assert counts == [1, 0, 1, 0, 0, 1]


def test_delayed_events_are_counted_over_a_restart(url: str) -> None:
    """An instance that nothing is on its way from still knows how many were: the next has a number of its own."""
    clock = Clock(START)
    for number in (0, 1):
        with opened(url, traffic(), clock) as engine:
            if number == 0:
                engine.create("lamp", "l")
                engine.create("car", "c", lamp="l")
                engine.create("driver", "d", car="c")
            engine.send("d", "go")
            clock.now += 3 * MINUTE
            engine.run_timers()

            assert engine.history("d")[-1].said["number"] == number
            assert engine.verify().ok
