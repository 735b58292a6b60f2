"""`python -m tests.bench`: measures, prints tables, and writes the results beside this file."""

from __future__ import annotations

import argparse
import json
import os
import pkgutil
import platform
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import outlast
import tests.bench
from tests.bench import peers, picture
from tests.bench.contender import contenders
from tests.bench.measuring import Run
from tests.bench.report import Table

FIRST = ("sending", "making", "importing", "loading", "waiting")
RESULTS = Path(__file__).with_name("results")


def topics() -> dict[str, Callable[[Run], Iterator[Table]]]:
    """Name -> its `tables`, of every module here that has them."""
    found = {}
    names = [module.name for module in pkgutil.iter_modules(tests.bench.__path__) if not module.name.startswith("_")]
    for name in sorted(names, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name)):
        module = import_module(f"tests.bench.{name}")
        if hasattr(module, "tables"):
            found[name] = module.tables
    return found


def circumstances(run: Run) -> dict[str, Any]:
    """When, where and with which versions."""
    everybody, _ = contenders()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        "rounds": run.rounds,
        "versions": {"outlast": outlast.__version__}
        | {each.distribution: each.version for each in everybody if each.version},
    }


def write(result: dict[str, Any]) -> None:
    """Put figures and chart in their place."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "speed.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (RESULTS / "speed.svg").write_text(picture.chart(result), "utf-8")


def main() -> int:
    """What the command does."""
    known = topics()
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Speed and size beside other libraries.")
    parser.add_argument(
        "topics", nargs="*", metavar="TOPIC", help=f"some of: {', '.join(known)}; all unless said otherwise"
    )
    parser.add_argument("--rounds", type=int, help="how often everybody has a turn (15)")
    parser.add_argument(
        "--smoke", action="store_true", help="a few seconds: whether everything runs; nothing is written"
    )
    parser.add_argument(
        "--draw", action="store_true", help="measure nothing: draw the chart anew from the figures written last"
    )
    parser.add_argument("--json", action="store_true", help="print JSON in place of tables")
    asked = parser.parse_args()
    if unknown := [name for name in asked.topics if name not in known]:
        parser.error(f"no topic is called {unknown[0]}: there are {', '.join(known)}")
    if asked.rounds is not None and asked.rounds < 1:
        parser.error("at least one round")
    if asked.draw:
        write(json.loads((RESULTS / "speed.json").read_text("utf-8")))
        return 0
    run = Run(3, 0.005, smoke=True) if asked.smoke else Run(asked.rounds or 15, 0.1)
    if problem := peers.install():
        print(problem, file=sys.stderr)
    found = []
    for name in asked.topics or known:
        for table in known[name](run):
            found.append(table)
            if not asked.json:
                print(table.text(), end="\n\n", flush=True)
    result = {**circumstances(run), "tables": [table.to_json() for table in found]}
    if asked.json:
        print(json.dumps(result, indent=1, ensure_ascii=False))
    if not asked.smoke and not asked.topics and not problem:
        write(result)
        print(f"written: {RESULTS}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
