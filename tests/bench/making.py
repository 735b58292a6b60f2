"""Instances: how long one takes to make, and what it weighs."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tests.bench.contender import contenders
from tests.bench.measuring import Run, spread
from tests.bench.report import Column, Table


def tables(run: Run) -> Iterator[Table]:
    """One row for every kind of instance; some are run in two ways."""
    found, _ = contenders()
    everybody = list({each.new: each for each in reversed(found)}.values())[::-1]
    taken = run.seconds({each.name: partial(make, each.new) for each in everybody})
    count = 100 if run.smoke else 1000
    rows = tuple(
        (each.name, (spread([seconds * 1e6 for seconds in taken[each.name]]), weight(each.new, count)))
        for each in everybody
    )
    about = "An instance at work in its first state: CPU time to make it, and the memory it keeps beyond what all instances share."
    yield Table("Instances", about, (Column("µs to make", spread=True), Column("bytes", "number")), rows)


def make(new: Callable[[], Any], count: int) -> None:
    """Make so many, and let go of each."""
    for _ in range(count):
        new()


def weight(new: Callable[[], Any], count: int) -> float:
    """Bytes for one of many."""
    kept: list[Any] = [None] * count
    new()
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for index in range(count):
            kept[index] = new()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / count
