"""Tables of cases as tests: `pytest specs/mine/conformance` collects every case of every table, named by its id.

Collected are the suites (`suite: …`) in folders called `conformance`, and any that is named on the command line. They run against what
`--outlast-against` says, in this process unless told otherwise. JUnit gets the clauses and the level of each case as properties.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--outlast-against`."""
    group = parser.getgroup("outlast")
    group.addoption(
        "--outlast-against",
        default="system",
        metavar="WHAT",
        help="hold this to the tables: system, step, restore, transitions, cmd:PROGRAM or http://ADDRESS",
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A suite in a folder `conformance`, or one that was asked for. Whoever has none need not wait for what it takes to run one."""
    if file_path.suffix not in (".yaml", ".yml", ".csv", ".md"):  # `SURFACES`, which are as far away
        return None
    named = any(Path(arg.split("::")[0]).resolve() == file_path.resolve() for arg in parent.config.args)
    found: pytest.Collector | None = None
    if named or file_path.parent.name == "conformance":
        found = import_module("outlast.pytest_items").table(file_path, parent)
    return found
