"""Threads of which one runs at a time, in an order that a seed decides: what happens is the same whenever it is run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from random import Random

from outlast.errors import Conflict


class _Runner:
    def __init__(self, work: Callable[[], None]) -> None:
        self.work = work
        self.turn = threading.Lock()
        self.turn.acquire()
        self.ready: Callable[[], bool] | None = None
        self.victim = False
        self.error: BaseException | None = None

    @property
    def can_run(self) -> bool:
        return self.ready is None or self.ready()


class Baton:
    """Whoever holds it runs. It changes hands only where a runner says so."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self._waiting: list[_Runner] = []
        self._here = threading.local()
        self._over = threading.Event()

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """Run these side by side to their ends. Raises what the first of them raised."""
        runners = [_Runner(work) for work in works]
        self._waiting = list(runners)
        threads = [threading.Thread(target=self._thread, args=(runner,), daemon=True) for runner in runners]
        for thread in threads:
            thread.start()
        self._over.clear()
        self._choose().turn.release()
        self._over.wait()
        for thread in threads:
            thread.join()
        for runner in runners:
            if runner.error is not None:
                raise runner.error

    def _thread(self, runner: _Runner) -> None:
        self._here.runner = runner
        runner.turn.acquire()
        try:
            runner.work()
        except BaseException as error:  # noqa: BLE001  # handed to whoever called `run`
            runner.error = error
        self._waiting.remove(runner)
        if self._waiting:
            self._choose().turn.release()
        else:
            self._over.set()

    def pass_on(self) -> None:
        """Let somebody else run, perhaps. Who does not run under a baton goes on."""
        mine: _Runner | None = getattr(self._here, "runner", None)
        if mine is None:
            return
        chosen = self._choose()
        if chosen is not mine:
            chosen.turn.release()
            mine.turn.acquire()

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Let others run until `ready`. Raises Conflict if everybody waits and it falls to this one to give way."""
        mine: _Runner | None = getattr(self._here, "runner", None)
        if ready():
            return
        assert mine is not None, "nobody is there to wait for"
        mine.ready = ready
        self.pass_on()
        mine.ready = None
        if mine.victim:
            mine.victim = False
            raise Conflict("deadlock")

    def _choose(self) -> _Runner:
        able = [runner for runner in self._waiting if runner.can_run]
        if able:
            return self.random.choice(able)
        victim = self.random.choice(self._waiting)
        victim.victim = True
        return victim
