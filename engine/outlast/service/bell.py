"""A bell: rung from any thread when something was committed; those who wait on the event loop hear it."""

from __future__ import annotations

import asyncio
import contextlib


class Bell:
    """Take `mark()` first, then look, then wait `after` the mark: nothing in between is missed."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next = asyncio.Event()

    def attach(self) -> None:
        """From now on it is heard on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Let everybody who waits go on."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
                self._loop.call_soon_threadsafe(self._strike)

    def _strike(self) -> None:
        self._next.set()
        self._next = asyncio.Event()

    def mark(self) -> asyncio.Event:
        """What to wait for: the next ring from now on."""
        return self._next

    async def after(self, mark: asyncio.Event, seconds: float) -> bool:
        """Wait for the ring after a mark, at most so long; whether it came."""
        try:  # with `wait_for` of Python 3.11, whoever is cancelled just as the bell rings would not end
            async with asyncio.timeout(seconds):
                await mark.wait()
        except TimeoutError:
            return False
        return True
