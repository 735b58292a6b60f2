"""Specifications: from a text to a machine that can run."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import outlast
from tests.bench.contender import contenders
from tests.bench.machine import SPECS
from tests.bench.measuring import Run, spread
from tests.bench.report import Column, Table


def tables(run: Run) -> Iterator[Table]:
    """One row for everybody who reads a text."""
    everybody, _ = contenders()
    with tempfile.TemporaryDirectory() as folder:
        turns = {
            "outlast: YAML, a file never seen before": _unseen(SPECS / "job.yaml", Path(folder)),
            "outlast: YAML, a file seen before": _repeated(lambda: outlast.load(SPECS / "job.yaml")),
        }
        turns |= {each.name: _repeated(each.load) for each in everybody if each.load}
        taken = run.seconds(turns)
    rows = tuple((name, (spread([seconds * 1e3 for seconds in taken[name]]),)) for name in turns)
    about = (
        "The machine of the benchmark from a text: parsed, checked, compiled. A file seen before is read again, and "
        "compiled again only if its bytes have changed."
    )
    yield Table("Specifications", about, (Column("ms", spread=True),), rows)


def _repeated(load: Callable[[], object]) -> Callable[[int], None]:
    def turn(count: int) -> None:
        for _ in range(count):
            load()

    return turn


def _unseen(spec: Path, folder: Path) -> Callable[[int], None]:
    """Loads a copy under a new name each time; the copying is part of what is measured."""
    numbers = itertools.count()

    def turn(count: int) -> None:
        for _ in range(count):
            copy = folder / f"{next(numbers)}.yaml"
            shutil.copyfile(spec, copy)
            outlast.load(copy)
            copy.unlink()

    return turn
