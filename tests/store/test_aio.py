"""The engine for asyncio: the same answers, awaited."""

from __future__ import annotations

import asyncio

import pytest

from outlast.errors import UnknownName
from outlast.plan import Plan
from outlast.store.aio import AsyncEngine
from outlast.store.outbox import Delivered
from outlast.store.records import OutgoingEffect
from tests.store.people import DAY, START, Clock, settled


def test_a_life_awaited(url: str, sagemaker: Plan) -> None:
    """Events, questions, timers and effects, with handlers on the loop."""
    settled(url, sagemaker).close()
    clock, seen = Clock(START), list[str]()

    async def handler(effect: OutgoingEffect) -> None:
        await asyncio.sleep(0)
        seen.append(effect.name)

    async def life() -> None:
        async with await AsyncEngine.open(url, sagemaker, clock=clock) as engine:
            await engine.create("job", "train", domain="ds", session="ana", kind="training", max_runtime="1d")
            receipts = await asyncio.gather(*(engine.send("train", "start", id="1") for _ in range(6)))
            assert sum(not receipt.repeated for receipt in receipts) == 1
            assert len({receipt.turn for receipt in receipts}) == 1
            assert (await engine.get("train")).state == "running-background"
            clock.now += 2 * DAY
            assert (await engine.run_timers()).turns == 2
            assert await engine.deliver({"*": handler}) == Delivered(done=2)
            with pytest.raises(UnknownName):
                await engine.send("nobody", "start")
            assert (await engine.verify()).ok

    asyncio.run(life())

    assert seen == ["credentials", "max-runtime-exceeded"]


def test_a_worker_that_is_cancelled(url: str, sagemaker: Plan) -> None:
    """It ends at once, also while it waits for a deadline that is far away."""
    settled(url, sagemaker).close()

    async def life() -> str:
        async with await AsyncEngine.open(url, sagemaker, clock=Clock(START)) as engine:
            await engine.create("job", "train", domain="ds", session="ana", kind="training")
            await engine.send("train", "start")
            told = asyncio.Event()

            async def handler(_: OutgoingEffect) -> None:
                told.set()

            worker = asyncio.create_task(engine.work({"*": handler}, poll=3600))
            await told.wait()
            worker.cancel()
            with pytest.raises(asyncio.CancelledError):
                await worker
            return (await engine.effects())[0].name

    assert asyncio.run(asyncio.wait_for(life(), 60)) == "credentials"
