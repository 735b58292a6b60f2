"""Tables of cases as tests: `pytest specs/mine/conformance` collects every case of every table, named by its id.

Collected are the suites (`suite: …`) in folders called `conformance`, and any that is named on the command line. They run against what
`--outlast-against` says, in this process unless told otherwise. JUnit gets the clauses and the level of each case as properties.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from outlast import loading
from outlast.errors import OutlastError, SpecError
from outlast.proofs.conformance.judging import judge
from outlast.proofs.conformance.protocol import Broken, Runner
from outlast.proofs.conformance.reading import FittedCase, fit, is_suite, load_suite, system_of
from outlast.proofs.conformance.runners import RestoreRunner, StepRunner, SystemRunner, TransitionsRunner
from outlast.proofs.conformance.strangers import stranger_at

RUNNERS = {"system": SystemRunner, "step": StepRunner, "restore": RestoreRunner, "transitions": TransitionsRunner}
_RUNNER: pytest.StashKey[Runner] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--outlast-against`."""
    group = parser.getgroup("outlast")
    group.addoption(
        "--outlast-against",
        default="system",
        metavar="WHAT",
        help="hold this to the tables: system, step, restore, transitions, cmd:PROGRAM or http://ADDRESS",
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let a stranger go."""
    if runner := config.stash.get(_RUNNER, None):
        runner.close()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A suite in a folder `conformance`, or one that was asked for."""
    named = any(Path(arg.split("::")[0]).resolve() == file_path.resolve() for arg in parent.config.args)
    if (named or file_path.parent.name == "conformance") and is_suite(file_path):
        return TableFile.from_parent(parent, path=file_path)
    return None


class TableFile(pytest.File):
    """A file of cases."""

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each case."""
        try:
            suite = load_suite(self.path)
            home = system_of(self.path, suite)
            if home is None:
                raise self.CollectError(f"{self.path} does not say its system: write `system: NAME` at its top")
            cases = fit(loading.load(home), suite)
        except SpecError as error:
            raise self.CollectError("\n".join(problem.pretty() for problem in error.problems)) from error
        except OutlastError as error:
            raise self.CollectError(str(error)) from error
        for case in cases:
            yield CaseItem.from_parent(self, name=str(case.case.id), case=case)


class CaseItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: FittedCase, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]  # pytest hands its own arguments through
        self.case = case
        self.user_properties += [("clause", str(clause)) for clause in case.case.because]
        self.user_properties.append(("level", str(case.case.level)))

    def runtest(self) -> None:
        """Judge it."""
        result = judge(self.case, runner_of(self.config))
        if result.status in ("unimplemented", "contested"):
            pytest.skip(f"{result.status}: {result.reason or result.differences[0]}")
        if result.status == "not-strict":
            pytest.xfail("\n".join(result.lines()))
        if result.status == "failed":
            pytest.fail("\n".join(result.lines()), pytrace=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The file, the line and the id of the row."""
        place = self.case.case.place
        return self.path, place.line - 1 if place else None, self.name


def runner_of(config: pytest.Config) -> Runner:
    """The implementation asked for: one for the whole session."""
    if _RUNNER not in config.stash:
        where = str(config.getoption("--outlast-against"))
        try:
            config.stash[_RUNNER] = RUNNERS[where]() if where in RUNNERS else stranger_at(where)
        except (OutlastError, Broken) as error:
            raise pytest.UsageError(f"--outlast-against {where}: {error}") from error
    return config.stash[_RUNNER]
