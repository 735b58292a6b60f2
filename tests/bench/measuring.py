"""CPU time, in rounds: everybody has a turn in every round, so that whatever slows the machine down slows all of them down."""

from __future__ import annotations

import gc
import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

import attrs


@attrs.frozen
class Spread:
    """What was measured over the rounds: the median, and the quartiles around it."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """The median and the quartiles of one measurement or more."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, low, high)


@attrs.frozen
class Run:
    """How thoroughly to measure."""

    rounds: int
    turn: float
    """CPU seconds of one turn, as near as can be."""
    smoke: bool = False

    def seconds(self, turns: Mapping[str, Callable[[int], object]]) -> dict[str, list[float]]:
        """Name -> seconds per unit of work, by round. A turn is called with how many units to do."""
        gc.collect()
        gc.freeze()  # what is here already need not be looked at again and again
        try:
            sizes = {name: self._size(turn) for name, turn in turns.items()}
            found: dict[str, list[float]] = {name: [] for name in turns}
            names = list(turns)
            for number in range(self.rounds):
                shift = number % len(names)
                for name in (*names[shift:], *names[:shift]):
                    found[name].append(cpu(turns[name], sizes[name]) / sizes[name])
        finally:
            gc.unfreeze()
        return found

    def _size(self, turn: Callable[[int], object]) -> int:
        """How many units fill a turn."""
        size = 1
        while (taken := cpu(turn, size)) < self.turn / 4 and size < 1 << 24:
            size *= 2 if taken > self.turn / 16 else 4
        return max(1, round(size * self.turn / max(taken, 1e-9)))


def cpu(turn: Callable[[int], object], size: int) -> float:
    """CPU seconds of one turn, with the garbage of others swept up before and none of its own during it."""
    gc.collect()
    gc.disable()
    try:
        begin = time.process_time()
        turn(size)
        return time.process_time() - begin
    finally:
        gc.enable()


def cpu_of(command: Sequence[str]) -> float:
    """CPU seconds, user and system, of a program, which may keep what Python compiles. Raises CalledProcessError."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = _children()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return _children() - before


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
