"""Effects leave at least once, with an id that stays, in order for each instance; the poisoned ones end on a list."""

from __future__ import annotations

import pytest

from outlast.errors import ClockSkewError
from outlast.moments import DAY, MINUTE, SECOND
from outlast.plan import Plan
from outlast.store.engine import Engine
from outlast.store.outbox import Delivered, Retries
from outlast.store.records import OutgoingEffect
from tests.store.people import START, Clock, opened, settled


def nobody(effect: OutgoingEffect) -> None:
    """A handler that is not to be asked."""
    pytest.fail(f"{effect.id} was handled")


def fails(effect: OutgoingEffect) -> None:
    """A handler that can do nothing."""
    raise OSError(effect.id)


def two_jobs(engine: Engine) -> None:
    """Two jobs with two effects each."""
    for name in ("one", "two"):
        engine.create("job", name, domain="ds", session="ana", kind="training")
        engine.send(name, "start")
        engine.send(name, "fail")


def test_each_in_order(url: str, sagemaker: Plan) -> None:
    """Every effect reaches its handler, those of one instance in order, and is done."""
    seen: list[tuple[str, str]] = []
    with settled(url, sagemaker) as engine:
        two_jobs(engine)
        told = [effect.id for effect in engine.effects("pending")]
        delivered = engine.deliver(
            {
                "*": lambda effect: seen.append((effect.instance, effect.name)),
                "banner": nobody,
            }
        )

        assert delivered == Delivered(done=4)
        assert [name for who, name in seen if who == "one"] == ["credentials", "job-failed"]
        assert [name for who, name in seen if who == "two"] == ["credentials", "job-failed"]
        assert [effect.id for effect in engine.effects("done")] == told
        assert engine.deliver({"*": nobody}) == Delivered()


def test_a_handler_that_fails_is_tried_again(url: str, sagemaker: Plan) -> None:
    """Later, twice as long each time, under the same id; what stands behind it waits, and nobody else does."""
    clock, seen = Clock(), list[tuple[int, str, str]]()

    def shaky(effect: OutgoingEffect) -> None:
        seen.append(((clock.now - START) // SECOND, effect.instance, effect.name))
        if effect.instance == "one" and effect.name == "credentials" and effect.attempts < 4:
            raise ConnectionError("nobody there")

    with settled(url, sagemaker, clock) as engine:
        two_jobs(engine)
        for _ in range(20):
            engine.deliver({"*": shaky})
            clock.now += SECOND

        assert [item for item in seen if item[1] == "two"] == [(0, "two", "credentials"), (0, "two", "job-failed")]
        assert [item for item in seen if item[1] == "one"] == [
            (0, "one", "credentials"),
            (1, "one", "credentials"),
            (3, "one", "credentials"),
            (7, "one", "credentials"),
            (7, "one", "job-failed"),
        ]


def test_a_poisoned_effect_dies(url: str, sagemaker: Plan) -> None:
    """After its attempts it is on the list of the dead with the reason; those behind it go on; it can be revived."""
    clock, seen = Clock(), list[str]()

    def poison(effect: OutgoingEffect) -> None:
        if effect.name == "credentials" and effect.instance == "one":
            raise ValueError("no such role")
        seen.append(f"{effect.instance} {effect.name}")

    with settled(url, sagemaker, clock) as engine:
        two_jobs(engine)
        for _ in range(3):
            engine.deliver({"*": poison}, retries=Retries(attempts=3))
            clock.now += MINUTE
        (dead,) = engine.effects("dead")

        assert (dead.instance, dead.name, dead.attempts, dead.error) == (
            "one",
            "credentials",
            3,
            "ValueError: no such role",
        )
        assert seen == ["two credentials", "two job-failed", "one job-failed"]
        assert engine.revive(dead)
        assert not engine.revive(dead)
        assert engine.deliver({"*": lambda _: None}) == Delivered(done=1)
        assert engine.verify().ok


def test_a_clock_far_ahead_takes_nothing(url: str, sagemaker: Plan) -> None:
    """A clock further ahead than `leap` makes no attempt and puts nothing off: whoever has the right time finds all as it was."""
    clock, right, seen = Clock(START), Clock(START), list[str]()

    def jump(effect: OutgoingEffect) -> None:
        clock.now += 365 * DAY
        raise OSError(effect.id)

    with settled(url, sagemaker, clock) as engine, opened(url, sagemaker, right) as other:
        two_jobs(engine)
        other.deliver({"*": fails})
        waiting = engine.effects("pending")
        clock.now += 365 * DAY
        with pytest.raises(ClockSkewError, match="a clock may be wrong"):
            engine.deliver({"*": nobody})
        assert engine.effects("pending") == waiting
        clock.now = right.now = START + MINUTE
        with pytest.raises(ClockSkewError, match="a clock may be wrong"):
            engine.deliver({"*": jump})

        right.now += 5 * MINUTE  # the lease
        assert other.deliver({"*": lambda effect: seen.append(f"{effect.instance} {effect.name}")}) == Delivered(done=4)
        assert sorted(seen) == ["one credentials", "one job-failed", "two credentials", "two job-failed"]


def test_a_worker_that_dies_while_delivering(url: str, sagemaker: Plan) -> None:
    """Its effects are taken by another when its time is up, and if it was only frozen, what it says late counts for nothing."""
    clock, attempts = Clock(), list[tuple[str, int]]()
    with settled(url, sagemaker, clock) as engine, opened(url, sagemaker, clock) as other:
        engine.create("job", "one", domain="ds", session="ana", kind="training")
        engine.send("one", "start")

        def slow(effect: OutgoingEffect) -> None:
            attempts.append(("slow", effect.attempts))
            assert other.deliver({"*": nobody}) == Delivered()  # nobody else has it meanwhile
            clock.now += 10 * MINUTE
            other.deliver({"*": lambda again: attempts.append((again.id, again.attempts))})
            raise TimeoutError

        engine.deliver({"*": slow})

        (done,) = engine.effects("done")
        assert attempts == [("slow", 1), (done.id, 2)]
        assert engine.effects("pending") == []


def test_whoever_waits_behind_another_wakes_nobody(url: str, sagemaker: Plan) -> None:
    """A worker sleeps until the first effect of an instance may be tried again, though others of it are ready."""
    clock = Clock(START)
    with settled(url, sagemaker, clock) as engine:
        engine.create("job", "one", domain="ds", session="ana", kind="training")
        engine.send("one", "start")
        engine.send("one", "fail")
        engine.deliver({"*": fails})
        with engine.backend.reading() as reading:
            assert reading.next_effect() == START + SECOND
