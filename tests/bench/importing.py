"""Start-up: what a program pays to import each library, and this one's commands before their own work begins."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests.bench.contender import contenders
from tests.bench.measuring import Run, cpu_of, spread
from tests.bench.report import Column, Table

COMMANDS = ("--version", "list --help", "run --help", "check --help", "test --help", "draw --help")


def tables(run: Run) -> Iterator[Table]:
    """Libraries, then commands."""
    everybody, _ = contenders()
    path = f"import sys; sys.path[:] = {sys.path!r}; "
    programs = {"(bare Python)": path, "outlast": path + "import outlast"}
    programs |= {f"outlast, with {name}": f"{path}import outlast; outlast.{name}" for name in ("System", "load")}
    programs |= {each.distribution: path + each.program for each in everybody if each.role == "peer"}
    milliseconds = _measured(run, programs)
    bare = milliseconds.pop("(bare Python)")
    rows = tuple(
        (name, (spread([one - base for one, base in zip(values, bare, strict=True)]),))
        for name, values in milliseconds.items()
    )
    about = "CPU time to import a library, beyond that of a Python that imports nothing."
    yield Table("Imports", about, (Column("ms", spread=True),), rows)
    start = f"{path}from outlast.cli import main; main("
    commands = {f"outlast {words}": f"{start}{words.split()})" for words in COMMANDS}
    rows = tuple((name, (spread(values),)) for name, values in _measured(run, commands).items())
    about = "CPU time of a whole process that does nothing but get ready for a command."
    yield Table("Commands", about, (Column("ms", spread=True),), rows)


def _measured(run: Run, programs: dict[str, str]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(1 if run.smoke else run.rounds + 1):
        for name, program in programs.items():
            taken = 1000 * cpu_of([sys.executable, "-c", program])
            if number or run.smoke:  # the first time Python compiles
                found[name].append(taken)
    return found
