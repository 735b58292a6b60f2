"""An asyncio worker: it fires deadlines and carries out effects until it is told to stop. Any number of them may run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import outlast

PLAN = outlast.load(Path(__file__).with_name("order.yaml"))
Mail = Callable[[str, str], Awaitable[None]]


async def work(store: str, mail: Mail, clock: Callable[[], int]) -> None:
    """Work until cancelled. `mail` is given a key that stays the same however often it is tried, and the text."""

    async def receipt(effect: outlast.OutgoingEffect) -> None:
        await mail(effect.id, f"{effect.instance}: thank you for {effect.payload['cents']} cents")

    async def reminder(effect: outlast.OutgoingEffect) -> None:
        await mail(effect.id, f"{effect.instance}: you did not pay in time")

    async with await outlast.AsyncEngine.open(store, PLAN, clock=clock) as engine:
        await engine.work({"receipt": receipt, "reminder": reminder}, poll=1.0)


async def until(store: str, clock: Callable[[], int], count: int) -> list[str]:
    """Work until so many letters are written; which."""
    letters: list[str] = []
    enough = asyncio.Event()

    async def mail(key: str, text: str) -> None:  # noqa: ARG001  # a real one would give the key to its service
        letters.append(text)
        if len(letters) == count:
            enough.set()

    working = asyncio.create_task(work(store, mail, clock))
    await enough.wait()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    return letters
